//! `prefectctl` on deployments: creating them, and running them with parameters, now or later.

use serde_json::{Value, json};

use super::support::TestDaemon;
#[cfg(feature = "client")]
use super::support::words::ctl;
use super::support::words::{json_of, refused, said};

fn runner() -> Value {
    json!({ "type": "subprocess", "config": {} })
}

/// A daemon with `etl/nightly`, whose script is nowhere.
fn with_deployment() -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    http.deployment(&http.flow("etl"), "nightly", &runner());
    daemon
}

#[test]
fn a_deployment_that_is_named_without_its_flow_is_told_in_full() {
    let daemon = with_deployment();
    let told = refused(&daemon, &["deployment", "run", "nightly"], 2);
    assert!(told.contains("is \"etl/nightly\" meant?"), "{told}");
    let told = refused(&daemon, &["deployment", "run", "weekly"], 2);
    assert!(told.contains("deployment ls"), "{told}");
}

#[test]
fn times_are_written_in_many_ways() {
    let daemon = with_deployment();
    let due = |at: &str| {
        let words = ["deployment", "run", "etl/nightly", "--at", at, "-o", "json"];
        let mut command = daemon.ctl();
        let output = command
            .env("TZ", "Europe/Berlin")
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{at}");
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        run["next_scheduled_start_time"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(due("2100-01-01"), "2099-12-31T23:00:00.000000Z");
    assert_eq!(due("2100-07-01T06:00"), "2100-07-01T04:00:00.000000Z");
    assert_eq!(due("2100-07-01 06:00:00Z"), "2100-07-01T06:00:00.000000Z");
    for at in ["tomorrow", "tomorrow 06:00", "+10m", "06:00", "now"] {
        due(at);
    }
    let told = refused(
        &daemon,
        &["deployment", "run", "etl/nightly", "--at", "soon"],
        2,
    );
    assert!(told.contains("tomorrow") && told.contains("+10m"), "{told}");
}

#[cfg(feature = "client")]
#[test]
fn a_file_in_the_working_directory_is_deployed() {
    use super::support::flows::{file, venv};
    let daemon = TestDaemon::without_agent();
    let folder = file("specification.yaml").parent().unwrap().to_owned();
    let mut command = daemon.ctl();
    let output = command
        .current_dir(folder)
        .args(["deployment", "create", "specification.yaml", "--python"])
        .arg(venv().join("bin/python"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && !told.contains("Traceback"),
        "{told}"
    );
}

#[test]
fn a_parameter_that_is_all_but_one_used_before_is_told_where_there_is_no_script() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl");
    http.deployment(&flow, "nightly", &runner());
    let earlier = json!({ "flow_id": flow, "parameters": { "name": "Ada" } });
    let earlier = http.post("/flow_runs/", &earlier).expect(201);
    let ended = json!({ "state": { "type": "COMPLETED" }, "force": true });
    let path = format!("/flow_runs/{}/set_state", earlier["id"].as_str().unwrap());
    http.post(&path, &ended).expect(201);
    let run = ["deployment", "run", "etl/nightly", "-p"];
    let told = refused(&daemon, &[&run[..], &["nmae=Ada"]].concat(), 2);
    assert!(told.contains("did you mean name?"), "{told}");
    said(&daemon, &[&run[..], &["nmae=Ada", "--unchecked"]].concat());
    for new in ["name=Ada", "greeting=Hello"] {
        said(&daemon, &[&run[..], &[new]].concat());
    }
}

#[test]
fn parameters_that_a_schema_does_not_have_are_told_before_the_run_is_made() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("modern");
    let body = json!({
        "name": "d", "flow_id": flow, "enforce_parameter_schema": true,
        "parameter_openapi_schema": {
            "title": "Parameters", "type": "object",
            "properties": { "name": { "type": "string" }, "count": { "type": "integer" } },
        },
    });
    http.post("/v3/deployments/", &body).expect(201);
    let runs = || http.post("/v3/flow_runs/count", &json!({})).expect(200);
    let run = ["deployment", "run", "modern/d", "-p"];
    let told = refused(&daemon, &[&run[..], &["nmae=Ada"]].concat(), 2);
    assert!(told.contains("does not take nmae"), "{told}");
    assert!(told.contains("name, count"), "{told}");
    // What a parameter has to be, the daemon says.
    let told = refused(&daemon, &[&run[..], &["count=many"]].concat(), 1);
    assert!(
        told.contains("field 'count'") && told.contains("many"),
        "{told}"
    );
    assert_eq!(runs(), 0);
    said(&daemon, &[&run[..], &["count=3"]].concat());
    said(&daemon, &[&run[..], &["nmae=Ada", "--unchecked"]].concat());
    assert_eq!(runs(), 2);
}

/// The words of a command on schedules.
fn schedule<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [&["deployment", "schedule"], words].concat()
}

#[test]
fn schedules_are_switched_off_and_on_each_by_itself() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let scheduled = |slug: &str, cron: &str| json!({ "slug": slug, "active": true, "schedule": { "cron": cron, "timezone": "UTC" } });
    let schedules = [
        scheduled("nightly", "0 3 * * *"),
        scheduled("weekly", "0 3 * * 1"),
    ];
    let body = json!({ "name": "d", "flow_id": http.flow("modern"), "schedules": schedules });
    http.post("/v3/deployments/", &body).expect(201);
    let active = || {
        let told = json_of(&daemon, &schedule(&["ls", "modern/d"]));
        let told = told.as_array().unwrap().iter();
        let mut told: Vec<_> = told
            .map(|it| {
                (
                    it["slug"].as_str().unwrap().to_owned(),
                    it["active"] == true,
                )
            })
            .collect();
        told.sort();
        told
    };
    let both = |nightly, weekly| {
        vec![
            ("nightly".to_owned(), nightly),
            ("weekly".to_owned(), weekly),
        ]
    };
    assert_eq!(active(), both(true, true));
    let told = said(&daemon, &schedule(&["pause", "modern/d", "nightly"]));
    assert_eq!(told, "The schedule 0 3 * * * UTC of modern/d is paused\n");
    assert_eq!(active(), both(false, true));
    let told = refused(&daemon, &schedule(&["pause", "modern/d"]), 2);
    assert!(told.contains("which schedule is meant: "), "{told}");
    let told = refused(&daemon, &schedule(&["pause", "modern/d", "daily"]), 1);
    assert!(told.contains("no schedule \"daily\""), "{told}");
    let told = json_of(&daemon, &schedule(&["resume", "modern/d", "nightly"]));
    assert_eq!(told["active"], true);
    assert_eq!(active(), both(true, true));
    // That of a deployment that has one need not be named.
    let one = json!({
        "name": "one", "flow_id": http.flow("modern"),
        "schedules": [scheduled("only", "0 3 * * *")],
    });
    http.post("/v3/deployments/", &one).expect(201);
    said(&daemon, &schedule(&["pause", "modern/one"]));
    let listed = said(&daemon, &schedule(&["ls", "modern/one"]));
    assert!(
        listed.contains("only") && listed.contains(" no "),
        "{listed}"
    );
    said(&daemon, &schedule(&["resume", "modern/one"]));
}

#[test]
fn a_run_is_made_with_job_variables_of_its_own() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let pool = json!({ "name": "p", "type": "docker" });
    http.post("/v3/work_pools/", &pool).expect(201);
    let body = json!({
        "name": "d", "flow_id": http.flow("modern"), "work_pool_name": "p",
        "job_variables": { "image": "of/deployment:1" },
    });
    http.post("/v3/deployments/", &body).expect(201);
    let run = ["deployment", "run", "modern/d", "--job-variable"];
    let more = ["image=of/run:3", "--job-variable", "env={\"A\":\"1\"}"];
    let told = json_of(&daemon, &[&run[..], &more].concat());
    let own = json!({ "image": "of/run:3", "env": { "A": "1" } });
    assert_eq!(told["job_variables"], own);
    let id = told["id"].as_str().unwrap();
    let stored = http.get(&format!("/v3/flow_runs/{id}")).expect(200);
    assert_eq!(stored["job_variables"], own);
    let told = refused(&daemon, &[&run[..], &["image"]].concat(), 2);
    assert!(told.contains("KEY=VALUE"), "{told}");
}

#[cfg(feature = "client")]
#[test]
fn parameters_that_the_flow_does_not_take_are_told_before_the_run_is_made() {
    use super::support::flows::deploy;
    let daemon = TestDaemon::without_agent();
    deploy(&daemon, "cases.py", &runner());
    let runs = || {
        daemon
            .http()
            .post("/v3/flow_runs/count", &json!({}))
            .expect(200)
    };
    let run =
        |flow: &str, more: &[&str]| ctl(&daemon, &[&["deployment", "run", flow], more].concat());
    let refused = run("parameters/test", &["-p", "nmae=Ada", "-p", "number=3"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("does not take nmae") && told.contains("name, number, mark"),
        "{told}"
    );
    assert_eq!(runs(), 0);
    assert!(run("parameters/test", &["-p", "name=Ada"]).status.success());
    assert!(
        run("parameters/test", &["-p", "nmae=Ada", "--unchecked"])
            .status
            .success()
    );
    assert_eq!(runs(), 2);
}

#[test]
fn what_runs_in_a_pool_is_shown_with_its_queue_its_variables_and_its_code() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "process", "base_job_template": {} });
    http.post("/work_pools/", &pool).expect(201);
    let flow = http.flow("f");
    for (name, place) in [
        (
            "pooled",
            json!({ "work_pool_name": "p", "job_variables": { "working_dir": "/srv" },
                    "description": "Every hour.", "concurrency_limit": 2 }),
        ),
        ("served", json!({ "path": "." })),
    ] {
        let mut new = json!({ "name": name, "flow_id": flow, "entrypoint": "f.py:f" });
        let fields = new.as_object_mut().unwrap();
        fields.extend(place.as_object().unwrap().clone());
        http.post("/deployments/", &new).expect(201);
    }
    let listed = said(&daemon, &["deployment", "ls"]);
    for words in ["pool p", "serve()"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let shown = said(&daemon, &["deployment", "inspect", "f/pooled"]);
    for words in [
        "pool p, queue default",
        "working_dir: /srv",
        "Every hour.",
        "2 at once (0 now), further ones wait",
        "f.py:f",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let shown = said(&daemon, &["deployment", "inspect", "f/served"]);
    assert!(shown.contains("f.py:f in ."), "{shown}");
}
