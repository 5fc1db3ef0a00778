//! What is wrong with a configuration, in one line: where it stands, which key, and what was
//! expected.

use figment::error::{Actual, Error, Kind};
use figment::{Figment, Metadata};

use super::{ConfigError, known, layers};

/// The first of the troubles.
pub(super) fn told(figment: &Figment, error: Error) -> ConfigError {
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    // A place in a list is not in the key.
    path.retain(|part| part.parse::<usize>().is_err());
    let key = path.join(".");
    let found = figment.find_metadata(&key).or(error.metadata.as_ref());
    let place = found.map_or_else(|| "configuration".to_owned(), |source| place(source, &key));
    ConfigError(format!("{place}: {}", words(&key, &error.kind)))
}

/// The file, or the variable.
pub(super) fn place(source: &Metadata, key: &str) -> String {
    let file = source.source.as_ref().and_then(|source| source.file_path());
    match file {
        Some(file) => file.display().to_string(),
        None if source.name == layers::ENVIRONMENT => known::variable(key),
        None => source.name.clone().into_owned(),
    }
}

fn words(key: &str, kind: &Kind) -> String {
    match kind {
        Kind::UnknownField(..) => match known::nearest(key) {
            Some(meant) => format!("there is no setting {key}; did you mean {meant}?"),
            None => format!("there is no setting {key}; `man prefectd.toml` lists all"),
        },
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            format!("{key} is {}; expected {}", shown(actual), plain(expected))
        }
        Kind::UnknownVariant(actual, expected) => {
            format!("{key} is {actual:?}; expected {}", one_of(expected))
        }
        // What the TOML parser says has lines of its own, with the text and a mark in it.
        Kind::Message(text) => {
            let lines = text.lines().filter(|line| !line.contains('|'));
            let text = lines.map(str::trim).filter(|line| !line.is_empty());
            let text = text.collect::<Vec<_>>().join(": ");
            match key {
                "" => text,
                key => format!("{key}: {text}"),
            }
        }
        other => format!("{key}: {other}"),
    }
}

fn shown(actual: &Actual) -> String {
    match actual {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        Actual::Str(text) => format!("{text:?}"),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        other => other.to_string(),
    }
}

/// The words of the deserializer are those of the code.
fn plain(expected: &str) -> String {
    let plain = match expected {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, not below 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "path string" => "text in quotes",
        "a sequence" => "a list, such as [\"…\"]",
        other if other.starts_with("struct ") || other == "a map" => "a section",
        other => other,
    };
    plain.to_owned()
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "another word".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
