//! Nodes of the swarm that runs run on.

use super::Ctl;
use crate::api::v3::wire::Node;
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// Lists the nodes.
pub async fn ls(ctl: &Ctl) -> Result<()> {
    let nodes: Vec<Node> = ctl.client.get("/prefectd/nodes").await?;
    render::print(ctl.output, &nodes, |nodes| {
        let rows = nodes.iter().map(|node| {
            [
                render::name(&node.name),
                state(node),
                node.runs.len().to_string(),
                cpus(node),
                memory(node),
                node.address.clone().unwrap_or_default(),
            ]
        });
        let head = [
            keep("name"),
            keep("state"),
            keep("runs"),
            spare("cpus reserved", 1),
            spare("memory reserved", 1),
            spare("address", 2),
        ];
        render::table(head, rows)
    })
}

/// Its state, and what it is to do, where that is not everything.
fn state(node: &Node) -> String {
    let mut told = node.state.clone();
    if node.availability != "active" {
        told = format!("{told}, {}", node.availability);
    }
    if let Some(message) = &node.message {
        told = format!("{told} ({message})");
    }
    told
}

fn cpus(node: &Node) -> String {
    let all = node.cpus.map(|cpus| format!(" of {cpus}"));
    format!("{}{}", node.reserved_cpus, all.unwrap_or_default())
}

fn memory(node: &Node) -> String {
    let bytes = |bytes: i64| render::bytes(bytes.unsigned_abs());
    let all = node.memory_bytes.map(|all| format!(" of {}", bytes(all)));
    let held = bytes(node.reserved_memory_bytes);
    format!("{held}{}", all.unwrap_or_default())
}
