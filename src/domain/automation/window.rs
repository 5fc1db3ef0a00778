//! How an event trigger comes to fire.
//!
//! For each value of its labels it counts in one window at a time. A reactive trigger fires as
//! soon as it has counted enough, a proactive one when a window has passed in which it has not.
//! Mirrors the 3.9 server, but for three things that depend there on when its loops happen to
//! look: a window that was met is over at once where only an `after` event opens the next one;
//! where there is only one window at a time and no `after`, the next one begins where the last
//! one ended; and without an `after` event none is opened for a trigger that has some.

use super::trigger::{EventTrigger, Posture};
use crate::domain::error::Result;
use crate::domain::time::{Span, Timestamp};

/// How long before the first event of a trigger others may have happened that arrive later.
const LOOK_BACK: Span = Span::from_micros(15 * 60 * 1_000_000);

/// A span of time in which events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From then on.
    pub start: Timestamp,
    /// Before then.
    pub end: Timestamp,
    /// How many were counted. One less than none where the first of them opened it.
    pub count: i64,
    /// The place of the last event that had to do with it.
    pub last: Option<i64>,
}

/// An event, as far as windows are about it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its name.
    pub name: &'a str,
    /// When it happened.
    pub occurred: Timestamp,
    /// Its place.
    pub place: i64,
}

/// What an event, or the passing of time, comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The window from here on.
    pub window: Option<Window>,
    /// Each firing, by the event that it is because of, if it is because of one.
    pub firings: Vec<Option<i64>>,
}

/// How many events are held that happened in a span of time: those that were only expected, for
/// windows that open later.
pub type Held<'a> = dyn FnMut(Timestamp, Timestamp) -> Result<i64> + 'a;

impl EventTrigger {
    /// Whether events that are only expected are held for windows that open later: whichever of
    /// two events arrives first, they come to the same.
    pub fn holds(&self) -> bool {
        self.posture == Posture::Proactive && !self.after.is_empty()
    }

    /// Whether this event is to be held, whatever else it does.
    pub fn is_held(&self, name: &str) -> bool {
        self.holds() && self.expects(name) && !self.starts_after(name)
    }

    /// Whether it waits although nothing has happened: it is proactive, and not about each of
    /// something.
    pub fn waits_from_the_start(&self) -> bool {
        self.posture == Posture::Proactive && self.after.is_empty() && self.for_each.is_empty()
    }

    /// The window that begins at a moment.
    pub fn window_from(&self, start: Timestamp) -> Window {
        Window {
            start,
            end: start + self.within,
            count: 0,
            last: None,
        }
    }

    /// What an event that it covers comes to.
    ///
    /// # Errors
    /// Those of `held`.
    pub fn on_event(
        &self,
        known: Option<Window>,
        seen: Seen<'_>,
        held: &mut Held<'_>,
    ) -> Result<Step> {
        let window = match known {
            Some(known) => Some(known),
            None => self.opened(seen, held)?,
        };
        let Some(window) = window else {
            return Ok(Step::default());
        };
        let mut step = match self.expects(seen.name) {
            true => self.evaluate(window, seen.occurred, Some(seen), held)?,
            false => Step {
                window: Some(window),
                firings: Vec::new(),
            },
        };
        if self.holds() {
            step.window = step.window.filter(|window| window.count < self.threshold);
        }
        Ok(step)
    }

    /// What it comes to that a window has passed, at a moment after that.
    ///
    /// # Errors
    /// Those of `held`.
    pub fn on_time(&self, window: Window, now: Timestamp, held: &mut Held<'_>) -> Result<Step> {
        self.evaluate(window, now, None, held)
    }

    /// The window that an event opens, if it opens one.
    fn opened(&self, seen: Seen<'_>, held: &mut Held<'_>) -> Result<Option<Window>> {
        let mut window = Window {
            last: Some(seen.place),
            ..self.window_from(seen.occurred)
        };
        if self.starts_after(seen.name) {
            // The event that opens it does not count in it.
            window.count = -i64::from(self.expects(seen.name));
            if self.holds() {
                window.count += held(window.start, window.end)?;
            }
            return Ok(Some(window));
        }
        window.start = seen.occurred - LOOK_BACK;
        Ok((self.after.is_empty() && self.expects(seen.name)).then_some(window))
    }

    fn evaluate(
        &self,
        mut window: Window,
        now: Timestamp,
        seen: Option<Seen<'_>>,
        held: &mut Held<'_>,
    ) -> Result<Step> {
        let mut firings = Vec::new();
        let mut unspent = seen;
        loop {
            if now < window.start {
                // It happened before anything that counts here.
                return Ok(Step::going_on(window, firings));
            }
            if let Some(event) = unspent
                && (self.is_immediate() || now < window.end)
            {
                window.count += 1;
                window.last = Some(event.place);
                unspent = None;
            }
            let is_over = window.end <= now;
            let is_met = self.is_met(window.count);
            let fires = is_met && (is_over || self.posture == Posture::Reactive);
            if fires {
                firings.push(seen.map(|event| event.place).or(window.last));
            } else if !is_over {
                let window = match seen.filter(|event| !is_met && self.rolls(event.name)) {
                    Some(event) => self.rolled(event, held)?,
                    None => window,
                };
                return Ok(Step::going_on(window, firings));
            }
            if !self.after.is_empty() {
                return Ok(Step::over(firings));
            }
            if self.within == Span::ZERO {
                return Ok(Step {
                    window: Some(window).filter(|_| !fires),
                    firings,
                });
            }
            let next = self.window_from(window.end.max(now));
            if self.posture == Posture::Reactive && unspent.is_some() {
                window = next;
                continue;
            }
            let is_forgotten =
                self.posture == Posture::Proactive && !fires && !self.for_each.is_empty();
            if is_forgotten && (unspent.is_none() || self.threshold <= 1) {
                // What has come as it should is waited for again when it comes again.
                return Ok(Step::over(firings));
            }
            let count = i64::from(unspent.is_some());
            return Ok(Step::going_on(Window { count, ..next }, firings));
        }
    }

    /// Whether each event counts by itself, whenever it happened.
    fn is_immediate(&self) -> bool {
        self.posture == Posture::Reactive && self.within == Span::ZERO
    }

    /// Whether so many are what it fires for.
    fn is_met(&self, count: i64) -> bool {
        match self.posture {
            Posture::Reactive => count >= self.threshold,
            Posture::Proactive => count < self.threshold,
        }
    }

    /// Whether an event that came in time opens the next window, as a heartbeat does.
    fn rolls(&self, name: &str) -> bool {
        self.posture == Posture::Proactive && self.starts_after(name) && self.expects(name)
    }

    /// The window that begins at an event.
    fn rolled(&self, seen: Seen<'_>, held: &mut Held<'_>) -> Result<Window> {
        let window = self.window_from(seen.occurred);
        Ok(Window {
            count: held(window.start, window.end)?,
            last: Some(seen.place),
            ..window
        })
    }
}

impl Step {
    fn going_on(window: Window, firings: Vec<Option<i64>>) -> Self {
        Self {
            window: Some(window),
            firings,
        }
    }

    fn over(firings: Vec<Option<i64>>) -> Self {
        Self {
            window: None,
            firings,
        }
    }
}
