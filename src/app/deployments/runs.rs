//! Verbs that run deployments.

use super::write::no_schema;
use super::{queue, read};
use crate::app::App;
use crate::app::runs::flow_runs::create_run;
use crate::app::work::told::tell_deployment;
use crate::domain::JsonMap;
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::filter::{Filters, Page, Sort, Test, flow_run};
use crate::domain::flow::Created;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun, NewFlowRun};
use crate::domain::ids::{DeploymentId, WorkQueueId};
use crate::domain::parameters::Required;
use crate::domain::parameters::hydration::is_dry;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;
use crate::domain::weight;
use crate::storage::{Job, deployments};

impl App {
    /// Creates a run of a deployment: its parameters under the request's, its tags and the
    /// request's, its infrastructure unless the request has its own. In the modern generation
    /// parameters that say how their values are made give way to those.
    ///
    /// Fails as a conflict when the parameters have to conform to a schema and do not, as refused
    /// when a value is not made, and in the modern generation as invalid when its job variables do
    /// not fit those of the pool.
    pub async fn create_run_of_deployment(
        &self,
        id: DeploymentId,
        request: DeploymentRunRequest,
    ) -> Result<Created<FlowRun>> {
        let seen = self.deployment(id).await?;
        let hydrated = self.values_of_run(&seen, &request).await?;
        self.check_parameters(&seen, &request, hydrated.as_ref())
            .await?;
        if request.is_modern {
            let own = request.job_variables.as_ref();
            self.check_job_of_run(&seen, own, "creating flow run")
                .await?;
        }
        let bytes = weight::of_map(&request.parameters) + weight::of_map(&request.context);
        self.write_as(Job::prompt(bytes), move |tx| {
            let deployment = read(tx.db, id)?;
            let is_same = deployment.parameter_schema == seen.parameter_schema
                && deployment.parameters == seen.parameters;
            if (enforces(&deployment, &request) || hydrated.is_some()) && !is_same {
                // Rare, and right when it is tried again.
                return Err(Error::new(
                    Kind::Unavailable,
                    "The deployment has just been changed; try again.",
                ));
            }
            let queue = queue::of_run(tx, &deployment, request.work_queue_name.as_deref())?;
            create_run(tx, run_of(deployment, queue, request, hydrated))
        })
        .await
    }

    /// The scheduled runs of some deployments that are due before an instant, those that are due
    /// first; whoever asks will run them, so the deployments are ready.
    pub async fn scheduled_runs_of(
        &self,
        ids: Vec<DeploymentId>,
        before: Option<Timestamp>,
        limit: u64,
    ) -> Result<Vec<FlowRun>> {
        let filters = due_of(&ids, before);
        let page = Page { limit, offset: 0 };
        let sort = Sort::up("next_scheduled_start_time");
        let runs = self.flow_runs(filters, sort, page).await?;
        self.write(move |tx| {
            for id in ids {
                deployments::poll(tx.db, id, tx.now)?;
                tell_deployment(tx, id)?;
            }
            Ok(())
        })
        .await?;
        Ok(runs)
    }

    /// All parameters of a run with their values made; none where all are values already, and in
    /// the generation that knows of nothing else.
    async fn values_of_run(
        &self,
        deployment: &Deployment,
        request: &DeploymentRunRequest,
    ) -> Result<Option<JsonMap>> {
        let is_dry = is_dry(&deployment.parameters) || is_dry(&request.parameters);
        if !is_dry || !request.is_modern {
            return Ok(None);
        }
        let parameters = merged(deployment.parameters.clone(), request.parameters.clone());
        let hydrated = self.hydrated(parameters).await?;
        let refused = |dry| Error::refused(format!("Error hydrating flow run parameters: {dry}"));
        hydrated.map(Some).map_err(refused)
    }

    async fn check_parameters(
        &self,
        deployment: &Deployment,
        request: &DeploymentRunRequest,
        hydrated: Option<&JsonMap>,
    ) -> Result<()> {
        if !enforces(deployment, request) {
            return Ok(());
        }
        let schema = deployment.parameter_schema.clone();
        let schema = schema.ok_or_else(no_schema)?;
        let parameters = match hydrated {
            Some(parameters) => parameters.clone(),
            None => merged(deployment.parameters.clone(), request.parameters.clone()),
        };
        let checked = self.conforms(parameters, schema, Required::Yes).await?;
        checked.map_err(|unfit| unfit.while_doing("creating flow run"))
    }
}

fn due_of(ids: &[DeploymentId], before: Option<Timestamp>) -> Filters {
    let scheduled = [StateType::Scheduled.word()];
    let mut runs = vec![
        flow_run::DEPLOYMENT_ID.is_one_of_ids(ids.iter().map(|id| id.uuid())),
        flow_run::STATE_TYPE.is_one_of(scheduled),
    ];
    let due = |at: Timestamp| flow_run::NEXT_SCHEDULED_START_TIME.asked(Test::AtMost(at.micros()));
    runs.extend(before.map(due));
    Filters {
        flow_runs: Some(runs.into()),
        ..Filters::default()
    }
}

fn enforces(deployment: &Deployment, request: &DeploymentRunRequest) -> bool {
    let asked = request.enforces_schema;
    asked.unwrap_or(deployment.enforces_schema)
}

fn merged(mut parameters: JsonMap, over: JsonMap) -> JsonMap {
    parameters.extend(over);
    parameters
}

fn run_of(
    deployment: Deployment,
    work_queue_id: Option<WorkQueueId>,
    request: DeploymentRunRequest,
    hydrated: Option<JsonMap>,
) -> NewFlowRun {
    let infrastructure = deployment.infrastructure_in(work_queue_id);
    let mut tags = deployment.tags;
    for tag in request.tags {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    NewFlowRun {
        name: request.name,
        flow_id: deployment.flow_id,
        deployment_id: Some(deployment.id),
        flow_version: None,
        parameters: hydrated.unwrap_or_else(|| merged(deployment.parameters, request.parameters)),
        idempotency_key: request.idempotency_key,
        context: request.context,
        policy: request.policy,
        tags,
        labels: merged(deployment.labels, request.labels),
        parent_task_run_id: request.parent_task_run_id,
        infrastructure: request.infrastructure.unwrap_or(infrastructure),
        job_variables: request.job_variables,
        work_queue_id,
        queue_names: None,
        deployment_version: deployment.version,
        auto_scheduled: false,
        created_by: request.created_by,
        state: request.state,
        is_told: true,
    }
}
