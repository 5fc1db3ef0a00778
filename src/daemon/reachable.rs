//! Runners whose runs start only once they can reach the API.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::relay::Relay;
use crate::domain::log::OutputSeen;
use crate::runners::{Exit, Found, Job, Made, OutputLine, Progress, Runner, RunnerFuture};

/// How long a run waits for the relay. One that needs no relay must not wait for ever.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Whose relay has to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// That of processes of this machine.
    Processes,
    /// That of containers.
    Containers,
    /// That of other hosts.
    Elsewhere,
}

/// A runner behind the relay.
pub(super) struct Reachable {
    pub inner: Arc<dyn Runner>,
    pub relay: Relay,
    pub whose: Whose,
}

impl Reachable {
    async fn ready(&self) {
        let ready = self.relay.listens_for(self.whose);
        if tokio::time::timeout(TIMEOUT, ready).await.is_err() {
            tracing::warn!(
                "a run starts although the relay for {:?} does not listen",
                self.whose
            );
        }
    }
}

impl Runner for Reachable {
    fn create<'a>(&'a self, job: &'a Job, progress: &'a Progress) -> RunnerFuture<'a, Made> {
        self.inner.create(job, progress)
    }

    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> RunnerFuture<'a, ()> {
        async move {
            self.ready().await;
            self.inner.start(made, job).await
        }
        .boxed()
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        self.inner.wait(made)
    }

    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        self.inner.output(made, seen)
    }

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()> {
        self.inner.stop(made, grace)
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        self.inner.remove(made)
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        self.inner.find()
    }

    fn find_on_cluster(&self) -> RunnerFuture<'_, Vec<Found>> {
        self.inner.find_on_cluster()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        self.inner.check()
    }
}
