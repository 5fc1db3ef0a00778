//! What only the daemon can look at: its engine, its directory.

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::domain::checkup::Check;
use crate::domain::error::Result;
use crate::domain::ids::FlowRunId;
use crate::domain::node::{Node, OnCluster};
use crate::domain::settings::Effective;
use crate::domain::usage::Usage;

/// Looks around on behalf of a handler; the daemon hands one in.
pub trait HostProbe: Send + Sync {
    /// Why the container engine does not answer; nothing when it does. Answers soon.
    fn engine_trouble(&self) -> BoxFuture<'_, Option<String>>;
    /// What runs use, by what was made for each; those of which nothing is known here are left
    /// out.
    fn usage(
        &self,
        runs: Vec<(FlowRunId, Option<String>)>,
    ) -> BoxFuture<'_, HashMap<FlowRunId, Usage>>;
    /// Looks at the state directory, the settings, the interpreter of subprocess runs, and the
    /// engine.
    fn examine(&self) -> BoxFuture<'_, Vec<Check>>;
    /// Looks, from within a container made from `image` (absent: the default one) on `network`
    /// (absent: Docker's default bridge), at what is in the image and at the way to the API.
    fn examine_container(
        &self,
        image: Option<String>,
        network: Option<String>,
    ) -> BoxFuture<'_, Vec<Check>>;
    /// Looks, from within a container made from `image` on each node of the cluster, at the way to
    /// the API.
    fn examine_nodes(&self, image: String) -> BoxFuture<'_, Vec<Check>>;
    /// Whether containers are on the cluster that do not say where.
    fn is_on_cluster(&self) -> bool;
    /// The image of jobs of docker pools that come to none.
    fn pool_image(&self) -> String;
    /// The nodes of the cluster that runs run on.
    ///
    /// # Errors
    /// Where there is none, or its manager does not answer.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>>>;
    /// Where on a cluster that is what was made for a run; nothing where that is not known (yet), or
    /// it was made elsewhere. Answers soon.
    fn on_cluster(&self, made: Option<String>) -> BoxFuture<'_, Option<OnCluster>>;
    /// The settings that are in force, and who said each.
    fn settings(&self) -> Vec<Effective>;
}
