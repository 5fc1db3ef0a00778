//! A swarm of engines on this machine, made by `tests/swarm/nodes`.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;
use tempfile::TempDir;

use crate::docker::image;
use crate::support::{Options, TestDaemon, wait_for};

/// Where this machine is to the nodes.
pub const HERE: &str = "10.78.0.1";

/// The swarm; one at a time on a machine. Gone when it is dropped.
pub struct Cluster {
    dir: TempDir,
    _turn: Flock<File>,
}

impl Cluster {
    /// A manager and so many workers, which have the image of the tests.
    pub fn up(workers: usize) -> Self {
        let lock = File::create(std::env::temp_dir().join("prefectd-test-swarm.lock")).unwrap();
        let turn = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let cluster = Self { dir, _turn: turn };
        cluster.nodes(&["up"], &[&workers.to_string()]);
        let image = image();
        for worker in 0..=workers {
            cluster.nodes(&["load"], &[&worker.to_string(), &image]);
        }
        cluster
    }

    fn path(&self) -> PathBuf {
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
    pub fn daemon(&self, placement: &str) -> TestDaemon {
        let daemon = TestDaemon::with(Options {
            env: self.env(placement),
            ..Options::default()
        });
        self.await_reachable(&daemon);
        daemon
    }

    /// What its daemon is told.
    pub fn env(&self, placement: &str) -> Vec<(&'static str, String)> {
        vec![
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

impl Drop for Cluster {
    fn drop(&mut self) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/swarm/nodes");
        let down = Command::new(program).arg("down").arg(self.path()).output();
        assert!(down.is_ok_and(|down| down.status.success()));
    }
}
