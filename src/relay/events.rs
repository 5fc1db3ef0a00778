//! A connection on which a run tells events, and of which nothing is lost when the daemon dies.
//!
//! The daemon answers a ping once all that came before it is committed. What is not confirmed so
//! is kept in a [`backlog`], and told again to the next daemon, even when the client has gone
//! meanwhile: a client that has ended tells nothing again. The client notices nothing, and what it
//! says is taken while no daemon is there: a container that ends takes along what nobody has read.
//!
//! A daemon may have died of what it was told. So it is told again by one conversation at a time,
//! a message first, and given up when daemons go on dying of it.

mod backlog;

use std::future::Future;
use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::task::AbortOnDropHandle;

use super::frames::{Frame, Meaning, read_all};
use backlog::{Backlog, OWN};

/// How many frames may wait to be dealt with, each way.
const WAITING: usize = 16;
/// The code with which a daemon ends a conversation that stops in good order.
const RESTART: [u8; 2] = 1012_u16.to_be_bytes();

/// Held while a daemon is told what another one may have died of.
pub(super) type Turns = Arc<Mutex<()>>;
type Turn = Option<OwnedMutexGuard<()>>;

/// One end of the conversation.
struct End<S> {
    heard: Receiver<Frame>,
    out: WriteHalf<S>,
    /// Whether nothing can be written any more; what it said before that is still heard.
    is_deaf: bool,
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
            is_deaf: false,
            _reading: AbortOnDropHandle::new(reading),
        }
    }
}

/// The daemon, or that another one is waited for.
enum Daemon<S> {
    There(End<S>),
    Away(BoxFuture<'static, Option<(S, Turn)>>),
}

/// What happened at the daemon's end.
enum Event<S> {
    Heard(Option<Frame>),
    Told(io::Result<usize>),
    Opened(Option<(S, Turn)>),
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Daemon<S> {
    /// Waits for the next event; may be given up at any time. What the daemon confirms comes
    /// first, so that little is kept.
    async fn next(&mut self, backlog: &Backlog) -> Event<S> {
        let end = match self {
            Self::Away(opening) => return Event::Opened(opening.await),
            Self::There(end) => end,
        };
        match backlog.next() {
            Some(bytes) if !end.is_deaf => tokio::select! {
                biased;
                heard = end.heard.recv() => Event::Heard(heard),
                told = end.out.write(bytes) => Event::Told(told),
            },
            _ => Event::Heard(end.heard.recv().await),
        }
    }
}

/// Whether a daemon stops in good order, so that another is to be expected.
fn is_restart(frame: &Frame) -> bool {
    frame.meaning == Meaning::Close && frame.payload().starts_with(&RESTART)
}

/// A conversation that outlives the daemons that it is had with.
struct Telling<C, S, A> {
    client: End<C>,
    daemon: Daemon<S>,
    backlog: Backlog,
    turns: Turns,
    /// Held until something is confirmed.
    turn: Turn,
    /// Opens another connection to a daemon.
    again: A,
    /// Whether the next message of the daemon answers a greeting that was told again.
    is_greeted: bool,
}

/// What becomes of the conversation after something happened.
#[derive(PartialEq, Eq)]
enum Onward {
    GoOn,
    /// It is over.
    End,
    /// No daemon takes what is left.
    GiveUp,
}

impl<C, S, A, F> Telling<C, S, A>
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
    A: Fn() -> F,
    F: Future<Output = Option<S>> + Send + 'static,
{
    async fn deal_with(&mut self, event: Event<S>) -> Onward {
        match event {
            Event::Heard(Some(frame)) if !is_restart(&frame) => self.hear(frame).await,
            Event::Heard(_) => self.reopen(),
            Event::Told(told) => {
                match (told, &mut self.daemon) {
                    (Ok(bytes @ 1..), _) => self.backlog.note_told(bytes),
                    (_, Daemon::There(end)) => end.is_deaf = true,
                    (_, Daemon::Away(_)) => {}
                }
                Onward::GoOn
            }
            Event::Opened(None) => Onward::GiveUp,
            Event::Opened(Some((daemon, turn))) => {
                self.daemon = Daemon::There(End::new(daemon));
                self.is_greeted = self.backlog.has_greeting();
                self.backlog.begin_again(turn.is_some());
                self.turn = turn;
                Onward::GoOn
            }
        }
    }

    /// What the daemon said.
    async fn hear(&mut self, frame: Frame) -> Onward {
        let is_for_client = match frame.meaning {
            Meaning::Pong => {
                self.backlog.confirm();
                self.turn = None;
                frame.payload() != OWN
            }
            Meaning::Message => !std::mem::take(&mut self.is_greeted),
            _ => true,
        };
        if is_for_client {
            // Whether anybody is left to hear it is seen by what comes from there.
            let _ = self.client.out.write_all(&frame.bytes).await;
        }
        match frame.meaning {
            Meaning::Close => Onward::End,
            _ => Onward::GoOn,
        }
    }

    /// The daemon is no more; another one is told what it did not confirm, in its turn.
    fn reopen(&mut self) -> Onward {
        self.turn = None;
        if !self.backlog.may_be_told_again() {
            return Onward::GiveUp;
        }
        let turns = self.backlog.is_suspect().then(|| Arc::clone(&self.turns));
        let opening = (self.again)();
        self.daemon = Daemon::Away(Box::pin(async move {
            let turn = match turns {
                Some(turns) => Some(turns.lock_owned().await),
                None => None,
            };
            Some((opening.await?, turn))
        }));
        Onward::GoOn
    }
}

/// Passes on what both ends say until the conversation ends. `again` opens another connection to
/// the daemon, however long that takes, or gives up. Answers how many messages no daemon has kept
/// of a client that has gone; one that is there tells them again.
pub(super) async fn tell<C, D, A, F>(
    (client, daemon): (C, D),
    greets: bool,
    turns: Turns,
    again: A,
) -> usize
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncRead + AsyncWrite + Send + 'static,
    A: Fn() -> F,
    F: Future<Output = Option<D>> + Send + 'static,
{
    let mut telling = Telling {
        client: End::new(client),
        daemon: Daemon::There(End::new(daemon)),
        backlog: Backlog::new(greets),
        turns,
        turn: None,
        again,
        is_greeted: false,
    };
    let mut has_gone = false;
    loop {
        let may_take = !has_gone && telling.backlog.has_room();
        let onward = tokio::select! {
            biased;
            event = telling.daemon.next(&telling.backlog) => telling.deal_with(event).await,
            heard = telling.client.heard.recv(), if may_take => {
                match heard {
                    Some(frame) => telling.backlog.add(frame),
                    None => has_gone = true,
                }
                Onward::GoOn
            }
        };
        match onward {
            Onward::GoOn if has_gone && telling.backlog.is_empty() => return 0,
            Onward::GoOn => {}
            Onward::GiveUp if has_gone => return telling.backlog.messages(),
            Onward::GiveUp | Onward::End => return 0,
        }
    }
}

#[cfg(test)]
mod tests;
