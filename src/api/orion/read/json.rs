//! JSON, and where it breaks in the words of Python's `json` module, which that server uses.

use super::given::Given;

/// Why a text is no JSON.
#[derive(Debug, PartialEq)]
pub struct Malformed {
    /// The fault.
    pub msg: &'static str,
    /// Where, in characters from the start.
    pub position: usize,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// Reads a text; a byte order mark is passed over.
pub fn parse(text: &str) -> Result<Given<'_>, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|_| {
        let scan = Scan {
            chars: text.chars().collect(),
        };
        let (msg, position) = scan.fault();
        let before = scan.chars.get(..position).unwrap_or(&scan.chars);
        let start = before
            .iter()
            .rposition(|c| *c == '\n')
            .map_or(0, |at| at + 1);
        Malformed {
            msg,
            position,
            line: before.iter().filter(|c| **c == '\n').count() + 1,
            column: position - start + 1,
        }
    })
}

/// A fault and its position.
type Fault = (&'static str, usize);

/// How deep values may lie within each other; serde_json's own limit.
const DEEPEST: usize = 128;

/// Walks the text as that module's scanner does. Every step takes the position where it
/// begins and answers the one after its end.
struct Scan {
    chars: Vec<char>,
}

impl Scan {
    /// The first fault of a text that serde_json refused.
    fn fault(&self) -> Fault {
        let start = self.blank(0);
        match self.value(start, 0) {
            Err(fault) => fault,
            Ok(end) => match self.blank(end) {
                end if end < self.chars.len() => ("Extra data", end),
                // That module takes what serde_json does not, such as half a surrogate pair.
                _ => ("Expecting value", start),
            },
        }
    }

    fn at(&self, position: usize) -> Option<char> {
        self.chars.get(position).copied()
    }

    fn blank(&self, mut at: usize) -> usize {
        while matches!(self.at(at), Some(' ' | '\t' | '\n' | '\r')) {
            at += 1;
        }
        at
    }

    fn value(&self, at: usize, depth: usize) -> Result<usize, Fault> {
        match self.at(at) {
            _ if depth > DEEPEST => Err(("Expecting value", at)),
            Some('"') => self.string(at),
            Some('{') => self.object(at, depth),
            Some('[') => self.array(at, depth),
            Some('-' | '0'..='9') => self.number(at),
            _ => ["null", "true", "false"]
                .iter()
                .find(|word| self.has(at, word))
                .map(|word| at + word.len())
                .ok_or(("Expecting value", at)),
        }
    }

    fn has(&self, at: usize, word: &str) -> bool {
        let found = self.chars.get(at..at + word.len());
        found.is_some_and(|found| found.iter().copied().eq(word.chars()))
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.at(at).is_some_and(|c| c.is_ascii_digit()) {
            at += 1;
        }
        at
    }

    /// A number ends where it stops making sense; what follows is someone else's fault.
    fn number(&self, start: usize) -> Result<usize, Fault> {
        let at = start + usize::from(self.at(start) == Some('-'));
        let mut end = match self.at(at) {
            Some('0') => at + 1,
            Some('1'..='9') => self.digits(at),
            _ => return Err(("Expecting value", start)),
        };
        if self.at(end) == Some('.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some('+' | '-')));
            let from = end + 1 + sign;
            if self.digits(from) > from {
                end = self.digits(from);
            }
        }
        Ok(end)
    }

    fn string(&self, start: usize) -> Result<usize, Fault> {
        let unterminated = ("Unterminated string starting at", start);
        let mut at = start + 1;
        loop {
            match self.at(at).ok_or(unterminated)? {
                '"' => return Ok(at + 1),
                '\u{0}'..='\u{1f}' => return Err(("Invalid control character at", at)),
                '\\' => at = self.escape(at, unterminated)?,
                _ => at += 1,
            }
        }
    }

    fn escape(&self, at: usize, unterminated: Fault) -> Result<usize, Fault> {
        match self.at(at + 1).ok_or(unterminated)? {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => Ok(at + 2),
            'u' => {
                let digits = self.chars.get(at + 2..at + 6).unwrap_or_default();
                // The closing quote must follow, or that module looks no further.
                let is_whole = digits.iter().all(char::is_ascii_hexdigit)
                    && digits.len() == 4
                    && at + 6 < self.chars.len();
                match is_whole {
                    true => Ok(at + 6),
                    false => Err(("Invalid \\uXXXX escape", at + 1)),
                }
            }
            _ => Err(("Invalid \\escape", at)),
        }
    }

    fn array(&self, start: usize, depth: usize) -> Result<usize, Fault> {
        let mut at = self.blank(start + 1);
        if self.at(at) == Some(']') {
            return Ok(at + 1);
        }
        loop {
            at = self.blank(self.value(at, depth + 1)?);
            match self.at(at) {
                Some(']') => return Ok(at + 1),
                Some(',') => at = self.blank(at + 1),
                _ => return Err(("Expecting ',' delimiter", at)),
            }
        }
    }

    fn object(&self, start: usize, depth: usize) -> Result<usize, Fault> {
        let mut at = self.blank(start + 1);
        if self.at(at) == Some('}') {
            return Ok(at + 1);
        }
        loop {
            if self.at(at) != Some('"') {
                return Err(("Expecting property name enclosed in double quotes", at));
            }
            at = self.blank(self.string(at)?);
            if self.at(at) != Some(':') {
                return Err(("Expecting ':' delimiter", at));
            }
            at = self.blank(self.value(self.blank(at + 1), depth + 1)?);
            match self.at(at) {
                Some('}') => return Ok(at + 1),
                Some(',') => at = self.blank(at + 1),
                _ => return Err(("Expecting ',' delimiter", at)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Malformed;

    fn parse(text: &str) -> Result<Value, Malformed> {
        super::parse(text).map(|given| Value::from(&given))
    }

    #[test]
    fn faults_are_told_by_character_line_and_column() {
        let fault = |msg, position, line, column| {
            Err(Malformed {
                msg,
                position,
                line,
                column,
            })
        };
        assert_eq!(parse("\u{feff}{}"), Ok(json!({})));
        assert_eq!(parse("[\n1,\n]"), fault("Expecting value", 5, 3, 1));
        assert_eq!(parse("\"ü\" x"), fault("Extra data", 4, 1, 5));
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep), fault("Expecting value", 129, 1, 130));
    }
}
