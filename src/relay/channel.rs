//! How descriptors go between a relay and the daemon that keeps duplicates of them.
//!
//! A socket that carries whole messages: each is one [`Note`] with the descriptors that it
//! speaks of. The relay calls; the daemon listens.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};

use super::Came;

/// The longest note, in bytes.
const LONGEST: usize = 1024;
/// The most descriptors of one note.
const MOST: usize = 3;
/// How many callers may wait.
const BACKLOG: i32 = 8;

/// What one end tells the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The relay's first word.
    Hello {
        /// Whether it has nothing yet and takes what the daemon keeps. Otherwise the daemon
        /// forgets what it kept, and is told.
        fresh: bool,
    },
    /// With it go a listening socket and the socket beside it; see `relay::listen`.
    Listener {
        /// Where.
        address: SocketAddr,
    },
    /// With it go the three descriptors of the way into the journals.
    Stage,
    /// With it go a connection's socket and its journal.
    Connection {
        /// Names it between these two.
        id: u64,
        /// Where it comes from.
        came: Came,
    },
    /// With it goes another journal of a connection.
    Journal {
        /// Which connection.
        id: u64,
    },
    /// A connection is over.
    Over {
        /// Which one.
        id: u64,
    },
    /// Nobody listens there any more.
    Left {
        /// Where.
        address: SocketAddr,
    },
    /// That was all that the daemon keeps.
    End,
    /// Something that only another version says.
    #[serde(skip)]
    Unknown,
}

/// One end of a connection: of packets, whatever its type says.
pub struct Channel(UnixStream);

impl Channel {
    /// Calls the daemon.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let fd = socket()?;
        net::connect(&fd, &SocketAddrUnix::new(path)?)?;
        Ok(Self(UnixStream::from_std(fd.into())?))
    }

    /// Sends a note with its descriptors, at once or not at all.
    pub fn send(&self, note: &Note, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = serde_json::to_vec(note)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut extra = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !extra.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let parts = [IoSlice::new(&bytes)];
        net::sendmsg(&self.0, &parts, &mut extra, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Sends as soon as there is room for it.
    pub async fn send_all(&self, note: &Note, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.0
            .async_io(Interest::WRITABLE, || self.send(note, fds))
            .await
    }

    /// The next note with its descriptors; nothing when the other end is gone.
    pub async fn receive(&self) -> io::Result<Option<(Note, Vec<OwnedFd>)>> {
        self.0.async_io(Interest::READABLE, || take(&self.0)).await
    }
}

fn take(fd: &UnixStream) -> io::Result<Option<(Note, Vec<OwnedFd>)>> {
    let mut bytes = [0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut extra = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let got = net::recvmsg(fd, &mut parts, &mut extra, RecvFlags::CMSG_CLOEXEC)?;
    let fds = extra.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds = fds.flatten().collect();
    match bytes.get(..got.bytes) {
        None | Some([]) => Ok(None),
        Some(text) => Ok(Some((
            serde_json::from_slice(text).unwrap_or(Note::Unknown),
            fds,
        ))),
    }
}

/// Where relays call.
pub struct Listening(UnixListener);

impl Listening {
    /// Binds a path where nothing is; only this user may use it, from the first moment on.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let fd = socket()?;
        // A socket's file has the mode of the descriptor that is bound.
        rustix::fs::fchmod(&fd, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)?;
        net::bind(&fd, &SocketAddrUnix::new(path)?)?;
        net::listen(&fd, BACKLOG)?;
        Ok(Self(UnixListener::from_std(fd.into())?))
    }

    /// The next relay that calls.
    pub async fn accept(&self) -> io::Result<Channel> {
        Ok(Channel(self.0.accept().await?.0))
    }
}

fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok(fd)
}
