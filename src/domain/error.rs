//! What can go wrong, said once and without any wire in it.
//!
//! An error has a kind (which each edge turns into its own status), a message for the
//! caller, and context for the log only.

use std::fmt;

/// The kinds of failure that a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot mean anything: wrong words, impossible values.
    Invalid,
    /// It is understood and makes no sense for what it is about, as that stands.
    Refused,
    /// What was asked for does not exist.
    NotFound,
    /// It contradicts what is already there.
    Conflict,
    /// The caller may not do this.
    Forbidden,
    /// More than the daemon accepts at once.
    TooLarge,
    /// Not now: the daemon is stopping or too busy. Trying again later is right.
    Unavailable,
    /// The disk is full; nothing was written.
    StorageFull,
    /// What was written would not be found again; nothing was written.
    StorageLost,
    /// The database's file is no database, or parts of it cannot be read any more.
    StorageDamaged,
    /// To answer takes longer than anybody may have the database for.
    TooSlow,
    /// Ours to mend. The caller learns no more than that.
    Internal,
}

/// A failure: its kind, a sentence for the caller, and context for the log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    context: Option<String>,
}

/// What a verb answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of any kind with its sentence for the caller.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            context: None,
        }
    }

    /// `what` does not exist; the message reads "`what` not found".
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} not found"))
    }

    /// The request cannot be right.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// The request makes no sense for what it is about.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The request contradicts what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// A defect or a broken environment; `context` goes to the log, not to the caller.
    pub fn internal(context: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Internal,
            message: "Internal Server Error".to_owned(),
            context: Some(context.to_string()),
        }
    }

    /// Adds what was being done, for the log.
    #[must_use]
    pub fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.context = Some(match self.context {
            Some(inner) => format!("{what}: {inner}"),
            None => what.to_string(),
        });
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the log should say beyond the message.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.context {
            Some(context) => write!(f, "{} ({context})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}
