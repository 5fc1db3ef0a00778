//! `prefectctl doctor` and readiness, in health and in trouble.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::disk::Disk;
use super::support::{Http, Options, TestDaemon, wait_for};

/// The checks that were printed, by name.
#[track_caller]
fn checks(output: &Output) -> Vec<(String, Value)> {
    let all: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{}", String::from_utf8_lossy(&output.stderr));
    });
    let all = all.as_array().unwrap().iter();
    all.map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone()))
        .collect()
}

/// How one of them came out; whatever is not well says what to do.
#[track_caller]
fn verdict(checks: &[(String, Value)], name: &str) -> String {
    let check = checks.iter().find(|(known, _)| known == name);
    let (_, check) = check.unwrap_or_else(|| panic!("no check {name} in {checks:?}"));
    let verdict = check["verdict"].as_str().unwrap();
    let is_trouble = ["warn", "fail"].contains(&verdict);
    assert_eq!(check["advice"].is_string(), is_trouble, "{check}");
    verdict.to_owned()
}

fn doctor(daemon: &TestDaemon, more: &[&str]) -> Output {
    let mut command = daemon.ctl();
    command.args(["doctor", "--output", "json"]).args(more);
    command.output().unwrap()
}

/// A daemon whose engine is nowhere.
fn without_engine() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("DOCKER_HOST", "unix:///nowhere/docker.sock".to_owned())],
        ..Options::default()
    })
}

#[test]
fn without_a_daemon_it_looks_at_what_there_is_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .env("STATE_DIRECTORY", dir.path().join("none"))
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .args(["doctor", "-o", "json", "--socket"])
        .arg(dir.path().join("none.sock"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    let found = checks(&output);
    assert_eq!(verdict(&found, "daemon"), "fail");
    assert_eq!(verdict(&found, "engine"), "fail");
    assert_eq!(verdict(&found, "state directory"), "skip");
}

#[test]
fn an_engine_that_is_away_is_told_and_nothing_else_suffers() {
    let daemon = without_engine();
    let output = doctor(&daemon, &[]);
    assert_eq!(output.status.code(), Some(1));
    let found = checks(&output);
    assert_eq!(verdict(&found, "engine"), "fail");
    for well in ["daemon", "writes", "database", "clock", "state directory"] {
        assert_eq!(verdict(&found, well), "ok", "{well}");
    }
    let table = daemon.ctl().arg("doctor").output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    // Right below what it is for.
    let mut lines = table
        .lines()
        .skip_while(|line| !line.starts_with("fail  engine"));
    let advice = lines.nth(1);
    assert!(
        advice.is_some_and(|line| line.contains("systemctl start docker")),
        "{table}"
    );
    assert!(table.contains("\nfail  engine"), "{table}");

    // The daemon is ready all the same.
    let http = daemon.http();
    assert_eq!(http.get("/ready").expect(200), true);
    assert_eq!(http.get("/v3/ready").expect(200)["message"], "OK");
    let ready = http.get("/v3/prefectd/ready").expect(200);
    assert_eq!(
        (ready["writer"].clone(), ready["engine"].clone()),
        (true.into(), false.into())
    );
    assert!(
        ready["trouble"][0]
            .as_str()
            .unwrap()
            .contains("not reachable")
    );
}

#[test]
fn a_state_directory_that_is_not_only_the_daemon_s_is_told() {
    let daemon = without_engine();
    fs::set_permissions(daemon.state_dir(), Permissions::from_mode(0o755)).unwrap();
    let found = checks(&doctor(&daemon, &[]));
    assert_eq!(verdict(&found, "state directory"), "warn");
    // Only root may give files away.
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(daemon.database(), Some(65_534), None).unwrap();
        let found = checks(&doctor(&daemon, &[]));
        assert_eq!(verdict(&found, "state directory"), "fail");
    }
}

#[test]
fn a_disk_that_is_full_from_the_start_is_told_until_there_is_room() {
    let mut disk = Disk::default();
    let mut daemon = TestDaemon::restored(|state| disk.mount(state));
    assert!(daemon.terminate().success());
    disk.fill();
    daemon.restart(vec![(
        "DOCKER_HOST",
        "unix:///nowhere/docker.sock".to_owned(),
    )]);
    let output = doctor(&daemon, &[]);
    assert_eq!(output.status.code(), Some(1));
    let found = checks(&output);
    assert_eq!(verdict(&found, "writes"), "fail");
    assert_eq!(verdict(&found, "database"), "skip");
    let writes = found.iter().find(|(name, _)| name == "writes");
    let told = writes.unwrap().1.to_string();
    assert!(
        told.contains("disk is full") && told.contains("room"),
        "{told}"
    );
    assert_eq!(daemon.http().get("/ready").status, 507);
    let status = daemon.ctl().arg("status").output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("disk is full"), "{status}");
    disk.make_room();
    wait_for("the room to be noticed", || {
        (daemon.http().get("/ready").status == 200).then_some(())
    });
    let found = checks(&doctor(&daemon, &[]));
    assert_eq!(verdict(&found, "writes"), "ok");
    assert_eq!(verdict(&found, "database"), "ok");
}

/// A docker pool whose template's image is a variable, with `default` as its default.
fn pool(http: &Http, name: &str, default: Value) {
    let env = json!({ "default": { "KEY": "{{ prefect.blocks.secret.none }}" } });
    let template = json!({
        "job_configuration": { "image": "{{ image }}", "env": "{{ env }}" },
        "variables": {
            "type": "object", "properties": { "image": { "default": default }, "env": env },
        },
    });
    let body = json!({ "name": name, "type": "docker", "base_job_template": template });
    http.post("/v3/work_pools/", &body).expect(201);
}

fn deploy(http: &Http, pool: &str, name: &str, job_variables: &Value) {
    let flow = http.flow("f");
    let body = json!({
        "name": name, "flow_id": flow, "work_pool_name": pool, "job_variables": job_variables,
    });
    http.post("/v3/deployments/", &body).expect(201);
}

#[test]
fn the_images_of_docker_pools_are_among_those_to_be_looked_at() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_DOCKER__POOL_IMAGE", "by/operator:1".to_owned())],
        ..Options::default()
    });
    let http = daemon.http();
    let variable = json!({ "name": "tag", "value": "7" });
    http.post("/v3/variables/", &variable).expect(201);
    pool(
        &http,
        "with",
        json!("by/template:{{ prefect.variables.tag }}"),
    );
    pool(&http, "without", Value::Null);
    let body = json!({ "name": "elsewhere", "type": "process" });
    http.post("/v3/work_pools/", &body).expect(201);
    deploy(&http, "with", "a", &json!({}));
    deploy(&http, "with", "b", &json!({ "image": "by/deployment:1" }));
    deploy(&http, "with", "c", &json!({ "image": "by/deployment:1" }));
    deploy(&http, "without", "d", &json!({}));
    deploy(
        &http,
        "elsewhere",
        "e",
        &json!({ "image": "no/container:1" }),
    );
    let config = json!({ "image": "by/runner:1" });
    let runner = json!({ "type": "docker", "config": config });
    http.deployment(&http.flow("f"), "g", &runner);
    let plan = http.get("/v3/prefectd/doctor").expect(200);
    let images = [
        "by/runner:1",
        "by/operator:1",
        "by/deployment:1",
        "by/template:7",
    ];
    assert_eq!(plan["images"], json!(images), "the last changed first");
    assert_eq!(plan["images_left_out"], 0);
    for number in 0..9 {
        let image = json!({ "image": format!("many:{number}") });
        deploy(&http, "with", &format!("many-{number}"), &image);
    }
    let plan = http.get("/v3/prefectd/doctor").expect(200);
    assert_eq!(plan["images"].as_array().unwrap().len(), 10);
    assert_eq!(plan["images_left_out"], 3);
}

#[cfg(feature = "docker")]
mod with_docker {
    use super::*;
    use crate::docker::{docker, image};

    fn with_bridge() -> TestDaemon {
        TestDaemon::with(Options {
            flags: vec!["--no-agent"],
            ..Options::default()
        })
    }

    #[test]
    fn in_health_a_container_reaches_the_daemon_and_nothing_stays() {
        let daemon = with_bridge();
        let image = std::env::var("PREFECTD_TEST_IMAGE").unwrap();
        let output = doctor(&daemon, &["--image", &image]);
        let found = checks(&output);
        for well in [
            "engine",
            "image",
            "image's python",
            "image's prefect",
            "bridge",
        ] {
            assert_eq!(verdict(&found, well), "ok", "{well} of {found:?}");
        }
        let prefect = found.iter().find(|(name, _)| name == "image's prefect");
        assert_eq!(prefect.unwrap().1["found"], "2.0a7");
        assert!(output.status.success(), "{found:?}");
        assert_eq!(daemon.containers(), Vec::<String>::new());
        let ready = daemon.http().get("/v3/prefectd/ready").expect(200);
        assert_eq!(ready["engine"], true);
    }

    #[test]
    fn an_image_that_is_missing_is_a_warning_and_one_without_python_a_failure() {
        let daemon = with_bridge();
        let output = doctor(&daemon, &["--image", "registry.invalid/none:1"]);
        assert_eq!(verdict(&checks(&output), "image"), "warn");
        assert!(output.status.success());
        let output = doctor(&daemon, &["--image", "prefectd-test:bare"]);
        assert_eq!(verdict(&checks(&output), "image's python"), "fail");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(daemon.containers(), Vec::<String>::new());
    }

    #[test]
    fn the_image_of_the_deployment_that_changed_last_is_looked_at() {
        let daemon = with_bridge();
        let http = daemon.http();
        let flow = http.flow("f");
        let config = serde_json::json!({ "image": "registry.invalid/mine:1" });
        let runner = serde_json::json!({ "type": "docker", "config": config });
        http.deployment(&flow, "d", &runner);
        let found = checks(&doctor(&daemon, &[]));
        let image = found.iter().find(|(name, _)| name == "image");
        let said = image.unwrap().1["found"].as_str().unwrap();
        assert!(said.contains("registry.invalid/mine:1"), "{said}");
    }

    #[test]
    fn images_that_are_not_looked_at_for_being_many_are_counted() {
        let daemon = with_bridge();
        let http = daemon.http();
        pool(&http, "p", Value::Null);
        for number in 0..11 {
            let image = json!({ "image": format!("registry.invalid/many:{number}") });
            deploy(&http, "p", &format!("d{number}"), &image);
        }
        let found = checks(&doctor(&daemon, &[]));
        assert_eq!(verdict(&found, "images"), "skip");
        let (_, told) = found.iter().find(|(name, _)| name == "images").unwrap();
        assert!(
            told["found"].as_str().unwrap().starts_with("1 more"),
            "{told}"
        );
        let looked_at = found.iter().filter(|(name, _)| name == "image").count();
        assert_eq!(looked_at, 10);
    }

    #[test]
    fn the_network_that_containers_have_by_default_is_looked_at() {
        let network = format!("prefectd-test-doctor-{}", std::process::id());
        let setting = "PREFECTD_DOCKER__DEFAULTS__NETWORK_MODE";
        let label = "io.prefectd.test=doctor";
        docker(&["network", "create", "--label", label, &network]);
        let daemon = TestDaemon::with(Options {
            flags: vec!["--no-agent"],
            env: vec![(setting, network.clone())],
            ..Options::default()
        });
        let name = format!("network {network}");
        let well = checks(&doctor(&daemon, &["--image", &image()]));
        docker(&["network", "rm", &network]);
        let gone = checks(&doctor(&daemon, &["--image", &image()]));
        assert_eq!(verdict(&well, &name), "ok", "{well:?}");
        assert_eq!(verdict(&gone, &name), "fail");
        let (_, check) = gone.iter().find(|(known, _)| *known == name).unwrap();
        let advice = check["advice"].as_str().unwrap();
        assert!(advice.contains("docker.defaults.network_mode"), "{advice}");
        assert_eq!(daemon.containers(), Vec::<String>::new());
    }
}
