//! A body that is held until it has been handed on: small ones in memory, others in a file
//! without a name in the state directory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::journal::nameless;
use super::{ahead, disk};

/// A body as it is handed on.
pub(super) type Whole = UnsyncBoxBody<Bytes, io::Error>;

/// Up to so many bytes a body is in memory.
pub(super) const IN_MEMORY: usize = 32 * 1024;
/// All larger bodies together, in bytes.
const BUDGET: usize = 4 * 1024 * 1024 * 1024;
/// What is counted at a time: a semaphore's count is not made for bytes.
pub(super) const UNIT: usize = 64 * 1024;
/// How long a body waits for its share of the budget.
const SHARE: Duration = Duration::from_secs(10);
/// How long a body may take: so much, and what it takes at so many bytes a second.
pub(super) const TIME: Duration = Duration::from_secs(30);
const LEAST_PER_SECOND: usize = 32 * 1024;
/// How much is read of a file at a time.
pub(super) const PIECE: usize = 64 * 1024;

/// Why a body is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is larger than what is carried.
    TooLarge,
    /// It came too slowly.
    TooSlow,
    /// There is no room for it at the moment.
    NoRoom,
    /// The disk is full, or does not work.
    Disk,
    /// It broke off.
    Broken,
}

/// Where bodies are held, and how much of them; clones share that.
#[derive(Clone)]
pub(super) struct Spools {
    folder: PathBuf,
    free: Arc<Semaphore>,
    time: Duration,
}

impl Spools {
    /// Files go to `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            free: Arc::new(Semaphore::new(BUDGET / UNIT)),
            time: TIME,
        }
    }

    /// Waits until the disk has room for a body of so many bytes; see [`disk`].
    pub async fn wait_for_room(&self, length: u64, until: Instant) {
        if length > IN_MEMORY as u64 {
            disk::wait_for_room(&self.folder, length, until).await;
        }
    }

    /// Holds a body that a client sends, of at most `most` bytes and not slower than a client
    /// may be.
    pub async fn hold_timely<B>(&self, body: B, most: u64) -> Result<Spool, Refused>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        self.collect(body, most, Some(Instant::now() + self.time))
            .await
    }

    /// Holds a body that the daemon sends.
    pub async fn hold<B>(&self, body: B) -> Result<Spool, Refused>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        self.collect(body, u64::MAX, None).await
    }

    /// Hands a large body on that the daemon sends; see [`ahead`]. `until` is kept until all
    /// has come.
    pub fn hand_on<B>(&self, body: B, until: impl Send + 'static) -> Result<Whole, Refused>
    where
        B: Body<Data = Bytes, Error = io::Error> + Send + Unpin + 'static,
    {
        let file = nameless(&self.folder).map_err(|_| Refused::Disk)?;
        Ok(ahead::hand_on(body, file, &self.free, until))
    }

    /// Reads what is left of a body and throws it away, for as long as a body may take: a
    /// client that is cut off while it sends never sees the answer.
    pub async fn pass_over<B>(&self, mut body: B)
    where
        B: Body + Unpin,
    {
        let all = async { while let Some(Ok(_)) = body.frame().await {} };
        let _ = tokio::time::timeout(2 * self.time, all).await;
    }

    /// Counts a body of `length` bytes that somebody else keeps in `file` from the byte
    /// that `offset` tells once all is there, and holds it by that.
    pub async fn hold_kept<B>(
        &self,
        mut body: B,
        length: u64,
        kept: impl FnOnce() -> Option<(Arc<File>, u64)>,
    ) -> Result<Spool, Refused>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (mut held, mut deadline) = (Held::default(), Instant::now() + self.time);
        while held.length < length {
            let frame = tokio::time::timeout_at(deadline, body.frame()).await;
            let frame = frame
                .map_err(|_| Refused::TooSlow)?
                .ok_or(Refused::Broken)?;
            let Ok(piece) = frame.map_err(|_| Refused::Broken)?.into_data() else {
                continue;
            };
            held.length += piece.len() as u64;
            deadline += earned(piece.len());
            self.share(&mut held).await?;
        }
        // The client has sent it, so it is the disk that does not have it.
        let (file, offset) = kept().ok_or(Refused::Disk)?;
        Ok(Spool {
            bytes: SpoolContent::File(Arc::new((file, held.shares)), offset),
            length,
        })
    }

    /// Takes what a body's bytes need of the budget.
    async fn share(&self, held: &mut Held) -> Result<(), Refused> {
        while ((held.shares.len() * UNIT) as u64) < held.length {
            let share = Arc::clone(&self.free).acquire_owned();
            let share = tokio::time::timeout(SHARE, share).await;
            let share = share.map_err(|_| Refused::NoRoom)?;
            held.shares.push(share.map_err(|_| Refused::NoRoom)?);
        }
        Ok(())
    }

    async fn collect<B>(
        &self,
        mut body: B,
        most: u64,
        mut deadline: Option<Instant>,
    ) -> Result<Spool, Refused>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut held = Held::default();
        loop {
            let frame = match deadline {
                Some(at) => tokio::time::timeout_at(at, body.frame()).await,
                None => Ok(body.frame().await),
            };
            let Some(frame) = frame.map_err(|_| Refused::TooSlow)? else {
                return Ok(held.done());
            };
            let Ok(piece) = frame.map_err(|_| Refused::Broken)?.into_data() else {
                continue;
            };
            if held.length + piece.len() as u64 > most {
                return Err(Refused::TooLarge);
            }
            deadline = deadline.map(|at| at + earned(piece.len()));
            self.add(&mut held, &piece).await?;
        }
    }

    async fn add(&self, held: &mut Held, piece: &[u8]) -> Result<(), Refused> {
        let length = held.length as usize + piece.len();
        if length <= IN_MEMORY {
            held.memory.extend_from_slice(piece);
        } else {
            if held.file.is_none() {
                let file = nameless(&self.folder).map_err(|_| Refused::Disk)?;
                file.write_all_at(&held.memory, 0)
                    .map_err(|_| Refused::Disk)?;
                held.memory = Vec::new();
                held.file = Some(file);
            }
            if let Some(file) = &held.file {
                file.write_all_at(piece, held.length)
                    .map_err(|_| Refused::Disk)?;
            }
            held.length = length as u64;
            self.share(held).await?;
        }
        held.length = length as u64;
        Ok(())
    }
}

/// How much longer a body may take of which so much has passed.
pub(super) fn earned(bytes: usize) -> Duration {
    Duration::from_secs_f64(bytes as f64 / LEAST_PER_SECOND as f64)
}

#[derive(Default)]
struct Held {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
    shares: Vec<OwnedSemaphorePermit>,
}

impl Held {
    fn done(self) -> Spool {
        let bytes = match self.file {
            None => SpoolContent::Memory(self.memory.into()),
            Some(file) => SpoolContent::File(Arc::new((Arc::new(file), self.shares)), 0),
        };
        Spool {
            bytes,
            length: self.length,
        }
    }
}

/// A body that is there whole, and can be read as often as it takes.
#[derive(Clone)]
pub(super) struct Spool {
    bytes: SpoolContent,
    length: u64,
}

#[derive(Clone)]
enum SpoolContent {
    Memory(Bytes),
    /// With its share of the budget, from that byte on.
    File(Arc<(Arc<File>, Vec<OwnedSemaphorePermit>)>, u64),
}

impl Spool {
    /// Text of our own.
    pub fn text(text: String) -> Self {
        Self {
            length: text.len() as u64,
            bytes: SpoolContent::Memory(text.into()),
        }
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// All of it, from the beginning.
    pub fn body(&self) -> Whole {
        match &self.bytes {
            SpoolContent::Memory(bytes) => Full::new(bytes.clone())
                .map_err(|never| match never {})
                .boxed_unsync(),
            SpoolContent::File(file, offset) => {
                let (file, length, offset) = (Arc::clone(file), self.length, *offset);
                let pieces = futures_util::stream::try_unfold(0, move |at| {
                    let file = Arc::clone(&file);
                    async move {
                        let size = PIECE.min((length - at) as usize);
                        if size == 0 {
                            return Ok(None);
                        }
                        let piece = read_piece(Arc::clone(&file.0), offset + at, size).await?;
                        Ok::<_, io::Error>(Some((piece, at + size as u64)))
                    }
                });
                BodyExt::boxed_unsync(StreamBody::new(pieces.map_ok(Frame::data)))
            }
        }
    }
}

/// Reads `size` bytes of a file.
pub(super) async fn read_piece(file: Arc<File>, at: u64, size: usize) -> io::Result<Bytes> {
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; size];
        file.read_exact_at(&mut piece, at).map(|()| piece)
    });
    Ok(read.await.map_err(io::Error::other)??.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_as_often_as_it_takes() {
        let dir = tempfile::tempdir().unwrap();
        let spools = Spools::new(dir.path());
        let free = spools.free.available_permits();
        for size in [0, 1, IN_MEMORY, IN_MEMORY + 1, 3 * PIECE + 7] {
            let bytes: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let pieces: Vec<_> = bytes.chunks(10_000).map(Bytes::copy_from_slice).collect();
            let pieces = pieces
                .into_iter()
                .map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
            let body = StreamBody::new(futures_util::stream::iter(pieces));
            let spool = spools.hold(body).await.unwrap();
            for _ in 0..2 {
                let read = spool.body().collect().await.unwrap().to_bytes();
                assert!(read == bytes, "{size}");
            }
        }
        assert_eq!(spools.free.available_permits(), free);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_or_dribbles_is_not_held() {
        let dir = tempfile::tempdir().unwrap();
        let spools = Spools {
            time: Duration::from_millis(50),
            ..Spools::new(dir.path())
        };
        let large = Full::new(Bytes::from_static(&[0; 11]));
        assert_eq!(
            spools.hold_timely(large, 10).await.err(),
            Some(Refused::TooLarge)
        );
        let drops = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let drop = Frame::data(Bytes::from_static(b"x"));
            Some((Ok::<_, io::Error>(drop), ()))
        });
        let dribble = StreamBody::new(Box::pin(drops));
        assert_eq!(
            spools.hold_timely(dribble, 1_000_000).await.err(),
            Some(Refused::TooSlow)
        );
    }
}
