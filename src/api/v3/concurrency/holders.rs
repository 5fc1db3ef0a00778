//! Who holds the slots of a limit: an operation of our own.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::key;
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::app;
use crate::domain::access::Need;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/prefectd/concurrency_limits/{name}/holders",
            "Tells who holds slots of a concurrency limit, by its name or id",
        )
        .lists::<Held>()
        .needs(Need::Read, holders),
    ]
}

/// Who holds slots of a limit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// How many. By which lease is not told: whoever knows it may give them back.
    pub slots: i64,
    /// Since when.
    pub since: Instant,
    /// Until when, unless it is renewed; null: until they are given back.
    pub until: Option<Instant>,
    /// What holds them: `flow_run`, `task_run` or `deployment`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// The flow run that it is, or that it is a task run of.
    pub flow_run_id: Option<Uuid>,
}

impl From<app::Held> for Held {
    fn from(held: app::Held) -> Self {
        Self {
            slots: held.slots,
            since: held.since.into(),
            until: held.until.map(Into::into),
            kind: held.kind,
            id: held.id,
            name: held.name,
            flow_run_id: held.flow_run.map(|id| id.uuid()),
        }
    }
}

impl Redact for Held {
    fn redact(&mut self, _reader: &Reader<'_>) {
        // A name of a run is told to whoever may read runs.
        let Self {
            slots: _,
            since: _,
            until: _,
            kind: _,
            id: _,
            name: _,
            flow_run_id: _,
        } = self;
    }
}

async fn holders(State(ctx): State<Ctx>, who: Requester, Path(name): Path<String>) -> Answer {
    let found = ctx.app.holders_of_limit(key(name)).await?;
    ok(&who, found.into_iter().map(Held::from).collect::<Vec<_>>()).await
}
