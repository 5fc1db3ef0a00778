//! Who is at the other end of a connection. The listeners say so of each request; nothing that
//! a client sends can change it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::OnceCell;

use crate::domain::JsonMap;
use crate::domain::access::{LocalUser, PeerIdentity, RunKeyDigest};
use crate::domain::actor::Actor;
use crate::domain::state::ProposedState;

/// Where a state's details say who proposed it.
const CHANGED_BY: &str = "changed_by";

/// The other end of one connection; clones share what is found out about it.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    end: End,
    /// Whether the relay handed it on.
    is_relayed: bool,
    /// The hash of the run key in the address that was asked.
    key: Option<RunKeyDigest>,
    /// What a network peer turned out to be, asked once.
    peer: OnceCell<Option<PeerIdentity>>,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub enum End {
    /// The Unix socket.
    Socket(LocalUser),
    /// A TCP listener of the operator's or the relay, from this machine by its loopback.
    Loopback(Route),
    /// A TCP listener of the operator's, from anywhere else.
    Network(Route),
    /// Docker's bridge, by the relay.
    Bridge(Route),
}

/// The two addresses of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The peer's.
    pub from: SocketAddr,
    /// Ours.
    pub to: SocketAddr,
    /// When it was accepted. Whoever had the address later is not the peer.
    pub accepted: SystemTime,
}

impl Caller {
    /// At the start of a connection.
    pub fn new(end: End) -> Self {
        Self::over(end, false)
    }

    /// The same, of a connection to the relay.
    pub fn relayed(end: End) -> Self {
        Self::over(end, true)
    }

    fn over(end: End, is_relayed: bool) -> Self {
        Self(Arc::new(Connection {
            end,
            is_relayed,
            key: None,
            peer: OnceCell::new(),
        }))
    }

    /// The same one, asking at an address with a run's key. It may do what that run may, and no more.
    pub(super) fn keyed(&self, key: RunKeyDigest) -> Self {
        Self(Arc::new(Connection {
            end: self.0.end.clone(),
            is_relayed: self.0.is_relayed,
            key: Some(key),
            peer: OnceCell::new(),
        }))
    }

    /// The hash of the run key that it sends.
    pub(super) fn key(&self) -> Option<RunKeyDigest> {
        self.0.key
    }

    /// Somebody who has no address that anything could own, and so may do nothing.
    pub fn nobody() -> Self {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Self::relayed(End::Bridge(Route {
            from: nowhere,
            to: nowhere,
            accepted: SystemTime::UNIX_EPOCH,
        }))
    }

    /// Where it comes from.
    pub fn end(&self) -> &End {
        &self.0.end
    }

    /// Whether it came by the relay.
    pub(super) fn is_relayed(&self) -> bool {
        self.0.is_relayed
    }

    /// What the peer turned out to be, once that was asked; see [`super::access`].
    pub(super) fn peer(&self) -> &OnceCell<Option<PeerIdentity>> {
        &self.0.peer
    }

    /// Who is recorded as having done what the request does; `None` when nobody can tell.
    pub fn actor(&self) -> Option<Actor> {
        match &self.0.end {
            End::Socket(peer) => Some(Actor::user(&*peer.user)),
            _ => {
                let peer = self.0.peer.get()?.as_ref()?;
                peer.flow_run.map(Actor::flow_run)
            }
        }
    }

    /// A proposed state that says which local user proposes it, and only that: a client cannot
    /// sign for somebody else.
    pub fn signed(&self, mut proposed: ProposedState) -> ProposedState {
        proposed.details.extra.shift_remove(CHANGED_BY);
        if let End::Socket(peer) = &self.0.end {
            let mut who = JsonMap::new();
            who.insert("type".to_owned(), "USER".into());
            who.insert("id".to_owned(), serde_json::Value::Null);
            who.insert("display_value".to_owned(), peer.user.as_str().into());
            let extra = &mut proposed.details.extra;
            extra.insert(CHANGED_BY.to_owned(), who.into());
        }
        proposed
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(caller.unwrap_or_else(Self::nobody))
    }
}
