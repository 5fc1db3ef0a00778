//! A client that leaves takes nothing along: what its request entails happens at once.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{Http, Options, TestDaemon, interpreter, wait_for};

/// How many clients leave.
const CLIENTS: u64 = 40;
/// How long a request takes at most that its client did not wait for.
const SOON: Duration = Duration::from_secs(1);

/// With an agent that never looks by itself, and runs that end at once.
fn with_an_agent_that_waits(dir: &std::path::Path) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![
            ("PREFECTD_RUNNERS__PYTHON", interpreter(dir, "exit 0")),
            ("PREFECTD_AGENT__POLL_SECS", "100000".to_owned()),
        ],
        ..Options::default()
    })
}

/// Sends a request and leaves a moment later.
fn send_and_leave(daemon: &TestDaemon, path: &str, body: &Value, moment: Duration) {
    let body = body.to_string();
    let address = daemon.url().replace("http://", "");
    let mut client = TcpStream::connect(&address).unwrap();
    write!(
        client,
        "POST /api{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    std::thread::sleep(moment);
}

/// The state's type of the run of that name.
fn state_of(http: &Http, name: &str) -> Option<String> {
    let filter = json!({ "flow_runs": { "name": { "any_": [name] } } });
    let found = http.post("/v3/flow_runs/filter", &filter).expect(200);
    found[0]["state"]["type"].as_str().map(str::to_owned)
}

#[test]
fn a_run_of_a_client_that_left_begins_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = with_an_agent_that_waits(dir.path());
    let http = daemon.http();
    let id = http.deployment(&http.flow("f"), "d", &json!({ "type": "subprocess" }));
    let mut made = 0;
    for number in 0..CLIENTS {
        let name = format!("left-{number}");
        let dialect = if number % 2 == 0 { "" } else { "/v3" };
        let path = format!("{dialect}/deployments/{id}/create_flow_run");
        let body = json!({ "name": name, "state": { "type": "SCHEDULED" } });
        send_and_leave(&daemon, &path, &body, Duration::from_micros(300 * number));
        // What was not taken up yet leaves with its client.
        let begun = Instant::now();
        while state_of(&http, &name).is_none() && begun.elapsed() < SOON {
            std::thread::sleep(Duration::from_millis(20));
        }
        if state_of(&http, &name).is_none() {
            continue;
        }
        made += 1;
        wait_for("the run to begin", || {
            state_of(&http, &name).filter(|state| state != "SCHEDULED")
        });
    }
    assert!(made >= 5, "{made} of {CLIENTS} requests were taken up");
}

#[test]
fn the_first_run_of_a_schedule_begins_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = with_an_agent_that_waits(dir.path());
    let http = daemon.http();
    let flow = http.flow("f");
    // The agent has looked, and found nothing to wait for.
    let first = http.deployment(&flow, "first", &json!({ "type": "subprocess" }));
    let run = http.run_deployment(&first);
    let name = run["name"].as_str().unwrap();
    wait_for("the first run to end", || {
        state_of(&http, name).filter(|state| state == "CRASHED")
    });
    let body = json!({
        "flow_id": flow,
        "name": "d",
        "flow_data": { "encoding": "x", "blob": "y" },
        "flow_runner": { "type": "subprocess" },
        "schedule": { "interval": 3 },
    });
    http.post("/deployments/", &body).expect(201);
    let filter = json!({ "flow_runs": { "state": { "type": { "any_": ["CRASHED"] } } } });
    wait_for("some of its runs to end", || {
        let ended = http.post("/v3/flow_runs/count", &filter).expect(200);
        (ended.as_u64() > Some(3)).then_some(())
    });
}
