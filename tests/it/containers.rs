//! What runs' containers may do, how they are stopped, and what is kept of what they print.

#![cfg(feature = "docker")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::docker::{Marked, container, daemon, docker, inspect};
use super::support::flows::{deploy, run};
use super::support::{Options, TestDaemon, wait_for};

/// All that a run's container printed: a short log.
fn printed(daemon: &TestDaemon, id: &str) -> Vec<String> {
    let asked = json!({
        "logs": { "flow_run_id": { "any_": [id] } },
        "sort": "TIMESTAMP_ASC",
    });
    let lines = daemon.http().post("/v3/logs/filter", &asked).expect(200);
    let lines = lines.as_array().unwrap().clone().into_iter();
    let ours = lines.filter(|line| line["name"] == "prefectd.container");
    ours.map(|line| line["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_cancelled_container_ends_at_once_as_cancelled_and_never_had_raw_sockets() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "sleeper", &json!({ "mark": "/marks/m" }));
    wait_for("the flow to start", || {
        (marked.lines("m") == ["started"]).then_some(())
    });
    let container = container(&daemon, &id);
    assert_eq!(
        inspect(&container, "{{json .HostConfig.CapDrop}}"),
        "[\"NET_RAW\"]"
    );
    assert_eq!(inspect(&container, "{{json .HostConfig.Init}}"), "true");
    let capabilities = docker(&["exec", &container, "grep", "CapEff", "/proc/1/status"]);
    let mask = capabilities.split_whitespace().last().unwrap();
    let mask = u64::from_str_radix(mask, 16).unwrap();
    assert_eq!(mask & (1 << 13), 0, "{capabilities}");
    let begun = Instant::now();
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    // What the run's own engine may still tell.
    for told in ["RUNNING", "COMPLETED"] {
        let late = json!({ "state": { "type": told } });
        daemon
            .http()
            .post(&format!("/flow_runs/{id}/set_state"), &late);
    }
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_type"], "CANCELLED", "{ended}");
    wait_for("the container to stop", || {
        (inspect(&container, "{{.State.Status}}") == "exited").then_some(())
    });
    // The grace period is 30 s.
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(daemon.http().run(&id)["state_type"], "CANCELLED");
}

#[test]
fn a_run_that_is_cancelled_while_its_image_is_pulled_never_gets_a_container() {
    let daemon = daemon();
    // A registry that takes every connection and never answers.
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let image = format!("127.0.0.1:{}/none:1", registry.local_addr().unwrap().port());
    let http = daemon.http();
    let flow = http.flow("f");
    let runner = json!({ "type": "docker", "config": { "image": image } });
    let deployment = http.deployment(&flow, "d", &runner);
    let id = http.run_deployment(&deployment)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    wait_for("the image to be pulled", || {
        let why = http
            .get(&format!("/v3/prefectd/flow_runs/{id}/why"))
            .expect(200);
        (why["code"] == "pulling_image").then_some(())
    });
    let begun = Instant::now();
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    assert_eq!(http.ended(&id)["state_type"], "CANCELLED");
    wait_for("its slot to be free", || {
        (daemon.status()["agent"]["slots_used"] == 0).then_some(())
    });
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(daemon.containers().is_empty());
    drop(registry);
}

#[test]
fn a_long_line_comes_whole_and_a_progress_bar_as_its_end() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "endings.py", &marked.runner(json!({})));
    let id = run(&daemon, "wordy", &json!({ "length": 100_000 }));
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    let lines = wait_for("all of its output", || {
        let lines = printed(&daemon, &id);
        lines
            .iter()
            .any(|line| line == "wordy is done")
            .then_some(lines)
    });
    let long = format!("begin {} end", "0123456789".repeat(10_000));
    assert!(
        lines.contains(&long),
        "{:?}",
        lines.iter().map(String::len).collect::<Vec<_>>()
    );
    let bars: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(" of 20000"))
        .collect();
    assert_eq!(bars, ["step 20000 of 20000"]);
}

#[test]
fn nobody_sets_the_labels_that_containers_are_found_by() {
    let (daemon, marked) = (daemon(), Marked::new());
    let http = daemon.http();
    let flow = http.flow("f");
    for label in [
        "io.prefectd.agent",
        "io.prefectd.new",
        "io.prefect.flow-run-id",
    ] {
        let runner = json!({ "type": "docker", "config": { "labels": { label: "x" } } });
        let body = json!({ "name": "d", "flow_id": flow, "flow_data": { "encoding": "x", "blob": "y" }, "flow_runner": runner });
        let told = http.post("/deployments/", &body).expect(422);
        assert!(told.to_string().contains(label), "{told}");
        let body = json!({ "flow_id": flow, "flow_runner": runner });
        http.post("/flow_runs/", &body).expect(422);
        let known = http.flow_run(&flow);
        http.patch(
            &format!("/flow_runs/{known}"),
            &json!({ "flow_runner": runner }),
        )
        .expect(422);
    }
    // An image may carry them, and loses.
    let tag = format!("prefectd-test:labelled-{}", daemon.port());
    let base = super::docker::image();
    let made = docker(&["create", &base]);
    docker(&[
        "commit",
        "--change",
        "LABEL io.prefectd.agent=x io.prefectd.auto-remove=yes",
        &made,
        &tag,
    ]);
    docker(&["rm", &made]);
    deploy(&daemon, "cases.py", &marked.runner(json!({ "image": tag })));
    let id = run(&daemon, "plain", &json!({}));
    let ended = http.ended(&id);
    let made = container(&daemon, &id);
    let label = inspect(&made, "{{index .Config.Labels \"io.prefectd.agent\"}}");
    docker(&["rm", "--force", &made]);
    docker(&["rmi", &tag]);
    assert_eq!(ended["state_name"], "Completed");
    assert_eq!(label, "embedded");
}

#[test]
fn the_host_s_network_is_refused_under_every_name() {
    let daemon = daemon();
    let http = daemon.http();
    let flow = http.flow("f");
    let id = docker(&["network", "inspect", "host", "--format", "{{.Id}}"]);
    let settings = [
        json!({ "networks": ["host"] }),
        json!({ "networks": [id] }),
        json!({ "networks": [id.get(..12)] }),
        json!({ "networks": ["bridge", id] }),
        json!({ "network_mode": id }),
        json!({ "network_mode": "container:x" }),
    ];
    for (place, config) in settings.into_iter().enumerate() {
        let mut config: Value = config;
        config["image"] = json!(super::docker::image());
        let runner = json!({ "type": "docker", "config": config });
        let deployment = http.deployment(&flow, &place.to_string(), &runner);
        let run = http.run_deployment(&deployment)["id"].clone();
        let ended = http.ended(run.as_str().unwrap());
        let message = ended["state"]["message"].as_str().unwrap();
        assert!(
            message.contains("docker.allow.host_namespaces"),
            "{config}: {message}"
        );
    }
    assert!(daemon.containers().is_empty());
}

/// Runs a program, which has to succeed.
#[track_caller]
fn done(folder: &Path, program: &str, words: &str) {
    let output = Command::new(program)
        .args(words.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {words}: {told}");
}

/// An authority, and what it says of an engine and of its client.
fn certificates(folder: &Path) {
    let made = "req -newkey rsa:2048 -nodes -days 2";
    done(
        folder,
        "openssl",
        &format!("{made} -x509 -keyout ca-key.pem -out ca.pem -subj /CN=prefectd-test-ca"),
    );
    for (name, key, says) in [
        (
            "server-cert.pem",
            "server-key.pem",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ),
        ("cert.pem", "key.pem", "extendedKeyUsage=clientAuth"),
    ] {
        std::fs::write(folder.join("says"), says).unwrap();
        let made = "req -newkey rsa:2048 -nodes";
        done(
            folder,
            "openssl",
            &format!("{made} -keyout {key} -out request -subj /CN=localhost"),
        );
        let signed = "x509 -req -in request -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2";
        done(
            folder,
            "openssl",
            &format!("{signed} -extfile says -out {name}"),
        );
    }
}

/// The device and the network of that engine's bridge. Without one of its own it would take the
/// machine's away.
const TLS_BRIDGE: (&str, &str) = ("prefectd-t3", "172.31.216.1/24");

fn ip(words: &[&str]) -> bool {
    Command::new("ip")
        .args(words)
        .output()
        .unwrap()
        .status
        .success()
}

/// An engine behind TLS. It ends, and takes its bridge with it, when it is dropped.
struct TlsEngine(Child, TempDir);

impl TlsEngine {
    fn start(port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path());
        let (name, address) = TLS_BRIDGE;
        // One that a killed test left.
        let _ = ip(&["link", "delete", name]);
        assert!(ip(&["link", "add", name, "type", "bridge"]));
        assert!(ip(&["address", "add", address, "dev", name]));
        assert!(ip(&["link", "set", name, "up"]));
        std::fs::write(dir.path().join("settings"), "{}").unwrap();
        let under = |name: &str| dir.path().join(name).display().to_string();
        let driver = docker(&["info", "--format", "{{.Driver}}"]);
        let process = Command::new("dockerd")
            .args(["--host", &format!("tcp://127.0.0.1:{port}"), "--tlsverify"])
            .args([
                "--tlscacert",
                &under("ca.pem"),
                "--tlscert",
                &under("server-cert.pem"),
            ])
            .args([
                "--tlskey",
                &under("server-key.pem"),
                "--bridge",
                TLS_BRIDGE.0,
            ])
            .args(["--data-root", &under("data"), "--exec-root", &under("exec")])
            .args([
                "--pidfile",
                &under("pid"),
                "--config-file",
                &under("settings"),
            ])
            .args(["--iptables=false", "--ip-forward=false", "--ip-masq=false"])
            .args(["--storage-driver", &driver])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self(process, dir)
    }
}

impl Drop for TlsEngine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.1.path().join("log")).unwrap_or_default();
            eprintln!("the engine's log: {log}");
        }
        let pid = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        // It may have ended already.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
        let _ = ip(&["link", "delete", TLS_BRIDGE.0]);
    }
}

#[test]
fn an_engine_behind_tls_is_spoken_to_with_certificates() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let engine = TlsEngine::start(port);
    let folder = engine.1.path().display().to_string();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![
            ("DOCKER_HOST", format!("tcp://127.0.0.1:{port}")),
            ("DOCKER_TLS_VERIFY", "1".to_owned()),
            ("DOCKER_CERT_PATH", folder),
            ("PREFECTD_DOCKER__PULL", "never".to_owned()),
        ],
        ..Options::default()
    });
    let http = daemon.http();
    let runner = json!({ "type": "docker", "config": { "image": "none:1" } });
    let deployment = http.deployment(&http.flow("f"), "d", &runner);
    let id = http.run_deployment(&deployment)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // The engine's own words, which it says to those alone whom it knows.
    let ended = http.ended(&id);
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(message.contains("No such image: none:1"), "{message}");
    drop(engine);
}
