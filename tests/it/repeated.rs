//! Every verb that writes comes again, since its daemon dies between commit and answer. The
//! real relay repeats it, and what it does is done once.

mod newer;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};

use super::support::{Options, PATIENCE, TestDaemon, wait_for};

/// The commit after which each daemon dies: late enough that nothing dies of it twice.
const DIES: &str = "after-commit:23";
/// How many requests of a kind there are at least.
const LEAST: usize = 10;
/// And at most, until a daemon has died over one.
const MOST: usize = 40;

fn dying() -> Vec<(&'static str, String)> {
    vec![("PREFECTD_FAULT", DIES.to_owned())]
}

/// Sends requests of one kind until a daemon has died meanwhile.
fn insist(deaths: &AtomicU32, mut send: impl FnMut(usize)) -> usize {
    let before = deaths.load(Ordering::SeqCst);
    for count in 0..MOST {
        if count >= LEAST && deaths.load(Ordering::SeqCst) > before {
            return count;
        }
        send(count);
    }
    panic!("no daemon has died over {MOST} requests");
}

/// Sends requests through the relay as the 2.0a7 client does, and passes over what precedes
/// their answers.
struct Client(u16);

struct Answer {
    status: u16,
    body: Value,
}

impl Client {
    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.2", self.0)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} /api{path} HTTP/1.1\r\nhost: x\r\nuser-agent: python-httpx/0\r\n\
             content-type: application/json\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let text = text.replace("HTTP/1.1 102 Processing\r\n\r\n", "");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let answer = Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: serde_json::from_str(body).unwrap_or_default(),
        };
        let is_well = (200..300).contains(&answer.status);
        assert!(is_well, "{method} {path}: {head} {}", answer.body);
        answer
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &body.to_string())
    }

    fn flow(&self, name: &str) -> String {
        id(&self.post("/flows/", &json!({ "name": name })).body)
    }

    fn deployment(&self, flow: &str, name: &str) -> String {
        let runner = json!({ "type": "subprocess", "config": {} });
        let data = json!({ "encoding": "x", "blob": "y" });
        let body = json!({
            "flow_id": flow, "name": name, "flow_data": data, "flow_runner": runner,
        });
        id(&self.post("/deployments/", &body).body)
    }

    /// How many states of a run there are.
    fn states(&self, kind: &str, run: &str) -> usize {
        let path = format!("/{kind}_states/?{kind}_id={run}");
        self.send("GET", &path, "").body.as_array().unwrap().len()
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn whatever_writes_is_done_once_though_its_daemon_dies_before_it_answers() {
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: dying(),
        ..Options::default()
    });
    wait_for("the relay", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    let http = Client(daemon.port());
    let (deaths, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let over = Over(&is_over);
            replay(&http, &deaths);
            drop(over);
        });
        while !is_over.load(Ordering::SeqCst) {
            if daemon.has_ended() {
                deaths.fetch_add(1, Ordering::SeqCst);
                daemon.begin_again(dying());
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        client.join().unwrap();
    });
    eprintln!("{} deaths", deaths.load(Ordering::SeqCst));
}

/// Tells that the client has ended, however it has.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn replay(http: &Client, deaths: &AtomicU32) {
    let count = |what: &str| http.post(&format!("/{what}/count"), &json!({})).body;
    let well = |status: u16| assert!(status < 300);
    let flow = http.flow("f");
    let deployment = http.deployment(&flow, "d");
    let later = json!({ "state": {
        "type": "SCHEDULED", "state_details": { "scheduled_time": "2099-01-01T00:00:00+00:00" }
    } });

    // What makes something.
    let flows = insist(deaths, |n| drop(http.flow(&format!("flow {n}"))));
    assert_eq!(count("flows"), flows + 1);
    let deployments = insist(deaths, |n| drop(http.deployment(&flow, &format!("d {n}"))));
    assert_eq!(count("deployments"), deployments + 1);
    let mut runs = 0;
    let create = json!({ "flow_id": flow });
    for path in ["/flow_runs/", "/v3/flow_runs/"] {
        runs += insist(deaths, |_| well(http.post(path, &create).status));
        assert_eq!(count("flow_runs"), runs, "{path}");
    }
    for dialect in ["", "/v3"] {
        let path = format!("{dialect}/deployments/{deployment}/create_flow_run");
        runs += insist(deaths, |_| well(http.post(&path, &later).status));
        assert_eq!(count("flow_runs"), runs, "{path}");
    }
    let run = id(&http.post("/flow_runs/", &create).body);
    let task =
        |n: usize| json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": n.to_string() });
    let tasks = insist(deaths, |n| well(http.post("/task_runs/", &task(n)).status));
    assert_eq!(count("task_runs"), tasks);
    let mut lines = 0;
    for path in ["/logs/", "/v3/logs/"] {
        let line = |n: usize| {
            json!([{
                "name": "l", "level": 20, "message": format!("{path} {n}"),
                "timestamp": "2030-01-01T00:00:00+00:00", "flow_run_id": run,
            }])
        };
        lines += insist(deaths, |n| well(http.post(path, &line(n)).status));
        let asked = json!({ "logs": { "flow_run_id": { "any_": [run] } } });
        let stored = http.post("/logs/filter", &asked).body;
        assert_eq!(stored.as_array().unwrap().len(), lines, "{path}");
    }
    let search = |n: usize| json!({ "name": format!("s {n}") });
    insist(deaths, |n| {
        well(
            http.send("PUT", "/saved_searches/", &search(n).to_string())
                .status,
        );
    });
    // A document is known by its content, without the database.
    let document = || http.send("POST", "/data/persist", "document").body;
    assert_eq!(document(), document());

    // What changes something.
    let state = json!({ "state": { "type": "RUNNING" }, "force": true });
    let path = format!("/flow_runs/{run}/set_state");
    let states = insist(deaths, |_| well(http.post(&path, &state).status));
    assert_eq!(http.states("flow_run", &run), states + 1);
    let task = id(&http.post("/task_runs/", &task(0)).body);
    let path = format!("/task_runs/{task}/set_state");
    let states = insist(deaths, |_| well(http.post(&path, &state).status));
    assert_eq!(http.states("task_run", &task), states + 1);
    let named = |n: usize| json!({ "name": format!("name {n}") });
    insist(deaths, |n| {
        well(
            http.send("PATCH", &format!("/flow_runs/{run}"), &named(n).to_string())
                .status,
        );
    });
    let tagged = |n: usize| json!({ "tags": [n.to_string()] });
    insist(deaths, |n| {
        well(
            http.send("PATCH", &format!("/flows/{flow}"), &tagged(n).to_string())
                .status,
        );
    });
    for verb in ["set_schedule_inactive", "set_schedule_active"] {
        let path = format!("/deployments/{deployment}/{verb}");
        insist(deaths, |_| well(http.post(&path, &json!({})).status));
    }
    // Without a schedule there is nothing to write. Nobody else makes its runs so far ahead.
    let body = json!({
        "flow_id": flow, "name": "daily", "flow_data": { "encoding": "x", "blob": "y" },
        "schedule": { "interval": 86400 },
    });
    let daily = id(&http.post("/deployments/", &body).body);
    let path = format!("/deployments/{daily}/schedule");
    let made = insist(deaths, |n| {
        let year = 2100 + n;
        let ask = json!({ "start_time": format!("{year}-01-01T00:00:00+00:00"), "max_runs": 1 });
        well(http.post(&path, &ask).status);
    });
    let ahead = json!({ "flow_runs": {
        "expected_start_time": { "after_": "2100-01-01T00:00:00+00:00" },
    } });
    assert_eq!(http.post("/flow_runs/count", &ahead).body, made);

    newer::replay(http, deaths);

    // What takes something away is never told that it is gone already.
    let all = |path: &str| -> Vec<String> {
        let found = http.post(path, &json!({ "limit": 200 })).body;
        found.as_array().unwrap().iter().map(id).collect()
    };
    for noun in [
        "task_runs",
        "flow_runs",
        "deployments",
        "saved_searches",
        "flows",
    ] {
        let ids = all(&format!("/{noun}/filter"));
        let mut ids = ids.iter();
        let gone = insist(deaths, |n| match ids.next() {
            Some(id) => well(http.send("DELETE", &format!("/{noun}/{id}"), "").status),
            // There may be fewer than it takes for a daemon to die.
            None => drop(http.flow(&format!("other {noun} {n}"))),
        });
        eprintln!("{noun}: {gone}");
    }
    insist(deaths, |_| {
        well(
            http.post("/admin/database/clear", &json!({ "confirm": true }))
                .status,
        );
    });
}
