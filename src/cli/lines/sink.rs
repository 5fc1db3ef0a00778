//! Where lines go: text for people, JSON and YAML for programs.

use std::io::{BufWriter, Stdout, Write, stdout};

use chrono::Utc;

use super::fold;
use crate::api::v3::wire::{Log, State};
use crate::cli::args::Output;
use crate::cli::failure::Result;
use crate::cli::render;
use crate::domain::log::OUTPUT_LOGGER;

/// Prints lines as they come.
pub struct Sink {
    output: Output,
    /// One object a line, instead of a list.
    live: bool,
    raw: bool,
    printed: u64,
    out: BufWriter<Stdout>,
}

impl Sink {
    /// `live` lines are printed one by one, and others as one list; `raw` messages as they are.
    pub fn new(output: Output, live: bool, raw: bool) -> Self {
        Self {
            output,
            live,
            raw,
            printed: 0,
            out: BufWriter::new(stdout()),
        }
    }

    /// Prints a log line.
    pub fn line(&mut self, line: &Log) -> Result<()> {
        let text = match (self.output, self.live) {
            (Output::Table, _) => self.shown(line),
            (Output::Json, true) => render::json_line(line)?,
            (Output::Json, false) => {
                let before = if self.printed == 0 { "[\n" } else { ",\n" };
                let text = format!("{before}{}", render::json_line(line)?);
                self.printed += 1;
                return render::written(self.out.write_all(text.as_bytes()));
            }
            (Output::Yaml, _) => {
                let text = render::yaml(&[line])?;
                text.trim_end().to_owned()
            }
        };
        self.printed += 1;
        render::written(writeln!(self.out, "{text}"))
    }

    /// Prints that a run entered a state; programs read that of the run.
    pub fn state(&mut self, state: &State) -> Result<()> {
        if self.output != Output::Table {
            return Ok(());
        }
        let at = render::clock(state.timestamp.utc(), Utc::now());
        let why = state.message.as_deref().map(|why| format!(": {why}"));
        let told = format!("{}{}", state.name, why.unwrap_or_default());
        let told = render::log_line(&told, at.len() + 4);
        render::written(writeln!(self.out, "{at}  ▶ {told}"))
    }

    /// Lets what was printed be read.
    pub fn flush(&mut self) -> Result<()> {
        render::written(self.out.flush())
    }

    /// Prints what is after the last line.
    pub fn finish(mut self) -> Result<()> {
        let end = match (self.output, self.live, self.printed) {
            (Output::Json, false, 0) | (Output::Yaml, false, 0) => "[]\n",
            (Output::Json, false, _) => "\n]\n",
            _ => "",
        };
        render::written(self.out.write_all(end.as_bytes()))?;
        self.flush()
    }

    fn shown(&self, line: &Log) -> String {
        let at = render::clock(line.timestamp.utc(), Utc::now());
        let loud = loudness(line.level);
        if self.raw {
            return format!("{at}  {loud}{}", line.message);
        }
        // What Prefect writes on its console says the time once more, and the level in its own way.
        let console = match line.name == OUTPUT_LOGGER {
            true => fold::on_console(&line.message),
            false => None,
        };
        let (loud, message) = match &console {
            Some((level, rest)) => (loudness(*level), rest),
            None => (loud, &line.message),
        };
        let indent = at.len() + 2 + loud.len();
        format!("{at}  {loud}{}", render::log_line(message, indent))
    }
}

/// The level's name, where it is worth a word.
fn loudness(level: i64) -> &'static str {
    match level {
        50.. => "CRITICAL  ",
        40.. => "ERROR  ",
        30.. => "WARNING  ",
        _ => "",
    }
}
