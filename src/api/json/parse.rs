//! Reads JSON, and says where it breaks in the words of Python's `json` module, which the
//! 2.0a7 server uses.
//!
//! As that module does, this takes half a surrogate pair; what has no character of its own is
//! kept as U+FFFD. Unlike it, this takes neither `NaN` nor `Infinity`, and what a body may hold
//! is bounded.

use std::borrow::Cow;

use super::value::{JsonValue, Members, Numeral};

/// How deep values may lie within each other. Less than the 128 of serde_json, which reads
/// what was stored, and answers hold what was sent a few levels deeper.
pub const MOST_DEEP: usize = 100;

/// How many values a body may hold. Each list and object counts as [`CONTAINER`].
pub const MOST_VALUES: usize = 500_000;

/// What a list or an object weighs among the values: it is larger than others in memory.
const CONTAINER: usize = 4;

/// How many characters a number may have; Python reads no longer one.
pub const LONGEST_NUMBER: usize = 4300;

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
    /// Whether it is more than is read, and not wrong otherwise.
    pub is_excess: bool,
}

/// What is wrong with a text that is more than is read.
const EXCESSES: [&str; 3] = ["Too many values", "Number too long", "Nested too deep"];

/// Reads a text; a byte order mark is passed over.
///
/// # Errors
/// The first fault, and where it is.
pub fn parse(text: &str) -> Result<JsonValue<'_>, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
    };
    reader.whole().map_err(|(msg, at)| {
        // A fault within a character is that character's.
        let before = text.get(..at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Malformed {
            msg,
            position: before.chars().count(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: line.chars().count() + 1,
            is_excess: EXCESSES.contains(&msg),
        }
    })
}

/// A fault and its position in bytes.
type Fault = (&'static str, usize);

/// Walks the text; between two steps `at` is where the next one begins.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Result<JsonValue<'a>, Fault> {
        self.blank();
        let value = self.value(0)?;
        self.blank();
        match self.at < self.text.len() {
            true => Err(("Extra data", self.at)),
            false => Ok(value),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn count(&mut self, weight: usize) -> Result<(), Fault> {
        self.values += weight;
        match self.values > MOST_VALUES {
            true => Err(("Too many values", self.at)),
            false => Ok(()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<JsonValue<'a>, Fault> {
        self.count(1)?;
        match self.peek() {
            Some(b'"') => Ok(JsonValue::String(self.string()?)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", JsonValue::Bool(true)),
            Some(b'f') => self.word("false", JsonValue::Bool(false)),
            Some(b'n') => self.word("null", JsonValue::Null),
            _ => Err(("Expecting value", self.at)),
        }
    }

    fn word(&mut self, word: &str, value: JsonValue<'a>) -> Result<JsonValue<'a>, Fault> {
        match self.rest().starts_with(word.as_bytes()) {
            true => {
                self.at += word.len();
                Ok(value)
            }
            false => Err(("Expecting value", self.at)),
        }
    }

    fn digits(&self, from: usize) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        from + count
    }

    /// A number ends where it stops making sense; what follows is someone else's fault.
    fn number(&mut self) -> Result<JsonValue<'a>, Fault> {
        let start = self.at;
        let byte = |at: usize| self.text.as_bytes().get(at);
        let first = start + usize::from(byte(start) == Some(&b'-'));
        let mut end = match byte(first) {
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => self.digits(first),
            _ => return Err(("Expecting value", start)),
        };
        if byte(end) == Some(&b'.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
        }
        if matches!(byte(end), Some(b'e' | b'E')) {
            let from = end + 1 + usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
            if self.digits(from) > from {
                end = self.digits(from);
            }
        }
        if end - start > LONGEST_NUMBER {
            return Err(("Number too long", start));
        }
        self.at = end;
        let text = self.text.get(start..end).unwrap_or_default();
        Ok(JsonValue::Number(Numeral::new(text)))
    }

    /// A text; borrowed where it holds no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let unterminated = ("Unterminated string starting at", self.at);
        self.at += 1;
        let mut whole = String::new();
        loop {
            let start = self.at;
            self.at += plain(self.rest());
            let piece = self.text.get(start..self.at).unwrap_or_default();
            match self.peek().ok_or(unterminated)? {
                b'"' if whole.is_empty() => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(piece));
                }
                b'"' => {
                    self.at += 1;
                    whole.push_str(piece);
                    return Ok(Cow::Owned(whole));
                }
                b'\\' => {
                    whole.push_str(piece);
                    whole.push(self.escape(unterminated)?);
                }
                _ => return Err(("Invalid control character at", self.at)),
            }
        }
    }

    fn escape(&mut self, unterminated: Fault) -> Result<char, Fault> {
        let byte = self.text.as_bytes().get(self.at + 1);
        let plain = match byte.ok_or(unterminated)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unit_escape(),
            _ => return Err(("Invalid \\escape", self.at)),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them where they are a surrogate pair.
    fn unit_escape(&mut self) -> Result<char, Fault> {
        let fault = ("Invalid \\uXXXX escape", self.at + 1);
        let unit = self.unit().ok_or(fault)?;
        self.at += 6;
        let second = match unit {
            0xd800..=0xdbff => self.unit().filter(|unit| (0xdc00..=0xdfff).contains(unit)),
            _ => None,
        };
        if let Some(second) = second {
            self.at += 6;
            let pair = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// The number in the escape that begins here, if one does. The closing quote must follow, or
    /// that module looks no further.
    fn unit(&self) -> Option<u32> {
        let text = self.text.as_bytes().get(self.at..self.at + 6)?;
        let digits = text.strip_prefix(b"\\u")?;
        let is_whole = digits.iter().all(u8::is_ascii_hexdigit) && self.at + 6 < self.text.len();
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_whole)?;
        u32::from_str_radix(digits, 16).ok()
    }

    fn deeper(&mut self, depth: usize) -> Result<usize, Fault> {
        self.count(CONTAINER - 1)?;
        match depth >= MOST_DEEP {
            true => Err(("Nested too deep", self.at)),
            false => Ok(depth + 1),
        }
    }

    fn array(&mut self, depth: usize) -> Result<JsonValue<'a>, Fault> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.blank();
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(JsonValue::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blank();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(JsonValue::Array(items));
                }
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                }
                _ => return Err(("Expecting ',' delimiter", self.at)),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<JsonValue<'a>, Fault> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.blank();
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(JsonValue::Object(Members::new(members)));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(("Expecting property name enclosed in double quotes", self.at));
            }
            self.count(1)?;
            let name = self.string()?;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.blank();
            members.push((name, self.value(depth)?));
            self.blank();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(JsonValue::Object(Members::new(members)));
                }
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                }
                _ => return Err(("Expecting ',' delimiter", self.at)),
            }
        }
    }
}

/// How many bytes from the start are neither a quote, a backslash nor a control character.
/// Eight are looked at at once.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let without_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = without_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = without_zero(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & (ONES * 0x80);
        if found != 0 {
            return number * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let from = words.len() * 8;
    let rest = bytes.get(from..).unwrap_or_default();
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    from + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
