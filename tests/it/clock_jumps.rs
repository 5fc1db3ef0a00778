//! A clock that somebody sets while the daemon runs.

use std::path::Path;

use serde_json::{Value, json};

use super::support::shim::Shim;
use super::support::{Http, Options, TestDaemon, interpreter, wait_for};

const HOUR: i64 = 3600;

/// With its agent, which looks by itself hardly ever, by that clock.
fn with_agent(shim: &Shim, dir: &Path, script: &str) -> TestDaemon {
    let mut env = shim.env();
    env.push(("PREFECTD_RUNNERS__PYTHON", interpreter(dir, script)));
    env.push(("PREFECTD_AGENT__SLOTS", "100".to_owned()));
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env,
        ..Options::default()
    })
}

/// The runs of a state, by what they are due.
fn runs(http: &Http, state: &str) -> Vec<Value> {
    let filter = json!({
        "sort": "EXPECTED_START_TIME_ASC",
        "flow_runs": { "state": { "type": { "any_": [state] } } },
    });
    let runs = http.post("/v3/flow_runs/filter", &filter).expect(200);
    runs.as_array().unwrap().clone()
}

/// A minute of every hour that is not now.
fn half_an_hour_from_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    (since.unwrap().as_secs() / 60 + 30) % 60
}

fn printed(daemon: &TestDaemon, shim: &Shim, words: &[&str]) -> Value {
    let mut ctl = daemon.ctl();
    let output = ctl
        .envs(shim.env())
        .args(["-o", "json"])
        .args(words)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_cron_deployment_shows_its_next_date_and_is_filled_up() {
    let shim = Shim::build();
    let dir = tempfile::tempdir().unwrap();
    let daemon = with_agent(&shim, dir.path(), "exit 0");
    let http = daemon.http();
    let body = json!({
        "flow_id": http.flow("f"),
        "name": "d",
        "flow_data": { "encoding": "x", "blob": "y" },
        "flow_runner": { "type": "subprocess" },
        "schedule": { "cron": format!("{} * * * *", half_an_hour_from_now()), "timezone": "UTC" },
    });
    http.post("/deployments/", &body).expect(201);
    let mut ahead = 0;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let to_come = wait_for("a hundred runs to come", || {
            let runs = runs(&http, "SCHEDULED");
            (runs.len() == 100).then_some(runs)
        });
        let first = to_come[0]["next_scheduled_start_time"].clone();
        let told = printed(&daemon, &shim, &["deployment", "inspect", "f/d"]);
        assert_eq!(told["next_date"], first);
        let listed = printed(&daemon, &shim, &["deployment", "ls"]);
        assert_eq!(listed[0]["next_run"]["at"], first);
        seen.push(first.as_str().unwrap().to_owned());
        // More than half of them are used up.
        ahead += 60 * HOUR;
        shim.set_ahead(ahead);
        wait_for("the runs to be used up", || {
            (runs(&http, "CRASHED").len() >= 60 * seen.len()).then_some(())
        });
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen, sorted);
}

#[cfg(feature = "client")]
#[test]
fn a_clock_that_is_set_ends_no_run_of_an_agent() {
    use super::support::TestAgent;
    use super::support::flows::{deploy, run, venv};
    let (shim, elsewhere) = (Shim::build(), Shim::build());
    let mut env = shim.env();
    env.push(("PREFECTD_SERVER__AGENT_LEASE_SECS", "3".to_owned()));
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env,
        ..Options::default()
    });
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "cases.py", &runner);
    let agent = TestAgent::start_with_env(elsewhere.env(), &daemon.url(), "it", 1);
    let http = daemon.http();
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "sleeper", &json!({ "mark": mark, "seconds": 20 }));
    wait_for("the flow to start", || mark.exists().then_some(()));
    let reported = || http.get("/v3/prefectd/agents").expect(200)[0]["last_seen"].clone();
    // The agent's clock first, then the daemon's: forwards, back behind where it was, and so on.
    for ahead in [0, 24, -24, 10_000, -10_000, 0] {
        elsewhere.set_ahead(-ahead * HOUR);
        shim.set_ahead(ahead * HOUR);
        for _ in 0..2 {
            let before = reported();
            assert_ne!(before, Value::Null, "the agent is gone: {}", agent.log());
            wait_for("the agent to report", || {
                (reported() != before).then_some(())
            });
        }
    }
    let ended = http.ended(&id);
    assert_eq!(
        ended["state_name"], "Completed",
        "{}",
        ended["state"]["message"]
    );
    assert_eq!(ended["run_count"], 1);
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "started\nended\n");
    drop(agent);
}
