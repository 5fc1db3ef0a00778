//! A standalone agent of a test's own.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::wait_for;

/// A running `prefectctl agent start`. Killed when it is dropped; its containers are its
/// daemon's to remove.
pub struct TestAgent {
    dir: TempDir,
    name: String,
    host: Option<String>,
    env: Vec<(&'static str, String)>,
    child: Child,
}

impl TestAgent {
    /// Of that name, for the API at `url`.
    pub fn start(url: &str, name: &str, slots: u64) -> Self {
        Self::start_on(None, url, name, slots)
    }

    /// The same in a network namespace of its own, which to it is another host.
    pub fn start_on(host: Option<&str>, url: &str, name: &str, slots: u64) -> Self {
        Self::begin(host, Vec::new(), url, name, slots)
    }

    /// The same, with the API's key.
    pub fn start_with_key(key: &str, url: &str, name: &str, slots: u64) -> Self {
        let env = vec![("PREFECT_API_KEY", key.to_owned())];
        Self::begin(None, env, url, name, slots)
    }

    /// The same, with more environment.
    pub fn start_with_env(
        env: Vec<(&'static str, String)>,
        url: &str,
        name: &str,
        slots: u64,
    ) -> Self {
        Self::begin(None, env, url, name, slots)
    }

    fn begin(
        host: Option<&str>,
        env: Vec<(&'static str, String)>,
        url: &str,
        name: &str,
        slots: u64,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = spawn(dir.path(), (host, &env), url, name, slots);
        Self {
            dir,
            name: name.to_owned(),
            host: host.map(str::to_owned),
            env,
            child,
        }
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again as what it was.
    pub fn restart(&mut self, url: &str, slots: u64) {
        self.child = spawn(
            self.dir.path(),
            (self.host.as_deref(), &self.env),
            url,
            &self.name,
            slots,
        );
    }

    /// Asks it to stop and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGTERM).unwrap();
        self.wait()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the agent to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of agent {}:\n{}", self.name, self.log());
        }
    }
}

/// `place` is a network namespace, if any, and more environment.
fn spawn(
    dir: &Path,
    place: (Option<&str>, &[(&'static str, String)]),
    url: &str,
    name: &str,
    slots: u64,
) -> Child {
    let (host, env) = place;
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .unwrap();
    let mounts = format!("[{:?}]", std::env::temp_dir());
    let program = env!("CARGO_BIN_EXE_prefectctl");
    let mut command = match host {
        Some(host) => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", host, program]);
            command
        }
        None => Command::new(program),
    };
    command
        .envs(env.iter().map(|(key, value)| (*key, value)))
        .env("PREFECTD_DOCKER__ALLOW__HOST_VOLUMES", mounts)
        .args(["agent", "start", "--log-format", "text", "--api", url])
        .args(["--name", name, "--slots", &slots.to_string()])
        .arg("--state-dir")
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
