//! Verbs on what is handed to runs.

use super::flow_runs::read;
use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::domain::filter::MAX_PAGE;
use crate::domain::ids::FlowRunId;
use crate::domain::run_input::{MOST_INPUTS, NewRunInput, RunInput};
use crate::domain::time::Timestamp;
use crate::storage::{Connection, Job, run_inputs};

impl App {
    /// Hands something to a run.
    ///
    /// Fails as a conflict where the run has an input of that key, and as invalid where the key
    /// is none, or any of it is too long.
    pub async fn create_run_input(&self, of: FlowRunId, new: NewRunInput) -> Result<()> {
        new.check()?;
        self.write_as(Job::prompt(new.value.len()), move |tx| {
            read(tx.db, of)?;
            match insert(tx.db, of, &new, tx.now)? {
                true => Ok(()),
                false => Err(Error::conflict(
                    "A flow run input with this key already exists.",
                )),
            }
        })
        .await
    }

    /// A run's input of that key.
    pub async fn run_input(&self, of: FlowRunId, key: String) -> Result<RunInput> {
        self.by_key(move |db| run_inputs::by_key(db, of, &key)?.ok_or_else(unknown))
            .await
    }

    /// Up to `limit` of a run's inputs, and a page at most, whose keys begin so, but for some.
    pub async fn run_inputs(
        &self,
        of: FlowRunId,
        prefix: String,
        except: Vec<String>,
        limit: u64,
    ) -> Result<Vec<RunInput>> {
        let limit = limit.min(MAX_PAGE);
        self.read(move |db| run_inputs::with_prefix(db, of, &prefix, &except, limit))
            .await
    }

    /// Removes a run's input of that key.
    pub async fn delete_run_input(&self, of: FlowRunId, key: String) -> Result<()> {
        self.write(move |tx| match run_inputs::delete(tx.db, of, &key)? {
            true => Ok(()),
            false => Err(unknown()),
        })
        .await
    }
}

/// Keeps an input; false where the run has one of that key.
pub(super) fn insert(
    db: &Connection,
    of: FlowRunId,
    new: &NewRunInput,
    now: Timestamp,
) -> Result<bool> {
    if run_inputs::count(db, of)? >= MOST_INPUTS {
        return Err(Error::conflict(format!(
            "A flow run holds at most {MOST_INPUTS} inputs."
        )));
    }
    run_inputs::insert(db, of, new, now)
}

fn unknown() -> Error {
    Error::not_found("Flow run input")
}
