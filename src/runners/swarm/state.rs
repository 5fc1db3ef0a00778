//! What the manager's words mean. Pure.

use bollard::models::{Service, Task, TaskState};
use chrono::DateTime;

use super::completions;
use super::nodes::All;
use super::service;
use crate::domain::container::labels as label;
use crate::domain::ids::FlowRunId;
use crate::domain::node::{NodeLoad, OnCluster};
use crate::domain::runner::made_service;
use crate::domain::time::Timestamp;
use crate::runners::{Exit, Found, Made, Status};

/// How a service's task stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    /// There is no container yet: why, where the manager says so.
    Waits(Option<String>),
    /// It runs, as that task.
    Runs {
        /// The task's id.
        task: String,
    },
    /// It has ended.
    Over(Exit),
    /// There is none, or none any more.
    Gone,
}

/// From what is known of it.
pub(super) fn seen(service: &Service, tasks: &[Task], nodes: &All) -> Seen {
    let is_ended = service.spec.as_ref().is_some_and(service::is_ended);
    let Some(task) = latest(tasks) else {
        return match is_ended {
            true => Seen::Gone,
            false => Seen::Waits(None),
        };
    };
    if let Some(exit) = end(service, task, nodes) {
        return Seen::Over(exit);
    }
    if let Some(twice) = made_again(tasks) {
        return Seen::Over(twice);
    }
    let status = task.status.clone().unwrap_or_default();
    match (status.state, &task.id) {
        (Some(TaskState::RUNNING), Some(id)) => Seen::Runs { task: id.clone() },
        _ => Seen::Waits(status.err.filter(|told| !told.is_empty())),
    }
}

/// The task that counts: the first one of the last time that the job was changed. Any other one of
/// that time was made although there was one.
pub(super) fn latest(tasks: &[Task]) -> Option<&Task> {
    of_last_change(tasks).min_by_key(|task| task.created_at.clone())
}

fn of_last_change(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    let last = tasks.iter().map(iteration).max();
    tasks
        .iter()
        .filter(move |task| Some(iteration(task)) == last)
}

fn iteration(task: &Task) -> u64 {
    let iteration = task.job_iteration.as_ref();
    iteration.and_then(|it| it.index).unwrap_or_default()
}

/// The end of a run of which Swarm has made a second task while the first goes on.
fn made_again(tasks: &[Task]) -> Option<Exit> {
    let made = of_last_change(tasks).count();
    (made > 1).then(|| Exit {
        error: Some(format!(
            "The swarm has started it {made} times at once, so that it was ended"
        )),
        ..Exit::default()
    })
}

/// Whether a job is over, other than well, of which Swarm may still make another task.
pub(super) fn is_to_be_ended(service: &Service, tasks: &[Task]) -> bool {
    let own: Vec<_> = { tasks.iter() }
        .filter(|task| task.service_id == service.id)
        .cloned()
        .collect();
    let Some(spec) = &service.spec else {
        return false;
    };
    let is_of_run = { spec.labels.as_ref() }.is_some_and(|labels| labels.contains_key(label::RUN));
    let over = latest(&own).and_then(|task| exit(service, task));
    is_of_run && !service::is_ended(spec) && over.is_some_and(|exit| exit.code != Some(0))
}

/// Whether a container was made for it, so that it may have printed something.
pub(super) fn has_container(task: &Task) -> bool {
    let status = task.status.as_ref();
    let container = status.and_then(|status| status.container_status.as_ref());
    container.is_some_and(|it| it.container_id.as_ref().is_some_and(|id| !id.is_empty()))
}

/// Whether Swarm does not let it run on, wherever it is.
pub(super) fn is_unwanted(task: &Task) -> bool {
    let state = task.status.as_ref().and_then(|status| status.state);
    let is_over = matches!(
        state,
        Some(
            TaskState::COMPLETE
                | TaskState::FAILED
                | TaskState::REJECTED
                | TaskState::SHUTDOWN
                | TaskState::REMOVE
                | TaskState::ORPHANED
        )
    );
    is_over
        || task
            .desired_state
            .is_some_and(|state| state >= TaskState::SHUTDOWN)
}

/// How a task ended; `None` while it has not.
fn exit(service: &Service, task: &Task) -> Option<Exit> {
    let status = task.status.clone().unwrap_or_default();
    let code = status.container_status.and_then(|it| it.exit_code);
    let told = status.err.filter(|told| !told.is_empty());
    match status.state? {
        TaskState::COMPLETE => Some(Exit {
            code: Some(code.unwrap_or(0)),
            ..Exit::default()
        }),
        TaskState::FAILED => {
            let code = code.filter(|code| *code != 0);
            Some(Exit {
                // Swarm does not tell; but whom else would the kernel kill that has a limit.
                oom_killed: code == Some(137) && has_memory_limit(task),
                // The code says as much.
                error: told.filter(|told| code.is_none() || !told.contains("non-zero exit")),
                code,
                ..Exit::default()
            })
        }
        TaskState::REJECTED => Some(Exit {
            error: Some(rejection(service, told)),
            ..Exit::default()
        }),
        TaskState::SHUTDOWN | TaskState::REMOVE => Some(Exit {
            code: code.filter(|code| *code > 0),
            error: told,
            ..Exit::default()
        }),
        _ => None,
    }
}

/// How a task ended, or what became of its node; `None` while it goes on.
pub(super) fn end(service: &Service, task: &Task, nodes: &All) -> Option<Exit> {
    let node = task.node_id.as_deref().filter(|id| !id.is_empty());
    if is_orphaned(task) {
        return Some(orphaned(task, node, nodes));
    }
    exit(service, task).or_else(|| loss(node?, nodes))
}

/// Whether its node was removed, or gone for so long that it is given up; it may go on there.
fn is_orphaned(task: &Task) -> bool {
    let status = task.status.as_ref();
    status.and_then(|status| status.state) == Some(TaskState::ORPHANED)
}

fn orphaned(task: &Task, node: Option<&str>, nodes: &All) -> Exit {
    let id = node.unwrap_or("that it was on");
    let name = nodes.get(id).map_or(id, |node| &node.name).to_owned();
    let status = task.status.clone().unwrap_or_default();
    let told = [status.err, status.message].into_iter().flatten();
    let told = told.filter(|told| !told.is_empty()).collect::<Vec<_>>();
    Exit {
        error: Some(format!(
            "The node {name} was given up ({})",
            told.join("; ")
        )),
        node_lost: Some(name),
        ..Exit::default()
    }
}

/// Why its node did not take it, with the image by its name.
fn rejection(service: &Service, told: Option<String>) -> String {
    let told = told.unwrap_or_else(|| "its node rejected it".to_owned());
    let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
    match labels.and_then(|labels| labels.get(service::IMAGE)) {
        Some(image) if told.contains("sha256:") => format!(
            "{told}. That is the image {image} as the manager has it; its node neither has it nor \
             can pull it"
        ),
        _ => told,
    }
}

fn has_memory_limit(task: &Task) -> bool {
    let resources = task.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let limits = resources.and_then(|it| it.limits.as_ref());
    limits.is_some_and(|limits| limits.memory_bytes.is_some_and(|bytes| bytes > 0))
}

/// The end of what ran on a node that is lost; `None` while it is there.
fn loss(id: &str, nodes: &All) -> Option<Exit> {
    let (name, why) = match nodes.get(id) {
        Some(node) if node.is_down() => {
            let why = node.message.as_deref().map(|why| format!(" ({why})"));
            (
                node.name.clone(),
                format!("is down{}", why.unwrap_or_default()),
            )
        }
        Some(_) => return None,
        None => (id.to_owned(), "is not in the swarm any more".to_owned()),
    };
    Some(Exit {
        error: Some(format!("The node {name}, on which it was, {why}")),
        node_lost: Some(name),
        ..Exit::default()
    })
}

/// On which node a service's task is, or why it has none.
pub(super) fn whereabouts(tasks: &[Task], nodes: &All) -> Option<OnCluster> {
    let task = latest(tasks)?;
    let node = task.node_id.as_deref().filter(|id| !id.is_empty());
    if let Some(id) = node {
        let name = nodes.get(id).map_or(id, |node| &node.name);
        return Some(OnCluster::Node(name.to_owned()));
    }
    let told = task.status.as_ref()?.err.clone();
    told.filter(|told| !told.is_empty())
        .map(OnCluster::Unplaced)
}

/// What services take of a node.
pub(super) fn load(node: &str, services: &[Service], tasks: &[Task]) -> NodeLoad {
    let mut load = NodeLoad::default();
    for service in services {
        let own = tasks.iter().filter(|task| task.service_id == service.id);
        let is_there = |task: &&Task| task.node_id.as_deref() == Some(node) && !is_unwanted(task);
        for task in own.filter(is_there) {
            let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
            let run = labels.and_then(|labels| labels.get(label::RUN)?.parse::<FlowRunId>().ok());
            load.runs.extend(run);
            let resources = task.spec.as_ref().and_then(|spec| spec.resources.as_ref());
            if let Some(held) = resources.and_then(|it| it.reservations.as_ref()) {
                load.reserved_cpus += held.nano_cpus.unwrap_or_default() as f64 / 1e9;
                load.reserved_memory += held.memory_bytes.unwrap_or_default();
            }
        }
    }
    load
}

/// When a service was made.
pub(super) fn created(service: &Service) -> Option<Timestamp> {
    let text = service.created_at.as_deref()?;
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_micros(at.timestamp_micros()))
}

/// What was found; `None` for what is no run's.
pub(super) fn found(service: &Service, tasks: &[Task]) -> Option<Found> {
    let spec = service.spec.as_ref()?;
    let labels = spec.labels.as_ref()?;
    let own: Vec<_> = tasks
        .iter()
        .filter(|task| task.service_id == service.id)
        .cloned()
        .collect();
    let task = latest(&own);
    let is_over = task.is_some_and(|task| is_orphaned(task) || exit(service, task).is_some());
    let status = match (service::is_ended(spec), completions(spec), is_over) {
        (true, ..) | (_, _, true) => Status::Ended,
        (false, 0, false) => Status::Created,
        (false, _, false) => Status::Running,
    };
    Some(Found {
        flow_run_id: labels.get(label::RUN)?.parse().ok()?,
        made: Made {
            id: made_service(service.id.as_deref()?),
            name: spec.name.clone().unwrap_or_default(),
        },
        status,
        created: created(service),
        removes_itself: labels.get(label::REMOVE).is_some_and(|word| word == "yes"),
    })
}

#[cfg(test)]
mod tests {
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
            made.job_iteration =
                Some(serde_json::from_value(json!({ "Index": iteration })).unwrap());
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
}
