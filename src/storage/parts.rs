//! Parts of time of one length, such as hours, in which things are counted together.

/// Where they begin, in microseconds.
pub(super) trait Parts {
    /// The last one at or before.
    fn last_of(self, step: i64) -> i64;
    /// The next one at or after.
    fn next_of(self, step: i64) -> i64;
}

impl Parts for i64 {
    fn last_of(self, step: i64) -> i64 {
        self.saturating_sub(self.rem_euclid(step))
    }

    fn next_of(self, step: i64) -> i64 {
        self.saturating_add((step - self.rem_euclid(step)) % step)
    }
}
