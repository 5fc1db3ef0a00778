//! The real workers of 3.9.1.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::modern::{Place, ended_tasks, names, only_run, states_of, told};
use crate::support::client_log::has_no_failure;
use crate::support::flows::file;
use crate::support::wait_for;

/// A worker of the pool `p` in the foreground of its own, that goes with the test.
pub(super) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Of the pool's type.
    pub fn start(place: &Place, daemon: &TestDaemon, name: &str) -> Self {
        let log = place.0.path().join(format!("{name}.log"));
        let out = File::create(&log).unwrap();
        let child = place
            .program(daemon, "prefect")
            .args(["worker", "start", "--pool", "p", "--name", name])
            .args(["--install-policy", "never"])
            .env("PREFECT_LOGGING_LEVEL", "DEBUG")
            .env("PREFECT_WORKER_QUERY_SECONDS", "2")
            .env("PREFECT_WORKER_HEARTBEAT_SECONDS", "3")
            .stdout(Stdio::from(out.try_clone().unwrap()))
            .stderr(Stdio::from(out))
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Waits until it serves its pool.
    pub fn await_ready(&self, daemon: &TestDaemon, name: &str) {
        let online = json!({ "workers": { "status": { "any_": ["ONLINE"] } } });
        wait_for("the worker to be heard of", || {
            let workers = daemon
                .modern()
                .post("/work_pools/p/workers/filter", &online);
            let workers = workers.expect(200);
            let mut workers = workers.as_array().unwrap().iter();
            workers.any(|worker| worker["name"] == name).then_some(())
        });
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// All that it has logged.
    pub fn told(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) {
        wait_for("the worker to end", || self.child.try_wait().unwrap());
    }

    /// Nothing that it says when it does not get what it asks for.
    #[track_caller]
    pub fn is_content(&self) {
        let log = self.told();
        for words in ["Worker channel disabled", "Traceback", "Unable"] {
            assert!(!log.contains(words), "{words}: {log}");
        }
        has_no_failure(&log);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn says(place: &Place, daemon: &TestDaemon, words: &[&str]) -> String {
    let output = place
        .program(daemon, "prefect")
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    told(&output)
}

/// What `prefectctl flow-run why` says: the word for programs, and the sentence.
pub(super) fn why(daemon: &TestDaemon, run: &str) -> (String, String) {
    let mut ctl = daemon.ctl();
    let told = ctl.args(["flow-run", "why", run, "-o", "json"]).output();
    let told: Value = serde_json::from_slice(&told.unwrap().stdout).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("code"), text("reason"))
}

/// Deploys a flow of `tests/flows/modern.py` to a pool of processes.
fn deploy(place: &Place, daemon: &TestDaemon, flow: &str, parameters: &Value) {
    says(
        place,
        daemon,
        &["work-pool", "create", "--type", "process", "p"],
    );
    let http = daemon.modern();
    let made = http.post("/flows/", &json!({ "name": flow })).expect(201);
    let folder = file("modern.py");
    let deployment = json!({
        "name": "test",
        "flow_id": made["id"],
        "work_pool_name": "p",
        "path": folder.parent().unwrap(),
        "entrypoint": format!("modern.py:{flow}"),
        "parameters": parameters,
    });
    http.post("/deployments/", &deployment).expect(201);
}

#[test]
fn a_process_worker_runs_what_is_deployed_and_stops_what_is_cancelled() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let parameters = json!({ "mark": place.mark(), "many": 3 });
    deploy(&place, &daemon, "mapped", &parameters);
    let worker = Worker::start(&place, &daemon, "w");
    says(
        &place,
        &daemon,
        &["deployment", "run", "mapped/test", "--watch"],
    );
    assert_eq!(place.marks(), ["0", "1", "2"]);
    let run = only_run(&daemon, "mapped");
    let states = states_of(&daemon, &run);
    let expected = ["Scheduled", "Pending", "Submitting", "Running", "Completed"];
    let told: Vec<_> = names(&states);
    assert_eq!(told.first(), Some(&expected[0]), "{told:?}");
    assert_eq!(told.last(), Some(&expected[4]), "{told:?}");
    ended_tasks(&daemon, &run, 3);

    let http = daemon.modern();
    let path = format!(
        "/deployments/{}/create_flow_run",
        run["deployment_id"].as_str().unwrap()
    );
    let slow = json!({ "parameters": { "seconds": 600.0 } });
    http.post(&path, &slow).expect(201);
    let running = || {
        let asked = json!({ "flow_runs": { "state": { "type": { "any_": ["RUNNING"] } } } });
        let runs = http.post("/flow_runs/filter", &asked).expect(200);
        runs.as_array().unwrap().first().cloned()
    };
    let run = wait_for("the slow run to run", running);
    let id = run["id"].as_str().unwrap();
    says(&place, &daemon, &["flow-run", "cancel", id]);
    let ended = daemon.http().ended(id);
    assert_eq!(ended["state"]["name"], "Cancelled", "{}", worker.told());
    worker.is_content();
}
