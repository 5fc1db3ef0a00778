//! Runs on a Docker Swarm of three real engines.

#![cfg(feature = "docker")]

mod cluster;
mod losses;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::docker::{Marked, image};
use super::support::flows::{deploy, run};
use super::support::{TestDaemon, wait_for};
use cluster::Cluster;

/// All lines of a run that its container printed.
fn printed(daemon: &TestDaemon, id: &str) -> Vec<String> {
    let asked = json!({ "logs": { "flow_run_id": { "any_": [id] } }, "sort": "TIMESTAMP_ASC" });
    let lines = daemon.http().post("/v3/logs/filter", &asked).expect(200);
    let lines = lines.as_array().unwrap().clone().into_iter();
    let ours = lines.filter(|line| line["name"] == "prefectd.container");
    ours.map(|line| line["message"].as_str().unwrap().to_owned())
        .collect()
}

/// The message of the state in which a run ended.
fn told(run: &Value) -> &str {
    run["state"]["message"].as_str().unwrap_or_default()
}

#[test]
fn a_deployment_runs_on_a_worker_node_without_any_change() {
    let cluster = Cluster::up(2);
    let daemon = cluster.daemon("swarm");
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"],
        "Completed",
        "{ended}\n{}",
        daemon.log()
    );
    assert_eq!(marked.lines("m"), ["plain"]);
    wait_for("its output", || {
        let lines = printed(&daemon, &id);
        lines
            .iter()
            .any(|line| line == "plain says hello")
            .then_some(())
    });
    let service = cluster.service(&id);
    assert_eq!(service["Spec"]["Name"], ended["name"]);
    let task = cluster.task(&id);
    let node = cluster.node_name(task["NodeID"].as_str().unwrap());
    assert_ne!(node, "prefsw-node0", "a worker has it");
    let made = ended["infrastructure_pid"].as_str().unwrap();
    assert_eq!(made, format!("swarm:{}", service["ID"].as_str().unwrap()));
    // No key in what is told of it.
    let env = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"].to_string();
    let key = env
        .split("/run/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    assert!(!daemon.log().contains(key));

    ends_are_told(&cluster, &daemon, &marked);
    what_cannot_be_placed_says_why(&cluster, &daemon, &marked);
    a_cancelled_run_is_gone(&cluster, &daemon);
    a_pool_of_its_own(&cluster, &daemon);
}

/// How a process ended, what no node takes, and what cannot be placed.
fn ends_are_told(cluster: &Cluster, daemon: &TestDaemon, marked: &Marked) {
    let http = daemon.http();
    let crashed = |name: &str, settings: Value| {
        let runner = marked.runner(settings);
        let deployment = http.deployment(&http.flow("f"), name, &runner);
        let id = http.run_deployment(&deployment)["id"].clone();
        let id = id.as_str().unwrap().to_owned();
        (http.ended(&id), id)
    };
    let (ended, _) = crashed("volume", json!({ "volumes": ["/nowhere/at/all:/x"] }));
    assert!(
        told(&ended).contains("docker.allow.host_volumes"),
        "{ended}"
    );
    let (ended, _) = crashed("image", json!({ "image": "nobody/has:this" }));
    assert_eq!(ended["state_name"], "Crashed");
    assert!(told(&ended).contains("nobody/has:this"), "{ended}");
    let (ended, _) = crashed("privileged", json!({ "privileged": true }));
    assert!(told(&ended).contains("docker.allow.privileged"), "{ended}");
    let (ended, _) = crashed("secret", json!({ "secrets": ["s"] }));
    assert!(told(&ended).contains("docker.allow.secrets"), "{ended}");
    let (ended, id) = crashed("plain", json!({}));
    assert_eq!(ended["state_name"], "Crashed");
    let code = cluster.task(&id)["Status"]["ContainerStatus"]["ExitCode"].clone();
    assert_eq!(
        ended["state"]["state_details"]["exit_code"], code,
        "{ended}"
    );
    let last = &ended["state"]["state_details"]["last_output"];
    assert!(!last.as_array().unwrap().is_empty(), "{ended}");
}

/// What no node takes waits, and says so in Swarm's words.
fn what_cannot_be_placed_says_why(cluster: &Cluster, daemon: &TestDaemon, marked: &Marked) {
    let http = daemon.http();
    let runner = marked.runner(json!({ "constraints": ["node.hostname==nowhere"] }));
    let deployment = http.deployment(&http.flow("f"), "nowhere", &runner);
    let id = http.run_deployment(&deployment)["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let path = format!("/v3/prefectd/flow_runs/{id}/why");
    let why = wait_for("the manager's words", || {
        let why = http.get(&path).expect(200);
        (why["code"] == "unplaced").then_some(why)
    });
    let reason = why["reason"].as_str().unwrap();
    assert!(reason.contains("no suitable node"), "{reason}");
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    assert_eq!(http.ended(&id)["state_type"], "CANCELLED");
    let listed = daemon
        .ctl()
        .args(["node", "ls", "-o", "json"])
        .output()
        .unwrap();
    let nodes: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let nodes = nodes.as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    assert_eq!(nodes[1]["name"], "prefsw-node1");
    assert_eq!(nodes[1]["state"], "ready");
    assert_eq!(nodes[0]["availability"], "drain");
    assert_eq!(cluster.running(1), 0);
}

/// Cancelled means that no task is there any more.
fn a_cancelled_run_is_gone(cluster: &Cluster, daemon: &TestDaemon) {
    let marked = Marked::new();
    let constraint = json!({ "constraints": ["node.hostname==prefsw-node2"] });
    deploy(daemon, "cases.py", &marked.runner(constraint));
    let id = run(daemon, "sleeper", &json!({ "mark": "/marks/m" }));
    wait_for("the flow to start", || {
        (marked.lines("m") == ["started"]).then_some(())
    });
    let node = cluster.task(&id)["NodeID"].as_str().unwrap().to_owned();
    assert_eq!(cluster.node_name(&node), "prefsw-node2");
    let begun = Instant::now();
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    assert_eq!(daemon.http().ended(&id)["state_type"], "CANCELLED");
    assert_eq!(cluster.running(2), 0);
    // The grace period is 30 s.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

/// A pool of type docker-swarm, with the template that clients find for it.
fn a_pool_of_its_own(cluster: &Cluster, daemon: &TestDaemon) {
    let created = daemon
        .ctl()
        .args(["work-pool", "create", "s", "--type", "docker-swarm"])
        .output()
        .unwrap();
    assert!(created.status.success(), "{created:?}");
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "g" })).body;
    let deployment = json!({
        "name": "d", "flow_id": flow["id"], "work_pool_name": "s",
        "job_variables": {
            "image": image(), "command": "sh -c 'echo from a pool; exit 5'", "name": "pooled",
            "constraints": ["node.hostname==prefsw-node1"], "reserve_cpus": 0.1,
        },
    });
    let deployment = http.post("/deployments/", &deployment).expect(201);
    let path = format!(
        "/deployments/{}/create_flow_run",
        deployment["id"].as_str().unwrap()
    );
    let now = json!({ "state": { "type": "SCHEDULED" } });
    let id = http.post(&path, &now).expect(201)["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let ended = daemon.http().ended(&id);
    assert!(
        told(&ended).contains("exit code 5"),
        "{ended}\n{}",
        daemon.log()
    );
    assert!(told(&ended).contains("from a pool"), "{ended}");
    assert_eq!(cluster.service(&id)["Spec"]["Name"], "pooled");
    let node = cluster.task(&id)["NodeID"].as_str().unwrap().to_owned();
    assert_eq!(cluster.node_name(&node), "prefsw-node1");
}
