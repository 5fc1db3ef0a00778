//! What was measured, as a table for people, for a README, and for programs.

use std::fmt::Write;

use anyhow::Context;
use serde::Serialize;

/// Between these a file has the whole table.
const WHOLE: &str = "<!-- bench -->\n";
/// Between these it has the rows in [`IN_SHORT`].
const SHORT: &str = "<!-- bench: in short -->\n";
const END: &str = "<!-- /bench -->";

/// What a reader who asks "how fast is it?" wants to know.
const IN_SHORT: [&str; 8] = [
    "start",
    "resident, idle",
    "lifecycle, 1 clients",
    "lifecycle, 64 clients",
    "create a run, many clients",
    "set_state, 1 client: median",
    "newest 20 runs, 1 client: median",
    "write logs, many clients",
];

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

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// In what.
    pub unit: &'static str,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// `prefectd`, by the number of stored runs.
    pub prefectd: Vec<Option<f64>>,
    /// The real server, on a database of its own that began empty.
    pub real: Option<f64>,
}

/// The whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The numbers of stored runs.
    pub stored_runs: Vec<u64>,
    /// The lines, in the order of their first measurement.
    pub rows: Vec<Row>,
    /// Requests that were not answered as they should have been, by server and load.
    pub failures: Vec<String>,
}

/// Whose measurement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `prefectd` on the database of that place in [`Report::stored_runs`].
    Prefectd(usize),
    /// The real server.
    Real,
}

impl Report {
    /// Enters a measurement in its row.
    pub fn enter(&mut self, of: Of, what: &str, unit: &'static str, value: f64) {
        let sizes = self.stored_runs.len();
        let known = self.rows.iter().position(|row| row.what == what);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row {
                what: what.to_owned(),
                unit,
                more_is_better: unit.ends_with("/s"),
                prefectd: vec![None; sizes],
                real: None,
            });
            self.rows.len() - 1
        });
        let Some(row) = self.rows.get_mut(at) else {
            return;
        };
        match of {
            Of::Real => row.real = Some(value),
            Of::Prefectd(size) => {
                if let Some(cell) = row.prefectd.get_mut(size) {
                    *cell = Some(value);
                }
            }
        }
    }

    /// Notes failures, if there were any.
    pub fn note_failures(&mut self, of: Of, what: &str, failed: u64) {
        if failed == 0 {
            return;
        }
        let whose = match of {
            Of::Real => "real server".to_owned(),
            Of::Prefectd(at) => {
                let stored = self.stored_runs.get(at).copied().unwrap_or_default();
                format!("prefectd, {stored} stored")
            }
        };
        self.failures
            .push(format!("{whose}, {what}: {failed} failed"));
    }

    /// A file's text with the table in its place: the whole one, or that in short.
    pub fn placed(&self, text: &str) -> anyhow::Result<String> {
        let at = |begin: &str, table: &str| {
            let (before, rest) = text.split_once(begin)?;
            let (_, after) = rest.split_once(END)?;
            Some(format!("{before}{begin}{table}{END}{after}"))
        };
        at(WHOLE, &self.markdown())
            .or_else(|| at(SHORT, &self.in_short()))
            .context("the file has no marks for the table")
    }

    fn in_short(&self) -> String {
        let is_kept = |row: &&Row| IN_SHORT.contains(&row.what.as_str());
        let rows = self.rows.iter().filter(is_kept);
        format!("One run on {}:\n\n{}", machine(), self.table(rows))
    }

    fn table<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> String {
        let mut head = vec![String::new(), "unit".to_owned()];
        let sizes = self.stored_runs.iter();
        head.extend(sizes.map(|runs| format!("{} stored runs", thousands(*runs))));
        head.extend(["real server".to_owned(), "ratio".to_owned()]);
        let mut lines = vec![head];
        for row in rows {
            let mut line = vec![row.what.clone(), row.unit.to_owned()];
            line.extend(row.prefectd.iter().map(|value| shown(*value)));
            line.extend([shown(row.real), row.ratio()]);
            lines.push(line);
        }
        aligned(&lines)
    }

    /// The table in Markdown, which is also fit to be read as it is.
    pub fn markdown(&self) -> String {
        let table = self.table(self.rows.iter());
        let mut text = format!("One run on {}:\n\n{table}", machine());
        match self.failures.is_empty() {
            true => text.push_str("\nFailed requests: none.\n"),
            false => {
                text.push_str("\nFailed requests:\n");
                for failure in &self.failures {
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "- {failure}");
                }
            }
        }
        text
    }
}

impl Row {
    /// How many times better on the first database.
    fn ratio(&self) -> String {
        let ours = self.prefectd.first().copied().flatten();
        match (ours, self.real) {
            (Some(ours), Some(real)) if ours > 0.0 && real > 0.0 => {
                let ratio = match self.more_is_better {
                    true => ours / real,
                    false => real / ours,
                };
                format!("{}×", digits(ratio))
            }
            _ => String::new(),
        }
    }
}

fn shown(value: Option<f64>) -> String {
    value.map(digits).unwrap_or_default()
}

/// Three digits that count, the whole part unabridged.
pub fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => thousands(value.round() as u64),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

fn thousands(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

/// Lines of cells as a table in Markdown; the first is its head.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map(Vec::len).unwrap_or_default();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Words to the left, numbers to the right.
            let _ = match column {
                0 | 1 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let rule = "-".repeat(*width);
                let _ = match column {
                    0 | 1 => write!(text, "| {rule} "),
                    _ => write!(text, "| {}: ", rule.get(1..).unwrap_or_default()),
                };
            }
            text.push_str("|\n");
        }
    }
    text
}
