//! Text from elsewhere, on its way to a terminal: what would move the cursor, or reorder what
//! is read, is shown instead of done.

use std::fmt::Write;

/// A name or another cell: all on one line.
pub fn name(text: &str) -> String {
    escaped(text, |_| false)
}

/// Text of several lines.
pub fn text(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

/// A log line: its colours stay, and what they change is put back at its end; its further lines
/// begin below its first one, `indent` columns in.
pub fn log(message: &str, indent: usize) -> String {
    let message = message.trim_end_matches(['\r', '\n']);
    let mut shown = String::with_capacity(message.len());
    let (mut rest, mut coloured) = (message, false);
    while let Some(c) = rest.chars().next() {
        if let Some(colour) = colour(rest) {
            shown.push_str(colour);
            coloured = true;
            rest = rest.get(colour.len()..).unwrap_or_default();
            continue;
        }
        match c {
            '\n' => {
                shown.push('\n');
                shown.extend(std::iter::repeat_n(' ', indent));
            }
            '\t' => shown.push('\t'),
            _ => push(&mut shown, c),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    if coloured {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

/// JSON that says the same without a character that a terminal obeys.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // They are in strings only.
            c if c != '\n' && is_obeyed(c) => drop(write!(shown, "\\u{:04x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if stays(c) {
            shown.push(c);
        } else {
            push(&mut shown, c);
        }
    }
    shown
}

fn push(shown: &mut String, c: char) {
    if is_obeyed(c) {
        shown.extend(c.escape_default());
    } else {
        shown.push(c);
    }
}

/// Controls, and marks that turn the direction of writing.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The sequence for a colour or another rendition that the text begins with.
fn colour(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    rest.get(end..)?.strip_prefix('m')?;
    text.get(..end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_their_line_and_obey_nothing() {
        assert_eq!(
            name("a\nb\u{1b}[2J\u{9b}x\u{202e}"),
            "a\\nb\\u{1b}[2J\\u{9b}x\\u{202e}"
        );
        assert_eq!(name("Grüße 👋"), "Grüße 👋");
        assert_eq!(text("a\nb\r"), "a\nb\\r");
    }

    #[test]
    fn logs_keep_their_colours_and_move_nothing() {
        let red = "\u{1b}[1;31mred\u{1b}[0m";
        assert_eq!(log(red, 2), format!("{red}\u{1b}[0m"));
        assert_eq!(
            log("a\u{1b}[2Jb\u{1b}]0;t\u{7}", 2),
            "a\\u{1b}[2Jb\\u{1b}]0;t\\u{7}"
        );
        assert_eq!(log("50 %\r100 %\r\n", 2), "50 %\\r100 %");
        assert_eq!(log("one\n\ttwo", 2), "one\n  \ttwo");
        assert_eq!(log("\u{1b}[31", 0), "\\u{1b}[31");
    }

    #[test]
    fn json_says_the_same() {
        let text = "{\n\"a\": \"\u{9b}\u{7f}\u{202e}ä\"}";
        let shown = json(text);
        assert!(!shown.contains(['\u{9b}', '\u{7f}', '\u{202e}']));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(text));
    }
}
