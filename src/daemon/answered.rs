//! Tells when an answer has been sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::slots::Use;

/// Up to this a body is sent at once, in bytes.
const SMALL: u64 = 64 * 1024;

/// The body of an answer; once it is dropped, its connection asks nothing.
pub(super) struct Answered {
    body: Body,
    used: Arc<Use>,
}

impl Answered {
    /// Has `used` hear when the response is answered to its end.
    pub fn watch(response: Response, used: &Arc<Use>) -> Response {
        let size = response.body().size_hint().exact();
        if size.is_some_and(|size| size <= SMALL) {
            used.ends();
            return response;
        }
        let used = Arc::clone(used);
        response.map(|body| Body::new(Self { body, used }))
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.used.ends();
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::daemon::slots::ConnectionSlots;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_busy_until_its_answer_is_sent() {
        let slots = ConnectionSlots::new(1);
        let slot = slots.take(None).await.unwrap();
        let used = slot.use_of();
        used.begins();
        let streamed = Body::from_stream(stream::pending::<Result<Bytes, axum::Error>>());
        let streamed = Answered::watch(Response::new(streamed), &used);
        let leaves = tokio::spawn(async move { slot.wanted().await });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(slots.take(None).await.is_none() && !leaves.is_finished());
        drop(streamed);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(slots.take(None).await.is_some());
        leaves.await.unwrap();
    }
}
