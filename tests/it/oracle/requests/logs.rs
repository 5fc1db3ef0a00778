//! Log lines.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::oracle::pair::Pair;

fn line(message: &str, level: i64, second: u32, task: Option<&str>) -> Value {
    json!({
        "name": format!("logger.{level}"),
        "level": level,
        "message": message,
        "timestamp": format!("2022-02-02T02:02:{second:02}.5+00:00"),
        "flow_run_id": "{run}",
        "task_run_id": task,
    })
}

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "logs_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    pair.make(
        "task",
        "/task_runs/",
        &json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0" }),
    );
    pair.post(
        "/logs/",
        &json!([
            line("one", 10, 1, None),
            line("two", 30, 2, Some("{task}")),
            line("three", 20, 3, None)
        ]),
    );
    pair.post("/logs/", &json!([line("ü \u{1F600} \n\t", 40, 4, None)]));
    faults(pair);
    let ours = json!({ "flow_run_id": { "any_": ["{run}"] } });
    let with = |key: &str, value: Value| {
        let mut filter = ours.clone();
        filter
            .as_object_mut()
            .unwrap()
            .insert(key.to_owned(), value);
        json!({ "logs": filter })
    };
    for body in [
        json!({ "logs": ours }),
        json!({ "logs": ours, "sort": "TIMESTAMP_DESC" }),
        json!({ "logs": ours, "sort": "LEVEL_ASC" }),
        json!({ "logs": ours, "sort": "LEVEL_DESC", "limit": 2, "offset": 1 }),
        json!({ "logs": ours, "sort": "TIMESTAMP_ASC", "limit": 2, "offset": 3 }),
        json!({ "logs": ours, "sort": "X" }),
        json!({ "logs": ours, "limit": null }),
        json!({ "logs": ours, "limit": 0 }),
        json!({ "logs": ours, "limit": 201 }),
        json!({ "logs": ours, "offset": -1 }),
        with("level", json!({ "ge_": 20 })),
        with("level", json!({ "le_": 20 })),
        with("level", json!({ "ge_": 20, "le_": 30 })),
        with("level", json!({ "ge_": "x" })),
        with("name", json!({ "any_": ["logger.10"] })),
        with("name", json!({ "any_": [] })),
        with(
            "timestamp",
            json!({ "before_": "2022-02-02T02:02:02.5+00:00" }),
        ),
        with(
            "timestamp",
            json!({ "after_": "2022-02-02T02:02:02.5+00:00" }),
        ),
        with("task_run_id", json!({ "any_": ["{task}"] })),
        with("task_run_id", json!({ "any_": [UNKNOWN] })),
        with("message", json!({ "any_": ["one"] })),
        json!({ "logs": { "flow_run_id": { "any_": [UNKNOWN] } } }),
    ] {
        pair.post("/logs/filter", &body);
    }
    pair.same("POST", "/logs/filter", None);
}

fn faults(pair: &mut Pair) {
    let faulty = |key: &str, value: Value| {
        let mut line = line("x", 10, 5, None);
        line.as_object_mut().unwrap().insert(key.to_owned(), value);
        json!([line])
    };
    for body in [
        faulty("level", json!("x")),
        faulty("level", json!(null)),
        faulty("level", json!(1.5)),
        faulty("message", json!(null)),
        faulty("message", json!(["x"])),
        faulty("timestamp", json!("x")),
        faulty("flow_run_id", json!("x")),
        faulty("flow_run_id", json!(null)),
        faulty("task_run_id", json!("x")),
        faulty("more", json!("x")),
        json!([{}]),
        json!([7]),
        json!({}),
        json!("x"),
    ] {
        pair.post("/logs/", &body);
    }
    pair.same("POST", "/logs/", None);
}
