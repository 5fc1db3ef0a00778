//! How much of what a run prints is kept. Pure.

use crate::domain::agent::OutputLimits;
use crate::domain::time::Timestamp;

/// Counts what is kept and what is dropped.
#[derive(Debug)]
pub(super) struct Meter {
    limits: OutputLimits,
    kept_bytes: u64,
    /// The second that is under way, and its lines.
    second: (i64, u64),
    dropped_lines: u64,
    dropped_bytes: u64,
}

impl Meter {
    /// Nothing printed yet.
    pub fn new(limits: OutputLimits) -> Self {
        Self {
            limits,
            kept_bytes: 0,
            second: (0, 0),
            dropped_lines: 0,
            dropped_bytes: 0,
        }
    }

    /// Whether a line that was printed at a time is kept.
    pub fn keeps(&mut self, at: Timestamp, line: &str) -> bool {
        let bytes = line.len() as u64 + 1;
        let second = at.micros().div_euclid(1_000_000);
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        let in_rate = self
            .limits
            .lines_per_sec
            .is_none_or(|most| self.second.1 <= most);
        let keeps = in_rate && self.kept_bytes + bytes <= self.limits.bytes;
        if keeps {
            self.kept_bytes += bytes;
        } else {
            self.dropped_lines += 1;
            self.dropped_bytes += bytes;
        }
        keeps
    }

    /// What was dropped, in a sentence; none when nothing was.
    pub fn dropped(&self) -> Option<String> {
        (self.dropped_lines > 0).then(|| {
            format!(
                "{} lines of output ({} bytes) were dropped: a run's output is kept up to {} \
                 bytes{} (agent.output_max_bytes, agent.output_lines_per_sec).",
                self.dropped_lines,
                self.dropped_bytes,
                self.limits.bytes,
                match self.limits.lines_per_sec {
                    Some(most) => format!(" and {most} lines a second"),
                    None => String::new(),
                }
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_a_limit_are_counted_and_told() {
        let mut meter = Meter::new(OutputLimits {
            bytes: 10,
            lines_per_sec: Some(2),
        });
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        assert!(meter.keeps(at(0), "a"));
        assert!(meter.keeps(at(1), "b"));
        assert_eq!(meter.dropped(), None);
        assert!(!meter.keeps(at(2), "c"));
        assert!(meter.keeps(at(1000), "d"));
        assert!(!meter.keeps(at(1001), "too long"));
        let told = meter.dropped().unwrap();
        assert!(told.starts_with("2 lines of output (11 bytes)"), "{told}");
    }
}
