//! What a client said of which no daemon has said that it is kept.

use std::collections::VecDeque;

use crate::relay::frames::{Frame, Meaning};

/// How many bytes may be unconfirmed before nothing more is taken from the client.
const MOST: usize = 4 * 1024 * 1024;
/// The payload of pings of our own.
pub(super) const OWN: &[u8] = b"prefectd relay";
/// How many daemons may die without having confirmed anything: one while others told it something
/// as well, the rest while this was all that was told.
pub(super) const MOST_DEATHS: u8 = 4;
/// After so many frames a daemon is asked again what it has kept, though it has not answered yet:
/// one that does not live long enough to keep everything keeps a part for good.
const STEP: usize = 25;

/// What the client said, in order, and how much of it the present daemon was told.
#[derive(Default)]
pub(super) struct Backlog {
    /// Whether the client's first message says who it is.
    greets: bool,
    /// That message; told each daemon before all else.
    greeting: Option<Frame>,
    frames: VecDeque<Frame>,
    bytes: usize,
    told: Told,
    /// How many pings of ours are among the frames, and how many frames come after the last.
    asks: usize,
    since: usize,
    /// How many daemons have gone since something was confirmed.
    deaths: u8,
    /// Whether nothing is kept once it is told.
    is_given_up: bool,
}

/// How far the present daemon was told.
#[derive(Default)]
struct Told {
    greeting: bool,
    /// So many frames, whole.
    frames: usize,
    /// So many bytes of what comes after them, and whether that is a frame.
    bytes: usize,
    is_within: bool,
    /// How many frames it is told until something is confirmed.
    most: Option<usize>,
}

impl Backlog {
    /// Empty; `greets` says whether the client's first message says who it is.
    pub fn new(greets: bool) -> Self {
        Self {
            greets,
            ..Self::default()
        }
    }

    /// Adds what the client said.
    pub fn add(&mut self, frame: Frame) {
        match frame.meaning {
            Meaning::Message if self.greets && self.greeting.is_none() => {
                self.greeting = Some(frame);
                return;
            }
            // Messages in parts are passed on and not told again: no client of Prefect's sends
            // any, and a ping may come between them.
            Meaning::Part | Meaning::Unknown => self.give_up(),
            Meaning::Message | Meaning::Ping | Meaning::Pong | Meaning::Close => {}
        }
        self.push(frame);
        self.since += 1;
        self.ask();
    }

    fn push(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        self.asks -= usize::from(is_own(&frame));
        self.told.frames = self.told.frames.saturating_sub(1);
        Some(frame)
    }

    fn give_up(&mut self) {
        self.is_given_up = true;
        for _ in 0..self.told.frames {
            self.pop();
        }
    }

    /// Has the daemon asked what it has kept, where there is something to ask for.
    fn ask(&mut self) {
        let is_time = self.asks == 0 || self.since >= STEP;
        if is_time && !self.is_given_up && !self.frames.is_empty() {
            (self.asks, self.since) = (self.asks + 1, 0);
            self.push(Frame::ping(OWN));
        }
    }

    /// A ping was answered: all up to it is confirmed.
    pub fn confirm(&mut self) {
        self.deaths = 0;
        self.told.most = None;
        while self.told.frames > 0 {
            if self
                .pop()
                .is_none_or(|frame| frame.meaning == Meaning::Ping)
            {
                break;
            }
        }
        self.ask();
    }

    /// What the daemon is to be told next.
    pub fn next(&self) -> Option<&[u8]> {
        let frame = match &self.greeting {
            Some(greeting) if !self.told.greeting && !self.told.is_within => greeting,
            _ if self.told.most.is_some_and(|most| self.told.frames >= most) => return None,
            _ => self.frames.get(self.told.frames)?,
        };
        frame.bytes.get(self.told.bytes..)
    }

    /// So many bytes of that were told.
    pub fn note_told(&mut self, bytes: usize) {
        let is_greeting = self.greeting.is_some() && !self.told.greeting && !self.told.is_within;
        if self.next().is_some_and(|next| bytes < next.len()) {
            self.told.bytes += bytes;
            self.told.is_within = !is_greeting;
            return;
        }
        (self.told.bytes, self.told.is_within) = (0, false);
        if is_greeting {
            self.told.greeting = true;
            return;
        }
        self.told.frames += 1;
        if self.is_given_up {
            self.pop();
        }
    }

    /// The daemon is gone. Whether to tell another one.
    pub fn may_be_told_again(&mut self) -> bool {
        self.deaths = match self.frames.is_empty() {
            true => 0,
            false => self.deaths + 1,
        };
        !self.is_given_up && self.deaths < MOST_DEATHS
    }

    /// Whether it may be what the last daemon died of.
    pub fn is_suspect(&self) -> bool {
        self.deaths > 0
    }

    /// Another daemon is to be told from the beginning; where `alone`, only what comes first,
    /// until that is confirmed.
    pub fn begin_again(&mut self, alone: bool) {
        self.told = Told::default();
        let is_ping = |frame: &Frame| frame.meaning == Meaning::Ping;
        if alone && !self.frames.is_empty() {
            if !self.frames.iter().take(2).any(is_ping) {
                let ping = Frame::ping(OWN);
                self.bytes += ping.bytes.len();
                self.asks += 1;
                self.frames.insert(1, ping);
            }
            let ping = self.frames.iter().position(is_ping);
            self.told.most = ping.map(|ping| ping + 1);
        }
    }

    /// Whether a message that says who the client is will be told again.
    pub fn has_greeting(&self) -> bool {
        self.greeting.is_some()
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.bytes < MOST
    }

    /// Whether all is confirmed.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many messages are not.
    pub fn messages(&self) -> usize {
        let frames = self.frames.iter();
        frames
            .filter(|frame| frame.meaning == Meaning::Message)
            .count()
    }
}

fn is_own(frame: &Frame) -> bool {
    frame.meaning == Meaning::Ping && frame.payload() == OWN
}
