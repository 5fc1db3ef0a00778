use serde_json::{Value, json};

use super::*;
use crate::domain::node::Node;

fn service(labels: Value, completions: i64) -> Service {
    let service = json!({
        "ID": "s", "CreatedAt": "2026-11-27T18:01:30.489626044Z",
        "Spec": { "Name": "brave-owl", "Labels": labels,
                  "Mode": { "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": completions } } },
    });
    serde_json::from_value(service).unwrap()
}

fn task(status: Value) -> Task {
    let task = json!({
        "ID": "t", "ServiceID": "s", "NodeID": "n", "Status": status,
        "JobIteration": { "Index": 1 }, "Spec": { "Resources": { "Limits": { "MemoryBytes": 1 } } },
    });
    serde_json::from_value(task).unwrap()
}

fn nodes(state: &str) -> All {
    let node = Node {
        id: "n".to_owned(),
        name: "node2".to_owned(),
        state: state.to_owned(),
        message: (state == "down").then(|| "heartbeat failure".to_owned()),
        ..Node::default()
    };
    All::from_iter([node])
}

fn seen_of(status: Value) -> Seen {
    seen(&service(json!({}), 1), &[task(status)], &nodes("ready"))
}

fn over(status: Value) -> Exit {
    match seen_of(status) {
        Seen::Over(exit) => exit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_task_of_a_job_counts_and_a_second_one_ends_it() {
    let made = |id: &str, at: &str, state: &str, iteration: u64| {
        let mut made = task(json!({ "State": state, "ContainerStatus": { "ExitCode": 3 } }));
        made.id = Some(id.to_owned());
        made.created_at = Some(at.to_owned());
        made.job_iteration = Some(serde_json::from_value(json!({ "Index": iteration })).unwrap());
        made
    };
    let seen = |tasks: &[Task]| seen(&service(json!({}), 1), tasks, &nodes("ready"));
    let first = made("a", "2026-11-27T18:01:30Z", "failed", 1);
    let again = made("b", "2026-11-27T18:05:00Z", "running", 1);
    let Seen::Over(exit) = seen(&[again.clone(), first.clone()]) else {
        panic!("the first one is over");
    };
    assert_eq!(exit.code, Some(3));
    assert!(is_to_be_ended(
        &service(json!({ label::RUN: "r" }), 1),
        &[again.clone(), first.clone()]
    ));
    let twice = [
        made("a", "2026-11-27T18:01:30Z", "running", 1),
        again.clone(),
    ];
    let Seen::Over(exit) = seen(&twice) else {
        panic!("it goes on twice");
    };
    assert!(exit.error.unwrap().contains("2 times"));
    // What was started anew by a change is another job.
    let anew = made("c", "2026-11-27T18:06:00Z", "running", 2);
    assert_eq!(
        seen(&[first.clone(), anew]),
        Seen::Runs {
            task: "c".to_owned()
        }
    );
    let ended = service(json!({ service::ENDED: "yes" }), 0);
    assert!(!is_to_be_ended(&ended, std::slice::from_ref(&first)));
}

#[test]
fn what_was_on_a_node_that_was_given_up_is_lost_with_it() {
    let status = json!({ "State": "orphaned", "Message": "node was removed" });
    let exit = over(status.clone());
    assert_eq!(exit.node_lost.as_deref(), Some("node2"));
    assert!(exit.error.unwrap().contains("node was removed"));
    let service = service(json!({ label::RUN: FlowRunId::new().to_string() }), 1);
    let found = found(&service, &[task(status)]).unwrap();
    assert_eq!(found.status, Status::Ended);
}

#[test]
fn a_task_is_on_a_node_or_has_none_for_a_reason() {
    let on = |task: &Task| whereabouts(std::slice::from_ref(task), &nodes("ready"));
    let mut placed = task(json!({ "State": "preparing" }));
    assert_eq!(on(&placed), Some(OnCluster::Node("node2".to_owned())));
    placed.node_id = Some("gone".to_owned());
    assert_eq!(on(&placed), Some(OnCluster::Node("gone".to_owned())));
    let mut waits = task(json!({ "State": "pending", "Err": "no suitable node" }));
    waits.node_id = None;
    let why = "no suitable node".to_owned();
    assert_eq!(on(&waits), Some(OnCluster::Unplaced(why)));
    waits.status = None;
    assert_eq!(on(&waits), None);
    assert_eq!(whereabouts(&[], &nodes("ready")), None);
}

#[test]
fn a_task_waits_runs_and_ends() {
    let pending = json!({ "State": "pending", "Err": "no suitable node" });
    let why = Some("no suitable node".to_owned());
    assert_eq!(seen_of(pending), Seen::Waits(why));
    assert_eq!(seen_of(json!({ "State": "preparing" })), Seen::Waits(None));
    let runs = Seen::Runs {
        task: "t".to_owned(),
    };
    assert_eq!(seen_of(json!({ "State": "running" })), runs);
    let complete = over(json!({ "State": "complete", "ContainerStatus": { "ExitCode": 0 } }));
    assert_eq!(complete.code, Some(0));
    let failed = over(json!({ "State": "failed", "Err": "task: non-zero exit (3)",
                              "ContainerStatus": { "ExitCode": 3 } }));
    assert_eq!(
        (failed.code, failed.error, failed.oom_killed),
        (Some(3), None, false)
    );
    let killed = over(
        json!({ "State": "failed", "Err": "task: non-zero exit (137)",
                              "ContainerStatus": { "ExitCode": 137 } }),
    );
    assert!(killed.oom_killed);
    let rejected = over(json!({ "State": "rejected", "Err": "No such image: x" }));
    assert_eq!(rejected.error.as_deref(), Some("No such image: x"));
}

#[test]
fn an_image_that_is_told_by_its_id_is_told_by_its_name_too() {
    let labels = json!({ service::IMAGE: "flows:1" });
    let status = json!({ "State": "rejected", "Err": "No such image: sha256:0" });
    let Seen::Over(exit) = seen(&service(labels, 1), &[task(status)], &nodes("ready")) else {
        panic!("it is over");
    };
    assert!(exit.error.unwrap().contains("flows:1"));
}

#[test]
fn what_ran_on_a_lost_node_is_over_and_says_where_it_was() {
    let running = task(json!({ "State": "running" }));
    for (nodes, words) in [
        (
            nodes("down"),
            "node2, on which it was, is down (heartbeat failure)",
        ),
        (All::default(), "n, on which it was, is not in the swarm"),
    ] {
        let Seen::Over(exit) = seen(
            &service(json!({}), 1),
            std::slice::from_ref(&running),
            &nodes,
        ) else {
            panic!("it is over");
        };
        assert!(exit.node_lost.is_some() && exit.error.unwrap().contains(words));
    }
    // What had ended before has.
    let done = task(json!({ "State": "complete" }));
    let Seen::Over(exit) = seen(&service(json!({}), 1), &[done], &nodes("down")) else {
        panic!("it is over");
    };
    assert_eq!((exit.code, exit.node_lost), (Some(0), None));
}

#[test]
fn what_is_found_is_told_by_its_service_and_its_task() {
    let id = "018f0000-0000-7000-8000-000000000001";
    let labels = |ended: bool| match ended {
        true => json!({ label::RUN: id, label::REMOVE: "yes", service::ENDED: "yes" }),
        false => json!({ label::RUN: id, label::REMOVE: "yes" }),
    };
    let running = [task(json!({ "State": "running" }))];
    let failed = [task(json!({ "State": "failed" }))];
    for (ended, completions, tasks, status) in [
        (false, 0, &[][..], Status::Created),
        (false, 1, &[], Status::Running),
        (false, 1, &running, Status::Running),
        (false, 1, &failed, Status::Ended),
        (true, 0, &[], Status::Ended),
    ] {
        let found = found(&service(labels(ended), completions), tasks).unwrap();
        assert_eq!(found.status, status);
        assert_eq!(found.made.id, "swarm:s");
        assert!(found.removes_itself && found.created.is_some());
    }
    assert_eq!(found(&service(json!({}), 1), &[]), None);
}

#[test]
fn what_runs_on_a_node_is_added_up() {
    let id = "018f0000-0000-7000-8000-000000000001";
    let service = service(json!({ label::RUN: id }), 1);
    let mut running = task(json!({ "State": "running" }));
    let held = json!({ "Reservations": { "NanoCPUs": 500_000_000, "MemoryBytes": 7 } });
    running.spec.as_mut().unwrap().resources = serde_json::from_value(held).unwrap();
    let over = task(json!({ "State": "complete" }));
    let tasks = [running.clone(), running, over];
    let load = load("n", std::slice::from_ref(&service), &tasks);
    assert_eq!(load.runs.len(), 2);
    assert_eq!((load.reserved_cpus, load.reserved_memory), (1.0, 14));
    assert_eq!(super::load("m", &[service], &tasks), NodeLoad::default());
}

#[test]
fn the_last_iteration_counts() {
    let mut old = task(json!({ "State": "running" }));
    old.id = Some("old".to_owned());
    let mut new = task(json!({ "State": "running" }));
    new.job_iteration.as_mut().unwrap().index = Some(2);
    let tasks = [new.clone(), old];
    assert_eq!(latest(&tasks), Some(&new));
}
