//! Routes of the nodes that runs run on.

pub mod wire;

use axum::extract::State;

use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use wire::Node;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/prefectd/nodes",
            "Lists the nodes of the swarm that runs run on",
        )
        .lists::<Node>()
        .needs(Need::Inspect, nodes),
    ]
}

pub async fn nodes(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let nodes = ctx.host.nodes().await?.into_iter().map(Node::from);
    ok(&who, nodes.collect::<Vec<_>>()).await
}
