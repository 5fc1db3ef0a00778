//! Documents: bytes that a client leaves here and fetches again by name.

use std::fmt;
use std::str::FromStr;

use super::error::{Error, Result};

/// A document's name: the SHA-256 of its bytes. Nothing else can be asked for, so no path
/// that a client writes ever reaches the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentId([u8; 32]);

impl DocumentId {
    /// The document whose bytes have this hash.
    pub const fn from_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for DocumentId {
    type Err = Error;

    /// Accepts exactly 64 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid("This is not the name of a stored document.");
        let digits = text.as_bytes();
        let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.iter().all(is_digit) {
            return Err(invalid());
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_a_name() {
        let upper = "A".repeat(64);
        let beyond = "g".repeat(64);
        for text in ["", "/etc/passwd", "../../etc/passwd", &upper, &beyond] {
            assert!(text.parse::<DocumentId>().is_err(), "{text}");
        }
        let name = DocumentId::from_hash([0xab; 32]).to_string();
        assert_eq!(name.parse::<DocumentId>().unwrap().to_string(), name);
    }
}
