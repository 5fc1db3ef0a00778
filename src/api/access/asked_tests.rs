use super::*;
use crate::api::access::Needs;
use crate::api::dialect::{ORION, V3};
use crate::api::{orion, v3};
use serde_json::json;

const RUN: &str = "018f0000-0000-7000-8000-000000000001";
const TASK: &str = "018f0000-0000-7000-8000-000000000002";

fn flow_run() -> FlowRunId {
    RUN.parse().unwrap()
}

fn task_run() -> TaskRunId {
    TASK.parse().unwrap()
}

fn needs() -> Needs {
    let (orion, v3) = (orion::routes().1, v3::routes().1);
    Needs::new(orion.needs().chain(v3.needs()))
}

fn asked(needs: &Needs, method: &str, path: &str) -> Request {
    request(needs.of(&method.parse().unwrap(), path))
}

#[test]
fn what_method_and_path_tell() {
    let needs = needs();
    let change_run = Asked::Change(of_flow_run(flow_run()));
    let change_task = Asked::Change(of_task_run(task_run()));
    let set_run = format!("flow_runs/{RUN}/set_state");
    let set_task = format!("task_runs/{TASK}/set_state");
    let cases = [
        ("GET", "health", Asked::Health),
        ("GET", "ready", Asked::Read),
        ("GET", "flows/x", Asked::Read),
        ("HEAD", "flows/x", Asked::Read),
        ("GET", "flow_run_states/", Asked::Read),
        ("POST", "flow_runs/filter", Asked::Read),
        ("POST", "task_runs/count", Asked::Read),
        ("POST", "flows/", Asked::RegisterFlow),
        ("POST", &set_run, change_run),
        ("POST", &set_task, change_task),
        ("GET", "admin/version", Asked::Inspect),
        ("POST", "admin/database/clear", Asked::Administer),
        ("POST", "deployments/", Asked::Administer),
        ("POST", "deployments/x/schedule", Asked::Administer),
        ("POST", "flow_runs/x/set_state", Asked::Administer),
        ("POST", "health", Asked::Administer),
        ("PATCH", "flows/x", Asked::Administer),
        ("PUT", "saved_searches/", Asked::Administer),
        ("DELETE", "flow_runs/x", Asked::Administer),
        ("DELETE", "deployments/x", Asked::Administer),
        ("OPTIONS", "flows/", Asked::Administer),
        ("TRACE", "flows/x", Asked::Administer),
    ];
    for dialect in [ORION, V3] {
        for (method, path, expected) in &cases {
            let found = asked(&needs, method, &format!("{dialect}/{path}"));
            assert_eq!(found, Request::Told(expected.clone()), "{method} {path}");
        }
    }
    for (method, path, expected) in [
        ("GET", "/api/orion/flow_runs/x/graph", Asked::Read),
        ("POST", "/api/orion/flow_runs/history", Asked::Read),
        ("GET", "/api/orion/admin/settings", Asked::Inspect),
        ("POST", "/api/orion/data/retrieve", Asked::Fetch),
        ("POST", "/api/orion/data/persist", Asked::Persist),
        ("GET", "/api/v3/prefectd/status", Asked::Inspect),
        (
            "POST",
            "/api/v3/prefectd/ids/flow_runs/lengths",
            Asked::Inspect,
        ),
        (
            "POST",
            "/api/v3/prefectd/deployments/around",
            Asked::Inspect,
        ),
        ("POST", "/api/v3/prefectd/logs/page", Asked::Inspect),
        ("GET", "/api/v3/prefectd/ids/flows/0a", Asked::Inspect),
        ("GET", "/api/v3/prefectd/processes", Asked::Inspect),
        ("GET", "/api/v3/prefectd/flow_runs/x/output", Asked::Inspect),
        ("GET", "/api/v3/prefectd/backup", Asked::Administer),
        ("HEAD", "/api/v3/prefectd/backup", Asked::Administer),
        (
            "GET",
            "/api/v3/prefectd/agents/embedded/runs",
            Asked::Administer,
        ),
        ("POST", "/api/v3/prefectd/agents/a/claim", Asked::Administer),
    ] {
        let found = asked(&needs, method, path);
        assert_eq!(found, Request::Told(expected), "{method} {path}");
    }
}

#[test]
fn what_is_no_route_to_the_router_is_none_here() {
    let needs = needs();
    let paths = [
        "/",
        "/nothing",
        "/api",
        "/api/",
        "/api/orionish/flows/x",
        "/api/v3",
        "/api/v3/nothing",
        "/api/v3/flows",
        "/api/v3/flows/filter/",
        "/api/v3//flows/filter",
        "//api/v3/flows/filter",
        "/api/v3/./flows/filter",
        "/api/v3/flows/%66ilter/x",
        "/api/v3/flows%2Ffilter",
        "/API/v3/flows/filter",
        "/api/v3/flow_runs/x/graph",
        "/api/v3/flows/x;y/z",
    ];
    for path in paths {
        for method in ["GET", "POST", "PATCH", "DELETE", "HEAD", "BREW"] {
            let found = asked(&needs, method, path);
            assert_eq!(found, Request::Told(Asked::Administer), "{method} {path}");
        }
    }
}

#[test]
fn an_id_has_two_spellings_and_no_other_is_read() {
    let needs = needs();
    let simple = RUN.replace('-', "");
    for (text, is_read) in [
        (RUN.to_owned(), true),
        (simple.clone(), true),
        (RUN.to_uppercase(), true),
        (format!("{{{RUN}}}"), false),
        (format!("urn:uuid:{RUN}"), false),
        (format!("{RUN}%20"), false),
        (RUN.replace('0', "%30"), false),
        (format!("01-{}", &simple[2..]), false),
        (format!("{RUN}-"), false),
        (String::new(), false),
    ] {
        let expected = match is_read {
            true => Asked::Change(of_flow_run(flow_run())),
            false => Asked::Administer,
        };
        let found = asked(&needs, "POST", &format!("{V3}/flow_runs/{text}/set_state"));
        assert_eq!(found, Request::Told(expected), "{text}");
        let body = json!({ "flow_run_id": text });
        let expected = match is_read {
            true => Asked::Change(of_flow_run(flow_run())),
            false => Asked::Administer,
        };
        if !text.contains('%') {
            assert_eq!(told(InBody::TaskRun, &body), expected, "{body}");
        }
    }
}

#[test]
fn a_list_is_no_object_and_an_object_no_list() {
    let id = json!(TASK);
    for route in [
        InBody::FlowRun,
        InBody::TaskRun,
        InBody::RunOfDeployment,
        InBody::Changes(flow_run()),
    ] {
        for body in [
            json!([]),
            json!([null, null, id]),
            id.clone(),
            json!(3),
            Value::Null,
        ] {
            assert_eq!(told(route, &body), Asked::Administer, "{route:?} {body}");
        }
    }
    for body in [
        json!({}),
        json!([[RUN]]),
        json!([RUN]),
        json!(RUN),
        Value::Null,
    ] {
        assert_eq!(told(InBody::Lines, &body), Asked::Administer, "{body}");
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
