//! The daemon and its relay are killed again and again while many runs are under way.

#![cfg(feature = "docker")]

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use serde_json::json;

use super::docker::Marked;
use super::relay_killed::relays;
use super::support::flows::{deploy, run};
use super::support::{Options, TestDaemon};

/// How many runs, unless `PREFECTD_STORM_RUNS` says otherwise.
const RUNS: usize = 40;
/// How long the daemon lives each time.
const LIFE: Duration = Duration::from_secs(3);
/// How long a run may take on average. Generous: other tests run beside this one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Kills the relay, whose connections the daemon has.
fn kill_relay(daemon: &TestDaemon) {
    for relay in relays(daemon) {
        kill(relay, Signal::SIGKILL).unwrap();
    }
}

#[test]
fn forty_runs_complete_once_each_though_daemon_and_relay_are_killed_every_three_seconds() {
    let runs = std::env::var("PREFECTD_STORM_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let slots = || vec![("PREFECTD_AGENT__SLOTS", "8".to_owned())];
    let mut daemon = TestDaemon::with(Options {
        env: slots(),
        ..Options::default()
    });
    super::docker::await_bridge(&daemon);
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let begun: Vec<_> = (0..runs)
        .map(|place| {
            run(
                &daemon,
                "plain",
                &json!({ "mark": format!("/marks/{place}") }),
            )
        })
        .collect();
    let start = Instant::now();
    let mut kills = 0;
    loop {
        std::thread::sleep(LIFE / 2);
        kill_relay(&daemon);
        std::thread::sleep(LIFE / 2);
        let counted = json!({ "flow_runs": { "state": { "type": {
            "any_": ["SCHEDULED", "PENDING", "RUNNING"]
        } } } });
        let left = daemon.http().post("/flow_runs/count", &counted).expect(200);
        if left == 0 {
            break;
        }
        let limit = PATIENCE * u32::try_from(runs).unwrap();
        assert!(start.elapsed() < limit, "{left} runs are left");
        daemon.kill();
        daemon.restart(slots());
        kills += 1;
    }
    assert!(kills >= 3, "only {kills} kills: too few to say anything");
    for (place, id) in begun.iter().enumerate() {
        let ended = daemon.http().run(id);
        assert_eq!(
            ended["state_name"],
            "Completed",
            "run {place}: {} {:?} {:?}",
            ended["state"]["message"],
            daemon.http().states(id),
            marked.lines(&place.to_string())
        );
        assert_eq!(marked.lines(&place.to_string()), ["plain"], "run {place}");
        assert_eq!(ended["run_count"], 1, "run {place}");
    }
    eprintln!("{runs} runs, {kills} kills, {:?}", start.elapsed());
}
