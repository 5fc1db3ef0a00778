//! What few clients send: odd ids, lengths, names and numbers, and the order of what is absent.

use serde_json::{Value, json};

use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "oddities_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    ids(pair);
    names(pair);
    lengths(pair);
    numbers(pair);
    searches(pair);
    runners(pair);
    cache(pair);
    order_of_nulls(pair);
}

fn ids(pair: &mut Pair) {
    for id in [
        "0-0-0-00000-1111-4222-8333-444444444444",
        "00000000-1111-4222-8333-444444444444-",
        "uuid:00000000-1111-4222-8333-444444444444",
        "urn:00000000-1111-4222-8333-444444444444",
        "urn:uuid:{00000000-1111-4222-8333-444444444444}",
        "{{00000000-1111-4222-8333-444444444444}",
        "{00000000-1111-4222-8333-444444444444",
        "URN:UUID:00000000-1111-4222-8333-444444444444",
        "00000000-1111-4222-8333-4444444444440",
        "----",
    ] {
        let path = id.replace('{', "%7B").replace('}', "%7D");
        pair.get(&format!("/flows/{path}"));
        pair.get(&format!("/flow_run_states/?flow_run_id={path}"));
        let asked = json!({ "flows": { "id": { "any_": [id] } } });
        pair.post("/flows/filter", &asked);
    }
}

fn names(pair: &mut Pair) {
    let names = [
        json!(0),
        json!(0.0),
        json!([]),
        json!({}),
        json!(false),
        json!(true),
        json!(""),
        json!("0"),
        json!([1]),
        json!(1.5),
    ];
    for (number, name) in names.iter().enumerate() {
        let run = json!({ "flow_id": "{flow}", "name": name });
        pair.post("/flow_runs/", &run);
        pair.patch("/flow_runs/{run}", &json!({ "name": name }));
        let task = json!({ "flow_run_id": "{run}", "task_key": "k",
            "dynamic_key": format!("n{number}"), "name": name });
        pair.post("/task_runs/", &task);
    }
}

fn lengths(pair: &mut Pair) {
    let texts = [
        "P1M",
        "P1W",
        "PT1M",
        "+P1D",
        "P1,5D",
        "1 00:00:00",
        "1 5",
        "1 day, 00:00:00",
        "2 days",
        "1 -1:00",
        "1:1",
        "1e3",
        ".500",
        "5.",
        "5.1234567",
        " 5",
        "nan",
        "inf",
    ];
    let mut lengths: Vec<Value> = texts.map(Value::from).to_vec();
    lengths.extend([json!(true), json!(1.5), json!(-1), json!([])]);
    for length in lengths {
        let history = json!({ "history_start": "2022-01-01T00:00:00Z",
            "history_end": "2022-01-01T00:00:01Z", "history_interval_seconds": length });
        pair.post("/flow_runs/history", &history);
        let document = json!({ "encoding": "x", "blob": "y" });
        let deployment = json!({ "name": "lengths", "flow_id": "{flow}",
            "flow_data": document, "schedule": { "interval": length } });
        pair.post("/deployments/", &deployment);
    }
    for time in [
        ".500",
        "2022-01-02T03:04:05.500Z",
        "2022-01-02T03:04:05.Z",
        "0000-01-01T00:00:00Z",
        "2022-01-02T03:04:05+24:00",
        "2022-01-02T03:04:05+1:00",
        " 5 ",
        "1e3",
    ] {
        let asked = json!({ "flow_runs": { "start_time": { "before_": time } } });
        pair.post("/flow_runs/count", &asked);
    }
    for number in ["9223372036854775808", "1e19", "3e20"] {
        let asked = format!(r#"{{"flow_runs":{{"start_time":{{"before_":{number}}}}}}}"#);
        pair.same("POST", "/flow_runs/count", Some(&asked));
    }
}

fn numbers(pair: &mut Pair) {
    for number in [
        "202402144809161001040",
        "18446744073709551616",
        "-9223372036854775809",
        "1.0",
        "0.1",
        "1e-05",
        "100",
    ] {
        let run = format!(
            r#"{{"flow_id":"{{flow}}","parameters":{{"x":{number},"y":[{number}]}},"context":{{"z":{number}}}}}"#
        );
        let made = pair.same("POST", "/flow_runs/", Some(&run));
        pair.keep("numbered", &made, "/id");
        pair.get("/flow_runs/{numbered}");
    }
}

fn searches(pair: &mut Pair) {
    for filters in [
        json!({}),
        json!({ "flows": { "name": { "any_": ["a"] } }, "n": 1.5 }),
        json!([]),
        json!([["a", 1]]),
        json!("x"),
        json!(1),
    ] {
        let search = json!({ "name": "as an object", "filters": filters });
        pair.put("/saved_searches/", &search);
    }
    pair.post("/saved_searches/filter", &json!({ "limit": 200 }));
}

fn runners(pair: &mut Pair) {
    let runner = json!({ "type": "docker", "config": { "image": "x" } });
    pair.patch("/flow_runs/{run}", &json!({ "flow_runner": runner }));
    pair.get("/flow_runs/{run}");
    pair.patch("/flow_runs/{run}", &json!({ "flow_runner": null }));
    pair.get("/flow_runs/{run}");
}

/// An empty key is none.
fn cache(pair: &mut Pair) {
    for (name, key) in [("one", "0"), ("two", "1")] {
        let task = json!({ "flow_run_id": "{run}", "task_key": "cached", "dynamic_key": key });
        pair.make(name, "/task_runs/", &task);
    }
    let state =
        |kind: &str| json!({ "state": { "type": kind, "state_details": { "cache_key": "" } } });
    for run in ["{one}", "{two}"] {
        let path = format!("/task_runs/{run}/set_state");
        pair.post(&path, &state("RUNNING"));
        pair.post(&path, &state("COMPLETED"));
    }
}

fn order_of_nulls(pair: &mut Pair) {
    pair.make("ordered", "/flows/", &json!({ "name": "oddities_2" }));
    for due in [
        json!("2031-01-01T00:00:00Z"),
        Value::Null,
        json!("2030-01-01T00:00:00Z"),
    ] {
        let state = match &due {
            Value::Null => json!({ "type": "COMPLETED" }),
            due => json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": due } }),
        };
        let run = json!({ "flow_id": "{ordered}", "state": state });
        pair.post("/flow_runs/", &run);
    }
    let flows = json!({ "id": { "any_": ["{ordered}"] } });
    let asked = json!({ "flows": flows, "sort": "NEXT_SCHEDULED_START_TIME_ASC" });
    pair.post("/flow_runs/filter", &asked);
    let asked = json!({ "flows": flows, "sort": "END_TIME_DESC", "limit": 1 });
    pair.post("/flow_runs/filter", &asked);
}
