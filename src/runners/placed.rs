//! Containers on the engine and on the cluster, by one runner: each where its description says, and
//! found again where it was made.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::{
    Exit, Found, Job, JobKind, Made, OutputLine, Progress, Runner, RunnerError, RunnerFuture,
};
use crate::domain::container::Placement;
use crate::domain::log::OutputSeen;
use crate::domain::runner::service_of;
use crate::runners::docker::errors;

/// Both places.
pub struct Placed {
    /// The engine.
    pub engine: Arc<dyn Runner>,
    /// The cluster.
    pub cluster: Arc<dyn Runner>,
    /// Where runs are that do not say it.
    pub placement: Placement,
}

impl Placed {
    fn of(&self, made: &Made) -> &Arc<dyn Runner> {
        match service_of(&made.id) {
            Some(_) => &self.cluster,
            None => &self.engine,
        }
    }
}

impl Placed {
    /// A manager that is not one yet, or no more, is waited for where all runs are to be on its
    /// cluster.
    fn is_to_come_back(&self, error: RunnerError) -> RunnerError {
        match (self.placement, error) {
            (Placement::Swarm, RunnerError::Refused(told)) if errors::is_no_manager(&told) => {
                RunnerError::Away(told)
            }
            (_, error) => error,
        }
    }
}

impl Runner for Placed {
    fn create<'a>(&'a self, job: &'a Job, progress: &'a Progress) -> RunnerFuture<'a, Made> {
        match &job.kind {
            JobKind::Container(container) if container.cluster.is_some() => async {
                let made = self.cluster.create(job, progress).await;
                made.map_err(|error| self.is_to_come_back(error))
            }
            .boxed(),
            _ => self.engine.create(job, progress),
        }
    }

    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> RunnerFuture<'a, ()> {
        self.of(made).start(made, job)
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        self.of(made).wait(made)
    }

    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        self.of(made).output(made, seen)
    }

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()> {
        self.of(made).stop(made, grace)
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        self.of(made).remove(made)
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        self.engine.find()
    }

    fn find_on_cluster(&self) -> RunnerFuture<'_, Vec<Found>> {
        self.cluster.find()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        async {
            self.engine.check().await?;
            match self.placement {
                Placement::Engine => Ok(()),
                Placement::Swarm => {
                    let checked = self.cluster.check().await;
                    checked.map_err(|error| self.is_to_come_back(error))
                }
            }
        }
        .boxed()
    }
}
