//! Tasks of the background: who hands them in, and who is told of them.

#[cfg(feature = "client")]
mod client;

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::socket::Socket;
use super::support::{TestDaemon, wait_for};

const PATH: &str = "/task_runs/subscriptions/scheduled";

/// Hands a task in; answers its run's id.
fn hand_in(daemon: &TestDaemon, key: &str) -> String {
    let run = json!({
        "name": key, "task_key": key, "dynamic_key": Uuid::now_v7(),
        "state": {
            "type": "SCHEDULED",
            "state_details": { "deferred": true, "task_parameters_id": Uuid::nil() },
        },
    });
    let run = daemon.modern().post("/task_runs/", &run).expect(201);
    run["id"].as_str().unwrap().to_owned()
}

fn subscribed(daemon: &TestDaemon, keys: &[&str]) -> Socket {
    let mut socket = Socket::greeted(daemon, PATH, None);
    socket.say(&json!({ "type": "subscribe", "keys": keys, "client_id": "host-1" }));
    socket
}

fn servers(daemon: &TestDaemon, body: &Value) -> Value {
    let http = daemon.modern();
    http.post("/task_workers/filter", body).expect(200)
}

#[test]
fn who_says_something_else_is_sent_away_with_a_reason() {
    let daemon = TestDaemon::without_agent();
    for (message, why) in [
        (json!({ "type": "filter" }), "expected 'subscribe' message"),
        (
            json!({ "type": "subscribe", "client_id": "c" }),
            "expected 'keys' in subscribe message",
        ),
        (
            json!({ "type": "subscribe", "keys": [], "client_id": "c" }),
            "expected 'keys' in subscribe message",
        ),
        (
            json!({ "type": "subscribe", "keys": ["t"] }),
            "expected 'client_id' in subscribe message",
        ),
        (
            json!({ "type": "subscribe", "keys": ["t".repeat(3_000)], "client_id": "c" }),
            "too many 'keys', or too long ones",
        ),
    ] {
        let mut socket = Socket::greeted(&daemon, PATH, None);
        socket.say(&message);
        let why = format!("Protocol violation: {why}");
        assert_eq!(socket.closing(), (4001, why), "{message}");
    }
    hand_in(&daemon, "t");
    let mut socket = subscribed(&daemon, &["t"]);
    socket.hear();
    socket.say(&json!({ "type": "thanks" }));
    let why = "Protocol violation: expected 'ack' message".to_owned();
    assert_eq!(socket.closing(), (4001, why));
}

#[test]
fn each_task_is_told_once_across_kills_unless_nobody_has_heard() {
    let mut daemon = TestDaemon::without_agent();
    let (first, second) = (hand_in(&daemon, "t"), hand_in(&daemon, "t"));
    hand_in(&daemon, "other");
    daemon.kill();
    daemon.restart(Vec::new());
    let mut one = subscribed(&daemon, &["none", "t"]);
    let told = one.hear();
    assert_eq!(told["id"], json!(first));
    assert_eq!(told["state_type"], "SCHEDULED");
    let details = &told["state"]["state_details"];
    assert_eq!(details["deferred"], true);
    assert_eq!(details["task_parameters_id"], json!(Uuid::nil()));
    one.say(&json!({ "type": "ack" }));
    // Not acknowledged, as the connection ends.
    assert_eq!(one.hear()["id"], json!(second));
    one.close();
    let mut two = subscribed(&daemon, &["t"]);
    assert_eq!(two.hear()["id"], json!(second));
    two.say(&json!({ "type": "ack" }));
    let third = hand_in(&daemon, "t");
    assert_eq!(two.hear()["id"], json!(third));
    two.say(&json!({ "type": "quit" }));
    assert_eq!(two.closing().0, 1000);
    let mut three = subscribed(&daemon, &["t"]);
    assert_eq!(three.hear()["id"], json!(third));
}

#[test]
fn a_run_that_others_take_on_is_theirs() {
    let daemon = TestDaemon::without_agent();
    let id = hand_in(&daemon, "t");
    let path = format!("/task_runs/{id}/set_state");
    let pending = json!({ "state": { "type": "PENDING", "state_details": { "deferred": true } } });
    let http = daemon.modern();
    let taken = http.post(&path, &pending).expect(201);
    assert_eq!(taken["status"], "ACCEPT");
    let details = &taken["state"]["state_details"];
    assert_eq!(details["task_parameters_id"], json!(Uuid::nil()));
    let again = http.post(&path, &pending).expect(200);
    assert_eq!(again["status"], "ABORT");
    let next = hand_in(&daemon, "t");
    let mut socket = subscribed(&daemon, &["t"]);
    assert_eq!(socket.hear()["id"], json!(next));
}

#[test]
fn who_serves_tasks_is_told() {
    let daemon = TestDaemon::without_agent();
    assert_eq!(servers(&daemon, &json!({})), json!([]));
    let socket = subscribed(&daemon, &["b", "a"]);
    let all = wait_for("the server to be known", || {
        let all = servers(&daemon, &json!({}));
        (all != json!([])).then_some(all)
    });
    assert_eq!(all[0]["identifier"], "host-1");
    assert_eq!(all[0]["task_keys"], json!(["a", "b"]));
    assert!(all[0]["timestamp"].is_string());
    let of = |key: &str| json!({ "task_worker_filter": { "task_keys": [key] } });
    // When it was last heard may have moved on since.
    let known = servers(&daemon, &of("a"));
    assert_eq!(known[0]["identifier"], "host-1");
    assert_eq!(known[0]["task_keys"], all[0]["task_keys"]);
    assert_eq!(known.as_array().map(Vec::len), Some(1));
    assert_eq!(servers(&daemon, &of("c")), json!([]));
    socket.close();
    wait_for("the server to be gone", || {
        (servers(&daemon, &json!({})) == json!([])).then_some(())
    });
}
