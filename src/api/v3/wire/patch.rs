//! What was said of a value that may be absent, and numbers that bound something.

use serde::{Deserialize, Deserializer};

use crate::domain::error::{Error, Result};
use crate::domain::patch::Patch;

/// What a field says that is there: null clears. One that is not there keeps, by its default.
pub fn said<'de, D, T>(given: D) -> Result<Patch<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(given).map(Patch::from)
}

/// What a field says, or what it is by default where it is null: on the reference null says as
/// much as nothing, where a body's fields are an operation's parameters.
pub fn or_default<'de, D, T>(given: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(given).map(Option::unwrap_or_default)
}

/// Lets a concurrency limit pass that is one.
///
/// # Errors
/// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) otherwise.
pub fn check_limit(limit: Option<i64>) -> Result<()> {
    match limit.is_some_and(|limit| limit < 0) {
        true => Err(Error::invalid("concurrency_limit must be 0 or more.")),
        false => Ok(()),
    }
}
