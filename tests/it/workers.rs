//! Workers that are not this daemon's own: how they keep in touch, and the real ones of 3.9.1.

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

#[cfg(feature = "client")]
mod real {
    use std::fs::File;
    use std::process::{Child, Stdio};

    use super::*;
    use crate::modern::{Place, ended_tasks, names, only_run, states_of, told};
    use crate::support::flows::file;
    use crate::support::wait_for;

    /// A worker in the foreground of its own, that goes with the test.
    struct Worker {
        child: Child,
        log: std::path::PathBuf,
    }

    impl Worker {
        fn start(place: &Place, daemon: &TestDaemon, name: &str) -> Self {
            let log = place.0.path().join(format!("{name}.log"));
            let out = File::create(&log).unwrap();
            let child = place
                .program(daemon, "prefect")
                .args(["worker", "start", "--pool", "p", "--name", name])
                .env("PREFECT_LOGGING_LEVEL", "DEBUG")
                .stdout(Stdio::from(out.try_clone().unwrap()))
                .stderr(Stdio::from(out))
                .spawn()
                .unwrap();
            Self { child, log }
        }

        fn told(&self) -> String {
            std::fs::read_to_string(&self.log).unwrap()
        }
    }

    impl Drop for Worker {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn says(place: &Place, daemon: &TestDaemon, words: &[&str]) -> String {
        let output = place
            .program(daemon, "prefect")
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", told(&output));
        told(&output)
    }

    /// Deploys a flow of `tests/flows/modern.py` to a pool of processes.
    fn deploy(place: &Place, daemon: &TestDaemon, flow: &str, parameters: &Value) {
        says(
            place,
            daemon,
            &["work-pool", "create", "--type", "process", "p"],
        );
        let http = daemon.modern();
        let made = http.post("/flows/", &json!({ "name": flow })).expect(201);
        let folder = file("modern.py");
        let deployment = json!({
            "name": "test",
            "flow_id": made["id"],
            "work_pool_name": "p",
            "path": folder.parent().unwrap(),
            "entrypoint": format!("modern.py:{flow}"),
            "parameters": parameters,
        });
        http.post("/deployments/", &deployment).expect(201);
    }

    #[test]
    fn a_process_worker_runs_what_is_deployed_and_stops_what_is_cancelled() {
        let (daemon, place) = (TestDaemon::without_agent(), Place::new());
        let parameters = json!({ "mark": place.mark(), "many": 3 });
        deploy(&place, &daemon, "mapped", &parameters);
        let worker = Worker::start(&place, &daemon, "w");
        says(
            &place,
            &daemon,
            &["deployment", "run", "mapped/test", "--watch"],
        );
        assert_eq!(place.marks(), ["0", "1", "2"]);
        let run = only_run(&daemon, "mapped");
        let states = states_of(&daemon, &run);
        let expected = ["Scheduled", "Pending", "Submitting", "Running", "Completed"];
        let told: Vec<_> = names(&states);
        assert_eq!(told.first(), Some(&expected[0]), "{told:?}");
        assert_eq!(told.last(), Some(&expected[4]), "{told:?}");
        ended_tasks(&daemon, &run, 3);

        let http = daemon.modern();
        let path = format!(
            "/deployments/{}/create_flow_run",
            run["deployment_id"].as_str().unwrap()
        );
        let slow = json!({ "parameters": { "seconds": 600.0 } });
        http.post(&path, &slow).expect(201);
        let running = || {
            let asked = json!({ "flow_runs": { "state": { "type": { "any_": ["RUNNING"] } } } });
            let runs = http.post("/flow_runs/filter", &asked).expect(200);
            runs.as_array().unwrap().first().cloned()
        };
        let run = wait_for("the slow run to run", running);
        let id = run["id"].as_str().unwrap();
        says(&place, &daemon, &["flow-run", "cancel", id]);
        let ended = daemon.http().ended(id);
        assert_eq!(ended["state"]["name"], "Cancelled", "{}", worker.told());

        let log = worker.told();
        for words in [
            "HTTP/1.1 4",
            "HTTP/1.1 5",
            "Worker channel disabled",
            "Traceback",
            "Unable",
        ] {
            assert!(!log.contains(words), "{words}: {log}");
        }
    }
}
