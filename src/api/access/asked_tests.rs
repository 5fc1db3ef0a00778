use super::*;
use serde_json::json;

const RUN: &str = "018f0000-0000-7000-8000-000000000001";
const TASK: &str = "018f0000-0000-7000-8000-000000000002";

fn flow_run() -> FlowRunId {
    RUN.parse().unwrap()
}

fn task_run() -> TaskRunId {
    TASK.parse().unwrap()
}

#[test]
fn what_method_and_path_tell() {
    let change_run = Asked::Change(of_flow_run(flow_run()));
    let change_task = Asked::Change(of_task_run(task_run()));
    let set_run = format!("flow_runs/{RUN}/set_state");
    let set_task = format!("task_runs/{TASK}/set_state");
    let cases = [
        ("GET", "health", Asked::Health),
        ("GET", "ready", Asked::Read),
        ("GET", "flows/x", Asked::Read),
        ("GET", "flow_runs/x/graph", Asked::Read),
        ("GET", "flow_run_states/", Asked::Read),
        ("POST", "flow_runs/filter", Asked::Read),
        ("POST", "task_runs/count", Asked::Read),
        ("POST", "flow_runs/history", Asked::Read),
        ("POST", "data/retrieve", Asked::Read),
        ("POST", "data/persist", Asked::Persist),
        ("POST", "flows/", Asked::RegisterFlow),
        ("POST", &set_run, change_run),
        ("POST", &set_task, change_task),
        ("GET", "admin/settings", Asked::Inspect),
        ("GET", "admin/version", Asked::Inspect),
        ("GET", "prefectd/status", Asked::Inspect),
        ("POST", "admin/database/clear", Asked::Administer),
        ("POST", "deployments/", Asked::Administer),
        ("POST", "deployments/x/schedule", Asked::Administer),
        (
            "POST",
            "deployments/x/set_schedule_inactive",
            Asked::Administer,
        ),
        ("POST", "prefectd/agents/a/claim", Asked::Administer),
        ("POST", "prefectd/ids/flow_runs/lengths", Asked::Inspect),
        ("POST", "prefectd/deployments/around", Asked::Inspect),
        ("POST", "prefectd/logs/page", Asked::Inspect),
        ("GET", "prefectd/ids/flows/0a", Asked::Inspect),
        ("GET", "prefectd/processes", Asked::Inspect),
        ("GET", "prefectd/flow_runs/x/output", Asked::Inspect),
        ("POST", "flow_runs/x/set_state", Asked::Administer),
        ("POST", "health", Asked::Administer),
        ("PATCH", "flows/x", Asked::Administer),
        ("PUT", "saved_searches/", Asked::Administer),
        ("DELETE", "flow_runs/x", Asked::Administer),
        ("DELETE", "deployments/x", Asked::Administer),
        ("OPTIONS", "flows/", Asked::Administer),
    ];
    for dialect in [ORION, V3] {
        for (method, path, expected) in &cases {
            let method: Method = method.parse().unwrap();
            let found = request(&method, &format!("{dialect}/{path}"));
            assert_eq!(found, Request::Told(expected.clone()), "{method} {path}");
        }
    }
    for path in [
        "/metrics",
        "/docs",
        "/openapi.json",
        "/",
        "/api/orionish/flows/x",
    ] {
        let found = request(&Method::GET, path);
        assert_eq!(found, Request::Told(Asked::Inspect), "{path}");
    }
}

#[test]
fn what_bodies_tell() {
    let change_run = || Asked::Change(of_flow_run(flow_run()));
    let change_task = || Asked::Change(of_task_run(task_run()));
    let both = Targets {
        flow_runs: vec![flow_run()],
        task_runs: vec![task_run()],
    };
    let line = json!({ "flow_run_id": RUN, "task_run_id": TASK });
    let unset = json!({ "type": null, "config": null });
    let set = json!({ "type": "subprocess", "config": {} });
    let changes = InBody::Changes(flow_run());
    let wanted = InBody::RunOfDeployment;
    for (route, body, expected) in [
        (
            InBody::FlowRun,
            json!({ "parent_task_run_id": TASK, "flow_runner": unset }),
            change_task(),
        ),
        (
            InBody::FlowRun,
            json!({ "parent_task_run_id": TASK, "deployment_id": null }),
            change_task(),
        ),
        (
            InBody::FlowRun,
            json!({ "parent_task_run_id": TASK, "deployment_id": RUN }),
            Asked::Administer,
        ),
        (
            InBody::FlowRun,
            json!({ "parent_task_run_id": TASK, "flow_runner": set }),
            Asked::ChooseInfrastructure,
        ),
        (
            InBody::FlowRun,
            json!({ "parent_task_run_id": null }),
            Asked::Administer,
        ),
        (InBody::FlowRun, json!({}), Asked::Administer),
        (InBody::FlowRun, Value::Null, Asked::Administer),
        (InBody::TaskRun, json!({ "flow_run_id": RUN }), change_run()),
        (
            InBody::TaskRun,
            json!({ "flow_run_id": 3 }),
            Asked::Administer,
        ),
        (wanted, json!({}), Asked::Change(Targets::default())),
        (wanted, json!({ "parent_task_run_id": TASK }), change_task()),
        (
            wanted,
            json!({ "parent_task_run_id": "x" }),
            Asked::Administer,
        ),
        (
            wanted,
            json!({ "flow_runner": set }),
            Asked::ChooseInfrastructure,
        ),
        (
            wanted,
            json!({ "flow_runner": "docker" }),
            Asked::ChooseInfrastructure,
        ),
        (changes, json!({ "name": "n" }), change_run()),
        (
            changes,
            json!({ "flow_runner": set }),
            Asked::ChooseInfrastructure,
        ),
        (InBody::Lines, json!([line, line]), Asked::Log(both)),
        (InBody::Lines, json!([]), Asked::Log(Targets::default())),
        (
            InBody::Lines,
            json!([{ "message": "x" }]),
            Asked::Administer,
        ),
        (
            InBody::Lines,
            json!([{ "flow_run_id": RUN, "task_run_id": 3 }]),
            Asked::Administer,
        ),
        (
            InBody::Lines,
            json!({ "flow_run_id": RUN }),
            Asked::Administer,
        ),
    ] {
        assert_eq!(told(route, &body), expected, "{route:?} {body}");
    }
}
