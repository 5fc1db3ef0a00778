//! What has been found, as it is found.

use std::io::IsTerminal;

use crate::api::v3::wire::Check;
use crate::cli::args::Output;
use crate::cli::failure::{Failure, Result};
use crate::cli::render;

/// What has been found. People see each line as it comes; programs get all at the end.
pub struct Report {
    output: Output,
    checks: Vec<Check>,
}

impl Report {
    /// With nothing found.
    pub fn new(output: Output) -> Self {
        let checks = Vec::new();
        Self { output, checks }
    }

    /// Tells whoever waits at a terminal what for.
    pub fn is_at(&self, what: &str) {
        if self.output == Output::Table && std::io::stderr().is_terminal() {
            eprintln!("      looking at {what} ...");
        }
    }

    /// Adds what was found.
    pub fn add(&mut self, checks: impl IntoIterator<Item = Check>) -> Result<()> {
        for check in checks {
            if self.output == Output::Table {
                render::line(&shown(&check))?;
            }
            self.checks.push(check);
        }
        Ok(())
    }

    /// Prints what programs read, and fails when a check did.
    pub fn end(self) -> Result<()> {
        if self.output != Output::Table {
            render::print(self.output, &self.checks, |_| String::new())?;
        }
        match self
            .checks
            .iter()
            .filter(|check| check.is_failure())
            .count()
        {
            0 => Ok(()),
            1 => Err(Failure::new("one check failed; its line says what to do")),
            count => Err(Failure::new(format!(
                "{count} checks failed; their lines say what to do"
            ))),
        }
    }
}

/// As wide as the usual names are.
fn shown(check: &Check) -> String {
    const WIDTH: usize = 15;
    /// Where what was found begins, and where what to do about it.
    const FOUND: usize = 6 + WIDTH + 2;
    let head = format!("{:4}  {:WIDTH$}  ", check.verdict, check.name);
    let found = render::paragraph(&head, FOUND, &check.found);
    let Some(advice) = &check.advice else {
        return found;
    };
    let arrow = format!("{:FOUND$}-> ", "");
    format!("{found}\n{}", render::paragraph(&arrow, FOUND + 3, advice))
}
