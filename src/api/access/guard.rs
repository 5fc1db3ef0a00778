//! The check before a handler.

use std::marker::PhantomData;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};

use crate::api::caller::{Caller, End};
use crate::api::{Ctx, body};
use crate::domain::access::{Need, Who};

/// A handler that is called for those only who meet a need. It finds a [`Who`] in the request's
/// extensions.
#[derive(Clone)]
pub struct Guarded<H> {
    need: Need,
    is_routine: bool,
    handler: H,
}

/// Tells a guarded handler's arguments from those of others.
pub struct Behind<T>(PhantomData<T>);

impl<H> Guarded<H> {
    /// For those who meet `need`.
    pub fn new(need: Need, handler: H) -> Self {
        Self {
            need,
            is_routine: false,
            handler,
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
    async fn judged<T>(self, caller: Caller, mut request: Request, ctx: Ctx) -> Response
    where
        H: Handler<T, Ctx>,
    {
        match ctx.gate.admit(&caller, request.headers(), self.need).await {
            Ok(who) => {
                self.note(&caller, &request);
                request.extensions_mut().insert(who);
                self.handler.call(request, ctx).await
            }
            Err(refused) => {
                let path = request.uri().path();
                refused.log(&caller, request.method(), path);
                let answer = refused.answer(path);
                body::leave(request);
                answer
            }
        }
    }
}

impl<H, T> Handler<Behind<T>, Ctx> for Guarded<H>
where
    H: Handler<T, Ctx>,
    T: 'static,
{
    type Future = Either<H::Future, BoxFuture<'static, Response>>;

    fn call(self, mut request: Request, ctx: Ctx) -> Self::Future {
        // Every listener says who calls; whom none has named is nobody.
        let caller = request.extensions().get::<Caller>();
        let caller = caller.cloned().unwrap_or_else(Caller::nobody);
        if !ctx.gate.is_open_to(&caller) {
            return Either::Right(self.judged(caller, request, ctx).boxed());
        }
        self.note(&caller, &request);
        request.extensions_mut().insert(Who::Operator);
        Either::Left(self.handler.call(request, ctx))
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
