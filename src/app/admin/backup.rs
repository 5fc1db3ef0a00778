//! The verb that backs everything up while everything goes on.

use std::io;

use tokio::sync::mpsc;

use crate::app::App;
use crate::domain::error::Result;
use crate::storage::backup::pack;

/// How much of an archive is handed over at once.
const PIECE: usize = 256 * 1024;
/// How many pieces wait for a reader that is slow.
const PIECES: usize = 4;

/// The pieces of an archive, in order. An error means that it is not complete.
pub type Pieces = mpsc::Receiver<io::Result<Vec<u8>>>;

impl App {
    /// An archive of the database as it is when this answers, and of all documents. It holds
    /// every run that was acknowledged before the call. Writers are not held up.
    pub async fn backup(&self) -> Result<Pieces> {
        let copy = self.inner.store.copy().await?;
        let (send, pieces) = mpsc::channel(PIECES);
        let (blobs, now) = (self.inner.blobs.clone(), self.now());
        tokio::task::spawn_blocking(move || {
            let out = io::BufWriter::with_capacity(PIECE, Sender(&send));
            if let Err(error) = pack(copy, &blobs, now, out) {
                tracing::warn!(%error, "a backup was not finished");
                // The reader may be what has gone.
                let _ = send.blocking_send(Err(io::Error::other(error)));
            }
        });
        Ok(pieces)
    }
}

/// Writes into a channel.
struct Sender<'a>(&'a mpsc::Sender<io::Result<Vec<u8>>>);

impl io::Write for Sender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(bytes.to_vec()));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
