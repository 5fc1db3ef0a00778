//! Ids and names of any noun. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};

/// Something that has an id and a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// Some ids.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ids {
    /// At most 200.
    pub ids: Vec<Uuid>,
}

impl Redact for Named {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self { id: _, name } = self;
        let mask = reader.of_nobody();
        mask.over(name);
    }
}
