//! From what a process prints to lines. Pure: neither an engine nor a file.
//!
//! A line is kept whole up to [`LONGEST_LINE`] bytes; a longer one becomes several, and nothing
//! of it is lost. Of a line that is drawn over itself by carriage returns, as progress bars do,
//! the last drawing counts: it is what a terminal shows in the end.

use crate::domain::log::Stream;
use crate::domain::time::Timestamp;

use super::OutputLine;

/// The longest line that is kept whole, in bytes; what is beyond it starts a new line.
pub const LONGEST_LINE: usize = 256 * 1024;

/// The longest stamp that an engine puts before what a container prints.
const LONGEST_STAMP: usize = 40;

/// Gathers pieces of output into lines. What comes of them does not depend on how the pieces
/// were cut.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
    /// Whether a carriage return came last: what follows is drawn over the rest.
    returned: bool,
}

impl Lines {
    /// The lines that `piece` completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            match part.split_last() {
                Some((b'\n', text)) => {
                    self.draw(text, &mut lines);
                    self.returned = false;
                    lines.push(text_of(&std::mem::take(&mut self.rest)));
                }
                Some((b'\r', text)) => {
                    self.draw(text, &mut lines);
                    self.returned = true;
                }
                _ => self.draw(part, &mut lines),
            }
        }
        lines
    }

    /// The last line, when it was not ended.
    pub fn finish(self) -> Option<String> {
        (!self.rest.is_empty()).then(|| text_of(&self.rest))
    }

    /// Text without an end of line. What is longer than a line may be goes to `lines`.
    fn draw(&mut self, text: &[u8], lines: &mut Vec<String>) {
        if text.is_empty() {
            return;
        }
        if std::mem::take(&mut self.returned) {
            self.rest.clear();
        }
        let mut left = text;
        while self.rest.len() + left.len() > LONGEST_LINE {
            let room = LONGEST_LINE - self.rest.len();
            let (now, later) = left.split_at(room);
            self.rest.extend_from_slice(now);
            left = later;
            let begun = self.rest.split_off(whole_letters(&self.rest));
            lines.push(text_of(&std::mem::replace(&mut self.rest, begun)));
        }
        self.rest.extend_from_slice(left);
    }
}

/// How many of the bytes end at a letter's end: a letter that is not whole is left out, unless
/// the bytes are no UTF-8 at all.
fn whole_letters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4);
    let Some(back) = last.into_iter().position(|byte| byte & 0xC0 != 0x80) else {
        return bytes.len();
    };
    let start = bytes.len() - back - 1;
    let is_cut = |from: usize| {
        let tail = bytes.get(from..).unwrap_or_default();
        std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none())
    };
    if start > 0 && is_cut(start) {
        start
    } else {
        bytes.len()
    }
}

fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// Gathers an engine's log frames, of both streams, into lines.
///
/// Each frame is `2022-03-01T12:00:00.123456789Z`, a space, and what was printed. The engine
/// cuts what is longer than 16 KiB into several frames, each with a stamp of its own, and only
/// the last of them ends with a newline. A line's time is that of the frame that completes it,
/// so that lines are in the order of their times.
#[derive(Debug, Default)]
pub struct Frames {
    out: Lines,
    err: Lines,
    /// The time of the last frame that had one.
    last: Option<Timestamp>,
}

impl Frames {
    /// The lines that a frame completes. `now` is the time of a frame that says none, when no
    /// frame before it said one.
    pub fn push(&mut self, from: Stream, frame: &[u8], now: Timestamp) -> Vec<OutputLine> {
        let (stamp, text) = stamped(frame);
        let timestamp = stamp.or(self.last).unwrap_or(now);
        self.last = Some(timestamp);
        let lines = match from {
            Stream::Stdout => self.out.push(text),
            Stream::Stderr => self.err.push(text),
        };
        lines
            .into_iter()
            .map(|text| line(timestamp, from, text))
            .collect()
    }

    /// The last lines, when they were not ended.
    pub fn finish(self, now: Timestamp) -> Vec<OutputLine> {
        let timestamp = self.last.unwrap_or(now);
        let rests = [(self.out, Stream::Stdout), (self.err, Stream::Stderr)];
        let lines = rests
            .into_iter()
            .filter_map(|(rest, from)| Some(line(timestamp, from, rest.finish()?)));
        lines.collect()
    }
}

fn line(timestamp: Timestamp, from: Stream, text: String) -> OutputLine {
    OutputLine {
        timestamp,
        stream: Some(from),
        text,
    }
}

/// Takes the engine's stamp off a frame. A frame without one is all text.
fn stamped(frame: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let end = frame
        .iter()
        .take(LONGEST_STAMP)
        .position(|byte| matches!(byte, b' ' | b'\n' | b'\r'))
        .unwrap_or(frame.len().min(LONGEST_STAMP));
    let (stamp, rest) = frame.split_at(end);
    let at = std::str::from_utf8(stamp)
        .ok()
        .and_then(|stamp| chrono::DateTime::parse_from_rfc3339(stamp).ok());
    match at {
        Some(at) => (
            Some(at.to_utc().into()),
            rest.strip_prefix(b" ").unwrap_or(rest),
        ),
        None => (None, frame),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(7);

    /// All lines of pieces, the last included.
    fn lines_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut lines = Lines::default();
        let mut got: Vec<_> = pieces
            .into_iter()
            .flat_map(|piece| lines.push(piece))
            .collect();
        got.extend(lines.finish());
        got
    }

    #[test]
    fn pieces_become_lines_whatever_their_cuts() {
        let mut lines = Lines::default();
        assert!(lines.push(b"a").is_empty());
        assert_eq!(lines.push(b"b\r\nc\n\nd"), ["ab", "c", ""]);
        assert_eq!(lines.finish().as_deref(), Some("d"));
    }

    #[test]
    fn a_long_line_becomes_several_and_loses_nothing() {
        let long = "ä€𝄞x".repeat(LONGEST_LINE / 4);
        let got = lines_of([long.as_bytes(), b"\nnext"]);
        assert!(got.len() > 2);
        assert!(got.iter().all(|line| line.len() <= LONGEST_LINE));
        assert_eq!(got.last().unwrap(), "next");
        assert_eq!(got[..got.len() - 1].concat(), long);
        let whole = "x".repeat(LONGEST_LINE);
        assert_eq!(lines_of([whole.as_bytes()]), std::slice::from_ref(&whole));
        // Bytes that are no text are cut anywhere.
        let wild = vec![0x80; LONGEST_LINE + 1];
        assert_eq!(lines_of([wild.as_slice()]).len(), 2);
    }

    #[test]
    fn of_a_line_that_is_drawn_again_and_again_the_last_drawing_is_kept() {
        let bar: String = (0..=100_000)
            .map(|step| format!("\r{step} of 100000"))
            .collect();
        assert_eq!(
            lines_of([bar.as_bytes(), b"\r\nafter\n"]),
            ["100000 of 100000", "after"]
        );
        assert_eq!(lines_of([b"a\r".as_slice(), b"", b"b"]), ["b"]);
        assert_eq!(lines_of([b"a\r\r\n".as_slice(), b"\r"]), ["a"]);
    }

    /// What the engine makes of a text that is printed at once.
    fn frames(text: &str, second: i64) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for line in text.split_inclusive('\n') {
            for (part, piece) in line.as_bytes().chunks(16 * 1024).enumerate() {
                let stamp = format!("1970-01-01T00:00:{second:02}.{part:09}Z ");
                frames.push([stamp.as_bytes(), piece].concat());
            }
        }
        frames
    }

    #[test]
    fn a_line_in_many_frames_comes_whole() {
        let long = "0123456789ä".repeat(20_000);
        let mut got = Frames::default();
        let mut lines = Vec::new();
        for frame in frames(&format!("{long}\nshort\n\nrest"), 1) {
            lines.extend(got.push(Stream::Stdout, &frame, NOW));
            // The other stream does not disturb it.
            lines.extend(got.push(Stream::Stderr, b"1970-01-01T00:00:01.5Z .", NOW));
        }
        lines.extend(got.finish(NOW));
        let (err, out): (Vec<_>, Vec<_>) = lines
            .into_iter()
            .partition(|line| line.stream == Some(Stream::Stderr));
        let texts: Vec<_> = out.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, [long.as_str(), "short", "", "rest"]);
        assert_eq!(err.len(), 1);
        assert_eq!(
            err[0].text,
            ".".repeat(frames(&format!("{long}\nshort\n\nrest"), 1).len())
        );
    }

    #[test]
    fn the_engine_s_stamp_is_taken_off_and_what_has_none_is_kept() {
        let mut frames = Frames::default();
        let got = frames.push(Stream::Stdout, b"no stamp here\n", NOW);
        assert_eq!(
            (got[0].timestamp, got[0].text.as_str()),
            (NOW, "no stamp here")
        );
        let got = frames.push(
            Stream::Stdout,
            b"1970-01-01T00:00:01.000002999Z hello world\n",
            NOW,
        );
        assert_eq!(
            (got[0].timestamp.micros(), got[0].text.as_str()),
            (1_000_002, "hello world")
        );
        let got = frames.push(Stream::Stdout, b"1970-01-01T00:00:02Z\n", NOW);
        assert_eq!(
            (got[0].timestamp.micros(), got[0].text.as_str()),
            (2_000_000, "")
        );
        let got = frames.push(Stream::Stdout, b"again none\n", NOW);
        assert_eq!(
            (got[0].timestamp.micros(), got[0].text.as_str()),
            (2_000_000, "again none")
        );
    }

    proptest! {
        /// How the pieces are cut makes no difference, and without carriage returns nothing is lost.
        #[test]
        fn cuts_make_no_difference(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300),
            cut in 0usize..300,
        ) {
            let (first, second) = text.split_at(cut.min(text.len()));
            prop_assert_eq!(lines_of([first, second]), lines_of(text.chunks(1)));
            let plain: Vec<u8> = text.into_iter().filter(|byte| byte.is_ascii() && *byte != b'\r').collect();
            let told = lines_of([plain.as_slice()]).join("\n");
            let plain = String::from_utf8(plain).unwrap();
            prop_assert_eq!(told, plain.strip_suffix('\n').unwrap_or(&plain));
        }

        /// Whatever the engine sends, its lines are bounded and in the order of their frames.
        #[test]
        fn any_frames_are_read(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..40)) {
            let mut got = Frames::default();
            for (place, frame) in frames.iter().enumerate() {
                let from = if place % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
                for line in got.push(from, frame, NOW) {
                    prop_assert!(line.text.len() <= 3 * LONGEST_LINE);
                }
            }
            got.finish(NOW);
        }
    }
}
