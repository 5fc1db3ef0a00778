//! Remembers what is sent while it is read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use crate::api::body::MOST_TOLD;

/// What was read of a body so far, unless that is more than a refusal repeats.
#[derive(Clone, Default)]
pub struct Kept(Option<Arc<Mutex<Pieces>>>);

#[derive(Default)]
struct Pieces {
    pieces: Vec<Bytes>,
    length: usize,
}

/// A body that remembers.
struct Keeping {
    body: Body,
    kept: Arc<Mutex<Pieces>>,
}

impl Kept {
    /// Of a body, which is to be read in its place.
    pub fn of(body: Body) -> (Self, Body) {
        if body.is_end_stream() {
            return (Self(None), body);
        }
        let kept = Arc::<Mutex<Pieces>>::default();
        let keeping = Keeping {
            body,
            kept: Arc::clone(&kept),
        };
        (Self(Some(kept)), Body::new(keeping))
    }

    /// All of it, unless that is too much.
    pub fn whole(&self) -> Option<Bytes> {
        let Some(kept) = &self.0 else {
            return Some(Bytes::new());
        };
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = kept.length <= MOST_TOLD;
        fits.then(|| Bytes::from(kept.pieces.concat()))
    }
}

impl HttpBody for Keeping {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(piece) = frame.data_ref()
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.length = kept.length.saturating_add(piece.len());
            match kept.length <= MOST_TOLD {
                true => kept.pieces.push(piece.clone()),
                false => kept.pieces = Vec::new(),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
