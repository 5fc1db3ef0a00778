//! Nodes that die, are cut off and come back, and daemons and managers that do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::{Cluster, deploy};
use super::told;
use crate::docker::Marked;
use crate::support::flows::run;
use crate::support::{Http, TestDaemon, wait_for};

/// How long the manager takes to miss a node, at most, and what comes on top.
const DETECTION: Duration = Duration::from_secs(15);
const MARGIN: Duration = Duration::from_secs(5);

/// A run that sleeps on a node, once it has begun.
fn sleeper(daemon: &TestDaemon, marked: &Marked, mark: &str) -> String {
    let id = run(
        daemon,
        "sleeper",
        &json!({ "mark": format!("/marks/{mark}") }),
    );
    wait_for("the flow to start", || {
        (marked.lines(mark) == ["started"]).then_some(())
    });
    id
}

fn deployed(daemon: &TestDaemon, marked: &Marked, node: usize, more: &Value) {
    let mut settings = json!({ "constraints": [format!("node.hostname==prefsw-node{node}")] });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    deploy(daemon, marked, settings);
}

/// The address that a run's container was given.
fn address(cluster: &Cluster, id: &str) -> String {
    let env = cluster.service(id)["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"].clone();
    let mut env = env
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap());
    let url = env.find_map(|it| it.strip_prefix("PREFECT_API_URL="));
    url.unwrap().trim_end_matches("/api").to_owned()
}

#[test]
fn what_runs_on_a_lost_node_crashes_with_its_name_and_speaks_no_more() {
    let cluster = Cluster::up(2);
    let (one, two) = (Marked::new(), Marked::new());
    let folders = [one.path(), two.path()];
    let mut daemon = cluster.daemon(&folders);
    // A manager that starts anew makes another task of a job that has failed, unless that was ended.
    deploy(&daemon, &one, json!({}));
    let failed = run(&daemon, "dying", &json!({ "mark": "/marks/failed" }));
    assert_eq!(daemon.http().ended(&failed)["state_name"], "Crashed");
    deployed(&daemon, &one, 1, &json!({}));
    let killed = sleeper(&daemon, &one, "m");
    deployed(&daemon, &two, 2, &json!({}));
    let cut = sleeper(&daemon, &two, "m");
    let address = address(&cluster, &cut);
    let speaks = Http::modern(&address);
    let own = format!("/flow_runs/{cut}");
    assert_eq!(speaks.get(&own).status, 200);

    // The daemon and the manager's engine come back, and the runs go on.
    daemon.kill();
    daemon.restart(cluster.env("swarm", &folders));
    cluster.nodes(&["stop"], &["0"]);
    cluster.nodes(&["start"], &["0"]);
    wait_for("the manager to know its nodes again", || {
        let nodes = cluster.docker(0, &["node", "ls", "--format", "{{.Status}}"]);
        (nodes.lines().filter(|it| *it == "Ready").count() == 3).then_some(())
    });
    for id in [&killed, &cut] {
        assert_eq!(daemon.http().run(id)["state_type"], "RUNNING");
    }

    let begun = Instant::now();
    cluster.nodes(&["kill"], &["1"]);
    cluster.nodes(&["cut"], &["2"]);
    for (id, name) in [(&killed, "prefsw-node1"), (&cut, "prefsw-node2")] {
        let ended = daemon.http().ended(id);
        assert_eq!(ended["state_name"], "Crashed", "{ended}");
        assert!(told(&ended).contains(name), "{ended}");
    }
    let taken = begun.elapsed();
    eprintln!("the runs of lost nodes had ended after {taken:?}");
    // Not beside other tests.
    if std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        assert!(taken < DETECTION + MARGIN, "{taken:?}");
    }
    // It may run on, and does; its key is worth nothing.
    assert_eq!(cluster.running(2), 1);
    assert_eq!(speaks.get(&own).status, 403);
    let completed = json!({ "state": { "type": "COMPLETED" }, "force": true });
    let answer = speaks.post(&format!("{own}/set_state"), &completed);
    assert_eq!(answer.status, 403);
    cluster.nodes(&["join"], &["2"]);
    wait_for("its container to be removed", || {
        (cluster.running(2) == 0).then_some(())
    });
    assert_eq!(daemon.http().run(&cut)["state_name"], "Crashed");
    assert_eq!(one.lines("failed"), ["started", "dying"]);
    cluster.task(&failed);
}

#[test]
fn a_run_is_submitted_again_where_its_deployment_says_so_and_drained_nodes_get_none() {
    let cluster = Cluster::up(2);
    let marked = Marked::new();
    let daemon = cluster.daemon(&[marked.path()]);
    let settings = json!({ "on_node_loss": "resubmit" });
    deploy(&daemon, &marked, settings);
    let drain = |node: &str, how: &str| {
        cluster.docker(0, &["node", "update", "--availability", how, node]);
    };
    drain("prefsw-node2", "drain");
    let id = sleeper(&daemon, &marked, "m");
    assert_eq!((cluster.running(1), cluster.running(2)), (1, 0));
    let first = cluster.service(&id)["ID"].clone();
    drain("prefsw-node2", "active");
    // Draining moves nothing that runs.
    drain("prefsw-node1", "drain");
    cluster.nodes(&["cut"], &["1"]);
    wait_for("the flow to start on the other node", || {
        (marked.lines("m") == ["started", "started"]).then_some(())
    });
    assert_eq!(cluster.running(2), 1);
    let states = daemon.http().states(&id);
    assert_eq!(
        states,
        [
            "Scheduled",
            "Pending",
            "Running",
            "Resubmitted",
            "Pending",
            "Running"
        ]
    );
    cluster.nodes(&["join"], &["1"]);
    wait_for("the first container to be removed", || {
        (cluster.running(1) == 0).then_some(())
    });
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    assert_eq!(daemon.http().ended(&id)["state_type"], "CANCELLED");
    assert_eq!(cluster.running(2), 0);
    let now = daemon.http().run(&id)["infrastructure_pid"].clone();
    assert_ne!(now, json!(format!("swarm:{}", first.as_str().unwrap())));
}
