//! Automations.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::operators::{Operator, all, asked};
use crate::api::v3::wire::{ByAnyTags, ById, ByText, ByTime, Instant, or_default, page, sort};
use crate::domain::automation::{
    self as noun, Action, NewAutomation, Plan, PlanUpdate, Trigger, tagged,
};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, NAMED_SORTS, Page, Sort, automation};

/// An automation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Automation {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it looks at events.
    pub enabled: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it does something: an object of `type` `event`, `compound` or `sequence`.
    pub trigger: Value,
    /// What it does then: objects, each of a `type` such as `run-deployment`.
    pub actions: Vec<Value>,
    /// What it does after that; to these the event is that it has fired.
    pub actions_on_trigger: Vec<Value>,
    /// Nothing that there is comes to these.
    pub actions_on_resolve: Vec<Value>,
}

/// Actions as they are written.
fn documents(actions: &[Action]) -> Vec<Value> {
    let all = actions.iter().map(tagged::value);
    // What was read of JSON can be written as such.
    all.map(Result::unwrap_or_default).collect()
}

impl From<noun::Automation> for Automation {
    fn from(automation: noun::Automation) -> Self {
        let noun::Automation {
            id,
            created,
            updated,
            plan,
        } = automation;
        let Plan {
            name,
            description,
            enabled,
            tags,
            trigger,
            actions,
            actions_on_trigger,
            actions_on_resolve,
        } = plan;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            description,
            enabled,
            tags,
            trigger: tagged::value(&trigger).unwrap_or_default(),
            actions: documents(&actions),
            actions_on_trigger: documents(&actions_on_trigger),
            actions_on_resolve: documents(&actions_on_resolve),
        }
    }
}

impl Redact for Automation {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            description,
            enabled: _,
            tags,
            trigger,
            actions,
            actions_on_trigger,
            actions_on_resolve,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(description);
        mask.over(tags);
        mask.over(trigger);
        mask.over(actions);
        mask.over(actions_on_trigger);
        mask.over(actions_on_resolve);
    }
}

const fn yes() -> bool {
    true
}

/// An automation to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AutomationCreate {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(deserialize_with = "tagged::read")]
    #[schema(value_type = Object)]
    trigger: Trigger,
    #[serde(deserialize_with = "tagged::read_all")]
    #[schema(value_type = Vec<Object>)]
    actions: Vec<Action>,
    #[serde(default, deserialize_with = "tagged::read_all")]
    #[schema(value_type = Vec<Object>)]
    actions_on_trigger: Vec<Action>,
    #[serde(default, deserialize_with = "tagged::read_all")]
    #[schema(value_type = Vec<Object>)]
    actions_on_resolve: Vec<Action>,
    /// The resource that it goes with.
    #[serde(default)]
    owner_resource: Option<String>,
}

impl From<AutomationCreate> for NewAutomation {
    fn from(create: AutomationCreate) -> Self {
        let AutomationCreate {
            name,
            description,
            enabled,
            tags,
            trigger,
            actions,
            actions_on_trigger,
            actions_on_resolve,
            owner_resource,
        } = create;
        Self {
            plan: Plan {
                name,
                description,
                enabled,
                tags,
                trigger,
                actions,
                actions_on_trigger,
                actions_on_resolve,
            },
            owner: owner_resource,
        }
    }
}

/// What an automation is to be like from now on; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AutomationUpdate {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(deserialize_with = "tagged::read")]
    #[schema(value_type = Object)]
    trigger: Trigger,
    #[serde(deserialize_with = "tagged::read_all")]
    #[schema(value_type = Vec<Object>)]
    actions: Vec<Action>,
    #[serde(default, deserialize_with = "tagged::read_some")]
    #[schema(value_type = Option<Vec<Object>>)]
    actions_on_trigger: Option<Vec<Action>>,
    #[serde(default, deserialize_with = "tagged::read_some")]
    #[schema(value_type = Option<Vec<Object>>)]
    actions_on_resolve: Option<Vec<Action>>,
}

impl From<AutomationUpdate> for PlanUpdate {
    fn from(update: AutomationUpdate) -> Self {
        let AutomationUpdate {
            name,
            description,
            enabled,
            tags,
            trigger,
            actions,
            actions_on_trigger,
            actions_on_resolve,
        } = update;
        Self {
            name,
            description,
            enabled,
            tags,
            trigger,
            actions,
            actions_on_trigger,
            actions_on_resolve,
        }
    }
}

/// Whether an automation is to look at events.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AutomationChanges {
    /// Whether it does; absent: it does.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A template.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Template(pub String);

/// About automations.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AutomationFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByText>,
    /// By when it was created.
    pub created: Option<ByTime>,
    /// By tags.
    pub tags: Option<ByAnyTags>,
    /// How these go together.
    pub operator: Operator,
}

impl AutomationFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            id,
            name,
            created,
            tags,
            operator,
        } = self;
        all(
            operator,
            [
                asked(&automation::ID, id),
                asked(&automation::NAME, name),
                asked(&automation::CREATED, created),
                asked(&automation::TAGS, tags),
            ],
        )
    }
}

/// Which automations.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AutomationQuery {
    /// About automations.
    pub automations: Option<AutomationFilter>,
    /// `NAME_ASC`, `NAME_DESC`, `CREATED_DESC` or `UPDATED_DESC`.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    pub offset: u64,
}

impl AutomationQuery {
    /// What is asked, in what order, and which part of it.
    pub fn parts(self) -> Result<(Filters, Sort, Page)> {
        let sort = sort(self.sort.as_deref(), NAMED_SORTS)?;
        let page = page(self.limit, self.offset)?;
        let filters = Filters {
            automations: { self.automations }
                .map(AutomationFilter::criteria)
                .transpose()?,
            ..Filters::default()
        };
        Ok((filters, sort, page))
    }
}
