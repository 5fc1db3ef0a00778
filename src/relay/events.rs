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
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::frames::{Frame, Meaning, read_all};
use super::news::News;
use super::patience::FULL_DISK;
use super::room::{Memory, Room};
use backlog::Backlog;

/// How many frames of a daemon may wait to be dealt with; of a client it is one, which may be large.
const WAITING: usize = 16;
/// The code with which a daemon ends a conversation that stops in good order.
const RESTART: u16 = 1012;
/// Those with which it ends one on which it could not keep something, or not yet.
const REFUSED: [u16; 4] = [1007, 1009, 1011, 1013];
/// How soon it is told again then, and how often in a row.
const LATER: Duration = Duration::from_secs(2);
const MOST_REFUSED: u16 = 30;
/// The one that says to come later, as a full disk does, is borne as long as one is.
const COME_LATER: u16 = 1013;
const MOST_LATER: u16 = (FULL_DISK.as_secs() / LATER.as_secs()) as u16;
/// How long a daemon may take to confirm something before others have their turn.
const TURN: Duration = Duration::from_secs(10);

/// Held while a daemon is told what another one may have died of.
pub(super) type Turns = Arc<Mutex<()>>;
type Turn = Option<OwnedMutexGuard<()>>;

/// What all conversations have in common.
#[derive(Clone, Default)]
pub(super) struct Common {
    /// Whose turn it is.
    pub turns: Turns,
    /// Where to tell that something was given up.
    pub news: Arc<News>,
    /// Room for what clients say.
    pub memory: Memory,
}

/// One end of the conversation.
struct End<S> {
    heard: Receiver<Frame>,
    out: WriteHalf<S>,
    /// Whether nothing can be written any more; what it said before that is still heard.
    is_deaf: bool,
    _reading: AbortOnDropHandle<()>,
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> End<S> {
    fn new(stream: S, waiting: usize, room: Option<Room>) -> Self {
        let (from, out) = tokio::io::split(stream);
        let (to, heard) = mpsc::channel(waiting);
        let reading = tokio::spawn(read_all(from, to, room));
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

/// A conversation that outlives the daemons that it is had with.
struct Telling<C, S, A> {
    client: End<C>,
    /// Whether the client has ended.
    has_gone: bool,
    daemon: Daemon<S>,
    backlog: Backlog,
    common: Common,
    /// Held while what a daemon may have died of is told; until when at most.
    turn: Turn,
    until: Instant,
    /// Opens another connection to a daemon.
    again: A,
    /// How often in a row daemons have refused what they were told.
    refused: u16,
    /// Whether a daemon has answered the client's greeting, and whether the next message answers
    /// one that was told again.
    is_welcomed: bool,
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
        let onward = match event {
            Event::Heard(Some(frame)) => self.hear(frame).await,
            Event::Heard(None) => {
                if self.backlog.note_death() {
                    let words = "gave up on an event: daemons die over it, one after the other";
                    self.common.news.add(words.to_owned());
                }
                self.reopen(None)
            }
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
                self.daemon = Daemon::There(End::new(daemon, WAITING, None));
                self.is_greeted = self.is_welcomed && self.backlog.has_greeting();
                self.backlog.begin_again(turn.is_some());
                (self.turn, self.until) = (turn, Instant::now() + TURN);
                Onward::GoOn
            }
        };
        if !self.backlog.is_told_alone() && matches!(self.daemon, Daemon::There(_)) {
            self.turn = None;
        }
        onward
    }

    /// What the daemon said.
    async fn hear(&mut self, frame: Frame) -> Onward {
        match frame.meaning {
            Meaning::Close => return self.close(frame).await,
            Meaning::Pong => {
                let is_for_client = self.backlog.confirm();
                self.refused = 0;
                self.until = Instant::now() + TURN;
                if is_for_client {
                    self.answer(&frame).await;
                }
            }
            Meaning::Message if std::mem::take(&mut self.is_greeted) => {}
            Meaning::Message => {
                self.is_welcomed = true;
                self.answer(&frame).await;
            }
            _ => self.answer(&frame).await,
        }
        Onward::GoOn
    }

    /// The daemon ends the conversation. What it has not kept of a client that has ended, or is
    /// about to, is told again.
    async fn close(&mut self, frame: Frame) -> Onward {
        let code = frame.code();
        if code == Some(RESTART) {
            return self.reopen(None);
        }
        let end = self.backlog.end();
        let is_answer = end.is_some_and(|end| end.code() == code);
        let comes_again = !self.has_gone && end.is_none();
        let is_refused = code.is_some_and(|code| REFUSED.contains(&code));
        if is_answer || comes_again || !is_refused {
            self.turn = None;
            self.answer(&frame).await;
            return match is_answer || comes_again || self.backlog.is_empty() {
                true => Onward::End,
                false => Onward::GiveUp,
            };
        }
        self.refused += 1;
        let most = match code {
            Some(COME_LATER) => MOST_LATER,
            _ => MOST_REFUSED,
        };
        match self.refused < most {
            true => self.reopen(Some(LATER)),
            false => Onward::GiveUp,
        }
    }

    /// Tells the client. One that does not hear it is noticed by what comes from there.
    async fn answer(&mut self, frame: &Frame) {
        if !self.client.is_deaf {
            let told = self.client.out.write_all(&frame.bytes).await;
            self.client.is_deaf = told.is_err();
        }
    }

    /// The daemon is no more; another one is told what it did not confirm, after `pause` and in
    /// its turn.
    fn reopen(&mut self, pause: Option<Duration>) -> Onward {
        self.turn = None;
        if !self.backlog.may_be_told_again() {
            return Onward::GiveUp;
        }
        let turns = self
            .backlog
            .is_suspect()
            .then(|| Arc::clone(&self.common.turns));
        let opening = (self.again)();
        self.daemon = Daemon::Away(Box::pin(async move {
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            let turn = match turns {
                Some(turns) => Some(turns.lock_owned().await),
                None => None,
            };
            Some((opening.await?, turn))
        }));
        Onward::GoOn
    }

    /// Others have their turn: the daemon is there and confirms nothing.
    fn end_turn(&mut self) {
        self.backlog.end_alone();
        self.turn = None;
    }
}

/// Passes on what both ends say until the conversation ends. `again` opens another connection to
/// the daemon, however long that takes, or gives up. Answers how many messages no daemon has kept
/// of a client that has gone; one that is there tells them again.
pub(super) async fn tell<C, D, A, F>(
    (client, daemon): (C, D),
    greets: bool,
    (common, room): (Common, Room),
    again: A,
) -> usize
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncRead + AsyncWrite + Send + 'static,
    A: Fn() -> F,
    F: Future<Output = Option<D>> + Send + 'static,
{
    let mut telling = Telling {
        client: End::new(client, 1, Some(room)),
        has_gone: false,
        daemon: Daemon::There(End::new(daemon, WAITING, None)),
        backlog: Backlog::new(greets),
        common,
        turn: None,
        until: Instant::now(),
        again,
        refused: 0,
        is_welcomed: false,
        is_greeted: false,
    };
    loop {
        let may_take = !telling.has_gone && telling.backlog.has_room();
        let has_turn = telling.turn.is_some();
        let onward = tokio::select! {
            biased;
            event = telling.daemon.next(&telling.backlog) => telling.deal_with(event).await,
            heard = telling.client.heard.recv(), if may_take => {
                match heard {
                    Some(frame) => telling.backlog.add(frame),
                    None => telling.has_gone = true,
                }
                Onward::GoOn
            }
            () = tokio::time::sleep_until(telling.until), if has_turn => {
                telling.end_turn();
                Onward::GoOn
            }
        };
        match onward {
            Onward::GoOn if telling.has_gone && telling.backlog.is_empty() => return 0,
            Onward::GoOn => {}
            Onward::GiveUp if !telling.has_gone && telling.backlog.end().is_none() => return 0,
            Onward::GiveUp => return telling.backlog.messages(),
            Onward::End => return 0,
        }
    }
}

#[cfg(test)]
mod tests;
