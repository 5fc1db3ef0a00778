//! A daemon of a test's own: its own state directory, socket and port.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::{Http, wait_for};

/// How a test wants its daemon.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// More flags.
    pub flags: Vec<&'static str>,
    /// More environment.
    pub env: Vec<(&'static str, String)>,
    /// Where to listen; any free port by default.
    pub listen: Option<String>,
    /// A state directory whose database it begins with.
    pub seed: Option<PathBuf>,
    /// Another file of the same program.
    pub program: Option<PathBuf>,
}

/// A running `prefectd`. Killed, with all its containers removed, when it is dropped.
pub struct TestDaemon {
    dir: TempDir,
    options: Options,
    listen: String,
    child: Child,
}

impl TestDaemon {
    /// With its agent.
    #[cfg(feature = "client")]
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Without an agent: nothing runs by itself.
    pub fn without_agent() -> Self {
        Self::with(Options {
            flags: vec!["--no-agent", "--no-docker-bridge"],
            ..Options::default()
        })
    }

    /// With its agent, and on TCP only where the test is.
    pub fn with_agent_without_bridge() -> Self {
        Self::with(Options {
            flags: vec!["--no-docker-bridge"],
            ..Options::default()
        })
    }

    /// Without an agent, on a state directory that `fill` has filled.
    pub fn restored(fill: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fill(&dir.path().join("state"));
        let flags = vec!["--no-agent", "--no-docker-bridge"];
        let options = Options {
            flags,
            ..Options::default()
        };
        Self::within(dir, options)
    }

    /// As wanted; ready when this returns.
    pub fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if let Some(seed) = &options.seed {
            copy(seed, &dir.path().join("state"));
        }
        Self::within(dir, options)
    }

    fn within(dir: TempDir, options: Options) -> Self {
        let listen = options.listen.as_deref().unwrap_or("127.0.0.1:0");
        let child = spawn(dir.path(), &options, listen);
        let mut daemon = Self {
            dir,
            options,
            listen: String::new(),
            child,
        };
        daemon.await_ready();
        daemon
    }

    fn await_ready(&mut self) {
        let log = self.dir.path().join("log");
        let port = wait_for("the daemon to be ready", || {
            let text = std::fs::read_to_string(&log).unwrap();
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended: {text}");
            let last = text.rsplit("\n").find(|line| line.ends_with("ready"));
            last?;
            let place = text.rsplit_once("listening on http://127.0.0.1:")?.1;
            place.split_whitespace().next().map(str::to_owned)
        });
        self.listen = format!("127.0.0.1:{port}");
    }

    /// Where the API is, such as `http://127.0.0.1:1234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.listen.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Sends requests to it.
    pub fn http(&self) -> Http {
        Http::new(&self.url())
    }

    /// Requests as the modern client sends them.
    pub fn modern(&self) -> Http {
        Http::modern(&self.url())
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("prefectd.sock")
    }

    /// Its state directory.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.state_dir().join("prefectd.db")
    }

    /// A value that `/metrics` tells.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.http().text("/metrics");
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
        values.next().unwrap().trim().parse().unwrap()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `prefectctl`, pointed to its socket.
    pub fn ctl(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prefectctl"));
        command
            .env_remove("PREFECT_API_URL")
            .env_remove("PREFECT_ORION_HOST")
            .arg("--socket")
            .arg(self.socket());
        command
    }

    /// What it says of itself.
    pub fn status(&self) -> Value {
        self.http().get("/v3/prefectd/status").expect(200)
    }

    /// Kills it and starts the program that is there by default.
    pub fn upgrade(&mut self) {
        self.kill();
        self.options.program = None;
        self.restart(Vec::new());
    }

    /// Asks it to stop and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        )
        .unwrap();
        self.wait()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the daemon to end", || self.child.try_wait().unwrap())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same state directory and port, with other environment.
    pub fn restart(&mut self, env: Vec<(&'static str, String)>) {
        self.begin_again(env);
        self.await_ready();
    }

    /// The same without waiting for it: it may die before it could be seen to be ready.
    pub fn begin_again(&mut self, env: Vec<(&'static str, String)>) {
        self.options.env = env;
        self.child = spawn(self.dir.path(), &self.options, &self.listen);
    }

    /// Starts it again with other flags, to die at a point of [`prefectd::fault`]. Meanwhile
    /// `work` is done.
    #[cfg(feature = "docker")]
    pub fn doom(&mut self, flags: Vec<&'static str>, point: &str, work: impl FnOnce(&Self)) {
        self.options.flags = flags;
        self.options.env = vec![("PREFECTD_FAULT", point.to_owned())];
        self.child = spawn(self.dir.path(), &self.options, &self.listen);
        work(self);
        let died = self.wait();
        assert!(!died.success(), "the daemon did not die at {point}");
    }

    /// How many holds on slots there are.
    pub fn leases(&self) -> i64 {
        let database = rusqlite::Connection::open(self.database()).unwrap();
        let count = database.query_row("SELECT count(*) FROM leases", [], |row| row.get(0));
        count.unwrap()
    }

    /// Checks its database; it has to be stopped.
    pub fn check_database(&self) {
        let database = self.state_dir().join("prefectd.db");
        let database = rusqlite::Connection::open(database).unwrap();
        let checked = database.query_row("PRAGMA integrity_check", [], |row| row.get(0));
        let checked: String = checked.unwrap();
        assert_eq!(checked, "ok");
    }

    /// The ids of all containers that it made.
    pub fn containers(&self) -> Vec<String> {
        let Ok(instance) = std::fs::read_to_string(self.state_dir().join("instance-id")) else {
            return Vec::new();
        };
        let ours = format!("label=io.prefectd.instance={instance}");
        let Ok(listed) = Command::new("docker")
            .args(["ps", "--all", "--quiet", "--filter", &ours])
            .output()
        else {
            // No Docker here, so no containers.
            return Vec::new();
        };
        let listed = String::from_utf8(listed.stdout).unwrap();
        listed.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for TestDaemon {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
        let containers = self.containers();
        if !containers.is_empty() {
            let removed = Command::new("docker")
                .args(["rm", "--force"])
                .args(containers)
                .output();
            assert!(removed.is_ok_and(|output| output.status.success()));
        }
    }
}

/// Copies a daemon's database and documents.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // This makes it that one daemon.
        if entry.file_name() == "instance-id" {
            continue;
        }
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap().is_dir() {
            true => copy(&path, &to),
            false => drop(std::fs::copy(path, to).unwrap()),
        }
    }
}

fn spawn(dir: &Path, options: &Options, listen: &str) -> Child {
    let log = File::create(dir.join("log")).unwrap();
    let mounts = format!("[{:?}]", std::env::temp_dir());
    let program = Path::new(env!("CARGO_BIN_EXE_prefectd"));
    Command::new(options.program.as_deref().unwrap_or(program))
        .env_remove("PREFECTD_FAULT")
        // Runs leave their marks in temporary folders.
        .env("PREFECTD_DOCKER__ALLOW__HOST_VOLUMES", mounts)
        .envs(options.env.iter().map(|(key, value)| (*key, value)))
        .arg("--state-dir")
        .arg(dir.join("state"))
        .arg("--socket")
        .arg(dir.join("prefectd.sock"))
        .args(["--listen", listen, "--log-format", "text"])
        .args(&options.flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
