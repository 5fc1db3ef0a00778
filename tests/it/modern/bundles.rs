//! Flows of today's client that are handed in to a pool with their code, and have no deployment.

use super::*;

/// Where bundles lie: here, and where the run is.
struct Folders<'a> {
    here: &'a Path,
    there: &'a str,
}

/// Hands the flow in, waits until its run has ended, and answers the run.
fn handed_in(
    daemon: &TestDaemon,
    place: &Place,
    (variables, python): (&Value, &str),
    folders: &Folders<'_>,
    mark: &str,
) -> Value {
    let here = folders.here.to_str().unwrap();
    let output = place
        .program(daemon, "python")
        .arg(file("bundles/handed_in.py"))
        .env("PYTHONPATH", file("bundles"))
        .args(["p", &variables.to_string(), here, folders.there])
        .args([python, mark])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    has_no_failure(&told(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    let [id, .., state] = &lines[..] else {
        panic!("an id and a state: {printed}");
    };
    assert_eq!(*state, "Completed", "{}", daemon.log());
    daemon.http().run(id)
}

/// What is to be known of such a run.
fn is_as_handed_in(daemon: &TestDaemon, place: &Place, run: &Value) {
    assert_eq!(place.marks(), ["by bundle"]);
    assert_eq!(run["deployment_id"], Value::Null);
    assert_eq!(run["work_pool_name"], "p");
    assert_eq!(run["run_count"], 1);
    let states = states_of(daemon, run);
    let expected = ["Pending", "Scheduled", "Pending", "Running", "Completed"];
    assert_eq!(names(&states), expected);
    ended_tasks(daemon, run, 1);
    run_suits(daemon, run["id"].as_str().unwrap());
    let id = run["id"].as_str().unwrap();
    wait_for("what it printed", || {
        let lines = daemon.http().lines(id);
        let said = lines.iter().any(|line| line == "left by bundle");
        said.then_some(())
    });
}

#[test]
fn a_flow_is_handed_in_to_a_pool_of_processes_with_its_code() {
    let place = Place::new();
    let daemon = TestDaemon::with_agent_without_bridge();
    let pool = json!({ "name": "p", "type": "process", "base_job_template": {} });
    daemon.modern().post("/work_pools/", &pool).expect(201);
    let here = tempfile::tempdir().unwrap();
    let python = venv().join("bin/python");
    let env = json!({
        "PYTHONPATH": file("bundles"),
        "PREFECT_HOME": place.0.path(),
        TALKATIVE.0: TALKATIVE.1,
    });
    let folders = Folders {
        here: here.path(),
        there: here.path().to_str().unwrap(),
    };
    let how = (&json!({ "env": env }), python.to_str().unwrap());
    let mark = place.mark().display().to_string();
    let run = handed_in(&daemon, &place, how, &folders, &mark);
    is_as_handed_in(&daemon, &place, &run);
}

/// A bundle has its client's settings, and so where the API is to that client: the container shares the
/// host's network, where it is at the same place.
#[cfg(feature = "docker")]
#[test]
fn a_flow_is_handed_in_to_a_pool_of_containers_with_its_code() {
    let place = Place::new();
    let here = place.0.path().join("bundles");
    std::fs::create_dir(&here).unwrap();
    let allowed = "PREFECTD_DOCKER__ALLOW__HOST_NAMESPACES";
    let daemon = TestDaemon::with(Options {
        env: vec![
            super::pools::volumes(&place),
            (allowed, json!(["network"]).to_string()),
        ],
        ..Options::default()
    });
    crate::docker::await_bridge(&daemon);
    let pool = json!({ "name": "p", "type": "docker", "base_job_template": {} });
    daemon.modern().post("/work_pools/", &pool).expect(201);
    let volumes = [
        format!("{}:/flows:ro", file("bundles").display()),
        format!("{}:/marks", place.0.path().display()),
    ];
    let variables = json!({
        "image": super::pools::image(),
        "volumes": volumes,
        "network_mode": "host",
        "env": { "PYTHONPATH": "/flows", TALKATIVE.0: TALKATIVE.1 },
    });
    let folders = Folders {
        here: &here,
        there: "/marks/bundles",
    };
    let run = handed_in(
        &daemon,
        &place,
        (&variables, "python"),
        &folders,
        "/marks/mark",
    );
    is_as_handed_in(&daemon, &place, &run);
    let name = run["name"].as_str().unwrap();
    let [container] = &daemon.containers()[..] else {
        panic!("one container");
    };
    let named = crate::docker::docker(&["inspect", "--format", "{{.Name}}", container]);
    assert_eq!(named, format!("/{name}"));
}
