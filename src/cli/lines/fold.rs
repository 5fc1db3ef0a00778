//! Tells each line once. What Prefect logs within a run comes by the API, and, a moment later,
//! as output of the run's process; the copy is recognised by its form, its time to the
//! millisecond, its level and its message.

use std::collections::{HashMap, VecDeque};

use crate::api::v3::wire::Log;
use crate::domain::log::{AGENT_LOGGER, OUTPUT_LOGGER};

/// How many lines may be between a line and its copy.
const APART: usize = 20_000;
/// Zones differ by multiples of this, in milliseconds: a process may have another than we.
const QUARTER: i64 = 15 * 60 * 1000;

/// Which lines were shown, as far back as a copy may come.
pub struct Fold {
    keeps_copies: bool,
    /// What came by the API and has no copy yet.
    said: Memory<Said>,
    /// What looked like a copy, and came first.
    printed: Memory<Copy>,
    /// The further lines of a message whose first line was folded away.
    rest: VecDeque<String>,
}

struct Said {
    level: i64,
    message: String,
}

/// A line as Prefect's console handlers write it.
#[derive(Clone, Debug, PartialEq)]
struct Copy {
    level: Option<i64>,
    /// Who logged it, and the message's first line.
    rest: String,
}

impl Fold {
    /// With nothing seen; `keeps_copies` shows every line as often as it came.
    pub fn new(keeps_copies: bool) -> Self {
        Self {
            keeps_copies,
            said: Memory::default(),
            printed: Memory::default(),
            rest: VecDeque::new(),
        }
    }

    /// Whether a line is to be shown: it was not told yet.
    pub fn admits(&mut self, line: &Log) -> bool {
        match line.name.as_str() {
            _ if self.keeps_copies => true,
            AGENT_LOGGER => true,
            OUTPUT_LOGGER => self.admits_output(&line.message),
            _ => self.admits_said(line),
        }
    }

    fn admits_output(&mut self, text: &str) -> bool {
        if self
            .rest
            .front()
            .is_some_and(|next| next == text.trim_end())
        {
            self.rest.pop_front();
            return false;
        }
        self.rest.clear();
        let Some((millis, copy)) = read(text) else {
            return true;
        };
        match self
            .said
            .take(millis, |said| copy.is_of(said.level, &said.message))
        {
            Some(said) => {
                let further = said.message.lines().skip(1);
                self.rest = further.map(|line| line.trim_end().to_owned()).collect();
                false
            }
            None => {
                self.printed.keep(millis, copy);
                true
            }
        }
    }

    fn admits_said(&mut self, line: &Log) -> bool {
        let millis = (line.timestamp.utc().timestamp_micros().div_euclid(1000)).rem_euclid(QUARTER);
        let is_copy = |copy: &Copy| copy.is_of(line.level, &line.message);
        if self.printed.take(millis, is_copy).is_some() {
            return false;
        }
        let said = Said {
            level: line.level,
            message: line.message.clone(),
        };
        self.said.keep(millis, said);
        true
    }
}

/// The level and the rest of what Prefect's console handlers write; `None` for other lines.
pub(super) fn on_console(text: &str) -> Option<(i64, String)> {
    let (_, line) = read(text)?;
    Some((line.level?, line.rest))
}

impl Copy {
    fn is_of(&self, level: i64, message: &str) -> bool {
        let first = message.lines().next().unwrap_or_default().trim_end();
        let before = self.rest.strip_suffix(first);
        self.level.is_none_or(|known| known == level)
            && before.is_some_and(|before| before.ends_with("- ") || before.ends_with(" -"))
    }
}

/// `12:34:56.789 | INFO    | Flow run 'brave-owl' - message`, with its place in the quarter of
/// an hour.
fn read(text: &str) -> Option<(i64, Copy)> {
    let (time, rest) = text.split_once(" | ")?;
    let (level, rest) = rest.split_once(" | ")?;
    let (clock, millis) = time.split_once('.')?;
    let mut parts = clock.split(':');
    let mut part = || {
        let part = parts.next().filter(|part| part.len() == 2)?;
        part.parse::<i64>().ok()
    };
    let (_hours, minutes, secs) = (part()?, part()?, part()?);
    let millis = millis.parse::<i64>().ok().filter(|_| millis.len() == 3)?;
    let place = (minutes * 60 + secs) * 1000 + millis;
    let level = match level.trim_end() {
        "DEBUG" => Some(10),
        "INFO" => Some(20),
        "WARNING" => Some(30),
        "ERROR" => Some(40),
        "CRITICAL" => Some(50),
        _ => None,
    };
    let rest = rest.trim_end().to_owned();
    Some((place.rem_euclid(QUARTER), Copy { level, rest }))
}

/// Things by their millisecond, the oldest forgotten.
struct Memory<T> {
    by_millis: HashMap<i64, Vec<T>>,
    order: VecDeque<i64>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self {
            by_millis: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> Memory<T> {
    fn keep(&mut self, millis: i64, thing: T) {
        self.by_millis.entry(millis).or_default().push(thing);
        self.order.push_back(millis);
        if self.order.len() > APART
            && let Some(oldest) = self.order.pop_front()
            && let Some(things) = self.by_millis.get_mut(&oldest)
        {
            // What was taken is counted in the order still, so there may be none.
            if !things.is_empty() {
                things.remove(0);
            }
            if things.is_empty() {
                self.by_millis.remove(&oldest);
            }
        }
    }

    /// Takes one of that millisecond, or of one beside it: roundings differ.
    fn take(&mut self, millis: i64, fits: impl Fn(&T) -> bool) -> Option<T> {
        for beside in [0, -1, 1] {
            let millis = (millis + beside).rem_euclid(QUARTER);
            if let Some(things) = self.by_millis.get_mut(&millis)
                && let Some(place) = things.iter().position(&fits)
            {
                return Some(things.remove(place));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v3::wire::Instant;
    use chrono::DateTime;
    use uuid::Uuid;

    fn line(name: &str, message: &str, at: &str) -> Log {
        let at = DateTime::parse_from_rfc3339(at).unwrap();
        Log {
            created: None,
            updated: None,
            id: Uuid::nil(),
            name: name.to_owned(),
            level: 20,
            message: message.to_owned(),
            timestamp: Instant::from(at.to_utc()),
            flow_run_id: None,
            task_run_id: None,
            stream: None,
        }
    }

    fn said(message: &str) -> Log {
        line("prefect.flow_runs", message, "2026-01-01T10:20:30.123456Z")
    }

    fn printed(text: &str) -> Log {
        line(OUTPUT_LOGGER, text, "2026-01-01T10:20:30.2Z")
    }

    #[test]
    fn a_copy_is_told_once_whichever_comes_first() {
        let copy = "12:20:30.123 | INFO    | Flow run 'a - b' - Hello - you";
        let mut fold = Fold::new(false);
        assert!(fold.admits(&said("Hello - you")));
        assert!(!fold.admits(&printed(copy)));
        // Said twice, it is told twice.
        assert!(fold.admits(&printed(copy)));
        assert!(!fold.admits(&said("Hello - you")));
        let mut all = Fold::new(true);
        assert!(all.admits(&said("Hello - you")) && all.admits(&printed(copy)));
    }

    #[test]
    fn what_is_no_copy_stays() {
        let mut fold = Fold::new(false);
        assert!(fold.admits(&said("Hello")));
        for text in [
            "Hello",
            "12:20:30.123 | INFO    | Flow run 'x' - Other",
            "12:20:30.523 | INFO    | Flow run 'x' - Hello",
            "12:20:30.123 | ERROR   | Flow run 'x' - Hello",
            "12:20:30.123 | INFO    | Flow run 'x' - Say Hello",
            "12:20:30.12 | INFO",
        ] {
            assert!(fold.admits(&printed(text)), "{text}");
        }
        assert!(!fold.admits(&printed("10:20:30.124 | INFO    | prefect.x - Hello")));
    }

    #[test]
    fn further_lines_of_a_message_are_copies_too() {
        let mut fold = Fold::new(false);
        assert!(fold.admits(&said("one\ntwo\nthree")));
        assert!(!fold.admits(&printed("10:20:30.123 | INFO    | Flow run 'x' - one")));
        assert!(!fold.admits(&printed("two")));
        assert!(fold.admits(&printed("something else")));
        assert!(fold.admits(&printed("three")));
    }
}
