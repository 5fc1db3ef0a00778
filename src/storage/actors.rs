//! How somebody who did something sits in a column.

use rusqlite::types::{ToSql, ToSqlOutput};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::column::Json;
use super::query::Columns;
use crate::domain::actor::{Actor, ActorKind};

/// Somebody in their column.
#[derive(Serialize, Deserialize)]
struct Somebody {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    display_value: String,
}

/// Somebody as their column takes them.
pub(super) struct Column<'a>(pub Option<&'a Actor>);

impl ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Some(actor) = self.0 else {
            return Ok(ToSqlOutput::from(rusqlite::types::Null));
        };
        let somebody = Somebody {
            kind: actor.kind.word().to_owned(),
            id: actor.id,
            display_value: actor.name.clone(),
        };
        let text = serde_json::to_string(&somebody)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(text.into())
    }
}

/// Reads the column of somebody. Of whom this version knows nothing is nobody.
pub(super) fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Actor>> {
    let stored = columns.next::<Option<Json<Somebody>>>()?;
    Ok(stored.and_then(|Json(somebody)| {
        Some(Actor {
            kind: ActorKind::from_word(&somebody.kind)?,
            id: somebody.id,
            name: somebody.display_value,
        })
    }))
}
