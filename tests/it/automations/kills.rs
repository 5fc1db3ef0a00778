//! What automations decide is done once, whenever the daemon dies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{EXECUTED, deployment, event, on};
use crate::support::socket::Socket;
use crate::support::{TestDaemon, wait_for};

const AUTOMATIONS: usize = 50;
/// How many events come between two kills.
const AT_ONCE: usize = 25;

/// How often the daemon is killed.
fn kills() -> usize {
    match std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        true => 1_000,
        false => 10,
    }
}

/// Tells events; where `is_confirmed`, until they are stored.
fn tell(daemon: &TestDaemon, events: &[Value], is_confirmed: bool) {
    let mut socket = Socket::greeted(daemon, "/events/in", None);
    events.iter().for_each(|event| socket.say(event));
    if is_confirmed {
        socket.checkpoint();
    }
}

#[test]
fn what_is_decided_is_done_once_whatever_dies() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = deployment(&http);
    let action = json!({
        "type": "run-deployment",
        "deployment_id": deployment,
        "parameters": { "of": "{{ event.id }}" },
    });
    for n in 0..AUTOMATIONS {
        on(&http, &format!("go{n}"), &json!([action]));
    }
    let mut total = 0;
    for round in 0..kills() {
        let events: Vec<_> = (total..total + AT_ONCE)
            .map(|n| event(&format!("go{}", n * 7 % AUTOMATIONS), "x"))
            .collect();
        let is_confirmed = round % 2 == 0;
        tell(&daemon, &events, is_confirmed);
        // Somewhere in what these come to.
        std::thread::sleep(Duration::from_millis(7 * (round as u64 % 5)));
        daemon.kill();
        daemon.restart(Vec::new());
        if !is_confirmed {
            // As a client does that has had no answer.
            tell(&daemon, &events, true);
        }
        total += AT_ONCE;
    }
    let http = daemon.http();
    let filter = json!({ "filter": {
        "event": { "name": [EXECUTED] },
        "occurred": { "since": "2020-01-01T00:00:00Z" },
    } });
    wait_for("all to be done", || {
        let page = http.post("/v3/events/filter", &filter).expect(200);
        (page["total"] == total).then_some(())
    });
    let database = rusqlite::Connection::open(daemon.database()).unwrap();
    let mut runs = database
        .prepare("SELECT json_extract(parameters, '$.of') FROM flow_runs")
        .unwrap();
    let mut times = BTreeMap::new();
    for of in runs.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        *times.entry(of.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(times.len(), total);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    let count = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM automation_work"), 0);
    assert_eq!(count("SELECT count(*) FROM automation_firings"), 0);
}
