//! The programs of `tests/flows/alike`, run under one server, and what they said.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::modern::venv;
use crate::support::client_log::TALKATIVE;
use crate::support::flows::file;
use crate::support::wait_for;

/// One server's side: where it is, and the folder of its clients.
pub struct Side {
    /// Where the server is.
    pub url: String,
    home: TempDir,
}

/// What a program came to.
pub struct Said {
    /// Its words, and the code with which it ended.
    pub name: String,
    pub code: Option<i32>,
    /// What it printed for the test.
    pub out: String,
    /// The client's log.
    pub log: String,
}

/// Who executes what is deployed to a pool.
#[derive(Clone, Copy, Debug)]
pub enum Served {
    /// The server, without anybody's help.
    ByItself,
    /// A worker that is started beside it.
    ByWorker,
}

/// A program, or several that belong together.
type Program<'a> = Box<dyn Fn() -> Vec<Said> + 'a>;

/// A program that goes on until it is told to end.
struct Running {
    child: Child,
    name: &'static str,
}

impl Side {
    /// Of the server at an address.
    pub fn new(url: String) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { url, home }
    }

    /// The clients' folder.
    pub fn home(&self) -> String {
        self.home.path().display().to_string()
    }

    /// Runs every program, one after another: processes that have to wait for a processor miss times
    /// that their flows set, and the real server, when it is busy, loses some of what it is told of
    /// task runs. Answers what each said.
    pub fn run_all(&self) -> Vec<Said> {
        let ended = self.mark("ended");
        std::fs::create_dir(&ended).unwrap();
        let one = |name: &'static str, words: &'static [&'static str]| {
            move || vec![self.python(name, words)]
        };
        let programs: [Program<'_>; 7] = [
            Box::new(one("everything.py", &["shapes"])),
            Box::new(one("everything.py", &["trying"])),
            Box::new(one("everything.py", &["working"])),
            Box::new(one("waiting.py", &[])),
            Box::new(|| vec![self.python("ending.py", &[&ended])]),
            Box::new(|| self.served()),
            Box::new(|| self.worked()),
        ];
        programs.iter().flat_map(|program| program()).collect()
    }

    /// What one process serves.
    fn served(&self) -> Vec<Said> {
        let serving = self.begin("serving", self.command("served.py", &["serve"]));
        self.await_log("serving", "prefect.runner");
        let mark = self.mark("served");
        let asked = self.python("served.py", &["ask-served", &mark]);
        vec![asked, self.end(serving)]
    }

    /// What a worker executes.
    fn worked(&self) -> Vec<Said> {
        let words = ["work-pool", "create", "--type", "process", "p"];
        let made = self.says("create", self.prefect(&words));
        let deployed = self.python("served.py", &["deploy", "p"]);
        let words = [
            "worker",
            "start",
            "--pool",
            "p",
            "--name",
            "w",
            "--install-policy",
            "never",
        ];
        let worker = self.begin("worker", self.prefect(&words));
        let mark = self.mark("worked");
        let asked = self.python("served.py", &["ask-worker", &mark]);
        vec![made, deployed, asked, self.end(worker)]
    }

    /// What a pool of that type executes, by a real worker or by the server itself.
    pub fn pooled(&self, kind: &str, by: Served) -> Vec<Said> {
        let words = ["work-pool", "create", "--type", kind, "p"];
        let made = self.says("create", self.prefect(&words));
        let variables = self.variables(kind).to_string();
        let deployed = self.python("served.py", &["deploy", "p", &variables]);
        let worker = match by {
            Served::ByItself => None,
            Served::ByWorker => Some(self.worker()),
        };
        let mark = self.mark("pooled");
        let asked = self.python("served.py", &["ask-pool", &mark]);
        assert_eq!(asked.code, Some(0), "{}{}", asked.out, asked.log);
        if let Some(worker) = worker {
            self.end(worker);
        }
        vec![made, deployed, asked]
    }

    fn worker(&self) -> Running {
        let words = [
            "worker",
            "start",
            "--pool",
            "p",
            "--install-policy",
            "never",
        ];
        self.begin("worker", self.prefect(&words))
    }

    /// The job variables of deployments to a pool of that type: where containers find the flows and the
    /// folder for marks, and what each run tells of its requests.
    fn variables(&self, kind: &str) -> Value {
        let talkative = json!({
            TALKATIVE.0: TALKATIVE.1,
            "PREFECT_LOGGING_LEVEL": "DEBUG",
            "PYTHONHASHSEED": "0",
        });
        if kind != "docker" {
            return json!({ "env": talkative });
        }
        let image = std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run");
        let code = file("alike").display().to_string();
        let home = self.home();
        json!({
            "image": image,
            "image_pull_policy": "Never",
            "auto_remove": true,
            "volumes": [format!("{code}:{code}:ro"), format!("{home}:{home}")],
            "env": talkative,
        })
    }

    fn mark(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn prefect(&self, words: &[&str]) -> Command {
        let mut command = Command::new(venv().join("bin/prefect"));
        command.args(words);
        command
    }

    fn command(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(venv().join("bin/python"));
        command.arg(file("alike").join(name)).args(words);
        command
    }

    fn python(&self, name: &str, words: &[&str]) -> Said {
        let told = [&[name], words].concat().join(" ");
        self.says(&told, self.command(name, words))
    }

    /// Every client tells what it asks for, and how that is answered.
    fn as_client(&self, mut command: Command) -> Command {
        command
            .env("PREFECT_API_URL", format!("{}/api", self.url))
            .env("PREFECT_HOME", self.home.path())
            .env("PYTHONHASHSEED", "0")
            .env("PREFECT_LOGGING_LEVEL", "DEBUG")
            .envs([TALKATIVE])
            .env("PREFECT_LOGGING_COLORS", "false")
            .env("PREFECT_RUNNER_POLL_FREQUENCY", "1")
            .env("PREFECT_WORKER_QUERY_SECONDS", "1")
            .env("PREFECT_CLI_PROMPT", "false")
            .env("COLUMNS", "400")
            .stdin(Stdio::null());
        command
    }

    fn says(&self, name: &str, command: Command) -> Said {
        let output = self.as_client(command).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            name: name.replace(&self.home(), "HOME"),
            code: output.status.code(),
            out: text(&output.stdout),
            log: text(&output.stderr),
        }
    }

    fn log_of(&self, name: &str) -> PathBuf {
        self.home.path().join(name).with_extension("log")
    }

    fn begin(&self, name: &'static str, command: Command) -> Running {
        let log = File::create(self.log_of(name)).unwrap();
        let child = self
            .as_client(command)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = child.unwrap();
        Running { child, name }
    }

    fn await_log(&self, name: &str, words: &str) {
        wait_for(words, || {
            let log = std::fs::read_to_string(self.log_of(name)).unwrap();
            log.contains(words).then_some(())
        });
    }

    /// Tells it to end, and waits until it has.
    fn end(&self, mut running: Running) -> Said {
        let pid = Pid::from_raw(running.child.id().cast_signed());
        kill(pid, Signal::SIGTERM).unwrap();
        let status = wait_for("it to end", || running.child.try_wait().unwrap());
        Said {
            name: running.name.to_owned(),
            code: status.code(),
            out: String::new(),
            log: std::fs::read_to_string(self.log_of(running.name)).unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
