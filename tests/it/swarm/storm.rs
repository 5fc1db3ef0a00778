//! Many runs on many nodes, of which one is lost, under a daemon that is killed again and again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::{Cluster, deploy};
use super::told;
use crate::docker::Marked;
use crate::support::TestDaemon;
use crate::support::flows::run;

/// How long the daemon lives each time.
const LIFE: Duration = Duration::from_secs(3);
/// How long a run may take on average. Generous: other tests run beside this one.
const PATIENCE: Duration = Duration::from_secs(30);
/// The node that is lost.
const LOST: usize = 3;

/// How many runs.
const RUNS: usize = 60;
/// How many of them have ended when a node is lost.
const BEFORE: usize = 15;

/// The runs that have not ended.
fn left(daemon: &TestDaemon) -> usize {
    let counted = json!({ "flow_runs": { "state": { "type": {
        "any_": ["SCHEDULED", "PENDING", "RUNNING", "CANCELLING"]
    } } } });
    let left = daemon.http().post("/v3/flow_runs/count", &counted);
    usize::try_from(left.expect(200).as_u64().unwrap()).unwrap()
}

#[test]
fn of_many_runs_only_those_of_a_lost_node_crash_and_none_is_executed_twice() {
    let cluster = Cluster::up(LOST);
    let marked = Marked::new();
    let env = || {
        let mut env = cluster.env("swarm", &[marked.path()]);
        env.push(("PREFECTD_AGENT__SLOTS", "9".to_owned()));
        env
    };
    let mut daemon = cluster.daemon_with(env());
    deploy(&daemon, &marked, json!({}));
    let begun: Vec<_> = (0..RUNS)
        .map(|place| {
            let parameters = json!({ "mark": format!("/marks/{place}"), "seconds": 4 });
            run(&daemon, "sleeper", &parameters)
        })
        .collect();
    let start = Instant::now();
    let mut is_lost = false;
    loop {
        std::thread::sleep(LIFE);
        let left = left(&daemon);
        if left == 0 {
            break;
        }
        let limit = PATIENCE * u32::try_from(RUNS).unwrap();
        assert!(start.elapsed() < limit, "{left} runs are left");
        daemon.kill();
        if !is_lost && RUNS - left >= BEFORE && cluster.running(LOST) > 0 {
            cluster.nodes(&["kill"], &[&LOST.to_string()]);
            is_lost = true;
        }
        daemon.restart(env());
    }
    assert!(is_lost, "no node was lost while something ran there");
    let ends = begun.iter().enumerate().map(|(place, id)| {
        let ended = daemon.http().run(id);
        let marks = marked.lines(&place.to_string());
        judge(&cluster, &ended, &marks)
    });
    let crashed = ends.filter(|end| *end == "Crashed").count();
    assert!(crashed > 0, "something ran on the lost node");
}

/// The name of the state in which a run has ended, as it may have.
#[track_caller]
fn judge(cluster: &Cluster, ended: &Value, marks: &[String]) -> String {
    let name = ended["state_name"].as_str().unwrap();
    match name {
        "Completed" => assert_eq!(marks, ["started", "ended"], "{ended}"),
        "Crashed" => {
            assert!(told(ended).contains("prefsw-node3"), "{ended}");
            assert!(marks.len() <= 1, "{ended} {marks:?}");
            let task = cluster.task(ended["id"].as_str().unwrap());
            let node = cluster.node_name(task["NodeID"].as_str().unwrap());
            assert_eq!(node, "prefsw-node3");
        }
        _ => panic!("{ended}"),
    }
    name.to_owned()
}
