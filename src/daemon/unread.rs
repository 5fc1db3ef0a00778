//! A connection whose client has to read what it asked for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take to read the next [`STEP`].
const TIME: Duration = Duration::from_secs(30);
/// In bytes; little enough for slow networks, and more than who only pretends to read will.
const STEP: usize = 16 * 1024;

/// A stream that fails once what is written to it is not read for too long.
pub(super) struct Unread<S> {
    stream: S,
    /// Set while something waits to be written.
    end: Option<Pin<Box<Sleep>>>,
    written: usize,
}

impl<S> Unread<S> {
    /// Nothing waits yet.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            end: None,
            written: 0,
        }
    }
}

impl<S: Unpin> Unread<S> {
    /// What became of a try to write.
    fn tried(
        &mut self,
        context: &mut Context<'_>,
        tried: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match tried {
            Poll::Ready(Ok(size)) => {
                if self.end.is_some() {
                    self.written += size;
                    if self.written >= STEP {
                        self.end = None;
                    }
                }
                Poll::Ready(Ok(size))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.end.is_none() {
                    self.written = 0;
                }
                let end = self
                    .end
                    .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + TIME)));
                ready!(end.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.tried(context, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.tried(context, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up_and_who_reads_is_not() {
        let (_unread, served) = duplex(1024);
        let begun = Instant::now();
        let error = Unread::new(served).write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), TIME);
        let (mut reader, served) = duplex(1024);
        let written = tokio::spawn(async move {
            let written = Unread::new(served).write_all(&[0; 40 * STEP]).await;
            written.map_err(|error| error.kind())
        });
        let mut buffer = vec![0; STEP];
        for _ in 0..40 {
            tokio::time::sleep(TIME / 2).await;
            reader.read_exact(&mut buffer).await.unwrap();
        }
        assert_eq!(written.await.unwrap(), Ok(()));
    }
}
