//! A client's connection, whose bytes are kept in a journal as they are read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::registry::{Kept, Taken};
use super::slots::ConnectionSlot;
use super::spool::{TIME, earned};

/// How long a client may take to read the next bytes of its answer.
const STALLED: Duration = Duration::from_secs(60);

/// The connection, read through its journal.
pub(super) struct Journaled {
    kept: Arc<Kept>,
    /// How much of the journal is still to be read, from where.
    replay: std::ops::Range<u64>,
    /// What was read and is not in the journal.
    loose: Bytes,
    /// How long the client has kept its answer waiting, and how much of it that took.
    waited: Duration,
    sent: usize,
    /// Since when the client takes nothing, and until when that is borne.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    _slot: ConnectionSlot,
}

impl Journaled {
    /// Begins with what is in the journal. The connection has that slot while it is open.
    pub fn new(kept: Arc<Kept>, slot: ConnectionSlot) -> Self {
        Self {
            replay: 0..kept.journal.length(),
            loose: Bytes::new(),
            kept,
            waited: Duration::ZERO,
            sent: 0,
            stalled: None,
            _slot: slot,
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
                let left = self.borne();
                let (_, stalled) = self
                    .stalled
                    .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
                ready!(stalled.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            match write(self.socket()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    if let Some((since, _)) = self.stalled.take() {
                        self.waited += since.elapsed();
                    }
                    self.sent += written.as_ref().map_or(0, |sent| *sent);
                    self.kept.journal.after_write();
                    return Poll::Ready(written);
                }
            }
        }
    }
}

impl Journaled {
    /// For how long the client may take nothing from here on: not longer than [`STALLED`], nor,
    /// all waiting for the same answer together, than a body may take.
    fn borne(&self) -> Duration {
        if self.kept.journal.is_on() {
            let all = TIME + earned(self.sent);
            all.saturating_sub(self.waited).min(STALLED)
        } else {
            STALLED
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
        loop {
            if !self.replay.is_empty() {
                let wanted = usize::try_from(self.replay.end - self.replay.start);
                let wanted = wanted.unwrap_or(usize::MAX).min(into.remaining());
                let buffer = into.initialize_unfilled_to(wanted);
                let read = self.kept.journal.read(self.replay.start, buffer)?;
                into.advance(read);
                self.replay.start += read as u64;
                return Poll::Ready(Ok(()));
            }
            if !self.loose.is_empty() {
                let wanted = self.loose.len().min(into.remaining());
                into.put_slice(&self.loose.split_to(wanted));
                return Poll::Ready(Ok(()));
            }
            ready!(self.socket().poll_read_ready(context))?;
            match self.kept.take(into.remaining()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(Taken::Kept(range)) if range.is_empty() => return Poll::Ready(Ok(())),
                Ok(Taken::Kept(range)) => self.replay = range,
                Ok(Taken::Loose(bytes)) if bytes.is_empty() => return Poll::Ready(Ok(())),
                Ok(Taken::Loose(bytes)) => self.loose = bytes.into(),
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

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_read = self.replay.is_empty() && self.loose.is_empty();
        if self.kept.journal.flushed(is_read)? {
            (self.waited, self.sent) = (Duration::ZERO, 0);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // One that is closed already needs no more of it.
        let _ = rustix::net::shutdown(self.socket(), rustix::net::Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}
