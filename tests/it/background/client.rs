//! The real client of today: a program that serves tasks, and one that hands them in.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::modern::{Place, venv};
use crate::support::flows::file;
use crate::support::{TestDaemon, wait_for};

/// How many tasks are handed in at a time.
const AT_A_TIME: usize = 6;

/// A program that serves tasks, and goes with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(daemon: &TestDaemon, place: &Place, words: &[&str]) -> Command {
    let mut command = Command::new(venv().join("bin/python"));
    command
        .arg(file("background.py"))
        .arg(words[0])
        .arg(place.mark())
        .args(&words[1..])
        .env("PREFECT_HOME", place.0.path().join("home"))
        .env("PREFECT_API_URL", format!("{}/api", daemon.url()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn delay(daemon: &TestDaemon, place: &Place, count: usize, from: usize) -> Child {
    let (count, from) = (count.to_string(), from.to_string());
    let mut command = program(daemon, place, &["delay", &count, &from]);
    command.spawn().unwrap()
}

fn serve(daemon: &TestDaemon, place: &Place) -> Server {
    Server(program(daemon, place, &["serve"]).spawn().unwrap())
}

/// Waits until that many tasks have run, each once, and the daemon knows it.
fn all_have_run(daemon: &TestDaemon, place: &Place, count: usize) {
    let completed = json!({ "task_runs": { "state": { "type": { "any_": ["COMPLETED"] } } } });
    wait_for("the tasks to have run", || {
        let told = daemon.modern().post("/task_runs/count", &completed);
        (told.body == json!(count)).then_some(())
    });
    let mut numbers: Vec<usize> = place.marks().iter().map(|it| it.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
}

#[test]
fn tasks_that_are_handed_in_run_once_each_however_often_the_daemon_is_killed() {
    let mut daemon = TestDaemon::without_agent();
    let place = Place::new();
    // Nobody serves yet.
    assert!(
        delay(&daemon, &place, AT_A_TIME, 0)
            .wait()
            .unwrap()
            .success()
    );
    daemon.kill();
    daemon.restart(Vec::new());
    let _server = serve(&daemon, &place);
    all_have_run(&daemon, &place, AT_A_TIME);
    // While they run.
    let mut count = AT_A_TIME;
    for moment in [0, 250, 600] {
        let mut client = delay(&daemon, &place, AT_A_TIME, count);
        wait_for("some to have begun", || {
            (place.marks().len() > count).then_some(())
        });
        std::thread::sleep(Duration::from_millis(moment));
        daemon.kill();
        daemon.restart(Vec::new());
        assert!(client.wait().unwrap().success());
        count += AT_A_TIME;
        all_have_run(&daemon, &place, count);
    }
}
