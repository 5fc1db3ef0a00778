//! Routes that pages ask: numbers about many things at once.

mod flow_runs;
mod flows;
mod schemas;
mod task_runs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Operation;
use crate::api::redaction::{Reader, Redact};
use crate::domain::error::{Error, Result};

/// The most things that are asked about at once.
const MOST_IDS: usize = 200;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let all = [
        flow_runs::operations(),
        flows::operations(),
        schemas::operations(),
        task_runs::operations(),
    ];
    all.into_iter().flatten().collect()
}

/// A number of each, by its id.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
struct Counts(BTreeMap<Uuid, u64>);

impl Redact for Counts {
    fn redact(&mut self, _reader: &Reader<'_>) {
        let Self(_) = self;
    }
}

/// Which flows.
#[derive(Debug, Deserialize, ToSchema)]
struct OfFlows {
    /// Their ids, 200 at most.
    flow_ids: Vec<Uuid>,
}

/// Which flow runs.
#[derive(Debug, Deserialize, ToSchema)]
struct OfFlowRuns {
    /// Their ids, 200 at most.
    flow_run_ids: Vec<Uuid>,
}

fn bounded(ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    match ids.len() > MOST_IDS {
        true => Err(Error::invalid(format!("At most {MOST_IDS} ids."))),
        false => Ok(ids),
    }
}
