//! How things are written on pages. All that comes from elsewhere passes by [`text`] or one of
//! its kin, and so is escaped, has no control characters, and turns no writing around.

pub mod ansi;
pub mod content;
pub mod json;
pub mod state;
pub mod times;

use std::fmt;

/// What may stand in a page as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Markup of our own.
    pub fn fixed(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Markup that is put together here of parts that are escaped.
    pub(in crate::pages) fn of(markup: String) -> Self {
        Self(markup)
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// The most characters of a name in a list.
const SHORT: usize = 200;
/// The most characters of anything else.
const LONG: usize = 10_000;

/// A text that somebody wrote, on one line.
pub fn text(text: &str) -> Html {
    written(text, LONG, false)
}

/// The same, cut to what a list has room for.
pub fn short(text: &str) -> Html {
    written(text, SHORT, false)
}

/// A text that somebody wrote, with its lines.
pub fn lines(text: &str) -> Html {
    written(text, LONG, true)
}

fn written(text: &str, most: usize, has_lines: bool) -> Html {
    let mut out = String::with_capacity(text.len().min(most) + 16);
    let mut chars = text.chars();
    for c in chars.by_ref().take(most) {
        match c {
            '\n' | '\t' if has_lines => out.push(c),
            _ => push(&mut out, c),
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    Html(out)
}

/// Puts a character where it is text, as something that can be seen.
pub fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\0'..='\x1f' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\x7f' => out.push('␡'),
        // What turns writing around beyond its own place, and what is not seen at all.
        '\u{80}'..='\u{9f}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => out.push_str(&format!("⟨{:X}⟩", u32::from(c))),
        _ => out.push(c),
    }
}

/// A text as part of an address.
pub fn in_address(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A number of bytes.
pub fn bytes(number: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    match unit {
        0 => format!("{number} {name}"),
        _ if value < 10.0 => format!("{value:.1} {name}"),
        _ => format!("{value:.0} {name}"),
    }
}

/// A number with its thousands apart.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of something, whose plural ends with an s.
pub fn count(of: u64, what: &str) -> String {
    match of {
        1 => format!("1 {what}"),
        _ => format!("{} {what}s", number(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_stays_text() {
        for (written, shown) in [
            ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
            ("a\u{1b}[31m\0b", "a␛[31m␀b"),
            ("a\nb", "a␊b"),
            ("x\u{202e}y\u{2067}", "x⟨202E⟩y⟨2067⟩"),
            ("مرحبا", "مرحبا"),
        ] {
            assert_eq!(text(written).as_str(), shown);
        }
        assert_eq!(lines("a\n<").as_str(), "a\n&lt;");
        let long = short(&"x".repeat(10_000));
        assert_eq!(long.as_str().chars().count(), SHORT + 1);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(count(1, "run"), "1 run");
        assert_eq!(count(2000, "run"), "2,000 runs");
        assert_eq!(bytes(512), "512 bytes");
        assert_eq!(bytes(412 * 1024 * 1024), "412 MiB");
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
