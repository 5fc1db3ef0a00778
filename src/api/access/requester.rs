//! Who asks, as handlers and extractors know it.

use std::collections::HashSet;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Ready, ready};
use serde::Serialize;

use super::Gate;
use super::refusal::Refused;
use crate::api::caller::Caller;
use crate::api::client::is_of_today;
use crate::api::redaction::{Reader, Redact, RunReader};
use crate::api::{Ctx, answer};
use crate::domain::access::{Aim, Aims, Denied, Targets, Who, may_aim};
use crate::domain::error::{Error, Kind, Result};

/// An answer in the making.
pub type Showing<'a> = Either<Ready<Result<Response>>, BoxFuture<'a, Result<Response>>>;

/// Whoever made the request.
#[derive(Clone)]
pub struct Requester {
    who: Who,
    caller: Caller,
    gate: Gate,
    /// A Prefect client, which is told what its own server would say.
    is_prefect: bool,
}

impl Requester {
    /// The one that was found out before the handler was called; nobody where none was.
    pub fn of(parts: &Parts, ctx: &Ctx) -> Self {
        let who = parts.extensions.get::<Who>().cloned();
        let caller = parts.extensions.get::<Caller>().cloned();
        Self {
            who: who.unwrap_or(Who::Stranger("Nobody has asked who you are.")),
            caller: caller.unwrap_or_else(Caller::nobody),
            gate: ctx.gate.clone(),
            is_prefect: is_of_today(&parts.headers),
        }
    }

    /// That one, by a websocket, which only Prefect clients open.
    pub fn new(who: Who, caller: Caller, gate: Gate) -> Self {
        Self {
            who,
            caller,
            gate,
            is_prefect: true,
        }
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Lets what was read of a request pass if this one may aim at what it names.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] otherwise; the log is told.
    pub async fn authorise<I, T: Aims<I> + ?Sized>(
        &self,
        asked: &T,
        at: I,
        (method, uri): (&Method, &Uri),
    ) -> Result<()> {
        if self.who == Who::Operator {
            return Ok(());
        }
        let aim = asked.aim(at);
        let is_own = match (&self.who, &aim) {
            (Who::Run(run), Aim::Log(targets) | Aim::Change(targets)) => {
                *targets == Targets::default()
                    || self.gate.app().are_all_of(run.id, targets.clone()).await?
            }
            _ => false,
        };
        may_aim(&self.who, &aim, is_own).map_err(|Denied(why)| {
            Refused::Forbidden(why).log(&self.caller, method, uri.path());
            Error::new(Kind::Forbidden, why)
        })
    }

    /// The answer that says of `body` what this one is shown. It is made here and now for whoever
    /// is shown everything, so that it is not carried through all that would wait for it.
    ///
    /// # Errors
    /// As `answer::json`, or where it cannot be found out what is a run's own.
    pub fn shown<'a>(
        &'a self,
        status: StatusCode,
        mut body: impl Redact + Serialize + Send + Sync + 'a,
    ) -> Showing<'a> {
        if self.who != Who::Operator {
            let masked = async move { answer::json(status, &self.masked(body).await?) };
            return Either::Right(masked.boxed());
        }
        if self.is_prefect {
            body.leave_out_ours();
        }
        Either::Left(ready(answer::json(status, &body)))
    }

    /// What this one is shown of `body`.
    ///
    /// # Errors
    /// Where it cannot be found out what is a run's own.
    pub async fn masked<T: Redact>(&self, mut body: T) -> Result<T> {
        if self.who != Who::Operator {
            let reader = Reader {
                words: self.gate.secret_words(),
                run: self.run_reader(&body).await?,
            };
            body.redact(&reader);
        }
        if self.is_prefect {
            body.leave_out_ours();
        }
        Ok(body)
    }

    /// The answer that says all of `body` to a run: of what it has itself proposed.
    ///
    /// # Errors
    /// As [`Self::shown`].
    pub fn told<'a>(
        &'a self,
        status: StatusCode,
        body: impl Redact + Serialize + Send + Sync + 'a,
    ) -> Showing<'a> {
        match self.who {
            Who::Run(_) => Either::Left(ready(answer::json(status, &body))),
            _ => self.shown(status, body),
        }
    }

    async fn run_reader(&self, body: &impl Redact) -> Result<Option<RunReader>> {
        let Who::Run(run) = &self.who else {
            return Ok(None);
        };
        let mut noted = HashSet::new();
        body.runs(&mut noted);
        Ok(Some(RunReader {
            id: run.id,
            deployment: run.deployment,
            own: self.gate.app().those_of(run.id, noted).await?,
        }))
    }
}

impl FromRequestParts<Ctx> for Requester {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Infallible> {
        Ok(Self::of(parts, ctx))
    }
}
