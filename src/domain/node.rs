//! Nodes of the cluster that runs run on.

use super::ids::FlowRunId;

/// A node, as its manager knows it.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub memory: Option<i64>,
    /// Its address.
    pub address: Option<String>,
    /// What of ours is there.
    pub load: NodeLoad,
}

impl Node {
    /// Whether its manager hears of it.
    pub fn is_ready(&self) -> bool {
        self.state == "ready"
    }

    /// Whether new runs may come to it.
    pub fn takes_runs(&self) -> bool {
        self.is_ready() && self.availability == "active"
    }

    /// Whether nothing is known any more of what runs there.
    pub fn is_down(&self) -> bool {
        self.state == "down"
    }
}

/// Where on a cluster a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnCluster {
    /// No node takes it, for that reason in the manager's words.
    Unplaced(String),
    /// On the node of that name, or it was when it ended.
    Node(String),
}

/// What a daemon's runs take of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeLoad {
    /// The runs whose containers are there and have not ended, as far as is known.
    pub runs: Vec<FlowRunId>,
    /// The processors that are held free for them.
    pub reserved_cpus: f64,
    /// The memory that is held free for them, in bytes.
    pub reserved_memory: i64,
}
