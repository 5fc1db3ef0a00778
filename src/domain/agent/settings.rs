//! How an agent works, as its operator says.

use std::time::Duration;

/// How an agent works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSettings {
    /// The most runs that it holds at once.
    pub slots: u64,
    /// The safety net: how long it sleeps at most.
    pub poll: Duration,
    /// How long a run that is asked to stop has before it is killed.
    pub stop_grace: Duration,
    /// How long any run may take.
    pub time_limit: Option<Duration>,
    /// How much of what a run prints is kept.
    pub output: OutputLimits,
    /// Which containers are kept after their end.
    pub keep: ContainerRetention,
}

/// The most that is kept of what a run prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Bytes in all.
    pub bytes: u64,
    /// Lines within one second; absent: all.
    pub lines_per_sec: Option<u64>,
}

/// Which containers are kept after their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerRetention {
    /// How long after they were made.
    pub at_most_for: Duration,
    /// How many, the newest.
    pub at_most: usize,
}
