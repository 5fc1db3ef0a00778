//! Graphs of flow runs.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Instant, State, TaskRun};
use crate::domain::graph::{self, Left};
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::task_run;
use crate::domain::time::Timestamp;

/// A task run with what it took. Times of length are seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dependency {
    id: Uuid,
    name: String,
    upstream_dependencies: Vec<Value>,
    state: Option<State>,
    expected_start_time: Option<Instant>,
    start_time: Option<Instant>,
    end_time: Option<Instant>,
    total_run_time: f64,
    estimated_run_time: f64,
    untrackable_result: bool,
    #[serde(skip)]
    flow_run_id: Option<FlowRunId>,
}

impl Dependency {
    /// Of a run as it is at `now`.
    pub fn new(run: task_run::TaskRun, now: Timestamp) -> Self {
        let flow_run_id = run.spec.flow_run_id;
        let run = TaskRun::new(run, now);
        let mut taken: Vec<Value> = Vec::new();
        let from = run.task_inputs.values().filter_map(Value::as_array);
        for one in from.flatten() {
            if !taken.contains(one) {
                taken.push(one.clone());
            }
        }
        let state = run.state.as_ref();
        Self {
            id: run.id,
            name: run.name,
            upstream_dependencies: taken,
            untrackable_result: state.is_some_and(is_untrackable),
            state: run.state,
            expected_start_time: run.expected_start_time,
            start_time: run.start_time,
            end_time: run.end_time,
            total_run_time: run.total_run_time,
            estimated_run_time: run.estimated_run_time,
            flow_run_id,
        }
    }
}

fn is_untrackable(state: &State) -> bool {
    state.state_details.get("untrackable_result") == Some(&Value::Bool(true))
}

impl Redact for Dependency {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run_id);
        self.state.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            name,
            upstream_dependencies,
            state,
            expected_start_time: _,
            start_time: _,
            end_time: _,
            total_run_time: _,
            estimated_run_time: _,
            untrackable_result: _,
            flow_run_id,
        } = self;
        let mask = reader.within_flow_run(*flow_run_id);
        mask.over(name);
        mask.over(upstream_dependencies);
        state.redact(reader);
    }
}

/// What a flow run did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Graph {
    start_time: Option<Instant>,
    end_time: Option<Instant>,
    /// What took nobody's result.
    root_node_ids: Vec<Uuid>,
    /// Each with its id before it.
    #[schema(value_type = Vec<Value>)]
    nodes: Vec<(Uuid, Node)>,
    artifacts: Vec<Artifact>,
    states: Vec<Entered>,
    #[serde(skip)]
    flow_run_id: FlowRunId,
}

/// A task run, or the run of a sub-flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct Node {
    kind: &'static str,
    id: Uuid,
    label: String,
    state_type: Option<&'static str>,
    start_time: Instant,
    end_time: Option<Instant>,
    parents: Vec<Edge>,
    children: Vec<Edge>,
    encapsulating: Vec<Edge>,
    artifacts: Vec<Artifact>,
}

/// Another node.
#[derive(Debug, Serialize, ToSchema)]
pub struct Edge {
    id: Uuid,
}

/// Something that was left to look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct Artifact {
    id: Uuid,
    created: Instant,
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    is_latest: bool,
    data: Option<Value>,
}

/// A state of the flow run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entered {
    id: Uuid,
    timestamp: Instant,
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
}

impl Graph {
    /// That of a flow run.
    pub fn new(id: FlowRunId, graph: graph::Graph) -> Self {
        let graph::Graph {
            start_time,
            end_time,
            nodes,
            artifacts,
            states,
        } = graph;
        let mut left: BTreeMap<Option<Uuid>, Vec<Artifact>> = BTreeMap::new();
        for one in artifacts {
            let by = one.task_run_id.map(TaskRunId::uuid);
            left.entry(by).or_default().push(one.into());
        }
        let roots = nodes.iter().filter(|node| node.parents.is_empty());
        let root_node_ids = roots.map(|node| node.id).collect();
        let nodes = nodes.into_iter().map(|node| {
            let own = left.remove(&Some(node.id)).unwrap_or_default();
            (node.id, Node::new(node, own))
        });
        Self {
            start_time: start_time.map(Into::into),
            end_time: end_time.map(Into::into),
            root_node_ids,
            nodes: nodes.collect(),
            artifacts: left.remove(&None).unwrap_or_default(),
            states: { states.into_iter() }
                .map(|state| Entered {
                    id: state.id.uuid(),
                    timestamp: state.timestamp.into(),
                    kind: state.kind.word(),
                    name: state.name,
                })
                .collect(),
            flow_run_id: id,
        }
    }
}

impl Node {
    fn new(node: graph::Node, artifacts: Vec<Artifact>) -> Self {
        let graph::Node {
            is_flow_run,
            id,
            label,
            kind,
            start_time,
            end_time,
            parents,
            children,
            around,
        } = node;
        let edges = |ids: Vec<Uuid>| ids.into_iter().map(|id| Edge { id }).collect();
        Self {
            kind: if is_flow_run { "flow-run" } else { "task-run" },
            id,
            label,
            state_type: kind.map(|kind| kind.word()),
            start_time: start_time.into(),
            end_time: end_time.map(Into::into),
            parents: edges(parents),
            children: edges(children),
            encapsulating: edges(around),
            artifacts,
        }
    }
}

impl From<Left> for Artifact {
    fn from(left: Left) -> Self {
        let Left {
            id,
            created,
            key,
            kind,
            task_run_id: _,
            data,
            is_latest,
        } = left;
        Self {
            id: id.uuid(),
            created: created.into(),
            key,
            kind,
            is_latest,
            data,
        }
    }
}

impl Redact for Graph {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(self.flow_run_id);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            start_time: _,
            end_time: _,
            root_node_ids: _,
            nodes,
            artifacts,
            states,
            flow_run_id,
        } = self;
        let mask = reader.within_flow_run(Some(*flow_run_id));
        let of_nodes = nodes.iter_mut().flat_map(|(_, node)| {
            mask.over(&mut node.label);
            node.artifacts.iter_mut()
        });
        for artifact in of_nodes.chain(artifacts) {
            mask.over(&mut artifact.kind);
            mask.over(&mut artifact.data);
        }
        states
            .iter_mut()
            .for_each(|state| mask.over(&mut state.name));
    }
}
