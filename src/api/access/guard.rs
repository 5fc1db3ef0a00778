//! The check before a handler.

use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::api::caller::{Caller, End};
use crate::api::{Ctx, body};
use crate::domain::access::{Need, Who};

/// A handler that is called for those only who meet a need. It finds a [`Who`] in the request's
/// extensions.
///
/// It does not matter any more what the handler takes: all that is around it is compiled once, not
/// for each operation.
#[derive(Clone)]
pub struct Guarded {
    need: Need,
    is_routine: bool,
    handler: Erased,
}

/// A handler, whatever it takes.
type Erased = Arc<dyn Fn(Request, Ctx) -> BoxFuture<'static, Response> + Send + Sync>;

impl Guarded {
    /// For those who meet `need`.
    pub fn new<H, T>(need: Need, handler: H) -> Self
    where
        H: Handler<T, Ctx, Future = BoxFuture<'static, Response>>,
        T: 'static,
    {
        Self {
            need,
            is_routine: false,
            handler: Arc::new(move |request, ctx| handler.clone().call(request, ctx)),
        }
    }

    /// Whether programs ask this all the time, so that the log does not tell who did.
    pub fn routine(mut self, is_routine: bool) -> Self {
        self.is_routine = is_routine;
        self
    }

    /// Tells the log which local user changes something.
    fn note(&self, caller: &Caller, request: &Request) {
        let (method, path) = (request.method(), request.uri().path());
        let reads = matches!(*method, Method::GET | Method::HEAD)
            || matches!(self.need, Need::Open | Need::Read | Need::Inspect);
        let End::Socket(peer) = caller.end() else {
            return;
        };
        if reads || self.is_routine {
            return;
        }
        let (uid, user) = (peer.uid, peer.user.as_str());
        tracing::info!(
            caller.uid = uid,
            caller.user = user,
            "{user} asks {method} {path}"
        );
    }

    /// What a caller is answered of whom it has to be found out who it is.
    async fn judged(self, caller: Caller, mut request: Request, ctx: Ctx) -> Response {
        match ctx.gate.admit(&caller, request.headers(), self.need).await {
            Ok(who) => {
                self.note(&caller, &request);
                request.extensions_mut().insert(who);
                (self.handler)(request, ctx).await
            }
            Err(refused) => {
                let path = request.uri().path();
                refused.log(&caller, request.method(), path);
                let answer = match refused.leads_to_login(&request) {
                    Some(login) => login,
                    None => refused.answer(path),
                };
                body::leave(request);
                answer
            }
        }
    }
}

impl Handler<(), Ctx> for Guarded {
    type Future = BoxFuture<'static, Response>;

    fn call(self, mut request: Request, ctx: Ctx) -> Self::Future {
        // Every listener says who calls; whom none has named is nobody.
        let caller = request.extensions().get::<Caller>();
        let caller = caller.cloned().unwrap_or_else(Caller::nobody);
        if !ctx.gate.is_open_to(&caller) {
            return self.judged(caller, request, ctx).boxed();
        }
        self.note(&caller, &request);
        request.extensions_mut().insert(Who::Operator);
        (self.handler)(request, ctx)
    }
}

/// Arguments of a handler of which the last hands over nothing that [`Requester::authorise`] has
/// not let pass.
///
/// [`Requester::authorise`]: super::Requester::authorise
pub trait Authorising {}

/// Such a last argument.
pub trait Authorised {}

macro_rules! authorising {
    ($($before:ident)*) => {
        impl<M, $($before,)* Last: Authorised> Authorising for (M, $($before,)* Last) {}
    };
}

authorising!();
authorising!(A);
authorising!(A B);
authorising!(A B C);
authorising!(A B C D);
