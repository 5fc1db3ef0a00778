//! Verbs that take old things away, in slices short enough that no other write waits long.

use std::time::Duration;

use super::removal::task_run;
use crate::app::App;
use crate::app::budget::Budget;
use crate::app::request::comes_to_the_same;
use crate::app::tx::Effect;
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, LogId};
use crate::domain::retention::{RetentionLimit, may_go};
use crate::domain::time::Timestamp;
use crate::storage::{
    Connection, Job, artifacts, events, leases, removal, retention, rows, upkeep,
};

/// Rows of one kind that are deleted between two looks at the time.
const CHUNK: i64 = 16;

/// What a slice has done.
#[derive(Clone, Debug)]
pub struct Slice<T> {
    /// What is left of what it was given, in order.
    pub left: Vec<T>,
    /// How many it has finished.
    pub done: u64,
    /// How long the writer was occupied.
    pub took: Duration,
}

impl App {
    /// Before when a run must have ended to go; `None` when none may.
    pub async fn run_horizon(&self, keep: RetentionLimit) -> Result<Option<Timestamp>> {
        let beyond = match keep.at_most {
            Some(kept) => {
                self.read(move |db| retention::end_of_nth_run(db, kept))
                    .await?
            }
            None => None,
        };
        Ok(keep.horizon(self.now(), beyond))
    }

    /// Up to `limit` runs that may go.
    pub async fn runs_to_go(&self, horizon: Timestamp, limit: usize) -> Result<Vec<FlowRunId>> {
        self.read(move |db| retention::ended_runs(db, horizon, limit))
            .await
    }

    /// Deletes runs with all that belongs to them, sub-flows that have ended included, for
    /// about as long as `budget`. A large run takes several slices. One that was begun anew
    /// meanwhile stays.
    pub async fn delete_runs(
        &self,
        ids: Vec<FlowRunId>,
        horizon: Timestamp,
        budget: Duration,
    ) -> Result<Slice<FlowRunId>> {
        let now = self.now();
        self.slice(ids, budget, move |db, id, budget| {
            let end = retention::end_of_run(db, id)?;
            match end {
                Some((kind, ended)) if may_go(kind, ended, horizon) => {
                    take_apart(db, id, now, budget)
                }
                _ => Ok(true),
            }
        })
        .await
    }

    /// Below which id log lines may go; `None` when none may.
    pub async fn log_bound(&self, keep: RetentionLimit) -> Result<Option<LogId>> {
        let beyond = match keep.at_most {
            Some(kept) => self.read(move |db| retention::nth_log(db, kept)).await?,
            None => None,
        };
        let age = RetentionLimit {
            at_most: None,
            ..keep
        };
        let by_age = age.horizon(self.now(), None).map(retention::first_log_id);
        Ok(by_age.max(beyond))
    }

    /// Up to `limit` log lines that may go, from `after` on.
    pub async fn logs_to_go(&self, after: LogId, bound: LogId, limit: i64) -> Result<Vec<LogId>> {
        self.read(move |db| retention::old_logs(db, after, bound, limit))
            .await
    }

    /// Deletes log lines for about as long as `budget`.
    pub async fn delete_logs(&self, ids: Vec<LogId>, budget: Duration) -> Result<Slice<LogId>> {
        self.slice(ids, budget, |db, id, _| {
            retention::delete_log(db, id)?;
            Ok(true)
        })
        .await
    }

    /// The places of up to `limit` events that may go, those that arrived first first.
    pub async fn events_to_go(&self, keep: RetentionLimit, limit: i64) -> Result<Vec<i64>> {
        let Some(horizon) = keep.horizon(self.now(), None) else {
            return Ok(Vec::new());
        };
        let oldest = self.read(move |db| events::oldest(db, limit)).await?;
        let old = oldest
            .into_iter()
            .take_while(|(_, received)| *received < horizon);
        Ok(old.map(|(place, _)| place).collect())
    }

    /// Deletes events for about as long as `budget`.
    pub async fn delete_events(&self, places: Vec<i64>, budget: Duration) -> Result<Slice<i64>> {
        self.slice(places, budget, |db, place, _| {
            events::delete(db, place)?;
            Ok(true)
        })
        .await
    }

    /// Up to `limit` cache entries that can answer nothing, from `after` on.
    pub async fn stale_cache_entries(&self, after: i64, limit: i64) -> Result<Vec<i64>> {
        let now = self.now();
        // With no time by which it must be done: that depends on the table, and on no caller.
        self.read(move |db| retention::stale_entries(db, after, now, limit))
            .await
    }

    /// Deletes cache entries for about as long as `budget`.
    pub async fn delete_cache_entries(
        &self,
        ids: Vec<i64>,
        budget: Duration,
    ) -> Result<Slice<i64>> {
        self.slice(ids, budget, |db, id, _| {
            retention::delete_entry(db, id)?;
            Ok(true)
        })
        .await
    }

    /// Cuts up to `pages` free pages off the end of the file; answers how many there still
    /// are, and how long the writer was occupied.
    pub async fn shrink(&self, pages: u64) -> Result<(u64, Duration)> {
        self.write_as(Job::bulk(0), move |tx| {
            let budget = Budget::of(Duration::MAX);
            upkeep::give_back(tx.db, pages)?;
            Ok((upkeep::free_pages(tx.db)?, budget.took()))
        })
        .await
    }

    /// Works through `ids` in one transaction until the time is up. `work` answers whether
    /// it has finished with one.
    async fn slice<T, F>(&self, ids: Vec<T>, time: Duration, work: F) -> Result<Slice<T>>
    where
        T: Copy + Send + 'static,
        F: Fn(&Connection, T, &Budget) -> Result<bool> + Send + 'static,
    {
        self.write_as(Job::bulk(0), move |tx| {
            let budget = Budget::of(time);
            let mut done = 0;
            for id in &ids {
                if !work(tx.db, *id, &budget)? {
                    break;
                }
                done += 1;
                if budget.is_spent() {
                    break;
                }
            }
            tx.entail(Effect::WakeDeadlines);
            Ok(Slice {
                left: ids.get(done..).unwrap_or_default().to_vec(),
                done: done as u64,
                took: budget.took(),
            })
        })
        .await
    }
}

// What has gone is not found again.
comes_to_the_same!(Slice<T>, T);
comes_to_the_same!((u64, Duration));

/// Deletes what belongs to a run, the innermost first, and then the run. False when the time
/// was up before that; what is left is found again.
fn take_apart(db: &Connection, id: FlowRunId, now: Timestamp, budget: &Budget) -> Result<bool> {
    leases::end_of_holder(db, id.uuid(), now)?;
    while retention::delete_some_logs(db, id, CHUNK)? > 0 {
        if budget.is_spent() {
            return Ok(false);
        }
    }
    loop {
        let tasks = retention::some_task_runs(db, id, CHUNK)?;
        if tasks.is_empty() {
            break;
        }
        for task in tasks {
            for inner in retention::ended_sub_flows(db, task)? {
                if !take_apart(db, inner, now, budget)? {
                    return Ok(false);
                }
            }
            // A sub-flow that has not ended loses its parent and goes when its own time comes.
            if !task_run(db, task, now, budget)? || budget.is_spent() {
                return Ok(false);
            }
        }
    }
    loop {
        let left = artifacts::some_of_flow_run(db, id, CHUNK)?;
        if left.is_empty() {
            break;
        }
        for artifact in left {
            artifacts::delete(db, artifact)?;
        }
        if budget.is_spent() {
            return Ok(false);
        }
    }
    while removal::some_flow_run_states(db, id, CHUNK)? > 0 {
        if budget.is_spent() {
            return Ok(false);
        }
    }
    rows::delete(db, id)?;
    Ok(true)
}
