//! Tables, as wide as the terminal.

use std::io::{IsTerminal, stdout};

use comfy_table::{Cell, ContentArrangement, Table};
use terminal_size::{Width, terminal_size_of};

use super::escape;

/// Terminals that say they are narrower than this do not know how wide they are.
const NARROWEST: u16 = 20;
/// The space between two columns.
const GAP: u16 = 2;

/// The spare number of a column that is shown nowhere.
const NEVER: u8 = u8::MAX;

/// A column's head.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    name: &'static str,
    /// Left out where there is no room for it, the largest first; 0 is always shown.
    spare: u8,
}

/// A column that is always shown.
pub const fn keep(name: &'static str) -> Head {
    Head { name, spare: 0 }
}

/// A column that is left out where there is no room for all; those of a larger number go first.
pub const fn spare(name: &'static str, spare: u8) -> Head {
    Head { name, spare }
}

/// A column that there is nothing to say in.
pub const fn never(name: &'static str) -> Head {
    Head { name, spare: NEVER }
}

/// A table as wide as the terminal. Anywhere else, and where the terminal's width is not known,
/// it is as wide as it is. Whatever the cells hold, a row is a row.
pub fn table<const N: usize>(head: [Head; N], rows: impl Iterator<Item = [String; N]>) -> String {
    drawn(head, rows, width())
}

/// How wide the terminal is; nothing where there is none, or it does not know.
pub fn width() -> Option<u16> {
    let out = stdout();
    let size = out.is_terminal().then(|| terminal_size_of(&out))?;
    size.map(|(Width(width), _)| width)
        .filter(|width| *width >= NARROWEST)
}

fn drawn<const N: usize>(
    head: [Head; N],
    rows: impl Iterator<Item = [String; N]>,
    width: Option<u16>,
) -> String {
    let rows: Vec<_> = rows
        .map(|row| row.map(|cell| escape::name(&cell)))
        .collect();
    if rows.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<usize> = (0..N).collect();
    shown.retain(|index| head.get(*index).is_some_and(|head| head.spare != NEVER));
    loop {
        let mut table = laid_out(&head, &rows, &shown);
        let Some(width) = width else {
            return trimmed(&table.to_string());
        };
        let wanted: u16 = table.column_max_content_widths().iter().sum();
        let gaps = GAP * u16::try_from(shown.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let rank = |index: &usize| head.get(*index).map_or(0, |head| head.spare);
        let most = shown.iter().map(rank).max().unwrap_or(0);
        if wanted.saturating_add(gaps) <= width || most == 0 {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
            return trimmed(&table.to_string());
        }
        shown.retain(|index| rank(index) < most);
    }
}

fn laid_out<const N: usize>(head: &[Head; N], rows: &[[String; N]], shown: &[usize]) -> Table {
    let mut table = Table::new();
    let heads = shown.iter().filter_map(|index| head.get(*index));
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads.map(|head| Cell::new(head.name.to_uppercase())));
    for row in rows {
        let cells = shown.iter().filter_map(|index| row.get(*index));
        table.add_row(cells.map(Cell::new));
    }
    let last = shown.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { GAP }));
    }
    table
}

fn trimmed(table: &str) -> String {
    let lines: Vec<_> = table.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> impl Iterator<Item = [String; 3]> {
        let rows = [
            ["brave-owl-of-the-north", "Completed", "0a1b2c3d"],
            ["a\nb", "Running", "0a1b2c3e"],
        ];
        rows.map(|row| row.map(str::to_owned)).into_iter()
    }

    const HEAD: [Head; 3] = [keep("name"), spare("state", 1), keep("id")];

    #[test]
    fn tables_line_up_and_say_when_they_are_empty() {
        let wide = drawn(HEAD, rows(), None);
        assert_eq!(
            wide,
            "NAME                    STATE      ID\n\
             brave-owl-of-the-north  Completed  0a1b2c3d\n\
             a\\nb                    Running    0a1b2c3e"
        );
        assert_eq!(drawn(HEAD, rows(), Some(80)), wide);
        assert_eq!(drawn([keep("name")], std::iter::empty(), Some(80)), "none");
    }

    #[test]
    fn narrow_tables_leave_columns_out_before_they_wrap_cells() {
        let narrow = drawn(HEAD, rows(), Some(40));
        assert!(!narrow.contains("STATE") && narrow.contains("brave-owl-of-the-north"));
        let tiny = drawn(HEAD, rows(), Some(24));
        let mut lines = tiny.lines();
        assert!(lines.all(|line| line.len() <= 24), "{tiny}");
        assert!(tiny.contains("0a1b2c3d"), "{tiny}");
    }
}
