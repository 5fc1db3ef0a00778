//! How the domain's values sit in columns: ids as 16 bytes, times as microseconds, nested
//! values as JSON text.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::result_size;
use crate::domain::ids::{
    ArtifactCollectionId, ArtifactId, AutomationId, BlockDocumentId, BlockSchemaId, BlockTypeId,
    DeploymentId, EventId, FlowId, FlowRunId, LeaseId, LimitId, LogId, RunInputId, SavedSearchId,
    ScheduleId, StateId, TaskRunId, VariableId, WorkPoolId, WorkQueueId, WorkerId,
};
use crate::domain::log::Stream;
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};

macro_rules! id_columns {
    ($($id:ty),* $(,)?) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_bytes().as_slice().into())
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes = value.as_blob()?;
                Uuid::from_slice(bytes)
                    .map(Self::from_uuid)
                    .map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}

id_columns!(
    FlowId,
    DeploymentId,
    FlowRunId,
    TaskRunId,
    StateId,
    LogId,
    SavedSearchId,
    ScheduleId,
    WorkPoolId,
    WorkQueueId,
    WorkerId,
    VariableId,
    RunInputId,
    LeaseId,
    LimitId,
    EventId,
    AutomationId,
    ArtifactId,
    ArtifactCollectionId,
    BlockTypeId,
    BlockSchemaId,
    BlockDocumentId,
);

macro_rules! micros_columns {
    ($($time:ty),*) => {$(
        impl ToSql for $time {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.micros().into())
            }
        }

        impl FromSql for $time {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self::from_micros)
            }
        }
    )*};
}

micros_columns!(Timestamp, Span);

impl ToSql for Stream {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.word()))
    }
}

impl FromSql for Stream {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Stream::from_word(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for StateType {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for StateType {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        StateType::from_word(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// A value kept as JSON text.
pub(super) struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<&T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        result_size::note_json(text);
        serde_json::from_str(text)
            .map(Json)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
