//! The gate before every route: who asks is found out, what is asked is read, and
//! [`crate::domain::access`] decides.
//!
//! Whoever may do everything passes without any waiting: the loopback while no key is set, and
//! local users while no group is named. Everybody else takes the long way.

mod asked;
mod keys;
mod mask;
mod needs;
mod neighbours;
mod refusal;
mod veil;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use serde_json::Value;
use tower::{Layer, Service};

use super::aside::aside;
use super::body;
use super::caller::{Caller, End, Route};
use super::dialect::{ORION, within};
use super::{orion, v3};
use crate::app::App;
use crate::domain::access::{Asked, Groups, Maker, Neighbour, Secret, Targets, Verdict, Who, may};
use crate::domain::error::Error;
use asked::{InBody, Request as Words};
use keys::Keys;
pub use needs::{Need, Needs};
pub use neighbours::Neighbours;
use refusal::Refused;

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

/// Decides over every request; clones share what was found out.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    app: App,
    keys: Keys,
    groups: Groups,
    own_uid: u32,
    secret_words: Vec<String>,
    neighbours: Arc<dyn Neighbours>,
}

/// Who turned out to be asking.
enum Found {
    /// Somebody whose rights do not depend on what is asked.
    Plain(Who),
    /// A container or a process that speaks for a run.
    Run(Neighbour),
    /// Nobody yet: a key is needed.
    Keyless,
}

impl Gate {
    /// By those rules. `own_uid` is the daemon's own user.
    pub fn new(app: App, rules: Rules, own_uid: u32, neighbours: Arc<dyn Neighbours>) -> Self {
        Self(Arc::new(Inner {
            app,
            keys: Keys::new(rules.api_key, rules.basic),
            groups: rules.groups,
            own_uid,
            secret_words: rules.secret_words,
            neighbours,
        }))
    }

    /// Whether TCP requests need a key.
    pub fn needs_key(&self) -> bool {
        self.0.keys.are_needed()
    }

    /// Whether the caller may do everything, as far as can be told at once.
    fn is_open_to(&self, caller: &Caller) -> bool {
        match caller.end() {
            End::Socket(peer) => self.0.groups.role(peer, self.0.own_uid) == Who::Operator,
            End::Loopback(_) => !self.0.keys.are_needed(),
            End::Network(_) | End::Bridge(_) => false,
        }
    }
}

impl Inner {
    /// By whom the request is made, if it may go on.
    async fn admit(
        &self,
        caller: &Caller,
        words: Words,
        request: &mut Request,
    ) -> Result<Who, Refused> {
        if words == Words::Told(Asked::Health) {
            return Ok(Who::Stranger(""));
        }
        let found = match self.find(caller, request.headers()).await {
            Ok(found) => found,
            Err(error) => return Err(Refused::Failed(error)),
        };
        let (who, asked) = match found {
            Found::Keyless => return Err(Refused::Keyless),
            Found::Plain(who) => {
                let asked = match words {
                    Words::Told(asked) => asked,
                    Words::InBody(_) => Asked::Administer,
                };
                (who, asked)
            }
            Found::Run(neighbour) => self.of_run(neighbour, words, request).await?,
        };
        match may(&who, &asked) {
            Verdict::Permit => Ok(who),
            Verdict::Deny(why) => Err(Refused::Forbidden(why)),
        }
    }

    async fn find(&self, caller: &Caller, headers: &HeaderMap) -> Result<Found, Error> {
        if let End::Socket(peer) = caller.end() {
            return Ok(Found::Plain(self.groups.role(peer, self.own_uid)));
        }
        if self.keys.let_in(headers).await {
            return Ok(Found::Plain(Who::Operator));
        }
        match caller.end() {
            End::Socket(_) => Ok(Found::Keyless),
            End::Loopback(route) => Ok(match self.process(caller, *route).await {
                Some(neighbour) => Found::Run(neighbour),
                None => Found::Keyless,
            }),
            End::Network(route) => {
                // An engine that is away owns nobody's address as far as can be told.
                let owner = self.container(caller, *route).await.unwrap_or_default();
                Ok(match owner {
                    Some(neighbour) => Found::Run(neighbour),
                    None if self.keys.are_needed() => Found::Keyless,
                    None => Found::Plain(Who::Operator),
                })
            }
            End::Bridge(route) => Ok(match self.container(caller, *route).await? {
                Some(neighbour) => Found::Run(neighbour),
                None => Found::Plain(Who::Stranger("No container has your address.")),
            }),
        }
    }

    async fn container(&self, caller: &Caller, route: Route) -> Result<Option<Neighbour>, Error> {
        let ask = || self.neighbours.container(route);
        caller.neighbour().get_or_try_init(ask).await.cloned()
    }

    async fn process(&self, caller: &Caller, route: Route) -> Option<Neighbour> {
        let ask = async || {
            let flow_run = self.neighbours.process(route).await?;
            Some(Neighbour {
                flow_run: Some(flow_run),
                maker: Maker::Us,
                infrastructure_id: format!("process:{flow_run}"),
                described: format!("process of run {flow_run}"),
            })
        };
        caller.neighbour().get_or_init(ask).await.clone()
    }

    /// A run that asks, as the store knows it, and what it asks.
    async fn of_run(
        &self,
        neighbour: Neighbour,
        words: Words,
        request: &mut Request,
    ) -> Result<(Who, Asked), Refused> {
        let Some(flow_run) = neighbour.flow_run else {
            let nobody = Who::Stranger("This container is no run of this daemon.");
            return Ok((nobody, Asked::Administer));
        };
        let asked = match words {
            Words::Told(asked) => asked,
            Words::InBody(route) => read_body(route, request).await?,
        };
        let targets = match &asked {
            Asked::Change(targets) | Asked::Log(targets) => targets.clone(),
            _ => Targets::default(),
        };
        let standing = self.app.standing(flow_run, neighbour, targets).await;
        let who = match standing.map_err(Refused::Failed)? {
            Some(standing) => Who::Run(standing),
            None => Who::Stranger("This container is no run of this daemon."),
        };
        Ok((who, asked))
    }
}

/// What the request's body asks; the body stays in it. It is read by the dialect's own reader,
/// so that the handler finds in it what was found here.
async fn read_body(route: InBody, request: &mut Request) -> Result<Asked, Refused> {
    let content = std::mem::take(request.body_mut());
    let bytes = body::whole(request.headers(), content).await;
    let bytes = bytes.map_err(Refused::Failed)?;
    *request.body_mut() = Body::from(bytes.clone());
    let asked = aside(bytes.len(), || {
        let read = match within(request.uri().path(), ORION) {
            true => orion::body_as_read(request.headers(), bytes.clone()),
            false => v3::body_as_read(&bytes),
        };
        asked::told(route, &read.unwrap_or(Value::Null))
    });
    Ok(asked)
}

/// What a request asks as far as its head tells. A path that is sent on to where the route is
/// asks no more than to be told so.
fn words(needs: &Needs, method: &Method, path: &str) -> (Option<Need>, Words) {
    let found = needs.of(method, path);
    if found.is_none() && orion::is_mended(path) {
        return (None, Words::Told(Asked::Read));
    }
    (found.map(|found| found.need), asked::request(found))
}

/// The gate before routes whose needs are known.
#[derive(Clone)]
pub struct Guard {
    gate: Gate,
    needs: Arc<Needs>,
}

impl Gate {
    /// In front of routes with those needs.
    pub fn before(self, needs: Needs) -> Guard {
        Guard {
            gate: self,
            needs: Arc::new(needs),
        }
    }
}

impl<S> Layer<S> for Guard {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated {
            guard: self.clone(),
            inner,
        }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Gated<S> {
    guard: Guard,
    inner: S,
}

type Answer = Result<Response, Infallible>;

impl<S> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Answer>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let caller = request.extensions().get::<Caller>();
        if let Some(caller) = caller
            && self.guard.gate.is_open_to(caller)
        {
            note(&self.guard.needs, caller, &request);
            return Either::Left(self.inner.call(request));
        }
        // Every listener says who calls; whom none has named is nobody.
        let caller = caller.cloned().unwrap_or_else(Caller::nobody);
        // The service that is ready is this one; its clone is for the next request.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Either::Right(long_way(self.guard.clone(), caller, inner, request).boxed())
    }
}

async fn long_way<S>(guard: Guard, caller: Caller, mut inner: S, mut request: Request) -> Answer
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let gate = &guard.gate.0;
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (need, words) = words(&guard.needs, &method, &path);
    match gate.admit(&caller, words, &mut request).await {
        Ok(who) => {
            note(&guard.needs, &caller, &request);
            let response = inner.call(request).await?;
            let run = match who {
                Who::Operator | Who::Stranger(_) => return Ok(response),
                Who::Viewer => None,
                Who::Run(_) => caller.neighbour().get().cloned().flatten(),
            };
            let veil = veil::Veil {
                app: &gate.app,
                more: &gate.secret_words,
                run,
            };
            Ok(veil.over(response, need, &path).await)
        }
        Err(refused) => {
            refused.log(&caller, &method, &path);
            body::leave(request);
            Ok(refused.answer(&path))
        }
    }
}

/// Tells the log which local user changes something. What agents report all the time is no
/// change.
fn note(needs: &Needs, caller: &Caller, request: &Request) {
    let End::Socket(peer) = caller.end() else {
        return;
    };
    let (method, path) = (request.method(), request.uri().path());
    if matches!(*method, Method::GET | Method::HEAD) || path.contains("/prefectd/agents/") {
        return;
    }
    let reads = [Asked::Read, Asked::Inspect].map(Words::Told);
    if !reads.contains(&words(needs, method, path).1) {
        let (uid, user) = (peer.uid, peer.user.as_str());
        tracing::info!(
            caller.uid = uid,
            caller.user = user,
            "{user} asks {method} {path}"
        );
    }
}
