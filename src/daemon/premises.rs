//! What the daemon looks at on behalf of the API.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::api::Premises;
use crate::domain::checkup::Check;
use crate::runners::Runner;
use crate::runners::docker::DockerRunner;
use crate::state_dir;

/// How long the engine may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// The daemon's engine and its directory.
pub(super) struct Surroundings {
    /// The engine.
    pub docker: DockerRunner,
    /// The directory.
    pub state_dir: PathBuf,
    /// The port on Docker's bridge; absent where the daemon is not to listen there.
    pub bridge_port: Option<u16>,
}

impl Premises for Surroundings {
    fn engine_trouble(&self) -> BoxFuture<'_, Option<String>> {
        async {
            match tokio::time::timeout(PATIENCE, self.docker.check()).await {
                Ok(answer) => answer.err().map(|error| error.to_string()),
                Err(_) => Some("The Docker engine did not answer in time.".to_owned()),
            }
        }
        .boxed()
    }

    fn examine(&self, image: Option<String>) -> BoxFuture<'_, Vec<Check>> {
        async move {
            let url = self
                .bridge_port
                .map(|port| format!("http://host.docker.internal:{port}/api/health"));
            let mut checks = state_dir::examine(&self.state_dir);
            checks.extend(self.docker.examine(image.as_deref(), url.as_deref()).await);
            checks
        }
        .boxed()
    }
}
