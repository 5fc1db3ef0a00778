//! Who asks, and whether that one may.
//!
//! Each operation's handler stands behind a [`Guarded`] that knows what the operation needs: who
//! asks is found out, and [`crate::domain::access`] decides. What a request aims at is known only
//! once it is read; the extractor that reads it asks [`Requester::authorise`].
//!
//! Whoever may do everything passes without any waiting: the loopback while no key is set, and
//! local users while no group is named. Everybody else takes the long way.

mod guard;
mod keys;
mod peers;
mod refusal;
mod requester;
mod session;

use std::sync::Arc;

use axum::http::HeaderMap;

use super::caller::{Caller, End, Route};
use crate::app::App;
use crate::domain::access::{
    Denied, Groups, Maker, Need, PeerIdentity, RunKeyDigest, Secret, Who, is_silent, may,
};
use crate::domain::error::Error;
pub use guard::{Authorised, Authorising, Guarded};
use keys::Keys;
pub use peers::PeerLookup;
pub(in crate::api) use refusal::Refused;
pub use requester::{Requester, Showing};
pub(crate) use session::cookie;

/// What the operator decided about access.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The groups of local users.
    pub groups: Groups,
    /// The key that TCP requests need.
    pub api_key: Option<Secret>,
    /// `user:password`, which does as well.
    pub basic: Option<Secret>,
    /// Further words that make a variable's value a secret.
    pub secret_words: Vec<String>,
}

/// Finds out who asks; clones share what was found out.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    app: App,
    keys: Keys,
    groups: Groups,
    own_uid: u32,
    secret_words: Vec<String>,
    peers: Arc<dyn PeerLookup>,
}

/// Somebody whom the daemon does not know as a run of its own.
const NO_RUN: Who = Who::Stranger("This container is no run of this daemon.");

impl Gate {
    /// By those rules. `own_uid` is the daemon's own user.
    pub fn new(app: App, rules: Rules, own_uid: u32, peers: Arc<dyn PeerLookup>) -> Self {
        Self(Arc::new(Inner {
            app,
            keys: Keys::new(rules.api_key, rules.basic),
            groups: rules.groups,
            own_uid,
            secret_words: rules.secret_words,
            peers,
        }))
    }

    /// Whether TCP requests need a key.
    pub fn needs_key(&self) -> bool {
        self.0.keys.are_needed()
    }

    /// The verbs.
    fn app(&self) -> &App {
        &self.0.app
    }

    /// Further words that make a name a secret's.
    fn secret_words(&self) -> &[String] {
        &self.0.secret_words
    }

    /// Whether the caller may do everything, as far as can be told at once.
    pub(in crate::api) fn is_open_to(&self, caller: &Caller) -> bool {
        match caller.end() {
            _ if caller.key().is_some() => false,
            End::Socket(peer) => self.0.groups.role(peer, self.0.own_uid) == Who::Operator,
            End::Loopback(_) => !self.0.keys.are_needed(),
            End::Network(_) | End::Bridge(_) => false,
        }
    }

    /// Whether a credential lets in that was not sent as a header: the key, or `user:password`.
    pub(crate) async fn lets_in(&self, token: &str) -> bool {
        self.0.keys.lets_in_token(token).await
    }

    /// By whom a request is made to an operation with that need.
    ///
    /// # Errors
    /// Why that one does not meet it.
    pub(in crate::api) async fn admit(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        need: Need,
    ) -> Result<Who, Refused> {
        if need == Need::Open {
            return Ok(Who::Stranger(""));
        }
        let is_by_cookie = || self.has_session(headers) && !matches!(caller.end(), End::Socket(_));
        let who = match caller.key() {
            // Whatever else is sent: an address with a key is a run's.
            Some(key) => self.0.run_of_key(caller, key).await,
            None if is_by_cookie() => Ok(Some(Who::Operator)),
            None => self.0.find(caller, headers).await,
        };
        let who = who.map_err(Refused::Failed)?.ok_or(Refused::Keyless)?;
        may(&who, need).map_err(|Denied(why)| Refused::Forbidden(why))?;
        Ok(who)
    }
}

impl Inner {
    /// Who it is; `None` while it is nobody, and a key is needed.
    async fn find(&self, caller: &Caller, headers: &HeaderMap) -> Result<Option<Who>, Error> {
        if let End::Socket(peer) = caller.end() {
            return Ok(Some(self.groups.role(peer, self.own_uid)));
        }
        if self.keys.let_in(headers).await {
            return Ok(Some(Who::Operator));
        }
        match caller.end() {
            End::Socket(_) => Ok(None),
            End::Loopback(route) => match self.process(caller, *route).await {
                Some(peer) => self.run(peer).await.map(Some),
                None => Ok(None),
            },
            End::Network(route) => {
                // An engine that is away owns nobody's address as far as can be told.
                match self.container(caller, *route).await.unwrap_or_default() {
                    Some(peer) => self.run(peer).await.map(Some),
                    None if self.keys.are_needed() => Ok(None),
                    None => Ok(Some(Who::Operator)),
                }
            }
            End::Bridge(route) => match self.container(caller, *route).await? {
                Some(peer) => self.run(peer).await.map(Some),
                None => Ok(Some(Who::Stranger("No container has your address."))),
            },
        }
    }

    /// The run that has the key; `None` where there is none, or it has ended and has nothing more to
    /// say.
    async fn run_of_key(&self, caller: &Caller, key: RunKeyDigest) -> Result<Option<Who>, Error> {
        let Some(run) = self.app.run_of_key(key).await? else {
            return Ok(None);
        };
        let peer = async || {
            Some(PeerIdentity {
                flow_run: Some(run.id),
                maker: Maker::Us,
                infrastructure_id: String::new(),
                described: format!("run {}, by its key,", run.id),
            })
        };
        caller.peer().get_or_init(peer).await;
        Ok(match run.is_its_own && is_silent(&run) {
            true => None,
            false => Some(Who::Run(run)),
        })
    }

    async fn container(
        &self,
        caller: &Caller,
        route: Route,
    ) -> Result<Option<PeerIdentity>, Error> {
        let ask = || self.peers.container(route);
        caller.peer().get_or_try_init(ask).await.cloned()
    }

    async fn process(&self, caller: &Caller, route: Route) -> Option<PeerIdentity> {
        let ask = async || {
            let flow_run = self.peers.process(route).await?;
            Some(PeerIdentity {
                flow_run: Some(flow_run),
                maker: Maker::Us,
                infrastructure_id: format!("process:{flow_run}"),
                described: format!("process of run {flow_run}"),
            })
        };
        caller.peer().get_or_init(ask).await.clone()
    }

    /// The run that a container or a process speaks for, as the store knows it.
    async fn run(&self, peer: PeerIdentity) -> Result<Who, Error> {
        let Some(flow_run) = peer.flow_run else {
            return Ok(NO_RUN);
        };
        let identity = self.app.run_identity(flow_run, peer).await?;
        Ok(identity.map_or(NO_RUN, Who::Run))
    }
}
