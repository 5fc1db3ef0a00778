//! How a flow run retries, and what is known of its pauses.

use std::collections::BTreeSet;

/// The settings of a flow run that its rules look at and change. Delays are whole seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowRunPolicy {
    /// An older name of `retries`, kept as it was said.
    pub max_retries: i64,
    /// An older name of `retry_delay`, kept as it was said.
    pub retry_delay_seconds: f64,
    /// How many times a failed attempt is followed by another; absent: never.
    pub retries: Option<i64>,
    /// How long to wait before it.
    pub retry_delay: Option<i64>,
    /// The pauses that this attempt has come through.
    pub pause_keys: BTreeSet<String>,
    /// Whether the run left a pause and has not gone on yet.
    pub resuming: bool,
    /// How the attempt that comes next is made.
    pub retry_type: Option<RetryType>,
}

/// How an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryType {
    /// By the process of the one before.
    InProcess,
    /// By a new process.
    Reschedule,
}

impl RetryType {
    /// The word by which rows and the modern API know it.
    pub const fn word(self) -> &'static str {
        match self {
            RetryType::InProcess => "in_process",
            RetryType::Reschedule => "reschedule",
        }
    }

    /// What a word names; `None` for any other word.
    pub fn from_word(word: &str) -> Option<Self> {
        [RetryType::InProcess, RetryType::Reschedule]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

impl FlowRunPolicy {
    /// The same for an attempt that begins anew: no pause has been come through.
    #[must_use]
    pub fn begun_anew(mut self, retry_type: Option<RetryType>) -> Self {
        self.resuming = false;
        self.pause_keys.clear();
        self.retry_type = retry_type;
        self
    }

    /// The same, with the older names said by those of today where only those were given, as the
    /// reference's server reads them.
    #[must_use]
    pub fn with_older_names(mut self) -> Self {
        if self.retries.is_none_or(|retries| retries == 0) && self.max_retries != 0 {
            self.retries = Some(self.max_retries);
        }
        if self.retry_delay.is_none_or(|delay| delay == 0) && self.retry_delay_seconds != 0.0 {
            // A float that does not fit saturates, and is bounded where it is read.
            self.retry_delay = Some(self.retry_delay_seconds as i64);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_names_count_where_nothing_else_is_said() {
        let older = FlowRunPolicy {
            max_retries: 2,
            retry_delay_seconds: 3.0,
            ..FlowRunPolicy::default()
        };
        let read = older.clone().with_older_names();
        assert_eq!((read.retries, read.retry_delay), (Some(2), Some(3)));
        let both = FlowRunPolicy {
            retries: Some(5),
            ..older
        };
        assert_eq!(both.with_older_names().retries, Some(5));
    }

    #[test]
    fn an_attempt_that_begins_anew_has_come_through_no_pause() {
        let policy = FlowRunPolicy {
            pause_keys: BTreeSet::from(["k".to_owned()]),
            resuming: true,
            retries: Some(1),
            ..FlowRunPolicy::default()
        };
        let anew = policy.begun_anew(Some(RetryType::Reschedule));
        assert!(anew.pause_keys.is_empty() && !anew.resuming);
        assert_eq!(anew.retries, Some(1));
        assert_eq!(anew.retry_type, Some(RetryType::Reschedule));
    }
}
