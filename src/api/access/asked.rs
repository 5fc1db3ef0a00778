//! What a request asks, by its method, its path and, where that names runs, its body.
//!
//! Routes that are not known here are the operators': what is added to a dialect is closed to
//! runs until somebody says what it is.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;
use uuid::Uuid;

use super::super::dialect::{ORION, V3};
use crate::domain::access::{Asked, Targets};
use crate::domain::ids::{FlowRunId, TaskRunId};

/// The nouns that anybody who may read may read.
const NOUNS: &[&str] = &[
    "flows",
    "deployments",
    "flow_runs",
    "task_runs",
    "flow_run_states",
    "task_run_states",
    "logs",
    "saved_searches",
];

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

/// Reads a settled path, such as `/api/v3/flows/filter`.
pub fn request(method: &Method, path: &str) -> Request {
    let of_api = [ORION, V3].into_iter().find_map(|prefix| {
        path.strip_prefix(prefix)
            .filter(|rest| rest.starts_with('/'))
    });
    let Some(rest) = of_api else {
        return Request::Told(match *method {
            Method::GET | Method::HEAD => Asked::Inspect,
            _ => Asked::Administer,
        });
    };
    let parts: Vec<_> = rest.trim_matches('/').split('/').collect();
    match *method {
        Method::GET | Method::HEAD => Request::Told(read(&parts)),
        Method::POST => post(&parts),
        Method::PATCH => match parts.as_slice() {
            ["flow_runs", id] => with_id(id, |id| Request::InBody(InBody::Changes(id))),
            _ => Request::Told(Asked::Administer),
        },
        _ => Request::Told(Asked::Administer),
    }
}

fn read(parts: &[&str]) -> Asked {
    match parts {
        ["health"] => Asked::Health,
        ["ready" | "hello" | "version"] => Asked::Read,
        [noun, ..] if NOUNS.contains(noun) => Asked::Read,
        _ => Asked::Inspect,
    }
}

fn post(parts: &[&str]) -> Request {
    match parts {
        [noun, "filter" | "count" | "history"] if NOUNS.contains(noun) => {
            Request::Told(Asked::Read)
        }
        // What is asked with a body, and changes nothing.
        ["prefectd", "ids", _, "lengths"]
        | ["prefectd", "deployments", "around"]
        | ["prefectd", "logs", "page"] => Request::Told(Asked::Inspect),
        ["data", "retrieve"] => Request::Told(Asked::Read),
        ["data", "persist"] => Request::Told(Asked::Persist),
        ["flows"] => Request::Told(Asked::RegisterFlow),
        ["flow_runs"] => Request::InBody(InBody::FlowRun),
        ["task_runs"] => Request::InBody(InBody::TaskRun),
        ["logs"] => Request::InBody(InBody::Lines),
        ["deployments", _, "create_flow_run"] => Request::InBody(InBody::RunOfDeployment),
        ["flow_runs", id, "set_state"] => {
            with_id(id, |id| Request::Told(Asked::Change(of_flow_run(id))))
        }
        ["task_runs", id, "set_state"] => match Uuid::parse_str(id) {
            Ok(id) => Request::Told(Asked::Change(of_task_run(TaskRunId::from_uuid(id)))),
            Err(_) => Request::Told(Asked::Administer),
        },
        _ => Request::Told(Asked::Administer),
    }
}

/// What is named by no id that can be read here is nothing that a run may do.
fn with_id(text: &str, known: impl FnOnce(FlowRunId) -> Request) -> Request {
    text.parse().map_or(Request::Told(Asked::Administer), known)
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
    Uuid::parse_str(body.get(key)?.as_str()?).ok()
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
