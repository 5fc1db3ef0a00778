//! All that is wrong with values, by where it is, as the forms of Prefect's pages show it.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError};

use super::hydration::{Looked, Step, Variables, looked_at};
use super::words::words;
use super::{PATTERN_BYTES, Required, Unfit, cost, schema, shortened};
use crate::domain::JsonMap;

/// The most that is found.
const MOST: usize = 200;

/// Something that is wrong with values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub path: Vec<Step>,
    /// What, in the reference's words.
    pub words: String,
}

/// What is wrong with values, once those are made that say how they are made; `variables` are those
/// that may be shown, and none for one whose value may not.
///
/// # Errors
/// Where the schema is none.
pub fn findings(
    values: JsonMap,
    schema: &JsonMap,
    variables: &Variables,
) -> Result<Vec<Finding>, Unfit> {
    let schema = schema::prepared(schema, Required::Yes);
    let Looked {
        value,
        mut findings,
        apart,
    } = looked_at(values, variables);
    cost::weigh(&schema, &value)?;
    cost::check_patterns(&schema)?;
    let validator = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
        .should_validate_formats(true)
        .build(&schema);
    let validator = validator.map_err(|error| Unfit::NoSchema(shortened(&words(&error))))?;
    let misfits = validator.iter_errors(&value).map(|error| Finding {
        path: path(&error),
        words: shortened(&words(&error)),
    });
    let is_looked_at = |finding: &Finding| !apart.contains(&finding.path);
    findings.extend(misfits.filter(is_looked_at).take(MOST));
    Ok(findings)
}

/// Where something is wrong: what is missing is so at its own place.
fn path(error: &ValidationError<'_>) -> Vec<Step> {
    let pointer = error.instance_path().as_str();
    let steps = pointer.split('/').skip(1);
    let mut path: Vec<_> = steps.map(Step::of_pointer).collect();
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        path.push(Step::Name(name.to_owned()));
    }
    path
}
