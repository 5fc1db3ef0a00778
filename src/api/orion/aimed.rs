//! Requests that aim at what they name, each as this dialect's reader reads it.

use axum::extract::{FromRequest, Request};

use super::error::Refusal;
use super::read::list;
use super::request_reader::RequestReader;
use super::states::proposal;
use super::wire;
use crate::api::Ctx;
use crate::api::access::{Authorised, Requester};
use crate::domain::access::Aims;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRunUpdate, NewFlowRun};
use crate::domain::ids::{DeploymentId, FlowRunId, TaskRunId};
use crate::domain::log::NewLog;
use crate::domain::rules::Policy;
use crate::domain::state::ProposedState;
use crate::domain::task_run::NewTaskRun;

/// A body that says, with what the path names, what the request aims at. Whoever may not aim at
/// that is refused here.
pub struct Aimed<T, I = ()> {
    /// What the path names.
    pub at: I,
    /// What the body means.
    pub asked: T,
}

/// A part of a request.
pub trait Readable: Sized {
    /// As it is read; nothing where a fault was found.
    fn read(request: &mut RequestReader) -> Option<Self>;
}

impl<T, I> Authorised for Aimed<T, I> {}

impl<T, I> FromRequest<Ctx> for Aimed<T, I>
where
    T: Readable + Aims<I> + Send + Sync,
    I: Readable + Copy + Send,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let requester = Requester::of(&parts, ctx);
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let mut request =
            RequestReader::from_request(Request::from_parts(parts, body), ctx).await?;
        let at = I::read(&mut request);
        let read = at.zip(T::read(&mut request));
        let (at, asked) = request.done(read)?;
        requester.authorise(&asked, at, (&method, &uri)).await?;
        Ok(Self { at, asked })
    }
}

impl Readable for () {
    fn read(_request: &mut RequestReader) -> Option<Self> {
        Some(())
    }
}

impl Readable for FlowRunId {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.id(Self::from_uuid)
    }
}

impl Readable for TaskRunId {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.id(Self::from_uuid)
    }
}

impl Readable for DeploymentId {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.id(Self::from_uuid)
    }
}

impl Readable for NewFlowRun {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.body(wire::new_flow_run)
    }
}

impl Readable for FlowRunUpdate {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.body(wire::flow_run_update)
    }
}

impl Readable for DeploymentRunRequest {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.body(wire::run_request)
    }
}

impl Readable for NewTaskRun {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.body(wire::new_task_run)
    }
}

impl Readable for (ProposedState, Policy) {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.embedded(proposal)
    }
}

impl Readable for Vec<NewLog> {
    fn read(request: &mut RequestReader) -> Option<Self> {
        request.body(list(wire::new_log))
    }
}
