//! What a flow run did, as a graph: its task runs and the runs of its sub-flows, each with those
//! whose results it took.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::JsonMap;
use super::ids::{ArtifactId, FlowRunId, TaskRunId};
use super::state::{State, StateType};
use super::time::Timestamp;

/// The most nodes of a graph, as on the reference.
pub const MOST_NODES: usize = 10_000;
/// The most artifacts of a graph, as on the reference.
pub const MOST_ARTIFACTS: usize = 10_000;
/// The name under which a task run says which task runs it was called in.
const AROUND: &str = "__parents__";

/// When something began and ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// The type of its state.
    pub kind: Option<StateType>,
    /// When it first ran.
    pub start_time: Option<Timestamp>,
    /// When it was first expected to.
    pub expected_start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

/// A task run, with the sub-flow's run that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its id.
    pub id: TaskRunId,
    /// Its name.
    pub name: String,
    /// Its times.
    pub times: Times,
    /// Where its arguments came from.
    pub inputs: JsonMap,
    /// The run of a sub-flow.
    pub child: Option<Child>,
}

/// The run of a sub-flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Its id.
    pub id: FlowRunId,
    /// Its name.
    pub name: String,
    /// Its flow's name.
    pub flow: String,
    /// Its times.
    pub times: Times,
}

/// Something that a run left to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Its id.
    pub id: ArtifactId,
    /// When it was left.
    pub created: Timestamp,
    /// Its key.
    pub key: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// The task run that left it.
    pub task_run_id: Option<TaskRunId>,
    /// Its data, where that is how far something has got.
    pub data: Option<Value>,
    /// Whether it is the latest of its key, or has none.
    pub is_latest: bool,
}

/// What a graph is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// When the run began, or is expected to.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// What it did, in order.
    pub nodes: Vec<Node>,
    /// What it left.
    pub artifacts: Vec<Left>,
    /// Its states.
    pub states: Vec<State>,
}

/// A task run, or the run of a sub-flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Whether it is a sub-flow's.
    pub is_flow_run: bool,
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// The type of its state.
    pub kind: Option<StateType>,
    /// When it began, or is expected to.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Whose results it took.
    pub parents: Vec<Uuid>,
    /// Who took its result.
    pub children: Vec<Uuid>,
    /// In which it was called.
    pub around: Vec<Uuid>,
}

impl Node {
    /// Mirrors the reference: a node that nobody expects to start is none, and a task run that
    /// completed without having run ended when it was expected to start.
    fn of(step: &Step) -> Option<Self> {
        let own = &step.times;
        let child = step.child.as_ref();
        let times = child.map_or(own, |child| &child.times);
        let begins = |times: &Times| times.start_time.or(times.expected_start_time);
        let completed = own.kind == Some(StateType::Completed);
        let at_once = own.expected_start_time.filter(|_| completed);
        let of_child = child.and_then(|child| child.times.end_time);
        Some(Self {
            is_flow_run: child.is_some(),
            id: child.map_or(step.id.uuid(), |child| child.id.uuid()),
            label: match child {
                Some(child) => format!("{} / {}", child.flow, child.name),
                None => step.name.clone(),
            },
            kind: times.kind.or(own.kind),
            start_time: begins(times).or_else(|| begins(own))?,
            end_time: of_child.or(own.end_time).or(at_once),
            parents: Vec::new(),
            children: Vec::new(),
            around: Vec::new(),
        })
    }
}

/// The nodes of these steps with their edges, in the order of their times.
pub fn nodes(steps: &[Step]) -> Vec<Node> {
    let made = steps.iter().map(|step| (step, Node::of(step)));
    let (steps, mut nodes): (Vec<_>, Vec<_>) = made
        .filter_map(|(step, node)| node.map(|node| (step, node)))
        .unzip();
    let ids = nodes.iter().map(|node| node.id).enumerate();
    let places: HashMap<Uuid, usize> = ids.map(|(place, id)| (id, place)).collect();
    for (at, step) in steps.iter().enumerate() {
        let known = |id: &Uuid| places.get(id).copied().map(|place| (*id, place));
        let (around, parents) = sources(&step.inputs);
        let id = nodes.get(at).map_or_else(Uuid::nil, |node| node.id);
        for (parent, place) in parents.iter().filter_map(known) {
            if let Some(node) = nodes.get_mut(at) {
                node.parents.push(parent);
            }
            if let Some(node) = nodes.get_mut(place) {
                node.children.push(id);
            }
        }
        let around = around.iter().filter_map(known).map(|(id, _)| id).collect();
        if let Some(node) = nodes.get_mut(at) {
            node.around = around;
        }
    }
    nodes.sort_by_key(|node| (node.start_time, node.end_time));
    nodes
}

/// The ids that arguments came from: of what it was called in, and of all others.
fn sources(inputs: &JsonMap) -> (BTreeSet<Uuid>, BTreeSet<Uuid>) {
    let (mut around, mut parents) = (BTreeSet::new(), BTreeSet::new());
    for (name, from) in inputs {
        let from = from.as_array().into_iter().flatten();
        let ids = from.filter_map(|one| one["id"].as_str()?.parse::<Uuid>().ok());
        match name.as_str() {
            AROUND => around.extend(ids),
            _ => parents.extend(ids),
        }
    }
    (around, parents)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(number: u128, inputs: Value) -> Step {
        let at = Timestamp::from_micros(number as i64);
        Step {
            id: TaskRunId::from_uuid(Uuid::from_u128(number)),
            name: format!("t-{number}"),
            times: Times {
                kind: Some(StateType::Completed),
                start_time: None,
                expected_start_time: Some(at),
                end_time: None,
            },
            inputs: inputs.as_object().cloned().unwrap_or_default(),
            child: None,
        }
    }

    fn from(number: u128) -> Value {
        json!([{ "input_type": "task_run", "id": Uuid::from_u128(number) }])
    }

    #[test]
    fn edges_lead_both_ways_and_each_is_told_once() {
        let steps = [
            step(2, json!({ "a": from(1), "b": from(1), "c": from(9) })),
            step(1, json!({})),
            step(3, json!({ "__parents__": from(1), "x": from(2) })),
        ];
        let found = nodes(&steps);
        let labels: Vec<_> = found.iter().map(|node| node.label.as_str()).collect();
        assert_eq!(labels, ["t-1", "t-2", "t-3"]);
        let id = Uuid::from_u128;
        assert_eq!(found[0].children, [id(2)]);
        assert_eq!(found[1].parents, [id(1)]);
        assert_eq!(found[1].children, [id(3)]);
        assert_eq!(
            (&*found[2].parents, &*found[2].around),
            (&[id(2)][..], &[id(1)][..])
        );
        // Each completed without having run.
        assert_eq!(found[0].end_time, Some(Timestamp::from_micros(1)));
    }

    #[test]
    fn a_sub_flow_stands_in_the_place_of_its_task_run() {
        let mut one = step(1, json!({}));
        let child = Uuid::from_u128(7);
        one.child = Some(Child {
            id: FlowRunId::from_uuid(child),
            name: "n".to_owned(),
            flow: "f".to_owned(),
            times: Times {
                kind: Some(StateType::Running),
                start_time: Some(Timestamp::from_micros(5)),
                expected_start_time: None,
                end_time: None,
            },
        });
        let by_run = step(8, json!({ "a": from(7), "b": from(1) }));
        let found = nodes(&[one, by_run]);
        assert_eq!((found[0].id, found[0].is_flow_run), (child, true));
        assert_eq!(found[0].label, "f / n");
        assert_eq!(found[1].parents, [child]);
    }

    #[test]
    fn what_nobody_expects_to_start_is_no_node() {
        let mut one = step(1, json!({}));
        one.times.expected_start_time = None;
        assert_eq!(nodes(&[one]), []);
    }
}
