//! `prefectctl work-pool`.

use serde_json::json;

use super::support::TestDaemon;
use super::support::words::{ctl, json_of, said};

#[test]
fn pools_are_created_listed_shown_paused_and_resumed() {
    let daemon = TestDaemon::with_agent_without_bridge();
    assert_eq!(
        said(&daemon, &["work-pool", "ls"]),
        "There are no work pools; `prefectctl work-pool create` makes one.\n"
    );
    let create = [
        "work-pool",
        "create",
        "my pool",
        "--type",
        "process",
        "--limit",
        "4",
    ];
    assert_eq!(said(&daemon, &create), "Created the work pool my pool\n");
    let pool = json_of(&daemon, &["work-pool", "inspect", "my pool"]);
    assert_eq!(pool["concurrency_limit"], 4);
    assert_eq!(pool["queues"][0]["name"], "default");
    let variables = &pool["base_job_template"]["variables"]["properties"];
    assert!(
        variables.get("working_dir").is_some(),
        "as Prefect has it: {variables}"
    );
    // The daemon's own agent serves it.
    let served = json_of(&daemon, &["work-pool", "ls"]);
    assert_eq!(served[0]["workers"][0]["status"], "ONLINE", "{served}");
    let host = served[0]["workers"][0]["name"].as_str().unwrap();
    let listed = said(&daemon, &["work-pool", "ls"]);
    for words in ["my pool", "process", "ready", "0 of 4", host] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    for (verb, words, is_paused) in [
        ("pause", "The work pool my pool is paused\n", true),
        (
            "resume",
            "The runs of the work pool my pool are handed out\n",
            false,
        ),
    ] {
        assert_eq!(said(&daemon, &["work-pool", verb, "my pool"]), words);
        let pool = json_of(&daemon, &["work-pool", "inspect", "my pool"]);
        assert_eq!(pool["is_paused"], json!(is_paused));
    }
    let shown = said(&daemon, &["work-pool", "inspect", "my pool"]);
    for words in ["type", "process", "default", "0 of 4"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn what_is_asked_wrongly_is_told_in_a_line() {
    let daemon = TestDaemon::without_agent();
    for (words, code, told) in [
        (vec!["inspect", "absent"], 1, "absent"),
        (vec!["pause", "absent"], 1, "absent"),
        (vec!["create", "p", "--type", "odd"], 2, "--template"),
        (
            vec!["create", "p", "--template", "/absent.json"],
            2,
            "/absent.json cannot be read",
        ),
        (vec!["create", "Prefect-p"], 1, "reserved"),
    ] {
        let words = [&["work-pool"], words.as_slice()].concat();
        let output = ctl(&daemon, &words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
        assert!(error.contains(told), "{words:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
