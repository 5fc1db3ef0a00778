//! From bytes to lines.

use crate::domain::time::Timestamp;

/// The longest line that is kept whole, in bytes; what is beyond it starts a new line.
const LONGEST_LINE: usize = 16 * 1024;

/// Gathers pieces of output into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that `piece` completes. Where long lines are cut does not depend on how
    /// the pieces were cut.
    pub fn push(&mut self, piece: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(piece);
        let mut lines = Vec::new();
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let taken = match end {
                Some(end) if end <= LONGEST_LINE => end + 1,
                _ if self.rest.len() > LONGEST_LINE => LONGEST_LINE,
                _ => return lines,
            };
            let line: Vec<u8> = self.rest.drain(..taken).collect();
            lines.push(text(&line));
        }
    }

    /// The last line, when it was not ended.
    pub fn finish(self) -> Option<String> {
        (!self.rest.is_empty()).then(|| text(&self.rest))
    }
}

fn text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end_matches(['\n', '\r']).to_owned()
}

/// Splits `2022-03-01T12:00:00.123456789Z the line`, as the engine prefixes lines.
pub(super) fn stamped(line: &str) -> Option<(Timestamp, &str)> {
    let (stamp, text) = line.split_once(' ').unwrap_or((line, ""));
    let at = chrono::DateTime::parse_from_rfc3339(stamp).ok()?;
    Some((at.to_utc().into(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_whatever_their_cuts() {
        let mut lines = Lines::default();
        assert!(lines.push(b"a").is_empty());
        assert_eq!(lines.push(b"b\r\nc\n\nd"), ["ab", "c", ""]);
        assert_eq!(lines.finish().as_deref(), Some("d"));
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut lines = Lines::default();
        let got = lines.push(&[b'x'; LONGEST_LINE + 1]);
        assert_eq!(got.len(), 1);
        assert_eq!(lines.finish().as_deref(), Some("x"));
    }

    #[test]
    fn the_engine_s_stamp_is_taken_off() {
        let (at, text) = stamped("1970-01-01T00:00:01.000002999Z hello world").unwrap();
        assert_eq!((at.micros(), text), (1_000_002, "hello world"));
        assert!(stamped("no stamp here").is_none());
    }
}
