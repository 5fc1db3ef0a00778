//! The reports of all generations as they are printed, put into a file, and given to programs.

use std::fmt::Write;

use anyhow::Context;

use super::args::Args;
use super::report::Report;
use super::table;

/// Between these a file has the whole tables.
const WHOLE: &str = "<!-- bench -->\n";
/// Between these it has the rows that tell most.
const SHORT: &str = "<!-- bench: in short -->\n";
const END: &str = "<!-- /bench -->";

/// Writes the reports where the command line wants them, and answers the text for people.
pub fn written(reports: &[Report], args: &Args) -> anyhow::Result<String> {
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(reports)?)?;
    }
    for path in &args.readme {
        let text = std::fs::read_to_string(path)?;
        std::fs::write(path, placed(reports, &text)?)?;
    }
    Ok(whole(reports))
}

/// A file's text with the tables in their place: whole, or in short.
fn placed(reports: &[Report], text: &str) -> anyhow::Result<String> {
    let at = |begin: &str, tables: &str| {
        let (before, rest) = text.split_once(begin)?;
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{begin}{tables}{END}{after}"))
    };
    at(WHOLE, &whole(reports))
        .or_else(|| at(SHORT, &in_short(reports)))
        .context("the file has no marks for the table")
}

fn in_short(reports: &[Report]) -> String {
    let tables = reports.iter().map(|report| {
        let rows = report.rows.iter();
        let kept = rows.filter(|row| report.in_short.contains(&row.what.as_str()));
        titled(report, &table::of(report, kept))
    });
    format!("One run on {}:\n{}", machine(), tables.collect::<String>())
}

fn whole(reports: &[Report]) -> String {
    let tables = reports
        .iter()
        .map(|report| titled(report, &table::of(report, report.rows.iter())));
    let mut text = format!("One run on {}:\n{}", machine(), tables.collect::<String>());
    let failures = reports.iter().flat_map(|report| {
        let of = |failure| format!("{}, {failure}", report.release);
        report.failures.iter().map(of)
    });
    let failures: Vec<_> = failures.collect();
    text.push_str(match failures.is_empty() {
        true => "\nFailed requests: none.\n",
        false => "\nFailed requests:\n",
    });
    for failure in failures {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {failure}");
    }
    text
}

fn titled(report: &Report, table: &str) -> String {
    format!("\nPrefect {}:\n\n{table}", report.release)
}

/// The machine: how many cores of what.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told.lines().find_map(|line| {
        let (name, model) = line.split_once(':')?;
        (name.trim() == "model name").then(|| model.trim().to_owned())
    });
    format!(
        "{cores} cores of {}",
        model.as_deref().unwrap_or("unknown make")
    )
}
