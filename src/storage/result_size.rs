//! How much one answer may take in memory.
//!
//! The number of rows of a page is bounded, and so is each value that a client sends; a page of
//! large ones would still be gigabytes. What a statement's rows hold is estimated while they are
//! read, and a statement whose rows are too large together is refused. One row is always read:
//! whatever was stored can be asked for alone.

use std::cell::Cell;

use crate::domain::error::{Error, Kind, Result};

/// What the rows of one statement may take together, in bytes.
const MOST: usize = 32 * 1024 * 1024;
/// Shorter texts do not count; the number of rows bounds them.
const SHORT: usize = 512;
/// What each value of a list or an object takes beside its text.
const VALUE: usize = 64;
/// What a list or an object takes.
const CONTAINER: usize = 256;

thread_local! {
    /// What was read since the statement began.
    static TAKEN: Cell<usize> = const { Cell::new(0) };
    /// What may be read.
    static LIMIT: Cell<usize> = const { Cell::new(MOST) };
}

/// Reads within a lower limit than usual, in bytes for each statement; nothing where that is too low.
pub(super) fn within<T>(
    limit: usize,
    read: impl FnOnce() -> Result<Option<T>>,
) -> Result<Option<T>> {
    LIMIT.set(limit);
    let found = read();
    LIMIT.set(MOST);
    match found {
        Err(error) if error.kind() == Kind::TooLarge => Ok(None),
        found => found,
    }
}

/// Notes a text of so many bytes that is read.
pub(super) fn note_text(bytes: usize) {
    if bytes > SHORT {
        note(bytes);
    }
}

/// Notes JSON that was read and is taken apart.
pub(super) fn note_json(text: &str) {
    if text.len() > SHORT {
        let weight = |byte: u8| match byte {
            b',' => VALUE,
            b'[' | b'{' => CONTAINER,
            _ => 0,
        };
        note(text.len() + text.bytes().map(weight).sum::<usize>());
    }
}

fn note(bytes: usize) {
    TAKEN.with(|taken| taken.set(taken.get().saturating_add(bytes)));
}

/// All rows of a statement, of which so many are expected.
///
/// # Errors
/// [`Kind::TooLarge`] where there are several and they take too much together.
pub(super) fn bounded<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
    expected: usize,
) -> Result<Vec<T>> {
    TAKEN.with(|taken| taken.set(0));
    let mut all = Vec::new();
    for row in rows {
        let row = row?;
        if all.is_empty() {
            // Most questions of those who poll find nothing, and need no room for it.
            all.reserve_exact(expected);
        }
        all.push(row);
        if all.len() > 1 && TAKEN.get() > LIMIT.get() {
            return Err(too_large());
        }
    }
    Ok(all)
}

fn too_large() -> Error {
    let message = "What was asked for is too large for one answer; ask for fewer at once.";
    Error::new(Kind::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_limit_holds_for_one_read() {
        let read = || bounded(rows(1000, 3), 0).map(Some);
        assert_eq!(within(2_000, read).unwrap(), None);
        assert_eq!(within(4_000, read).unwrap(), Some(vec![(); 3]));
        assert_eq!(bounded(rows(1000, 3), 0).unwrap(), [(); 3]);
    }

    fn rows(each: usize, count: usize) -> impl Iterator<Item = rusqlite::Result<()>> {
        std::iter::repeat_with(move || {
            note_text(each);
            Ok(())
        })
        .take(count)
    }

    #[test]
    fn rows_are_bounded_together_and_one_is_always_read() {
        assert_eq!(bounded(rows(SHORT, 10), 0).unwrap().len(), 10);
        assert_eq!(bounded(rows(MOST / 10, 10), 0).unwrap().len(), 10);
        let error = bounded(rows(MOST / 10, 12), 0).unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
        assert_eq!(bounded(rows(MOST + 1, 1), 0).unwrap().len(), 1);
        note_json(&format!("[{}0]", "0,".repeat(1000)));
        assert!(TAKEN.with(Cell::get) > 60_000);
    }
}
