//! Flows of today's client in containers.

use super::*;
use crate::docker::{await_bridge, docker};

/// The image that `tests/run` prepared.
pub(crate) fn image() -> String {
    std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run")
}

/// The folder of the flows.
pub(crate) fn flows() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flows"))
}

/// A daemon whose containers may have the flows, and the place for their marks.
fn with_volumes(place: &Place) -> TestDaemon {
    let daemon = TestDaemon::with(Options {
        env: vec![volumes(place)],
        ..Options::default()
    });
    await_bridge(&daemon);
    daemon
}

/// The setting that allows that.
pub(super) fn volumes(place: &Place) -> (&'static str, String) {
    let allowed = json!([flows(), place.0.path()]);
    ("PREFECTD_DOCKER__ALLOW__HOST_VOLUMES", allowed.to_string())
}

/// A deployment of a flow of many tasks to a pool of containers; answers its id.
pub(crate) fn deploy_mapped(daemon: &TestDaemon, place: &Place, parameters: &Value) -> String {
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
        "job_variables": {
            "image": image(),
            "volumes": volumes,
            "env": { "PREFECT_LOGGING_LEVEL": "DEBUG", TALKATIVE.0: TALKATIVE.1 },
        },
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
        let mut marks: Vec<usize> = marks.lines().map(|line| line.parse().unwrap()).collect();
        marks.sort_unstable();
        let once: Vec<_> = (0..tasks).collect();
        assert_eq!(marks, once, "each task was executed once");
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
    run_suits(&daemon, &id);
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

/// A run of a flow of `modern.py` in a container, once the flow has begun; and the container.
fn begun(daemon: &TestDaemon, place: &Place, flow: &str, more: &Value) -> (String, String) {
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "docker", "base_job_template": {} });
    http.post("/work_pools/", &pool).expect(201);
    let made = http.post("/flows/", &json!({ "name": flow })).expect(201);
    let volumes = [
        format!("{}:/flows:ro", flows().display()),
        format!("{}:/marks", place.0.path().display()),
    ];
    let mut variables = json!({ "image": image(), "volumes": volumes });
    variables
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let deployment = json!({
        "name": "test",
        "flow_id": made["id"],
        "work_pool_name": "p",
        "path": "/flows",
        "entrypoint": format!("modern.py:{flow}"),
        "parameters": { "mark": "/marks/mark" },
        "job_variables": variables,
    });
    let made = http.post("/deployments/", &deployment).expect(201);
    let id = run(daemon, made["id"].as_str().unwrap());
    let container = crate::docker::container(daemon, &id);
    wait_for("the flow to begin", || {
        (place.marks() == ["started"]).then_some(())
    });
    (id, container)
}

/// How a run crashed, as today's client shows it.
#[track_caller]
fn crashed(daemon: &TestDaemon, place: &Place, id: &str) -> Value {
    let ended = daemon.http().ended(id);
    assert_eq!(ended["state_name"], "Crashed", "{ended}");
    let mut shown = place.program(daemon, "prefect");
    let shown = shown.args(["flow-run", "inspect", id]).output().unwrap();
    assert!(shown.status.success(), "{}", told(&shown));
    assert!(told(&shown).contains("137"), "{}", told(&shown));
    ended
}

#[test]
fn a_killed_container_of_a_pool_is_told_with_its_exit_code_and_last_lines() {
    let place = Place::new();
    let daemon = with_volumes(&place);
    let (id, container) = begun(&daemon, &place, "patient", &json!({}));
    wait_for("its line", || {
        let lines = daemon.http().lines(&id);
        let is_told = lines.iter().any(|line| line == "it is about to sleep");
        is_told.then_some(())
    });
    docker(&["kill", &container]);
    let ended = crashed(&daemon, &place, &id);
    let message = ended["state"]["message"].as_str().unwrap();
    for words in ["exit code 137", "it is about to sleep"] {
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn a_container_of_a_pool_that_takes_too_much_memory_is_told_to_have() {
    let place = Place::new();
    let daemon = with_volumes(&place);
    let limits = json!({ "mem_limit": "400m", "memswap_limit": "400m" });
    let (id, _) = begun(&daemon, &place, "hungry", &limits);
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Crashed", "{ended}");
    // The flow's process is killed, not the first of the container, which tells of it.
    let message = ended["state"]["message"].as_str().unwrap();
    for word in ["SIGKILL", "memory"] {
        assert!(message.contains(word), "{word}: {message}");
    }
}
