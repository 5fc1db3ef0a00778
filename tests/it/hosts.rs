//! Agents on two hosts: two network namespaces, joined to the daemon's by a bridge.

#![cfg(feature = "client")]

use std::process::Command;

use serde_json::json;

use super::support::flows::{deploy, run, venv};
use super::support::{Options, TestAgent, TestDaemon, wait_for};

/// The bridge between the hosts, and the address at which they find the daemon.
const BRIDGE: &str = "prefectd-t1";
const API: &str = "172.31.214.1:42731";
const HOSTS: [&str; 2] = ["prefectd-t1-a", "prefectd-t1-b"];

/// The network between two hosts and the daemon; gone when it is dropped.
struct Network;

impl Network {
    fn lay() -> Self {
        // One that a killed test left.
        take_up();
        let laid = Self;
        ip(&["link", "add", BRIDGE, "type", "bridge"]);
        ip(&["address", "add", "172.31.214.1/24", "dev", BRIDGE]);
        ip(&["link", "set", BRIDGE, "up"]);
        for (host, place) in HOSTS.into_iter().zip(2..) {
            let (here, address) = (format!("pdt1-{place}"), format!("172.31.214.{place}/24"));
            ip(&["netns", "add", host]);
            ip(&[
                "link", "add", &here, "type", "veth", "peer", "name", "eth0", "netns", host,
            ]);
            ip(&["link", "set", &here, "master", BRIDGE, "up"]);
            ip(&["-n", host, "address", "add", &address, "dev", "eth0"]);
            ip(&["-n", host, "link", "set", "eth0", "up"]);
            ip(&["-n", host, "link", "set", "lo", "up"]);
        }
        laid
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        take_up();
    }
}

fn take_up() {
    for host in HOSTS {
        switch_off(host);
        let _ = Command::new("ip").args(["netns", "delete", host]).output();
    }
    let _ = Command::new("ip").args(["link", "delete", BRIDGE]).output();
}

/// Kills all that runs on a host.
fn switch_off(host: &str) {
    let pids = Command::new("ip").args(["netns", "pids", host]).output();
    let pids = String::from_utf8(pids.unwrap().stdout).unwrap();
    for pid in pids.split_whitespace() {
        // It may have ended meanwhile.
        let _ = Command::new("kill").args(["-KILL", pid]).output();
    }
}

#[track_caller]
fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words:?}: {told}");
}

#[test]
fn runs_spread_over_two_hosts_and_one_outlives_the_other() {
    let network = Network::lay();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge", "--listen", API],
        env: vec![("PREFECTD_SERVER__AGENT_LEASE_SECS", "3".to_owned())],
        ..Options::default()
    });
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "cases.py", &runner);
    let url = format!("http://{API}");
    let agents = HOSTS.map(|host| TestAgent::start_on(Some(host), &url, host, 2));
    wait_for("the agents to report", || {
        let listed = daemon.http().get("/v3/prefectd/agents").expect(200);
        (listed.as_array().unwrap().len() == HOSTS.len()).then_some(())
    });
    let marks = tempfile::tempdir().unwrap();
    let mark = |place: usize| marks.path().join(place.to_string());
    let begun: Vec<_> = (0..4)
        .map(|place| {
            let parameters = json!({ "mark": mark(place), "seconds": 12 });
            run(&daemon, "sleeper", &parameters)
        })
        .collect();
    wait_for("all flows to start", || {
        (0..4).all(|place| mark(place).exists()).then_some(())
    });
    let holder = |id: &String| daemon.http().run(id)["agent"].clone();
    let (lost, kept): (Vec<_>, Vec<_>) = begun.iter().partition(|id| holder(id) == HOSTS[0]);
    assert_eq!(
        (lost.len(), kept.len()),
        (2, 2),
        "each host takes its share"
    );
    switch_off(HOSTS[0]);
    for id in lost {
        let run = daemon.http().ended(id);
        assert_eq!(run["state_name"], "Crashed", "{}", run["state"]["message"]);
        assert_eq!(run["run_count"], 1);
    }
    for id in kept {
        let run = daemon.http().ended(id);
        assert_eq!(
            run["state_name"], "Completed",
            "{}",
            run["state"]["message"]
        );
    }
    // What comes now goes to the one that is left.
    let next = run(&daemon, "plain", &json!({ "mark": mark(4) }));
    assert_eq!(daemon.http().ended(&next)["state_name"], "Completed");
    assert_eq!(holder(&next), HOSTS[1]);
    for place in 0..4 {
        let text = std::fs::read_to_string(mark(place)).unwrap();
        assert_eq!(text.matches("started").count(), 1);
    }
    drop((agents, network));
}
