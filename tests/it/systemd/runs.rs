//! Runs on the machine: their story in the journal, and their way to the API.

use serde_json::{Value, json};

use super::checks::{API, SOCKET, entries};
use super::machine::Machine;
use super::package::Packages;
use crate::support::wait_for;

/// What stands for Python: a run that says it runs, waits for a file, and says it is done.
pub const ENGINE: &str = r#"#!/bin/sh
set -eu
[ -z "${NOTIFY_SOCKET:-}${LISTEN_FDS:-}${WATCHDOG_USEC:-}" ]
run=$3
enter() {
  curl -fsS -A python-httpx/0 -H 'content-type: application/json' -o /dev/null \
    -d "{\"state\": {\"type\": \"$1\"}}" "${PREFECT_ORION_HOST}flow_runs/$run/set_state"
}
enter RUNNING
echo "a line of run $run"
touch "/tmp/$run"
while [ ! -e "/var/lib/prefectd/go" ]; do sleep 0.1; done
ls "/tmp/$run"
enter COMPLETED
"#;

/// Sends JSON to the API over the socket and answers its answer.
fn post(machine: &Machine, path: &str, body: &Value) -> Value {
    let told = machine.ok(&[
        "curl",
        "-fsS",
        "--unix-socket",
        SOCKET,
        "-H",
        "content-type: application/json",
        "-A",
        "python-httpx/0",
        "-d",
        &body.to_string(),
        &format!("http://prefectd/api{path}"),
    ]);
    serde_json::from_str(&told).unwrap()
}

/// Starts a run of a deployment and waits until it runs.
pub fn begin_run(machine: &Machine) -> String {
    wait_for("the place where runs reach the API", || {
        let asked = machine.run(&["curl", "-fsS", "http://127.0.0.2:4200/api/health"]);
        asked.status.success().then_some(())
    });
    let flow = post(machine, "/flows/", &json!({ "name": "my-flow" }));
    let deployment = json!({
        "flow_id": flow["id"],
        "name": "example",
        "flow_data": { "encoding": "x", "blob": "y" },
        "flow_runner": { "type": "subprocess", "config": { "stream_output": true } },
    });
    post(machine, "/deployments/", &deployment);
    let told = machine.ok(&[
        "prefectctl",
        "deployment",
        "run",
        "my-flow/example",
        "--output",
        "json",
    ]);
    let run: Value = serde_json::from_str(&told).unwrap();
    let id = run["id"].as_str().unwrap().to_owned();
    wait_for("the run to be running", || {
        (state(machine, &id) == "RUNNING").then_some(())
    });
    id
}

pub fn state(machine: &Machine, run: &str) -> String {
    let told = machine.ok(&["prefectctl", "flow-run", "inspect", run, "--output", "json"]);
    let run: Value = serde_json::from_str(&told).unwrap();
    run["state_type"].as_str().unwrap().to_owned()
}

pub fn let_runs_end(machine: &Machine) {
    machine.write("/var/lib/prefectd/go", "");
}

pub fn hold_runs(machine: &Machine) {
    machine.shell("rm -f /var/lib/prefectd/go");
}

pub fn await_completion(machine: &Machine, run: &str) {
    wait_for("the run to complete", || {
        let state = state(machine, run);
        assert!(
            !["CRASHED", "FAILED"].contains(&state.as_str()),
            "the run is {state}"
        );
        (state == "COMPLETED").then_some(())
    });
}

pub fn a_run_s_story_is_in_the_journal(machine: &Machine, _: &Packages) {
    let_runs_end(machine);
    let run = begin_run_to_its_end(machine);
    let story = wait_for("the end of the run's story", || {
        let story = entries(machine, &format!("PREFECT_FLOW_RUN_ID={run}"));
        let last = story.last()?["MESSAGE"].as_str()?.ends_with("is over");
        last.then_some(story)
    });
    let told: Vec<_> = story
        .iter()
        .map(|entry| entry["MESSAGE"].as_str().unwrap())
        .collect();
    for word in ["Submitting flow run", "Started process", "| a line of run"] {
        assert!(
            told.iter().any(|line| line.contains(word)),
            "{word}: {told:?}"
        );
    }
    for entry in &story {
        assert_eq!(entry["PREFECT_DEPLOYMENT"], "my-flow/example");
        assert!(entry["PREFECT_FLOW_RUN_NAME"].is_string());
        assert_eq!(entry["SYSLOG_IDENTIFIER"], "prefectd");
        assert_eq!(entry["_TRANSPORT"], "journal");
    }
    let asked = [
        "PREFECT_DEPLOYMENT=my-flow/example",
        "MESSAGE_ID=c361b675375848cfa0c48da77c9273e8",
    ];
    assert!(
        asked
            .iter()
            .all(|field| !entries(machine, field).is_empty())
    );
    // Nothing is told twice, once as a field and once on standard error.
    let streamed = entries(machine, "_SYSTEMD_UNIT=prefectd.service");
    let streamed = streamed
        .iter()
        .filter(|entry| entry["_TRANSPORT"] == "stdout");
    assert_eq!(streamed.count(), 0);
}

fn begin_run_to_its_end(machine: &Machine) -> String {
    hold_runs(machine);
    let run = begin_run(machine);
    let_runs_end(machine);
    await_completion(machine, &run);
    run
}

/// The sandbox lets the relay do all that it does: listen, keep requests, carry large ones.
pub fn runs_reach_the_api_by_the_relay(machine: &Machine, _: &Packages) {
    let relayed = API.replace("127.0.0.1", "127.0.0.2");
    hold_runs(machine);
    let run = begin_run(machine);
    let asks = format!("curl -fsS --max-time 20 {relayed}/ready");
    machine.shell(&asks);
    machine.shell("head -c 20000000 /dev/zero | tr '\\0' d | sed 's/.*/\"&\"/' >/tmp/large");
    let url = format!("{relayed}/data/persist");
    let large = format!(
        "curl -fsS --max-time 60 -A python-httpx/0 -H 'content-type: application/json' \
         -o /dev/null --data-binary @/tmp/large {url}"
    );
    machine.shell(&large);
    // What comes while there is no daemon waits for the next one.
    machine.shell(&format!(
        "systemctl restart --no-block prefectd.service; {asks}; {large}; rm /tmp/large"
    ));
    let_runs_end(machine);
    await_completion(machine, &run);
    let told = machine.ok(&["journalctl", "--no-pager", "--unit=prefectd.service"]);
    assert!(!told.contains("Operation not permitted"), "{told}");
    // These checks start it more often in a minute than anybody would.
    machine.ok(&["systemctl", "reset-failed", "prefectd.service"]);
}
