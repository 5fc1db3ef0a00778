//! A real client of some generation.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client_log::TALKATIVE;
use crate::support::flows::file;
use crate::support::{TestDaemon, wait_for};

/// What clients say of a server that does not suit them.
const DISCONTENT: [&str; 4] = [
    "ncompatible",
    "server version",
    "HTTP/1.1 5",
    "Internal Server Error",
];

/// As what a deployment runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a container, by the daemon.
    Container,
    /// As a process with the client's Python, by the daemon.
    Process,
    /// As a process, by the client's own agent or worker.
    OwnProcess,
}

/// A client, with a folder for its files.
pub struct Client {
    version: String,
    venv: PathBuf,
    api: String,
    home: TempDir,
}

impl Client {
    pub fn new(version: &str, venv: PathBuf, url: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        // Clients note things where flows lie that they deploy.
        std::fs::copy(file("generations.py"), home.path().join("generations.py")).unwrap();
        Self {
            version: version.to_owned(),
            venv,
            api: format!("{url}/api"),
            home,
        }
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn venv(&self) -> &Path {
        &self.venv
    }

    /// Major and minor.
    fn generation(&self) -> (u32, u32) {
        let mut parts = self.version.split('.').map(|part| part.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    }

    /// Whether it has work pools, rather than queues and infrastructure blocks.
    fn has_pools(&self) -> bool {
        self.generation() >= (2, 10)
    }

    /// Whether it has a command that shows what a run logged.
    pub fn shows_logs(&self) -> bool {
        self.generation() >= (2, 7)
    }

    /// What its deployments of that use are called, and their pool or queue.
    pub fn name(&self, how: &str) -> String {
        format!("{how}-{}", self.version.replace('.', "-"))
    }

    /// A deployment as commands name it.
    pub fn deployment(&self, flow: &str, how: &str) -> String {
        format!("{flow}/{}", self.name(how))
    }

    /// One of its programs, pointed to the daemon.
    fn program(&self, name: &str) -> Command {
        let programs = self.venv.join("bin");
        let mut command = Command::new(programs.join(name));
        // As in an environment that was activated: agents start what is called `python`.
        let others = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{others}", programs.display()))
            .env("PREFECT_API_URL", &self.api)
            .env("PREFECT_HOME", self.home.path())
            .env("PYTHONWARNINGS", "ignore")
            .env("COLUMNS", "200")
            .envs([TALKATIVE])
            .current_dir(self.home.path());
        command
    }

    /// The flows, with words for them.
    pub fn flows(&self, words: &[&str]) -> Command {
        let mut command = self.program("python");
        command.arg("generations.py").args(words);
        command
    }

    /// Runs a command that goes well and finds nothing wrong with the server; answers what it
    /// printed.
    #[track_caller]
    pub fn says(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        let told = [&output.stdout[..], &output.stderr[..]].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(
            output.status.success(),
            "{} {command:?}: {told}",
            self.version
        );
        for word in DISCONTENT {
            assert!(
                !told.contains(word),
                "{} {command:?}: {word}: {told}",
                self.version
            );
        }
        told
    }

    /// A command of its `prefect`.
    #[track_caller]
    pub fn prefect(&self, words: &[&str]) -> String {
        let mut command = self.program("prefect");
        command.args(words);
        self.says(command)
    }

    /// Whether it can be had in the image of the newest: whether that has its Python.
    #[cfg(feature = "docker")]
    pub fn fits_image(&self) -> bool {
        let python = self.packages();
        let python = python.parent().unwrap().file_name().unwrap();
        image().ends_with(python.to_str().unwrap())
    }

    #[cfg(not(feature = "docker"))]
    pub fn fits_image(&self) -> bool {
        false
    }

    /// Where its packages are.
    fn packages(&self) -> PathBuf {
        let mut pythons = self.venv.join("lib").read_dir().unwrap();
        let python = pythons.next().unwrap().unwrap().path();
        python.join("site-packages").canonicalize().unwrap()
    }

    /// Deploys a flow for that use.
    #[track_caller]
    pub fn deploy(&self, flow: &str, how: &str, kind: Kind) {
        let name = self.name(how);
        if self.has_pools() {
            let pool = if kind == Kind::Container {
                "docker"
            } else {
                "process"
            };
            let mut create = self.program("prefect");
            create.args(["work-pool", "create", "--type", pool, &name]);
            // It is there from the second deployment on.
            create.output().unwrap();
        }
        let settings = self.settings(kind).to_string();
        let word = if kind == Kind::Container {
            "container"
        } else {
            "process"
        };
        self.says(self.flows(&["deploy", flow, &name, word, &settings]));
    }

    /// The settings of a job, in the words of the client's generation.
    fn settings(&self, kind: Kind) -> Value {
        let engine = |python: &str| {
            let words = [python, "-m", "prefect.engine"];
            match self.has_pools() {
                true => json!(words.join(" ")),
                false => json!(words),
            }
        };
        match kind {
            Kind::OwnProcess => json!({}),
            Kind::Process => json!({
                "command": engine(&self.venv.join("bin/python").display().to_string()),
                "env": { "PREFECT_HOME": self.home.path() },
            }),
            Kind::Container => {
                let (flows, packages) = (self.home.path().display(), self.packages());
                let mut settings = json!({
                    "image": image(),
                    "image_pull_policy": if self.has_pools() { "Never" } else { "NEVER" },
                    "volumes": [
                        format!("{flows}:{flows}:ro"),
                        // Where deployments with an infrastructure block look for them.
                        format!("{flows}:/opt/prefect/flows:ro"),
                        format!("{}:/client:ro", packages.display()),
                    ],
                    "env": { "PYTHONPATH": "/client" },
                });
                // That of the pool's template is of a later client.
                if self.has_pools() && self.generation() < (2, 14) {
                    settings["command"] = engine("python");
                }
                settings
            }
        }
    }

    /// Cancels a run.
    #[track_caller]
    pub fn cancel(&self, run: &str) {
        match self.generation() < (2, 7) {
            true => self.says(self.flows(&["cancel", run])),
            false => self.prefect(&["flow-run", "cancel", run]),
        };
    }

    /// Its own agent or worker, for what is deployed for that use.
    pub fn start_worker(&self, daemon: &TestDaemon, how: &str) -> Worker {
        let name = self.name(how);
        let mut command = self.program("prefect");
        match self.has_pools() {
            true => command.args(["worker", "start", "--pool", &name]),
            false => command.args(["agent", "start", "-q", &name]),
        };
        command
            .env("PREFECT_WORKER_QUERY_SECONDS", "2")
            .env("PREFECT_AGENT_QUERY_INTERVAL", "2");
        let log = self.home.path().join("worker.log");
        let out = File::create(&log).unwrap();
        command
            .stdout(out.try_clone().unwrap())
            .stderr(Stdio::from(out));
        let worker = Worker {
            child: command.spawn().unwrap(),
            log,
        };
        wait_for("the queue to be asked for", || {
            let path = match self.has_pools() {
                true => format!("/work_pools/{name}/queues/default"),
                false => format!("/work_queues/name/{name}"),
            };
            let queue = daemon.modern().get(&path);
            (!queue.body["last_polled"].is_null()).then_some(())
        });
        worker
    }

    /// Whether it told of a run itself: by what its flow says.
    pub fn has_made(&self, daemon: &TestDaemon, run: &Value) -> bool {
        let words = format!("prefect {} speaks", self.version);
        let id = run["id"].as_str().unwrap();
        let lines = daemon.http().lines(id);
        lines.iter().any(|line| line.contains(&words))
    }
}

/// The image of the newest client, in which the others are laid over it.
fn image() -> String {
    std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run")
}

/// An agent or a worker, that goes with the test.
pub struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Nothing that it says when it does not get what it asks for.
    #[track_caller]
    pub fn is_content(&self) {
        let told = std::fs::read_to_string(&self.log).unwrap();
        for word in DISCONTENT {
            assert!(!told.contains(word), "{word}: {told}");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
