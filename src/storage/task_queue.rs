//! Background tasks that wait to be begun.

use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::query;
use super::sql::{Statement, statement};
use crate::domain::error::Result;
use crate::domain::ids::TaskRunId;
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;

const ENQUEUE: &str = include_str!("../../sql/queries/task_queue/enqueue.sql");
const LEAVE: &str = include_str!("../../sql/queries/task_queue/leave.sql");
const TAKE: &str = include_str!("../../sql/queries/task_queue/take.sql");
const ACKNOWLEDGE: &str = include_str!("../../sql/queries/task_queue/acknowledge.sql");
const GIVE_BACK: &str = include_str!("../../sql/queries/task_queue/give_back.sql");
const ORPHAN: &str = include_str!("../../sql/queries/task_queue/orphan.sql");
const KEEP: &str = include_str!("../../sql/queries/task_queue/keep.sql");
const EXPECT: &str = include_str!("../../sql/queries/task_queue/expect.sql");
static WAITING: Statement = statement!("task_queue/waiting.sql");

/// Who is told of tasks, on which connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The connection's id.
    pub id: Uuid,
    /// What the client calls itself.
    pub client: String,
}

/// Puts a run in; `is_again`: before those that come for the first time.
pub fn enqueue(db: &Connection, run: &TaskRun, is_again: bool, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": run.id,
        ":task_key": run.spec.task_key,
        ":turn": i64::from(!is_again),
        ":now": now,
    };
    query::change(db, ENQUEUE, params)?;
    Ok(())
}

/// Takes a run out, if it is there.
pub fn leave(db: &Connection, id: TaskRunId) -> Result<()> {
    query::change(db, LEAVE, named_params! {":id": id})?;
    Ok(())
}

/// The run of that task whose turn it is.
pub fn waiting(db: &Connection, task_key: &str, now: Timestamp) -> Result<Option<TaskRunId>> {
    let params = named_params! {":task_key": task_key, ":now": now};
    query::one(db, &WAITING, params, |row| row.get(0))
}

/// Notes who is told of a run.
pub fn take(db: &Connection, id: TaskRunId, holder: &Holder) -> Result<()> {
    let params = named_params! {
        ":id": id,
        ":holder": holder.id.as_bytes(),
        ":client": holder.client,
    };
    query::change(db, TAKE, params)?;
    Ok(())
}

/// Notes that whoever was told has heard it.
pub fn acknowledge(db: &Connection, id: TaskRunId, holder: &Holder) -> Result<()> {
    let params = named_params! {":id": id, ":holder": holder.id.as_bytes()};
    query::change(db, ACKNOWLEDGE, params)?;
    Ok(())
}

/// Has the runs wait again of which a connection was told that has ended; those that were
/// acknowledged, until `later`. Answers of how many.
pub fn give_back(
    db: &Connection,
    holder: &Holder,
    now: Timestamp,
    later: Timestamp,
) -> Result<usize> {
    let params = named_params! {
        ":holder": holder.id.as_bytes(),
        ":now": now,
        ":later": later,
    };
    query::change(db, GIVE_BACK, params)
}

/// Has all runs wait until `later` that somebody was told of.
pub fn orphan(db: &Connection, later: Timestamp) -> Result<usize> {
    query::change(db, ORPHAN, named_params! {":later": later})
}

/// Lets a client keep what it had acknowledged on a connection that is no more, and has what it
/// did not acknowledge wait until `soon` at most.
pub fn keep(db: &Connection, holder: &Holder, soon: Timestamp) -> Result<()> {
    let params = named_params! {":holder": holder.id.as_bytes(), ":client": holder.client};
    query::change(db, KEEP, params)?;
    let params = named_params! {":client": holder.client, ":soon": soon};
    query::change(db, EXPECT, params)?;
    Ok(())
}
