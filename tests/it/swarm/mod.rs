//! Runs on a Docker Swarm of three real engines.

#![cfg(feature = "docker")]

mod cluster;
mod losses;
mod registry;
mod storm;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::docker::{Marked, image};
use super::modern::{self, pools};
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
    let (marked, cancelled) = (Marked::new(), Marked::new());
    let place = modern::Place::new();
    let folders = [
        pools::flows(),
        place.0.path(),
        marked.path(),
        cancelled.path(),
    ];
    let mut env = cluster.env("swarm", &folders);
    env.push((
        "PREFECTD_DOCKER__ALLOW__SECRETS",
        json!(["word"]).to_string(),
    ));
    env.push((
        "PREFECTD_DOCKER__ALLOW__CONFIGS",
        json!(["greeting"]).to_string(),
    ));
    let daemon = cluster.daemon_with(env);
    let template = json!({ "env": { "FROM_TEST": "{{ .Node.ID }}" } });
    deploy(&daemon, "cases.py", &marked.runner(template));
    let id = run(&daemon, "environment", &json!({ "mark": "/marks/env" }));
    daemon.http().ended(&id);
    assert_eq!(marked.lines("env"), ["{{ .Node.ID }}"]);
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

    it_is_told_where_runs_are(&daemon, &id, &node);
    ends_are_told(&cluster, &daemon, &marked);
    what_cannot_be_placed_says_why(&cluster, &daemon, &marked);
    a_cancelled_run_is_gone(&cluster, &daemon, &cancelled);
    a_pool_of_its_own(&cluster, &daemon);
    a_pool_of_containers_is_on_the_cluster_too(&cluster, &daemon, &place);
}

/// By the page of a run, by metrics, and by `doctor` from a container on each node.
fn it_is_told_where_runs_are(daemon: &TestDaemon, id: &str, node: &str) {
    let page = daemon.http().text(&format!("/runs/flow-run/{id}"));
    assert!(page.contains(node), "{page}");
    // The run has ended, and its process does a moment later.
    wait_for("the nodes in the metrics", || {
        let metrics = daemon.http().text("/metrics");
        let lines = [1, 2].map(|node| {
            let node = format!("{{node=\"prefsw-node{node}\"}}");
            [
                format!("prefectd_node_up{node} 1\n"),
                format!("prefectd_node_runs{node} 0\n"),
            ]
        });
        let mut lines = lines.iter().flatten();
        lines.all(|line| metrics.contains(line)).then_some(())
    });
    let examined = daemon.ctl().args(["doctor", "--output", "json"]).output();
    let checks: Value = serde_json::from_slice(&examined.unwrap().stdout).unwrap();
    let told = |name: &str| {
        let mut checks = checks.as_array().unwrap().iter();
        let check = checks.find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("{name}: {checks:?}"))["verdict"].clone()
    };
    assert_eq!(told("swarm"), "ok", "{checks}");
    for node in ["node prefsw-node1", "node prefsw-node2"] {
        assert_eq!(told(node), "ok", "{checks}");
    }
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
fn a_cancelled_run_is_gone(cluster: &Cluster, daemon: &TestDaemon, marked: &Marked) {
    let constraint = json!({ "constraints": ["node.hostname==prefsw-node2"] });
    cluster::deploy(daemon, marked, constraint);
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
    let secret = cluster.path().with_extension("word");
    std::fs::write(&secret, "a word from the swarm\n").unwrap();
    let secret = secret.to_str().unwrap();
    cluster.docker(0, &["secret", "create", "word", secret]);
    cluster.docker(0, &["config", "create", "greeting", secret]);
    let (ended, id) = pooled(
        daemon,
        &json!({
            "command": "sh -c 'cat /run/secrets/word /greeting; echo from a pool; exit 5'",
            "name": "pooled",
            "constraints": ["node.hostname==prefsw-node1"],
            "reserve_cpus": 0.1,
            "secrets": ["word"],
            "configs": ["greeting:/greeting"],
        }),
    );
    assert!(
        told(&ended).contains("exit code 5"),
        "{ended}\n{}",
        daemon.log()
    );
    assert!(told(&ended).contains("from a pool"), "{ended}");
    let words = printed(daemon, &id);
    let words = words.iter().filter(|line| *line == "a word from the swarm");
    assert_eq!(words.count(), 2);
    assert_eq!(cluster.service(&id)["Spec"]["Name"], "pooled");
    let node = cluster.task(&id)["NodeID"].as_str().unwrap().to_owned();
    assert_eq!(cluster.node_name(&node), "prefsw-node1");
    let greedy = "python -c 'held = [bytearray(10**7) for _ in range(100)]'";
    let greedy = json!({ "command": greedy, "name": "greedy", "mem_limit": "64m" });
    let (ended, _) = pooled(daemon, &greedy);
    assert!(told(&ended).contains("memory"), "{ended}");
}

/// The end of a run of the pool with job variables, and its id.
fn pooled(daemon: &TestDaemon, variables: &Value) -> (Value, String) {
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "g" })).body;
    let mut variables = variables.clone();
    variables["image"] = json!(image());
    let deployment = json!({
        "name": variables["name"], "flow_id": flow["id"], "work_pool_name": "s",
        "job_variables": variables,
    });
    let deployment = http.post("/deployments/", &deployment).expect(201);
    let id = modern::run(daemon, deployment["id"].as_str().unwrap());
    (daemon.http().ended(&id), id)
}

/// A flow of today's client that was deployed to a pool of type docker, without any change.
fn a_pool_of_containers_is_on_the_cluster_too(
    cluster: &Cluster,
    daemon: &TestDaemon,
    place: &modern::Place,
) {
    cluster.load(&pools::image());
    let deployment = pools::deploy_mapped(daemon, place, &json!({}));
    let id = modern::run(daemon, &deployment);
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"],
        "Completed",
        "{ended}\n{}",
        daemon.log()
    );
    assert_eq!(place.marks(), ["0", "1", "2"]);
    wait_for("its output", || {
        let lines = printed(daemon, &id);
        lines
            .iter()
            .any(|line| line.ends_with("3 are done"))
            .then_some(())
    });
    let node = cluster.task(&id)["NodeID"].as_str().unwrap().to_owned();
    assert_ne!(cluster.node_name(&node), "prefsw-node0", "a worker has it");
}
