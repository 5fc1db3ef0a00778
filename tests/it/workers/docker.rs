//! The real docker worker of 3.9.1. It puts its containers into the host's network, where they reach
//! a daemon on the loopback.

use nix::sys::signal::Signal;

use super::real::{Worker, says, why};
use super::*;
use crate::docker::docker;
use crate::modern::{Place, ended_tasks, names, only_run, run, states_of};
use crate::support::flows::file;
use crate::support::wait_for;

/// By which they are found again.
const LABEL: &str = "prefectd-test";

/// The containers of others' workers, which go with the test.
pub(super) struct Containers(String);

impl Containers {
    pub fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    fn label(&self) -> String {
        format!("{LABEL}={}", self.0)
    }

    /// All that were made, by id.
    pub fn all(&self) -> Vec<String> {
        let filter = format!("label={}", self.label());
        let listed = docker(&["ps", "--all", "--quiet", "--filter", &filter]);
        listed.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for container in self.all() {
            docker(&["rm", "--force", &container]);
        }
    }
}

/// Deploys a flow of a file of `tests/flows` to a docker pool `p` of the real template; the folder
/// for marks is `/marks`. Answers the deployment's id.
pub(super) fn deploy(
    place: &Place,
    daemon: &TestDaemon,
    containers: &Containers,
    (name, flow): (&str, &str),
    parameters: &Value,
) -> String {
    let words = ["work-pool", "create", "--type", "docker", "p"];
    says(place, daemon, &words);
    let http = daemon.modern();
    let made = http.post("/flows/", &json!({ "name": flow })).expect(201);
    let code = file(name).parent().unwrap().to_owned();
    let volumes = [
        format!("{}:/flows:ro", code.display()),
        format!("{}:/marks", place.0.path().display()),
    ];
    let image = std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run");
    let deployment = json!({
        "name": "test",
        "flow_id": made["id"],
        "work_pool_name": "p",
        "path": "/flows",
        "entrypoint": format!("{name}:{flow}"),
        "parameters": parameters,
        "job_variables": {
            "image": image,
            "volumes": volumes,
            "labels": { LABEL: containers.0 },
        },
    });
    let made = http.post("/deployments/", &deployment).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_docker_worker_runs_what_is_deployed_in_a_container() {
    let (daemon, place) = (TestDaemon::with_agent_without_bridge(), Place::new());
    let containers = Containers::new();
    let parameters = json!({ "mark": "/marks/mark", "many": 3, "seconds": 1.0 });
    let flow = ("modern.py", "mapped");
    let deployment = deploy(&place, &daemon, &containers, flow, &parameters);
    let worker = Worker::start(&place, &daemon, "w");
    worker.await_ready(&daemon, "w");
    // Held, so that the run waits for it.
    worker.signal(Signal::SIGSTOP);
    let id = run(&daemon, &deployment);
    let (code, reason) = why(&daemon, &id);
    assert_eq!(code, "served_by_worker", "{reason}");
    assert!(reason.contains("own worker 'w'"), "{reason}");
    worker.signal(Signal::SIGCONT);
    let reason = wait_for("the run to run", || {
        let (code, reason) = why(&daemon, &id);
        assert_ne!(code, "ended", "{reason}\n{}", worker.told());
        (code == "running").then_some(reason)
    });
    let told = "the worker 'w' of the work pool 'p' took it";
    assert!(reason.contains(told), "{reason}");

    daemon.http().ended(&id);
    let run = only_run(&daemon, "mapped");
    assert_eq!(run["state_name"], "Completed", "{}", worker.told());
    assert_eq!(run["run_count"], 1);
    let states = states_of(&daemon, &run);
    let expected = ["Scheduled", "Pending", "Submitting", "Running", "Completed"];
    assert_eq!(names(&states), expected);
    assert_eq!(place.marks(), ["0", "1", "2"]);
    ended_tasks(&daemon, &run, 3);
    let [container] = &containers.all()[..] else {
        panic!("one container");
    };
    let pid = run["infrastructure_pid"].as_str().unwrap();
    assert!(pid.contains(container), "{pid}");
    assert_eq!(daemon.containers(), [""; 0]);
    worker.is_content();
}
