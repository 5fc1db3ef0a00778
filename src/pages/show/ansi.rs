//! Lines that programs print: colours become classes; every other control character is shown
//! and not obeyed.

use super::{Html, push};

/// The most characters of a line that are shown.
const LONGEST: usize = 16 * 1024;

/// A line with its colours.
pub fn line(text: &str) -> Html {
    let mut out = String::with_capacity(text.len().min(LONGEST) + 32);
    let mut style = Style::default();
    let mut rest = text;
    let mut left = LONGEST;
    loop {
        if let Some((codes, after)) = colours(rest) {
            style.change(codes, &mut out);
            rest = after;
            continue;
        }
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { break };
        if left == 0 {
            let more = rest.chars().count();
            out.push_str(&format!("… {} more characters", super::number(more as u64)));
            break;
        }
        left -= 1;
        rest = chars.as_str();
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if rest.is_empty() || rest.starts_with('\n') => {}
            _ => push(&mut out, c),
        }
    }
    style.end(&mut out);
    Html::of(out)
}

/// The codes of a colour sequence that a text begins with, and what comes after it.
fn colours(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("\x1b[")?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    let (codes, after) = rest.split_at(end);
    Some((codes, after.strip_prefix('m')?))
}

#[derive(Default)]
struct Style {
    is_bold: bool,
    colour: Option<u16>,
    is_open: bool,
}

impl Style {
    fn change(&mut self, codes: &str, out: &mut String) {
        self.end(out);
        let mut codes = codes.split(';').map(|code| code.parse().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => (self.is_bold, self.colour) = (false, None),
                1 => self.is_bold = true,
                22 => self.is_bold = false,
                31..=36 | 90 => self.colour = Some(code),
                91..=96 => self.colour = Some(code - 60),
                30 | 37 | 39 | 97 => self.colour = None,
                // Colours by number or by parts take further codes along.
                38 | 48 => {
                    let more = match codes.next() {
                        Some(5) => 1,
                        Some(2) => 3,
                        _ => 0,
                    };
                    codes.by_ref().take(more).for_each(drop);
                }
                _ => {}
            }
        }
        self.begin(out);
    }

    fn begin(&mut self, out: &mut String) {
        let bold = self.is_bold.then_some("a1".to_owned());
        let colour = self.colour.map(|colour| format!("a{colour}"));
        let classes: Vec<_> = bold.into_iter().chain(colour).collect();
        if !classes.is_empty() {
            out.push_str(&format!("<span class=\"{}\">", classes.join(" ")));
            self.is_open = true;
        }
    }

    fn end(&mut self, out: &mut String) {
        if self.is_open {
            out.push_str("</span>");
            self.is_open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_nothing_else_is_obeyed() {
        for (printed, shown) in [
            ("plain <b>", "plain &lt;b&gt;"),
            ("\x1b[31mred\x1b[0m x", "<span class=\"a31\">red</span> x"),
            ("\x1b[1;92mok", "<span class=\"a1 a32\">ok</span>"),
            ("\x1b[38;5;200mx\x1b[m", "x"),
            ("\x1b[2J\x1b]0;t\x07", "␛[2J␛]0;t␇"),
            ("a\x1b[", "a␛["),
            ("50 %\r60 %\r\n", "50 %␍60 %\n"),
            ("\x1b[99999999mx", "x"),
        ] {
            assert_eq!(line(printed).as_str(), shown, "{printed:?}");
        }
        let long = line(&"x".repeat(LONGEST + 1234));
        assert!(long.as_str().ends_with("… 1,234 more characters"));
    }
}
