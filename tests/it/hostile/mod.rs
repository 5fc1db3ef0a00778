//! Hostile values to every operation of both dialects: each is answered in time, none with a
//! fault of the daemon's own, and its memory stays small throughout.

mod content;
mod operations;
mod sender;
mod things;
mod values;

use serde_json::{Value, json};

use crate::support::TestDaemon;
use sender::{Request, Sender, may_wait};
use things::{furnished, path};
use values::Chance;

/// How much memory the daemon may ever have had, in KiB.
const MOST_RESIDENT: u64 = 150 * 1024;

/// How many requests are generated; all of them where time is given for it.
fn generated() -> usize {
    match std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        true => 20_000,
        false => 1000,
    }
}

/// The daemon's description of itself.
fn described(daemon: &TestDaemon) -> Value {
    serde_json::from_str(&daemon.http().text("/openapi.json")).unwrap()
}

#[test]
fn every_operation_stands_hostile_values() {
    let daemon = TestDaemon::without_agent();
    let sender = Sender::new(&daemon);
    let ids = furnished(&daemon.http(), "first");
    let values = values::values();
    let mut chance = Chance::new(1);
    let (mut sent, mut nested) = (0, 0);
    let mut absent = Vec::new();
    for operation in operations::all(&described(&daemon), &ids) {
        // What is deleted would not be there for those that come later.
        if operation.method == "DELETE" || operation.path.ends_with("/bulk_delete") {
            continue;
        }
        let path = path(&operation, &ids);
        let send = |body: Option<String>| {
            let request = Request::new(&operation.method, &path, body);
            sender.send(request).status
        };
        let Some(body) = &operation.body else {
            if send(None) == 404 {
                absent.push(operation.path);
            }
            sent += 1;
            continue;
        };
        send(Some(body.text()));
        // Spoilt deep within, a body may still ask to wait for news.
        let within = match may_wait(&path) {
            true => 0,
            false => 4,
        };
        for value in &values {
            send(Some(value.clone()));
        }
        for field in body.fields.keys() {
            for _ in 0..4 {
                let mut body = body.clone();
                let value = chance.one(&values).clone();
                body.fields.insert(field.clone(), value);
                send(Some(body.text()));
            }
            for _ in 0..within {
                let mut body = body.clone();
                if body.spoil_within(field, &mut chance, &values) {
                    send(Some(body.text()));
                    nested += 1;
                }
            }
        }
        sent += 1;
    }
    assert!(absent.len() < 3, "nothing is there: {absent:?}");
    assert!(sent > 60 && nested > 500, "{sent} and {nested}");
    sender.check(MOST_RESIDENT);
}

#[test]
fn hostile_paths_and_queries_are_refused() {
    let daemon = TestDaemon::without_agent();
    let sender = Sender::new(&daemon);
    let ids = furnished(&daemon.http(), "first");
    let long = "x".repeat(5000);
    for operation in operations::all(&described(&daemon), &ids) {
        for word in [
            "0",
            "%00",
            "%ff",
            "..%2f",
            "%F0%9F%98%80",
            "-",
            long.as_str(),
        ] {
            let mut path = operation.path.clone();
            while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
                path.replace_range(start..=end, word);
            }
            for name in &operation.query {
                path += &format!("?{name}={word}&{name}");
            }
            if path == operation.path {
                break;
            }
            let body = operation.body.as_ref().map(operations::Body::text);
            sender.send(Request::new(&operation.method, &path, body));
        }
    }
    sender.check(MOST_RESIDENT);
}

#[test]
fn generated_requests_are_answered() {
    let daemon = TestDaemon::without_agent();
    let sender = Sender::new(&daemon);
    let values = values::values();
    let small = values.iter().filter(|value| value.len() < 1000);
    let small: Vec<_> = small.cloned().collect();
    let document = described(&daemon);
    let seed = std::process::id().into();
    eprintln!("seed {seed}");
    let mut chance = Chance::new(seed);
    let mut ids = furnished(&daemon.http(), "first");
    let mut operations = operations::all(&document, &ids);
    for number in 0..generated() {
        if number % 500 == 499 {
            // What was there may have been deleted.
            ids = furnished(&daemon.http(), &format!("flow-{number}"));
            operations = operations::all(&document, &ids);
        }
        let operation = chance.one(&operations);
        let body = operation.body.as_ref().map(|body| {
            let mut body = body.clone();
            let names: Vec<_> = body.fields.keys().cloned().collect();
            for name in names {
                match chance.below(10) {
                    0..5 => drop(body.fields.remove(&name)),
                    5 => drop(body.fields.insert(name, chance.one(&small).clone())),
                    6 | 7 => drop(body.spoil_within(&name, &mut chance, &small)),
                    _ => {}
                }
            }
            if chance.below(10) == 0 {
                let name = chance.one(&["", "id", "x", "parameters", "state"]);
                let value = chance.one(&values).clone();
                body.fields.insert((*name).to_owned(), value);
            }
            body.text()
        });
        sender.send(Request::new(
            &operation.method,
            &path(operation, &ids),
            body,
        ));
    }
    sender.check(MOST_RESIDENT);
}

#[test]
fn large_faulty_bodies_cost_little() {
    let daemon = TestDaemon::without_agent();
    let sender = Sender::new(&daemon);
    let http = daemon.http();
    let ids = furnished(&http, "first");
    let state = format!("/api/flow_runs/{}/set_state", ids["flow_run_id"]);
    let inputs = format!("{{\"task_inputs\":{{\"x\":[{}1]}}}}", "1,".repeat(450_000));
    let lines = format!("[{}1]", "{},".repeat(120_000));
    let deep_keys = format!(
        "{{\"task_inputs\":{{\"{}\":[{}1]}}}}",
        "k".repeat(1_000_000),
        "1,".repeat(1000)
    );
    let mebibytes = "x".repeat(3 << 20);
    let unfinished = format!("{{\"name\":\"{mebibytes}");
    let unknown = format!("{{\"{mebibytes}\":1}}");
    for path in [
        "/api/task_runs/",
        "/api/v3/task_runs/",
        "/api/logs/",
        "/api/v3/logs/",
        state.as_str(),
    ] {
        for body in [&inputs, &lines, &deep_keys, &unfinished, &unknown] {
            let answer = sender.send(Request::new("POST", path, Some(body.clone())));
            assert_eq!(answer.status, 422, "{path}");
            assert!(answer.text.len() < 100_000, "{path}: {}", answer.text.len());
            let told: Value = serde_json::from_str(&answer.text).unwrap();
            let faults = told["exception_detail"].as_array().unwrap();
            assert!((1..=100).contains(&faults.len()), "{}", faults.len());
        }
    }
    sender.check(MOST_RESIDENT);
}

#[test]
fn filters_and_names_have_limits() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("first");
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    let long = "x".repeat(20_000);
    for dialect in ["", "/v3"] {
        for noun in ["flows", "deployments", "flow_runs", "task_runs"] {
            let asked = |filter: Value| {
                let path = format!("{dialect}/{noun}/filter");
                http.post(&path, &json!({ noun: filter })).status
            };
            let tags = |count| asked(json!({ "tags": { "all_": many(count) } }));
            let names = |count| asked(json!({ "name": { "any_": many(count) } }));
            assert_eq!((tags(100), tags(40_000)), (200, 422), "{dialect} {noun}");
            assert_eq!((names(1000), names(40_000)), (200, 422), "{dialect} {noun}");
        }
        let made = http.post(&format!("{dialect}/flows/"), &json!({ "name": long }));
        assert_eq!(made.status, 422);
        assert!(made.body["exception_detail"].is_array(), "{}", made.body);
        let tagged = json!({ "name": "tagged", "tags": many(10_000) });
        assert_eq!(http.post(&format!("{dialect}/flows/"), &tagged).status, 422);
        let run = json!({ "flow_id": flow, "idempotency_key": long });
        assert_eq!(
            http.post(&format!("{dialect}/flow_runs/"), &run).status,
            422
        );
    }
}

#[test]
fn a_page_of_large_runs_is_refused_and_each_can_be_read() {
    let daemon = TestDaemon::without_agent();
    let sender = Sender::new(&daemon);
    let http = daemon.http();
    let flow = http.flow("first");
    let large = json!({ "flow_id": flow, "parameters": { "x": "y".repeat(4 << 20) } });
    let text = large.to_string();
    let mut last = String::new();
    for _ in 0..12 {
        let answer = sender.send(Request::new("POST", "/api/flow_runs/", Some(text.clone())));
        assert_eq!(answer.status, 201);
        let run: Value = serde_json::from_str(&answer.text).unwrap();
        last = run["id"].as_str().unwrap().to_owned();
    }
    for dialect in ["/api", "/api/v3"] {
        let asked = |limit: u32| {
            let path = format!("{dialect}/flow_runs/filter");
            let body = json!({ "limit": limit }).to_string();
            sender.send(Request::new("POST", &path, Some(body)))
        };
        let refused = asked(200);
        assert_eq!(refused.status, 413);
        assert!(refused.text.contains("ask for fewer"), "{}", refused.text);
        assert_eq!(asked(3).status, 200);
        let one = sender.send(Request::new(
            "GET",
            &format!("{dialect}/flow_runs/{last}"),
            None,
        ));
        assert_eq!(one.status, 200);
    }
    sender.check(MOST_RESIDENT);
}
