//! Whether parameters conform to a deployment's JSON Schema.
//!
//! Clients write both, so a check is only made once it is known how many steps it takes at most
//! (see `cost`): a schema can refer to itself for ever, or a thousand times over. Patterns are of a
//! kind whose time is linear.

mod cost;
mod findings;
pub mod hydration;
pub mod job_variables;
mod schema;
mod words;

use std::fmt;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::JsonMap;
use super::error::{Error, Kind};

pub use findings::{Finding, findings};
pub use hydration::Step;

/// The most memory that one compiled pattern takes, in bytes.
const PATTERN_BYTES: usize = 256 * 1024;

/// Whether all has to be there that the schema requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// It has, for a run.
    Yes,
    /// A deployment may leave to its runs what it has no value for.
    No,
}

/// Why parameters do not do.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfit {
    /// They do not conform; in the reference's words.
    Misfit(String),
    /// The schema refers to something that is not in it.
    Unresolvable(String),
    /// The schema refers to itself in a circle.
    Circular,
    /// The schema is none, or holds something that is not checked here.
    NoSchema(String),
    /// The check would take too long.
    TooCostly,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misfit(why) => f.write_str(why),
            Self::Unresolvable(what) => {
                write!(f, "Validation failed. Failure reason: Unresolvable: {what}")
            }
            Self::Circular => {
                f.write_str("Invalid schema: Unable to validate schema with circular references.")
            }
            Self::NoSchema(why) => write!(f, "Invalid schema: {why}"),
            Self::TooCostly => f.write_str(
                "The parameters cannot be checked: their schema takes too many steps for them.",
            ),
        }
    }
}

impl Unfit {
    /// The error of a verb that does `what`, such as `creating flow run`. As on the reference
    /// parameters that do not conform are a conflict, and a schema that is none is invalid.
    pub fn while_doing(&self, what: &str) -> Error {
        match self {
            Self::Misfit(_) | Self::Unresolvable(_) => {
                Error::new(Kind::Conflict, format!("Error {what}: {self}"))
            }
            Self::Circular | Self::NoSchema(_) | Self::TooCostly => {
                Error::invalid(self.to_string())
            }
        }
    }
}

/// Checks parameters against a schema.
///
/// # Errors
/// Why they do not do.
pub fn check(parameters: &JsonMap, schema: &JsonMap, required: Required) -> Result<(), Unfit> {
    let parameters = Value::Object(parameters.clone());
    check_against(&parameters, &schema::prepared(schema, required))
}

/// Checks what parameters there are against a schema as it is written, as the reference does where
/// a deployment comes with both.
///
/// # Errors
/// Why they do not do.
pub fn check_as_written(parameters: &JsonMap, schema: &JsonMap) -> Result<(), Unfit> {
    let parameters = Value::Object(parameters.clone());
    check_against(&parameters, &schema::as_written(schema))
}

fn check_against(values: &Value, schema: &Value) -> Result<(), Unfit> {
    cost::weigh(schema, values)?;
    let validator = compiled(schema)?;
    let misfit = validator.validate(values);
    misfit.map_err(|error| Unfit::Misfit(told(&error)))
}

/// Checks that a schema is one.
///
/// # Errors
/// Why it is none.
pub fn check_schema(schema: &JsonMap) -> Result<(), Unfit> {
    compiled(&schema::prepared(schema, Required::Yes)).map(drop)
}

/// Checks that a schema is one as it is written.
fn check_schema_as_written(schema: &JsonMap) -> Result<(), Unfit> {
    compiled(&Value::Object(schema.clone())).map(drop)
}

fn compiled(schema: &Value) -> Result<Validator, Unfit> {
    cost::check_patterns(schema)?;
    let built = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
        .build(schema);
    built.map_err(|error| Unfit::NoSchema(shortened(&words::words(&error))))
}

/// What is told of a misfit at most; it repeats what was sent.
const LONGEST: usize = 1000;

/// The reference's sentence about a misfit.
fn told(error: &ValidationError<'_>) -> String {
    let why = shortened(&words::words(error));
    match field(error.instance_path().as_str()) {
        field if field.is_empty() => format!("Validation failed. Failure reason: {why}"),
        field => format!("Validation failed for field '{field}'. Failure reason: {why}"),
    }
}

/// A JSON pointer as people write it: `/a/0/b` is `a[0].b`.
fn field(pointer: &str) -> String {
    let mut field = String::new();
    for step in pointer.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(index) => field += &format!("[{index}]"),
            Err(_) => {
                if !field.is_empty() {
                    field.push('.');
                }
                field += &step.replace("~1", "/").replace("~0", "~");
            }
        }
    }
    shortened(&field)
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
