//! What is wrong with a value, in the words of Python's `jsonschema`, which the reference repeats.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};

use crate::domain::template::written;

/// A sentence as the reference's library makes it.
pub(super) fn words(error: &ValidationError<'_>) -> String {
    let it = || written(error.instance());
    match error.kind() {
        ValidationErrorKind::Type { kind } => format!("{} is not of type {}", it(), types(kind)),
        ValidationErrorKind::Required { property } => {
            format!("{} is a required property", written(property))
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            format!("{} is not valid under any of the given schemas", it())
        }
        ValidationErrorKind::Enum { options } => {
            format!("{} is not one of {}", it(), written(options))
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("{} was expected", written(expected_value))
        }
        ValidationErrorKind::MinLength { limit } | ValidationErrorKind::MinItems { limit } => {
            match limit {
                1 => format!("{} should be non-empty", it()),
                _ => format!("{} is too short", it()),
            }
        }
        ValidationErrorKind::MaxLength { limit } | ValidationErrorKind::MaxItems { limit } => {
            match limit {
                0 => format!("{} is expected to be empty", it()),
                _ => format!("{} is too long", it()),
            }
        }
        ValidationErrorKind::MinProperties { .. } => {
            format!("{} does not have enough properties", it())
        }
        ValidationErrorKind::MaxProperties { .. } => format!("{} has too many properties", it()),
        ValidationErrorKind::Minimum { limit } => {
            format!("{} is less than the minimum of {limit}", it())
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("{} is greater than the maximum of {limit}", it())
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{} is less than or equal to the minimum of {limit}", it())
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!(
                "{} is greater than or equal to the maximum of {limit}",
                it()
            )
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("{} is not a multiple of {multiple_of}", it())
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!(
                "{} does not match {}",
                it(),
                written(&pattern.as_str().into())
            )
        }
        ValidationErrorKind::Format { format } => format!("{} is not a '{format}'", it()),
        ValidationErrorKind::UniqueItems => format!("{} has non-unique elements", it()),
        ValidationErrorKind::AdditionalProperties { unexpected } => additional(unexpected),
        _ => error.to_string(),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => format!("'{kind}'"),
        TypeKind::Multiple(kinds) => {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
            kinds.join(", ")
        }
    }
}

fn additional(unexpected: &[String]) -> String {
    let mut names: Vec<_> = unexpected.iter().map(|name| format!("'{name}'")).collect();
    names.sort_unstable();
    let were = match names.len() {
        1 => "was",
        _ => "were",
    };
    format!(
        "Additional properties are not allowed ({} {were} unexpected)",
        names.join(", ")
    )
}
