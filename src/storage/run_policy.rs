//! How a flow run's policy sits in its column.

use std::collections::BTreeSet;

use rusqlite::types::ToSql;
use serde::{Deserialize, Serialize};

use super::query::Columns;
use crate::domain::flow_run_policy::{FlowRunPolicy, RetryType};

/// A policy in its column; what is as by default is left out.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Policy {
    #[serde(skip_serializing_if = "is_zero")]
    max_retries: i64,
    #[serde(skip_serializing_if = "is_nothing")]
    retry_delay_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_delay: Option<i64>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pause_keys: BTreeSet<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resuming: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_type: Option<String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn is_nothing(number: &f64) -> bool {
    *number == 0.0
}

/// The policy as its column takes it.
pub(super) fn column(policy: &FlowRunPolicy) -> impl ToSql {
    let FlowRunPolicy {
        max_retries,
        retry_delay_seconds,
        retries,
        retry_delay,
        pause_keys,
        resuming,
        retry_type,
    } = policy.clone();
    Text(Policy {
        max_retries,
        retry_delay_seconds,
        retries,
        retry_delay,
        pause_keys,
        resuming,
        retry_type: retry_type.map(|kind| kind.word().to_owned()),
    })
}

/// Reads the column of a policy.
pub(super) fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<FlowRunPolicy> {
    let stored: Policy = columns.json()?;
    Ok(FlowRunPolicy {
        max_retries: stored.max_retries,
        retry_delay_seconds: stored.retry_delay_seconds,
        retries: stored.retries,
        retry_delay: stored.retry_delay,
        pause_keys: stored.pause_keys,
        resuming: stored.resuming,
        retry_type: stored.retry_type.as_deref().and_then(RetryType::from_word),
    })
}

/// A value of its own as JSON text.
struct Text<T>(T);

impl<T: Serialize> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(text.into())
    }
}
