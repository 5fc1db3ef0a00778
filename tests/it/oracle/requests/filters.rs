//! Every filter and operator, each on every noun that takes it.

use serde_json::{Value, json};

use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    populate(pair);
    let nouns = [
        ("flows", flows()),
        ("deployments", deployments()),
        ("flow_runs", flow_runs()),
        ("task_runs", task_runs()),
    ];
    for (noun, filters) in &nouns {
        for filter in filters {
            let body = json!({ *noun: filter });
            pair.post_any_order(&format!("/{noun}/filter"), &body);
            for other in ["flows", "flow_runs", "task_runs"] {
                pair.post(&format!("/{other}/count"), &body);
            }
        }
    }
    pair.post("/deployments/count", &json!({ "flows": { "name": { "any_": ["f1"] } }, "flow_runs": { "tags": { "is_null_": true } }, "task_runs": { "name": { "any_": ["t1"] } } }));
    sorts(pair);
}

fn populate(pair: &mut Pair) {
    for (index, tags) in [json!([]), json!(["a"]), json!(["a", "b"])]
        .iter()
        .enumerate()
    {
        pair.make(
            "flow",
            "/flows/",
            &json!({ "name": format!("f{index}"), "tags": tags }),
        );
        pair.make("deployment", "/deployments/", &json!({ "flow_id": "{flow}", "name": format!("d{index}"), "tags": tags, "flow_data": { "encoding": "x", "blob": "y" }, "is_schedule_active": index == 1 }));
        for (number, kind) in ["PENDING", "RUNNING", "COMPLETED", "FAILED", "SCHEDULED"]
            .iter()
            .enumerate()
        {
            let time = format!("2022-0{}-1{number}T00:00:00+00:00", index + 1);
            let mut run = json!({
                "flow_id": "{flow}", "name": format!("r{index}{number}"), "flow_version": format!("v{number}"),
                "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": time } },
            });
            if number % 2 == 0 {
                run["tags"] = tags.clone();
                run["deployment_id"] = json!("{deployment}");
            }
            pair.make("run", "/flow_runs/", &run);
            if *kind != "SCHEDULED" {
                pair.post(
                    "/flow_runs/{run}/set_state",
                    &json!({ "state": { "type": kind }, "force": true }),
                );
            }
            pair.make("task", "/task_runs/", &json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0", "name": format!("t{number}"), "tags": tags, "state": { "type": kind } }));
            pair.make("sub", "/flow_runs/", &json!({ "flow_id": "{flow}", "name": format!("s{index}{number}"), "parent_task_run_id": "{task}" }));
        }
    }
}

fn tags() -> Vec<Value> {
    [
        json!({ "all_": ["a"] }),
        json!({ "all_": ["a", "b"] }),
        json!({ "all_": ["x"] }),
        json!({ "all_": [] }),
        json!({ "is_null_": true }),
        json!({ "is_null_": false }),
        json!({}),
    ]
    .into_iter()
    .map(|tags| json!({ "tags": tags }))
    .collect()
}

fn states() -> Vec<Value> {
    [
        json!({ "type": { "any_": ["PENDING"] } }),
        json!({ "type": { "any_": ["RUNNING", "FAILED"] } }),
        json!({ "type": { "any_": [] } }),
        json!({ "name": { "any_": ["Completed"] } }),
        json!({ "name": { "any_": ["completed"] } }),
        json!({ "type": { "any_": ["COMPLETED"] }, "name": { "any_": ["Failed"] } }),
        json!({}),
    ]
    .into_iter()
    .map(|state| json!({ "state": state }))
    .collect()
}

fn between(name: &str) -> Vec<Value> {
    [
        json!({ "before_": "2022-02-12T00:00:00+00:00" }),
        json!({ "after_": "2022-02-12T00:00:00+00:00" }),
        json!({ "before_": "2022-03-12T00:00:00+00:00", "after_": "2022-01-12T01:00:00+01:00" }),
        json!({}),
    ]
    .into_iter()
    .map(|range| json!({ name: range }))
    .collect()
}

fn is_null(name: &str) -> Vec<Value> {
    [true, false]
        .iter()
        .map(|is| json!({ name: { "is_null_": is } }))
        .collect()
}

fn flows() -> Vec<Value> {
    let mut all = tags();
    all.extend([
        json!({ "name": { "any_": ["f0", "f2"] } }),
        json!({ "name": { "any_": ["F0"] } }),
        json!({ "name": { "any_": [] } }),
        json!({ "id": { "any_": ["{flow}"] } }),
        json!({ "id": { "any_": ["{flow}"] }, "name": { "any_": ["f0"] } }),
    ]);
    all
}

fn deployments() -> Vec<Value> {
    let mut all = tags();
    all.extend([
        json!({ "id": { "any_": ["{deployment}"] } }),
        json!({ "name": { "any_": ["d1"] } }),
        json!({ "is_schedule_active": { "eq_": true } }),
        json!({ "is_schedule_active": { "eq_": false } }),
        json!({ "is_schedule_active": {} }),
        json!({ "is_schedule_active": { "eq_": "x" } }),
    ]);
    all
}

fn flow_runs() -> Vec<Value> {
    let mut all = tags();
    all.extend(states());
    all.extend(between("start_time"));
    all.extend(between("expected_start_time"));
    all.extend(between("next_scheduled_start_time"));
    all.extend(is_null("start_time"));
    all.extend(is_null("deployment_id"));
    all.extend(is_null("parent_task_run_id"));
    all.extend([
        json!({ "id": { "any_": ["{run}", "{sub}"] } }),
        json!({ "id": { "not_any_": ["{run}"] } }),
        json!({ "id": { "any_": ["{run}"], "not_any_": ["{run}"] } }),
        json!({ "name": { "any_": ["r00", "r21"] } }),
        json!({ "deployment_id": { "any_": ["{deployment}"] } }),
        json!({ "deployment_id": { "any_": ["{deployment}"], "is_null_": true } }),
        json!({ "parent_task_run_id": { "any_": ["{task}"] } }),
        json!({ "flow_version": { "any_": ["v1", "v2"] } }),
        json!({ "state": { "type": { "any_": ["SCHEDULED"] } }, "tags": { "all_": ["a"] }, "deployment_id": { "is_null_": false } }),
    ]);
    all
}

fn task_runs() -> Vec<Value> {
    let mut all = tags();
    all.extend(states());
    all.extend(between("start_time"));
    all.extend(is_null("start_time"));
    all.extend([
        json!({ "id": { "any_": ["{task}"] } }),
        json!({ "name": { "any_": ["t0", "t3"] } }),
        json!({ "subflow_runs": { "exists_": true } }),
        json!({ "subflow_runs": { "exists_": false } }),
        json!({ "subflow_runs": {} }),
    ]);
    all
}

fn sorts(pair: &mut Pair) {
    let ours = json!({ "parent_task_run_id": { "is_null_": true } });
    for sort in ["EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC"] {
        for (limit, offset) in [(200, 0), (3, 0), (3, 5), (1, 14), (1, 15)] {
            pair.post(
                "/flow_runs/filter",
                &json!({ "flow_runs": ours, "sort": sort, "limit": limit, "offset": offset }),
            );
        }
    }
    for noun in ["flow_runs", "task_runs"] {
        for sort in [
            "NEXT_SCHEDULED_START_TIME_ASC",
            "END_TIME_DESC",
            "ID_DESC",
            "EXPECTED_START_TIME_ASC",
            "X",
        ] {
            pair.post_any_order(&format!("/{noun}/filter"), &json!({ "sort": sort }));
        }
    }
    for noun in ["flows", "deployments"] {
        for (limit, offset) in [(2, 0), (2, 1), (2, 3)] {
            pair.post_any_order(
                &format!("/{noun}/filter"),
                &json!({ "limit": limit, "offset": offset }),
            );
        }
    }
}
