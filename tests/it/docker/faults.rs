//! What befalls a container, and how soon its run tells.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::support::flows::{deploy, run};
use super::super::support::{Options, TestDaemon, wait_for};
use super::{Marked, container, daemon, docker};

/// How soon a run has ended after its container has.
const SOON: Duration = Duration::from_secs(2);

/// A run of `sleeper` that has begun, and its container.
fn sleeping(daemon: &TestDaemon, marked: &Marked, mark: &str) -> (String, String) {
    let id = run(
        daemon,
        "sleeper",
        &json!({ "mark": format!("/marks/{mark}") }),
    );
    wait_for("the flow to start", || {
        (marked.lines(mark) == ["started"]).then_some(())
    });
    let container = container(daemon, &id);
    (id, container)
}

/// The run's end, which has to come soon.
#[track_caller]
fn soon_ended(daemon: &TestDaemon, id: &str) -> Value {
    let start = Instant::now();
    let run = daemon.http().ended(id);
    assert!(start.elapsed() < SOON, "after {:?}", start.elapsed());
    run
}

fn message(run: &Value) -> &str {
    run["state"]["message"].as_str().unwrap()
}

#[test]
fn a_killed_container_ends_its_run_with_its_exit_code() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let (id, container) = sleeping(&daemon, &marked, "m");
    docker(&["kill", &container]);
    let run = soon_ended(&daemon, &id);
    assert_eq!(
        (&run["state_type"], &run["state_name"]),
        (&json!("CRASHED"), &json!("Crashed"))
    );
    let told = message(&run);
    assert!(
        told.contains("exit code 137") && told.contains("sleeper started"),
        "{told}"
    );
    let details = &run["state"]["state_details"];
    assert_eq!(details["exit_code"], 137, "{details}");
    assert_eq!(details["signal"], "SIGKILL", "{details}");
    let told = daemon.http().get(&format!("/flow_runs/{id}")).expect(200);
    assert_eq!(
        (&told["state_type"], &told["state"]["name"]),
        (&json!("FAILED"), &json!("Crashed"))
    );

    let (id, container) = sleeping(&daemon, &marked, "removed");
    docker(&["rm", "--force", &container]);
    let run = soon_ended(&daemon, &id);
    assert_eq!(run["state_type"], "CRASHED");
    // The engine kills it first, and which of the two is seen is the engine's affair.
    let told = message(&run);
    assert!(
        told.contains("was removed") || told.contains("exit code 137"),
        "{told}"
    );
}

#[test]
fn a_container_that_takes_too_much_memory_says_so() {
    let daemon = TestDaemon::with(Options {
        env: vec![("PREFECTD_DOCKER__DEFAULTS__MEMORY", "256m".to_owned())],
        ..Options::default()
    });
    super::await_bridge(&daemon);
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "greedy", &json!({ "mark": "/marks/m" }));
    let run = daemon.http().ended(&id);
    assert_eq!(run["state_type"], "CRASHED");
    assert!(
        message(&run).contains("ran out of memory"),
        "{}",
        message(&run)
    );
    assert_eq!(run["state"]["state_details"]["oom_killed"], true);
    assert_eq!(marked.lines("m"), ["started"]);
}

#[test]
fn a_container_that_cannot_reach_the_api_ends_its_run_saying_so() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    });
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let refused = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    let blocked = Blocked::port(daemon.port());
    let dropped = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    for id in [refused, dropped] {
        let run = daemon.http().ended(&id);
        assert_eq!(run["state_type"], "CRASHED");
        let told = message(&run);
        assert!(told.contains("could not reach the API"), "{told}");
        assert_eq!(run["run_count"], 0);
    }
    assert!(marked.lines("m").is_empty());
    drop(blocked);
}

/// A port of this machine that swallows what comes from Docker's bridge.
struct Blocked(String);

impl Blocked {
    fn port(port: u16) -> Self {
        let blocked = Self(port.to_string());
        assert!(blocked.rule("-I"));
        blocked
    }

    fn rule(&self, what: &str) -> bool {
        let words = [
            "-i", "docker0", "-p", "tcp", "--dport", &self.0, "-j", "DROP",
        ];
        let mut command = Command::new("iptables");
        let done = command.args(["-w", what, "INPUT"]).args(words).status();
        done.unwrap().success()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        assert!(self.rule("-D") || std::thread::panicking());
    }
}

#[test]
fn what_cannot_start_ends_at_once_in_the_engine_s_words() {
    let (daemon, marked) = (daemon(), Marked::new());
    for (settings, word) in [
        (json!({ "image": "prefectd-test:bare" }), "python"),
        (
            json!({ "image": "no-such.invalid/image:1" }),
            "no-such.invalid/image:1",
        ),
        (
            json!({ "networks": ["no-such-network"] }),
            "no-such-network",
        ),
        (
            json!({ "volumes": ["relative:bad:bad:bad"] }),
            "relative:bad:bad:bad",
        ),
    ] {
        deploy(&daemon, "cases.py", &marked.runner(settings.clone()));
        let id = run(&daemon, "plain", &json!({}));
        let run = daemon.http().ended(&id);
        assert_eq!(run["state_type"], "CRASHED", "{settings}");
        let message = run["state"]["message"].as_str().unwrap();
        assert!(message.contains(word), "{settings}: {message}");
        assert_eq!(run["run_count"], 0);
    }
}

/// A registry that has no image; answers when it was last asked.
fn empty_registry() -> (u16, std::sync::mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            let status = match text.starts_with("GET /v2/ ") {
                true => "200 OK",
                false => "404 Not Found",
            };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            // The engine may have hung up, having tried TLS first.
            let _ = stream.write_all(answer.as_bytes());
            if tell.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    (port, told)
}

#[test]
fn an_image_that_is_missing_ends_the_run_as_soon_as_the_registry_says_so() {
    let (daemon, marked) = (daemon(), Marked::new());
    let (port, asked) = empty_registry();
    let image = format!("127.0.0.1:{port}/none:1");
    deploy(
        &daemon,
        "cases.py",
        &marked.runner(json!({ "image": image })),
    );
    let id = run(&daemon, "plain", &json!({}));
    let ended = daemon.http().ended(&id);
    let answered = asked.try_iter().last().unwrap();
    assert!(answered.elapsed() < SOON, "after {:?}", answered.elapsed());
    assert_eq!(ended["state_type"], "CRASHED");
    assert!(message(&ended).contains(&image), "{}", message(&ended));
}
