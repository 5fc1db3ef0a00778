//! Routes of the concurrency limits of tags, as clients before 3.0 know them. Each is a limit
//! whose name begins with `tag:`, as on the 3.9 server.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::wire::{Brief, LimitPage};
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::{Body, Id};
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, created, ok};
use crate::api::{Ctx, Operation};
use crate::app::{LimitKey, LimitNow, Taken};
use crate::domain::access::Need;
use crate::domain::concurrency_limit::TAG;
use crate::domain::error::{Error, Kind};
use crate::domain::ids::LimitId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/concurrency_limits/",
            "Limits how many task runs of a tag go on at once",
        )
        .asks::<TagLimitCreate>()
        .makes::<TagLimit>()
        .needs(Need::Operate, create),
        Operation::get("/concurrency_limits/{id}", "Reads a tag's limit")
            .answers::<TagLimit>()
            .needs(Need::Read, read),
        Operation::get(
            "/concurrency_limits/tag/{tag}",
            "Reads a tag's limit by the tag",
        )
        .answers::<TagLimit>()
        .needs(Need::Read, read_by_tag),
        Operation::post("/concurrency_limits/filter", "Lists the limits of tags")
            .asks::<LimitPage>()
            .lists::<TagLimit>()
            .needs(Need::Read, filter),
        Operation::post(
            "/concurrency_limits/tag/{tag}/reset",
            "Takes back all slots of a tag",
        )
        .asks::<TagReset>()
        .needs(Need::Operate, reset),
        Operation::delete("/concurrency_limits/{id}", "Deletes a tag's limit")
            .needs(Need::Operate, delete),
        Operation::delete(
            "/concurrency_limits/tag/{tag}",
            "Deletes a tag's limit by the tag",
        )
        .needs(Need::Operate, delete_by_tag),
        Operation::post(
            "/concurrency_limits/increment",
            "Takes a slot of each tag for a task run",
        )
        .asks::<TagSlots>()
        .lists::<Brief>()
        .needs(Need::Take, increment),
        Operation::post(
            "/concurrency_limits/decrement",
            "Gives a task run's slots back",
        )
        .asks::<TagSlots>()
        .lists::<Brief>()
        .needs(Need::Take, decrement),
    ]
}

/// A tag's limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagLimit {
    id: Uuid,
    created: Instant,
    updated: Instant,
    tag: String,
    concurrency_limit: i64,
    active_slots: Vec<Uuid>,
}

impl From<LimitNow> for TagLimit {
    fn from(now: LimitNow) -> Self {
        let LimitNow {
            limit,
            taken: _,
            task_runs,
        } = now;
        let tag = limit.name.strip_prefix(TAG).unwrap_or(&limit.name);
        Self {
            id: limit.id.uuid(),
            created: limit.created.into(),
            updated: limit.updated.into(),
            tag: tag.to_owned(),
            concurrency_limit: limit.slots,
            active_slots: task_runs,
        }
    }
}

impl Redact for TagLimit {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            tag,
            concurrency_limit: _,
            active_slots: _,
        } = self;
        reader.of_nobody().over(tag);
    }
}

/// A tag to be limited.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TagLimitCreate {
    /// The tag.
    tag: String,
    /// So many of its task runs go on at once.
    concurrency_limit: i64,
}

/// Who holds the slots of a tag from here on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct TagReset {
    /// Task runs; none where it is not said.
    slot_override: Option<Vec<Uuid>>,
}

/// The slots of a task run.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TagSlots {
    /// Of which tags.
    names: Vec<String>,
    /// The task run.
    task_run_id: Uuid,
}

/// A limit of a tag; those that are on something else are not known here.
async fn of_tag(ctx: &Ctx, key: LimitKey) -> Result<LimitNow, Error> {
    let unknown = || Error::new(Kind::NotFound, "Concurrency limit not found");
    match ctx.app.limit(key).await {
        Ok(found) if found.limit.name.starts_with(TAG) => Ok(found),
        Ok(_) => Err(unknown()),
        Err(error) if error.kind() == Kind::NotFound => Err(unknown()),
        Err(error) => Err(error),
    }
}

fn of_id(Id(id): Id) -> LimitKey {
    LimitKey::Id(LimitId::from_uuid(id))
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<TagLimitCreate>,
) -> Answer {
    let TagLimitCreate {
        tag,
        concurrency_limit,
    } = create;
    let limit = ctx.app.limit_tag(tag, concurrency_limit).await?;
    created(&who, limit, TagLimit::from).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, id: Id) -> Answer {
    ok(&who, TagLimit::from(of_tag(&ctx, of_id(id)).await?)).await
}

pub async fn read_by_tag(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(tag): Path<String>,
) -> Answer {
    let limit = of_tag(&ctx, LimitKey::of_tag(&tag)).await?;
    ok(&who, TagLimit::from(limit)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(page): Body<LimitPage>) -> Answer {
    let found = ctx.app.limits(true, page.page()?).await?.into_iter();
    ok(&who, found.map(TagLimit::from).collect::<Vec<_>>()).await
}

pub async fn reset(
    State(ctx): State<Ctx>,
    Path(tag): Path<String>,
    Body(reset): Body<TagReset>,
) -> Answer {
    let key = LimitKey::of_tag(&tag);
    of_tag(&ctx, key.clone()).await?;
    let holders = reset.slot_override.unwrap_or_default();
    ctx.app.reset_limit(key, holders).await?;
    done()
}

pub async fn delete(State(ctx): State<Ctx>, id: Id) -> Answer {
    let key = of_id(id);
    of_tag(&ctx, key.clone()).await?;
    ctx.app.delete_limit(key).await?;
    done()
}

pub async fn delete_by_tag(State(ctx): State<Ctx>, Path(tag): Path<String>) -> Answer {
    let key = LimitKey::of_tag(&tag);
    of_tag(&ctx, key.clone()).await?;
    ctx.app.delete_limit(key).await?;
    done()
}

pub async fn increment(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(slots): Body<TagSlots>,
) -> Answer {
    let TagSlots { names, task_run_id } = slots;
    match ctx.app.take_tag_slots(names, task_run_id).await? {
        Taken::Granted(granted) => {
            let mut active = granted.limits;
            active.retain(|limit| limit.active);
            for limit in &mut active {
                let tag = limit.name.strip_prefix(TAG).unwrap_or(&limit.name);
                limit.name = tag.to_owned();
            }
            ok(&who, Brief::all(active)).await
        }
        full => locked(&full),
    }
}

/// No slot is free; these clients wait as long as they are told, every time.
fn locked(how: &Taken) -> Answer {
    let tag = |name: &str| name.strip_prefix(TAG).unwrap_or(name).to_owned();
    let detail = match how {
        Taken::Never(of) => format!(
            "The concurrency limit on tag \"{}\" is 0 and will deadlock if the task tries to run \
             again.",
            tag(of)
        ),
        Taken::Full { of, .. } => {
            format!("Concurrency limit for the {} tag has been reached", tag(of))
        }
        Taken::Granted(_) => String::new(),
    };
    let body = axum::Json(json!({ "detail": detail }));
    Ok(match how {
        Taken::Full { .. } => {
            (StatusCode::LOCKED, [(header::RETRY_AFTER, "10.0")], body).into_response()
        }
        _ => (StatusCode::LOCKED, body).into_response(),
    })
}

pub async fn decrement(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(slots): Body<TagSlots>,
) -> Answer {
    let TagSlots { names, task_run_id } = slots;
    let limits = ctx.app.release_tags(names, task_run_id).await?;
    ok(&who, Brief::all(limits)).await
}

/// 200 and nothing.
fn done() -> Answer {
    Ok(axum::Json(()).into_response())
}
