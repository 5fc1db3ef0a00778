//! How long a piece of work may occupy the writer.

use std::time::{Duration, Instant};

/// A length of time that has begun.
pub(super) struct Budget {
    began: Instant,
    time: Duration,
}

impl Budget {
    /// So long from now on.
    pub fn of(time: Duration) -> Self {
        Self {
            began: Instant::now(),
            time,
        }
    }

    /// How much of it has gone.
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether it is over.
    pub fn is_spent(&self) -> bool {
        self.took() >= self.time
    }
}
