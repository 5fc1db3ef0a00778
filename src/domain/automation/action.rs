//! What an automation does when it fires.
//!
//! An action is a document, as a trigger is.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::tagged::Tagged;
use super::trigger::length;
use crate::domain::JsonMap;
use crate::domain::state::StateType;
use crate::domain::time::Span;

/// An action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing; that it was done is told all the same.
    DoNothing {},
    /// Begins a run of a deployment.
    RunDeployment(RunDeployment),
    /// Stops a deployment's schedules.
    PauseDeployment(OnDeployment),
    /// Has a deployment's schedules go on.
    ResumeDeployment(OnDeployment),
    /// Cancels a flow run.
    CancelFlowRun {},
    /// Removes a flow run.
    DeleteFlowRun {},
    /// Proposes a state for a flow run.
    ChangeFlowRunState(ChangeState),
    /// Suspends a flow run.
    SuspendFlowRun {},
    /// Has a flow run go on that waits.
    ResumeFlowRun {},
    /// Has a queue hand out no runs.
    PauseWorkQueue(OnWorkQueue),
    /// Has a queue hand out runs again.
    ResumeWorkQueue(OnWorkQueue),
    /// Has a pool hand out no runs.
    PauseWorkPool(OnWorkPool),
    /// Has a pool hand out runs again.
    ResumeWorkPool(OnWorkPool),
    /// Turns an automation off.
    PauseAutomation(OnAutomation),
    /// Turns an automation on.
    ResumeAutomation(OnAutomation),
    /// Sends a message by what a block says.
    SendNotification(SendNotification),
    /// Calls what a block says.
    CallWebhook(CallWebhook),
}

/// Where an action finds out what it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It says so itself.
    #[default]
    Selected,
    /// From the event.
    Inferred,
}

/// What an action is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// That one.
    Selected(Uuid),
    /// The first of its kind that the event names.
    Inferred,
}

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident: $id:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// Where it finds out what it is on.
            #[serde(default)]
            source: Source,
            /// What it is on, where it says so itself.
            #[serde(default)]
            $id: Option<Uuid>,
        }

        impl $name {
            /// What it is on.
            pub fn target(&self) -> Target {
                self.$id.map_or(Target::Inferred, Target::Selected)
            }

            fn check(&self) -> Result<(), String> {
                check_target(self.source, self.$id, stringify!($id))
            }
        }
    )*};
}

targets! {
    /// An action on a deployment.
    OnDeployment: deployment_id,
    /// An action on a queue of a work pool.
    OnWorkQueue: work_queue_id,
    /// An action on a work pool.
    OnWorkPool: work_pool_id,
    /// An action on an automation.
    OnAutomation: automation_id,
}

fn check_target(source: Source, id: Option<Uuid>, name: &str) -> Result<(), String> {
    match (source, id) {
        (Source::Selected, None) => Err(format!("{name} is required")),
        (Source::Inferred, Some(_)) => Err(format!("{name} is not allowed where it is inferred")),
        _ => Ok(()),
    }
}

/// Begins a run of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDeployment {
    /// Where it finds out which.
    #[serde(default)]
    pub source: Source,
    /// Which, where it says so itself.
    #[serde(default)]
    pub deployment_id: Option<Uuid>,
    /// Laid over the deployment's parameters. Texts may be templates.
    #[serde(default)]
    pub parameters: Option<JsonMap>,
    /// Laid over the deployment's variables of the job.
    #[serde(default)]
    pub job_variables: Option<JsonMap>,
    /// How long after the firing it is due.
    #[serde(default, serialize_with = "secs", deserialize_with = "length")]
    pub schedule_after: Span,
}

impl RunDeployment {
    /// Which deployment.
    pub fn target(&self) -> Target {
        self.deployment_id
            .map_or(Target::Inferred, Target::Selected)
    }
}

/// Proposes a state for a flow run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeState {
    /// The state's name; absent: that of its type.
    #[serde(default)]
    pub name: Option<String>,
    /// The type of the state.
    #[serde(serialize_with = "word", deserialize_with = "kind")]
    pub state: StateType,
    /// The state's message; absent: that it was this automation.
    #[serde(default)]
    pub message: Option<String>,
    /// Whether no rule is asked.
    #[serde(default)]
    pub force: bool,
}

/// Sends a message by what a block says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendNotification {
    /// The block.
    pub block_document_id: Uuid,
    /// What it is about: a template.
    #[serde(default = "subject")]
    pub subject: String,
    /// What it says: a template.
    pub body: String,
}

/// Calls what a block says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallWebhook {
    /// The block.
    pub block_document_id: Uuid,
    /// What is sent: a template, or an object whose texts are templates, kept as text.
    #[serde(default, deserialize_with = "payload")]
    pub payload: String,
}

impl Action {
    /// The word for what it is.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::DoNothing {} => "do-nothing",
            Self::RunDeployment(_) => "run-deployment",
            Self::PauseDeployment(_) => "pause-deployment",
            Self::ResumeDeployment(_) => "resume-deployment",
            Self::CancelFlowRun {} => "cancel-flow-run",
            Self::DeleteFlowRun {} => "delete-flow-run",
            Self::ChangeFlowRunState(_) => "change-flow-run-state",
            Self::SuspendFlowRun {} => "suspend-flow-run",
            Self::ResumeFlowRun {} => "resume-flow-run",
            Self::PauseWorkQueue(_) => "pause-work-queue",
            Self::ResumeWorkQueue(_) => "resume-work-queue",
            Self::PauseWorkPool(_) => "pause-work-pool",
            Self::ResumeWorkPool(_) => "resume-work-pool",
            Self::PauseAutomation(_) => "pause-automation",
            Self::ResumeAutomation(_) => "resume-automation",
            Self::SendNotification(_) => "send-notification",
            Self::CallWebhook(_) => "call-webhook",
        }
    }

    /// Whether it says what it is on, and its templates are some.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::RunDeployment(run) => {
                check_target(run.source, run.deployment_id, "deployment_id")?;
                if run.schedule_after < Span::ZERO {
                    return Err("schedule_after must be 0 or more".to_owned());
                }
                { run.parameters.as_ref() }.map_or(Ok(()), super::parameters::check)
            }
            Self::PauseDeployment(on) | Self::ResumeDeployment(on) => on.check(),
            Self::PauseWorkQueue(on) | Self::ResumeWorkQueue(on) => on.check(),
            Self::PauseWorkPool(on) | Self::ResumeWorkPool(on) => on.check(),
            Self::PauseAutomation(on) | Self::ResumeAutomation(on) => on.check(),
            Self::SendNotification(send) => {
                super::jinja::check(&send.subject).and_then(|()| super::jinja::check(&send.body))
            }
            Self::CallWebhook(call) => super::jinja::check(&call.payload),
            Self::DoNothing {}
            | Self::CancelFlowRun {}
            | Self::DeleteFlowRun {}
            | Self::ChangeFlowRunState(_)
            | Self::SuspendFlowRun {}
            | Self::ResumeFlowRun {} => Ok(()),
        }
    }
}

fn secs<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(span.as_secs_f64())
}

fn word<S: Serializer>(kind: &StateType, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.word())
}

fn kind<'de, D: Deserializer<'de>>(given: D) -> Result<StateType, D::Error> {
    let word = String::deserialize(given)?;
    let unknown = || serde::de::Error::custom(format!("there is no type of states {word:?}"));
    StateType::from_word(&word).ok_or_else(unknown)
}

fn subject() -> String {
    "Prefect automated notification".to_owned()
}

impl Tagged for Action {
    const USUAL: &'static str = "do-nothing";
}

fn payload<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(given)? {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        // As the reference writes it.
        other => serde_json::to_string_pretty(&other).map_err(D::Error::custom)?,
    })
}
