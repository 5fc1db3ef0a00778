//! Requests that come again because their answers were lost.
//!
//! A request that has a key is noted in the transaction that carries it out. When it comes
//! again, nothing is written a second time: the answer is made from what was noted. That holds
//! for every write, since the type of its answer says how it is given again: see [`Repeat`].

use std::cell::Cell;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::App;
use super::budget::Budget;
use super::tx::Tx;
use crate::domain::error::Result;
use crate::domain::time::{Span, Timestamp};
use crate::storage::{Connection, Job, requests};

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
    /// How many writes the request has made that are noted.
    writes: Cell<u32>,
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
    fn next(&self) -> WriteKey {
        let count = self.writes.get();
        self.writes.set(count.wrapping_add(1));
        // A key of the newest version begins with the time, so that what is new is stored side
        // by side.
        let mut key = [self.key.as_bytes().as_slice(), &self.digest].concat();
        match u8::try_from(count) {
            Ok(count) => key.push(count),
            Err(_) => key.extend(count.to_le_bytes()),
        }
        WriteKey(key)
    }
}

tokio::task_local! {
    static CURRENT: Option<RequestKey>;
}

/// Carries out a request under its key.
pub async fn under<F: Future>(key: Option<RequestKey>, request: F) -> F::Output {
    CURRENT.scope(key, request).await
}

/// The request that is being carried out, for what goes on without it.
pub(super) fn current() -> Option<RequestKey> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// The key alone, as the client sent it.
pub(super) fn key() -> Option<Uuid> {
    let key = CURRENT.try_with(|request| request.as_ref().map(|request| request.key));
    key.ok().flatten()
}

/// Names the request's next write, if that is one to note.
pub(super) fn next_write<T: Repeat>() -> Option<WriteKey> {
    if !T::IS_NOTED {
        return None;
    }
    let write = CURRENT.try_with(|request| request.as_ref().map(RequestKey::next));
    write.ok().flatten()
}

/// Names one write of a request.
pub(super) struct WriteKey(Vec<u8>);

impl WriteKey {
    /// What the write made, if it was carried out before.
    pub fn found(&self, db: &Connection) -> Result<Option<Vec<Uuid>>> {
        requests::find(db, &self.0)
    }

    /// Notes that it was carried out.
    pub fn note(&self, db: &Connection, made: &[Uuid], now: Timestamp) -> Result<()> {
        requests::insert(db, &self.0, made, now)
    }
}

/// What a write answers, and how that is answered again.
pub(super) trait Repeat: Sized + Send + 'static {
    /// Whether such writes are noted. Those are not that come to the same when they are carried
    /// out a second time, since they find what they made: by its name, by its content, or by an
    /// id of the request's own.
    const IS_NOTED: bool = true;

    /// The ids of what it made; `None` where it did nothing that a second time could repeat.
    fn made(&self) -> Option<Vec<Uuid>>;

    /// The same answer again.
    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self>;
}

impl Repeat for () {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(Vec::new())
    }

    fn again(_: &mut Tx<'_>, _: &[Uuid]) -> Result<Self> {
        Ok(())
    }
}

/// The answers of writes that come to the same when they are carried out a second time.
macro_rules! comes_to_the_same {
    ($answer:ty $(, $generic:ident)?) => {
        impl$(<$generic: Send + 'static>)? $crate::app::request::Repeat for $answer {
            const IS_NOTED: bool = false;

            fn made(&self) -> Option<Vec<uuid::Uuid>> {
                None
            }

            fn again(
                _: &mut $crate::app::tx::Tx<'_>,
                _: &[uuid::Uuid],
            ) -> $crate::domain::error::Result<Self> {
                Err($crate::domain::error::Error::internal("this is never noted"))
            }
        }
    };
}
pub(super) use comes_to_the_same;

// How many there were to do, and whether that was all.
comes_to_the_same!(u64);
comes_to_the_same!(bool);
comes_to_the_same!((u64, bool, Duration));

impl App {
    /// Forgets requests that come no more, for about as long as `budget`; answers how many,
    /// whether that was all, and how long the writer was occupied.
    pub async fn forget_requests(&self, budget: Duration) -> Result<(u64, bool, Duration)> {
        self.write_as(Job::bulk(0), move |tx| {
            let budget = Budget::of(budget);
            let mut gone = 0;
            loop {
                let some = requests::delete_old(tx.db, tx.now - REMEMBERED, CHUNK)?;
                gone += some as u64;
                let is_all = some == 0;
                if is_all || budget.is_spent() {
                    return Ok((gone, is_all, budget.took()));
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
    use crate::domain::agent::EMBEDDED;
    use crate::domain::deployment::NewDeployment;
    use crate::domain::flow::NewFlow;
    use crate::domain::flow_run::DeploymentRunRequest;
    use crate::domain::ids::FlowRunId;
    use crate::domain::log::NewLog;
    use crate::domain::state::ProposedState;

    fn key(of: &str) -> Option<RequestKey> {
        Some(RequestKey::new(Uuid::from_u128(7), &[of.as_bytes()]))
    }

    #[tokio::test]
    async fn a_request_is_carried_out_once_and_forgotten_after_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let flow = flow_id(&app).await;
        let rename = |of: &'static str, tags: &'static [&'static str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            under(key(of), app.update_flow(flow, Some(tags)))
        };
        let tags = async || app.flow(flow).await.unwrap().tags;
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

    async fn flow_id(app: &App) -> crate::domain::ids::FlowId {
        let flow = NewFlow::named("f");
        app.create_flow(flow).await.unwrap().get().id
    }

    #[tokio::test]
    async fn many_lines_go_on_where_a_request_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        let line = |n: usize| NewLog {
            name: "l".to_owned(),
            level: 20,
            message: n.to_string(),
            timestamp: Timestamp::from_micros(n as i64),
            flow_run_id: Some(FlowRunId::from_uuid(Uuid::from_u128(1))),
            task_run_id: None,
            stream: None,
        };
        let lines = |many: usize| (0..many).map(line).collect::<Vec<_>>();
        let store = |many| under(key("logs"), app.create_logs(lines(many)));
        // As if the daemon had died after the first thousand.
        store(1000).await.unwrap();
        store(2500).await.unwrap();
        store(2500).await.unwrap();
        assert_eq!(app.count_logs(Vec::new()).await.unwrap(), 2500);
    }

    #[tokio::test]
    async fn a_claim_that_comes_again_takes_no_other_runs() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        let flow_id = flow_id(&app).await;
        let new = NewDeployment::named(flow_id, "d");
        let deployment = app.create_deployment(new).await.unwrap().get().id;
        for _ in 0..100 {
            let request = DeploymentRunRequest {
                state: Some(ProposedState::scheduled(app.now())),
                ..DeploymentRunRequest::default()
            };
            let made = app.create_run_of_deployment(deployment, request);
            made.await.unwrap();
        }
        let claim = async |of| {
            let runs = under(key(of), app.claim_due_runs(EMBEDDED, true, 40)).await;
            let ids = runs.unwrap().into_iter().map(|run| run.id);
            ids.collect::<Vec<_>>()
        };
        let first = claim("a").await;
        assert_eq!(first.len(), 40);
        assert_eq!(claim("a").await, first);
        assert_eq!(claim("b").await.len(), 40);
        assert_eq!(claim("c").await.len(), 20);
    }
}
