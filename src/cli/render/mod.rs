//! Prints results: tables for people, JSON and YAML for programs.

mod escape;
mod paragraph;
mod progress;
mod table;
mod times;
mod yaml;

use std::io::{IsTerminal, Write, stdout};

use serde::Serialize;

use super::args::Output;
use super::failure::{Failure, Result};

pub use escape::{log as log_line, name, text};
pub use paragraph::paragraph;
pub use progress::Progress;
pub use table::{keep, never, spare, table};
pub use times::{ago, clock, instant, instant_or_none, lasting, near};
pub use yaml::{yaml, yaml_of};

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
    let text = text.trim_end();
    match output {
        Output::Json => line(&escape::json(text)),
        _ => line(&escape::text(text)),
    }
}

/// A value as JSON on one line.
pub fn json_line<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| Failure::new(error.to_string()))?;
    Ok(escape::json(&text))
}

/// Prints a line as it is.
pub fn line(text: &str) -> Result<()> {
    written(writeln!(stdout(), "{text}"))
}

/// Prints bytes as they are, at once.
pub fn bytes_out(bytes: &[u8]) -> Result<()> {
    let mut out = stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// A reader that has gone ends the command without a word.
pub fn written(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::unread()),
        other => Ok(other?),
    }
}

/// Shows text in place of what was shown before; in a pipe, below it.
pub fn screen(text: &str) -> Result<()> {
    if stdout().is_terminal() {
        bytes_out(format!("\u{1b}[H\u{1b}[2J{text}\n").as_bytes())
    } else {
        line(text)
    }
}

/// Names and values, a line each; what has several lines is indented.
pub fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.collect();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = pairs.iter().map(|(name, value)| {
        let indented = escape::text(value).replace('\n', &format!("\n{:width$}  ", ""));
        format!("{name:width$}  {indented}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Bytes in the unit that suits them.
pub fn bytes(count: u64) -> String {
    match count {
        0..=1023 => format!("{count} B"),
        1024..=1_048_575 => format!("{:.1} KiB", count as f64 / 1024.0),
        1_048_576..=1_073_741_823 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", count as f64 / 1_073_741_824.0),
    }
}

/// A count with what is counted, such as `1 flow run` and `2 flow runs`.
pub fn many(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_line_up_and_long_values_are_indented() {
        let drawn = pairs([("a", "1".to_owned()), ("long", "x\ny\r".to_owned())].into_iter());
        assert_eq!(drawn, "a     1\nlong  x\n      y\\r");
    }
}
