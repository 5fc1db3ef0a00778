//! Finds things by the beginning of their id.

pub mod wire;

use axum::extract::{Path, State};

use super::error::Refusal;
use super::extract::Body;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::domain::error::Error;
use crate::domain::filter::{MAX_PAGE, Noun};
use axum::routing::{get, post};
use wire::{Ids, Named};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "GET /prefectd/ids/{noun}/{beginning}",
            "Finds flows, deployments, flow_runs or task_runs by the beginning of their ids",
            Talk::many::<Named>().needs(Need::Inspect),
            get(beginning),
        )
        .add(
            "POST /prefectd/ids/{noun}/lengths",
            "Tells how many characters of each id tell it from all others",
            Talk::plain("any").asks::<Ids>().needs(Need::Inspect),
            post(lengths),
        )
}

/// How many are named of those that begin alike.
const MOST: u64 = 20;

pub async fn beginning(
    State(ctx): State<Ctx>,
    Path((noun, beginning)): Path<(String, String)>,
) -> Answer {
    let found = ctx.app.ids_that_begin(known(&noun)?, &beginning, MOST);
    let found = found.await?.into_iter();
    let named = found.map(|(id, name)| Named { id, name });
    ok(named.collect::<Vec<_>>())
}

pub async fn lengths(
    State(ctx): State<Ctx>,
    Path(noun): Path<String>,
    Body(Ids { ids }): Body<Ids>,
) -> Answer {
    check(ids.len())?;
    ok(ctx.app.telling_lengths(known(&noun)?, ids).await?)
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
