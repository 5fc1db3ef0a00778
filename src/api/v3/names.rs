//! Routes that find things by the beginning of their id, and the runs around deployments.

use axum::extract::{Path, State};

use super::super::Ctx;
use super::error::Refusal;
use super::extract::Body;
use super::wire::{Around, Ids, Named};
use super::{Answer, ok};
use crate::domain::error::Error;
use crate::domain::filter::{MAX_PAGE, Noun};
use crate::domain::ids::DeploymentId;

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

pub async fn around(State(ctx): State<Ctx>, Body(Ids { ids }): Body<Ids>) -> Answer {
    check(ids.len())?;
    let ids = ids.into_iter().map(DeploymentId::from_uuid).collect();
    let around = ctx.app.runs_around(ids).await?.into_iter();
    ok(around.map(Around::from).collect::<Vec<_>>())
}

fn known(noun: &str) -> Result<Noun, Refusal> {
    Ok(Noun::from_word(noun)
        .ok_or_else(|| Error::invalid(format!("Nothing is called {noun:?} here.")))?)
}

fn check(count: usize) -> Result<(), Refusal> {
    match count as u64 > MAX_PAGE {
        true => Err(Error::invalid(format!("At most {MAX_PAGE} ids can be asked at once.")).into()),
        false => Ok(()),
    }
}
