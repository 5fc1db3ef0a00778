//! A client's connection, whose bytes are kept in a journal as they are read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::places::Place;
use super::registry::Kept;

/// How long a client may take to read the next bytes of its answer.
const STALLED: Duration = Duration::from_secs(60);

/// The connection, read through its journal.
pub(super) struct Journaled {
    kept: Arc<Kept>,
    /// How much of the journal is still to be read, from where.
    replay: std::ops::Range<u64>,
    stalled: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Journaled {
    /// Reads the first `replay` bytes from the journal and then the connection, which has
    /// that place while it is open.
    pub fn new(kept: Arc<Kept>, replay: u64, place: Place) -> Self {
        Self {
            kept,
            replay: 0..replay,
            stalled: None,
            _place: place,
        }
    }

    fn socket(&self) -> &TcpStream {
        &self.kept.socket
    }

    fn write(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.kept.journal.is_answered(|| has_sent(self.socket())) {
            return Poll::Ready(Ok(length));
        }
        self.kept.journal.before_write()?;
        loop {
            if self.socket().poll_write_ready(context)?.is_pending() {
                let stalled = self
                    .stalled
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(STALLED)));
                ready!(stalled.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            match write(self.socket()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    self.stalled = None;
                    self.kept.journal.after_write();
                    return Poll::Ready(written);
                }
            }
        }
    }
}

/// Whether the client has sent something that was not read yet.
fn has_sent(socket: &TcpStream) -> bool {
    use rustix::net::{RecvFlags, recv};
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let mut byte = [0; 1];
    recv(socket, &mut byte[..], flags).is_ok_and(|(read, _)| read > 0)
}

impl Drop for Journaled {
    fn drop(&mut self) {
        self.kept.end();
    }
}

impl AsyncRead for Journaled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.replay.is_empty() {
            let read = self
                .kept
                .journal
                .read(self.replay.start, into.initialize_unfilled())?;
            into.advance(read);
            self.replay.start += read as u64;
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.socket().poll_read_ready(context))?;
            match self.socket().try_read(into.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(read) => {
                    into.advance(read);
                    let fresh = into.filled().len() - read;
                    if read > 0 {
                        self.kept.journal.note_more();
                    }
                    if let Some(bytes) = into.filled().get(fresh..).filter(|_| read > 0) {
                        self.kept.append(bytes);
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Journaled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, bytes.len(), |socket| socket.try_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = parts.iter().map(|part| part.len()).sum();
        self.write(context, length, |socket| socket.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.kept.journal.flushed())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // One that is closed already needs no more of it.
        let _ = rustix::net::shutdown(self.socket(), rustix::net::Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}
