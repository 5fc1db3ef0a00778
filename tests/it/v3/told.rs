//! What today's client is told of runs and of lines, as its own server tells it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Http, TestDaemon};

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_is_told_without_what_only_our_programs_know() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).expect(201));
    let alone = http
        .post("/flow_runs/", &json!({ "flow_id": flow }))
        .expect(201);
    assert_eq!(alone["job_variables"], json!({}));
    // What serves a deployment without a pool is for the agent to know.
    let deployment = json!({ "flow_id": flow, "name": "d", "entrypoint": "f.py:f" });
    let deployment = id(&http.post("/deployments/", &deployment).expect(201));
    let path = format!("/deployments/{deployment}/create_flow_run");
    let run = http.post(&path, &json!({})).expect(201);
    assert_eq!(run["job_variables"], json!({}));
    let asked = json!({ "deployments": { "id": { "any_": [deployment] } } });
    let listed = http.post("/flow_runs/filter", &asked).expect(200);
    let paged = http.post("/flow_runs/paginate", &asked).expect(200);
    for told in [&run, &listed[0], &paged["results"][0]] {
        assert_eq!(told["id"], run["id"]);
        assert!(told.get("flow_runner").is_none(), "{told}");
    }
    let told = daemon.http().get(&format!("/v3/flow_runs/{}", id(&run)));
    let told = told.expect(200);
    assert_eq!(told["flow_runner"]["type"], "served");
    let told = http.get(&format!("/deployments/{deployment}")).expect(200);
    for ours in ["flow_runner", "flow_data", "schedule"] {
        assert!(told.get(ours).is_none(), "{told}");
    }

    let task =
        json!({ "flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "name": "t" });
    let task = http.post("/task_runs/", &task).expect(201);
    let labels = json!({
        "prefect.flow.id": flow,
        "prefect.deployment.id": deployment,
        "prefect.flow-run.id": run["id"],
    });
    assert_eq!(task["labels"], labels);
}

#[test]
fn how_a_task_is_tried_again_is_told_in_words_old_and_new() {
    let daemon = TestDaemon::without_agent();
    let (old, new) = (daemon.http(), daemon.modern());
    let run = new.flow_run(&new.flow("f"));
    let told = |http: &Http, key: &str, said: Value| {
        let task = json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": key,
            "empirical_policy": said });
        let made = id(&http.post("/task_runs/", &task).expect(201));
        let task = new.get(&format!("/task_runs/{made}")).expect(200);
        let policy = task["empirical_policy"].clone();
        let words = [
            "max_retries",
            "retry_delay_seconds",
            "retries",
            "retry_delay",
        ];
        json!(words.map(|word| policy[word].clone()))
    };
    assert_eq!(told(&new, "0", json!({})), json!([0, 0.0, null, null]));
    let said = json!({ "retries": 3, "retry_delay": [1, 2] });
    assert_eq!(told(&new, "1", said), json!([0, 0.0, 3, [1, 2]]));
    let older = json!({ "max_retries": 3, "retry_delay_seconds": 4.0 });
    assert_eq!(told(&new, "2", older.clone()), json!([3, 4.0, 3, 4]));
    assert_eq!(told(&old, "3", older), json!([3, 4.0, 3, 4]));
    // Today's clients read whole seconds only.
    let brief = json!({ "max_retries": 1, "retry_delay_seconds": 0.6 });
    assert_eq!(told(&old, "4", brief), json!([1, 0.6, 1, 1]));
}

#[test]
fn lines_of_no_flow_run_are_kept() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let [run, task] = [1, 2].map(Uuid::from_u128);
    let line = |run: Option<Uuid>, message: &str| {
        json!({ "name": "prefect.task_runs", "level": 20, "message": message,
            "timestamp": "2026-11-27T07:53:44Z", "flow_run_id": run, "task_run_id": task })
    };
    let said = json!([line(None, "alone"), line(Some(run), "within")]);
    http.post("/logs/", &said).expect(201);
    let found = |asked: Value| {
        let lines = http.post("/logs/filter", &asked).expect(200);
        let lines = lines.as_array().unwrap().clone().into_iter();
        lines
            .map(|line| (line["message"].clone(), line["flow_run_id"].clone()))
            .collect::<Vec<_>>()
    };
    let alone = (json!("alone"), Value::Null);
    let within = (json!("within"), json!(run));
    assert_eq!(found(json!({})), [alone.clone(), within.clone()]);
    let of_task = json!({ "logs": { "task_run_id": { "any_": [task] } } });
    assert_eq!(found(of_task), [alone, within.clone()]);
    let of_run = json!({ "logs": { "flow_run_id": { "any_": [run] } } });
    assert_eq!(found(of_run), [within]);
    // The clients of 2.0a7 do not read what is of no flow run.
    let told = daemon.http().post("/logs/filter", &json!({})).expect(200);
    let told: Vec<_> = told.as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["message"], "within");
}
