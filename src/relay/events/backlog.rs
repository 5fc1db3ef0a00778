//! What a client said of which no daemon has said that it is kept.

use std::collections::VecDeque;

use crate::relay::frames::{BESIDE, Frame, Meaning};

/// How many bytes may be unconfirmed before nothing more is taken from the client.
const MOST: usize = 4 * 1024 * 1024;
/// For so many frames room is left where all were confirmed.
const FEW: usize = 64;
/// The largest greeting that is kept, in bytes: it takes its room for as long as the client is
/// there. After a larger one nothing is told again.
const GREETING: usize = 8 * 1024;
/// What pings of our own say. Clients may say the same: ours are known by their place.
const OWN: &[u8] = b"prefectd relay";
/// How many daemons may die without having confirmed anything: one while others told it something
/// as well, the rest while what comes first was all that was told.
pub(super) const MOST_DEATHS: u8 = 4;
/// After so many frames a daemon is asked again what it has kept, though it has not answered yet:
/// one that does not live long enough to keep everything keeps a part for good.
const STEP: usize = 25;
/// How many messages of one conversation may be given up since daemons die of them.
const MOST_DEADLY: u8 = 2;

/// What the client said, in order, and how much of it the present daemon was told.
#[derive(Default)]
pub(super) struct Backlog {
    /// Whether the client's first message says who it is.
    greets: bool,
    /// That message; told each daemon before all else.
    greeting: Option<Frame>,
    kept: VecDeque<Kept>,
    bytes: usize,
    told: Told,
    /// What is told alone, where a daemon may have died of it.
    alone: Option<Alone>,
    /// How many pings of ours there are, and how many frames come after the last.
    asks: usize,
    since: usize,
    /// How many daemons have died since something was confirmed.
    deaths: u8,
    /// How many messages were given up since daemons died of them.
    deadly: u8,
    /// Whether nothing is kept once it is told.
    is_given_up: bool,
}

struct Kept {
    frame: Frame,
    /// Whether it is a ping of ours.
    is_own: bool,
}

impl Kept {
    fn is_ping(&self) -> bool {
        self.frame.meaning == Meaning::Ping
    }

    fn bytes(&self) -> usize {
        BESIDE + self.frame.bytes.len()
    }
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
}

/// Which part of what a dead daemon was told the next one is told at once.
struct Alone {
    /// How many frames the dead one was told.
    left: usize,
    /// How many are told before something is confirmed: twice as many each time.
    step: usize,
    /// Where the ping is that ends them.
    until: usize,
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
        let is_greeting = self.greets && self.greeting.is_none() && !self.is_given_up;
        match frame.meaning {
            Meaning::Message if is_greeting && frame.bytes.len() <= GREETING => {
                self.greeting = Some(frame);
                return;
            }
            Meaning::Message if is_greeting => self.give_up(),
            // Messages in parts are passed on and not told again: no client of Prefect's sends
            // any, and a ping may come between them.
            Meaning::Part | Meaning::Unknown => self.give_up(),
            Meaning::Message | Meaning::Ping | Meaning::Pong | Meaning::Close => {}
        }
        let is_own = false;
        self.insert(self.kept.len(), Kept { frame, is_own });
        self.since += 1;
        self.ask();
    }

    fn insert(&mut self, at: usize, kept: Kept) {
        self.bytes += kept.bytes();
        self.asks += usize::from(kept.is_own);
        self.kept.insert(at, kept);
    }

    fn ask_at(&mut self, at: usize) {
        let frame = Frame::ping(OWN);
        let is_own = true;
        self.insert(at, Kept { frame, is_own });
    }

    fn pop(&mut self) -> Option<Kept> {
        let kept = self.kept.pop_front()?;
        self.bytes -= kept.bytes();
        self.asks -= usize::from(kept.is_own);
        self.told.frames = self.told.frames.saturating_sub(1);
        if self.kept.is_empty() {
            self.kept.shrink_to(FEW);
        }
        Some(kept)
    }

    fn give_up(&mut self) {
        self.is_given_up = true;
        self.alone = None;
        for _ in 0..self.told.frames {
            self.pop();
        }
    }

    /// Has the daemon asked what it has kept, where there is something to ask for.
    fn ask(&mut self) {
        let is_time = self.asks == 0 || self.since >= STEP;
        if is_time && !self.is_given_up && !self.kept.is_empty() {
            self.since = 0;
            self.ask_at(self.kept.len());
        }
    }

    /// A ping was answered: all up to it is confirmed. Whether it was the client's.
    pub fn confirm(&mut self) -> bool {
        self.deaths = 0;
        let (mut confirmed, mut is_own) = (0, false);
        while self.told.frames > 0
            && let Some(kept) = self.pop()
        {
            confirmed += 1;
            if kept.is_ping() {
                is_own = kept.is_own;
                break;
            }
        }
        if let Some(Alone { left, step, .. }) = self.alone.take() {
            self.tell_alone(left.saturating_sub(confirmed), step * 2);
        }
        self.ask();
        !is_own
    }

    /// Has no more told than `step` frames of the first `left`, and a ping.
    fn tell_alone(&mut self, left: usize, step: usize) {
        if left == 0 || self.kept.is_empty() {
            return;
        }
        let ping = self.kept.iter().position(Kept::is_ping);
        let until = match ping {
            Some(ping) if ping <= step => ping,
            _ => {
                let at = step.min(self.kept.len());
                self.ask_at(at);
                at
            }
        };
        self.alone = Some(Alone { left, step, until });
    }

    /// Whether no more is told than another daemon may have died of.
    pub fn is_told_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// Has all told again.
    pub fn end_alone(&mut self) {
        self.alone = None;
    }

    /// What the daemon is to be told next.
    pub fn next(&self) -> Option<&[u8]> {
        let until = self.alone.as_ref().map(|alone| alone.until);
        let frame = match &self.greeting {
            Some(greeting) if !self.told.greeting && !self.told.is_within => greeting,
            _ if until.is_some_and(|until| self.told.frames > until) => return None,
            _ => &self.kept.get(self.told.frames)?.frame,
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
    pub fn may_be_told_again(&self) -> bool {
        !self.is_given_up && self.deadly <= MOST_DEADLY
    }

    /// The daemon has died, perhaps of what it was told. Whether what comes first is given up,
    /// since others have died of it.
    pub fn note_death(&mut self) -> bool {
        if self.told.frames == 0 && !self.told.is_within {
            return false;
        }
        self.deaths += 1;
        let is_deadly = self.deaths >= MOST_DEATHS;
        if is_deadly {
            self.deaths = 0;
            self.deadly += 1;
            self.pop();
        }
        is_deadly
    }

    /// Whether it may be what the last daemon died of.
    pub fn is_suspect(&self) -> bool {
        self.deaths > 0
    }

    /// Another daemon is to be told from the beginning; where `alone`, at first only a part of
    /// what the last one was told, beginning with a single frame.
    pub fn begin_again(&mut self, alone: bool) {
        let told = self.told.frames + usize::from(self.told.is_within);
        let left = self.alone.take().map_or(told, |alone| alone.left.max(told));
        self.told = Told::default();
        if alone {
            self.tell_alone(left, 1);
        }
    }

    /// Whether a message that says who the client is will be told again.
    pub fn has_greeting(&self) -> bool {
        self.greeting.is_some()
    }

    /// The client's own end.
    pub fn end(&self) -> Option<&Frame> {
        let mut frames = self.kept.iter().map(|kept| &kept.frame);
        frames.find(|frame| frame.meaning == Meaning::Close)
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.bytes < MOST
    }

    /// Whether all is confirmed.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many messages are not.
    pub fn messages(&self) -> usize {
        let messages = self.kept.iter();
        messages
            .filter(|kept| kept.frame.meaning == Meaning::Message)
            .count()
    }
}
