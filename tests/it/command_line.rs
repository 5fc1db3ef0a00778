//! Pools, queues and variables by the command line of today's client, the real 3.9.1. What it
//! prints is what it printed on the real server.

#![cfg(feature = "client")]

use super::modern::{Place, is_content, told};
use super::support::TestDaemon;

/// Carries out each command, and finds the words in what it prints.
fn says(daemon: &TestDaemon, place: &Place, all: &[(&str, &[&str])]) {
    for (command, expected) in all {
        let output = place
            .program(daemon, "prefect")
            .arg("--no-prompt")
            .args(command.split(' '))
            .env("PREFECT_LOGGING_LEVEL", "DEBUG")
            .output()
            .unwrap();
        let shown = told(&output);
        assert!(output.status.success(), "{command}: {shown}");
        is_content(daemon, &output);
        for words in *expected {
            assert!(shown.contains(words), "{command}: {words}: {shown}");
        }
    }
}

#[test]
fn pools_and_their_queues() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let nothing = "No runs found - try increasing how far into the future";
    says(
        &daemon,
        &place,
        &[
            (
                "work-pool create cp --type process",
                &["Created work pool 'cp'!", "Status: Not ready"],
            ),
            (
                "work-pool update cp --description new --concurrency-limit 3",
                &["Updated work pool 'cp'"],
            ),
            (
                "work-pool inspect cp",
                &[
                    "description='new'",
                    "concurrency_limit=3",
                    "{{ working_dir }}",
                ],
            ),
            ("work-pool ls", &["│ cp   │ process │", "│ 3 "]),
            ("work-pool preview cp", &[nothing]),
            (
                "work-pool set-concurrency-limit cp 5",
                &["Set concurrency limit for work pool 'cp' to 5"],
            ),
            (
                "work-pool clear-concurrency-limit cp",
                &["Cleared concurrency limit for work pool 'cp'"],
            ),
            ("work-pool pause cp", &["Paused work pool 'cp'"]),
            ("work-pool ls", &["cp (**)"]),
            ("work-pool resume cp", &["Resumed work pool 'cp'"]),
            (
                "work-queue create q --pool cp --limit 2 --priority 1",
                &["name - 'q'", "concurrency limit - 2"],
            ),
            (
                "work-queue inspect q --pool cp",
                &[
                    "status=WorkQueueStatus.NOT_READY",
                    "active_slots=0",
                    "healthy=False",
                ],
            ),
            (
                "work-queue ls --pool cp",
                &["│ q       │ 1 ", "│ default │ 2        │ None"],
            ),
            (
                "work-queue set-concurrency-limit q 4 --pool cp",
                &["Concurrency limit of 4 set on work queue 'q'"],
            ),
            (
                "work-queue clear-concurrency-limit q --pool cp",
                &["Concurrency limits removed on work queue 'q'"],
            ),
            (
                "work-queue pause q --pool cp",
                &["Work queue 'q' in work pool 'cp' paused"],
            ),
            (
                "work-queue resume q --pool cp",
                &["Work queue 'q' in work pool 'cp' resumed"],
            ),
            ("work-queue preview q --pool cp", &[nothing]),
            (
                "work-queue read-runs q --pool cp",
                &["Read 0 runs for work queue 'q'"],
            ),
            (
                "work-queue delete q --pool cp",
                &["Successfully deleted work queue 'q'"],
            ),
            ("work-pool delete cp", &["Deleted work pool 'cp'"]),
        ],
    );
    // The client has this one's template itself, and asks nobody.
    let mut template = place.program(&daemon, "prefect");
    let template = template.args([
        "work-pool",
        "get-default-base-job-template",
        "--type",
        "process",
    ]);
    let template = template.output().unwrap();
    assert!(template.status.success(), "{}", told(&template));
    assert!(told(&template).contains("\"{{ stream_output }}\""));
    let mut gone = place.program(&daemon, "prefect");
    let gone = gone.args(["work-pool", "inspect", "cp"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(1));
    assert!(told(&gone).contains("Work pool 'cp' not found!"));
}

#[test]
fn variables() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    says(
        &daemon,
        &place,
        &[
            ("variable set v 1 --tag t", &["Set variable 'v'."]),
            (
                "variable set v {\"a\":2} --overwrite",
                &["Set variable 'v'."],
            ),
            ("variable get v", &["{\"a\": 2}"]),
            ("variable inspect v", &["value={'a': 2}", "name='v'"]),
            ("variable ls", &["│ v    │ {\"a\": 2} │"]),
            ("variable unset v", &["Unset variable 'v'."]),
        ],
    );
}

#[test]
fn a_template_that_is_none_is_refused() {
    use serde_json::json;

    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let broken = json!({ "job_configuration": { "image": "{{ image }}" }, "variables": {
        "type": "object", "properties": { "name": { "type": "string" } } } });
    let pool = |template: &serde_json::Value| json!({ "name": "p", "type": "docker", "base_job_template": template });
    http.post("/work_pools/", &pool(&broken)).expect(422);
    http.post("/work_pools/", &pool(&json!({ "variables": {} })))
        .expect(422);
    http.post("/work_pools/", &pool(&json!({}))).expect(201);
    let change = json!({ "base_job_template": broken });
    http.patch("/work_pools/p", &change).expect(422);
    assert_eq!(
        http.get("/work_pools/p").expect(200)["base_job_template"],
        json!({})
    );
}
