//! What containers print, and what is kept of it.

use serde_json::{Value, json};

use super::super::support::flows::{deploy, run};
use super::super::support::{Http, TestDaemon, wait_for};
use super::{Marked, daemon};

/// How many lines a talkative flow prints.
const MANY: usize = 100_000;
/// The most memory that a daemon may take meanwhile beside its program, in kB.
const MEMORY: u64 = 60_000;

/// All that a run's process printed: its lines with their streams, in order. A short log.
fn printed(http: &Http, id: &str) -> Vec<(String, Value)> {
    let asked = json!({
        "logs": { "flow_run_id": { "any_": [id] } },
        "sort": "TIMESTAMP_ASC",
    });
    let lines = http.post("/v3/logs/filter", &asked).expect(200);
    let lines = lines.as_array().unwrap().clone().into_iter();
    let ours = lines.filter(|line| line["name"] == "prefectd.container");
    ours.map(|line| {
        let text = line["message"].as_str().unwrap().to_owned();
        (text, line["stream"].clone())
    })
    .collect()
}

/// The lines of the only flow that printed any, read from the database: page by page they
/// take minutes.
fn stored(daemon: &TestDaemon) -> Vec<String> {
    let database = rusqlite::Connection::open(daemon.state_dir().join("prefectd.db")).unwrap();
    let sql = "SELECT message FROM logs WHERE name = 'prefectd.container' AND message LIKE 'line %'
               ORDER BY timestamp, id";
    let mut lines = database.prepare(sql).unwrap();
    let lines = lines.query_map([], |row| row.get(0)).unwrap();
    lines.map(Result::unwrap).collect()
}

#[test]
fn both_streams_are_kept_in_their_order() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "streams", &json!({}));
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    let lines = wait_for("all of its output", || {
        let mut lines = printed(&daemon.http(), &id);
        lines.retain(|(text, _)| text.starts_with("out ") || text.starts_with("err "));
        (lines.len() == 6).then_some(lines)
    });
    for stream in ["stdout", "stderr"] {
        let word = &stream[3..];
        let said = lines.iter().filter(|(_, from)| from == stream);
        let said: Vec<_> = said.map(|(text, _)| text.clone()).collect();
        let expected: Vec<_> = (0..3).map(|number| format!("{word} {number}")).collect();
        assert_eq!(said, expected);
    }
    // The other generation's clients refuse a key that they do not know.
    let asked = json!({ "logs": { "flow_run_id": { "any_": [id] } } });
    let told = daemon.http().post("/logs/filter", &asked).expect(200);
    assert!(told[0].get("stream").is_none(), "{told}");
}

/// A process's resident memory at its highest but for the pages of its program, which is as large
/// as it was built, in kB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |what: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    of("VmHWM") - of("RssFile")
}

#[test]
fn a_hundred_thousand_lines_are_kept_through_a_restart_in_little_memory() {
    let (mut daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "chatty", &json!({ "lines": MANY }));
    let asked = json!({ "logs": { "flow_run_id": { "any_": [id] } }, "offset": 5_000 });
    wait_for("some of it", || {
        let lines = daemon.http().post("/v3/logs/filter", &asked).expect(200);
        (!lines.as_array().unwrap().is_empty()).then_some(())
    });
    assert!(peak(daemon.pid()) < MEMORY, "{}", peak(daemon.pid()));
    daemon.kill();
    daemon.restart(Vec::new());
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    wait_for("the last line", || {
        (daemon.status()["agent"]["slots_used"] == 0).then_some(())
    });
    let peak = peak(daemon.pid());
    assert!(peak < MEMORY, "{peak} kB");
    let lines = wait_for("its output to be closed", || {
        let lines = stored(&daemon);
        (lines.len() >= MANY).then_some(lines)
    });
    assert_eq!(lines.len(), MANY);
    for (number, text) in lines.iter().enumerate() {
        assert_eq!(*text, format!("line {number}"));
    }
}
