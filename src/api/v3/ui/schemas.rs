//! Whether what somebody fills in conforms to a schema, as forms ask it.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::Body;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::JsonMap;
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::parameters::{Finding, Step};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/ui/schemas/validate",
            "Tells what of some values does not conform to a schema",
        )
        .asks::<Filled>()
        .answers::<Conformity>()
        .needs(Need::Read, validate),
    ]
}

/// Values, and the schema that they are to conform to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Filled {
    /// A JSON schema.
    #[schema(value_type = Object)]
    schema: JsonMap,
    /// The values; some may say how they are made.
    #[schema(value_type = Object)]
    values: JsonMap,
}

/// What does not conform.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Conformity {
    /// What is wrong, by where: sentences, and objects with a `property` or an `index` and the
    /// `errors` below it.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Wrong>,
    /// Whether nothing is.
    valid: bool,
}

/// Something that is wrong, or something that lies around it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Wrong {
    /// In a sentence.
    Words(String),
    /// Below a member of that name.
    Below {
        property: String,
        errors: Vec<Wrong>,
    },
    /// Below an item at that place.
    At { index: usize, errors: Vec<Wrong> },
}

impl Wrong {
    fn around(step: Step, errors: Vec<Wrong>) -> Self {
        match step {
            Step::Name(property) => Self::Below { property, errors },
            Step::Place(index) => Self::At { index, errors },
        }
    }

    /// What lies below it, if it lies at that step.
    fn below(&mut self, step: &Step) -> Option<&mut Vec<Wrong>> {
        match (self, step) {
            (Self::Below { property, errors }, Step::Name(name)) if property == name => {
                Some(errors)
            }
            (Self::At { index, errors }, Step::Place(place)) if index == place => Some(errors),
            _ => None,
        }
    }
}

impl From<Vec<Finding>> for Conformity {
    fn from(findings: Vec<Finding>) -> Self {
        let mut errors = Vec::new();
        for finding in findings {
            put(&mut errors, finding.path.into(), finding.words);
        }
        Self {
            valid: errors.is_empty(),
            errors,
        }
    }
}

/// Puts a sentence where it belongs: below what is there on the way, but in an entry of its own.
fn put(errors: &mut Vec<Wrong>, mut path: std::collections::VecDeque<Step>, words: String) {
    let Some(step) = path.pop_front() else {
        errors.push(Wrong::Words(words));
        return;
    };
    if path.is_empty() {
        errors.push(Wrong::around(step, vec![Wrong::Words(words)]));
        return;
    }
    let known = errors.iter().position(|known| match (known, &step) {
        (Wrong::Below { property, .. }, Step::Name(name)) => property == name,
        (Wrong::At { index, .. }, Step::Place(place)) => index == place,
        _ => false,
    });
    let at = known.unwrap_or_else(|| {
        errors.push(Wrong::around(step.clone(), Vec::new()));
        errors.len() - 1
    });
    if let Some(below) = errors.get_mut(at).and_then(|known| known.below(&step)) {
        put(below, path, words);
    }
}

impl Redact for Conformity {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self { errors, valid: _ } = self;
        errors.iter_mut().for_each(|wrong| wrong.redact(reader));
    }
}

impl Redact for Wrong {
    fn redact(&mut self, reader: &Reader<'_>) {
        match self {
            Self::Words(words) => reader.of_nobody().over(words),
            Self::Below { property, errors } => {
                reader.of_nobody().over(property);
                errors.iter_mut().for_each(|wrong| wrong.redact(reader));
            }
            Self::At { index: _, errors } => {
                errors.iter_mut().for_each(|wrong| wrong.redact(reader));
            }
        }
    }
}

pub async fn validate(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(filled): Body<Filled>,
) -> Answer {
    let Filled { schema, values } = filled;
    let found = ctx.app.check_values(values, schema).await?;
    let findings = found.map_err(|unfit| Error::invalid(unfit.to_string()))?;
    ok(&who, Conformity::from(findings)).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sentences_stand_below_what_they_are_about() {
        let name = |name: &str| Step::Name(name.to_owned());
        let finding = |path: &[Step], words: &str| Finding {
            path: path.to_vec(),
            words: words.to_owned(),
        };
        let conformity = Conformity::from(vec![
            finding(&[], "root"),
            finding(&[name("a")], "1"),
            finding(&[name("a")], "2"),
            finding(&[name("b"), Step::Place(0), name("c")], "3"),
            finding(&[name("b"), Step::Place(1)], "4"),
            finding(&[name("b"), Step::Place(0), name("d")], "5"),
        ]);
        let expected = json!({ "errors": [
            "root",
            { "property": "a", "errors": ["1"] },
            { "property": "a", "errors": ["2"] },
            { "property": "b", "errors": [
                { "index": 0, "errors": [
                    { "property": "c", "errors": ["3"] }, { "property": "d", "errors": ["5"] },
                ] },
                { "index": 1, "errors": ["4"] },
            ] },
        ], "valid": false });
        assert_eq!(serde_json::to_value(conformity).unwrap(), expected);
    }
}
