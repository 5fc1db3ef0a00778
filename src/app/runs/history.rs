//! Verbs that look back.

use crate::app::App;
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::flow_run::FlowRun;
use crate::domain::history::{Buckets, Tally};
use crate::domain::task_run::TaskRun;
use crate::domain::time::Span;
use crate::storage::history;

impl App {
    /// Flow runs by when they were expected to start, and by state.
    pub async fn flow_run_history(&self, filters: Filters, buckets: Buckets) -> Result<Vec<Tally>> {
        let now = self.now();
        self.scan(move |db| history::of::<FlowRun>(db, &filters, buckets, now))
            .await
    }

    /// How late flow runs started, or are, on average; nothing where there are none.
    pub async fn average_lateness(&self, filters: Filters) -> Result<Option<Span>> {
        let now = self.now();
        self.scan(move |db| history::average_lateness(db, &filters, now))
            .await
    }

    /// Task runs by when they were expected to start, and by state.
    pub async fn task_run_history(&self, filters: Filters, buckets: Buckets) -> Result<Vec<Tally>> {
        let now = self.now();
        self.scan(move |db| history::of::<TaskRun>(db, &filters, buckets, now))
            .await
    }
}
