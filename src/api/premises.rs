//! What only the daemon can look at: its engine, its directory.

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::domain::checkup::Check;
use crate::domain::ids::FlowRunId;
use crate::domain::usage::Usage;

/// Looks around on behalf of a handler; the daemon hands one in.
pub trait Premises: Send + Sync {
    /// Why the container engine does not answer; nothing when it does. Answers soon.
    fn engine_trouble(&self) -> BoxFuture<'_, Option<String>>;
    /// Looks at the state directory, at the engine, and at the API from within a container
    /// made from `image`; absent: the default one.
    fn examine(&self, image: Option<String>) -> BoxFuture<'_, Vec<Check>>;
    /// What runs use, by what was made for each; those of which nothing is known here are left
    /// out.
    fn usage(
        &self,
        runs: Vec<(FlowRunId, Option<String>)>,
    ) -> BoxFuture<'_, HashMap<FlowRunId, Usage>>;
}
