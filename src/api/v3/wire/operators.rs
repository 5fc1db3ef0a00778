//! What can be asked of a field. An operator that is not understood is refused, never passed
//! over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Instant;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Field, Holds, Test, Values};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// The most characters of a part of a name.
const MAX_LIKE: usize = 200;

/// By id.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ById {
    /// One of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_: Option<Vec<Uuid>>,
    /// None of these; only flow runs are asked so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_any_: Option<Vec<Uuid>>,
    /// Absent or present; only where an id may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_null_: Option<bool>,
}

/// By text.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByText {
    /// One of these.
    pub any_: Option<Vec<String>>,
}

/// By name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByName {
    /// One of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_: Option<Vec<String>>,
    /// Holding this, whatever its case; as in Prefect `%` stands for any characters and `_` for
    /// one. 200 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like_: Option<String>,
}

/// By tags.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByTags {
    /// All of these.
    pub all_: Option<Vec<String>>,
    /// None at all, or some.
    pub is_null_: Option<bool>,
}

/// By an instant.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByTime {
    /// Then or earlier.
    pub before_: Option<Instant>,
    /// Then or later.
    pub after_: Option<Instant>,
    /// Absent or present.
    pub is_null_: Option<bool>,
}

/// By level.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByLevel {
    /// Of this level or above.
    pub ge_: Option<i64>,
    /// Of this level or below.
    pub le_: Option<i64>,
}

/// An object whose members are operators.
pub(in crate::api::v3) trait Operators {
    /// What they ask of a field; refused where that cannot be asked so.
    fn tests(self, of: &Field) -> Result<Vec<Test>>;
}

/// The criteria of an object on a field.
pub(in crate::api::v3) fn asked(
    field: &'static Field,
    by: Option<impl Operators>,
) -> Result<Criteria> {
    let tests = by.map_or(Ok(Vec::new()), |by| by.tests(field))?;
    Ok(tests.into_iter().map(|test| field.asked(test)).collect())
}

/// The criteria of several fields.
pub(in crate::api::v3) fn all<const N: usize>(parts: [Result<Criteria>; N]) -> Result<Criteria> {
    let parts: Result<Vec<_>> = parts.into_iter().collect();
    Ok(parts?.into_iter().flatten().collect())
}

impl Operators for ById {
    fn tests(self, of: &Field) -> Result<Vec<Test>> {
        let is_refused = (self.not_any_.is_some() && !of.may_exclude)
            || (self.is_null_.is_some() && !of.may_be_null);
        if is_refused {
            return Err(Error::invalid(
                "not_any_ and is_null_ cannot be asked of this id.",
            ));
        }
        let except = self.not_any_.map(|ids| Test::NotIn(Values::Ids(ids)));
        let one_of = self.any_.map(|ids| Test::In(Values::Ids(ids)));
        let is_null = self.is_null_.map(Test::IsNull);
        Ok([except, one_of, is_null].into_iter().flatten().collect())
    }
}

impl Operators for ByText {
    fn tests(self, of: &Field) -> Result<Vec<Test>> {
        let Some(words) = self.any_ else {
            return Ok(Vec::new());
        };
        if of.holds == Holds::StateType
            && let Some(word) = words
                .iter()
                .find(|word| StateType::from_word(word).is_none())
        {
            return Err(Error::invalid(format!("There is no state type {word:?}.")));
        }
        Ok(vec![Test::In(Values::Words(words))])
    }
}

impl Operators for ByName {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let is_long = |part: &String| part.chars().count() > MAX_LIKE;
        if self.like_.as_ref().is_some_and(is_long) {
            return Err(Error::invalid(format!(
                "like_ must have at most {MAX_LIKE} characters."
            )));
        }
        let one_of = self.any_.map(|words| Test::In(Values::Words(words)));
        let like = self.like_.map(Test::Like);
        Ok([one_of, like].into_iter().flatten().collect())
    }
}

impl Operators for ByTags {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let all = self.all_.map(Test::HasAll);
        let none = self.is_null_.map(Test::IsNull);
        Ok([all, none].into_iter().flatten().collect())
    }
}

impl Operators for ByTime {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let micros = |at: Instant| Timestamp::from(at).micros();
        let before = self.before_.map(|at| Test::AtMost(micros(at)));
        let after = self.after_.map(|at| Test::AtLeast(micros(at)));
        let is_null = self.is_null_.map(Test::IsNull);
        Ok([before, after, is_null].into_iter().flatten().collect())
    }
}

impl Operators for ByLevel {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let least = self.ge_.map(Test::AtLeast);
        let most = self.le_.map(Test::AtMost);
        Ok([least, most].into_iter().flatten().collect())
    }
}
