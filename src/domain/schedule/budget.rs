//! How much work a question about a schedule may be.

/// The steps that one question may take. A step is about the look at one day or one date: some
/// ten nanoseconds, and never more than eight bytes kept.
const STEPS: u64 = 500_000;

/// What is left of the work that one question may be.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

/// A question would take more work than one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooCostly;

impl std::fmt::Display for TooCostly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "finding its dates takes more than {STEPS} steps")
    }
}

impl Budget {
    /// All that one question may take.
    pub fn whole() -> Self {
        Self { left: STEPS }
    }

    /// Takes so many steps off; refuses when they are not left.
    pub fn spend(&mut self, steps: u64) -> Result<(), TooCostly> {
        self.left = self.left.checked_sub(steps).ok_or(TooCostly)?;
        Ok(())
    }
}
