//! A thousand listeners at once.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use super::super::support::socket::Socket;
use super::super::support::{TestDaemon, wait_for};
use super::event;

const LISTENERS: usize = 1_000;
/// What each of them may cost, in KiB.
const MOST_KIB: u64 = 64;
/// More than the kernel holds for a client that does not read, in events of [`BULKY`] bytes.
const FLOOD: usize = 160;
const BULKY: usize = 100_000;

/// Has this process hold as many sockets as that takes.
fn raise_descriptors() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let wanted = soft.max(hard.min(8192));
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).unwrap();
}

/// How much memory of its own the daemon has, in KiB.
fn resident(daemon: &TestDaemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse().unwrap()
}

fn listener(daemon: &TestDaemon) -> Socket {
    let mut socket = Socket::greeted(daemon, "/events/out", None);
    socket.say(&json!({ "type": "filter", "filter": {
        "occurred": { "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" },
        "event": { "prefix": ["told."] } } }));
    socket
}

fn told(name: &str) -> Value {
    event(name, "r")
}

#[test]
fn a_thousand_listeners_cost_little_and_hear_all() {
    raise_descriptors();
    let daemon = TestDaemon::without_agent();
    let mut telling = Socket::greeted(&daemon, "/events/in", None);
    // What is needed for the first of them is not counted.
    let mut listeners = vec![listener(&daemon)];
    telling.say(&told("told.first"));
    assert_eq!(listeners[0].hear()["event"]["event"], "told.first");
    let before = resident(&daemon);
    listeners.extend((1..LISTENERS).map(|_| listener(&daemon)));
    for name in ["told.a", "other", "told.b"] {
        telling.say(&told(name));
    }
    for listener in &mut listeners {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| last != "told.b") {
            heard.push(listener.hear()["event"]["event"].clone());
        }
        // Those that came later were told what had been before.
        heard.retain(|name| name != "told.first");
        assert_eq!(heard, ["told.a", "told.b"]);
    }
    let each = resident(&daemon).saturating_sub(before) / LISTENERS as u64;
    assert!(each < MOST_KIB, "{each} KiB for each");
}

#[test]
fn a_listener_that_does_not_read_is_given_up_and_holds_nobody_up() {
    let daemon = TestDaemon::without_agent();
    let slow = listener(&daemon);
    let mut quick = listener(&daemon);
    let mut telling = Socket::greeted(&daemon, "/events/in", None);
    for n in 0..FLOOD {
        let name = format!("told.{n}");
        let mut bulky = told(&name);
        bulky["payload"] = json!({ "x": "x".repeat(BULKY) });
        telling.say(&bulky);
        assert_eq!(quick.hear()["event"]["event"], name);
    }
    wait_for("the slow one to be given up", || {
        let log = daemon.log();
        log.contains("its client reads too slowly").then_some(())
    });
    telling.say(&told("told.after"));
    assert_eq!(quick.hear()["event"]["event"], "told.after");
    drop(slow);
}
