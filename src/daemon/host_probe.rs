//! What the daemon looks at on behalf of the API.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

use crate::api::HostProbe;
use crate::config::{self, Settings};
use crate::domain::checkup::Check;
use crate::domain::ids::FlowRunId;
use crate::domain::runner::container_of;
use crate::domain::settings::Effective;
use crate::domain::usage::Usage;
use crate::runners::docker::{DockerRunner, Probe};
use crate::runners::{Runner, python, spec, usage};
use crate::state_dir;

/// How long the engine may take to say that it is there.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many containers the engine is asked about at once.
const AT_ONCE: usize = 16;

/// The daemon's engine and its directory.
pub(super) struct ThisHost {
    /// The engine.
    pub docker: DockerRunner,
    /// The directory.
    pub state_dir: PathBuf,
    /// The port on Docker's bridge; absent where the daemon is not to listen there.
    pub bridge_port: Option<u16>,
    /// What is in force.
    pub in_force: watch::Receiver<InForce>,
}

/// The settings, and who said each.
pub(super) struct InForce {
    /// As they are used.
    pub settings: Settings,
    /// As they are told.
    pub told: Vec<Effective>,
}

impl HostProbe for ThisHost {
    fn engine_trouble(&self) -> BoxFuture<'_, Option<String>> {
        async {
            match tokio::time::timeout(TIMEOUT, self.docker.check()).await {
                Ok(answer) => answer.err().map(|error| error.to_string()),
                Err(_) => Some("The Docker engine did not answer in time.".to_owned()),
            }
        }
        .boxed()
    }

    fn examine(&self) -> BoxFuture<'_, Vec<Check>> {
        async move {
            let settings = self.in_force.borrow().settings.clone();
            let mut checks = state_dir::examine(&self.state_dir);
            checks.extend(config::doubts(&settings));
            checks.push(python::examine(&settings.python).await);
            checks.push(self.docker.examine_engine().await);
            checks
        }
        .boxed()
    }

    fn usage(
        &self,
        runs: Vec<(FlowRunId, Option<String>)>,
    ) -> BoxFuture<'_, HashMap<FlowRunId, Usage>> {
        async move {
            let instance = self.docker.instance().to_owned();
            // It reads a file of every process of the machine.
            let here = tokio::task::spawn_blocking(move || usage::of_processes(&instance));
            let containers = runs.into_iter().filter_map(|(run, made)| {
                let id = container_of(&made?)?.to_owned();
                Some(async move { Some((run, self.docker.usage(&id).await?)) })
            });
            let asked = stream::iter(containers).buffer_unordered(AT_ONCE);
            let in_containers: Vec<_> = asked.filter_map(std::future::ready).collect().await;
            let mut used = here.await.unwrap_or_default();
            used.extend(in_containers);
            used
        }
        .boxed()
    }

    fn examine_container(
        &self,
        image: Option<String>,
        network: Option<String>,
    ) -> BoxFuture<'_, Vec<Check>> {
        async move {
            let url = self
                .bridge_port
                .map(|port| format!("http://host.docker.internal:{port}/api/health"));
            let place = Probe {
                image: image.as_deref(),
                network: network.as_deref(),
                url: url.as_deref(),
            };
            self.docker.examine_image(place).await
        }
        .boxed()
    }

    fn pool_image(&self) -> String {
        spec::pool_image(&self.in_force.borrow().settings.containers)
    }

    fn settings(&self) -> Vec<Effective> {
        self.in_force.borrow().told.clone()
    }
}
