//! The names of what is only known by id.

use std::collections::HashMap;

use uuid::Uuid;

use super::client::Client;
use super::failure::Result;
use super::{pages, select};
use crate::api::v3::wire::{Flow, FlowFilter, Query};
use crate::domain::filter::MAX_PAGE;

/// The names of flows, by id.
pub async fn flow_names(
    client: &Client,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, String>> {
    let mut names = HashMap::new();
    for ids in pages_of(ids) {
        let query = Query {
            flows: Some(FlowFilter {
                id: Some(select::any_of(ids)),
                ..FlowFilter::default()
            }),
            ..Query::default()
        };
        let flows: Vec<Flow> = pages::all(client, "/flows/filter", &query, MAX_PAGE).await?;
        names.extend(flows.into_iter().map(|flow| (flow.id, flow.name)));
    }
    Ok(names)
}

/// Ids without repetitions, as many at once as the daemon takes.
pub fn pages_of(ids: impl Iterator<Item = Uuid>) -> Vec<Vec<Uuid>> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let most = usize::try_from(MAX_PAGE).unwrap_or(usize::MAX);
    ids.chunks(most).map(<[Uuid]>::to_vec).collect()
}
