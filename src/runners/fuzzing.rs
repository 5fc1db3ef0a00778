//! What `tests/fuzz` calls: the reading of what processes print.

use super::output::{Frames, LONGEST_LINE, Lines};
use crate::domain::log::Stream;
use crate::domain::time::Timestamp;

/// Reads output that arrives in pieces, whose lengths the first eight bytes give, and checks
/// that cutting it otherwise changes nothing; then the same pieces as an engine's frames.
pub fn read_output(data: &[u8]) {
    let (lengths, output) = data.split_at(data.len().min(8));
    let mut rest = output;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, left) = rest.split_at(rest.len().min((*length).into()));
        pieces.push(piece);
        rest = left;
    }
    pieces.push(rest);
    let cut = lines_of(&pieces);
    assert_eq!(
        cut,
        lines_of(&[output]),
        "where the pieces are cut makes a difference"
    );
    read_frames(&pieces);
}

fn lines_of(pieces: &[&[u8]]) -> Vec<String> {
    let mut lines = Lines::default();
    let mut read: Vec<_> = pieces.iter().flat_map(|piece| lines.push(piece)).collect();
    read.extend(lines.finish());
    read
}

fn read_frames(pieces: &[&[u8]]) {
    let now = Timestamp::from_micros(0);
    let mut frames = Frames::default();
    let mut lines = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        let from = match place % 2 {
            0 => Stream::Stdout,
            _ => Stream::Stderr,
        };
        lines.extend(frames.push(from, piece, now));
    }
    lines.extend(frames.finish(now));
    // A byte that is no text becomes a letter of three.
    assert!(lines.iter().all(|line| line.text.len() <= 3 * LONGEST_LINE));
}
