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

/// Passes on what both ends say until the conversation ends. `again` opens another connection to
/// the daemon, however long that takes, or gives up.
pub(super) async fn tell<C, D, F>(client: C, daemon: D, greets: bool, again: impl Fn() -> F)
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncRead + AsyncWrite + Send + 'static,
    F: Future<Output = Option<D>>,
{
    let (mut client, mut daemon) = (End::new(client), End::new(daemon));
    let mut unconfirmed = Unconfirmed::default();
    // Whether the next message of the daemon answers a greeting that was said again.
    let mut is_greeted = false;
    let mut has_gone = false;
    loop {
        let is_there = tokio::select! {
            // What the daemon confirms first, so that little is kept.
            biased;
            heard = daemon.heard.recv() => match heard {
                Some(frame) if is_restart(&frame) => false,
                Some(frame) => {
                    let is_for_client = match frame.meaning {
                        Meaning::Pong => {
                            unconfirmed.confirm();
                            frame.payload() != OWN
                        }
                        Meaning::Message => !std::mem::take(&mut is_greeted),
                        _ => true,
                    };
                    if is_for_client {
                        // Whether anybody is left to hear it is seen by what comes from there.
                        client.say(&frame).await;
                    }
                    if frame.meaning == Meaning::Close {
                        return;
                    }
                    true
                }
                None => false,
            },
            heard = client.heard.recv(), if !has_gone && unconfirmed.bytes < MOST => match heard {
                Some(frame) => {
                    let is_there = daemon.say(&frame).await;
                    unconfirmed.note(frame, greets);
                    is_there
                }
                None => {
                    has_gone = true;
                    true
                }
            },
        };
        if has_gone && unconfirmed.frames.is_empty() {
            return;
        }
        if is_there {
            if let Some(ping) = unconfirmed.question() {
                // That nobody takes it is noticed by what is heard no more.
                daemon.say(&ping).await;
            }
            continue;
        }
        let next = match unconfirmed.may_be_told_again() {
            true => again().await,
            false => None,
        };
        let Some(next) = next else {
            return;
        };
        daemon = End::new(next);
        is_greeted = unconfirmed.greeting.is_some();
        for frame in unconfirmed.greeting.iter().chain(&unconfirmed.frames) {
            daemon.say(frame).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn message(text: &str) -> Vec<u8> {
        let mut bytes = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
        bytes.extend(text.bytes());
        bytes
    }

    fn answer(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, payload.len() as u8];
        bytes.extend(payload);
        bytes
    }

    /// The conversation under test, and the daemons that it will find, the last one first.
    struct Talk {
        client: Option<End<DuplexStream>>,
        daemons: Arc<Mutex<Vec<DuplexStream>>>,
        telling: tokio::task::JoinHandle<()>,
    }

    impl Talk {
        fn begin() -> (Self, End<DuplexStream>) {
            let (client, theirs) = duplex(64 * 1024);
            let (daemon, ours) = duplex(64 * 1024);
            let daemons: Arc<Mutex<Vec<DuplexStream>>> = Arc::default();
            let next = Arc::clone(&daemons);
            let telling = tokio::spawn(async move {
                let again = || std::future::ready(next.lock().unwrap().pop());
                tell(theirs, daemon, true, again).await;
            });
            let talk = Self {
                client: Some(End::new(client)),
                daemons,
                telling,
            };
            (talk, End::new(ours))
        }

        fn next_daemon(&self) -> End<DuplexStream> {
            let (daemon, ours) = duplex(64 * 1024);
            self.daemons.lock().unwrap().push(daemon);
            End::new(ours)
        }

        async fn say(&mut self, bytes: &[u8]) {
            let client = self.client.as_mut().unwrap();
            client.out.write_all(bytes).await.unwrap();
        }
    }

    /// So many messages, confirmed.
    async fn hear(daemon: &mut End<DuplexStream>, messages: usize) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let frame = daemon.heard.recv().await.unwrap();
            match frame.meaning {
                Meaning::Message => {
                    heard.push(String::from_utf8(frame.payload().to_vec()).unwrap());
                }
                Meaning::Ping => {
                    let pong = answer(0x8a, frame.payload());
                    daemon.out.write_all(&pong).await.unwrap();
                    if heard.len() == messages {
                        return heard;
                    }
                }
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn what_a_daemon_did_not_confirm_is_told_to_the_next_and_the_client_does_not_notice() {
        let (mut talk, mut first) = Talk::begin();
        talk.say(&message("auth")).await;
        first.heard.recv().await.unwrap();
        first
            .out
            .write_all(&answer(0x81, b"welcome"))
            .await
            .unwrap();
        talk.say(&message("a")).await;
        assert_eq!(hear(&mut first, 1).await, ["a"]);
        let mut second = talk.next_daemon();
        for text in ["b", "c"] {
            talk.say(&message(text)).await;
        }
        while first.heard.recv().await.unwrap().payload() != b"c" {}
        drop(first);
        let greeting = second.heard.recv().await.unwrap();
        assert_eq!(greeting.payload(), b"auth");
        second
            .out
            .write_all(&answer(0x81, b"welcome"))
            .await
            .unwrap();
        let heard = hear(&mut second, 2).await;
        assert_eq!(heard, ["b", "c"]);
        talk.say(&answer(0x89, b"own")).await;
        let client = talk.client.as_mut().unwrap();
        assert_eq!(client.heard.recv().await.unwrap().payload(), b"welcome");
        loop {
            let frame = second.heard.recv().await.unwrap();
            if frame.meaning == Meaning::Ping {
                let pong = answer(0x8a, frame.payload());
                second.out.write_all(&pong).await.unwrap();
                if frame.payload() == b"own" {
                    break;
                }
            }
        }
        let pong = client.heard.recv().await.unwrap();
        assert_eq!((pong.meaning, pong.payload()), (Meaning::Pong, &b"own"[..]));
    }

    #[tokio::test]
    async fn what_a_client_said_that_has_gone_is_told_to_the_next_daemon() {
        for stops in [true, false] {
            let (mut talk, mut first) = Talk::begin();
            talk.say(&message("auth")).await;
            talk.say(&message("last")).await;
            drop(talk.client.take());
            first.heard.recv().await.unwrap();
            let mut second = talk.next_daemon();
            if stops {
                let end = answer(0x88, &RESTART);
                first.out.write_all(&end).await.unwrap();
            } else {
                drop(first);
            }
            assert_eq!(hear(&mut second, 2).await, ["auth", "last"]);
            talk.telling.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_daemons_die_of_is_given_up() {
        let (mut talk, mut first) = Talk::begin();
        talk.say(&message("auth")).await;
        talk.say(&message("deadly")).await;
        while first.heard.recv().await.unwrap().payload() != b"deadly" {}
        let mut daemons: Vec<_> = (0..5).map(|_| talk.next_daemon()).collect();
        drop(first);
        let mut met = 0;
        while let Some(mut daemon) = daemons.pop() {
            // Whichever has died of it is not asked again.
            match tokio::time::timeout(std::time::Duration::from_millis(500), async {
                while daemon.heard.recv().await.unwrap().payload() != b"deadly" {}
            })
            .await
            {
                Ok(()) => met += 1,
                Err(_) => break,
            }
            drop(daemon);
        }
        assert_eq!(met, usize::from(MOST_DEATHS) - 1);
        talk.telling.await.unwrap();
    }
}
