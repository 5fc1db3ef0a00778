//! Automations of the real client.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::super::modern::{Place, told};
use super::super::support::flows::file;
use super::super::support::{TestDaemon, wait_for};

#[track_caller]
fn done(command: &mut Command) -> String {
    let output: Output = command.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

fn script(place: &Place, daemon: &TestDaemon, what: &str) -> String {
    done(
        place
            .program(daemon, "python")
            .arg(file("automated.py"))
            .arg(what),
    )
}

fn prefect(place: &Place, daemon: &TestDaemon, words: &[&str]) -> String {
    done(
        place
            .program(daemon, "prefect")
            .arg("automation")
            .args(words),
    )
}

fn all(daemon: &TestDaemon) -> Value {
    daemon
        .modern()
        .post("/automations/filter", &json!({}))
        .expect(200)
}

#[test]
fn automations_are_made_and_looked_after() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    script(&place, &daemon, "create");
    assert_eq!(all(&daemon)[0]["name"], "one");
    let prefect = |words: &[&str]| prefect(&place, &daemon, words);
    let listed = prefect(&["ls"]);
    assert!(listed.contains("one") && listed.contains("two"), "{listed}");
    let shown = prefect(&["inspect", "one", "--json"]);
    assert!(shown.contains("somebody.*"), "{shown}");
    prefect(&["pause", "one"]);
    assert_eq!(all(&daemon)[0]["enabled"], false);
    prefect(&["resume", "one"]);
    assert_eq!(all(&daemon)[0]["enabled"], true);
    let ctl = |words: &[&str]| done(daemon.ctl().args(words));
    let listed = ctl(&["automation", "ls"]);
    assert!(
        listed.contains("asked") && listed.contains("do-nothing"),
        "{listed}"
    );
    ctl(&["automation", "pause", "two"]);
    assert_eq!(all(&daemon)[1]["enabled"], false);
    ctl(&["automation", "resume", "two"]);
    let shown = ctl(&["automation", "inspect", "two"]);
    assert!(shown.contains("asked and asked"), "{shown}");
    let events = ctl(&["event", "ls", "--name", "prefect.automation."]);
    assert!(events.contains("prefect.automation.updated"), "{events}");
    prefect(&["delete", "one"]);
    assert_eq!(all(&daemon).as_array().unwrap().len(), 1);
}

#[test]
fn a_deployment_s_triggers_run_it() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    script(&place, &daemon, "deploy");
    let made = all(&daemon);
    assert_eq!(made.as_array().unwrap().len(), 1, "{made}");
    script(&place, &daemon, "tell");
    let runs = wait_for("the run", || {
        let runs = daemon
            .modern()
            .post("/flow_runs/filter", &json!({}))
            .expect(200);
        (runs.as_array().unwrap().len() == 1).then_some(runs)
    });
    assert_eq!(
        runs[0]["parameters"],
        json!({ "n": 7, "who": "somebody.else" })
    );
    assert_eq!(runs[0]["state"]["type"], "SCHEDULED");
}
