//! Who is behind an address. The daemon knows how to find out; this room only asks.

use futures_util::future::BoxFuture;

use super::super::caller::Route;
use crate::domain::access::PeerIdentity;
use crate::domain::error::Result;
use crate::domain::ids::FlowRunId;

/// Knows containers and processes by the addresses that they speak from.
pub trait PeerLookup: Send + Sync {
    /// The container that owned the peer's address when the connection was accepted. Fails
    /// while the engine cannot be asked.
    fn container(&self, route: Route) -> BoxFuture<'_, Result<Option<PeerIdentity>>>;

    /// The subprocess run of this daemon's own user that holds the peer's end of a loopback
    /// connection.
    fn process(&self, route: Route) -> BoxFuture<'_, Option<FlowRunId>>;
}
