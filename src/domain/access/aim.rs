//! What a request aims at, told by what was read of it: the same for every dialect.

use std::collections::BTreeSet;

use crate::domain::JsonMap;
use crate::domain::artifact::{ArtifactUpdate, NewArtifact};
use crate::domain::deployment::Infrastructure;
use crate::domain::event::Event;
use crate::domain::event::told::ToldTaskRun;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRunUpdate, NewFlowRun};
use crate::domain::ids::{ArtifactId, DeploymentId, FlowRunId, TaskRunId};
use crate::domain::log::NewLog;
use crate::domain::patch::Patch;
use crate::domain::run_input::NewRunInput;
use crate::domain::state::ProposedState;
use crate::domain::task_run::{NewTaskRun, TaskRunUpdate};

/// What a request aims at.
#[derive(Clone, Debug, PartialEq)]
pub enum Aim {
    /// To hand in log lines of these.
    Log(Targets),
    /// To change, or begin something below, these.
    Change(Targets),
    /// To choose what a run runs on.
    Infrastructure,
    /// At something that is no run's.
    Elsewhere,
}

/// The runs that a request aims at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Flow runs.
    pub flow_runs: Vec<FlowRunId>,
    /// Task runs.
    pub task_runs: Vec<TaskRunId>,
    /// What runs left.
    pub artifacts: Vec<ArtifactId>,
}

/// Something asked, once it is read, that tells what it aims at. `I` is what the path names.
pub trait Aims<I = ()> {
    /// What this aims at where the path names `at`.
    fn aim(&self, at: I) -> Aim;
}

fn change_flow_run(id: FlowRunId) -> Aim {
    Aim::Change(Targets {
        flow_runs: vec![id],
        ..Targets::default()
    })
}

fn change_task_run(id: TaskRunId) -> Aim {
    Aim::Change(Targets {
        task_runs: vec![id],
        ..Targets::default()
    })
}

impl Aims for NewFlowRun {
    /// A sub-flow's run has a parent and no deployment of its own.
    fn aim(&self, _at: ()) -> Aim {
        match (self.deployment_id, self.parent_task_run_id) {
            _ if chooses(Some(&self.infrastructure)) => Aim::Infrastructure,
            _ if chooses_job(self.job_variables.as_ref()) => Aim::Infrastructure,
            _ if self.work_queue_id.is_some() || self.queue_names.is_some() => Aim::Infrastructure,
            (None, Some(parent)) => change_task_run(parent),
            _ => Aim::Elsewhere,
        }
    }
}

impl Aims for NewTaskRun {
    fn aim(&self, _at: ()) -> Aim {
        match self.spec.flow_run_id {
            Some(id) => change_flow_run(id),
            None => Aim::Elsewhere,
        }
    }
}

impl Aims<TaskRunId> for TaskRunUpdate {
    fn aim(&self, at: TaskRunId) -> Aim {
        change_task_run(at)
    }
}

impl Aims<DeploymentId> for DeploymentRunRequest {
    /// Every run may begin runs of every deployment, below a task run only of its own.
    fn aim(&self, _at: DeploymentId) -> Aim {
        match self.parent_task_run_id {
            _ if chooses(self.infrastructure.as_ref()) => Aim::Infrastructure,
            _ if chooses_job(self.job_variables.as_ref()) => Aim::Infrastructure,
            Some(parent) => change_task_run(parent),
            None => Aim::Change(Targets::default()),
        }
    }
}

impl Aims<FlowRunId> for FlowRunUpdate {
    fn aim(&self, at: FlowRunId) -> Aim {
        let job = match &self.job_variables {
            Patch::Set(variables) => Some(variables),
            Patch::Keep | Patch::Clear => None,
        };
        match chooses(self.infrastructure.as_ref()) || chooses_job(job) {
            true => Aim::Infrastructure,
            false => change_flow_run(at),
        }
    }
}

impl Aims for NewArtifact {
    /// One that names no run is nobody's.
    fn aim(&self, _at: ()) -> Aim {
        Aim::Change(Targets {
            flow_runs: self.content.flow_run_id.into_iter().collect(),
            task_runs: self.content.task_run_id.into_iter().collect(),
            ..Targets::default()
        })
    }
}

impl Aims<ArtifactId> for ArtifactUpdate {
    fn aim(&self, at: ArtifactId) -> Aim {
        Aim::Change(Targets {
            artifacts: vec![at],
            ..Targets::default()
        })
    }
}

impl Aims<FlowRunId> for NewRunInput {
    fn aim(&self, at: FlowRunId) -> Aim {
        change_flow_run(at)
    }
}

/// Nothing that is read of the request: it aims at what its path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtPath;

impl Aims<FlowRunId> for AtPath {
    fn aim(&self, at: FlowRunId) -> Aim {
        change_flow_run(at)
    }
}

/// Labels, and the input of a run that goes on.
impl Aims<FlowRunId> for JsonMap {
    fn aim(&self, at: FlowRunId) -> Aim {
        change_flow_run(at)
    }
}

impl Aims<FlowRunId> for ProposedState {
    fn aim(&self, at: FlowRunId) -> Aim {
        change_flow_run(at)
    }
}

impl Aims<TaskRunId> for ProposedState {
    fn aim(&self, at: TaskRunId) -> Aim {
        change_task_run(at)
    }
}

/// Something asked, and how.
impl<I, T: Aims<I>, How> Aims<I> for (T, How) {
    fn aim(&self, at: I) -> Aim {
        self.0.aim(at)
    }
}

impl Aims for Vec<NewLog> {
    fn aim(&self, _at: ()) -> Aim {
        let flow_runs: BTreeSet<_> = self.iter().filter_map(|line| line.flow_run_id).collect();
        let task_runs: BTreeSet<_> = self.iter().filter_map(|line| line.task_run_id).collect();
        Aim::Log(Targets {
            flow_runs: flow_runs.into_iter().collect(),
            task_runs: task_runs.into_iter().collect(),
            ..Targets::default()
        })
    }
}

/// Whether variables of the job are named that a run is.
fn chooses_job(variables: Option<&JsonMap>) -> bool {
    variables.is_some_and(|variables| !variables.is_empty())
}

impl Aims for [Event] {
    /// What they tell of task runs is of a flow run, like lines; all else may be said by anybody.
    fn aim(&self, _at: ()) -> Aim {
        let told = self.iter().filter_map(ToldTaskRun::of);
        let flow_runs: BTreeSet<_> = told.filter_map(|run| run.flow_run_id).collect();
        Aim::Log(Targets {
            flow_runs: flow_runs.into_iter().collect(),
            ..Targets::default()
        })
    }
}

impl Aims for Vec<Event> {
    fn aim(&self, at: ()) -> Aim {
        self.as_slice().aim(at)
    }
}

/// Whether infrastructure is named. An unset flow runner, whose parts are null, names none.
fn chooses(infrastructure: Option<&Infrastructure>) -> bool {
    infrastructure.is_some_and(|it| !it.is_unset())
}
