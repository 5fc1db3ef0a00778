//! Flows on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::read::{Cursor, Fields, Given, Need, list, string};
use super::time::Iso;
use crate::domain::flow::{Flow, NewFlow};
use crate::domain::ids::FlowId;

/// A flow.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Flow)]
pub struct FlowOut<'a> {
    id: uuid::Uuid,
    created: Iso,
    updated: Iso,
    name: &'a str,
    tags: &'a [String],
}

impl<'a> From<&'a Flow> for FlowOut<'a> {
    fn from(flow: &'a Flow) -> Self {
        let Flow {
            id,
            created,
            updated,
            name,
            tags,
        } = flow;
        Self {
            id: FlowId::uuid(*id),
            created: Iso(*created),
            updated: Iso(*updated),
            name,
            tags,
        }
    }
}

/// A flow to be registered.
pub fn new_flow(value: &Given<'_>, cursor: &mut Cursor) -> Option<NewFlow> {
    let mut fields = Fields::of_row(value, cursor);
    let name = fields.required("name", string);
    let tags = fields.default("tags", list(string), Vec::new);
    fields.finish();
    Some(NewFlow {
        name: name?,
        tags: tags?,
    })
}

/// A flow's new tags; absent: they stay.
pub fn flow_tags(value: &Given<'_>, cursor: &mut Cursor) -> Option<Option<Vec<String>>> {
    let mut fields = Fields::of_row(value, cursor);
    let tags = fields.field("tags", Need::Default, list(string)).optional();
    fields.finish();
    tags
}
