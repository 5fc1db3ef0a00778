//! Keys of runs in real containers, and of what calls from elsewhere.

use std::process::Command;

use serde_json::json;

use crate::docker::{Marked, daemon, docker, image, inspect};
use crate::neighbours::{Stranger, sleeper};
use crate::support::flows::{deploy, run};
use crate::support::{Http, Options, TestDaemon, wait_for};

/// The address that a container was told.
fn told(container: &str) -> String {
    let env = inspect(container, "{{range .Config.Env}}{{println .}}{{end}}");
    let mut lines = env.lines();
    let url = lines.find_map(|line| line.strip_prefix("PREFECT_API_URL="));
    url.unwrap().to_owned()
}

fn key_of(url: &str) -> &str {
    let (_, rest) = url.split_once("/run/").unwrap();
    rest.split_once('/').unwrap().0
}

/// The status that a container gets.
fn status(container: &str, url: &str) -> String {
    let ask = "import sys, urllib.request as r, urllib.error as e\n\
               try: print(r.urlopen(sys.argv[1], timeout=60).status)\n\
               except e.HTTPError as error: print(error.code)";
    docker(&["exec", container, "python", "-c", ask, url])
}

#[test]
fn a_run_s_key_speaks_for_it_from_the_bridge_and_from_the_loopback() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let (id, container) = sleeper(&daemon.http(), &marked, "one");
    let url = told(&container);
    let key = key_of(&url).to_owned();
    let host = format!("http://host.docker.internal:{}", daemon.port());
    assert_eq!(url, format!("{host}/run/{key}/api"));
    let image = image();
    let to_host = "host.docker.internal:host-gateway";
    let words = ["run", "--detach", "--rm", "--add-host", to_host];
    let sleeps = ["--entrypoint", "sleep", &image, "300"];
    let stranger = Stranger(docker(&[&words[..], &sleeps[..]].concat()));
    let own = format!("/flow_runs/{id}");
    assert_eq!(status(&stranger.0, &format!("{host}/api{own}")), "403");
    assert_eq!(status(&stranger.0, &format!("{url}{own}")), "200");
    assert_eq!(
        status(&stranger.0, &format!("{url}/v3/prefectd/status")),
        "403"
    );
    assert_eq!(status(&container, &format!("{url}{own}")), "200");
    // As it always was.
    assert_eq!(status(&container, &format!("{host}/api{own}")), "200");
    let here = Http::modern(&format!("{}/run/{key}", daemon.url()));
    assert_eq!(here.get(&own).status, 200);
    assert_eq!(here.get("/v3/prefectd/status").status, 403);
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    daemon.http().ended(&id);
    assert_eq!(
        here.post(
            &format!("{own}/set_state"),
            &json!({ "state": { "type": "RUNNING" } })
        )
        .status,
        403
    );
    assert!(!daemon.log().contains(&key));
    let shown = daemon
        .ctl()
        .args(["flow-run", "inspect", &id, "-o", "json"])
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&shown.stdout).contains(&key));
}

#[test]
fn a_run_that_tells_its_address_tells_no_key() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "endings.py", &marked.runner(json!({})));
    let id = run(
        &daemon,
        "telling",
        &json!({ "variable": "PREFECT_API_URL" }),
    );
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    let lines = wait_for("its output", || {
        let lines = daemon.http().lines(&id);
        lines
            .iter()
            .any(|line| line.contains("/run/"))
            .then_some(lines)
    });
    let line = lines.iter().find(|line| line.contains("/run/")).unwrap();
    assert!(line.ends_with("/run/********/api"), "{line}");
}

/// An address of this machine that is neither the loopback's nor Docker's.
struct Elsewhere;

impl Elsewhere {
    const ADDRESS: &'static str = "10.77.1.1";

    fn new() -> Self {
        let added = Self::change("add");
        assert!(added, "this test needs root and iproute2");
        Self
    }

    fn change(verb: &str) -> bool {
        let address = format!("{}/32", Self::ADDRESS);
        let words = ["addr", verb, &address, "dev", "lo"];
        let done = Command::new("ip").args(words).output();
        done.is_ok_and(|done| done.status.success())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        Self::change("del");
    }
}

#[test]
fn other_hosts_reach_the_api_where_it_is_advertised_and_only_by_a_key() {
    let _place = Elsewhere::new();
    let daemon = TestDaemon::with(Options {
        env: vec![("PREFECTD_SERVER__ADVERTISE", Elsewhere::ADDRESS.to_owned())],
        ..Options::default()
    });
    await_bridge_and(&daemon, Elsewhere::ADDRESS);
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let (id, container) = sleeper(&daemon.http(), &marked, "one");
    let url = told(&container);
    let there = format!("http://{}:{}", Elsewhere::ADDRESS, daemon.port());
    let own = format!("/flow_runs/{id}");
    assert_eq!(Http::modern(&there).get(&own).status, 403);
    let keyed = Http::modern(&format!("{there}/run/{}", key_of(&url)));
    assert_eq!(keyed.get(&own).status, 200);
    let _ = docker(&["kill", &container]);
}

/// Waits until containers and other hosts reach it.
fn await_bridge_and(daemon: &TestDaemon, address: &str) {
    wait_for("the listener for other hosts", || {
        let listeners = daemon.status()["listeners"].clone();
        let listeners = listeners.as_array().unwrap();
        let is_there = listeners
            .iter()
            .any(|one| one.as_str().unwrap().contains(address));
        (is_there && listeners.len() == 3).then_some(())
    });
}
