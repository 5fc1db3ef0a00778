//! What a filter means: flows and deployments by name, by id, or by a pattern of names.

use uuid::Uuid;

use super::client::Client;
use super::failure::{Failure, Result};
use super::find;
use super::names::flow_names;
use super::pages;
use super::pattern::{self, Pattern};
use super::select::any_of;
use crate::api::v3::wire::{ByName, Deployment, Flow, FlowFilter, Query};

/// The most that a pattern finds; a filter takes no more ids.
const MOST: u64 = 5000;

/// The question about the flows that are meant, where any are named. What names none is told.
pub async fn flows(client: &Client, wanted: &[String]) -> Result<Option<FlowFilter>> {
    let mut ids = Vec::new();
    for one in wanted {
        match as_pattern(one)? {
            None => ids.push(find::flow(client, one).await?.id),
            Some(pattern) => ids.extend(flows_like(client, one, &pattern).await?),
        }
    }
    Ok((!wanted.is_empty()).then(|| FlowFilter {
        id: Some(any_of(ids)),
        ..FlowFilter::default()
    }))
}

/// The ids of the deployments that are meant. What names none is told.
pub async fn deployments(client: &Client, wanted: &[String]) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for one in wanted {
        match as_pattern(one)? {
            None => ids.push(find::deployment(client, one).await?.0.id),
            Some(pattern) => ids.extend(deployments_like(client, one, &pattern).await?),
        }
    }
    Ok(ids)
}

/// The pattern that a text is, if it is one and not a name.
fn as_pattern(wanted: &str) -> Result<Option<Pattern>> {
    match wanted.contains(['*', '?']) {
        true => pattern::read(wanted).map(Some).map_err(Failure::usage),
        false => Ok(None),
    }
}

async fn flows_like(client: &Client, wanted: &str, pattern: &Pattern) -> Result<Vec<Uuid>> {
    let query = Query {
        flows: Some(FlowFilter {
            name: Some(ByName {
                like_: Some(pattern.like()),
                ..ByName::default()
            }),
            ..FlowFilter::default()
        }),
        ..Query::default()
    };
    let fits = |flow: &Flow| pattern.fits(&flow.name);
    let found = pages::fitting(client, "/flows/filter", &query, MOST + 1, fits).await?;
    let named = found.iter().map(|flow| (flow.name.as_str(), flow.id));
    meant(named, "flow", wanted)
}

async fn deployments_like(client: &Client, wanted: &str, pattern: &Pattern) -> Result<Vec<Uuid>> {
    let (path, query) = ("/deployments/filter", Query::default());
    let all: Vec<Deployment> = pages::all(client, path, &query, u64::MAX).await?;
    let flows = flow_names(client, all.iter().map(|it| it.flow_id)).await?;
    let named = all.iter().filter_map(|it| {
        let path = format!("{}/{}", flows.get(&it.flow_id)?, it.name);
        pattern.fits(&path).then_some((path, it.id))
    });
    let named: Vec<_> = named.collect();
    let named = named.iter().map(|(path, id)| (path.as_str(), *id));
    meant(named, "deployment", wanted)
}

/// Those that were found, of which there must be some and not too many. One whose name is just what
/// was written is meant alone.
fn meant<'n>(
    found: impl Iterator<Item = (&'n str, Uuid)> + Clone,
    what: &str,
    wanted: &str,
) -> Result<Vec<Uuid>> {
    if let Some((_, id)) = found.clone().find(|(name, _)| *name == wanted) {
        return Ok(vec![id]);
    }
    let ids: Vec<_> = found.map(|(_, id)| id).collect();
    if ids.is_empty() {
        return Err(Failure::new(format!(
            "there is no {what} like {wanted:?}; see `prefectctl {what} ls`"
        )));
    }
    if ids.len() as u64 > MOST {
        return Err(Failure::usage(format!(
            "more than {MOST} {what}s are like {wanted:?}; narrow it"
        )));
    }
    Ok(ids)
}
