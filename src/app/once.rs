//! Requests that come again because their answers were lost.
//!
//! A request that has a key is noted in the transaction that carries it out. When it comes
//! again, nothing is written a second time: the answer is made from what was noted.
//!
//! Verbs that come to the same when they are carried out twice (what is found by its name, by
//! its content, or by an id of the request's own) write as they always do.

use std::cell::Cell;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::App;
use crate::domain::error::Result;
use crate::domain::flow::Created;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::{Span, Timestamp};
use crate::storage::{Connection, requests};

/// How long a request may come again; those who send one again do so for a minute or two.
const REMEMBERED: Span = Span::from_micros(3600 * 1_000_000);
/// How many are forgotten between two looks at the time.
const CHUNK: i64 = 64;
/// How much of the digest of what a request was of goes into its key, in bytes.
const DIGEST: usize = 8;

/// Names a request among all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    key: Uuid,
    /// What the request is of. The same key on another request is another request.
    digest: [u8; DIGEST],
    /// How many writes the request has made.
    writes: Cell<u8>,
}

impl RequestKey {
    /// The key of a request that is of all these: its method, its path.
    pub fn new(key: Uuid, of: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in of {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut digest = [0; DIGEST];
        digest
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        Self {
            key,
            digest,
            writes: Cell::new(0),
        }
    }

    /// Names the request's next write.
    fn next(&self) -> Vec<u8> {
        let count = self.writes.get();
        self.writes.set(count.wrapping_add(1));
        // A key of the newest version begins with the time, so that what is new is stored side
        // by side.
        [self.key.as_bytes().as_slice(), &self.digest, &[count]].concat()
    }
}

tokio::task_local! {
    static CURRENT: Option<RequestKey>;
}

/// Carries out a request under its key.
pub async fn under<F: Future>(key: Option<RequestKey>, request: F) -> F::Output {
    CURRENT.scope(key, request).await
}

/// The key of the request that is being carried out, for what goes on without it.
pub(super) fn current() -> Option<RequestKey> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// What a verb answers that can be answered again.
pub(super) trait Repeat: Sized + Send + 'static {
    /// What is noted of it.
    fn subject(&self) -> Option<Uuid>;
    /// The same again.
    fn again(db: &Connection, subject: Option<Uuid>) -> Result<Self>;
}

impl Repeat for () {
    fn subject(&self) -> Option<Uuid> {
        None
    }

    fn again(_: &Connection, _: Option<Uuid>) -> Result<Self> {
        Ok(())
    }
}

impl Repeat for Created<FlowRun> {
    fn subject(&self) -> Option<Uuid> {
        Some(self.get().id.uuid())
    }

    fn again(db: &Connection, subject: Option<Uuid>) -> Result<Self> {
        let id = FlowRunId::from_uuid(subject.unwrap_or_default());
        super::flow_runs::read(db, id).map(Created::Known)
    }
}

impl App {
    /// One transaction of the writer, which is not carried out again when its request comes
    /// again.
    pub(super) async fn write_once<T, F>(&self, work: F) -> Result<T>
    where
        T: Repeat,
        F: FnOnce(&Connection, Timestamp) -> Result<T> + Send + 'static,
    {
        self.write_once_then(0, work, |_| ()).await
    }

    /// The same for work that holds about so many `bytes` and that entails something; see
    /// [`App::write_then`]. What it entails is done for each time that the request comes.
    pub(super) async fn write_once_then<T, F, E>(&self, bytes: usize, work: F, then: E) -> Result<T>
    where
        T: Repeat,
        F: FnOnce(&Connection, Timestamp) -> Result<T> + Send + 'static,
        E: FnOnce(&T) + Send + 'static,
    {
        let key = CURRENT.try_with(|key| key.as_ref().map(RequestKey::next));
        let Some(key) = key.ok().flatten() else {
            return self.write_then(bytes, work, then).await;
        };
        let work = move |db: &Connection, now| {
            if let Some(subject) = requests::find(db, &key)? {
                return T::again(db, subject);
            }
            let done = work(db, now)?;
            requests::insert(db, &key, done.subject(), now)?;
            Ok(done)
        };
        self.write_then(bytes, work, then).await
    }

    /// Forgets requests that come no more, for about as long as `budget`; answers how many,
    /// whether that was all, and how long the writer was occupied.
    pub async fn forget_requests(&self, budget: Duration) -> Result<(u64, bool, Duration)> {
        self.write(move |db, now| {
            let began = Instant::now();
            let mut gone = 0;
            loop {
                let some = requests::delete_old(db, now - REMEMBERED, CHUNK)?;
                gone += some as u64;
                let is_all = some == 0;
                if is_all || began.elapsed() >= budget {
                    return Ok((gone, is_all, began.elapsed()));
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{Ahead, app};
    use crate::domain::flow::NewFlow;
    use crate::domain::flow_run::DeploymentRunRequest;

    fn key(of: &str) -> Option<RequestKey> {
        Some(RequestKey::new(Uuid::from_u128(7), &[of.as_bytes()]))
    }

    #[tokio::test]
    async fn a_request_is_carried_out_once_and_forgotten_after_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let flow = NewFlow {
            name: "f".to_owned(),
            tags: Vec::new(),
        };
        let flow = app.create_flow(flow).await.unwrap().into_inner();
        let rename = |of: &'static str, tags: &'static [&'static str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            under(key(of), app.update_flow(flow.id, Some(tags)))
        };
        let tags = async || app.flow(flow.id).await.unwrap().tags;
        rename("a", &["first"]).await.unwrap();
        rename("b", &["second"]).await.unwrap();
        rename("a", &["first"]).await.unwrap();
        assert_eq!(tags().await, ["second"]);
        // Another request under the same key is another request.
        rename("c", &["third"]).await.unwrap();
        assert_eq!(tags().await, ["third"]);
        let forget = async || app.forget_requests(Duration::from_secs(1)).await.unwrap().0;
        assert_eq!(forget().await, 0);
        clock
            .0
            .store(3601 * 1_000_000, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(forget().await, 3);
    }

    #[tokio::test]
    async fn what_failed_is_carried_out_when_it_comes_again() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        let nowhere = crate::domain::ids::DeploymentId::new();
        for _ in 0..2 {
            let request = DeploymentRunRequest::default();
            let run = under(key("a"), app.create_run_of_deployment(nowhere, request));
            assert!(run.await.is_err());
        }
        assert_eq!(app.forget_requests(Duration::ZERO).await.unwrap().0, 0);
    }
}
