//! What runs use of the machine.

use std::time::Duration;

/// What a run has used, or uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since its start.
    pub cpu: Duration,
    /// Bytes of memory that it holds now.
    pub memory: u64,
}
