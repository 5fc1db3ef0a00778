//! Verbs of background tasks: a client hands them in, and others, who serve them, are told of each.
//!
//! A task waits as a row until its run leaves the state with which it was handed in, whoever tells
//! of that. Until then somebody may have been told of it:
//!
//! ```text
//!            told             acknowledged            its run goes on
//!  waiting ───────► told ─────────────────► heard ────────────────────► gone
//!     ▲              │                        │
//!     └── at once ───┴── after GRACE ─────────┘   its client's connection ends
//! ```
//!
//! That somebody is told is committed before the message leaves. A daemon that is killed between
//! that and the commit of the answer cannot know whether the task was begun; so the next one waits:
//! a client that comes again has what it acknowledged, and is told of the rest after [`GRACE`],
//! unless its task run was seen to go on; of a client that stays away, others are told after
//! [`ABSENCE`].

mod servers;

use std::time::Duration;

use uuid::Uuid;

use super::App;
use super::bell::Listener;
use super::request::comes_to_the_same;
use super::tx::{Effect, Tx};
use crate::domain::error::Result;
use crate::domain::ids::TaskRunId;
use crate::domain::state::State;
use crate::domain::task_run::TaskRun;
use crate::domain::time::Span;
use crate::storage::task_queue::{self, Holder};
use crate::storage::{Connection, rows};

pub(super) use servers::Servers;
pub use servers::TaskServer;

/// How long a task that was heard may take until its run goes on, once its client's connection has
/// ended.
const GRACE: Span = Span::from_micros(15_000_000);
/// How long a client that was told of tasks may stay away after a restart of the daemon.
const ABSENCE: Span = Span::from_micros(300_000_000);
/// How often one looks for tasks that wait for a time.
const LOOKING: Duration = Duration::from_secs(5);

/// Puts a task run into the queue if the state that it has just entered is one to wait in there.
pub(super) fn enqueue(tx: &mut Tx<'_>, run: &TaskRun, state: &State) -> Result<()> {
    if state.waits_in_background() {
        let is_again = state.name == "AwaitingRetry";
        task_queue::enqueue(tx.db, run, is_again, tx.now)?;
        tx.entail(Effect::WakeTaskServers);
    }
    Ok(())
}

impl App {
    /// Begins to serve tasks.
    ///
    /// # Errors
    /// Where the store does not work.
    pub async fn serve_tasks(&self, client: String, task_keys: Vec<String>) -> Result<TaskService> {
        // Before it looks, so that no task is missed.
        let bell = self.inner.shared.tasks.listen();
        let holder = Holder {
            id: Uuid::now_v7(),
            client,
        };
        let kept = holder.clone();
        self.write(move |tx| {
            task_queue::keep(tx.db, &kept, tx.now + GRACE)?;
            Ok(true)
        })
        .await?;
        self.inner
            .task_servers
            .note(&holder, &task_keys, self.now());
        Ok(TaskService {
            app: self.clone(),
            holder,
            task_keys,
            bell,
        })
    }

    /// Who serves tasks: any, or one of these.
    pub fn task_servers(&self, task_keys: &[String]) -> Vec<TaskServer> {
        self.inner.task_servers.of(task_keys)
    }

    /// Has what an earlier daemon told of wait for those whom it told.
    ///
    /// # Errors
    /// Where the store does not work.
    pub async fn resume_tasks(&self) -> Result<()> {
        self.write(|tx| {
            task_queue::orphan(tx.db, tx.now + ABSENCE)?;
            Ok(true)
        })
        .await
        .map(drop)
    }
}

/// One who serves tasks.
pub struct TaskService {
    app: App,
    holder: Holder,
    task_keys: Vec<String>,
    bell: Listener,
}

impl TaskService {
    /// The next task to be told of. Whoever gives this up ends the service.
    ///
    /// # Errors
    /// Where the store does not work.
    pub async fn next(&mut self) -> Result<TaskRun> {
        loop {
            let now = self.app.now();
            self.app
                .inner
                .task_servers
                .note(&self.holder, &self.task_keys, now);
            if self.is_something_waiting().await?
                && let Some(run) = self.take().await?
            {
                return Ok(run);
            }
            // What waits for a time rings no bell.
            let _ = tokio::time::timeout(LOOKING, self.bell.rung()).await;
        }
    }

    async fn is_something_waiting(&self) -> Result<bool> {
        let (task_keys, now) = (self.task_keys.clone(), self.app.now());
        let look = move |db: &Connection| {
            for task_key in &task_keys {
                if task_queue::waiting(db, task_key, now)?.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.app.read(look).await
    }

    /// Of some task that waits; others may have been faster.
    async fn take(&self) -> Result<Option<TaskRun>> {
        let (task_keys, holder) = (self.task_keys.clone(), self.holder.clone());
        let take = move |tx: &mut Tx<'_>| {
            for task_key in &task_keys {
                if let Some(id) = task_queue::waiting(tx.db, task_key, tx.now)? {
                    task_queue::take(tx.db, id, &holder)?;
                    return rows::by_id(tx.db, id).map(Taken);
                }
            }
            Ok(Taken(None))
        };
        self.app.write(take).await.map(|taken| taken.0)
    }

    /// Notes that the client has heard of a task.
    ///
    /// # Errors
    /// Where the store does not work.
    pub async fn acknowledge(&self, id: TaskRunId) -> Result<()> {
        let holder = self.holder.clone();
        let noted = self.app.write(move |tx| {
            task_queue::acknowledge(tx.db, id, &holder)?;
            Ok(true)
        });
        noted.await.map(drop)
    }

    /// Ends it, for its client is gone: others are told of what it was told and did not begin.
    pub async fn end(self) {
        let holder = self.holder.clone();
        let given_back = self.app.write(move |tx| {
            if task_queue::give_back(tx.db, &holder, tx.now, tx.now + GRACE)? > 0 {
                tx.entail(Effect::WakeTaskServers);
            }
            Ok(true)
        });
        if let Err(error) = given_back.await {
            tracing::warn!(%error, "tasks wait until the next start: they could not be given back");
        }
    }
}

impl Drop for TaskService {
    fn drop(&mut self) {
        self.app.inner.task_servers.forget(self.holder.id);
    }
}

/// A task that somebody is told of.
struct Taken(Option<TaskRun>);

comes_to_the_same!(Taken);

#[cfg(test)]
mod tests;
