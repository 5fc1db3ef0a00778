//! How a run's process is made, watched and stopped.
//!
//! [`spec`] turns a run into a description without any I/O; a [`Runner`] carries such a
//! description out. What a runner promises:
//!
//! - `create` makes something that carries the run's id and this daemon's, and starts nothing.
//! - `start` starts what was created.
//! - `wait` answers when it has ended, however long that takes and however often the engine
//!   goes away meanwhile. Silence is never taken for an end.
//! - `output` gives what it prints from a moment on, and ends when it has ended.
//! - `stop` asks it to end, and makes it end after the grace period. It may be called for
//!   something that has ended or is gone.
//! - `remove` may be called twice, or after a failed start, and touches only what it is given.
//! - `find` lists everything of this daemon's that the machine knows, whoever made it: a
//!   daemon that was killed finds its runs again by this.

pub mod docker;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod output;
pub mod peer_process;
pub mod placed;
pub mod python;
pub mod spec;
pub mod subprocess;
pub mod swarm;
pub mod usage;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::domain::ids::FlowRunId;
use crate::domain::log::{OutputSeen, Stream};
use crate::domain::time::Timestamp;

pub use spec::{Job, JobKind, RunnerSettings};

/// Why a runner could not do something: a sentence with the engine's own words.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum RunnerError {
    /// It cannot be done; asking again would not help.
    #[error("{0}")]
    Refused(String),
    /// The engine does not answer, which says nothing about what was asked.
    #[error("{0}")]
    Away(String),
    /// It cannot be done with what was made, and can with what is made from now on.
    #[error("{0}")]
    MakeAnew(String),
}

/// What a runner answers.
pub type RunnerFuture<'a, T> = BoxFuture<'a, Result<T, RunnerError>>;

/// Something that a runner made for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id with the runner.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 and the signal's number when a signal ended it. Absent when it
    /// is gone and nobody can tell any more.
    pub code: Option<i64>,
    /// Whether it ran out of memory.
    pub oom_killed: bool,
    /// What the engine says of a start that failed.
    pub error: Option<String>,
    /// The node that it was on, where that is lost: it may go on there.
    pub node_lost: Option<String>,
}

/// Where something that was found stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Created and never started.
    Created,
    /// Running.
    Running,
    /// Ended.
    Ended,
}

/// Something of ours that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run that it was made for.
    pub flow_run_id: FlowRunId,
    /// What it is.
    pub made: Made,
    /// Where it stands.
    pub status: Status,
    /// When it was made, where that is known.
    pub created: Option<Timestamp>,
    /// Whether nothing of it is to be kept once it has ended.
    pub removes_itself: bool,
}

/// A line that it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// When.
    pub timestamp: Timestamp,
    /// Where, if that is known.
    pub stream: Option<Stream>,
    /// The line, without its end.
    pub text: String,
}

/// Makes processes of one kind. See the module for what is promised.
pub trait Runner: Send + Sync {
    /// Makes what the job describes, without starting it. `progress` is told what takes
    /// long, for the run's log.
    fn create<'a>(&'a self, job: &'a Job, progress: &'a Progress) -> RunnerFuture<'a, Made>;
    /// Starts it.
    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> RunnerFuture<'a, ()>;
    /// Waits for its end.
    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit>;
    /// What it prints beyond what was seen of it.
    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine>;
    /// Ends it.
    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()>;
    /// Takes away what is left of it.
    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()>;
    /// Everything of ours that is on this machine.
    fn find(&self) -> RunnerFuture<'_, Vec<Found>>;
    /// Everything of ours that is on a cluster.
    fn find_on_cluster(&self) -> RunnerFuture<'_, Vec<Found>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }
    /// Whether the engine answers.
    fn check(&self) -> RunnerFuture<'_, ()>;
}

/// What takes long while something is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// For the run's log.
    Told(String),
    /// An image is being pulled from here on.
    Pulling(String),
    /// The image is there, or cannot be had.
    Pulled,
}

/// Where a runner tells what takes long.
pub type Progress = dyn Fn(Step) + Send + Sync;
