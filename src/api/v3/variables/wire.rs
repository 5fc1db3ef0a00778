//! Variables.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::operators::{Operator, all, asked};
use crate::api::v3::wire::{ById, ByName, ByTags, Instant, or_default, page, sort};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, Page, Sort, variable};
use crate::domain::variable::{self as noun, NewVariable, VariableUpdate};

/// A variable.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Variable {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// Its value: any JSON value.
    pub value: Value,
    /// Its tags.
    pub tags: Vec<String>,
}

impl From<noun::Variable> for Variable {
    fn from(variable: noun::Variable) -> Self {
        let noun::Variable {
            id,
            created,
            updated,
            name,
            value,
            tags,
        } = variable;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            value,
            tags,
        }
    }
}

impl Redact for Variable {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            value,
            tags,
        } = self;
        let mask = reader.of_nobody();
        mask.over_member(name, value);
        mask.over(name);
        mask.over(tags);
    }
}

/// A variable to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct VariableCreate {
    name: String,
    // Has to be there, though it be null.
    #[serde(deserialize_with = "Value::deserialize")]
    value: Value,
    #[serde(default)]
    tags: Vec<String>,
}

impl From<VariableCreate> for NewVariable {
    fn from(VariableCreate { name, value, tags }: VariableCreate) -> Self {
        Self { name, value, tags }
    }
}

/// Changes to a variable; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct VariableChanges {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "there")]
    value: Option<Value>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// A value that is there, null included.
fn there<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(given).map(Some)
}

impl From<VariableChanges> for VariableUpdate {
    fn from(VariableChanges { name, value, tags }: VariableChanges) -> Self {
        Self { name, value, tags }
    }
}

/// About variables.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VariableFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
    /// How these go together.
    pub operator: Operator,
}

impl VariableFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            id,
            name,
            tags,
            operator,
        } = self;
        all(
            operator,
            [
                asked(&variable::ID, id),
                asked(&variable::NAME, name),
                asked(&variable::TAGS, tags),
            ],
        )
    }
}

/// Which variables.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VariableQuery {
    /// About variables.
    pub variables: Option<VariableFilter>,
    /// `NAME_ASC`, `NAME_DESC`, `CREATED_DESC` or `UPDATED_DESC`.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    pub offset: u64,
}

impl VariableQuery {
    /// What is asked, in what order, and which part of it.
    pub fn parts(self) -> Result<(Filters, Sort, Page)> {
        let sort = sort(self.sort.as_deref(), variable::SORTS)?;
        let page = page(self.limit, self.offset)?;
        let filters = Filters {
            variables: self.variables.map(VariableFilter::criteria).transpose()?,
            ..Filters::default()
        };
        Ok((filters, sort, page))
    }
}
