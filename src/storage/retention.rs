//! Finds what is old, and takes it away piece by piece.

use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::query;
use super::sql::{Statement, statement};
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, LogId, TaskRunId};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

static ENDED_RUNS: Statement = statement!("retention/ended_runs.sql");
static NEVER_RAN: Statement = statement!("retention/never_ran.sql");
static END_OF_NTH: Statement = statement!("retention/end_of_nth_run.sql");
const END_OF_RUN: &str = include_str!("../../sql/queries/retention/end_of_run.sql");
const SOME_TASK_RUNS: &str = include_str!("../../sql/queries/retention/some_task_runs.sql");
static ENDED_SUB_FLOWS: Statement = statement!("retention/ended_sub_flows.sql");
const DELETE_SOME_LOGS: &str =
    include_str!("../../sql/queries/retention/delete_some_logs_of_run.sql");
const DELETE_SOME_LOGS_OF_TASK: &str =
    include_str!("../../sql/queries/retention/delete_some_logs_of_task_run.sql");
static OLD_LOGS: Statement = statement!("retention/old_logs.sql");
const NTH_LOG: &str = include_str!("../../sql/queries/retention/nth_log.sql");
const DELETE_LOG: &str = include_str!("../../sql/queries/retention/delete_log.sql");
const STALE_ENTRIES: &str = include_str!("../../sql/queries/retention/stale_cache_entries.sql");
const DELETE_ENTRY: &str = include_str!("../../sql/queries/retention/delete_cache_entry.sql");

/// Runs that ended before `horizon` and are nobody's sub-flow, those that ended first first.
pub fn ended_runs(db: &Connection, horizon: Timestamp, limit: usize) -> Result<Vec<FlowRunId>> {
    let mut found = Vec::new();
    for sql in [&*ENDED_RUNS, &*NEVER_RAN] {
        let left = (limit - found.len()) as i64;
        let params = named_params! {":horizon": horizon, ":limit": left};
        found.extend(query::all(db, sql, params, |row| {
            row.get::<_, FlowRunId>(0)
        })?);
    }
    Ok(found)
}

/// When the newest run ended that is not among the `kept` newest ones, sub-flows left out.
pub fn end_of_nth_run(db: &Connection, kept: u64) -> Result<Option<Timestamp>> {
    query::one(
        db,
        &END_OF_NTH,
        named_params! {":kept": bounded(kept)},
        |row| row.get(0),
    )
}

/// The type of a run's state, and when it ended or last changed.
pub fn end_of_run(
    db: &Connection,
    id: FlowRunId,
) -> Result<Option<(Option<StateType>, Timestamp)>> {
    query::one(db, END_OF_RUN, named_params! {":id": id}, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Up to `limit` task runs of a flow run.
pub fn some_task_runs(db: &Connection, id: FlowRunId, limit: i64) -> Result<Vec<TaskRunId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, SOME_TASK_RUNS, params, |row| row.get(0))
}

/// The runs of sub-flows that a task run stands for and that have ended.
pub fn ended_sub_flows(db: &Connection, id: TaskRunId) -> Result<Vec<FlowRunId>> {
    query::all(db, &ENDED_SUB_FLOWS, named_params! {":id": id}, |row| {
        row.get(0)
    })
}

/// Removes up to `limit` log lines of a run and answers how many there were.
pub fn delete_some_logs(db: &Connection, id: FlowRunId, limit: i64) -> Result<usize> {
    query::change(
        db,
        DELETE_SOME_LOGS,
        named_params! {":id": id, ":limit": limit},
    )
}

/// The same of a task run.
pub fn delete_some_logs_of_task(db: &Connection, id: TaskRunId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, DELETE_SOME_LOGS_OF_TASK, params)
}

/// Log lines between two ids whose runs have ended or are gone, oldest first.
pub fn old_logs(db: &Connection, after: LogId, bound: LogId, limit: i64) -> Result<Vec<LogId>> {
    let params = named_params! {":after": after, ":bound": bound, ":limit": limit};
    query::all(db, &OLD_LOGS, params, |row| row.get(0))
}

/// The newest line that is not among the `kept` newest ones.
pub fn nth_log(db: &Connection, kept: u64) -> Result<Option<LogId>> {
    query::one(db, NTH_LOG, named_params! {":kept": bounded(kept)}, |row| {
        row.get(0)
    })
}

/// Removes a log line.
pub fn delete_log(db: &Connection, id: LogId) -> Result<usize> {
    query::change(db, DELETE_LOG, named_params! {":id": id})
}

/// Cache entries with ids above `after` that can answer nothing at `now`.
pub fn stale_entries(db: &Connection, after: i64, now: Timestamp, limit: i64) -> Result<Vec<i64>> {
    let params = named_params! {":after": after, ":now": now, ":limit": limit};
    query::all(db, STALE_ENTRIES, params, |row| row.get(0))
}

/// Removes a cache entry.
pub fn delete_entry(db: &Connection, id: i64) -> Result<usize> {
    query::change(db, DELETE_ENTRY, named_params! {":id": id})
}

/// The smallest id that a log line stored at `at` can have: ids begin with the time.
pub fn first_log_id(at: Timestamp) -> LogId {
    let millis = u128::from((at.micros() / 1000).max(0).unsigned_abs());
    LogId::from_uuid(Uuid::from_u128(millis << 80))
}

fn bounded(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{connection, migrate};

    #[test]
    fn what_is_old_is_found_by_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
        migrate::run(&mut db).unwrap();
        for (sql, index) in [
            (ENDED_RUNS.as_str(), "flow_runs_by_end"),
            (&NEVER_RAN, "flow_runs_never_ran"),
            (&END_OF_NTH, "flow_runs_by_end"),
            (END_OF_RUN, "PRIMARY KEY"),
            (SOME_TASK_RUNS, "flow_run_id=?"),
            (&ENDED_SUB_FLOWS, "flow_runs_by_parent"),
            (DELETE_SOME_LOGS, "logs_by_flow_run"),
            (DELETE_SOME_LOGS_OF_TASK, "logs_by_task_run"),
            (&OLD_LOGS, "PRIMARY KEY (id>? AND id<?)"),
            (STALE_ENTRIES, "task_run_state_cache_by_key"),
        ] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
            let steps: Vec<_> = steps.map(|step| step.unwrap()).collect();
            assert!(
                steps.iter().any(|step| step.contains(index)),
                "{sql}: {steps:?}"
            );
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(!sorts, "{sql}: {steps:?}");
        }
    }

    #[test]
    fn an_id_made_now_is_not_below_the_first_one_of_now() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = Timestamp::from_micros(now.as_micros() as i64);
        let hour = crate::domain::time::Span::from_micros(3_600_000_000);
        assert!(LogId::new() >= first_log_id(now));
        assert!(LogId::new() < first_log_id(now + hour));
    }
}
