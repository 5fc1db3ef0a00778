//! Schedules that would cost too much, and what a change of schedule may take away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{Http, Options, TestDaemon, wait_for};

fn deploy(http: &Http, name: &str, schedule: &Value) -> (u16, Value) {
    let body = json!({
        "flow_id": http.flow("f"),
        "name": name,
        "flow_data": { "encoding": "x", "blob": "y" },
        "schedule": schedule,
    });
    let answer = http.post("/deployments/", &body);
    (answer.status, answer.body)
}

fn count(http: &Http, deployment: &str) -> u64 {
    let filter = json!({ "deployments": { "id": { "any_": [deployment] } } });
    let count = http.post("/flow_runs/count", &filter).expect(200);
    count.as_u64().unwrap()
}

#[test]
fn a_schedule_that_costs_too_much_is_refused_and_holds_nobody_up() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (status, body) = deploy(
        &http,
        "d",
        &json!({ "rrule": "FREQ=SECONDLY EXRULE:FREQ=SECONDLY" }),
    );
    assert_eq!(status, 422);
    assert_eq!(body["exception_message"], "Invalid request received.");
    let fault = &body["exception_detail"][0];
    assert_eq!(fault["loc"], json!(["body", "schedule"]));
    let said = fault["msg"].as_str().unwrap();
    assert!(
        said.contains("cannot be followed") && said.contains("steps"),
        "{said}"
    );
    assert_eq!(http.post("/deployments/count", &json!({})).expect(200), 0);
    let (status, made) = deploy(&http, "d", &json!({ "interval": 3600 }));
    assert_eq!(status, 201);
    // The same over one that is there: refused, and it stays as it was.
    let (status, _) = deploy(
        &http,
        "d",
        &json!({ "rrule": "FREQ=SECONDLY EXRULE:FREQ=SECONDLY" }),
    );
    assert_eq!(status, 422);
    let id = made["id"].as_str().unwrap();
    let after = http.get(&format!("/deployments/{id}")).expect(200);
    assert_eq!(after["schedule"]["interval"], 3600.0);
    assert_eq!(count(&http, id), 100);
}

#[test]
fn writes_go_on_while_dates_are_looked_for() {
    let daemon = TestDaemon::without_agent();
    let url = daemon.url();
    let costly: Vec<_> = (0..4)
        .map(|number| {
            let http = Http::new(&url);
            std::thread::spawn(move || {
                deploy(
                    &http,
                    &format!("d{number}"),
                    &json!({ "rrule": "FREQ=SECONDLY EXRULE:FREQ=SECONDLY" }),
                )
                .0
            })
        })
        .collect();
    let http = daemon.http();
    let mut longest = Duration::ZERO;
    while costly.iter().any(|thread| !thread.is_finished()) {
        let begun = Instant::now();
        http.flow("other");
        longest = longest.max(begun.elapsed());
    }
    for thread in costly {
        assert_eq!(thread.join().unwrap(), 422);
    }
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}

#[test]
fn a_stored_schedule_that_costs_too_much_is_named_once_and_stalls_no_other() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (_, hopeless) = deploy(&http, "hopeless", &json!({ "rrule": "FREQ=DAILY;COUNT=1" }));
    let (_, other) = deploy(&http, "other", &json!({ "interval": 3600 }));
    daemon.kill();
    let database = rusqlite::Connection::open(daemon.database()).unwrap();
    let stored = r#"{"rrule":{"rule":"FREQ=SECONDLY EXRULE:FREQ=SECONDLY","timezone":"UTC"}}"#;
    database
        .execute(
            "UPDATE schedules SET schedule = ?1 WHERE deployment_id =
             (SELECT id FROM deployments WHERE name = 'hopeless')",
            [stored],
        )
        .unwrap();
    database.execute("DELETE FROM flow_runs", []).unwrap();
    drop(database);
    daemon.restart(Vec::new());
    let http = daemon.http();
    let other = other["id"].as_str().unwrap();
    wait_for("the other's runs", || {
        (count(&http, other) >= 100).then_some(())
    });
    wait_for("the log", || {
        daemon
            .log()
            .contains("schedule is not followed")
            .then_some(())
    });
    let said = daemon.log().matches("schedule is not followed").count();
    assert_eq!(said, 1, "{}", daemon.log());
    let inspected = daemon
        .ctl()
        .args(["deployment", "inspect", "f/hopeless"])
        .output()
        .unwrap();
    let inspected = String::from_utf8(inspected.stdout).unwrap();
    assert!(
        inspected.contains("not followed: finding its dates"),
        "{inspected}"
    );
    let id = hopeless["id"].as_str().unwrap();
    http.post(
        &format!("/deployments/{id}/set_schedule_active"),
        &json!({}),
    )
    .expect(200);
    assert_eq!(count(&http, id), 0);
}

#[test]
fn a_schedule_without_a_date_left_says_so() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (status, _) = deploy(&http, "over", &json!({ "rrule": "FREQ=DAILY;COUNT=3" }));
    assert_eq!(status, 201);
    assert!(
        daemon.log().contains("has no date left"),
        "{}",
        daemon.log()
    );
    let inspect = |name: &str, output: &str| {
        let said = daemon
            .ctl()
            .args(["--output", output, "deployment", "inspect", name])
            .output()
            .unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    assert!(inspect("f/over", "table").contains("no date is left"));
    let json: Value = serde_json::from_str(&inspect("f/over", "json")).unwrap();
    assert_eq!(json["schedule_note"], "no date is left");
    deploy(
        &http,
        "daily",
        &json!({ "rrule": "DTSTART:20200101T080000 RRULE:FREQ=DAILY" }),
    );
    let json: Value = serde_json::from_str(&inspect("f/daily", "json")).unwrap();
    assert!(
        json["next_date"].as_str().unwrap().contains("T08:00:00"),
        "{json}"
    );
    assert_eq!(json["schedule_note"], Value::Null);
}

#[test]
fn a_backfill_is_bounded() {
    // The scheduler would make more meanwhile.
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-services", "--no-docker-bridge"],
        ..Options::default()
    });
    let http = daemon.http();
    let (_, made) = deploy(&http, "d", &json!({ "interval": 0.000_001 }));
    let id = made["id"].as_str().unwrap();
    let path = format!("/deployments/{id}/schedule");
    let before = count(&http, id);
    assert_eq!(before, 100);
    let ask = |most: u64| {
        let range = json!({
            "max_runs": most,
            "start_time": "0001-01-02T00:00:00Z",
            "end_time": "9999-12-30T00:00:00Z",
        });
        http.post(&path, &range).status
    };
    assert_eq!(ask(1_000_000_000_000_000_000), 422);
    assert_eq!(count(&http, id), before);
    assert_eq!(ask(1000), 200);
    assert_eq!(count(&http, id), before + 1000);
    // All of them go when the schedule does.
    http.post(
        &format!("/deployments/{id}/set_schedule_inactive"),
        &json!({}),
    )
    .expect(200);
    assert_eq!(count(&http, id), 0);
    http.post(
        &format!("/deployments/{id}/set_schedule_active"),
        &json!({}),
    )
    .expect(200);
    for none in [0, -5] {
        let before = count(&http, id);
        let range =
            json!({ "max_runs": none, "start_time": format!("2020-01-0{}T00:00:00Z", 6 + none) });
        http.post(&path, &range).expect(200);
        assert_eq!(
            count(&http, id),
            before + 1,
            "that server counts after it has taken a date"
        );
    }
}

#[test]
fn a_run_that_waits_to_be_tried_again_outlives_its_schedule() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (_, made) = deploy(&http, "d", &json!({ "interval": 3600 }));
    let id = made["id"].as_str().unwrap();
    let runs = http
        .post(
            "/flow_runs/filter",
            &json!({ "sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": 1 }),
        )
        .expect(200);
    let run = runs[0]["id"].as_str().unwrap().to_owned();
    let set = |state: Value| {
        http.post(
            &format!("/flow_runs/{run}/set_state"),
            &json!({ "force": true, "state": state }),
        )
        .expect(201)
    };
    set(json!({ "type": "RUNNING" }));
    let later = json!({ "scheduled_time": "2040-01-01T00:00:00Z" });
    set(json!({ "type": "SCHEDULED", "name": "AwaitingRetry", "state_details": later }));
    let states = http.states(&run);
    let switch = |to: &str| {
        http.post(&format!("/deployments/{id}/set_schedule_{to}"), &json!({}))
            .expect(200)
    };
    switch("inactive");
    assert_eq!(count(&http, id), 1);
    assert_eq!(http.states(&run), states);
    // Neither does it keep later dates from being made.
    switch("active");
    assert_eq!(
        count(&http, id),
        100,
        "the date of the run that has begun is taken"
    );
    let (status, _) = deploy(&http, "d", &json!({ "interval": 7200 }));
    assert_eq!(status, 200);
    assert!(count(&http, id) >= 100);
    assert_eq!(http.states(&run), states);
}

#[test]
fn a_range_whose_dates_cannot_be_found_is_refused() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    // The 29th of February on a Monday: some of them in a century.
    let rare = json!({ "cron": "0 0 29 2 mon", "timezone": "Europe/Berlin", "day_or": false });
    let (status, made) = deploy(&http, "rare", &rare);
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    let centuries = json!({ "start_time": "0100-01-01T00:00:00Z",
        "end_time": "9900-01-01T00:00:00Z", "max_runs": 1000 });
    let refused = http.post(&format!("/deployments/{id}/schedule"), &centuries);
    assert_eq!(refused.status, 422, "{refused:?}");
    let said = refused.body.to_string();
    assert!(said.contains("cannot be found"), "{said}");
    assert_eq!(http.post("/flow_runs/count", &json!({})).expect(200), 0);
}
