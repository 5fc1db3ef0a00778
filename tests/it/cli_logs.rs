//! `prefectctl flow-run logs`, and following a run.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{Options, TestDaemon, in_terminal};

const OUTPUT: &str = "prefectd.container";

fn line(run: &str, name: &str, level: u64, message: &str, at: &str) -> Value {
    json!({
        "name": name, "level": level, "message": message,
        "timestamp": format!("2024-01-01T10:20:{at}Z"), "flow_run_id": run,
    })
}

fn a_run(daemon: &TestDaemon) -> String {
    let http = daemon.http();
    let flow = http.flow("f");
    http.flow_run(&flow)
}

fn logs(daemon: &TestDaemon, run: &str, more: &[&str]) -> Output {
    let mut command = daemon.ctl();
    command.env("TZ", "UTC").args(["flow-run", "logs", run]);
    command.args(more).output().unwrap()
}

#[track_caller]
fn messages(daemon: &TestDaemon, run: &str, more: &[&str]) -> Vec<String> {
    let output = logs(daemon, run, &[more, &["-o", "json"]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    lines
        .iter()
        .map(|line| line["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_line_that_came_twice_is_told_once() {
    let daemon = TestDaemon::without_agent();
    let run = a_run(&daemon);
    let copy = "12:20:01.123 | INFO    | Flow run 'x' - Hello\nthere";
    let lines = json!([
        line(&run, OUTPUT, 20, copy.lines().next().unwrap(), "01.2"),
        line(&run, OUTPUT, 20, "there", "01.21"),
        line(&run, OUTPUT, 20, "printed", "01.3"),
        line(&run, "prefect.flow_runs", 20, "Hello\nthere", "01.123456"),
        line(&run, "prefect.flow_runs", 30, "Beware", "02"),
    ]);
    daemon.http().post("/logs/", &lines).expect(201);
    let told = messages(&daemon, &run, &[]);
    assert_eq!(told, ["Hello\nthere", "printed", "Beware"]);
    assert_eq!(messages(&daemon, &run, &["--console"]).len(), 5);
    assert_eq!(
        messages(&daemon, &run, &["--tail", "2"]),
        ["printed", "Beware"]
    );
    assert_eq!(messages(&daemon, &run, &["--tail", "0"]).len(), 0);
    assert_eq!(messages(&daemon, &run, &["--level", "warning"]), ["Beware"]);
    let text = logs(&daemon, &run, &["--tail", "1"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text, "2024-01-01 10:20:02.000  WARNING  Beware\n");
    let since = "2024-01-01T10:20:01.25";
    assert_eq!(
        messages(&daemon, &run, &["--since", since]),
        ["printed", "Beware"]
    );
    let wrong = logs(&daemon, &run, &["--since", "soon"]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        told.contains("2030-01-01T06:00") && told.contains("ago"),
        "{told}"
    );
}

#[test]
fn colours_stay_and_what_moves_the_cursor_is_written_out() {
    let daemon = TestDaemon::without_agent();
    let run = a_run(&daemon);
    let message = "\u{1b}[31mred\u{1b}[0m\u{1b}[2J\r50 %\nsecond";
    let lines = json!([line(&run, "t", 20, message, "01")]);
    daemon.http().post("/logs/", &lines).expect(201);
    let mut command = daemon.ctl();
    command.env("TZ", "UTC").args(["flow-run", "logs", &run]);
    let told = in_terminal(&mut command, 80);
    assert_eq!(
        told,
        "2024-01-01 10:20:01.000  \u{1b}[31mred\u{1b}[0m\\u{1b}[2J\\r50 %\n\
         \u{20}                        second\u{1b}[0m\n"
    );
    let raw = logs(&daemon, &run, &["--raw"]);
    assert!(String::from_utf8(raw.stdout).unwrap().contains(message));
}

#[test]
fn a_long_log_is_read_in_time_that_grows_with_it() {
    const LINES: usize = 40_000;
    let daemon = TestDaemon::without_agent();
    let run = a_run(&daemon);
    let http = daemon.http();
    for batch in 0..LINES / 1000 {
        // Many have the same time, as they have where a process prints a lot.
        let at = format!("{:02}.{:03}", batch % 60, batch);
        let lines = (0..1000).map(|n| line(&run, "t", 20, &format!("{batch} {n}"), &at));
        http.post("/logs/", &lines.collect()).expect(201);
    }
    let took = |more: &[&str]| {
        let start = Instant::now();
        let output = logs(&daemon, &run, more);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        (start.elapsed(), text.lines().count())
    };
    let (few, count) = took(&["--tail", "2000"]);
    assert_eq!(count, 2000);
    let (all, count) = took(&[]);
    assert_eq!(count, LINES);
    // Twenty times as much; by offsets it was four hundred times.
    let most = few * 120 + Duration::from_secs(2);
    assert!(all < most, "{few:?} for 2000 lines, {all:?} for {LINES}");
    let mut child = daemon
        .ctl()
        .args(["flow-run", "logs", &run])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let ended = child.wait_with_output().unwrap();
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "like `| head`"
    );
}

/// An agent that the test plays.
struct Played<'a> {
    daemon: &'a TestDaemon,
    run: String,
}

impl<'a> Played<'a> {
    fn new(daemon: &'a TestDaemon) -> Self {
        let http = daemon.http();
        let flow = http.flow("f");
        let runner = json!({ "type": "subprocess", "config": {} });
        let deployment = http.deployment(&flow, "d", &runner);
        let run = http.run_deployment(&deployment)["id"].clone();
        let played = Self {
            daemon,
            run: run.as_str().unwrap().to_owned(),
        };
        played.report();
        let claim = json!({ "containers": true, "limit": 1 });
        let claimed = http.post("/v3/prefectd/agents/a/claim", &claim).expect(200);
        assert_eq!(claimed.as_array().unwrap().len(), 1);
        played
    }

    fn report(&self) {
        let report = json!({ "report": {
            "identity": "i", "host": "h", "pid": 1, "version": "0", "slots": 1,
            "last_activation": null, "last_error": null, "engine_trouble": null,
        }});
        let http = self.daemon.http();
        http.post("/v3/prefectd/agents/a/report", &report)
            .expect(200);
    }

    fn say(&self, message: &str) {
        let at = chrono::Utc::now().to_rfc3339();
        let line = json!([{
            "name": OUTPUT, "level": 20, "message": message, "timestamp": at,
            "flow_run_id": self.run,
        }]);
        self.daemon.http().post("/logs/", &line).expect(201);
    }

    fn end(&self) {
        let ended = json!({ "state": { "type": "COMPLETED" }, "force": true });
        let path = format!("/flow_runs/{}/set_state", self.run);
        self.daemon.http().post(&path, &ended).expect(201);
    }

    fn close(&self) {
        let path = format!("/v3/prefectd/agents/a/runs/{}/output_kept", self.run);
        self.daemon.http().post(&path, &json!({})).expect(204);
    }

    fn follow(&self, more: &[&str]) -> std::process::Child {
        let mut command = self.daemon.ctl();
        command.args(["flow-run", "logs", &self.run, "-f"]);
        let command = command.args(more).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().unwrap()
    }
}

#[test]
fn following_ends_once_all_is_stored_and_not_when_the_run_has_ended() {
    let daemon = TestDaemon::without_agent();
    let played = Played::new(&daemon);
    let mut following = played.follow(&["-o", "json"]);
    played.say("first");
    played.end();
    std::thread::sleep(Duration::from_secs(2));
    assert!(following.try_wait().unwrap().is_none(), "it ended too soon");
    played.say("last words");
    played.close();
    let output = following.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["message"].as_str().unwrap().to_owned()
    });
    assert_eq!(lines.collect::<Vec<_>>(), ["first", "last words"]);
}

#[test]
fn lines_that_come_late_are_put_where_they_belong() {
    let daemon = TestDaemon::without_agent();
    let played = Played::new(&daemon);
    let following = played.follow(&["-o", "json"]);
    let said = chrono::Utc::now().to_rfc3339();
    std::thread::sleep(Duration::from_millis(20));
    played.say("printed after it");
    std::thread::sleep(Duration::from_millis(900));
    let line = json!([{
        "name": "prefect.flow_runs", "level": 20, "message": "said before",
        "timestamp": said, "flow_run_id": played.run,
    }]);
    daemon.http().post("/logs/", &line).expect(201);
    played.end();
    played.close();
    let output = following.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let place = |words: &str| text.find(words).unwrap();
    assert!(place("said before") < place("printed after it"), "{text}");
}

#[test]
fn following_does_not_wait_for_ever_for_an_agent_that_has_gone() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_SERVER__AGENT_LEASE_SECS", "1".to_owned())],
        ..Options::default()
    });
    let played = Played::new(&daemon);
    played.say("only");
    played.end();
    let output = played.follow(&[]).wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("only"));
}

#[cfg(feature = "client")]
mod with_client {
    use super::super::support::flows::{deploy, run, venv};
    use super::*;

    fn started() -> TestDaemon {
        let daemon = TestDaemon::with(Options {
            flags: vec!["--no-docker-bridge"],
            env: vec![(
                "PREFECTD_RUNNERS__PYTHON",
                venv().join("bin/python").display().to_string(),
            )],
            ..Options::default()
        });
        let runner = json!({ "type": "subprocess", "config": {} });
        deploy(&daemon, "cases.py", &runner);
        daemon
    }

    #[test]
    fn a_real_run_is_followed_to_its_last_line_and_told_once() {
        let daemon = started();
        let watched = daemon
            .ctl()
            .args(["deployment", "run", "tasks/test", "--watch"])
            .output()
            .unwrap();
        let text = String::from_utf8(watched.stdout).unwrap();
        assert!(watched.status.success(), "{text}");
        let created: Vec<_> = text
            .lines()
            .filter(|line| line.contains("Created task run 'add-"))
            .collect();
        assert_eq!(created.len(), 3, "{text}");
        assert!(text.contains("▶ Completed"), "{text}");
    }

    #[test]
    fn what_a_run_prints_last_is_shown_and_programs_read_json_alone() {
        let daemon = started();
        for _ in 0..3 {
            let watched = daemon
                .ctl()
                .args(["deployment", "run", "plain/test", "--watch"])
                .output()
                .unwrap();
            let text = String::from_utf8(watched.stdout).unwrap();
            assert!(text.contains("plain says hello"), "{text}");
        }
        let watched = daemon
            .ctl()
            .args(["deployment", "run", "plain/test", "--watch", "-o", "json"])
            .output()
            .unwrap();
        let ended: Value = serde_json::from_slice(&watched.stdout).unwrap();
        assert_eq!(ended["state_type"], "COMPLETED");
        assert_eq!(ended["deployment"], "plain/test");
        let id = run(&daemon, "tasks", &json!({}));
        let waited = daemon.ctl().args(["flow-run", "wait", &id]).status();
        assert!(waited.unwrap().success());
        let mut inspect = daemon.ctl();
        inspect.args(["flow-run", "inspect", &id]);
        let told = String::from_utf8(inspect.output().unwrap().stdout).unwrap();
        assert!(
            told.contains("task runs\n") && told.contains("add-"),
            "{told}"
        );
        let mut tasks = daemon.ctl();
        tasks.args(["task-run", "ls", "--run", &id, "-o", "json"]);
        let tasks: Value = serde_json::from_slice(&tasks.output().unwrap().stdout).unwrap();
        assert_eq!(tasks.as_array().unwrap().len(), 3);
        let mut task = daemon.ctl();
        task.args(["task-run", "inspect", tasks[0]["id"].as_str().unwrap()]);
        assert!(task.output().unwrap().status.success());
    }
}
