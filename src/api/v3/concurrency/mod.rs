//! Routes of concurrency limits by name.

pub mod holders;
pub mod slots;
pub mod tags;
pub mod wire;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use uuid::Uuid;

use super::extract::{Body, Id};
use super::{Answer, made, no_content, ok};
use crate::api::access::Requester;
use crate::api::{Ctx, Operation};
use crate::app::{LimitKey, Taken};
use crate::domain::access::Need;
use crate::domain::ids::{LeaseId, LimitId};
use slots::{LeaseTime, Release, SlotsBack, SlotsWanted};
use wire::{Brief, GlobalLimit, Leased, LimitChanges, LimitCreate, LimitPage, LimitV2};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let own = vec![
        Operation::post("/v2/concurrency_limits/", "Creates a concurrency limit")
            .asks::<LimitCreate>()
            .makes::<LimitV2>()
            .needs(Need::Operate, create),
        Operation::get(
            "/v2/concurrency_limits/{name}",
            "Reads a concurrency limit, by its name or id",
        )
        .answers::<GlobalLimit>()
        .needs(Need::Read, read),
        Operation::post("/v2/concurrency_limits/filter", "Lists concurrency limits")
            .asks::<LimitPage>()
            .lists::<GlobalLimit>()
            .needs(Need::Read, filter),
        Operation::patch(
            "/v2/concurrency_limits/{name}",
            "Changes a concurrency limit, by its name or id",
        )
        .asks::<LimitChanges>()
        .is_silent()
        .needs(Need::Operate, update),
        Operation::delete(
            "/v2/concurrency_limits/{name}",
            "Deletes a concurrency limit, by its name or id",
        )
        .is_silent()
        .needs(Need::Operate, delete),
        Operation::post(
            "/v2/concurrency_limits/increment",
            "Takes slots of concurrency limits",
        )
        .asks::<SlotsWanted>()
        .lists::<Brief>()
        .needs(Need::Take, increment),
        Operation::post(
            "/v2/concurrency_limits/increment-with-lease",
            "Takes slots of concurrency limits for as long as they are held on to",
        )
        .asks::<SlotsWanted>()
        .answers::<Leased>()
        .needs(Need::Take, increment_with_lease),
        Operation::post(
            "/v2/concurrency_limits/decrement",
            "Gives slots of concurrency limits back",
        )
        .asks::<SlotsBack>()
        .lists::<Brief>()
        .needs(Need::Take, decrement),
        Operation::post(
            "/v2/concurrency_limits/decrement-with-lease",
            "Gives the slots of a lease back",
        )
        .asks::<Release>()
        .is_silent()
        .needs(Need::Take, decrement_with_lease),
        Operation::post(
            "/v2/concurrency_limits/leases/{id}/renew",
            "Holds on to the slots of a lease",
        )
        .asks::<LeaseTime>()
        .is_silent()
        .is_routine()
        .needs(Need::Take, renew),
    ];
    [own, tags::operations(), holders::operations()]
        .into_iter()
        .flatten()
        .collect()
}

/// What the path names: an id where it can be one.
fn key(name: String) -> LimitKey {
    match Uuid::parse_str(&name) {
        Ok(id) => LimitKey::Id(LimitId::from_uuid(id)),
        Err(_) => LimitKey::Name(name),
    }
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<LimitCreate>,
) -> Answer {
    let limit = ctx.app.create_limit(create.into()).await?;
    made(&who, LimitV2::from(limit)).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Path(name): Path<String>) -> Answer {
    ok(&who, GlobalLimit::from(ctx.app.limit(key(name)).await?)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(page): Body<LimitPage>) -> Answer {
    let found = ctx.app.limits(false, page.page()?).await?.into_iter();
    ok(&who, found.map(GlobalLimit::from).collect::<Vec<_>>()).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
    Body(changes): Body<LimitChanges>,
) -> Answer {
    ctx.app.update_limit(key(name), changes.into()).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Path(name): Path<String>) -> Answer {
    ctx.app.delete_limit(key(name)).await?;
    no_content()
}

pub async fn increment(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(wanted): Body<SlotsWanted>,
) -> Answer {
    match ctx.app.take_slots(wanted.asked()?, None).await? {
        Taken::Granted(granted) => ok(&who, Brief::all(granted.limits)).await,
        full => locked(&full, "Locked"),
    }
}

pub async fn increment_with_lease(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(wanted): Body<SlotsWanted>,
) -> Answer {
    let lease = wanted.lease()?;
    match ctx.app.take_slots(wanted.asked()?, Some(lease)).await? {
        Taken::Granted(granted) => ok(&who, Leased::from(granted)).await,
        full => locked(&full, "Locked"),
    }
}

/// No slot is free.
fn locked(how: &Taken, detail: &str) -> Answer {
    let body = axum::Json(json!({ "detail": detail }));
    Ok(match how {
        Taken::Full { retry_after, .. } => {
            let later = [(header::RETRY_AFTER, format!("{retry_after:.3}"))];
            (StatusCode::LOCKED, later, body).into_response()
        }
        _ => (StatusCode::LOCKED, body).into_response(),
    })
}

pub async fn decrement(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(back): Body<SlotsBack>,
) -> Answer {
    let (asked, occupied) = back.parts()?;
    let limits = ctx.app.give_slots_back(asked, occupied).await?;
    ok(&who, Brief::all(limits)).await
}

pub async fn decrement_with_lease(State(ctx): State<Ctx>, Body(release): Body<Release>) -> Answer {
    let id = LeaseId::from_uuid(release.lease_id);
    ctx.app.release_lease(id).await?;
    no_content()
}

pub async fn renew(State(ctx): State<Ctx>, Id(id): Id, Body(time): Body<LeaseTime>) -> Answer {
    let id = LeaseId::from_uuid(id);
    if ctx.app.renew_lease(id, time.span()?).await? {
        return no_content();
    }
    let gone = json!({ "detail": "Lease not found - it may have expired or been revoked" });
    Ok((StatusCode::GONE, axum::Json(gone)).into_response())
}
