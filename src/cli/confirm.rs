//! Asks before much is changed at once.

use std::io::{IsTerminal, Write, stderr, stdin};

use super::failure::{Failure, Result};
use super::render;

/// How many names a question tells.
const NAMED: usize = 5;

/// Asks whether that is meant, unless it was said to be. Where nobody can answer, it has to be
/// said. `what` is such as "Cancel 3 flow runs".
pub fn confirm(said: bool, what: &str, names: &[&str]) -> Result<()> {
    if said {
        return Ok(());
    }
    let mut told: Vec<_> = names
        .iter()
        .take(NAMED)
        .map(|name| render::name(name))
        .collect();
    if names.len() > NAMED {
        told.push("…".to_owned());
    }
    let told = if told.is_empty() {
        String::new()
    } else {
        format!(" ({})", told.join(", "))
    };
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failure::usage(format!("{what}{told}? Say so with --yes")));
    }
    let _ = write!(stderr(), "{what}{told}? [y/N] ");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was changed")),
    }
}
