//! What is handed to a run while it runs, by key: the schema of an input that a paused run waits
//! for, the input itself, and what else clients send it.

use super::error::{Error, Result};
use super::ids::{FlowRunId, RunInputId};
use super::time::Timestamp;

/// The most characters of a key, and of who sent it.
const LONGEST_NAME: usize = 1000;
/// The most bytes of a value.
const LARGEST: usize = 1024 * 1024;
/// The most inputs that a run holds at once.
pub const MOST_INPUTS: u64 = 10_000;

/// Something handed to a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInput {
    /// Its id.
    pub id: RunInputId,
    /// When it was handed in.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// The run.
    pub flow_run_id: FlowRunId,
    /// Names it within the run.
    pub key: String,
    /// What it is.
    pub value: String,
    /// Who handed it in, as that calls itself.
    pub sender: Option<String>,
}

/// Something to be handed to a run.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRunInput {
    /// Names it within the run.
    pub key: String,
    /// What it is.
    pub value: String,
    /// Who hands it in.
    pub sender: Option<String>,
}

impl NewRunInput {
    /// Refuses what is not to be kept: a key of other characters than letters, digits and
    /// hyphens, as on the reference's server, or one of the three that is too long.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid), with what is wrong.
    pub fn check(&self) -> Result<()> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !self.key.chars().all(is_plain) {
            return Err(Error::invalid(
                "The key of an input must consist of letters, digits and hyphens.",
            ));
        }
        let names = [Some(&self.key), self.sender.as_ref()];
        if names
            .into_iter()
            .flatten()
            .any(|it| it.len() > LONGEST_NAME)
        {
            return Err(Error::invalid(format!(
                "The key and the sender of an input must have at most {LONGEST_NAME} bytes."
            )));
        }
        match self.value.len() <= LARGEST {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "The value of an input must have at most {LARGEST} bytes."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_and_all_of_it_is_bounded() {
        let input = |key: &str, value: usize| NewRunInput {
            key: key.to_owned(),
            value: "x".repeat(value),
            sender: None,
        };
        for key in ["", "paused-1-schema", "A9", "-"] {
            assert!(input(key, LARGEST).check().is_ok(), "{key}");
        }
        for key in ["a b", "a/b", "é", "a_b"] {
            assert!(input(key, 0).check().is_err(), "{key}");
        }
        assert!(input(&"k".repeat(LONGEST_NAME + 1), 0).check().is_err());
        assert!(input("k", LARGEST + 1).check().is_err());
    }
}
