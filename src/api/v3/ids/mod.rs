//! Finds things by the beginning of their id.

pub mod wire;

use axum::extract::{Path, State};

use super::error::Refusal;
use super::extract::Body;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::filter::{MAX_PAGE, Noun};
use wire::{Ids, Named};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/prefectd/ids/{noun}/{beginning}",
            "Finds flows, deployments, flow_runs or task_runs by the beginning of their ids",
        )
        .lists::<Named>()
        .needs(Need::Inspect, beginning),
        Operation::post(
            "/prefectd/ids/{noun}/lengths",
            "Tells how many characters of each id tell it from all others",
        )
        .asks::<Ids>()
        .tells("any")
        .needs(Need::Inspect, lengths),
    ]
}

/// How many are named of those that begin alike.
const MOST: u64 = 20;

pub async fn beginning(
    State(ctx): State<Ctx>,
    who: Requester,
    Path((noun, beginning)): Path<(String, String)>,
) -> Answer {
    let found = ctx.app.ids_that_begin(known(&noun)?, &beginning, MOST);
    let found = found.await?.into_iter();
    let named = found.map(|(id, name)| Named { id, name });
    ok(&who, named.collect::<Vec<_>>()).await
}

pub async fn lengths(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(noun): Path<String>,
    Body(Ids { ids }): Body<Ids>,
) -> Answer {
    check(ids.len())?;
    ok(&who, ctx.app.telling_lengths(known(&noun)?, ids).await?).await
}

fn known(noun: &str) -> Result<Noun, Refusal> {
    Ok(Noun::from_word(noun)
        .ok_or_else(|| Error::invalid(format!("Nothing is called {noun:?} here.")))?)
}

pub fn check(count: usize) -> Result<(), Refusal> {
    match count as u64 > MAX_PAGE {
        true => Err(Error::invalid(format!("At most {MAX_PAGE} ids can be asked at once.")).into()),
        false => Ok(()),
    }
}
