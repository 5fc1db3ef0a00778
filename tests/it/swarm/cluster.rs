//! A swarm of engines on this machine, made by `tests/swarm/nodes`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::docker::{Marked, image};
use crate::support::flows;
use crate::support::{Options, TestDaemon, wait_for};

/// Where this machine is to the nodes.
pub const HERE: &str = "10.78.0.1";

/// The swarm; one at a time on a machine. Gone when it is dropped.
pub struct Cluster {
    dir: TempDir,
    workers: usize,
    registry: String,
    _turn: Flock<File>,
}

impl Cluster {
    /// A manager and so many workers, which have the image of the tests.
    pub fn up(workers: usize) -> Self {
        let cluster = Self::bare(workers);
        cluster.load(&image());
        cluster
    }

    /// A manager and so many workers without any image.
    fn bare(workers: usize) -> Self {
        Self::with_registry(workers, "")
    }

    /// The same, which pull without TLS from a registry.
    pub fn with_registry(workers: usize, registry: &str) -> Self {
        let lock = File::create(std::env::temp_dir().join("prefectd-test-swarm.lock")).unwrap();
        let turn = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let cluster = Self {
            dir,
            workers,
            registry: registry.to_owned(),
            _turn: turn,
        };
        cluster.nodes(&["up"], &[&workers.to_string()]);
        cluster
    }

    /// Brings an image to all nodes.
    pub fn load(&self, image: &str) {
        std::thread::scope(|scope| {
            for node in 0..=self.workers {
                scope.spawn(move || self.nodes(&["load"], &[&node.to_string(), image]));
            }
        });
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("swarm")
    }

    /// Does something to it.
    #[track_caller]
    pub fn nodes(&self, verb: &[&str], more: &[&str]) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/swarm/nodes");
        let done = Command::new(program)
            .args(verb)
            .arg(self.path())
            .args(more)
            .env("SWARM_REGISTRY", &self.registry)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{verb:?} {more:?}: {told}");
    }

    /// The address of a node's engine.
    pub fn engine(&self, node: usize) -> String {
        format!("unix://{}/n{node}/d.sock", self.path().display())
    }

    /// What an engine's `docker` command prints.
    #[track_caller]
    pub fn docker(&self, node: usize, words: &[&str]) -> String {
        let done = Command::new("docker")
            .args(["--host", &self.engine(node)])
            .args(words)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "docker {words:?}: {told}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// A daemon at the manager's engine, which the nodes reach.
    pub fn daemon(&self, folders: &[&Path]) -> TestDaemon {
        self.daemon_with(self.env("swarm", folders))
    }

    /// The same, told more than [`Self::env`].
    pub fn daemon_with(&self, env: Vec<(&'static str, String)>) -> TestDaemon {
        let daemon = TestDaemon::with(Options {
            env,
            ..Options::default()
        });
        self.await_reachable(&daemon);
        daemon
    }

    /// What its daemon is told, and which folders its runs may have.
    pub fn env(&self, placement: &str, folders: &[&Path]) -> Vec<(&'static str, String)> {
        vec![
            (
                "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
                json!(folders).to_string(),
            ),
            ("DOCKER_HOST", self.engine(0)),
            ("PREFECTD_SERVER__ADVERTISE", HERE.to_owned()),
            ("PREFECTD_DOCKER__PLACEMENT", placement.to_owned()),
        ]
    }

    /// Waits until the nodes reach a daemon.
    pub fn await_reachable(&self, daemon: &TestDaemon) {
        wait_for("the listener for the nodes", || {
            let listeners = daemon.status()["listeners"].clone();
            let mut listeners = listeners.as_array().unwrap().iter();
            listeners
                .any(|one| one.as_str().unwrap().contains(HERE))
                .then_some(())
        });
    }

    /// How many services there are.
    pub fn services(&self) -> usize {
        self.docker(0, &["service", "ls", "--quiet"])
            .lines()
            .count()
    }

    fn of_run(&self, what: &str, run: &str) -> Vec<Value> {
        let label = format!("label=io.prefect.flow-run-id={run}");
        let ids = match what {
            "service" => self.docker(0, &["service", "ls", "--quiet", "--filter", &label]),
            _ => {
                let service = self.service(run)["ID"].as_str().unwrap().to_owned();
                self.docker(0, &["service", "ps", "--quiet", "--no-trunc", &service])
            }
        };
        ids.split_whitespace()
            .map(|id| {
                let told = self.docker(0, &["inspect", id]);
                serde_json::from_str::<Value>(&told).unwrap()[0].clone()
            })
            .collect()
    }

    /// The service of a run.
    #[track_caller]
    pub fn service(&self, run: &str) -> Value {
        let found = self.of_run("service", run);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    /// Its only task.
    #[track_caller]
    pub fn task(&self, run: &str) -> Value {
        let found = self.of_run("task", run);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    /// A node's name.
    pub fn node_name(&self, id: &str) -> String {
        self.docker(
            0,
            &[
                "node",
                "inspect",
                "--format",
                "{{.Description.Hostname}}",
                id,
            ],
        )
    }

    /// How many containers run on a node.
    pub fn running(&self, node: usize) -> usize {
        self.docker(node, &["ps", "--quiet"]).lines().count()
    }
}

/// Deploys the flows of the tests by the real client, and then with settings that its flow runner does
/// not know, as a program that speaks to the API does.
#[track_caller]
pub fn deploy(daemon: &TestDaemon, marked: &Marked, settings: Value) {
    flows::deploy(daemon, "cases.py", &marked.runner(json!({})));
    let http = daemon.http();
    let all = http.post("/deployments/filter", &json!({})).expect(200);
    for deployment in all.as_array().unwrap() {
        if deployment["name"] == "test" {
            let mut changed = deployment.clone();
            let fields = changed.as_object_mut().unwrap();
            fields.retain(|name, _| !["id", "created", "updated"].contains(&name.as_str()));
            changed["flow_runner"] = marked.runner(settings.clone());
            http.post("/deployments/", &changed).expect(200);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/swarm/nodes");
        let down = Command::new(program).arg("down").arg(self.path()).output();
        let down = down.unwrap();
        let told = String::from_utf8_lossy(&down.stderr);
        assert!(down.status.success(), "{told}");
    }
}
