//! Prefect's own UI out of the client's package, in a real browser: what this daemon holds is on its
//! pages, and the console has nothing to complain of.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::driver::Driver;
use crate::modern::venv;
use crate::support::TestDaemon;

/// How often a page is looked at, and after what.
const PATIENCE: usize = 300;
const LOOK: Duration = Duration::from_millis(100);

/// What there is to be shown; answers the ids of a run and of its deployment.
fn filled(daemon: &TestDaemon) -> [String; 2] {
    let http = daemon.modern();
    let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
    let pool = json!({ "name": "seen-pool", "type": "process" });
    http.post("/work_pools/", &pool).expect(201);
    let flow = http.post("/flows/", &json!({ "name": "seen-flow" })).body;
    let deployment = json!({ "name": "seen-deployment", "flow_id": flow["id"],
        "work_pool_name": "seen-pool",
        "parameter_openapi_schema": { "type": "object",
            "properties": { "n": { "type": "integer", "title": "n", "position": 0 } } } });
    let deployment = id(&http.post("/deployments/", &deployment).expect(201));
    let run = json!({ "name": "seen-run", "state": { "type": "SCHEDULED" } });
    let asked = format!("/deployments/{deployment}/create_flow_run");
    let run = id(&http.post(&asked, &run).expect(201));
    let task = json!({ "flow_run_id": run, "name": "seen-task", "task_key": "k", "dynamic_key": "0",
        "state": { "type": "RUNNING" } });
    http.post("/task_runs/", &task).expect(201);
    let line = json!([{ "name": "prefect.flow_runs", "level": 20, "message": "seen-line",
        "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run }]);
    http.post("/logs/", &line).expect(201);
    let automation = json!({ "name": "seen-automation", "actions": [{ "type": "do-nothing" }],
        "trigger": { "type": "event", "posture": "Reactive", "expect": ["x.y"], "threshold": 1,
            "within": 0 } });
    http.post("/automations/", &automation).expect(201);
    let variable = json!({ "name": "seen_variable", "value": 1 });
    http.post("/variables/", &variable).expect(201);
    let limit = json!({ "name": "seen-limit", "limit": 2 });
    http.post("/v2/concurrency_limits/", &limit).expect(201);
    let artifact = json!({ "key": "seen-artifact", "type": "markdown", "data": "# it" });
    http.post("/artifacts/", &artifact).expect(201);
    // Its feed ends with the last full minute.
    let occurred = (Utc::now() - TimeDelta::minutes(10)).to_rfc3339();
    let resource =
        json!({ "prefect.resource.id": "seen.1", "prefect.resource.name": "seen-resource" });
    let event = json!([{ "event": "seen.happened", "occurred": occurred, "resource": resource,
        "related": [], "payload": {}, "id": Uuid::new_v4() }]);
    http.post("/events", &event).expect(204);
    [run, deployment]
}

fn install(daemon: &TestDaemon) {
    let output = daemon
        .ctl()
        .args(["ui", "install", "--python"])
        .arg(venv().join("bin/python"))
        .arg("--state-dir")
        .arg(daemon.state_dir())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

#[test]
fn the_official_ui_shows_what_this_daemon_holds() {
    let daemon = TestDaemon::without_agent();
    install(&daemon);
    let [run, deployment] = filled(&daemon);
    let browser = Driver::start(true);
    browser.size(1400, 1000);
    let of_v2 = [
        ("dashboard".to_owned(), "seen-pool"),
        ("runs".to_owned(), "seen-run"),
        (format!("runs/flow-run/{run}"), "seen-line"),
        ("flows".to_owned(), "seen-flow"),
        ("deployments".to_owned(), "seen-deployment"),
        (
            format!("deployments/deployment/{deployment}"),
            "seen-deployment",
        ),
        ("work-pools".to_owned(), "seen-pool"),
        ("work-pools/work-pool/seen-pool".to_owned(), "seen-pool"),
        ("automations".to_owned(), "seen-automation"),
        ("variables".to_owned(), "seen_variable"),
        ("concurrency-limits".to_owned(), "seen-limit"),
        ("artifacts".to_owned(), "seen-artifact"),
        ("events".to_owned(), "seen.happened"),
        ("blocks".to_owned(), "block"),
        ("settings".to_owned(), "ettings"),
    ];
    let of_v1 = [
        ("dashboard".to_owned(), "seen-pool"),
        ("runs".to_owned(), "seen-run"),
        (format!("runs/flow-run/{run}"), "seen-line"),
        ("deployments".to_owned(), "seen-deployment"),
        ("work-pools".to_owned(), "seen-pool"),
        ("automations".to_owned(), "seen-automation"),
        ("events".to_owned(), "seen.happened"),
    ];
    let all = [("v2/", of_v2.as_slice()), ("", of_v1.as_slice())];
    for (version, pages) in all {
        for (path, shows) in pages {
            shown(&browser, &daemon, &format!("/ui/{version}{path}"), shows);
        }
    }
}

/// Waits until a page shows that, and looks at what the console was told.
fn shown(browser: &Driver, daemon: &TestDaemon, path: &str, shows: &str) {
    browser.go(&format!("{}{path}", daemon.url()));
    let body = "return document.body.innerText";
    let mut text = String::new();
    let is_shown = (0..PATIENCE).any(|_| {
        std::thread::sleep(LOOK);
        browser
            .run(body)
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut text);
        text.contains(shows)
    });
    assert!(is_shown, "{path} does not show {shows}: {text}");
    let name = path.trim_matches('/').replace('/', "-");
    browser.keep(&name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ""));
    let complaints = browser.complaints().into_iter();
    let errors: Vec<_> = complaints.filter(|it| it.contains("SEVERE")).collect();
    assert_eq!(errors, Vec::<String>::new(), "{path}");
}
