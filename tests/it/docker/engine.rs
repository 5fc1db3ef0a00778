//! An engine that stops and comes back: one of the test's own, beside the machine's.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::support::flows::{deploy, run};
use super::super::support::{Options, TestDaemon, wait_for};
use super::{Marked, image};

/// A second engine. It ends, and takes its bridge with it, when it is dropped.
struct Engine {
    dir: TempDir,
    bridge: &'static str,
    process: Option<Child>,
}

impl Engine {
    /// One that has the test's image and these settings, on a bridge of its own: its device and
    /// its network.
    fn start((name, address): (&'static str, &str), settings: &Value) -> Self {
        // One that a killed test left.
        let _ = ip(&["link", "delete", name]);
        assert!(ip(&["link", "add", name, "type", "bridge"]));
        assert!(ip(&["address", "add", address, "dev", name]));
        assert!(ip(&["link", "set", name, "up"]));
        let mut engine = Self {
            dir: tempfile::tempdir().unwrap(),
            bridge: name,
            process: None,
        };
        // The machine's own settings are not for it.
        std::fs::write(engine.path("settings"), settings.to_string()).unwrap();
        engine.resume();
        let image = image();
        let load = format!("docker save {image} | docker --host {} load", engine.host());
        let loaded = Command::new("sh")
            .args(["-c", &load])
            .stdout(Stdio::null())
            .status();
        assert!(loaded.unwrap().success());
        engine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What `DOCKER_HOST` says to reach it.
    fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// Starts it, and waits until it answers.
    fn resume(&mut self) {
        let log = File::create(self.path("log")).unwrap();
        let under = |name: &str| self.path(name).display().to_string();
        let process = Command::new("dockerd")
            .args(["--host", &self.host(), "--bridge", self.bridge])
            .args(["--data-root", &under("data"), "--exec-root", &under("exec")])
            .args([
                "--pidfile",
                &under("pid"),
                "--config-file",
                &under("settings"),
            ])
            .args(["--iptables=false", "--ip-forward=false", "--ip-masq=false"])
            .args(["--storage-driver", &driver()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        wait_for("the second engine", || {
            let asked = Command::new("docker")
                .args(["--host", &self.host(), "version"])
                .output();
            asked.unwrap().status.success().then_some(())
        });
    }

    /// Stops it, and waits until it has.
    fn pause(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGTERM).unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("the second engine's log, last first:\n{}", last.join("\n"));
        }
        if self.process.is_some() {
            let _ = Command::new("sh")
                .arg("-c")
                .arg(format!(
                    "docker --host {0} ps -aq | xargs -r docker --host {0} rm -f",
                    self.host()
                ))
                .output();
        }
        self.pause();
        unmount(self.dir.path());
        let _ = ip(&["link", "delete", self.bridge]);
    }
}

/// Takes away what an engine that was killed left mounted.
fn unmount(below: &Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mounted = mounts
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    for path in mounted.filter(|path| Path::new(path).starts_with(below)) {
        let _ = Command::new("umount").args(["--lazy", path]).status();
    }
}

fn ip(words: &[&str]) -> bool {
    let output = Command::new("ip").args(words).output().unwrap();
    output.status.success()
}

/// The driver that works on this machine.
fn driver() -> String {
    super::docker(&["info", "--format", "{{.Driver}}"])
}

#[test]
fn five_runs_that_are_due_while_the_engine_is_away_start_when_it_is_back() {
    let bridge = ("prefectd-t0", "172.31.213.1/24");
    let mut engine = Engine::start(bridge, &json!({}));
    let daemon = TestDaemon::with(Options {
        env: vec![("DOCKER_HOST", engine.host())],
        ..Options::default()
    });
    super::await_bridge(&daemon);
    let marked = Marked::new();
    deploy(
        &daemon,
        "cases.py",
        &marked.runner(json!({ "auto_remove": true })),
    );
    engine.pause();
    let begun: Vec<_> = (0..5)
        .map(|place| {
            run(
                &daemon,
                "plain",
                &json!({ "mark": format!("/marks/{place}") }),
            )
        })
        .collect();
    wait_for("the status to say what is wrong", || {
        let told = daemon.ctl().arg("status").output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        (told.contains("not reachable") && told.contains("Docker")).then_some(())
    });
    for id in &begun {
        let mut why = daemon.ctl();
        let why = why
            .args(["flow-run", "why", id, "--output", "json"])
            .output();
        let why: Value = serde_json::from_slice(&why.unwrap().stdout).unwrap();
        assert_eq!(why["code"], "engine_away", "{why}");
    }
    engine.resume();
    for (place, id) in begun.iter().enumerate() {
        let ended = daemon.http().ended(id);
        assert_eq!(
            ended["state_name"], "Completed",
            "{}",
            ended["state"]["message"]
        );
        assert_eq!(ended["run_count"], 1);
        assert_eq!(marked.lines(&place.to_string()), ["plain"]);
    }
    wait_for("the engine to be well again", || {
        let told = daemon.ctl().arg("status").output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        (!told.contains("not reachable")).then_some(())
    });
}

#[test]
fn an_engine_without_an_init_gets_containers_without_one() {
    let bridge = ("prefectd-t2", "172.31.215.1/24");
    let engine = Engine::start(bridge, &json!({ "init-path": "/nowhere/docker-init" }));
    let daemon = TestDaemon::with(Options {
        env: vec![("DOCKER_HOST", engine.host())],
        ..Options::default()
    });
    super::await_bridge(&daemon);
    let marked = Marked::new();
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    for mark in ["first", "second"] {
        let id = run(
            &daemon,
            "plain",
            &json!({ "mark": format!("/marks/{mark}") }),
        );
        let ended = daemon.http().ended(&id);
        assert_eq!(
            ended["state_name"], "Completed",
            "{}",
            ended["state"]["message"]
        );
        assert_eq!(marked.lines(mark), ["plain"]);
    }
    let inits = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "docker --host {0} ps -aq | xargs docker --host {0} inspect -f '{{{{.HostConfig.Init}}}}'",
            engine.host()
        ))
        .output();
    let inits = String::from_utf8(inits.unwrap().stdout).unwrap();
    assert_eq!(inits.lines().collect::<Vec<_>>(), ["false", "false"]);
    let told = daemon.log();
    assert_eq!(told.matches("no docker-init").count(), 1, "{told}");
}
