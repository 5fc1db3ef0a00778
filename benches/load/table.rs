//! Tables in Markdown, which are also fit to be read as they are.

use std::fmt::Write;

use super::report::{Report, Row};

/// Rows of a report as a table.
pub fn of<'a>(report: &Report, rows: impl Iterator<Item = &'a Row>) -> String {
    let mut head = vec![String::new(), "unit".to_owned()];
    let sizes = report.stored_runs.iter();
    head.extend(sizes.map(|runs| format!("{} stored runs", thousands(*runs))));
    head.extend(report.peers.iter().map(|peer| (*peer).to_owned()));
    head.push("ratio".to_owned());
    let mut lines = vec![head];
    for row in rows {
        let mut line = vec![row.what.clone(), row.unit.to_owned()];
        let values = row.prefectd.iter().chain(&row.peers);
        line.extend(values.map(|value| value.map(digits).unwrap_or_default()));
        line.push(ratio(row));
        lines.push(line);
    }
    aligned(&lines)
}

/// How many times better `prefectd` is on the first database than the best of the real servers.
fn ratio(row: &Row) -> String {
    let ours = row.prefectd.first().copied().flatten();
    let peers = row.peers.iter().copied().flatten();
    let best = match row.more_is_better {
        true => peers.reduce(f64::max),
        false => peers.reduce(f64::min),
    };
    match (ours, best) {
        (Some(ours), Some(best)) if ours > 0.0 && best > 0.0 => {
            let ratio = match row.more_is_better {
                true => ours / best,
                false => best / ours,
            };
            format!("{}×", digits(ratio))
        }
        _ => String::new(),
    }
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
