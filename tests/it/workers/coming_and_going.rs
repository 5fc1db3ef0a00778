//! Runs of a pool that the daemon's own agent serves, while real workers of the pool come and go.

use nix::sys::signal::Signal;

use super::real::{Worker, why};
use super::*;
use crate::modern::{self, Place, names, states_of};
use crate::support::flows::file;
use crate::support::{Options, wait_for};

/// How many runs.
fn many() -> usize {
    match std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        true => 100,
        false => 12,
    }
}

/// A daemon whose agent begins few runs at once.
fn daemon(place: &Place) -> TestDaemon {
    let code = file("planned.py").parent().unwrap().to_owned();
    let volumes = json!([code, place.0.path()]).to_string();
    TestDaemon::with(Options {
        env: vec![
            ("PREFECTD_AGENT__SLOTS", "4".to_owned()),
            ("PREFECTD_DOCKER__ALLOW__HOST_VOLUMES", volumes),
        ],
        ..Options::default()
    })
}

/// A deployment of `planned` of `tests/flows/planned.py`, and runs of it; each notes its number.
struct Runs<'a> {
    daemon: &'a TestDaemon,
    place: &'a Place,
    deployment: String,
    ids: Vec<String>,
}

impl Runs<'_> {
    /// Asks for more.
    fn ask(&mut self, more: usize) {
        for _ in 0..more {
            let number = self.ids.len().to_string();
            let path = format!("/deployments/{}/create_flow_run", self.deployment);
            let asked =
                json!({ "parameters": { "name": number }, "state": { "type": "SCHEDULED" } });
            let run = self.daemon.modern().post(&path, &asked).expect(201);
            self.ids.push(run["id"].as_str().unwrap().to_owned());
        }
    }

    /// Waits until the last one is told to be served so.
    fn last_is_served(&self, words: &str) {
        let id = self.ids.last().unwrap();
        wait_for(words, || {
            let (code, reason) = why(self.daemon, id);
            assert_ne!(code, "ended", "not {words}: {reason}");
            reason.contains(words).then_some(())
        });
    }

    /// Waits until all have ended; each was executed once.
    fn each_was_executed_once(&self) {
        for id in &self.ids {
            let ended = self.daemon.http().ended(id);
            let run = json!({ "id": id });
            let states = states_of(self.daemon, &run);
            let states = names(&states);
            assert_eq!(ended["state"]["name"], "Completed", "{states:?}");
            let begun = states.iter().filter(|name| **name == "Running").count();
            assert_eq!(begun, 1, "{states:?}");
        }
        let marks = self.place.marks().into_iter();
        let mut numbers: Vec<usize> = marks.map(|line| line.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..self.ids.len()).collect::<Vec<_>>());
    }
}

/// A quarter of the runs each: without a worker, with two, while one of them is stopped, and while
/// the other is killed.
fn come_and_go(daemon: &TestDaemon, place: &Place, deployment: String) {
    let mut runs = Runs {
        daemon,
        place,
        deployment,
        ids: Vec::new(),
    };
    let quarter = many() / 4;
    runs.ask(quarter);
    runs.last_is_served("which serves the work pool 'p'");

    let [mut first, mut second] =
        ["first", "second"].map(|name| Worker::start(place, daemon, name));
    first.await_ready(daemon, "first");
    second.await_ready(daemon, "second");
    for worker in [&first, &second] {
        worker.signal(Signal::SIGSTOP);
    }
    runs.ask(quarter);
    runs.last_is_served("The work pool 'p' is served by its own worker");
    for worker in [&first, &second] {
        worker.signal(Signal::SIGCONT);
    }

    runs.ask(1);
    first.signal(Signal::SIGINT);
    runs.ask(quarter - 1);
    first.wait();

    runs.ask(1);
    runs.last_is_served("the worker 'second' of the work pool 'p' took it");
    second.signal(Signal::SIGKILL);
    second.wait();
    runs.ask(many() - runs.ids.len());
    runs.each_was_executed_once();
}

#[test]
fn each_run_of_processes_is_executed_once_while_workers_come_and_go() {
    let place = Place::new();
    let daemon = daemon(&place);
    let more = json!({ "parameters": { "mark": place.mark() } });
    let deployment = modern::deploy(&daemon, &place, ("planned.py", "planned"), &more);
    come_and_go(&daemon, &place, deployment);
}

#[test]
#[cfg(feature = "docker")]
fn each_run_of_containers_is_executed_once_while_workers_come_and_go() {
    use super::docker::{Containers, deploy};

    let place = Place::new();
    let daemon = daemon(&place);
    crate::docker::await_bridge(&daemon);
    let containers = Containers::new();
    let flow = ("planned.py", "planned");
    let parameters = json!({ "mark": "/marks/mark" });
    let deployment = deploy(&place, &daemon, &containers, flow, &parameters);
    come_and_go(&daemon, &place, deployment);
}
