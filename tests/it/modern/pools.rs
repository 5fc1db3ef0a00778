//! Flows of today's client in containers.

use super::*;
use crate::docker::{await_bridge, docker};

/// The image that `tests/run` prepared.
fn image() -> String {
    std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run")
}

fn flows() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flows"))
}

/// A daemon whose containers may have the flows, and the place for their marks.
fn with_volumes(place: &Place) -> TestDaemon {
    let daemon = TestDaemon::with(Options {
        env: vec![(
            "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
            json!([flows(), place.0.path()]).to_string(),
        )],
        ..Options::default()
    });
    await_bridge(&daemon);
    daemon
}

/// A deployment of a flow of many tasks to a pool of containers; answers its id.
fn deploy_mapped(daemon: &TestDaemon, place: &Place, parameters: &Value) -> String {
    let created = place
        .program(daemon, "prefect")
        .args(["work-pool", "create", "--type", "docker", "p"])
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", told(&created));
    let http = daemon.modern();
    let flow = http
        .post("/flows/", &json!({ "name": "mapped" }))
        .expect(201);
    let volumes = [
        format!("{}:/flows:ro", flows().display()),
        format!("{}:/marks", place.0.path().display()),
    ];
    let mut deployment = json!({
        "name": "test",
        "flow_id": flow["id"],
        "work_pool_name": "p",
        "path": "/flows",
        "entrypoint": "modern.py:mapped",
        "parameters": { "mark": "/marks/mark" },
        "job_variables": { "image": image(), "volumes": volumes },
    });
    for (name, value) in parameters.as_object().unwrap() {
        deployment["parameters"][name] = value.clone();
    }
    let made = http.post("/deployments/", &deployment).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// How many flows of how many tasks.
fn many() -> (usize, usize) {
    match std::env::var_os("PREFECTD_TEST_LONG").is_some() {
        true => (20, 200),
        false => (2, 100),
    }
}

#[test]
fn no_task_run_of_a_container_is_lost_while_the_daemon_is_killed() {
    let (flows, tasks) = many();
    let place = Place::new();
    let mut daemon = with_volumes(&place);
    let parameters = json!({ "many": tasks, "seconds": 0.5 });
    let deployment = deploy_mapped(&daemon, &place, &parameters);
    let runs: Vec<_> = (0..flows)
        .map(|nth| {
            let path = format!("/deployments/{deployment}/create_flow_run");
            let mark = json!({ "mark": format!("/marks/mark{nth}") });
            let asked = json!({ "parameters": mark });
            daemon.modern().post(&path, &asked).expect(201)
        })
        .collect();
    let ended = json!({
        "flow_runs": { "state": { "type": { "any_": ["COMPLETED", "FAILED", "CRASHED"] } } }
    });
    wait_for("all flows to end", || {
        std::thread::sleep(Duration::from_secs(2));
        daemon.kill();
        daemon.restart(Vec::new());
        let count = daemon.modern().post("/flow_runs/count", &ended).expect(200);
        (count == json!(flows)).then_some(())
    });
    for (nth, run) in runs.iter().enumerate() {
        let id = run["id"].as_str().unwrap();
        let run = daemon.modern().get(&format!("/flow_runs/{id}")).expect(200);
        assert_eq!(run["state_name"], "Completed", "{run}\n{}", daemon.log());
        let marks = place.0.path().join(format!("mark{nth}"));
        let marks = std::fs::read_to_string(marks).unwrap();
        assert_eq!(marks.lines().count(), tasks, "each task was executed once");
        for task in ended_tasks(&daemon, &run, tasks) {
            let path = format!(
                "/task_run_states/?task_run_id={}",
                task["id"].as_str().unwrap()
            );
            let states = daemon.modern().get(&path).expect(200);
            assert_eq!(names(&states), ["Pending", "Running", "Completed"]);
        }
    }
}

#[test]
fn a_docker_pool_runs_a_deployment_at_once_without_a_worker() {
    let place = Place::new();
    let daemon = with_volumes(&place);
    deploy_mapped(&daemon, &place, &json!({ "many": 3 }));
    let ran = place
        .program(&daemon, "prefect")
        .args(["deployment", "run", "mapped/test", "--watch"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}\n{}", told(&ran), daemon.log());
    let shown = told(&ran);
    for words in ["3 are done", "Completed"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let id = only_run(&daemon, "mapped")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    daemon.http().ended(&id);
    assert_eq!(place.marks(), ["0", "1", "2"], "{}", daemon.log());
    let run = only_run(&daemon, "mapped");
    assert_eq!(run["state_name"], "Completed");
    assert_eq!(run["run_count"], 1);
    ended_tasks(&daemon, &run, 3);
    let name = run["name"].as_str().unwrap();
    let containers = daemon.containers();
    let [container] = containers.as_slice() else {
        panic!("one container: {containers:?}");
    };
    let named = docker(&["inspect", "--format", "{{.Name}}", container]);
    assert_eq!(named, format!("/{name}"));
}
