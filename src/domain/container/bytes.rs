//! Numbers of bytes as Docker's users write them.

use std::str::FromStr;

use serde::Deserialize;

/// What the letters stand for.
const UNITS: &[(char, i64)] = &[
    ('k', 1 << 10),
    ('m', 1 << 20),
    ('g', 1 << 30),
    ('t', 1 << 40),
];

/// A number of bytes, as `536870912`, `512m` or `2g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "BytesInput")]
pub struct Bytes(pub i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum BytesInput {
    Number(i64),
    Text(String),
}

impl TryFrom<BytesInput> for Bytes {
    type Error = String;

    fn try_from(input: BytesInput) -> Result<Self, String> {
        match input {
            BytesInput::Number(number) if number >= 0 => Ok(Self(number)),
            BytesInput::Number(number) => Err(format!("{number} is no number of bytes")),
            BytesInput::Text(text) => text.parse(),
        }
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let bare = lower.trim_end_matches('b').trim_end_matches('i');
        let (unit, digits) = UNITS
            .iter()
            .find_map(|(letter, unit)| Some((*unit, bare.strip_suffix(*letter)?)))
            .unwrap_or((1, bare));
        let number: Option<i64> = digits.trim().parse().ok().filter(|number| *number >= 0);
        let bytes = number.and_then(|number| number.checked_mul(unit));
        bytes
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no number of bytes; write it as 512m or 2g"))
    }
}

impl Default for Bytes {
    /// None, which to the engine means no limit.
    fn default() -> Self {
        Self(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("2g", 2 << 30),
            ("64MiB", 64 << 20),
            ("1kb", 1024),
            ("100b", 100),
            ("7", 7),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "m", "-1m", "x", "99999999999999999g"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
