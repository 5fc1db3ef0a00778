//! Clients of every generation, the real ones, all against one daemon at once. `tests/run --long`
//! takes those from 2.0a7 to 3.9.1; `tests/run generations`, one of Prefect 2 and the first of
//! Prefect 3; any other run leaves them out, for they take long to set up.

#![cfg(feature = "client")]

mod client;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};

use super::modern;
use super::support::flows;
use super::support::{Options, TestDaemon, wait_for};
use client::{Client, Kind};

/// The clients that `tests/run` prepared, with the oldest and the newest where the tests are long.
fn clients(url: &str) -> Vec<Client> {
    let prepared = std::env::var("PREFECTD_TEST_CLIENTS").expect("run these tests by tests/run");
    let prepared = prepared.lines().map(|line| {
        let (version, venv) = line.split_once('=').unwrap();
        (version.to_owned(), PathBuf::from(venv))
    });
    let mut all: Vec<_> = prepared.collect();
    if std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        all.push(("3.9.1".to_owned(), modern::venv()));
    }
    let all = all.into_iter();
    all.map(|(version, venv)| Client::new(&version, venv, url))
        .collect()
}

/// A daemon whose containers may have the flows and the clients.
fn daemon() -> TestDaemon {
    let cache = |client: &Client| client.venv().canonicalize().unwrap();
    let mut folders: Vec<_> = clients("").iter().map(cache).collect();
    folders.push(std::env::temp_dir());
    let python = flows::venv().join("bin/python");
    TestDaemon::with(Options {
        flags: match cfg!(feature = "docker") {
            true => vec![],
            false => vec!["--no-docker-bridge"],
        },
        env: vec![
            (
                "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
                json!(folders).to_string(),
            ),
            ("PREFECTD_RUNNERS__PYTHON", python.display().to_string()),
        ],
        ..Options::default()
    })
}

#[test]
fn every_generation_works_with_one_daemon_at_once() {
    let daemon = daemon();
    #[cfg(feature = "docker")]
    crate::docker::await_bridge(&daemon);
    let clients = clients(&daemon.url());
    let is_long = std::env::var_os("PREFECTD_TEST_LONG").is_some();
    thread::scope(|scope| {
        let mut working: Vec<_> = { clients.iter() }
            .map(|client| {
                let daemon = &daemon;
                let name = client.version().to_owned();
                let work = thread::Builder::new().name(name);
                work.spawn_scoped(scope, || works(daemon, client)).unwrap()
            })
            .collect();
        if is_long {
            working.push(scope.spawn(|| of_2_0a7(&daemon)));
        }
        for work in working {
            work.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let compat = daemon.modern().get("/v3/prefectd/compat").expect(200);
    assert_eq!(compat, json!([]), "fields that are not known");
}

/// All that one client does.
fn works(daemon: &TestDaemon, client: &Client) {
    client.says(client.flows(&["run"]));
    let run = daemon.run_of(client, "scripts", "told");
    assert_eq!(run["deployment_id"], Value::Null);
    well_told(daemon, client, &run, 1);

    let kind = match cfg!(feature = "docker") && client.fits_image() {
        true => Kind::Container,
        false => Kind::Process,
    };
    client.deploy("told", "ours", kind);
    client.prefect(&["deployment", "run", &client.deployment("told", "ours")]);
    let run = daemon.run_of(client, "ours", "told");
    well_told(daemon, client, &run, 1);
    assert_ne!(agent_of(daemon, &run), Value::Null, "{run}");

    client.deploy("sleeper", "ours", kind);
    client.prefect(&["deployment", "run", &client.deployment("sleeper", "ours")]);
    let run = daemon.run_of(client, "ours", "sleeper");
    let id = run["id"].as_str().unwrap();
    wait_for("the run to run", || {
        (daemon.http().run(id)["state_type"] == "RUNNING").then_some(())
    });
    assert!(has_process(id));
    client.cancel(id);
    assert_eq!(daemon.http().ended(id)["state_type"], "CANCELLED");
    wait_for("its process to be gone", || {
        (!has_process(id)).then_some(())
    });

    client.deploy("told", "own", Kind::OwnProcess);
    let worker = client.start_worker(daemon, "own");
    client.prefect(&["deployment", "run", &client.deployment("told", "own")]);
    let run = daemon.run_of(client, "own", "told");
    well_told(daemon, client, &run, 1);
    assert_eq!(agent_of(daemon, &run), Value::Null, "{run}");
    worker.is_content();
}

/// Our agent, where that had a run.
fn agent_of(daemon: &TestDaemon, run: &Value) -> Value {
    let mut run = daemon.http().run(run["id"].as_str().unwrap());
    run["agent"].take()
}

/// Whether a process of this machine, in a container or not, executes a run.
fn has_process(run: &str) -> bool {
    let mark = format!("PREFECT__FLOW_RUN_ID={run}\0");
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut environments =
        processes.filter_map(|it| std::fs::read(it.unwrap().path().join("environ")).ok());
    environments.any(|it| it.windows(mark.len()).any(|part| part == mark.as_bytes()))
}

/// A run of `told` has ended well, its tasks were retried, and its log can be read.
fn well_told(daemon: &TestDaemon, client: &Client, run: &Value, attempts: i64) {
    let id = run["id"].as_str().unwrap();
    let ended = daemon.http().ended(id);
    assert_eq!(
        ended["state_type"],
        "COMPLETED",
        "{} {ended}\n{:?}",
        client.version(),
        daemon.http().lines(id)
    );
    assert_eq!(ended["run_count"], attempts);
    let of_run = json!({ "flow_runs": { "id": { "any_": [id] } }, "sort": "ID_DESC" });
    let tasks = wait_for("the task runs to be told", || {
        let tasks = daemon
            .modern()
            .post("/task_runs/filter", &of_run)
            .expect(200);
        let tasks = tasks.as_array().unwrap().clone();
        let is_over = |task: &Value| task["state_type"] == "COMPLETED";
        (tasks.len() == 2 && tasks.iter().all(is_over)).then_some(tasks)
    });
    let counts: Vec<_> = tasks
        .iter()
        .filter_map(|task| task["run_count"].as_i64())
        .collect();
    // The one was tried twice, the other stands for the sub-flow.
    assert!(counts.contains(&2), "{} {counts:?}", client.version());
    let words = format!("prefect {} speaks", client.version());
    wait_for("what the flow logged", || {
        let lines = daemon.http().lines(id);
        lines.iter().any(|line| line.contains(&words)).then_some(())
    });
    if client.shows_logs() {
        let shown = client.prefect(&["flow-run", "logs", id]);
        assert!(shown.contains(&words), "{shown}");
    }
}

impl TestDaemon {
    /// The only run of a flow that a client made by a deployment, or by no deployment.
    fn run_of(&self, client: &Client, how: &str, flow: &str) -> Value {
        let asked = match how {
            "scripts" => json!({
                "flow_runs": { "deployment_id": { "is_null_": true },
                               "parent_task_run_id": { "is_null_": true } },
                "flows": { "name": { "any_": [flow] } },
            }),
            how => json!({
                "deployments": { "name": { "any_": [client.name(how)] } },
                "flows": { "name": { "any_": [flow] } },
            }),
        };
        let runs = self.modern().post("/flow_runs/filter", &asked).expect(200);
        let runs = runs.as_array().unwrap().iter();
        let of_client = runs.filter(|run| how != "scripts" || client.has_made(self, run));
        let found: Vec<_> = of_client.cloned().collect();
        assert_eq!(found.len(), 1, "{} {found:?}", client.version());
        found[0].clone()
    }
}

/// The same of the oldest client, which knows neither pools nor the cancelling of runs.
fn of_2_0a7(daemon: &TestDaemon) {
    let run = |runner: &Value| {
        flows::deploy(daemon, "generations.py", runner);
        let id = flows::run(daemon, "told", &json!({}));
        let ended = daemon.http().ended(&id);
        assert_eq!(ended["state_type"], "COMPLETED", "{ended}");
        let lines = daemon.http().lines(&id);
        let words = "prefect 2.0a7 speaks";
        assert!(lines.iter().any(|line| line.contains(words)), "{lines:?}");
    };
    let process = json!({ "type": "subprocess", "config": {} });
    #[cfg(not(feature = "docker"))]
    let first = process.clone();
    #[cfg(feature = "docker")]
    let first = json!({ "type": "docker", "config": { "image": crate::docker::image() } });
    run(&first);
    let id = flows::run(daemon, "sleeper", &json!({}));
    wait_for("the run to run", || {
        (daemon.http().run(&id)["state_type"] == "RUNNING").then_some(())
    });
    let words = ["flow-run", "cancel", &id, "--wait", "--yes"];
    assert!(daemon.ctl().args(words).status().unwrap().success());
    assert_eq!(daemon.http().run(&id)["state_type"], "CANCELLED");
    // Its agent competes with the daemon's own.
    let mut agent = flows::prefect(daemon, &["agent", "start"]).spawn().unwrap();
    run(&process);
    agent.kill().unwrap();
    agent.wait().unwrap();
}
