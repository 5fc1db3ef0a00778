//! A machine of a test's own: a real systemd as process 1 of its own namespaces.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::super::support::wait_for;

/// A running machine. It ends, with all that runs in it, when it is dropped.
pub struct Machine {
    dir: TempDir,
    script: Child,
    init: u32,
}

impl Machine {
    /// Boots it and waits until it is up.
    pub fn boot() -> Self {
        let root = std::env::var("PREFECTD_TEST_SYSTEMD_ROOT")
            .expect("tests/run sets PREFECTD_TEST_SYSTEMD_ROOT");
        let dir = tempfile::tempdir().unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        let script = Command::new("tests/systemd/boot")
            .args([Path::new(&root), dir.path()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut machine = Self {
            dir,
            script,
            init: 0,
        };
        machine.init = wait_for("the machine's first process", || machine.find_init());
        wait_for("the machine to be up", || {
            let state = machine.run(&["systemctl", "is-system-running"]);
            let state = String::from_utf8(state.stdout).unwrap();
            // Some of what belongs to whole machines fails in this one.
            ["running", "degraded"]
                .contains(&state.trim())
                .then_some(())
        });
        machine
    }

    fn find_init(&self) -> Option<u32> {
        let children = |pid: u32| {
            let listed = Command::new("pgrep")
                .args(["-P", &pid.to_string()])
                .output();
            let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
            listed.lines().next().and_then(|pid| pid.parse().ok())
        };
        let unshare = children(self.script.id())?;
        let init = children(unshare)?;
        let name = std::fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
        (name.trim() == "systemd").then_some(init)
    }

    /// A command that will run in it, as root.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "--target",
                &self.init.to_string(),
                "--all",
                "--root",
                "--wd=/",
            ])
            .args([
                "env",
                "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL=C.UTF-8",
            ])
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command in it.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command that has to succeed, and answers what it prints.
    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let (told, complaint) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{words:?}: {told}{complaint}");
        told
    }

    /// Runs a line of shell that has to succeed.
    #[track_caller]
    pub fn shell(&self, line: &str) -> String {
        self.ok(&["sh", "-euc", line])
    }

    /// A property of a unit.
    #[track_caller]
    pub fn property(&self, unit: &str, name: &str) -> String {
        let asked = ["systemctl", "show", unit, "--value", "--property", name];
        self.ok(&asked).trim().to_owned()
    }

    /// Writes a file in it.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }

    /// Where a path of it is for us.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.init))
    }

    /// Its network.
    pub fn network(&self) -> File {
        File::open(format!("/proc/{}/ns/net", self.init)).unwrap()
    }

    /// Moves the calling thread, for good, into a machine's network.
    pub fn enter(network: &File) {
        setns(network, CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// Its journal, for when a check fails.
    pub fn journal(&self) -> String {
        let asked = [
            "journalctl",
            "--no-pager",
            "--lines=120",
            "--output=short-precise",
        ];
        text(&self.run(&asked).stdout)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            eprintln!(
                "the machine's journal:\n{}\nits console:\n{log}",
                self.journal()
            );
        }
        // The script ends the machine and takes its control group away.
        let _ = kill(
            Pid::from_raw(self.script.id().cast_signed()),
            Signal::SIGTERM,
        );
        let _ = self.script.wait();
    }
}

/// What a command printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
