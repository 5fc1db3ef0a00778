//! Nodes of the swarm that runs run on. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::harmless;
use crate::domain::ids::FlowRunId;
use crate::domain::node;

/// A node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its host's name.
    pub name: String,
    /// `ready`, `down`, `unknown` or `disconnected`.
    pub state: String,
    /// Why it is that, where the manager says so.
    pub message: Option<String>,
    /// `active`, `pause` or `drain`.
    pub availability: String,
    /// Whether it is one of the managers.
    pub is_manager: bool,
    /// Its processors.
    pub cpus: Option<f64>,
    /// Its memory, in bytes.
    pub memory_bytes: Option<i64>,
    /// Its address.
    pub address: Option<String>,
    /// The runs whose containers are there and have not ended.
    pub runs: Vec<Uuid>,
    /// The processors that are held free for them.
    pub reserved_cpus: f64,
    /// The memory that is held free for them, in bytes.
    pub reserved_memory_bytes: i64,
}

impl From<node::Node> for Node {
    fn from(node: node::Node) -> Self {
        let node::Node {
            id,
            name,
            state,
            message,
            availability,
            is_manager,
            cpus,
            memory,
            address,
            load,
        } = node;
        Self {
            id,
            name,
            state,
            message,
            availability,
            is_manager,
            cpus,
            memory_bytes: memory,
            address,
            runs: load.runs.into_iter().map(FlowRunId::uuid).collect(),
            reserved_cpus: load.reserved_cpus,
            reserved_memory_bytes: load.reserved_memory,
        }
    }
}

harmless!(Node);
