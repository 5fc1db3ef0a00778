//! A connection on which a run tells events, and of which nothing is lost when the daemon dies.
//!
//! The daemon answers a ping once all that came before it is committed. What is not confirmed so
//! is kept here, and told again to the next daemon, even when the client has gone meanwhile: a
//! client that has ended tells nothing again. The client notices nothing.

use std::collections::VecDeque;
use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::task::AbortOnDropHandle;

use super::frames::{Frame, Meaning, read_all};

/// How many frames may wait to be passed on, each way.
const WAITING: usize = 16;
/// How many bytes may be unconfirmed before nothing more is taken from the client.
const MOST: usize = 4 * 1024 * 1024;
/// The payload of pings of our own.
const OWN: &[u8] = b"prefectd relay";
/// The code with which a daemon ends a conversation that stops in good order.
const RESTART: [u8; 2] = 1012_u16.to_be_bytes();
/// How many daemons may die, one after the other, without having confirmed anything.
const MOST_DEATHS: u8 = 3;

/// One end of the conversation.
struct End<S> {
    heard: Receiver<Frame>,
    out: WriteHalf<S>,
    _reading: AbortOnDropHandle<()>,
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> End<S> {
    fn new(stream: S) -> Self {
        let (from, out) = tokio::io::split(stream);
        let (to, heard) = mpsc::channel(WAITING);
        let reading = tokio::spawn(read_all(from, to));
        Self {
            heard,
            out,
            _reading: AbortOnDropHandle::new(reading),
        }
    }

    /// False when nobody takes it.
    async fn say(&mut self, frame: &Frame) -> bool {
        self.out.write_all(&frame.bytes).await.is_ok()
    }
}

/// What the client said and the daemon has not confirmed.
#[derive(Default)]
struct Unconfirmed {
    /// The first message, which says who it is; said again to each daemon.
    greeting: Option<Frame>,
    frames: VecDeque<Frame>,
    bytes: usize,
    /// Whether a ping of ours is among them.
    asks: bool,
    /// How many daemons have gone since something was confirmed.
    deaths: u8,
    /// Whether nothing is kept any more.
    is_given_up: bool,
}

impl Unconfirmed {
    /// What the client has said.
    fn note(&mut self, frame: Frame, greets: bool) {
        match frame.meaning {
            Meaning::Pong => {}
            // Messages in parts are passed on and not told again: no client of Prefect's sends
            // any, and a ping may come between them.
            Meaning::Part | Meaning::Unknown => {
                self.is_given_up = true;
                self.frames.clear();
                self.bytes = 0;
            }
            _ if self.is_given_up => {}
            Meaning::Message if greets && self.greeting.is_none() => self.greeting = Some(frame),
            Meaning::Message | Meaning::Ping | Meaning::Close => self.push(frame),
        }
    }

    fn push(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
    }

    /// A ping was answered: all up to it is confirmed.
    fn confirm(&mut self) {
        self.deaths = 0;
        while let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.bytes.len();
            if frame.meaning == Meaning::Ping {
                self.asks &= frame.payload() != OWN;
                return;
            }
        }
    }

    /// Our ping, where there is something to ask for.
    fn question(&mut self) -> Option<Frame> {
        if self.asks || self.frames.is_empty() {
            return None;
        }
        self.asks = true;
        let ping = Frame::ping(OWN);
        self.push(ping.clone());
        Some(ping)
    }

    /// Whether to tell it to another daemon.
    fn may_be_told_again(&mut self) -> bool {
        self.deaths = match self.frames.is_empty() {
            true => 0,
            false => self.deaths + 1,
        };
        !self.is_given_up && self.deaths < MOST_DEATHS
    }
}

/// Whether a daemon stops in good order, so that another is to be expected.
fn is_restart(frame: &Frame) -> bool {
    frame.meaning == Meaning::Close && frame.payload().starts_with(&RESTART)
}

/// A conversation that outlives the daemons that it is had with.
struct Telling<S> {
    daemon: End<S>,
    unconfirmed: Unconfirmed,
    /// Whether the client's first message says who it is.
    greets: bool,
    /// Whether the next message of the daemon answers a greeting that was said again.
    is_greeted: bool,
}

/// What becomes of the conversation after something was heard.
enum Onward {
    GoOn,
    /// The daemon is no more.
    Reopen,
    End,
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Telling<S> {
    /// What the daemon said, or that it says nothing more.
    async fn hear<C>(&mut self, heard: Option<Frame>, client: &mut End<C>) -> Onward
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let Some(frame) = heard.filter(|frame| !is_restart(frame)) else {
            return Onward::Reopen;
        };
        let is_for_client = match frame.meaning {
            Meaning::Pong => {
                self.unconfirmed.confirm();
                frame.payload() != OWN
            }
            Meaning::Message => !std::mem::take(&mut self.is_greeted),
            _ => true,
        };
        if is_for_client {
            // Whether anybody is left to hear it is seen by what comes from there.
            client.say(&frame).await;
        }
        match frame.meaning {
            Meaning::Close => Onward::End,
            _ => Onward::GoOn,
        }
    }

    /// Passes on what the client said.
    async fn pass_on(&mut self, frame: Frame) -> Onward {
        let is_there = self.daemon.say(&frame).await;
        self.unconfirmed.note(frame, self.greets);
        match is_there {
            true => Onward::GoOn,
            false => Onward::Reopen,
        }
    }

    /// Asks for a confirmation of what has none.
    async fn ask(&mut self) {
        if let Some(ping) = self.unconfirmed.question() {
            // That nobody takes it is noticed by what is heard no more.
            self.daemon.say(&ping).await;
        }
    }

    /// Goes on with another daemon, which is told what the one before did not confirm.
    async fn begin_again(&mut self, daemon: S) {
        self.daemon = End::new(daemon);
        let Unconfirmed {
            greeting, frames, ..
        } = &self.unconfirmed;
        self.is_greeted = greeting.is_some();
        for frame in greeting.iter().chain(frames) {
            self.daemon.say(frame).await;
        }
    }
}

/// Passes on what both ends say until the conversation ends. `again` opens another connection to
/// the daemon, however long that takes, or gives up.
pub(super) async fn tell<C, D, F>(client: C, daemon: D, greets: bool, again: impl Fn() -> F)
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncRead + AsyncWrite + Send + 'static,
    F: Future<Output = Option<D>>,
{
    let mut client = End::new(client);
    let mut telling = Telling {
        daemon: End::new(daemon),
        unconfirmed: Unconfirmed::default(),
        greets,
        is_greeted: false,
    };
    let mut has_gone = false;
    loop {
        let may_take = !has_gone && telling.unconfirmed.bytes < MOST;
        let onward = tokio::select! {
            // What the daemon confirms first, so that little is kept.
            biased;
            heard = telling.daemon.heard.recv() => telling.hear(heard, &mut client).await,
            heard = client.heard.recv(), if may_take => match heard {
                Some(frame) => telling.pass_on(frame).await,
                None => {
                    has_gone = true;
                    Onward::GoOn
                }
            },
        };
        if has_gone && telling.unconfirmed.frames.is_empty() {
            return;
        }
        match onward {
            Onward::GoOn => telling.ask().await,
            Onward::Reopen if telling.unconfirmed.may_be_told_again() => match again().await {
                Some(daemon) => telling.begin_again(daemon).await,
                None => return,
            },
            Onward::Reopen | Onward::End => return,
        }
    }
}

#[cfg(test)]
mod tests;
