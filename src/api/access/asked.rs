//! What a request asks, by what its route needs, the ids in its path and, where that names runs,
//! its body.
//!
//! Whatever has no known route is the operators', and so is what is not spelled as clients
//! spell it: an id or a body that this could read in one way and a handler in another is not
//! read at all.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::needs::{Found, Need};
use crate::domain::access::{Asked, Targets};
use crate::domain::ids::{FlowRunId, TaskRunId};

/// What is asked, as far as method and path tell.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// All of it.
    Told(Asked),
    /// The body tells the rest.
    InBody(InBody),
}

/// The routes whose bodies say which runs they aim at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InBody {
    /// A new flow run.
    FlowRun,
    /// A new task run.
    TaskRun,
    /// A run wanted of a deployment.
    RunOfDeployment,
    /// Changes to a flow run.
    Changes(FlowRunId),
    /// Log lines.
    Lines,
}

/// What a request asks whose route was found.
pub fn request(found: Option<Found<'_>>) -> Request {
    let Some(Found { need, id }) = found else {
        return Request::Told(Asked::Administer);
    };
    let flow_run = || id.and_then(canonical).map(FlowRunId::from_uuid);
    let task_run = || id.and_then(canonical).map(TaskRunId::from_uuid);
    let told = match need {
        Need::Operator => Asked::Administer,
        Need::Nothing => Asked::Health,
        Need::Read => Asked::Read,
        Need::Fetch => Asked::Fetch,
        Need::Inspect | Need::Page => Asked::Inspect,
        Need::Persist => Asked::Persist,
        Need::RegisterFlow => Asked::RegisterFlow,
        Need::NewFlowRun => return Request::InBody(InBody::FlowRun),
        Need::NewTaskRun => return Request::InBody(InBody::TaskRun),
        Need::RunOfDeployment => return Request::InBody(InBody::RunOfDeployment),
        Need::Lines => return Request::InBody(InBody::Lines),
        Need::ChangeFlowRun => match flow_run() {
            Some(id) => return Request::InBody(InBody::Changes(id)),
            None => Asked::Administer,
        },
        Need::StateOfFlowRun => {
            flow_run().map_or(Asked::Administer, |id| Asked::Change(of_flow_run(id)))
        }
        Need::StateOfTaskRun => {
            task_run().map_or(Asked::Administer, |id| Asked::Change(of_task_run(id)))
        }
    };
    Request::Told(told)
}

/// An id in one of the two spellings that no reader takes for another.
fn canonical(text: &str) -> Option<Uuid> {
    let is_plain = matches!(text.len(), 32 | 36);
    Uuid::try_parse(text).ok().filter(|_| is_plain)
}

fn of_flow_run(id: FlowRunId) -> Targets {
    Targets {
        flow_runs: vec![id],
        task_runs: Vec::new(),
    }
}

fn of_task_run(id: TaskRunId) -> Targets {
    Targets {
        flow_runs: Vec::new(),
        task_runs: vec![id],
    }
}

/// What a request with that body asks. A body in which this does not find what its route needs
/// asks for nothing that a run may do.
pub fn told(route: InBody, body: &Value) -> Asked {
    // A list is an object to some readers, which take its items as fields by their order.
    let is_right = match route {
        InBody::Lines => body.is_array(),
        _ => body.is_object(),
    };
    if !is_right {
        return Asked::Administer;
    }
    let asked = match route {
        InBody::FlowRun => new_flow_run(body),
        InBody::TaskRun => id_in(body, "flow_run_id")
            .map(|id| Asked::Change(of_flow_run(FlowRunId::from_uuid(id)))),
        InBody::RunOfDeployment => Some(run_of_deployment(body)),
        InBody::Changes(id) => Some(match chooses_infrastructure(body) {
            true => Asked::ChooseInfrastructure,
            false => Asked::Change(of_flow_run(id)),
        }),
        InBody::Lines => lines(body),
    };
    asked.unwrap_or(Asked::Administer)
}

/// A sub-flow's run has a parent and no deployment of its own.
fn new_flow_run(body: &Value) -> Option<Asked> {
    if chooses_infrastructure(body) {
        return Some(Asked::ChooseInfrastructure);
    }
    if !is_absent(body, "deployment_id") {
        return None;
    }
    let parent = id_in(body, "parent_task_run_id")?;
    Some(Asked::Change(of_task_run(TaskRunId::from_uuid(parent))))
}

fn run_of_deployment(body: &Value) -> Asked {
    if chooses_infrastructure(body) {
        return Asked::ChooseInfrastructure;
    }
    match id_in(body, "parent_task_run_id") {
        Some(parent) => Asked::Change(of_task_run(TaskRunId::from_uuid(parent))),
        None if is_absent(body, "parent_task_run_id") => Asked::Change(Targets::default()),
        None => Asked::Administer,
    }
}

fn lines(body: &Value) -> Option<Asked> {
    let (mut flow_runs, mut task_runs) = (BTreeSet::new(), BTreeSet::new());
    for line in body.as_array()? {
        flow_runs.insert(id_in(line, "flow_run_id")?);
        if !is_absent(line, "task_run_id") {
            task_runs.insert(id_in(line, "task_run_id")?);
        }
    }
    Some(Asked::Log(Targets {
        flow_runs: flow_runs.into_iter().map(FlowRunId::from_uuid).collect(),
        task_runs: task_runs.into_iter().map(TaskRunId::from_uuid).collect(),
    }))
}

/// Whether a body names what a run should run on, in the words of either dialect. An unset flow
/// runner, whose parts are null, names nothing.
fn chooses_infrastructure(body: &Value) -> bool {
    let names = |field: &Value| match field {
        Value::Null => false,
        Value::Object(map) => map.values().any(|value| !value.is_null()),
        _ => true,
    };
    ["flow_runner", "job_variables"]
        .into_iter()
        .any(|key| body.get(key).is_some_and(names))
}

fn is_absent(body: &Value, key: &str) -> bool {
    body.get(key).is_none_or(Value::is_null)
}

fn id_in(body: &Value, key: &str) -> Option<Uuid> {
    canonical(body.get(key)?.as_str()?)
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
