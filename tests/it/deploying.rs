//! What today's client deploys, with the real 3.9.1.

#![cfg(feature = "client")]

use std::path::Path;

use serde_json::{Value, json};

use super::modern::{Place, venv};
use super::serving::{deployment, prefect, says};
use super::support::TestDaemon;
use super::support::flows::file;

#[test]
fn a_project_is_deployed_without_questions() {
    let (daemon, place) = (TestDaemon::with_agent_without_bridge(), Place::new());
    let mut create = place.program(&daemon, "prefect");
    create.args(["work-pool", "create", "--type", "process", "p"]);
    says(&daemon, create);
    let project = tempfile::tempdir().unwrap();
    std::fs::copy(file("planned.py"), project.path().join("planned.py")).unwrap();
    let python = venv().join("bin/python");
    let yaml = json!({
        "name": "project",
        "pull": [{ "prefect.deployments.steps.set_working_directory":
                   { "directory": project.path() } }],
        "deployments": [{
            "name": "yaml",
            "entrypoint": "planned.py:planned",
            "parameters": { "mark": place.mark(), "name": "from yaml" },
            "tags": ["t"],
            "work_pool": { "name": "p", "job_variables": {
                "command": format!("{} -m prefect.engine", python.display()) } },
            "schedules": [
                { "cron": "0 6 * * *", "timezone": "Europe/Berlin", "slug": "morning" },
                { "interval": 3600, "slug": "hours", "active": false },
            ],
        }],
    });
    std::fs::write(project.path().join("prefect.yaml"), yaml.to_string()).unwrap();
    for _ in 0..2 {
        let mut deploy = place.program(&daemon, "prefect");
        deploy
            .current_dir(project.path())
            .args(["--no-prompt", "deploy", "--all"]);
        says(&daemon, deploy);
    }
    let made = deployment(&daemon, "planned/yaml");
    let mut schedules: Vec<_> = { made["schedules"].as_array().unwrap().iter() }
        .map(|it| {
            (
                it["slug"].as_str().unwrap(),
                it["active"].as_bool().unwrap(),
            )
        })
        .collect();
    schedules.sort_unstable();
    assert_eq!(schedules, [("hours", false), ("morning", true)]);
    let shown = prefect(
        &daemon,
        &place,
        &["deployment", "run", "planned/yaml", "--watch"],
    );
    assert!(shown.contains("Completed"), "{shown}\n{}", daemon.log());
    assert_eq!(place.marks(), ["from yaml"]);
}

/// What a job of processes is given: a folder, an environment, and a command that shows.
fn process_variables(folder: &Path) -> Value {
    let python = venv().join("bin/python");
    json!({
        "working_dir": folder,
        "env": { "SPICE": "pepper" },
        "command": format!("{} -O -m prefect.engine", python.display()),
    })
}

/// A daemon whose own agent serves a pool `p` of processes.
fn with_process_pool(place: &Place) -> TestDaemon {
    let daemon = TestDaemon::with_agent_without_bridge();
    let words = ["work-pool", "create", "--type", "process", "p"];
    prefect(&daemon, place, &words);
    daemon
}

#[track_caller]
fn runs(daemon: &TestDaemon, place: &Place, path: &str) {
    let shown = prefect(daemon, place, &["deployment", "run", path, "--watch"]);
    assert!(shown.contains("Completed"), "{shown}\n{}", daemon.log());
}

#[test]
fn a_flow_is_deployed_into_a_pool_of_processes() {
    let place = Place::new();
    let daemon = with_process_pool(&place);
    let variables = process_variables(place.0.path()).to_string();
    let more = ["p", &variables];
    says(
        &daemon,
        place.script_of(&daemon, "planned.py", "deploy_process", &more),
    );
    let made = deployment(&daemon, "situated/deployed");
    let code = file("planned.py").parent().unwrap().to_owned();
    let step = &made["pull_steps"][0]["prefect.deployments.steps.set_working_directory"];
    assert_eq!(step["directory"], json!(code), "{made}");
    runs(&daemon, &place, "situated/deployed");
    let code = code.display().to_string();
    assert_eq!(place.marks_in_order(), [&code, "pepper", "optimized 1"]);
}

#[test]
fn a_project_is_deployed_into_a_pool_of_processes() {
    let place = Place::new();
    let daemon = with_process_pool(&place);
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().canonicalize().unwrap();
    std::fs::create_dir(folder.join("code")).unwrap();
    for name in ["planned.py", "code/planned.py"] {
        std::fs::copy(file("planned.py"), folder.join(name)).unwrap();
    }
    // Where that is follows from the folder of the process.
    let step =
        json!({ "prefect.deployments.steps.set_working_directory": { "directory": "code" } });
    let yaml = json!({
        "name": "project",
        "pull": [step],
        "deployments": [{
            "name": "yaml",
            "entrypoint": "planned.py:situated",
            "parameters": { "mark": place.mark() },
            "work_pool": { "name": "p", "job_variables": process_variables(&folder) },
        }],
    });
    std::fs::write(folder.join("prefect.yaml"), yaml.to_string()).unwrap();
    let mut deploy = place.program(&daemon, "prefect");
    deploy
        .current_dir(&folder)
        .args(["--no-prompt", "deploy", "--all"]);
    says(&daemon, deploy);
    runs(&daemon, &place, "situated/yaml");
    let code = folder.join("code").display().to_string();
    assert_eq!(place.marks_in_order(), [&code, "pepper", "optimized 1"]);
}

#[test]
#[cfg(feature = "docker")]
fn a_flow_is_deployed_into_a_pool_of_containers() {
    use super::docker::await_bridge;
    use super::support::Options;

    let place = Place::new();
    let code = file("planned.py").parent().unwrap().to_owned();
    let marks = place.mark().parent().unwrap().to_owned();
    let daemon = TestDaemon::with(Options {
        env: vec![(
            "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
            json!([code, marks]).to_string(),
        )],
        ..Options::default()
    });
    await_bridge(&daemon);
    let image = std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run");
    prefect(
        &daemon,
        &place,
        &["work-pool", "create", "--type", "docker", "p"],
    );
    let volumes = [
        format!("{0}:{0}:ro", code.display()),
        format!("{0}:{0}", marks.display()),
    ];
    let more = ["p", &image, &volumes[0], &volumes[1]];
    says(
        &daemon,
        place.script_of(&daemon, "planned.py", "deploy", &more),
    );
    let made = deployment(&daemon, "planned/deployed");
    assert_eq!(made["job_variables"]["image"], image);
    assert_eq!(made["work_queue_name"], "default");
    let words = ["deployment", "run", "planned/deployed", "--watch"];
    let shown = prefect(&daemon, &place, &words);
    assert!(shown.contains("Completed"), "{shown}\n{}", daemon.log());
    assert_eq!(place.marks(), ["plain"]);
}
