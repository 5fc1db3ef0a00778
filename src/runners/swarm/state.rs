//! What the manager's words mean. Pure.

use bollard::models::{Service, Task, TaskState};
use chrono::DateTime;

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

/// Those of a service among all.
fn of_service(service: &Service, tasks: &[Task]) -> Vec<Task> {
    let own = tasks.iter().filter(|task| task.service_id == service.id);
    own.cloned().collect()
}

/// Whether a job is over, other than well, of which Swarm may still make another task.
pub(super) fn is_to_be_ended(service: &Service, tasks: &[Task]) -> bool {
    let own = of_service(service, tasks);
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
    let own = of_service(service, tasks);
    let task = latest(&own);
    let is_over = task.is_some_and(|task| is_orphaned(task) || exit(service, task).is_some());
    let status = match (service::is_ended(spec), service::completions(spec), is_over) {
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
mod tests;
