//! A websocket's frames as they are on the wire: read whole, and handed on as they came.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::Sender;

use super::room::{Room, Share};

/// The largest frame that is held, in bytes; the daemon takes none that is larger.
pub(super) const LARGEST: u64 = 5 * 1024 * 1024;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// What a frame is to whoever passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A whole message.
    Message,
    /// A part of a message.
    Part,
    /// The end of the conversation.
    Close,
    /// To be answered.
    Ping,
    /// An answer to that.
    Pong,
    /// Nothing that the protocol knows.
    Unknown,
}

/// A frame.
#[derive(Debug)]
pub(super) struct Frame {
    /// What it is.
    pub meaning: Meaning,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where its payload begins.
    head: usize,
    /// The room that it takes, where that is counted.
    _share: Option<Share>,
}

/// What a frame takes beside its bytes where it is kept.
pub(super) const BESIDE: usize = 192;

impl Frame {
    /// A ping as clients send it.
    pub fn ping(payload: &[u8]) -> Self {
        let length = u8::try_from(payload.len()).unwrap_or(125).min(125);
        // The mask that leaves everything as it is.
        let mut bytes = vec![0x80 | PING, 0x80 | length, 0, 0, 0, 0];
        let head = bytes.len();
        bytes.extend(payload.iter().take(usize::from(length)));
        Self {
            meaning: Meaning::Ping,
            bytes,
            head,
            _share: None,
        }
    }

    /// What it says, as it is on the wire.
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }

    /// The code of a close.
    pub fn code(&self) -> Option<u16> {
        let is_masked = self.bytes.get(1).is_some_and(|second| second & 0x80 != 0);
        let mask = match is_masked {
            true => self.bytes.get(self.head.checked_sub(4)?..self.head)?,
            false => &[0, 0],
        };
        match (self.payload(), mask) {
            ([high, low, ..], [first, second, ..]) => {
                Some(u16::from_be_bytes([high ^ first, low ^ second]))
            }
            _ => None,
        }
    }

    /// The next one, once there is `room` for it; `None` at the end of the stream. An error for
    /// one that is too large, or comes too slowly where others may wait for its room.
    pub async fn read(
        from: &mut (impl AsyncRead + Unpin),
        room: Option<&Room>,
    ) -> io::Result<Option<Self>> {
        let mut first = [0];
        if from.read(&mut first).await? == 0 {
            return Ok(None);
        }
        let [first] = first;
        let second = from.read_u8().await?;
        let mut bytes = vec![first, second];
        let length = match second & 0x7f {
            126 => u64::from(from.read_u16().await?),
            127 => from.read_u64().await?,
            short => u64::from(short),
        };
        match second & 0x7f {
            126 => bytes.extend(u16::try_from(length).unwrap_or_default().to_be_bytes()),
            127 => bytes.extend(length.to_be_bytes()),
            _ => {}
        }
        if length > LARGEST {
            return Err(io::Error::other("a frame is too large to be held"));
        }
        let is_masked = second & 0x80 != 0;
        let head = bytes.len() + if is_masked { 4 } else { 0 };
        let whole = head + usize::try_from(length).map_err(io::Error::other)?;
        let share = match room {
            Some(room) => Some(room.take(BESIDE + whole).await),
            None => None,
        };
        let begun = bytes.len();
        bytes.resize(whole, 0);
        let rest = from.read_exact(bytes.get_mut(begun..).unwrap_or_default());
        match share.as_ref().and_then(Share::time) {
            Some(time) => tokio::time::timeout(time, rest).await??,
            None => rest.await?,
        };
        Ok(Some(Self {
            meaning: meaning(first),
            bytes,
            head,
            _share: share,
        }))
    }
}

fn meaning(first: u8) -> Meaning {
    let is_last = first & 0x80 != 0;
    match first & 0x0f {
        TEXT | BINARY if is_last => Meaning::Message,
        TEXT | BINARY | CONTINUATION => Meaning::Part,
        CLOSE => Meaning::Close,
        PING => Meaning::Ping,
        PONG => Meaning::Pong,
        _ => Meaning::Unknown,
    }
}

/// Reads to the end of the stream, as far as there is `room`; what does not go on is its end as
/// well.
pub(super) async fn read_all(
    mut from: impl AsyncRead + Unpin,
    to: Sender<Frame>,
    room: Option<Room>,
) {
    while let Ok(Some(frame)) = Frame::read(&mut from, room.as_ref()).await {
        if to.send(frame).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> io::Result<Option<Frame>> {
        Frame::read(&mut bytes, None).await
    }

    #[tokio::test]
    async fn frames_of_every_length_are_read_as_they_are() {
        let frame = |length: usize| {
            let mut bytes = vec![0x81];
            match length {
                0..=125 => bytes.push(0x80 | length as u8),
                126..=0xffff => {
                    bytes.push(0x80 | 126);
                    bytes.extend((length as u16).to_be_bytes());
                }
                _ => {
                    bytes.push(0x80 | 127);
                    bytes.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend([1, 2, 3, 4]);
            bytes.resize(bytes.len() + length, 7);
            bytes
        };
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
            let bytes = frame(length);
            let read = read(&bytes).await.unwrap().unwrap();
            assert_eq!(read.meaning, Meaning::Message);
            assert_eq!(read.payload().len(), length);
            assert_eq!(read.bytes, bytes);
        }
        assert!(read(&frame(300)[..200]).await.is_err(), "it is cut off");
        assert!(read(&frame(5 * 1024 * 1024 + 1)).await.is_err());
        assert!(read(&[]).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_code_of_a_close_is_read_through_the_mask() {
        let close = [0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe8 ^ 2];
        for (bytes, code) in [
            (&close[..], Some(1000)),
            (&[0x88, 2, 0x03, 0xf5], Some(1013)),
            (&[0x88, 0], None),
        ] {
            let frame = read(bytes).await.unwrap().unwrap();
            assert_eq!(frame.code(), code);
        }
    }

    #[tokio::test]
    async fn what_frames_mean_is_in_their_first_byte() {
        let cases = [
            (0x81, Meaning::Message),
            (0x82, Meaning::Message),
            (0x01, Meaning::Part),
            (0x00, Meaning::Part),
            (0x80, Meaning::Part),
            (0x88, Meaning::Close),
            (0x89, Meaning::Ping),
            (0x8a, Meaning::Pong),
            (0x83, Meaning::Unknown),
        ];
        for (first, meaning) in cases {
            assert_eq!(read(&[first, 0]).await.unwrap().unwrap().meaning, meaning);
        }
        let ping = Frame::ping(b"here");
        let again = read(&ping.bytes).await.unwrap().unwrap();
        assert_eq!(
            (again.meaning, again.payload()),
            (Meaning::Ping, &b"here"[..])
        );
    }
}
