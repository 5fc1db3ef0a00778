//! One write: what it does, what it entails, and who hears of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::domain::error::{Error, Kind, Result};

/// A write of whatever kind, as the writer sees it.
pub(super) trait Write: Send {
    /// Does it, in the transaction under way, in which it is the first or not. When it fails, what it
    /// wrote is undone and nothing else is, unless SQLite has undone the whole transaction.
    fn run(&mut self, connection: &Connection, is_first: bool) -> Transaction;
    /// Why it failed, or why all is lost although it did not.
    fn failure(&self) -> Failure;
    /// Carries out what it entails if it was committed, and answers the caller.
    fn end(self: Box<Self>, committed: Result<(), &Failure>);
}

/// What became of the transaction in which a write was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    /// It goes on.
    Open,
    /// It ended with the write, which failed by itself and was alone in it.
    Undone,
    /// It has gone, with all that was in it.
    Lost,
}

/// A failure that concerns several callers.
pub(super) struct Failure {
    kind: Kind,
    message: String,
    context: Option<String>,
}

impl Failure {
    /// That one.
    pub fn of(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            context: error.context().map(str::to_owned),
        }
    }

    /// As each caller hears it.
    pub fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.context {
            Some(context) => error.while_doing(context),
            None => error,
        }
    }
}

/// A write with an answer of type `T`.
pub(super) struct Written<T, F, E> {
    work: Option<F>,
    then: E,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F, E> Written<T, F, E> {
    /// That does `work` and, once that is committed, `then`.
    pub fn new(work: F, then: E, reply: oneshot::Sender<Result<T>>) -> Self {
        Self {
            work: Some(work),
            then,
            result: None,
            reply,
        }
    }
}

impl<T, F, E> Write for Written<T, F, E>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T> + Send,
    E: FnOnce(&T) + Send,
{
    fn run(&mut self, connection: &Connection, is_first: bool) -> Transaction {
        let run = match is_first {
            true => in_transaction,
            false => in_savepoint,
        };
        let ran = self.work.take().map(|work| run(connection, work));
        let (result, transaction) = ran.unzip();
        self.result = result;
        transaction.unwrap_or(Transaction::Open)
    }

    fn failure(&self) -> Failure {
        match &self.result {
            Some(Err(error)) if is_everybodys(error.kind()) => Failure::of(error),
            _ => Failure::of(&Error::internal("the transaction was rolled back")),
        }
    }

    fn end(self: Box<Self>, committed: Result<(), &Failure>) {
        let result = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(failure)) => Err(failure.error()),
            (None, Ok(())) => Err(Error::internal("a write was not run")),
        };
        if let Ok(value) = &result {
            let then = self.then;
            if catch_unwind(AssertUnwindSafe(|| then(value))).is_err() {
                tracing::error!("what a write entails panicked");
            }
        }
        // A caller that has gone needs no answer.
        let _ = self.reply.send(result);
    }
}

/// Whether a failure of one write may be why all of its transaction is lost.
fn is_everybodys(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::StorageFull | Kind::StorageDamaged | Kind::Internal
    )
}

/// Runs the first of a transaction: it needs no savepoint, which would copy each page before it is
/// changed, since nothing else is undone with it.
fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> (Result<T>, Transaction) {
    let result = guarded(connection, work);
    if connection.is_autocommit() {
        return (lost(result), Transaction::Lost);
    }
    match &result {
        Ok(_) => (result, Transaction::Open),
        Err(_) => match perform(connection, "ROLLBACK") {
            Ok(()) => (result, Transaction::Undone),
            Err(error) => {
                tracing::error!(%error, "a transaction could not be rolled back");
                (result, Transaction::Lost)
            }
        },
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> (Result<T>, Transaction) {
    if let Err(error) = perform(connection, "SAVEPOINT work") {
        return (Err(error.into()), after(connection));
    }
    let result = guarded(connection, work);
    if connection.is_autocommit() {
        return (lost(result), Transaction::Lost);
    }
    let mut ended = Ok(());
    if result.is_err() {
        ended = perform(connection, "ROLLBACK TO work");
    }
    if let Err(error) = ended.and_then(|()| perform(connection, "RELEASE work")) {
        // What is in the transaction now is anybody's guess.
        let _ = connection.execute_batch("ROLLBACK");
        return (result.and(Err(error.into())), after(connection));
    }
    (result, Transaction::Open)
}

fn guarded<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(Error::internal("a write panicked")))
}

/// The whole transaction has gone, and what was written in it.
fn lost<T>(result: Result<T>) -> Result<T> {
    result.and(Err(Error::internal("the transaction was rolled back")))
}

/// A full disk or a failing one inside a statement ends the transaction, and with it what all the
/// others in it have written.
fn after(connection: &Connection) -> Transaction {
    match connection.is_autocommit() {
        true => Transaction::Lost,
        false => Transaction::Open,
    }
}

/// Runs a statement that is used all the time and answers no rows.
pub(super) fn perform(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
