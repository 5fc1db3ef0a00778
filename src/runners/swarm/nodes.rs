//! The nodes of a swarm, asked for once for all who want to know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{Node as Described, NodeSpecAvailabilityEnum, NodeState};
use bollard::query_parameters::ListNodesOptions;
use tokio::sync::Mutex;

use super::trouble;
use crate::domain::node::{Node, NodeLoad};
use crate::runners::RunnerError;

/// For how long an answer is good.
const FRESH: Duration = Duration::from_millis(500);

/// All nodes at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct All(Arc<HashMap<String, Node>>);

impl All {
    /// In no order.
    pub fn all(&self) -> impl Iterator<Item = &Node> {
        self.0.values()
    }

    /// That one.
    pub fn get(&self, id: &str) -> Option<&Node> {
        self.0.get(id)
    }
}

impl FromIterator<Node> for All {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        let nodes = nodes.into_iter().map(|node| (node.id.clone(), node));
        Self(Arc::new(nodes.collect()))
    }
}

/// Asks for them; clones share the answers.
#[derive(Clone)]
pub(super) struct Nodes {
    docker: Docker,
    last: Arc<Mutex<Option<(Instant, All)>>>,
}

impl Nodes {
    /// Of the swarm that an engine manages.
    pub fn new(docker: Docker) -> Self {
        Self {
            docker,
            last: Arc::default(),
        }
    }

    /// As they are, or were a moment ago.
    pub async fn now(&self) -> Result<All, RunnerError> {
        self.asked_after(Instant::now().checked_sub(FRESH)).await
    }

    /// As they are by an answer that was asked for from now on.
    pub async fn anew(&self) -> Result<All, RunnerError> {
        self.asked_after(Some(Instant::now())).await
    }

    async fn asked_after(&self, moment: Option<Instant>) -> Result<All, RunnerError> {
        // Whoever comes meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((asked, nodes)) = &*last
            && moment.is_none_or(|moment| *asked > moment)
        {
            return Ok(nodes.clone());
        }
        let asked = Instant::now();
        let found = self.docker.list_nodes(None::<ListNodesOptions>).await;
        let found = found.map_err(trouble::of)?;
        let nodes: All = found.into_iter().filter_map(node).collect();
        *last = Some((asked, nodes.clone()));
        Ok(nodes)
    }
}

fn node(node: Described) -> Option<Node> {
    let described = node.description.unwrap_or_default();
    let resources = described.resources.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let availability = node.spec.and_then(|spec| spec.availability);
    Some(Node {
        id: node.id?,
        name: described.hostname.unwrap_or_default(),
        state: status.state.unwrap_or(NodeState::UNKNOWN).to_string(),
        message: status.message.filter(|message| !message.is_empty()),
        availability: availability
            .unwrap_or(NodeSpecAvailabilityEnum::ACTIVE)
            .to_string(),
        is_manager: node.manager_status.is_some(),
        cpus: resources.nano_cpus.map(|nano| nano as f64 / 1e9),
        memory: resources.memory_bytes,
        address: status.addr.filter(|address| !address.is_empty()),
        load: NodeLoad::default(),
    })
}
