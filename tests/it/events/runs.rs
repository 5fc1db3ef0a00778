//! What flow runs do and say is told as it happens.

use serde_json::{Value, json};

use super::super::support::TestDaemon;
use super::super::support::socket::Socket;

fn listening(daemon: &TestDaemon, path: &str, filter: &Value) -> Socket {
    let mut socket = Socket::greeted(daemon, path, None);
    socket.say(&json!({ "type": "filter", "filter": filter }));
    socket
}

fn state(kind: &str, name: &str) -> Value {
    json!({ "state": { "type": kind, "name": name, "message": "so it is" } })
}

#[test]
fn each_state_is_an_event_of_its_own_id() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = http
        .post("/flows/", &json!({ "name": "f", "tags": ["b", "a"] }))
        .expect(201);
    let new = json!({ "flow_id": flow["id"], "name": "r", "tags": ["c", "a"] });
    let run = http.post("/flow_runs/", &new).expect(201);
    let id = format!("prefect.flow-run.{}", run["id"].as_str().unwrap());
    let ahead = json!({ "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    let filter = json!({ "any_resource": { "id": [id] }, "occurred": ahead });
    let mut socket = listening(&daemon, "/events/out", &filter);
    let first = socket.hear()["event"].clone();
    assert_eq!(first["event"], "prefect.flow-run.Pending");
    assert_eq!(first["id"], run["state"]["id"]);
    assert_eq!(first["follows"], Value::Null);
    let intended = json!({ "from": null, "to": "PENDING" });
    assert_eq!(first["payload"]["intended"], intended);

    let path = format!("/flow_runs/{}/set_state", run["id"].as_str().unwrap());
    let set = http.post(&path, &state("RUNNING", "Busy")).expect(201);
    let event = socket.hear()["event"].clone();
    assert_eq!(event["event"], "prefect.flow-run.Busy");
    assert_eq!(event["id"], set["state"]["id"]);
    assert_eq!(event["follows"], first["id"]);
    let resource = &event["resource"];
    let at = resource["prefect.state-timestamp"].as_str().unwrap();
    let expected = json!({
        "prefect.resource.id": id,
        "prefect.resource.name": "r",
        "prefect.run-count": "1",
        "prefect.state-message": "so it is",
        "prefect.state-name": "Busy",
        "prefect.state-timestamp": at,
        "prefect.state-type": "RUNNING",
    });
    assert_eq!(*resource, expected);
    assert!(at.ends_with("+00:00"), "{at}");
    let flow_id = format!("prefect.flow.{}", flow["id"].as_str().unwrap());
    let tag = |tag: &str| json!({ "prefect.resource.id": format!("prefect.tag.{tag}"), "prefect.resource.role": "tag" });
    let flow = json!({
        "prefect.resource.id": flow_id,
        "prefect.resource.role": "flow",
        "prefect.resource.name": "f",
    });
    assert_eq!(
        event["related"],
        json!([flow, tag("a"), tag("b"), tag("c")])
    );
    let payload = json!({
        "intended": { "from": "PENDING", "to": "RUNNING" },
        "initial_state": { "type": "PENDING", "name": "Pending" },
        "validated_state": { "type": "RUNNING", "name": "Busy", "message": "so it is" },
    });
    assert_eq!(event["payload"], payload);

    // What is refused is no step.
    http.post(&path, &state("COMPLETED", "Completed"))
        .expect(201);
    http.post(&path, &state("PAUSED", "Paused")).expect(200);
    assert_eq!(
        socket.hear()["event"]["event"],
        "prefect.flow-run.Completed"
    );
    let cancelling = state("CANCELLING", "Cancelling");
    let forced = json!({ "state": cancelling["state"], "force": true });
    http.post(&path, &forced).expect(201);
    assert_eq!(
        socket.hear()["event"]["event"],
        "prefect.flow-run.Cancelling"
    );
}

#[test]
fn lines_are_told_to_those_who_ask_for_them() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "f" })).expect(201);
    let run = || {
        let new = json!({ "flow_id": flow["id"] });
        http.post("/flow_runs/", &new).expect(201)["id"].clone()
    };
    let (run, other) = (run(), run());
    let say = |run: &Value, level: i64, message: &str| {
        let line = json!({
            "name": "prefect.flow_runs",
            "level": level,
            "message": message,
            "timestamp": chrono::Utc::now(),
            "flow_run_id": run,
        });
        http.post("/logs/", &json!([line])).expect(201);
    };
    say(&run, 20, "before anybody listens");
    let filter = json!({
        "flow_run_id": { "any_": [run] }, "level": { "ge_": 20 }, "timestamp": null,
        "task_run_id": null, "text": null, "operator": "and_",
    });
    let mut socket = listening(&daemon, "/logs/out", &filter);
    // It listens from here on.
    socket.checkpoint();
    say(&other, 20, "of another run");
    say(&run, 10, "of a lower level");
    say(&run, 20, "one");
    say(&run, 40, "two");
    for (message, level) in [("one", 20), ("two", 40)] {
        let told = socket.hear();
        assert_eq!(told["type"], "log");
        assert_eq!(told["log"]["message"], message);
        assert_eq!(told["log"]["level"], level);
        assert_eq!(told["log"]["flow_run_id"], run);
    }
    let mut odd = listening(&daemon, "/logs/out", &json!({ "level": { "ge_": "x" } }));
    let (code, reason) = odd.closing();
    assert_eq!(code, 1002);
    assert!(reason.contains("Invalid filter"), "{reason}");
}
