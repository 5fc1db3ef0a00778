//! Automations: what is to be done when something happens, or does not.
//!
//! An automation has a [`Trigger`], which looks at events, and [`Action`]s. How a trigger comes to
//! fire is decided by [`window`] and [`firing`], without any I/O; what is to be done then is data.

pub mod action;
mod check;
pub mod firing;
pub mod jinja;
pub mod matching;
pub mod parameters;
pub mod tagged;
#[cfg(test)]
mod tests;
pub mod told;
pub mod trigger;
pub mod window;

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::ids::AutomationId;
use super::time::Timestamp;
pub use action::Action;
pub use firing::Firing;
pub use trigger::{EventTrigger, Posture, Trigger};

/// The most automations that there are.
pub const MOST: u64 = 1000;

/// An automation as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Automation {
    /// Its id.
    pub id: AutomationId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// What it is like.
    pub plan: Plan,
}

/// What an automation is like, as a client says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name; several may have the same.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether it looks at events.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// When it does something.
    #[serde(serialize_with = "tagged::write", deserialize_with = "tagged::read")]
    pub trigger: Trigger,
    /// What it does.
    #[serde(
        serialize_with = "tagged::write_all",
        deserialize_with = "tagged::read_all"
    )]
    pub actions: Vec<Action>,
    /// What it does after that, for which the event is that it has fired.
    #[serde(
        default,
        serialize_with = "tagged::write_all",
        deserialize_with = "tagged::read_all"
    )]
    pub actions_on_trigger: Vec<Action>,
    /// What it would do when its trigger no longer holds; no trigger here says that.
    #[serde(
        default,
        serialize_with = "tagged::write_all",
        deserialize_with = "tagged::read_all"
    )]
    pub actions_on_resolve: Vec<Action>,
}

/// What is said of an automation anew; whatever is not said stays as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanUpdate {
    /// See [`Plan::name`].
    pub name: String,
    /// See [`Plan::description`].
    pub description: Option<String>,
    /// See [`Plan::enabled`].
    pub enabled: Option<bool>,
    /// See [`Plan::tags`].
    pub tags: Option<Vec<String>>,
    /// See [`Plan::trigger`].
    pub trigger: Trigger,
    /// See [`Plan::actions`].
    pub actions: Vec<Action>,
    /// See [`Plan::actions_on_trigger`].
    pub actions_on_trigger: Option<Vec<Action>>,
    /// See [`Plan::actions_on_resolve`].
    pub actions_on_resolve: Option<Vec<Action>>,
}

impl PlanUpdate {
    /// The same, complete, as [`Plan::checked`] has it.
    ///
    /// # Errors
    /// As there.
    pub fn checked(self) -> Result<Self> {
        let nothing = Plan {
            name: String::new(),
            description: String::new(),
            enabled: true,
            tags: Vec::new(),
            trigger: self.trigger.clone(),
            actions: Vec::new(),
            actions_on_trigger: Vec::new(),
            actions_on_resolve: Vec::new(),
        };
        let Plan { trigger, .. } = self.clone().over(nothing).checked()?;
        Ok(Self { trigger, ..self })
    }

    /// The plan that comes of it.
    pub fn over(self, plan: Plan) -> Plan {
        Plan {
            name: self.name,
            description: self.description.unwrap_or(plan.description),
            enabled: self.enabled.unwrap_or(plan.enabled),
            tags: self.tags.unwrap_or(plan.tags),
            trigger: self.trigger,
            actions: self.actions,
            actions_on_trigger: self.actions_on_trigger.unwrap_or(plan.actions_on_trigger),
            actions_on_resolve: self.actions_on_resolve.unwrap_or(plan.actions_on_resolve),
        }
    }
}

/// An automation that is to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAutomation {
    /// What it is like.
    pub plan: Plan,
    /// The resource that it goes with, such as `prefect.deployment.<id>`.
    pub owner: Option<String>,
}

const fn yes() -> bool {
    true
}
