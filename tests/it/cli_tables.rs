//! The tables of `prefectctl`: in terminals of several widths, in a pipe, and with names that
//! are meant to break them.

use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use super::support::words::{ctl, json_of, refused, said, succeeded};
use super::support::{TestDaemon, in_terminal};

fn shown(daemon: &TestDaemon, words: &[&str], columns: u16) -> String {
    shown_in(daemon, "UTC", words, columns)
}

fn shown_in(daemon: &TestDaemon, zone: &str, words: &[&str], columns: u16) -> String {
    let mut command = daemon.ctl();
    in_terminal(command.env("TZ", zone).args(words), columns)
}

/// The same text on every run: ids and ages are different each time.
fn steady(text: &str) -> String {
    let ids = Regex::new(r"\b[0-9a-f]{8}(-[0-9a-f]+)*\b").unwrap();
    // With what fills the column up, since one is longer than the other.
    let ages = Regex::new(r"\b\d+ s ago *").unwrap();
    let lengths = Regex::new(r"\b\d+\.\d s\b *").unwrap();
    let instants = Regex::new(r"\b20[2-9]\d-\d\d-\d\d \d\d:\d\d:\d\d (UTC|JST)").unwrap();
    let text = ids.replace_all(text, "ID");
    let text = instants.replace_all(&text, "INSTANT");
    let text = lengths.replace_all(&text, "LONG  ");
    let text = ages.replace_all(&text, "AGO  ");
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn runner() -> Value {
    json!({ "type": "subprocess", "config": {} })
}

fn set(daemon: &TestDaemon, run: &str, state: &Value) {
    let body = json!({ "state": state, "force": true });
    let path = format!("/flow_runs/{run}/set_state");
    daemon.http().post(&path, &body).expect(201);
}

/// `etl/nightly`, with one run that has failed in its one task, and one that is due long from
/// now.
fn populated() -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl");
    let deployment = http.deployment(&flow, "nightly", &runner());
    for (name, state) in [
        ("brave-owl-of-the-north", json!({ "type": "SCHEDULED" })),
        (
            "to-come",
            json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": "2100-01-01T06:00:00Z" } }),
        ),
    ] {
        let body = json!({ "name": name, "state": state, "tags": ["nightly"] });
        let path = format!("/deployments/{deployment}/create_flow_run");
        let run = http.post(&path, &body).expect(201);
        if name != "to-come" {
            let id = run["id"].as_str().unwrap();
            let task = json!({
                "flow_run_id": id, "task_key": "load", "dynamic_key": "0", "name": "load-0",
                "state": { "type": "FAILED", "message": "no such table" },
            });
            http.post("/task_runs/", &task).expect(201);
            set(&daemon, id, &json!({ "type": "FAILED" }));
        }
    }
    daemon
}

/// Where a list is shown.
const PLACES: [(&str, Option<u16>); 4] = [
    ("a terminal of 80 columns", Some(80)),
    ("a terminal of 50 columns", Some(50)),
    ("a terminal that does not know its width", Some(0)),
    ("a pipe", None),
];

/// Compares what a command shows in each place with `tests/golden/tables/NAME.txt`, which is
/// written anew where PREFECTD_GOLDEN is set.
#[track_caller]
fn golden(daemon: &TestDaemon, name: &str, words: &[&str]) {
    golden_in(daemon, "UTC", name, words);
}

/// The same for somebody who lives in that zone.
#[track_caller]
fn golden_in(daemon: &TestDaemon, zone: &str, name: &str, words: &[&str]) {
    let piped = || {
        let output = daemon.ctl().env("TZ", zone).args(words).output().unwrap();
        succeeded(output, words)
    };
    let shown = PLACES.map(|(place, columns)| {
        let text = match columns {
            Some(columns) => shown_in(daemon, zone, words, columns),
            None => piped(),
        };
        let most = columns.filter(|columns| *columns > 0);
        // What is said of one thing is as long as it is.
        let most = most.filter(|_| !name.ends_with("inspect"));
        let fits = |line: &str| most.is_none_or(|most| line.chars().count() <= most.into());
        assert!(text.lines().all(fits), "{place}: {text}");
        format!("# {place}\n{}\n", steady(&text))
    });
    let shown = shown.join("\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/tables")
        .join(format!("{name}.txt"));
    if std::env::var_os("PREFECTD_GOLDEN").is_some() {
        std::fs::write(&file, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap();
    assert_eq!(shown, expected, "{}:\n{shown}", file.display());
}

#[test]
fn tables_fit_the_terminal_and_leave_out_what_matters_least() {
    for (name, words) in [
        ("flow-run-ls", &["flow-run", "ls"][..]),
        ("flow-run-ls-upcoming", &["flow-run", "ls", "--upcoming"]),
        ("flow-run-inspect", &["flow-run", "inspect", "to-come"]),
        ("task-run-ls", &["task-run", "ls"]),
        ("deployment-ls", &["deployment", "ls"]),
        (
            "deployment-inspect",
            &["deployment", "inspect", "etl/nightly"],
        ),
        ("flow-ls", &["flow", "ls"]),
    ] {
        // Each soon after what it tells of: from ten seconds on an age is wider than its column's name.
        golden(&populated(), name, words);
    }
    let daemon = populated();
    let wide = shown(&daemon, &["flow-run", "ls"], 200);
    let piped = said(&daemon, &["flow-run", "ls"]);
    assert_eq!(steady(&wide), steady(&piped));
    assert_eq!(
        steady(&said(&daemon, &["task-run", "ls", "--run", "to-come"])),
        "none"
    );
}

/// Runs of both generations that have begun: one of 2.0a7 that runs, and one of today's that has
/// completed.
fn begun() -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl");
    let old = http.deployment(&flow, "nightly", &runner());
    let run = http.run_deployment(&old);
    let named = json!({ "name": "of-2-0a7" });
    let run = run["id"].as_str().unwrap();
    http.patch(&format!("/flow_runs/{run}"), &named).expect(204);
    set(&daemon, run, &json!({ "type": "RUNNING" }));
    let modern = daemon.modern();
    let pool = json!({ "name": "p", "type": "process" });
    modern.post("/work_pools/", &pool).expect(201);
    let body = json!({ "name": "weekly", "flow_id": flow, "work_pool_name": "p" });
    let new = modern.post("/deployments/", &body).expect(201);
    let path = format!(
        "/deployments/{}/create_flow_run",
        new["id"].as_str().unwrap()
    );
    let run = modern.post(&path, &json!({ "name": "of-3-9" })).expect(201);
    let path = format!("/flow_runs/{}/set_state", run["id"].as_str().unwrap());
    for state in ["RUNNING", "COMPLETED"] {
        let body = json!({ "state": { "type": state }, "force": true });
        modern.post(&path, &body).expect(201);
    }
    daemon
}

#[test]
fn runs_of_both_generations_stand_in_one_list_with_how_long_they_took() {
    let daemon = begun();
    golden(&daemon, "flow-run-ls-begun", &["flow-run", "ls"]);
    let told = json_of(&daemon, &["flow-run", "ls"]);
    let told = told.as_array().unwrap().iter();
    let mut told: Vec<_> = told
        .map(|run| {
            (
                run["name"].as_str().unwrap(),
                run["deployment"].as_str().unwrap(),
            )
        })
        .collect();
    told.sort_unstable();
    let both = [("of-2-0a7", "etl/nightly"), ("of-3-9", "etl/weekly")];
    assert_eq!(told, both);
    for name in ["of-2-0a7", "of-3-9"] {
        let shown = said(&daemon, &["flow-run", "inspect", name]);
        assert!(steady(&shown).contains("ran for     LONG"), "{shown}");
    }
}

/// A deployment with three schedules, none of which is followed.
fn planned() -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let modern = daemon.modern();
    let flow = modern
        .post("/flows/", &json!({ "name": "etl" }))
        .expect(201);
    let body = json!({
        "name": "planned", "flow_id": flow["id"], "paused": true,
        "schedules": [
            { "slug": "nightly", "active": true,
              "schedule": { "cron": "0 6 * * *", "timezone": "Europe/Berlin" } },
            { "slug": "hourly", "active": false, "parameters": { "name": "Ada" },
              "schedule": { "interval": 3600.0, "anchor_date": "2030-01-01T00:00:00Z" } },
            { "slug": "by rule", "active": true, "schedule": { "rrule": "FREQ=DAILY;COUNT=3" } },
        ],
    });
    modern.post("/deployments/", &body).expect(201);
    daemon
}

#[test]
fn schedules_are_listed() {
    let daemon = planned();
    let listed = said(&daemon, &["deployment", "schedule", "ls", "etl/planned"]);
    let table = "\
NAME     SCHEDULE                                         FOLLOWED                      PARAMETERS      ID
by rule  DTSTART:20200101T000000\\nFREQ=DAILY;COUNT=3 UTC  no, the deployment is paused                  ID
hourly   every 1 h 0 min                                  no                            {\"name\":\"Ada\"}  ID
nightly  0 6 * * * Europe/Berlin                          no, the deployment is paused                  ID";
    assert_eq!(steady(&listed), table);
    golden(&daemon, "deployment-ls-planned", &["deployment", "ls"]);
}

#[test]
fn times_are_those_of_the_reader_s_zone() {
    let daemon = populated();
    for (name, words) in [
        (
            "tokyo-flow-run-ls-upcoming",
            &["flow-run", "ls", "--upcoming"][..],
        ),
        (
            "tokyo-flow-run-inspect",
            &["flow-run", "inspect", "to-come"],
        ),
        ("tokyo-deployment-ls", &["deployment", "ls"]),
    ] {
        golden_in(&daemon, "Asia/Tokyo", name, words);
    }
    let why = shown_in(&daemon, "Asia/Tokyo", &["flow-run", "why", "to-come"], 0);
    let told = "It may start at 2100-01-01 15:00:00 JST";
    assert!(why.contains(told) && !why.contains("UTC"), "{why}");
}

#[test]
fn long_names_are_wrapped_in_their_own_column() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl");
    for name in ["short", &"a-very-long-name ".repeat(5)] {
        let body = json!({
            "flow_id": flow, "name": name.trim_end(),
            "state": { "type": "COMPLETED" }, "tags": [],
        });
        http.post("/flow_runs/", &body).expect(201);
    }
    golden(&daemon, "flow-run-ls-wrapped", &["flow-run", "ls"]);
}

#[test]
fn cells_that_are_wrapped_go_on_in_their_column() {
    let daemon = TestDaemon::without_agent();
    daemon.http().flow(&"very long name ".repeat(8));
    let table = shown(&daemon, &["flow", "ls"], 50);
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines.len() > 2 && lines.iter().all(|line| line.len() <= 50),
        "{table}"
    );
    let second = lines.get(1).unwrap();
    assert!(second.starts_with("very"), "{table}");
}

#[test]
fn what_names_hold_reaches_no_terminal() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let hostile = "a\nFAKE\u{1b}[2J\u{9b}31mb\u{202e}\tc";
    let flow = http.flow(hostile);
    let deployment = http.deployment(&flow, hostile, &runner());
    let body = json!({ "name": hostile, "state": { "type": "SCHEDULED" } });
    let path = format!("/deployments/{deployment}/create_flow_run");
    let run = http.post(&path, &body).expect(201);
    let id = run["id"].as_str().unwrap();
    for words in [
        &["flow", "ls"][..],
        &["flow", "inspect", hostile],
        &["deployment", "ls"],
        &["deployment", "inspect", &format!("{hostile}/{hostile}")],
        &["flow-run", "ls"],
        &["flow-run", "inspect", id],
        &["flow-run", "ls", "-o", "json"],
        &["flow-run", "ls", "-o", "yaml"],
        &["flow-run", "cancel", id],
        &["flow-run", "cancel", id], // told on standard error
        &["flow-run", "inspect", "no\u{1b}[2J"],
        &["top", "--once"],
    ] {
        for text in [shown(&daemon, words, 80), {
            let output = ctl(&daemon, words);
            let both = [output.stdout, output.stderr].concat();
            String::from_utf8(both).unwrap()
        }] {
            assert!(
                !text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\t']),
                "{words:?}: {text:?}"
            );
            assert!(!text.lines().any(|line| line.starts_with("FAKE")), "{text}");
        }
    }
    let told = json_of(&daemon, &["flow-run", "inspect", id]);
    assert_eq!(told["name"], hostile);
}

#[test]
fn upcoming_runs_stand_above_nothing_and_filters_filter() {
    let daemon = populated();
    let http = daemon.http();
    let other = http.flow("other");
    let by_script = http.flow_run(&other);
    set(&daemon, &by_script, &json!({ "type": "RUNNING" }));
    let names = |words: &[&str]| {
        let told = json_of(&daemon, &[&["flow-run", "ls"], words].concat());
        let runs = told.as_array().unwrap().clone();
        runs.into_iter()
            .map(|run| run["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&[]).len(), 2);
    assert!(!names(&[]).contains(&"to-come".to_owned()));
    assert_eq!(names(&["--upcoming"]), ["to-come"]);
    assert_eq!(names(&["--state", "scheduled"]), ["to-come"]);
    let owl = ["brave-owl-of-the-north"];
    assert_eq!(names(&["--deployment", "etl/nightly"]), owl);
    assert_eq!(names(&["--tag", "nightly"]), owl);
    assert_eq!(names(&["--name", "brave-owl-of-the-north"]), owl);
    for pattern in ["owl", "OWL", "brave-*", "*of?the*"] {
        assert_eq!(names(&["--name", pattern]), owl, "{pattern}");
    }
    assert!(names(&["--name", "owl-*"]).is_empty());
    assert_eq!(
        names(&["--upcoming", "--name", "to-*", "--name", "come"]),
        ["to-come"]
    );
    assert_eq!(
        names(&[
            "--state",
            "scheduled",
            "--state",
            "failed",
            "--name",
            "owl",
            "--name",
            "to-c*"
        ]),
        ["to-come", "brave-owl-of-the-north"]
    );
    assert_eq!(names(&["--flow", "etl", "--since", "1h"]), owl);
    assert!(names(&["--since", "+1h"]).is_empty());
    let told = json_of(&daemon, &["flow-run", "ls", "--tag", "nightly"]);
    assert_eq!(told[0]["deployment"], "etl/nightly");
    assert_eq!(told[0]["flow_name"], "etl");
    let listed = json_of(&daemon, &["deployment", "ls"]);
    assert_eq!(listed[0]["full_name"], "etl/nightly");
    assert_eq!(listed[0]["next_run"]["name"], "to-come");
    assert_eq!(listed[0]["last_run"]["state_name"], "Failed");
    assert_eq!(listed[0]["paused"], false);
}

#[test]
fn filters_take_names_ids_and_patterns_and_tell_what_there_is_not() {
    let daemon = populated();
    let http = daemon.http();
    let other = http.flow("report-daily");
    let run = http.flow_run(&other);
    set(&daemon, &run, &json!({ "type": "RUNNING" }));
    let count = |noun: &str, filter: &[&str]| {
        let words = [&[noun, "ls"], filter].concat();
        json_of(&daemon, &words).as_array().unwrap().len()
    };
    for filter in [
        &["--flow", "report-daily"][..],
        &["--flow", &other],
        &["--flow", other.get(..30).unwrap()],
        &["--flow", "Report-*"],
        &["--flow", "report-?????"],
    ] {
        assert_eq!(count("flow-run", filter), 1, "{filter:?}");
    }
    assert_eq!(count("flow-run", &["--flow", "etl", "--flow", "rep*"]), 2);
    assert_eq!(count("flow-run", &["--deployment", "et?/night*"]), 1);
    assert_eq!(count("deployment", &["--flow", "e*"]), 1);
    assert_eq!(count("deployment", &["--flow", "report-daily"]), 0);
    assert_eq!(count("task-run", &["--flow", "et*"]), 1);
    for (noun, filter, told) in [
        ("flow-run", ["--flow", "etll"], "there is no flow \"etll\""),
        ("flow-run", ["--flow", "x*"], "there is no flow like \"x*\""),
        ("flow-run", ["--deployment", "x/*"], "no deployment like"),
        ("deployment", ["--flow", "etll"], "there is no flow"),
        ("task-run", ["--flow", "etll"], "there is no flow"),
    ] {
        let words = [&[noun, "ls"], &filter[..]].concat();
        let said = refused(&daemon, &words, 1);
        assert!(said.contains(told), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn more_than_a_page_is_read_page_by_page() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("many");
    for _ in 0..205 {
        http.flow_run(&flow);
    }
    let all = json_of(&daemon, &["flow-run", "ls", "--limit", "1000"]);
    // Runs without a state are no longer than that, and not listed.
    let count = daemon
        .http()
        .post("/v3/flow_runs/count", &json!({}))
        .expect(200);
    assert_eq!(count, 205);
    assert_eq!(all.as_array().unwrap().len(), 205);
    // They were made within moments of each other, and so begin alike.
    let table = said(&daemon, &["flow-run", "ls", "--limit", "205"]);
    let mut ids: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().last().unwrap())
        .collect();
    let some = ids.get(100).unwrap();
    let found = json_of(&daemon, &["flow-run", "inspect", some]);
    assert!(found["id"].as_str().unwrap().starts_with(some));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 205);
}

#[test]
fn names_with_slashes_ids_and_beginnings_are_names() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl/daily load");
    let id = http.deployment(&flow, "d/e", &runner());
    let other = http.flow("etl");
    let second = http.deployment(&other, "daily load/x", &runner());
    for (name, id) in [
        ("etl/daily load/d/e", &id),
        (id.as_str(), &id),
        (id.get(..30).unwrap(), &id),
        ("etl/daily load/x", &second),
    ] {
        let found = json_of(&daemon, &["deployment", "inspect", name]);
        assert_eq!(found["id"].as_str().unwrap(), id, "{name}");
    }
    let told = json_of(&daemon, &["deployment", "inspect", &id]);
    assert_eq!(told["full_name"], "etl/daily load/d/e");
    for name in [flow.as_str(), "etl/daily load", flow.get(..30).unwrap()] {
        assert_eq!(
            json_of(&daemon, &["flow", "inspect", name])["id"],
            flow.as_str()
        );
    }
    // Two deployments may have one full name.
    http.deployment(&other, "daily load/d/e", &runner());
    let output = ctl(&daemon, &["deployment", "inspect", "etl/daily load/d/e"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("2 deployments") && told.contains(&id),
        "{told}"
    );
}
