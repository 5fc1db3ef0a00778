//! The daemon in a container of its own, as `examples/compose.yaml` has it.

#![cfg(feature = "docker")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::docker::{docker, image};
use super::support::flows::file;
use super::support::{Http, wait_for};

/// `docker compose`, or the program that was before it.
fn compose() -> Command {
    let is_there = Command::new("docker").args(["compose", "version"]).output();
    match is_there.is_ok_and(|output| output.status.success()) {
        true => {
            let mut command = Command::new("docker");
            command.arg("compose");
            command
        }
        false => Command::new("docker-compose"),
    }
}

/// What is up, under names that nobody else has.
struct Up {
    name: String,
    port: u16,
}

impl Up {
    fn run(&self, words: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = compose();
        command
            .arg("--file")
            .arg(root.join("examples/compose.yaml"))
            .args(["--project-name", &self.name])
            .args(words)
            .env("PREFECTD_IMAGE", &self.name)
            .env("PREFECTD_NETWORK", &self.name)
            .env("PREFECTD_PORT", self.port.to_string());
        command.output().unwrap()
    }

    fn logs(&self) -> String {
        String::from_utf8_lossy(&self.run(&["logs"]).stdout).into_owned()
    }

    /// What there is of ours, by name or label.
    fn left(&self) -> Vec<String> {
        let name = format!("name={}", self.name);
        let label = format!("network={}", self.name);
        let words = [
            vec!["ps", "--all", "--quiet", "--filter", &name],
            vec!["ps", "--all", "--quiet", "--filter", &label],
            vec!["network", "ls", "--quiet", "--filter", &name],
            vec!["volume", "ls", "--quiet", "--filter", &name],
        ];
        let all = words.iter().map(|words| docker(words));
        all.filter(|told| !told.is_empty()).collect()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let label = format!("network={}", self.name);
        let runs = docker(&["ps", "--all", "--quiet", "--filter", &label]);
        self.run(&["down", "--volumes"]);
        for run in runs.split_whitespace() {
            let _ = Command::new("docker").args(["rm", "--force", run]).output();
        }
        let _ = Command::new("docker")
            .args(["network", "rm", &self.name])
            .output();
        let _ = Command::new("docker")
            .args(["image", "rm", &self.name])
            .output();
    }
}

#[test]
fn the_tutorial_runs_under_compose_and_nothing_is_left_after_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let up = Up {
        name: format!("prefectd-test-{port}"),
        port,
    };
    // The test's image stands for the base, which no registry is asked for.
    let context = tempfile::tempdir().unwrap();
    for (program, name) in [
        (env!("CARGO_BIN_EXE_prefectd"), "prefectd"),
        (env!("CARGO_BIN_EXE_prefectctl"), "prefectctl"),
    ] {
        std::fs::copy(program, context.path().join(name)).unwrap();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (dockerfile, base) = (root.join("Dockerfile"), format!("BASE={}", image()));
    docker(&[
        "build",
        "--file",
        dockerfile.to_str().unwrap(),
        "--build-arg",
        &base,
        "--tag",
        &up.name,
        context.path().to_str().unwrap(),
    ]);
    let begun = up.run(&["up", "--detach"]);
    let told = String::from_utf8_lossy(&begun.stderr);
    assert!(begun.status.success(), "{told}");
    let url = format!("http://127.0.0.1:{port}");
    wait_for("the daemon in its container", || {
        let health = ureq::get(format!("{url}/api/health")).call();
        health.is_ok().then_some(())
    });
    let http = Http::new(&url);
    let runner = json!({ "type": "docker", "config": { "image": image() } });
    let deployed = Command::new(super::support::flows::venv().join("bin/python"))
        .arg(file("deploy.py"))
        .arg(file("cases.py"))
        .arg(runner.to_string())
        .env("PREFECT_ORION_HOST", format!("{url}/api/"))
        .output()
        .unwrap();
    assert!(deployed.status.success(), "{deployed:?}");
    let deployment = http.get("/deployments/name/tasks/test").expect(200);
    let deployment = deployment["id"].as_str().unwrap();
    let run = http.run_deployment(deployment)["id"].clone();
    let run = run.as_str().unwrap();
    let ended: Value = http.ended(run);
    assert_eq!(ended["state_name"], "Completed", "{ended}\n{}", up.logs());
    wait_for("its container to be removed", || {
        let label = format!("network={}", up.name);
        let there = docker(&["ps", "--all", "--quiet", "--filter", &label]);
        (there.lines().count() == 1).then_some(())
    });
    let down = up.run(&["down", "--volumes"]);
    assert!(down.status.success(), "{down:?}");
    assert_eq!(up.left(), Vec::<String>::new());
}
