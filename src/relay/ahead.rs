//! A large answer on its way to a client.
//!
//! It is read from the daemon as fast as it comes, since a connection of the daemon's is not to
//! wait for a client that reads slowly, and handed on as fast as the client takes it. What has
//! come and was not taken yet is in a file without a name, which begins anew whenever the
//! client has caught up.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::spool::{PIECE, UNIT, Whole, read_piece};

/// How much of an answer may have come that was not taken yet, in bytes.
const MOST: u64 = 256 * 1024 * 1024;

/// What has come of an answer.
struct Ahead {
    file: Arc<File>,
    free: Arc<Semaphore>,
    state: Mutex<State>,
    /// Told when something has come.
    came: Notify,
    /// Told when something was taken.
    taken: Notify,
}

#[derive(Default)]
struct State {
    /// How many bytes the file has, and how many of them were taken.
    written: u64,
    read: u64,
    /// Of the budget, for what the file has.
    shares: Vec<OwnedSemaphorePermit>,
    /// Whether that was all, or why no more comes.
    end: Option<io::Result<()>>,
}

/// Hands a body on. What it holds in `file` takes its share of `free`, in units of [`UNIT`]
/// bytes. `until` is kept until all has come.
pub(super) fn hand_on<B>(
    body: B,
    file: File,
    free: &Arc<Semaphore>,
    until: impl Send + 'static,
) -> Whole
where
    B: Body<Data = Bytes, Error = io::Error> + Send + Unpin + 'static,
{
    let ahead = Arc::new(Ahead {
        file: Arc::new(file),
        free: Arc::clone(free),
        state: Mutex::default(),
        came: Notify::new(),
        taken: Notify::new(),
    });
    let filling = Arc::clone(&ahead);
    let filling = AbortOnDropHandle::new(tokio::spawn(async move {
        let end = filling.fill(body).await;
        drop(until);
        filling.state().end = Some(end);
        filling.came.notify_one();
    }));
    let pieces = futures_util::stream::try_unfold((ahead, filling), async |(ahead, filling)| {
        let piece = ahead.next().await?;
        Ok(piece.map(|piece| (Frame::data(piece), (ahead, filling))))
    });
    BodyExt::boxed_unsync(StreamBody::new(pieces.into_stream()))
}

impl Ahead {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes until all has come.
    async fn fill<B>(&self, mut body: B) -> io::Result<()>
    where
        B: Body<Data = Bytes, Error = io::Error> + Unpin,
    {
        while let Some(frame) = body.frame().await {
            if let Ok(piece) = frame?.into_data() {
                self.room(piece.len() as u64).await?;
                self.write(&piece)?;
                self.came.notify_one();
            }
        }
        Ok(())
    }

    /// Waits until so many bytes more may be in the file.
    async fn room(&self, bytes: u64) -> io::Result<()> {
        loop {
            let needed = {
                let mut state = self.state();
                if state.read == state.written {
                    (state.read, state.written) = (0, 0);
                    state.shares.truncate((bytes as usize).div_ceil(UNIT));
                }
                state.written + bytes
            };
            let held = (self.state().shares.len() * UNIT) as u64;
            if needed <= held {
                return Ok(());
            }
            if needed > MOST {
                self.taken.notified().await;
                continue;
            }
            tokio::select! {
                () = self.taken.notified() => {}
                share = Arc::clone(&self.free).acquire_owned() => {
                    let share = share.map_err(io::Error::other)?;
                    self.state().shares.push(share);
                }
            }
        }
    }

    fn write(&self, piece: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        self.file.write_all_at(piece, state.written)?;
        state.written += piece.len() as u64;
        Ok(())
    }

    /// The next piece of what has come, as soon as there is one; none after the last.
    async fn next(&self) -> io::Result<Option<Bytes>> {
        loop {
            let (at, size) = {
                let mut state = self.state();
                if state.read == state.written
                    && let Some(end) = state.end.take()
                {
                    return end.map(|()| None);
                }
                let left = usize::try_from(state.written - state.read).unwrap_or(PIECE);
                (state.read, left.min(PIECE))
            };
            if size > 0 {
                let piece = read_piece(Arc::clone(&self.file), at, size).await?;
                self.state().read += size as u64;
                self.taken.notify_one();
                return Ok(Some(piece));
            }
            self.came.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand(pieces: Vec<io::Result<Vec<u8>>>, free: &Arc<Semaphore>) -> Whole {
        let frames = pieces
            .into_iter()
            .map(|piece| piece.map(|piece| Frame::data(Bytes::from(piece))));
        let body = StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>()));
        hand_on(body, tempfile::tempfile().unwrap(), free, ())
    }

    #[tokio::test]
    async fn an_answer_passes_whole_however_small_the_budget_is() {
        let all: Vec<u8> = (0..9 * UNIT + 7).map(|at| at as u8).collect();
        for (units, size) in [(2, 10_000), (2, UNIT + 1), (100, 3 * UNIT)] {
            let free = Arc::new(Semaphore::new(units));
            let pieces = all.chunks(size).map(|piece| Ok(piece.to_vec())).collect();
            let passed = hand(pieces, &free).collect().await.unwrap().to_bytes();
            assert!(passed == all);
            assert_eq!(free.available_permits(), units);
        }
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_has_no_more_than_its_share_read_ahead() {
        let free = Arc::new(Semaphore::new(3));
        let pieces = (0..100).map(|_| Ok(vec![7; UNIT])).collect();
        let mut answer = hand(pieces, &free);
        while free.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let first = answer.frame().await.unwrap().unwrap();
        assert!(first.into_data().unwrap().len() <= 3 * UNIT);
        drop(answer);
        while free.available_permits() < 3 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_came_before_an_answer_broke_off_passes_and_then_it_breaks() {
        let broken = io::Error::from(io::ErrorKind::ConnectionReset);
        let free = Arc::new(Semaphore::new(3));
        let mut answer = hand(vec![Ok(vec![7; 100]), Err(broken)], &free);
        let first = answer.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap().len(), 100);
        assert!(answer.frame().await.unwrap().is_err());
    }
}
