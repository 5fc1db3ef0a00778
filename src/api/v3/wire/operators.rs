//! What modern clients ask of a field. Each kind of field has its own operators; one that is
//! null asks nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Instant;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Field, Joined, Test, TextQuery, Values};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// The most characters of a part of a name, and of a search.
const MAX_LIKE: usize = 200;

/// How the parts of a filter are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Operator {
    /// All of them hold.
    #[default]
    #[serde(rename = "and_")]
    And,
    /// One of them holds.
    #[serde(rename = "or_")]
    Or,
}

impl From<Operator> for Joined {
    fn from(operator: Operator) -> Self {
        match operator {
            Operator::And => Joined::And,
            Operator::Or => Joined::Or,
        }
    }
}

/// An object whose members are operators.
pub(in crate::api::v3) trait Operators {
    /// How what they ask is put together, and what each asks.
    fn tests(self) -> Result<(Joined, Vec<Option<Test>>)>;
}

/// The criteria of an object on a field; none where there is no object.
pub(in crate::api::v3) fn asked(
    field: &'static Field,
    by: Option<impl Operators>,
) -> Result<Option<Criteria>> {
    let Some(by) = by else {
        return Ok(None);
    };
    let (how, tests) = by.tests()?;
    let asked = tests.into_iter().flatten().filter(|test| !is_void(test));
    let asked = asked.map(|test| Criteria::One(field.asked(test)));
    Ok(Some(Criteria::joined(how, asked.collect())))
}

/// Whether a test asks nothing, as on the reference.
fn is_void(test: &Test) -> bool {
    match test {
        Test::NotIn(Values::Ids(ids)) => ids.is_empty(),
        Test::NotIn(Values::Words(words)) => words.is_empty(),
        Test::HasAll(tags) => tags.is_empty(),
        Test::Like(part) => part.is_empty(),
        Test::Finds(query) => *query == TextQuery::default(),
        _ => false,
    }
}

/// The criteria of several fields, of which those count that are there.
pub(in crate::api::v3) fn all<const N: usize>(
    how: Operator,
    parts: [Result<Option<Criteria>>; N],
) -> Result<Criteria> {
    let parts: Result<Vec<_>> = parts.into_iter().collect();
    let parts = parts?.into_iter().flatten().collect();
    Ok(Criteria::joined(how.into(), parts))
}

/// Declares objects of operators, each with what it asks.
macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$member:meta])* $operator:ident: $value:ty => $ask:expr,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct $name {
            $(
                $(#[$member])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $operator: Option<$value>,
            )*
            /// How these are put together.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub operator: Option<Operator>,
        }

        impl Operators for $name {
            fn tests(self) -> Result<(Joined, Vec<Option<Test>>)> {
                let Self { $($operator,)* operator } = self;
                let tests = vec![$($operator.map($ask).transpose()?,)*];
                Ok((operator.unwrap_or_default().into(), tests))
            }
        }
    )*};
}

operators! {
    /// By id.
    ById {
        /// One of these.
        any_: Vec<Uuid> => one_of_ids,
    }
    /// By id, or by not being there.
    ByIdOrNull {
        /// One of these.
        any_: Vec<Uuid> => one_of_ids,
        /// Absent or present.
        is_null_: bool => is_null,
    }
    /// By id, or by other ids.
    ByIdOrNot {
        /// One of these.
        any_: Vec<Uuid> => one_of_ids,
        /// None of these.
        not_any_: Vec<Uuid> => none_of_ids,
    }
    /// By text.
    ByText {
        /// One of these.
        any_: Vec<String> => one_of,
    }
    /// By text, or by not being there.
    ByTextOrNull {
        /// One of these.
        any_: Vec<String> => one_of,
        /// Absent or present.
        is_null_: bool => is_null,
    }
    /// By text, or by other texts.
    ByTextOrNot {
        /// One of these.
        any_: Vec<String> => one_of,
        /// None of these.
        not_any_: Vec<String> => none_of,
    }
    /// By name.
    ByName {
        /// One of these.
        any_: Vec<String> => one_of,
        /// Holding this, whatever its case; as in Prefect `%` stands for any characters and `_`
        /// for one. 200 characters at most.
        like_: String => like,
    }
    /// By a name that there need not be.
    ByNameOrNot {
        /// One of these.
        any_: Vec<String> => one_of,
        /// Holding this, as in a name.
        like_: String => like,
        /// There or not.
        exists_: bool => exists,
    }
    /// By a part of a name.
    ByPart {
        /// Holding this, as in a name.
        like_: String => like,
    }
    /// By the type of a state.
    ByStateType {
        /// One of these.
        any_: Vec<StateWord> => one_of_types,
        /// None of these.
        not_any_: Vec<StateWord> => none_of_types,
    }
    /// By tags.
    ByTags {
        /// All of these.
        all_: Vec<String> => has_all,
        /// None at all, or some.
        is_null_: bool => is_null,
    }
    /// By tags, or by some of them.
    ByAnyTags {
        /// All of these.
        all_: Vec<String> => has_all,
        /// One of these.
        any_: Vec<String> => has_any,
        /// None at all, or some.
        is_null_: bool => is_null,
    }
    /// By an instant.
    ByTime {
        /// Then or earlier.
        before_: Instant => at_most,
        /// Then or later.
        after_: Instant => at_least,
    }
    /// By an instant, or by its absence.
    ByTimeOrNull {
        /// Then or earlier.
        before_: Instant => at_most,
        /// Then or later.
        after_: Instant => at_least,
        /// Absent or present.
        is_null_: bool => is_null,
    }
    /// By level.
    ByLevel {
        /// Of this level or above.
        ge_: i64 => number_at_least,
        /// Of this level or below.
        le_: i64 => number_at_most,
    }
    /// By what is so or not.
    ByFlag {
        /// So or not.
        eq_: bool => is,
    }
    /// By words of a list.
    Holding {
        /// All of these.
        all_: Vec<String> => has_all,
    }
    /// By what is so or not, asked the other way round.
    ByOppositeFlag {
        /// So or not.
        eq_: bool => is_not,
    }
    /// By whether there is something.
    ByExistence {
        /// There or not.
        exists_: bool => is,
    }
    /// By whether there is nothing.
    ByAbsence {
        /// Nothing or something.
        is_null_: bool => is_null,
    }
    /// By words and phrases.
    BySearch {
        /// Words and "quoted phrases", each perhaps after `+` (it is there) or `-` (it is not).
        /// 200 characters at most.
        query: String => finds,
    }
}

/// The type of a state, by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub struct StateWord(pub StateType);

impl Serialize for StateWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de> Deserialize<'de> for StateWord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let kind = StateType::from_word(&word);
        kind.map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("There is no state type {word:?}.")))
    }
}

fn one_of_ids(ids: Vec<Uuid>) -> Result<Test> {
    Ok(Test::In(Values::Ids(ids)))
}

fn none_of_ids(ids: Vec<Uuid>) -> Result<Test> {
    Ok(Test::NotIn(Values::Ids(ids)))
}

fn one_of(words: Vec<String>) -> Result<Test> {
    Ok(Test::In(Values::Words(words)))
}

fn none_of(words: Vec<String>) -> Result<Test> {
    Ok(Test::NotIn(Values::Words(words)))
}

fn words(kinds: Vec<StateWord>) -> Vec<String> {
    let words = kinds.into_iter().map(|StateWord(kind)| kind.word());
    words.map(str::to_owned).collect()
}

fn one_of_types(kinds: Vec<StateWord>) -> Result<Test> {
    one_of(words(kinds))
}

fn none_of_types(kinds: Vec<StateWord>) -> Result<Test> {
    none_of(words(kinds))
}

fn has_all(tags: Vec<String>) -> Result<Test> {
    Ok(Test::HasAll(tags))
}

fn has_any(tags: Vec<String>) -> Result<Test> {
    Ok(Test::HasAny(tags))
}

fn at_most(at: Instant) -> Result<Test> {
    Ok(Test::AtMost(Timestamp::from(at).micros()))
}

fn at_least(at: Instant) -> Result<Test> {
    Ok(Test::AtLeast(Timestamp::from(at).micros()))
}

fn number_at_most(number: i64) -> Result<Test> {
    Ok(Test::AtMost(number))
}

fn number_at_least(number: i64) -> Result<Test> {
    Ok(Test::AtLeast(number))
}

fn is_null(is_null: bool) -> Result<Test> {
    Ok(Test::IsNull(is_null))
}

fn exists(exists: bool) -> Result<Test> {
    is_null(!exists)
}

fn is(is: bool) -> Result<Test> {
    Ok(Test::Is(is))
}

fn is_not(is: bool) -> Result<Test> {
    Ok(Test::Is(!is))
}

fn like(part: String) -> Result<Test> {
    check_length("like_", &part)?;
    Ok(Test::Like(part))
}

fn finds(text: String) -> Result<Test> {
    searched(text).map(Test::Finds)
}

/// What a text searches for.
pub(in crate::api::v3) fn searched(text: String) -> Result<TextQuery> {
    check_length("query", &text)?;
    Ok(TextQuery::read(&text))
}

fn check_length(name: &str, text: &str) -> Result<()> {
    match text.chars().count() > MAX_LIKE {
        true => Err(Error::invalid(format!(
            "{name} must have at most {MAX_LIKE} characters."
        ))),
        false => Ok(()),
    }
}
