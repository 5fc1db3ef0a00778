//! Verbs on log lines.

use super::App;
use crate::domain::error::Result;
use crate::domain::filter::{LogCriterion, LogSort, Page};
use crate::domain::ids::FlowRunId;
use crate::domain::log::{Log, NewLog, OUTPUT_LOGGER, OutputSeen};
use crate::storage::logs;

impl App {
    /// Appends lines in their order.
    pub async fn create_logs(&self, lines: Vec<NewLog>) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.write_once(move |db, now| logs::insert(db, &lines, now))
            .await
    }

    /// A page of lines.
    pub async fn logs(
        &self,
        criteria: Vec<LogCriterion>,
        sort: LogSort,
        page: Page,
    ) -> Result<Vec<Log>> {
        self.read(move |db| logs::page(db, &criteria, sort, page))
            .await
    }

    /// How many lines match.
    pub async fn count_logs(&self, criteria: Vec<LogCriterion>) -> Result<u64> {
        self.read(move |db| logs::count(db, &criteria)).await
    }

    /// How much of a run's own output is stored.
    pub async fn output_seen(&self, id: FlowRunId) -> Result<OutputSeen> {
        self.read(move |db| logs::seen_of(db, id, OUTPUT_LOGGER))
            .await
    }
}
