//! Reads what comes on a socket, ahead of what is dealt with, within bounds.
//!
//! It runs by itself: a frame that is being read must not be given up half-way. Pings are handed on
//! with the messages, in their order, so that whoever deals with these decides when they are
//! answered.

use std::sync::Arc;
use std::time::Duration;

use fastwebsockets::{Frame, OpCode, WebSocketError, WebSocketRead};
use tokio::io::AsyncRead;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::socket::{Closing, code};

/// How long a client may be silent; it is pinged more often than this.
const SILENCE: Duration = Duration::from_secs(60);
/// What is counted: a semaphore's count is not made for bytes.
const UNIT: usize = 1024;
/// How many units of one socket's messages may wait.
const OF_ONE_KIB: usize = 8 * 1024;
/// The largest message that is read: larger than an event may be, so that one that is only too
/// large is known when it comes again.
const MOST_MESSAGE: usize = 4 * 1024 * 1024;

/// What came.
pub(super) enum Heard {
    /// A message.
    Text(Message),
    /// A ping, to be answered with the same bytes.
    Ping(Vec<u8>),
    /// The client closes the connection, with that code.
    Close(u16),
    /// Nothing more can be read, for a reason to tell if there is anybody left to hear it.
    Broken(Closing),
}

/// A message, with its share of what may wait.
pub(super) struct Message {
    /// What it says.
    pub text: String,
    _of_one: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

/// Reads frames and puts messages together.
pub(super) struct FrameReader<S> {
    frames: WebSocketRead<S>,
    /// What has come of a message that comes in pieces, and whether it is text.
    pieces: Option<(Vec<u8>, bool)>,
    of_one: Arc<Semaphore>,
    of_all: Arc<Semaphore>,
}

impl<S: AsyncRead + Unpin> FrameReader<S> {
    pub fn new(mut frames: WebSocketRead<S>, of_all: Arc<Semaphore>) -> Self {
        frames.set_auto_pong(false);
        frames.set_auto_close(false);
        // One byte more than the largest is too large.
        frames.set_max_message_size(MOST_MESSAGE + 1);
        Self {
            frames,
            pieces: None,
            of_one: Arc::new(Semaphore::new(OF_ONE_KIB)),
            of_all,
        }
    }

    /// Reads until the end, or until nobody listens.
    pub async fn read(mut self, to: Sender<Heard>) {
        loop {
            let heard = match self.next().await {
                Ok(Some(heard)) => heard,
                Ok(None) => continue,
                Err(closing) => Heard::Broken(closing),
            };
            let is_last = matches!(heard, Heard::Close(_) | Heard::Broken(_));
            if to.send(heard).await.is_err() || is_last {
                return;
            }
        }
    }

    /// What the next frame brings; nothing for a piece of a message, and for a pong.
    async fn next(&mut self) -> Result<Option<Heard>, Closing> {
        // Nothing is to be sent by itself.
        let mut unsent = |_: Frame<'_>| async { Ok::<(), std::convert::Infallible>(()) };
        let frame = tokio::time::timeout(SILENCE, self.frames.read_frame(&mut unsent));
        let frame = frame
            .await
            .map_err(|_| Closing::of(code::GOING, "no answer to pings"))?;
        let frame = frame.map_err(|error| broken(&error))?;
        let (is_whole, opcode, bytes) = (frame.fin, frame.opcode, Vec::from(frame.payload));
        match opcode {
            OpCode::Ping => Ok(Some(Heard::Ping(bytes))),
            OpCode::Pong => Ok(None),
            OpCode::Close => Ok(Some(Heard::Close(close_code(&bytes)))),
            OpCode::Text | OpCode::Binary if self.pieces.is_some() => Err(PIECES),
            OpCode::Text | OpCode::Binary if is_whole => {
                self.message(bytes, opcode == OpCode::Text).await.map(Some)
            }
            OpCode::Text | OpCode::Binary => {
                self.pieces = Some((bytes, opcode == OpCode::Text));
                Ok(None)
            }
            OpCode::Continuation => self.piece(bytes, is_whole).await,
        }
    }

    async fn piece(&mut self, bytes: Vec<u8>, is_last: bool) -> Result<Option<Heard>, Closing> {
        let Some((mut all, is_text)) = self.pieces.take() else {
            return Err(PIECES);
        };
        if all.len() + bytes.len() > MOST_MESSAGE {
            return Err(too_large());
        }
        all.extend(bytes);
        if is_last {
            return self.message(all, is_text).await.map(Some);
        }
        self.pieces = Some((all, is_text));
        Ok(None)
    }

    /// A whole message, once there is room for it.
    async fn message(&mut self, bytes: Vec<u8>, is_text: bool) -> Result<Heard, Closing> {
        if !is_text {
            return Err(Closing::of(code::UNSUPPORTED, "messages are text"));
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| Closing::of(code::NOT_TEXT, "the message is not UTF-8"))?;
        let units = u32::try_from(text.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
        // The semaphores are never closed.
        let of_one = Arc::clone(&self.of_one)
            .acquire_many_owned(units)
            .await
            .ok();
        let of_all = Arc::clone(&self.of_all)
            .acquire_many_owned(units)
            .await
            .ok();
        Ok(Heard::Text(Message {
            text,
            _of_one: of_one,
            _of_all: of_all,
        }))
    }
}

const PIECES: Closing = Closing::fixed(code::PROTOCOL, "a message's pieces are out of order");

fn too_large() -> Closing {
    Closing::of(
        code::TOO_LARGE,
        &format!("a message must have at most {MOST_MESSAGE} bytes"),
    )
}

/// What a close frame says; a frame that says nothing is a normal end.
fn close_code(bytes: &[u8]) -> u16 {
    match bytes {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => code::NORMAL,
    }
}

fn broken(error: &WebSocketError) -> Closing {
    match error {
        WebSocketError::FrameTooLarge => too_large(),
        WebSocketError::InvalidUTF8 => Closing::of(code::NOT_TEXT, "the message is not UTF-8"),
        WebSocketError::UnexpectedEOF
        | WebSocketError::ConnectionClosed
        | WebSocketError::IoError(_) => Closing::of(code::GOING, "the connection broke"),
        other => Closing::of(code::PROTOCOL, &other.to_string()),
    }
}
