//! What is created and told.

use uuid::Uuid;

use super::world::At;
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::event::told::ToldTaskRun;
use crate::domain::flow_run::NewFlowRun;
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId, WorkQueueId};
use crate::domain::task_run::{RetryPolicy, TaskRun, TaskRunSpec};

pub(super) fn new_flow_run(
    flow_id: FlowId,
    deployment_id: Option<DeploymentId>,
    work_queue_id: Option<WorkQueueId>,
    parent_task_run_id: Option<TaskRunId>,
) -> NewFlowRun {
    NewFlowRun {
        name: None,
        flow_id,
        deployment_id,
        flow_version: None,
        parameters: JsonMap::new(),
        idempotency_key: None,
        context: JsonMap::new(),
        policy: FlowRunPolicy::default(),
        tags: Vec::new(),
        labels: JsonMap::new(),
        parent_task_run_id,
        infrastructure: Infrastructure::default(),
        job_variables: None,
        work_queue_id,
        queue_names: None,
        deployment_version: None,
        auto_scheduled: false,
        created_by: None,
        state: None,
        is_told: false,
    }
}

pub(super) fn spec(flow_run_id: Option<FlowRunId>) -> TaskRunSpec {
    TaskRunSpec {
        name: "t".to_owned(),
        flow_run_id,
        task_key: "t".to_owned(),
        dynamic_key: Uuid::now_v7().to_string(),
        cache_key: None,
        cache_expiration: None,
        task_version: None,
        policy: RetryPolicy::told(&JsonMap::new()),
        empirical_policy: JsonMap::new(),
        tags: Vec::new(),
        labels: JsonMap::new(),
        task_inputs: JsonMap::new(),
    }
}

pub(super) fn told(run: TaskRun, at: &At) -> ToldTaskRun {
    let (state, statistics) = at.state();
    ToldTaskRun {
        id: run.id,
        flow_run_id: run.spec.flow_run_id,
        name: run.spec.name,
        task_key: run.spec.task_key,
        dynamic_key: run.spec.dynamic_key,
        empirical_policy: JsonMap::new(),
        tags: Vec::new(),
        labels: JsonMap::new(),
        task_inputs: JsonMap::new(),
        flow_run_run_count: 1,
        statistics,
        state,
    }
}
