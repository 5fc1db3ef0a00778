//! `/metrics`: its form, and that what it tells is so.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use regex::Regex;
use serde_json::json;

use super::support::{TestDaemon, wait_for};

/// Samples by their name and labels, as written.
type Samples = HashMap<String, f64>;

/// Reads the text form, version 0.0.4, and fails where it is broken.
#[track_caller]
fn parsed(text: &str) -> Samples {
    let sample = Regex::new(
        r#"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*")*\})? (\S+)$"#,
    )
    .unwrap();
    let mut types = HashMap::new();
    let mut helped = HashSet::new();
    let mut samples = Samples::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "HELP", name, help] => {
                assert!(
                    !help.is_empty() && helped.insert((*name).to_owned()),
                    "{line}"
                );
            }
            ["#", "TYPE", name, kind] => {
                assert!(["counter", "gauge", "histogram"].contains(kind), "{line}");
                assert!(helped.contains(*name), "{line}");
                assert_eq!(name.ends_with("_total"), *kind == "counter", "{line}");
                assert!(
                    types
                        .insert((*name).to_owned(), (*kind).to_owned())
                        .is_none()
                );
            }
            _ => {
                let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
                let name = &parts[1];
                let is_series = |(base, kind): (&String, &String)| match kind.as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|end| name.strip_suffix(end) == Some(base)),
                    _ => name == base,
                };
                assert!(types.iter().any(is_series), "no type before {line}");
                let value = parts[3].parse().unwrap_or_else(|_| panic!("{line}"));
                let key = line.rsplit_once(' ').unwrap().0.to_owned();
                assert!(samples.insert(key, value).is_none(), "twice: {line}");
            }
        }
    }
    check_buckets(text, &samples);
    samples
}

/// Buckets never fall, and the last one counts all.
#[track_caller]
fn check_buckets(text: &str, samples: &Samples) {
    let mut last: Option<(String, f64)> = None;
    for line in text.lines().filter(|line| line.contains("_bucket{")) {
        let (key, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let (series, bound) = key.split_once("le=\"").unwrap();
        if let Some((earlier, least)) = &last
            && earlier == series
        {
            assert!(value >= *least, "{line}");
        }
        if bound.starts_with("+Inf") {
            let labels = series.split_once('{').unwrap();
            let labels = (labels.0, labels.1.trim_end_matches(','));
            let count = match labels.1 {
                "" => labels.0.replace("_bucket", "_count"),
                inner => format!("{}{{{inner}}}", labels.0.replace("_bucket", "_count")),
            };
            assert_eq!(samples[&count], value, "{line}");
        }
        last = Some((series.to_owned(), value));
    }
    assert!(last.is_some());
}

fn metrics(daemon: &TestDaemon) -> Samples {
    parsed(&daemon.http().text("/metrics"))
}

#[test]
fn the_meters_move_with_what_happens() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let before = metrics(&daemon);
    assert_eq!(before["prefectd_flow_runs{state=\"PENDING\"}"], 0.0);
    let flow = http.flow("counted");
    for _ in 0..5 {
        http.flow_run(&flow);
    }
    assert_eq!(http.get("/flow_runs/nonsense").status, 422);
    // Runs are counted every few seconds.
    let after = wait_for("the runs to be counted", || {
        let now = metrics(&daemon);
        (now["prefectd_flow_runs{state=\"PENDING\"}"] == 5.0).then_some(now)
    });
    let moved = |name: &str| after[name] - before[name];
    let orion = |class| {
        moved(&format!(
            "prefectd_http_request_seconds_count{{dialect=\"orion\",status=\"{class}\"}}"
        ))
    };
    assert_eq!((orion("2xx"), orion("4xx"), orion("5xx")), (6.0, 1.0, 0.0));
    assert!(moved("prefectd_http_request_seconds_count{dialect=\"other\",status=\"2xx\"}") >= 1.0);
    let (commits, writes) = (
        moved("prefectd_writer_commit_seconds_count"),
        moved("prefectd_writer_batch_writes_sum"),
    );
    assert!(commits >= 6.0 && writes >= commits, "{commits} {writes}");
    assert_eq!(after["prefectd_writer_queue_depth"], 0.0);
    assert_eq!(after["prefectd_agents"], 0.0);
    let version = format!(
        "prefectd_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(after[&version], 1.0);
    let file = daemon
        .state_dir()
        .join("prefectd.db")
        .metadata()
        .unwrap()
        .len();
    assert_eq!(after["prefectd_database_bytes"], file as f64);
    assert!(after["prefectd_database_wal_bytes"] > 0.0);
    assert!(after["process_resident_memory_bytes"] > 1e6);
    assert!(after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]);
    let started = after["process_start_time_seconds"];
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs_f64();
    assert!(started <= now && started > now - 3600.0, "{started}");
}

#[test]
fn the_socket_tells_the_same() {
    let daemon = TestDaemon::without_agent();
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    assert!(answer.contains("\nprefectd_agents 0\n"), "{answer}");
}

#[test]
fn a_process_that_is_started_is_measured() {
    let daemon = TestDaemon::with_agent_without_bridge();
    let http = daemon.http();
    let flow = http.flow("f");
    // The interpreter ends at once, which is no matter: a process was started.
    let runner = json!({ "type": "subprocess", "config": {} });
    let deployment = http.deployment(&flow, "d", &runner);
    http.run_deployment(&deployment);
    let after = wait_for("a dispatch", || {
        let now = metrics(&daemon);
        (now["prefectd_dispatch_seconds_count"] == 1.0).then_some(now)
    });
    assert!(after["prefectd_dispatch_seconds_sum"] < 60.0);
    assert_eq!(after["prefectd_agent_slots{agent=\"embedded\"}"], 32.0);
    assert_eq!(after["prefectd_containers{agent=\"embedded\"}"], 0.0);
}
