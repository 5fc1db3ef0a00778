//! What is sent comes back as it was, or is refused.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

const WHOLE: &str = "202402144809161001040";
const PRECISE: &str = "0.1000000000000000055511151231257827021181583404541015625";

/// The answer's text: whoever takes it apart might lose digits.
fn text(daemon: &TestDaemon, path: &str) -> String {
    daemon.http().text(path)
}

#[test]
fn numbers_come_back_to_the_last_digit() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("numbers");
    let numbers = format!(r#"{{"x":{WHOLE},"y":[{PRECISE},-0.0,1.50],"z":{{"n":{WHOLE}}}}}"#);
    let document = r#"{"encoding":"x","blob":"y"}"#;
    let deployment = format!(
        r#"{{"name":"d","flow_id":"{flow}","flow_data":{document},"parameters":{{"a":{WHOLE},"x":1}},
        "flow_runner":{{"type":"subprocess","config":{{"n":{WHOLE}}}}}}}"#
    );
    let deployment = http.post_text("/deployments/", &deployment).expect(201);
    let deployment = deployment["id"].as_str().unwrap();
    let told = text(&daemon, &format!("/api/deployments/{deployment}"));
    assert_eq!(told.matches(WHOLE).count(), 2, "{told}");
    for dialect in ["", "/v3"] {
        let path = format!("{dialect}/deployments/{deployment}/create_flow_run");
        let asked = format!(r#"{{"parameters":{numbers},"context":{{"c":{WHOLE}}}}}"#);
        let run = http.post_text(&path, &asked).expect(201);
        let run = run["id"].as_str().unwrap().to_owned();
        for dialect in ["", "/v3"] {
            let told = text(&daemon, &format!("/api{dialect}/flow_runs/{run}"));
            assert!(told.contains(&format!(r#""a":{WHOLE}"#)), "{told}");
            assert!(
                told.contains(&format!(r#""y":[{PRECISE},-0.0,1.50]"#)),
                "{told}"
            );
            assert!(told.contains(&format!(r#""c":{WHOLE}"#)), "{told}");
        }
        let set = format!(r#"{{"state":{{"type":"FAILED","data":{numbers}}}}}"#);
        if dialect == "/v3" {
            let path = format!("/v3/flow_runs/{run}/set_state");
            http.post_text(&path, &set).expect(201);
            let told = text(&daemon, &format!("/api/v3/flow_runs/{run}"));
            assert!(told.contains(&format!(r#""data":{numbers}"#)), "{told}");
        }
    }
}

#[test]
fn prefectctl_keeps_every_digit() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("numbers");
    http.deployment(&flow, "d", &json!({ "type": "subprocess" }));
    for output in ["json", "yaml"] {
        let mut ctl = daemon.ctl();
        ctl.args(["-o", output, "deployment", "run", "numbers/d"]);
        let ran = ctl
            .args(["-p", &format!("x={WHOLE}"), "-p", "y=1.5"])
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        assert!(said.contains(WHOLE) && said.contains("1.5"), "{said}");
        assert!(!said.contains("private"), "{said}");
    }
}

#[test]
fn half_a_character_costs_no_line() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("halves"));
    for dialect in ["", "/v3"] {
        let line = |message: &str| {
            format!(
                r#"{{"name":"x","level":20,"message":"{message}","timestamp":"2022-01-01T00:00:00Z","flow_run_id":"{run}"}}"#
            )
        };
        let lines = format!(
            "[{},{}]",
            line("whole"),
            line(r"half \ud83d and \ud83d\ude00")
        );
        let kept = http.post_text(&format!("{dialect}/logs/"), &lines);
        assert_eq!(kept.status, 201, "{}", kept.body);
    }
    let lines = http.post("/logs/filter", &json!({})).expect(200);
    let lines: Vec<_> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["message"].clone())
        .collect();
    let half = json!("half \u{fffd} and 😀");
    assert_eq!(
        lines.iter().filter(|line| **line == half).count(),
        2,
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4);
}

/// The faults of instants and lengths, in either dialect.
#[test]
fn times_that_no_client_reads_are_refused() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("times");
    let run = http.flow_run(&flow);
    for time in [
        json!("9999-12-31T23:59:59-01:00"),
        json!("0001-01-01T00:00:00+01:00"),
        json!("0000-01-01T00:00:00Z"),
        json!("+10000-01-01T00:00:00Z"),
        json!("inf"),
        json!("nan"),
        json!(1e300),
        json!(-1e300),
    ] {
        for dialect in ["", "/v3"] {
            for (path, body) in asking(&flow, &run, &time) {
                let answer = http.post(&format!("{dialect}{path}"), &body);
                assert_eq!(
                    answer.status, 422,
                    "{dialect}{path} {body}: {}",
                    answer.body
                );
            }
        }
        let document = json!({ "encoding": "x", "blob": "y" });
        let schedule = json!({ "interval": 60, "anchor_date": time });
        let deployment = json!({ "name": "d", "flow_id": flow, "flow_data": document,
            "schedule": schedule });
        assert_eq!(
            http.post("/deployments/", &deployment).status,
            422,
            "{time}"
        );
        let history = json!({ "history_start": "2022-01-01T00:00:00Z", "history_end": time,
            "history_interval_seconds": 60 });
        assert_eq!(
            http.post("/flow_runs/history", &history).status,
            422,
            "{time}"
        );
    }
    let late = json!({ "history_start": "9999-12-31T00:00:00Z",
        "history_end": "9999-12-31T23:59:59Z", "history_interval_seconds": 86_400 * 400 });
    assert_eq!(http.post("/flow_runs/history", &late).status, 422);
    lengths(&http, &flow, &run);
}

/// Bodies that name a time.
fn asking(flow: &str, run: &str, time: &Value) -> Vec<(String, Value)> {
    let state = json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": time } });
    let line = json!({ "name": "x", "level": 20, "message": "m", "timestamp": time,
        "flow_run_id": run });
    vec![
        (
            "/flow_runs/filter".to_owned(),
            json!({ "flow_runs": { "start_time": { "before_": time } } }),
        ),
        (
            "/task_runs/count".to_owned(),
            json!({ "task_runs": { "start_time": { "after_": time } } }),
        ),
        (
            "/logs/filter".to_owned(),
            json!({ "logs": { "timestamp": { "before_": time } } }),
        ),
        (
            "/flow_runs/".to_owned(),
            json!({ "flow_id": flow, "state": state }),
        ),
        (
            format!("/flow_runs/{run}/set_state"),
            json!({ "state": state, "force": true }),
        ),
        ("/logs/".to_owned(), json!([line])),
        (
            "/task_runs/".to_owned(),
            json!({ "flow_run_id": run, "task_key": "k", "dynamic_key": "0", "cache_expiration": time }),
        ),
    ]
}

fn lengths(http: &Http, flow: &str, run: &str) {
    for length in [
        json!(1e17),
        json!(-1e17),
        json!(1e300),
        json!(9_223_372_036_854_775_808_u64),
    ] {
        for (dialect, key) in [("", "retry_delay_seconds"), ("/v3", "retry_delay")] {
            let task = json!({ "flow_run_id": run, "task_key": "k", "dynamic_key": "0",
                "empirical_policy": { key: length } });
            let answer = http.post(&format!("{dialect}/task_runs/"), &task);
            assert_eq!(answer.status, 422, "{dialect} {length}: {}", answer.body);
        }
        let document = json!({ "encoding": "x", "blob": "y" });
        let deployment = json!({ "name": "d", "flow_id": flow, "flow_data": document,
            "schedule": { "interval": length } });
        assert_eq!(
            http.post("/deployments/", &deployment).status,
            422,
            "{length}"
        );
        let line = json!({ "name": "x", "level": 9_223_372_036_854_775_808_u64, "message": "m",
            "timestamp": "2022-01-01T00:00:00Z", "flow_run_id": run });
        for dialect in ["", "/v3"] {
            assert_eq!(
                http.post(&format!("{dialect}/logs/"), &json!([line]))
                    .status,
                422
            );
        }
    }
}

#[test]
fn an_empty_cache_key_caches_nothing() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("cache"));
    let running = json!({ "state": { "type": "RUNNING" } });
    let path = format!("/flow_runs/{run}/set_state");
    http.post(&path, &running).expect(201);
    for (number, dialect) in ["", "/v3", "", "/v3"].into_iter().enumerate() {
        let task =
            json!({ "flow_run_id": run, "task_key": "k", "dynamic_key": number.to_string() });
        let task = http.post("/task_runs/", &task).expect(201);
        let path = format!(
            "{dialect}/task_runs/{}/set_state",
            task["id"].as_str().unwrap()
        );
        let state =
            |kind: &str| json!({ "state": { "type": kind, "state_details": { "cache_key": "" } } });
        for kind in ["RUNNING", "COMPLETED"] {
            let decision = http.post(&path, &state(kind)).expect(201);
            assert_eq!(decision["status"], "ACCEPT", "{decision}");
        }
    }
}
