//! Workers that are not this daemon's own: how they keep in touch, and the real ones of 3.9.1.

#[cfg(feature = "client")]
mod coming_and_going;
#[cfg(all(feature = "client", feature = "docker"))]
mod docker;
#[cfg(feature = "client")]
mod real;

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::TestDaemon;
use super::support::socket::Socket;

/// A message to the channel.
fn frame(kind: &str, payload: &Value) -> Value {
    let now = chrono::Utc::now();
    json!({ "type": kind, "id": Uuid::now_v7(), "sent_at": now, "payload": payload })
}

fn hello(consumer: Uuid) -> Value {
    json!({
        "consumer_id": consumer,
        "worker_name": "w",
        "worker_type": "process",
        "heartbeat_interval_seconds": 30,
        "supported_channel_versions": ["work_pool_worker_channel.v1"],
        "requested_capabilities": ["worker_heartbeat.v1", "work_pool_snapshot.v1"],
        "work_queue_names": [],
        "handled_cleanup_kinds": [],
        "max_cleanup_concurrency": 0,
        "create_pool_if_not_found": true,
        "default_base_job_template": {
            "job_configuration": { "command": "{{ command }}" },
            "variables": { "type": "object", "properties": { "command": { "type": "string" } } },
        },
        "worker_metadata": null,
    })
}

const PATH: &str = "/work_pools/p%20q/workers/connect";

#[test]
fn a_worker_is_told_of_its_pool_and_of_its_changes() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let consumer = Uuid::now_v7();
    let mut socket = Socket::greeted(&daemon, PATH, None);
    let mut payload = hello(consumer);
    payload["requested_capabilities"] = json!([
        "worker_heartbeat.v1",
        "work_pool_snapshot.v1",
        "cleanup_delivery.v1"
    ]);
    socket.say(&frame("worker.hello.v1", &payload));
    let ready = socket.hear();
    assert_eq!(ready["type"], "worker.ready.v1");
    let pool = http.get("/work_pools/p%20q").expect(200);
    assert_eq!(pool["status"], "READY");
    let ready = &ready["payload"];
    assert_eq!(ready["consumer_id"], json!(consumer));
    assert_eq!(
        ready["rejected_capabilities"],
        json!(["cleanup_delivery.v1"])
    );
    assert_eq!(ready["resolved_work_queues"][0]["name"], "default");
    assert_eq!(ready["initial_snapshot"]["snapshot_sequence"], 1);
    assert_eq!(ready["initial_snapshot"]["work_pool"], pool);

    let beat = |name: &str| {
        let payload = json!({
            "consumer_id": consumer, "worker_name": name, "heartbeat_interval_seconds": 60,
        });
        frame("worker.heartbeat.v1", &payload)
    };
    socket.say(&beat("w"));
    socket.checkpoint();
    let workers = http
        .post("/work_pools/p%20q/workers/filter", &json!({}))
        .expect(200);
    assert_eq!(workers[0]["heartbeat_interval_seconds"], 60);

    // What does not change the pool is not told.
    http.patch("/work_pools/p%20q", &json!({ "description": "d" }))
        .expect(204);
    http.patch("/work_pools/p%20q", &json!({ "concurrency_limit": 3 }))
        .expect(204);
    let told = socket.hear();
    assert_eq!(told["type"], "work_pool.snapshot.v1");
    assert_eq!(told["payload"]["snapshot_sequence"], 2);
    assert_eq!(told["payload"]["work_pool"]["concurrency_limit"], 3);

    socket.say(&beat("another"));
    assert_eq!(socket.closing(), (1002, "protocol_error".to_owned()));
}

#[test]
fn a_worker_that_may_not_or_does_not_speak_the_protocol_is_told_why() {
    let daemon = TestDaemon::without_agent();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut payload = hello(Uuid::now_v7());
        change(&mut payload);
        frame("worker.hello.v1", &payload)
    };
    let broken = (1002, "protocol_error");
    let cases = [
        (json!({}), broken),
        (frame("worker.heartbeat.v1", &hello(Uuid::now_v7())), broken),
        (with(&|it| it["odd"] = json!(1)), broken),
        (
            with(&|it| it["heartbeat_interval_seconds"] = json!(0)),
            broken,
        ),
        (
            with(&|it| it["requested_capabilities"] = json!(["worker_heartbeat.v1"])),
            broken,
        ),
        (with(&|it| it["max_cleanup_concurrency"] = json!(1)), broken),
        (
            with(&|it| it["supported_channel_versions"] = json!(["v9"])),
            (1008, "unsupported_version"),
        ),
        (
            with(&|it| it["create_pool_if_not_found"] = json!(false)),
            (1008, "authorization_failed"),
        ),
    ];
    for (said, (code, reason)) in cases {
        let mut socket = Socket::greeted(&daemon, PATH, None);
        socket.say(&said);
        assert_eq!(socket.closing(), (code, reason.to_owned()), "{said}");
    }
    daemon.modern().get("/work_pools/p%20q").expect(404);
}
