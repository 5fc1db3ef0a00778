//! How each action is done: by the verb that anybody else would ask for it by.

use uuid::Uuid;

use super::context;
use super::sending::Attempt;
use crate::app::runs::propose_state::{Decision, Outcome as Entered};
use crate::app::work::queues::QueueName;
use crate::app::{App, Resumed};
use crate::domain::JsonMap;
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::automation::action::{Action, ChangeState, RunDeployment, Target};
use crate::domain::automation::told::{self, Outcome};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Event, NAME, Resource, Stored};
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::{AutomationId, DeploymentId, FlowRunId, WorkPoolId, WorkQueueId};
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Span;
use crate::domain::work::{WorkPoolUpdate, WorkQueueUpdate};
use crate::storage::automations::work::Work;
use crate::storage::rows;

/// How long a run that an automation suspends waits for somebody to have it go on.
const SUSPENDED_FOR: Span = Span::from_micros(3600 * 1_000_000);

/// Whether an action failed because of ourselves, so that to try it again is right.
pub(super) const fn is_ours(kind: Kind) -> bool {
    match kind {
        Kind::Unavailable
        | Kind::StorageFull
        | Kind::StorageLost
        | Kind::StorageDamaged
        | Kind::TooSlow
        | Kind::Internal => true,
        Kind::Invalid
        | Kind::Refused
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Forbidden
        | Kind::TooLarge => false,
    }
}

/// The status that the reference's own call would have had.
const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => 422,
        Kind::Refused => 400,
        Kind::NotFound => 404,
        Kind::Conflict => 409,
        Kind::Forbidden => 403,
        Kind::TooLarge => 413,
        Kind::Unavailable | Kind::TooSlow => 503,
        Kind::StorageFull | Kind::StorageLost | Kind::StorageDamaged | Kind::Internal => 500,
    }
}

pub(super) fn failed(why: impl Into<String>) -> Outcome {
    Outcome {
        failure: Some(why.into()),
        ..Outcome::default()
    }
}

/// An action that is being done.
pub(super) struct Acting<'a> {
    /// Whose verbs do it.
    pub app: &'a App,
    /// The work that it is.
    pub work: &'a Work,
    /// The action.
    pub action: &'a Action,
    /// The event that it is because of.
    pub because: Option<&'a Stored>,
}

impl Acting<'_> {
    /// Does it.
    ///
    /// # Errors
    /// Those that it is tried again for.
    pub async fn act(&self) -> Result<Attempt> {
        let done = match self.action {
            Action::SendNotification(send) => return self.notify(send).await,
            Action::CallWebhook(call) => return self.call(call).await,
            Action::DoNothing {} => Ok(Outcome::default()),
            Action::RunDeployment(run) => self.run_deployment(run).await,
            Action::PauseDeployment(on) => self.set_deployment(on.target(), false).await,
            Action::ResumeDeployment(on) => self.set_deployment(on.target(), true).await,
            Action::PauseWorkPool(on) => self.set_pool(on.target(), true).await,
            Action::ResumeWorkPool(on) => self.set_pool(on.target(), false).await,
            Action::PauseWorkQueue(on) => self.set_queue(on.target(), true).await,
            Action::ResumeWorkQueue(on) => self.set_queue(on.target(), false).await,
            Action::PauseAutomation(on) => self.set_automation(on.target(), false).await,
            Action::ResumeAutomation(on) => self.set_automation(on.target(), true).await,
            Action::CancelFlowRun {} => {
                let why = format!("Cancelled by Automation {}", self.work.fired.automation);
                let state = ProposedState::new(StateType::Cancelling).because(why);
                self.set_state(state, false).await
            }
            Action::SuspendFlowRun {} => self.set_state(self.suspended(), false).await,
            Action::ChangeFlowRunState(change) => {
                self.set_state(self.changed(change), change.force).await
            }
            Action::ResumeFlowRun {} => self.resume().await,
            Action::DeleteFlowRun {} => self.delete().await,
        };
        done.map(Attempt::Over)
    }

    /// What an action is on: what it says, or the first of its kind that the event names.
    fn target<I: std::str::FromStr>(
        &self,
        target: Target,
        kind: &str,
        of: impl Fn(Uuid) -> I,
    ) -> Result<I, String> {
        match (target, self.because) {
            (Target::Selected(id), _) => Ok(of(id)),
            (Target::Inferred, Some(stored)) => first(&stored.event, kind).ok_or_else(|| {
                let kind = kind.replace('-', " ");
                format!("No {kind} could be inferred")
            }),
            (Target::Inferred, None) => {
                let kind = kind.replace('-', " ");
                Err(format!("No event to infer the {kind}"))
            }
        }
    }

    async fn run_deployment(&self, run: &RunDeployment) -> Result<Outcome> {
        let id = match self.target(run.target(), "deployment", DeploymentId::from_uuid) {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let parameters = run.parameters.clone().unwrap_or_default();
        let parameters = context::parameters(self.app, self.work, self.because, &parameters);
        let parameters = match parameters.await? {
            Ok(made) => made,
            Err(why) => {
                return Ok(failed(format!(
                    "Unable to create flow run from deployment: {why}"
                )));
            }
        };
        let fired = &self.work.fired;
        let number = self.work.number.unwrap_or_default();
        let key = format!(
            "automation {}, action {number}, invocation {}",
            fired.automation, self.work.id
        );
        let request = DeploymentRunRequest {
            parameters,
            job_variables: run.job_variables.clone(),
            idempotency_key: Some(key),
            state: Some(ProposedState::scheduled(
                self.app.now() + run.schedule_after,
            )),
            created_by: Some(Actor {
                kind: ActorKind::Automation,
                id: Some(fired.automation.uuid()),
                name: fired.plan.name.clone(),
            }),
            is_modern: true,
            ..DeploymentRunRequest::default()
        };
        let done = self.app.create_run_of_deployment(id, request).await;
        let target = target(format!("prefect.deployment.{id}"));
        let made = match &done {
            Ok(run) => {
                let run = run.get();
                let id = format!("prefect.flow-run.{}", run.id);
                Some(Resource::in_role("flow-run", id).with(NAME, run.name.clone()))
            }
            Err(_) => None,
        };
        let mut outcome = answered(done.map(|_| 201), target, self.action.word())?;
        outcome.related.extend(made);
        Ok(outcome)
    }

    async fn set_deployment(&self, on: Target, active: bool) -> Result<Outcome> {
        let id = match self.target(on, "deployment", DeploymentId::from_uuid) {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let done = self.app.set_schedule_active(id, active).await.map(|()| 200);
        let target = target(format!("prefect.deployment.{id}"));
        answered(done, target, self.action.word())
    }

    async fn set_pool(&self, on: Target, is_paused: bool) -> Result<Outcome> {
        let id = match self.target(on, "work-pool", WorkPoolId::from_uuid) {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let Some(pool) = self.app.read(move |db| rows::by_id(db, id)).await? else {
            return Ok(failed(format!("Work pool {id} not found")));
        };
        let update = WorkPoolUpdate {
            is_paused: Some(is_paused),
            ..WorkPoolUpdate::default()
        };
        let done = self
            .app
            .update_work_pool(&pool.name, update)
            .await
            .map(|()| 204);
        let target = target(format!("prefect.work-pool.{id}")).with(NAME, pool.name);
        answered(done, target, self.action.word())
    }

    async fn set_queue(&self, on: Target, is_paused: bool) -> Result<Outcome> {
        let id = match self.target(on, "work-queue", WorkQueueId::from_uuid) {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let update = WorkQueueUpdate {
            is_paused: Some(is_paused),
            ..WorkQueueUpdate::default()
        };
        let done = self.app.update_work_queue(QueueName::Id(id), update).await;
        let target = target(format!("prefect.work-queue.{id}"));
        answered(done.map(|()| 204), target, self.action.word())
    }

    async fn set_automation(&self, on: Target, enabled: bool) -> Result<Outcome> {
        let id = match self.target(on, "automation", AutomationId::from_uuid) {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let done = self.app.enable_automation(id, enabled).await;
        let target = target(told::resource_id(id));
        answered(done.map(|()| 204), target, self.action.word())
    }

    /// The flow run: that of the labels that the trigger goes by, or the first of the event.
    fn flow_run(&self) -> Result<FlowRunId, String> {
        let label = self.work.fired.firing.labels.get("prefect.resource.id");
        let labelled = label.and_then(|label| label.as_str()).and_then(|id| {
            let resource = Resource::in_role("", id);
            resource.object("flow-run")
        });
        let of_event = || first(&self.because?.event, "flow-run");
        let unknown = || "No flow run could be inferred".to_owned();
        labelled.or_else(of_event).ok_or_else(unknown)
    }

    fn suspended(&self) -> ProposedState {
        let why = format!("Suspended by Automation {}", self.work.fired.automation);
        let mut state = ProposedState::new(StateType::Paused)
            .named("Suspended")
            .because(why);
        state.details.pause_timeout = Some(self.app.now() + SUSPENDED_FOR);
        state.details.pause_reschedule = true;
        state
    }

    fn changed(&self, change: &ChangeState) -> ProposedState {
        let by = || format!("State changed by Automation {}", self.work.fired.automation);
        let message = change.message.clone().unwrap_or_else(by);
        let mut state = ProposedState::new(change.state).because(message);
        state.name = change.name.clone();
        state
    }

    async fn set_state(&self, state: ProposedState, force: bool) -> Result<Outcome> {
        let id = match self.flow_run() {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let policy = match force {
            true => Policy::Forced(Generation::V3),
            false => Policy::Normal(Generation::V3),
        };
        let done = self
            .app
            .propose_flow_run_state(id, state, policy, Client::default())
            .await;
        let refused = done.as_ref().ok().and_then(refusal);
        let mut outcome = answered(
            done.map(|done| entered(&done)),
            of_run(id),
            self.action.word(),
        )?;
        let why = refused.map(|why| format!("Failed to set state: {why}"));
        outcome.failure = outcome.failure.or(why);
        Ok(outcome)
    }

    async fn resume(&self) -> Result<Outcome> {
        let id = match self.flow_run() {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let done = self
            .app
            .resume_flow_run(id, JsonMap::new(), Client::default())
            .await;
        let (refused, status) = match &done {
            Ok(Resumed::Decided(decision)) => (refusal(decision), entered(decision)),
            Ok(Resumed::Unfit { why, .. }) => (Some(why.clone()), 200),
            Err(_) => (None, 200),
        };
        let mut outcome = answered(done.map(|_| status), of_run(id), self.action.word())?;
        let why = refused.map(|why| format!("Failed to resume flow run: {why}"));
        outcome.failure = outcome.failure.or(why);
        Ok(outcome)
    }

    async fn delete(&self) -> Result<Outcome> {
        let id = match self.flow_run() {
            Ok(id) => id,
            Err(why) => return Ok(failed(why)),
        };
        let done = self.app.delete_flow_run(id).await.map(|()| 204);
        answered(done, of_run(id), self.action.word())
    }
}

/// The first resource of a kind that an event names.
fn first<I: std::str::FromStr>(event: &Event, kind: &str) -> Option<I> {
    let mut resources = std::iter::once(&event.resource).chain(&event.related);
    resources.find_map(|resource| resource.object(kind))
}

fn target(id: String) -> Resource {
    Resource::in_role("target", id)
}

fn of_run(id: FlowRunId) -> Resource {
    target(format!("prefect.flow-run.{id}"))
}

/// Why a run did not enter the state that was proposed for it.
fn refusal(decision: &Decision) -> Option<String> {
    match &decision.outcome {
        Entered::Accepted => None,
        Entered::Rejected { why }
        | Entered::Refused { why, .. }
        | Entered::Wait { why, .. }
        | Entered::Aborted { why, .. } => Some(why.clone()),
    }
}

const fn entered(decision: &Decision) -> u16 {
    match decision.outcome {
        Entered::Accepted | Entered::Rejected { .. } | Entered::Refused { .. } => 201,
        Entered::Wait { .. } | Entered::Aborted { .. } => 200,
    }
}

/// What was asked for, or what is told of its refusal.
pub(super) fn refused<T>(found: Result<T>, word: &str) -> Result<std::result::Result<T, Outcome>> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(error) if is_ours(error.kind()) => Err(error),
        Err(error) => Ok(Err(failed(reason(&error, word)))),
    }
}

/// What is told of a call, by its status or its refusal.
fn answered(done: Result<u16>, target: Resource, word: &str) -> Result<Outcome> {
    let (status, failure) = match done {
        Ok(status) => (status, None),
        Err(error) if is_ours(error.kind()) => return Err(error),
        Err(error) => (status(error.kind()), Some(reason(&error, word))),
    };
    Ok(Outcome {
        failure,
        details: JsonMap::from_iter([("status_code".to_owned(), status.into())]),
        related: vec![target],
        also: Vec::new(),
    })
}

fn reason(error: &Error, word: &str) -> String {
    match error.kind() {
        Kind::Conflict | Kind::Invalid => {
            format!(
                "Validation error occurred for '{word}' - {}",
                error.message()
            )
        }
        kind => format!(
            "Unexpected status from '{word}' action: {} ({})",
            status(kind),
            error.message()
        ),
    }
}
