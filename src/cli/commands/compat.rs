//! What Prefect clients sent in vain.

use super::Ctl;
use crate::api::v3::wire::IgnoredField;
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// Lists the fields that were ignored.
pub async fn compat(ctl: &Ctl) -> Result<()> {
    let fields: Vec<IgnoredField> = ctl.client.get("/prefectd/compat").await?;
    render::print(ctl.output, &fields, |fields| match fields.as_slice() {
        [] => "Every field that a Prefect client has sent is known.".to_owned(),
        fields => table(fields),
    })
}

fn table(fields: &[IgnoredField]) -> String {
    let rows = fields.iter().map(|it| {
        [
            it.client.clone(),
            it.operation.clone(),
            it.field.clone(),
            it.count.to_string(),
            render::instant(it.last),
        ]
    });
    let head = [
        keep("client"),
        spare("operation", 2),
        keep("field"),
        keep("count"),
        spare("last", 1),
    ];
    render::table(head, rows)
}
