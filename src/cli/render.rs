//! Prints results: tables for people, JSON and YAML for programs.

use std::io::{IsTerminal, Write, stdout};

use chrono::{DateTime, Utc};
use comfy_table::{Cell, ContentArrangement, Table};
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::args::Output;
use super::failure::{Failure, Result};

/// Prints `value` for programs, or calls `table` for people.
pub fn print<T: Serialize>(
    output: Output,
    value: &T,
    table: impl FnOnce(&T) -> String,
) -> Result<()> {
    let text = match output {
        Output::Table => table(value),
        Output::Json => {
            serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?
        }
        Output::Yaml => yaml(value)?,
    };
    line(text.trim_end())
}

/// A value as YAML. By way of JSON text, since serde_json hands its numbers to another format as
/// objects that hold their text.
pub fn yaml<T: Serialize>(value: &T) -> Result<String> {
    let failed = |error: serde_yaml_ng::Error| Failure::new(error.to_string());
    let json = serde_json::to_value(value).map_err(|error| Failure::new(error.to_string()))?;
    serde_yaml_ng::to_string(&Plain(&json)).map_err(failed)
}

/// A JSON value whose numbers are handed on as numbers, as text where no machine's number is
/// that exact.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => number_as(number, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(map) => {
                serializer.collect_map(map.iter().map(|(key, value)| (key, Plain(value))))
            }
            other => other.serialize(serializer),
        }
    }
}

fn number_as<S: Serializer>(
    number: &Number,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let text = number.as_str();
    let exact = |told: String| told == text;
    if let Some(whole) = number.as_i128() {
        return serializer.serialize_i128(whole);
    }
    match number.as_f64() {
        Some(float) if exact(float.to_string()) || exact(format!("{float:?}")) => {
            serializer.serialize_f64(float)
        }
        _ => serializer.serialize_str(text),
    }
}

/// Prints a line; a reader that has gone is no failure.
pub fn line(text: &str) -> Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A table as wide as the terminal; columns are cut rather than lines broken in a pipe.
pub fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(head.map(str::to_uppercase).map(Cell::new));
    if stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let mut none = true;
    for row in rows {
        none = false;
        table.add_row(row.map(Cell::new));
    }
    match none {
        true => "none".to_owned(),
        false => trimmed(&table.to_string()),
    }
}

/// Names and values, a line each.
pub fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.collect();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = pairs.iter().map(|(name, value)| {
        let indented = value.replace('\n', &format!("\n{:width$}  ", ""));
        format!("{name:width$}  {indented}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn trimmed(table: &str) -> String {
    let lines = table
        .lines()
        .map(|line| line.trim_end().trim_start_matches(' '));
    lines.collect::<Vec<_>>().join("\n")
}

/// How long ago something was, in one unit.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let secs = (now - at).num_seconds();
    let (count, unit) = match secs.abs() {
        secs @ 0..=59 => (secs, "s"),
        secs @ 60..=3599 => (secs / 60, "min"),
        secs @ 3600..=86_399 => (secs / 3600, "h"),
        secs => (secs / 86_400, "d"),
    };
    match secs {
        0.. => format!("{count} {unit} ago"),
        _ => format!("in {count} {unit}"),
    }
}

/// Bytes in the unit that suits them.
pub fn bytes(count: u64) -> String {
    match count {
        0..=1023 => format!("{count} B"),
        1024..=1_048_575 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let then = |secs: i64| DateTime::from_timestamp(1_000_000 - secs, 0).unwrap();
        for (secs, told) in [
            (0, "0 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (7200, "2 h ago"),
            (200_000, "2 d ago"),
            (-90, "in 1 min"),
        ] {
            assert_eq!(ago(then(secs), now), told);
        }
    }

    #[test]
    fn tables_line_up_and_say_when_they_are_empty() {
        let rows = [["a", "1"], ["long", "2"]].map(|row| row.map(str::to_owned));
        let drawn = table(["name", "n"], rows.into_iter());
        assert_eq!(drawn.lines().count(), 3, "{drawn}");
        assert_eq!(table(["name"], std::iter::empty()), "none");
    }

    #[test]
    fn pairs_line_up_and_long_values_are_indented() {
        let drawn = pairs([("a", "1".to_owned()), ("long", "x\ny".to_owned())].into_iter());
        assert_eq!(drawn, "a     1\nlong  x\n      y");
    }
}
