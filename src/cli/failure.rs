//! Why a command failed: one line that says what to do.

use std::fmt;

use crate::domain::error::{Error, Kind};

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    line: String,
    usage: bool,
    unread: bool,
    status: Option<u16>,
}

/// What a command answers.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// It could not be done.
    pub fn new(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            usage: false,
            unread: false,
            status: None,
        }
    }

    /// The daemon answered, with this HTTP status.
    pub fn answered(status: u16, line: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            ..Self::new(line)
        }
    }

    /// It was asked wrongly.
    pub fn usage(line: impl Into<String>) -> Self {
        Self {
            usage: true,
            ..Self::new(line)
        }
    }

    /// Nobody reads any more what is printed.
    pub fn unread() -> Self {
        Self {
            unread: true,
            ..Self::new("nobody reads what is printed")
        }
    }

    /// True when nobody reads any more what is printed, which is not worth a word.
    pub fn is_unread(&self) -> bool {
        self.unread
    }

    /// The HTTP status that the daemon answered; none when it was not reached.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// True when what was asked for is too large for one answer.
    pub fn is_too_large(&self) -> bool {
        self.status == Some(413)
    }

    /// True when it was asked wrongly.
    pub fn is_usage(&self) -> bool {
        self.usage
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may name what somebody else named.
        f.write_str(&super::render::text(&self.line))
    }
}

impl From<Error> for Failure {
    /// What was done on this machine is told with all that is known of it.
    fn from(error: Error) -> Self {
        Self::new(match error.context() {
            Some(context) if error.kind() == Kind::Internal => context,
            _ => error.message(),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}
