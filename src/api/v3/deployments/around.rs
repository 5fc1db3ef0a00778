//! The runs around deployments. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::Instant;
use crate::domain::deployment;

/// The runs around a deployment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Around {
    /// The deployment.
    pub deployment_id: Uuid,
    /// The run that is due next.
    pub next: Option<Brief>,
    /// The run that started last.
    pub last: Option<Brief>,
}

/// A run in brief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Brief {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its state's type.
    pub state_type: Option<String>,
    /// Its state's name.
    pub state_name: Option<String>,
    /// When it is due, or started.
    pub at: Option<Instant>,
}

impl From<deployment::Around> for Around {
    fn from(around: deployment::Around) -> Self {
        Self {
            deployment_id: around.deployment.uuid(),
            next: around.next.map(Brief::from),
            last: around.last.map(Brief::from),
        }
    }
}

impl From<deployment::Brief> for Brief {
    fn from(brief: deployment::Brief) -> Self {
        Self {
            id: brief.id.uuid(),
            name: brief.name,
            state_type: brief.kind.map(|kind| kind.word().to_owned()),
            state_name: brief.state_name,
            at: brief.at.map(Into::into),
        }
    }
}

impl Redact for Around {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            deployment_id: _,
            next,
            last,
        } = self;
        next.redact(reader);
        last.redact(reader);
    }
}

impl Redact for Brief {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            name,
            state_type: _,
            state_name,
            at: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(state_name);
    }
}
