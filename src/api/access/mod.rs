//! The gate before every route: who asks is found out, what is asked is read, and
//! [`crate::domain::access`] decides.
//!
//! Whoever may do everything passes without any waiting: the loopback while no key is set, and
//! local users while no group is named. Everybody else takes the long way.

mod asked;
mod keys;
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
use serde_json::{Value, json};
use tower::{Layer, Service};

use super::body;
use super::caller::{Caller, End, Route};
use crate::app::App;
use crate::domain::access::{Asked, Groups, Maker, Neighbour, Secret, Targets, Verdict, Who, may};
use crate::domain::error::Error;
use asked::{InBody, Request as Words};
use keys::Keys;
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
    async fn admit(&self, caller: &Caller, request: &mut Request) -> Result<Who, Refused> {
        let words = asked::request(request.method(), request.uri().path());
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

/// What the request's body asks; the body stays in it.
async fn read_body(route: InBody, request: &mut Request) -> Result<Asked, Refused> {
    let content = std::mem::take(request.body_mut());
    let bytes = body::whole(request.headers(), content).await;
    let bytes = bytes.map_err(Refused::Failed)?;
    *request.body_mut() = Body::from(bytes.clone());
    // The dialects pass over a byte order mark, and one reads no body as an empty object.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let read = match text {
        [] => json!({}),
        text => serde_json::from_slice(text).unwrap_or(Value::Null),
    };
    Ok(asked::told(route, &read))
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated {
            gate: self.clone(),
            inner,
        }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Gated<S> {
    gate: Gate,
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
            && self.gate.is_open_to(caller)
        {
            note(caller, &request);
            return Either::Left(self.inner.call(request));
        }
        // Every listener says who calls; whom none has named is nobody.
        let caller = caller.cloned().unwrap_or_else(Caller::nobody);
        // The service that is ready is this one; its clone is for the next request.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Either::Right(long_way(Arc::clone(&self.gate.0), caller, inner, request).boxed())
    }
}

async fn long_way<S>(gate: Arc<Inner>, caller: Caller, mut inner: S, mut request: Request) -> Answer
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match gate.admit(&caller, &mut request).await {
        Ok(who) => {
            note(&caller, &request);
            let response = inner.call(request).await?;
            Ok(match who {
                Who::Operator | Who::Stranger(_) => response,
                Who::Viewer | Who::Run(_) => veil::over(response, &path, &gate.secret_words).await,
            })
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
fn note(caller: &Caller, request: &Request) {
    let End::Socket(peer) = caller.end() else {
        return;
    };
    let (method, path) = (request.method(), request.uri().path());
    if matches!(*method, Method::GET | Method::HEAD) || path.contains("/prefectd/agents/") {
        return;
    }
    let reads = [Asked::Read, Asked::Inspect].map(Words::Told);
    if !reads.contains(&asked::request(method, path)) {
        let (uid, user) = (peer.uid, peer.user.as_str());
        tracing::info!(
            caller.uid = uid,
            caller.user = user,
            "{user} asks {method} {path}"
        );
    }
}
