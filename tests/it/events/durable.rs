//! What a pong follows is there, whatever becomes of the daemon.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::support::TestDaemon;
use super::super::support::socket::Socket;
use super::{event, found};

/// What a client tells of a task run in a flow run.
fn told(flow_run: &str, task_run: Uuid, kind: &str, run_count: u64) -> Value {
    let mut event = event(&format!("prefect.task-run.{kind}"), "");
    event["resource"] = json!({
        "prefect.resource.id": format!("prefect.task-run.{task_run}"),
        "prefect.orchestration": "client",
    });
    event["related"] = json!([{
        "prefect.resource.id": format!("prefect.flow-run.{flow_run}"),
        "prefect.resource.role": "flow-run",
    }]);
    event["payload"] = json!({
        "intended": { "from": null, "to": kind.to_uppercase() },
        "initial_state": null,
        "validated_state": { "type": kind.to_uppercase(), "name": kind, "message": "",
                             "state_details": {}, "data": null },
        "task_run": { "name": "t", "task_key": "t", "dynamic_key": task_run,
                      "empirical_policy": { "retries": 1 }, "tags": ["x"], "labels": {},
                      "task_inputs": {}, "run_count": run_count, "flow_run_run_count": 1,
                      "expected_start_time": "2026-11-23T18:31:49.076556Z",
                      "total_run_time": 0.25 },
    });
    event
}

#[test]
fn what_a_pong_follows_survives_a_kill() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let mut all = Vec::new();
    for _ in 0..4 {
        let tasks: Vec<_> = (0..150).map(|_| Uuid::now_v7()).collect();
        let mut socket = Socket::greeted(&daemon, "/events/in", None);
        for task in &tasks {
            socket.say(&told(&run, *task, "Running", 1));
            socket.say(&told(&run, *task, "Completed", 1));
        }
        socket.checkpoint();
        daemon.kill();
        daemon.restart(Vec::new());
        all.extend(tasks);
        let body = json!({ "task_runs": { "state": { "type": { "any_": ["COMPLETED"] } } } });
        let count = http.post("/v3/task_runs/count", &body).expect(200);
        assert_eq!(count, json!(all.len()));
    }
    for task in all.iter().step_by(50) {
        let path = format!("/v3/task_run_states/?task_run_id={task}");
        let states = http.get(&path).expect(200);
        let names: Vec<_> = states
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["name"])
            .collect();
        assert_eq!(names, ["Running", "Completed"]);
        let shown = http.get(&format!("/v3/task_runs/{task}")).expect(200);
        assert_eq!(shown["flow_run_id"], json!(run));
        assert_eq!(shown["empirical_policy"]["retries"], 1);
        assert_eq!(shown["state"]["state_details"]["task_run_id"], json!(task));
        assert_eq!(shown["total_run_time"], 0.25);
    }
}

#[test]
fn a_client_s_end_and_the_daemon_s_lose_nothing() {
    let mut daemon = TestDaemon::without_agent();
    let mut socket = Socket::greeted(&daemon, "/events/in", None);
    (0..50).for_each(|n| socket.say(&event("closed", &format!("c{n}"))));
    socket.close();
    let named = |name: &str| json!({ "event": { "name": [name] } });
    assert_eq!(found(&daemon, &named("closed"))["total"], 50);
    let mut listening = Socket::greeted(&daemon, "/events/out", None);
    let mut telling = Socket::greeted(&daemon, "/events/in", None);
    (0..50).for_each(|n| telling.say(&event("stopped", &format!("s{n}"))));
    telling.checkpoint();
    assert!(daemon.terminate().success());
    for socket in [&mut listening, &mut telling] {
        assert_eq!(
            socket.closing(),
            (1012, "the server is stopping".to_owned())
        );
    }
    daemon.restart(Vec::new());
    assert_eq!(found(&daemon, &named("stopped"))["total"], 50);
}
