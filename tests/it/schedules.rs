//! Deployments that run by themselves.

use serde_json::{Value, json};

use super::support::{Http, TestDaemon, wait_for};

fn deploy(http: &Http, schedule: &Value) -> (u16, Value) {
    let flow = http.flow("f");
    let body = json!({
        "flow_id": flow,
        "name": "d",
        "flow_data": { "encoding": "x", "blob": "y" },
        "schedule": schedule,
    });
    let answer = http.post("/deployments/", &body);
    (answer.status, answer.body)
}

/// When the scheduled runs are due, earliest first.
fn due(http: &Http) -> Vec<String> {
    let filter = json!({
        "sort": "NEXT_SCHEDULED_START_TIME_ASC",
        "flow_runs": { "state": { "type": { "any_": ["SCHEDULED"] } } },
    });
    let runs = http.post("/flow_runs/filter", &filter).expect(200);
    let runs = runs.as_array().unwrap().iter();
    runs.map(|run| {
        run["next_scheduled_start_time"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

#[test]
fn a_schedule_makes_its_next_hundred_runs_at_once() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (status, made) = deploy(
        &http,
        &json!({ "cron": "0 * * * *", "timezone": "Europe/Berlin" }),
    );
    assert_eq!(status, 201);
    let schedule = json!({ "cron": "0 * * * *", "timezone": "Europe/Berlin", "day_or": true });
    assert_eq!(made["schedule"], schedule);
    let hours = due(&http);
    assert_eq!(hours.len(), 100);
    assert!(hours.iter().all(|at| at.ends_with(":00:00+00:00")));
    let runs = http
        .post("/flow_runs/filter", &json!({ "limit": 1 }))
        .expect(200);
    assert_eq!(runs[0]["auto_scheduled"], true);
    assert_eq!(runs[0]["tags"], json!(["auto-scheduled"]));

    let (status, _) = deploy(&http, &json!({ "interval": 60 }));
    assert_eq!(status, 200);
    let minutes = due(&http);
    assert_eq!(minutes.len(), 100, "the hours are forgotten");
    assert_ne!(minutes, hours);
}

#[test]
fn switching_a_schedule_off_and_on_removes_its_runs_and_makes_them_again() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (_, made) = deploy(&http, &json!({ "interval": 3600 }));
    let id = made["id"].as_str().unwrap();
    let own = http.run_deployment(id);
    let switch = |to: &str| {
        let path = format!("/deployments/{id}/set_schedule_{to}");
        http.post(&path, &json!({})).expect(200)
    };
    assert_eq!(switch("inactive"), Value::Null);
    assert_eq!(due(&http).len(), 1, "what somebody asked for stays");
    switch("active");
    assert_eq!(due(&http).len(), 101);
    switch("active");
    assert_eq!(due(&http).len(), 101, "none twice");
    let name = own["name"].as_str().unwrap();
    assert!(
        daemon
            .ctl()
            .args(["deployment", "pause", "f/d"])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(due(&http).len(), 1, "only {name}");
    assert!(
        daemon
            .ctl()
            .args(["deployment", "resume", "f/d"])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(due(&http).len(), 101);
}

#[test]
fn runs_can_be_asked_for_a_range_of_dates() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (_, made) = deploy(&http, &json!({ "rrule": "FREQ=DAILY;BYHOUR=6" }));
    let path = format!("/deployments/{}/schedule", made["id"].as_str().unwrap());
    let before = due(&http).len();
    let range = json!({ "start_time": "2020-01-01T00:00:00Z", "end_time": "2020-01-05T00:00:00Z" });
    assert_eq!(http.post(&path, &range).expect(200), Value::Null);
    let past: Vec<_> = due(&http)
        .into_iter()
        .filter(|at| at.starts_with("2020"))
        .collect();
    assert_eq!(past.len(), 4);
    assert!(before >= 99);
    let unknown = format!("/deployments/{}/schedule", uuid::Uuid::nil());
    assert_eq!(http.post(&unknown, &json!({})).expect(200), Value::Null);
}

#[test]
fn schedules_that_cannot_be_followed_are_refused() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    for (schedule, words) in [
        (json!({ "cron": "not cron" }), "Invalid cron string"),
        (
            json!({ "cron": "0 0 * * *", "timezone": "Mars/Olympus" }),
            "Invalid timezone",
        ),
        (json!({ "interval": -1 }), "must be positive"),
        (json!({ "rrule": "FREQ=DAILY;INTERVAL=0" }), "INTERVAL"),
        (
            json!({ "interval": 60, "timezone": "UTC", "anchor_date": "2020-01-01T00:00:00Z" }),
            "not both",
        ),
    ] {
        let (status, body) = deploy(&http, &schedule);
        assert_eq!(status, 422, "{schedule}");
        assert!(
            body["exception_detail"].to_string().contains(words),
            "{schedule}: {body}"
        );
    }
    assert_eq!(http.post("/deployments/count", &json!({})).expect(200), 0);
}

#[test]
fn after_a_pause_nothing_is_lost_or_doubled_and_late_runs_are_marked() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    deploy(&http, &json!({ "interval": 1 }));
    let before = due(&http);
    assert_eq!(before.len(), 100);
    daemon.kill();
    daemon.restart(Vec::new());
    let http = daemon.http();
    let after = due(&http);
    let distinct: std::collections::HashSet<_> = after.iter().collect();
    assert_eq!(distinct.len(), after.len(), "none twice");
    assert!(before.iter().all(|at| after.contains(at)), "none lost");
    let late = json!({ "flow_runs": { "state": { "name": { "any_": ["Late"] } } } });
    wait_for("late runs", || {
        let count = http.post("/flow_runs/count", &late).expect(200);
        (count.as_u64() > Some(0)).then_some(())
    });
    let runs = http.post("/flow_runs/filter", &late).expect(200);
    let run = &runs[0];
    let due = &run["state"]["state_details"]["scheduled_time"];
    assert_eq!(
        (due, &run["state_type"]),
        (&run["next_scheduled_start_time"], &json!("SCHEDULED"))
    );
}
