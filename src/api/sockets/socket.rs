//! A websocket: messages in, messages out, and an orderly end.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use fastwebsockets::{Frame, OpCode, Payload, WebSocket, WebSocketError, WebSocketWrite};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::WriteHalf;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Sockets;
use super::reader::{FrameReader, Heard};

/// How many messages may wait to be dealt with.
const WAITING: usize = 256;
/// How often a client is pinged, as the reference does.
const PING: Duration = Duration::from_secs(20);
/// How long a client may take to let something be written. Then it is given up.
const WRITING: Duration = Duration::from_secs(30);
/// How long a client may take to answer the end.
const ENDING: Duration = Duration::from_secs(2);
/// The most bytes of a reason.
const MOST_REASON: usize = 123;

/// Why a connection is closed.
pub(super) mod code {
    /// All is done.
    pub const NORMAL: u16 = 1000;
    /// The other end has gone, or one does not listen any more.
    pub const GOING: u16 = 1001;
    /// It is not the protocol that is spoken here.
    pub const PROTOCOL: u16 = 1002;
    /// It is no text.
    pub const UNSUPPORTED: u16 = 1003;
    /// It is not what it should be.
    pub const NOT_TEXT: u16 = 1007;
    /// It is not permitted.
    pub const POLICY: u16 = 1008;
    /// It is too much.
    pub const TOO_LARGE: u16 = 1009;
    /// Something here does not work.
    pub const TROUBLE: u16 = 1011;
    /// The daemon stops. To clients 1001 would be a good end, after which they do not come again.
    pub const RESTART: u16 = 1012;
    /// Not now.
    pub const LATER: u16 = 1013;
    /// It is not what is spoken on this socket, as the reference says it.
    pub const VIOLATION: u16 = 4001;
}

/// How a connection is closed: a code, and a reason in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    code: u16,
    reason: Cow<'static, str>,
}

impl Closing {
    /// With a reason, of which as much is told as there is room for.
    pub fn of(code: u16, reason: &str) -> Self {
        let end = reason.floor_char_boundary(MOST_REASON);
        let reason = reason.get(..end).unwrap_or_default().to_owned();
        Self {
            code,
            reason: Cow::Owned(reason),
        }
    }

    /// The same with a short reason that is always the same.
    pub const fn fixed(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(reason),
        }
    }

    /// Since the daemon stops.
    pub const fn stopping() -> Self {
        Self::fixed(code::RESTART, "the server is stopping")
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

/// How a conversation ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By a word of ours.
    Close(Closing),
    /// As the client asks, with its code.
    Asked(u16),
    /// Nobody is there any more.
    Gone,
}

type Stream = TokioIo<Upgraded>;

/// An open websocket.
pub struct Socket {
    heard: Receiver<Heard>,
    out: WebSocketWrite<WriteHalf<Stream>>,
    pings: Interval,
    stop: CancellationToken,
    /// Whether nothing can be written any more.
    is_over: bool,
    /// Reads for as long as the socket is there.
    _reading: AbortOnDropHandle<()>,
}

/// What there is to do on a socket.
pub(super) enum Next {
    /// To deal with what came.
    Heard(Heard),
    /// To come to an end, since the daemon does.
    Stop,
}

impl Socket {
    /// Begins to read.
    pub(super) fn new(opened: WebSocket<Stream>, sockets: &Sockets) -> Self {
        let (frames, out) = opened.split(tokio::io::split);
        let (to, heard) = mpsc::channel(WAITING);
        let reader = FrameReader::new(frames, sockets.waiting.clone());
        let mut pings = tokio::time::interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        Self {
            heard,
            out,
            pings,
            stop: sockets.stop.child_token(),
            is_over: false,
            _reading: AbortOnDropHandle::new(tokio::spawn(reader.read(to))),
        }
    }

    /// What comes next; pings the client meanwhile. May be given up at any time.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Next::Stop,
                heard = self.heard.recv() => {
                    let gone = || Heard::Broken(Closing::fixed(code::GOING, "it has ended"));
                    return Next::Heard(heard.unwrap_or_else(gone));
                }
                _ = self.pings.tick() => self.write(OpCode::Ping, Vec::new()).await,
            }
        }
    }

    /// What has come already.
    pub(super) fn at_once(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }

    /// Sends a message.
    pub(super) async fn say(&mut self, message: &impl Serialize) {
        match serde_json::to_vec(message) {
            Ok(text) => self.write(OpCode::Text, text).await,
            Err(error) => tracing::error!(%error, "a message could not be written"),
        }
    }

    /// Answers a ping.
    pub(super) async fn pong(&mut self, bytes: Vec<u8>) {
        self.write(OpCode::Pong, bytes).await;
    }

    /// Whether the client is gone, or given up.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    async fn write(&mut self, opcode: OpCode, bytes: Vec<u8>) {
        if self.is_over {
            return;
        }
        let frame = Frame::new(true, opcode, None, Payload::Owned(bytes));
        let written = tokio::time::timeout(WRITING, self.out.write_frame(frame)).await;
        self.is_over = !matches!(written, Ok(Ok(())));
        let is_slow = match &written {
            Ok(Err(WebSocketError::IoError(error))) => error.kind() == io::ErrorKind::TimedOut,
            written => written.is_err(),
        };
        if is_slow {
            tracing::warn!("a websocket is closed: its client reads too slowly");
        }
    }

    /// Closes the connection with a reason.
    pub(super) async fn close(&mut self, closing: &Closing) {
        if self.is_over {
            return;
        }
        let frame = Frame::close(closing.code, closing.reason.as_bytes());
        let _ = tokio::time::timeout(ENDING, self.out.write_frame(frame)).await;
        self.is_over = true;
    }

    /// Answers the client's own end.
    pub(super) async fn close_as_asked(&mut self, asked: u16) {
        // What must not be sent is answered as a normal end.
        let is_told = matches!(asked, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let code = if is_told { asked } else { code::NORMAL };
        self.close(&Closing::fixed(code, "")).await;
    }

    /// Ends the conversation.
    pub(super) async fn finish(mut self, ending: Ending) {
        match ending {
            Ending::Close(closing) => self.close(&closing).await,
            // It has heard all, and closes the connection itself.
            Ending::Asked(asked) => return self.close_as_asked(asked).await,
            Ending::Gone => return,
        }
        self.end().await;
    }

    /// Waits until the client has heard of the end: what it has sent meanwhile is thrown away. A
    /// connection that is dropped with something unread takes what was written last with it.
    pub(super) async fn end(mut self) {
        let rest = async {
            while let Some(heard) = self.heard.recv().await {
                if matches!(heard, Heard::Close(_) | Heard::Broken(_)) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(ENDING, rest).await;
    }
}
