//! What can be asked of events, in the words of the modern API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v3::wire::Instant;
use crate::domain::error::{Error, Result};
use crate::domain::event::filter::{Filter, Label, Names, OfRelated, OfResource, Pattern};
use crate::domain::filter::TextQuery;
use crate::domain::ids::EventId;
use crate::domain::time::{Span, Timestamp};

/// How far back is looked where nobody says it, as in the reference.
const LOOK_BACK: Span = Span::from_micros(180 * DAY);
const DAY: i64 = 86_400 * 1_000_000;

/// The body of `/events/filter`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventQuery {
    /// About events.
    pub filter: Option<EventFilter>,
    /// At most so many on a page, up to 50.
    pub limit: Option<u64>,
}

impl EventQuery {
    /// The most events on a page.
    pub const MOST: u64 = 50;

    /// How many there are to be on a page.
    pub(super) fn limit(&self) -> Result<u64> {
        let limit = self.limit.unwrap_or(Self::MOST);
        if limit > Self::MOST {
            return Err(Error::invalid(format!(
                "limit must be at most {}.",
                Self::MOST
            )));
        }
        Ok(limit)
    }
}

/// About events. What is null asks nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventFilter {
    /// By when they happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred: Option<ByOccurred>,
    /// By their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<ByEventName>,
    /// By the resources that they are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ByResource>,
    /// By related resources: one, or several of which each must be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ByRelated>>)]
    related: Option<OneOrMany<ByRelated>>,
    /// By any of their resources: one, or several of which each must be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ByAnyResource>>)]
    any_resource: Option<OneOrMany<ByAnyResource>>,
    /// By their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ByEventId>,
    /// By what is said in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<ByWords>,
    /// By when they happened: `ASC`, or `DESC`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Order>,
}

/// By when they happened, both ends included.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByOccurred {
    /// Then or later; absent: 180 days ago.
    since: Option<Instant>,
    /// Then or earlier; absent: now.
    until: Option<Instant>,
}

/// By name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByEventName {
    prefix: Option<Vec<String>>,
    exclude_prefix: Option<Vec<String>>,
    name: Option<Vec<String>>,
    exclude_name: Option<Vec<String>>,
}

/// By the resource that they are about.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByResource {
    id: Option<Vec<String>>,
    id_prefix: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    labels: Option<Labels>,
    /// Only one event of each resource.
    distinct: bool,
}

/// By any of their resources.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByAnyResource {
    id: Option<Vec<String>>,
    id_prefix: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    labels: Option<Labels>,
}

/// By a related resource.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByRelated {
    id: Option<Vec<String>>,
    role: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<Vec<String>>>)]
    resources_in_roles: Option<Vec<(String, String)>>,
    #[schema(value_type = Option<Object>)]
    labels: Option<Labels>,
}

/// By id.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ByEventId {
    id: Option<Vec<Uuid>>,
}

/// By words: `some words -without +with "a phrase"`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ByWords {
    query: String,
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum Order {
    /// The earliest first.
    #[serde(rename = "ASC")]
    Ascending,
    /// The latest first.
    #[serde(rename = "DESC")]
    Descending,
}

type Labels = BTreeMap<String, OneOrMany<String>>;

/// One, or a list of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(all) => all,
        }
    }
}

impl EventFilter {
    /// Says when the span of time ends, and begins, where that depends on when it is asked.
    pub(super) fn fix(&mut self, now: Timestamp) {
        let occurred = self.occurred.get_or_insert_default();
        occurred.until.get_or_insert_with(|| now.into());
        occurred.since.get_or_insert_with(|| long_ago(now).into());
    }

    /// What is asked at `now`.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) where that is too much.
    pub fn asked(self, now: Timestamp) -> Result<Filter> {
        let occurred = self.occurred.unwrap_or_default();
        let (since, until) = (occurred.since, occurred.until);
        let resource = self.resource.unwrap_or_default();
        let any_resource = self.any_resource.map(OneOrMany::all).unwrap_or_default();
        let related = self.related.map(OneOrMany::all).unwrap_or_default();
        let ids = self.id.and_then(|by| by.id).unwrap_or_default();
        let asked = Filter {
            since: since.map_or_else(|| long_ago(now), Into::into),
            until: until.map_or(now, Into::into),
            name: self.event.map(Names::from).unwrap_or_default(),
            distinct: resource.distinct,
            resource: OfResource::from(resource),
            related: related.into_iter().map(OfRelated::from).collect(),
            any_resource: any_resource.into_iter().map(OfResource::from).collect(),
            ids: ids.into_iter().map(EventId::from_uuid).collect(),
            text: self.text.map(words).transpose()?.unwrap_or_default(),
            newest_first: self.order != Some(Order::Ascending),
        };
        asked.check()?;
        Ok(asked)
    }
}

/// The beginning of the day 180 days ago.
fn long_ago(now: Timestamp) -> Timestamp {
    let midnight = now - Span::from_micros(now.micros().rem_euclid(DAY));
    midnight - LOOK_BACK
}

fn words(by: ByWords) -> Result<TextQuery> {
    if by.query.chars().count() > TextQuery::MOST {
        let words = format!(
            "text.query must have at most {} characters.",
            TextQuery::MOST
        );
        return Err(Error::invalid(words));
    }
    Ok(TextQuery::read(&by.query))
}

fn labels(labels: Option<Labels>) -> Vec<Label> {
    let each = labels.into_iter().flatten().map(|(name, patterns)| Label {
        name,
        patterns: patterns
            .all()
            .iter()
            .map(|text| Pattern::of(text))
            .collect(),
    });
    each.collect()
}

impl From<ByEventName> for Names {
    fn from(by: ByEventName) -> Self {
        Self {
            prefixes: by.prefix.unwrap_or_default(),
            not_prefixes: by.exclude_prefix.unwrap_or_default(),
            names: by.name.unwrap_or_default(),
            not_names: by.exclude_name.unwrap_or_default(),
        }
    }
}

impl From<ByResource> for OfResource {
    fn from(by: ByResource) -> Self {
        Self {
            ids: by.id.unwrap_or_default(),
            id_prefixes: by.id_prefix.unwrap_or_default(),
            labels: labels(by.labels),
        }
    }
}

impl From<ByAnyResource> for OfResource {
    fn from(by: ByAnyResource) -> Self {
        Self {
            ids: by.id.unwrap_or_default(),
            id_prefixes: by.id_prefix.unwrap_or_default(),
            labels: labels(by.labels),
        }
    }
}

impl From<ByRelated> for OfRelated {
    fn from(by: ByRelated) -> Self {
        Self {
            ids: by.id.unwrap_or_default(),
            roles: by.role.unwrap_or_default(),
            in_roles: by.resources_in_roles.unwrap_or_default(),
            labels: labels(by.labels),
        }
    }
}
