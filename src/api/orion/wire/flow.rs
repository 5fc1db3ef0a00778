//! Flows on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::read::{Fields, JsonValue, Presence, ReadContext, list, string};
use super::time::Iso;
use crate::api::redaction::{Reader, Redact};
use crate::domain::flow::{Flow, NewFlow};
use crate::domain::ids::FlowId;

/// A flow.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Flow)]
pub struct FlowOut<'a> {
    id: uuid::Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    tags: Cow<'a, [String]>,
}

impl<'a> From<&'a Flow> for FlowOut<'a> {
    fn from(flow: &'a Flow) -> Self {
        let Flow {
            id,
            created,
            updated,
            name,
            tags,
            labels: _,
        } = flow;
        Self {
            id: FlowId::uuid(*id),
            created: Iso(*created),
            updated: Iso(*updated),
            name: name.into(),
            tags: tags.into(),
        }
    }
}

impl Redact for FlowOut<'_> {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            tags,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(tags);
    }
}

/// A flow to be registered.
pub fn new_flow(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<NewFlow> {
    let mut fields = Fields::of_row(value, context);
    let name = fields.required("name", string);
    let tags = fields.default("tags", list(string), Vec::new);
    fields.finish();
    Some(NewFlow {
        tags: tags?,
        ..NewFlow::named(name?)
    })
}

/// A flow's new tags; absent: they stay.
pub fn flow_tags(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Option<Vec<String>>> {
    let mut fields = Fields::of_row(value, context);
    let tags = fields
        .field("tags", Presence::Default, list(string))
        .optional();
    fields.finish();
    tags
}
