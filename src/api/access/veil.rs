//! Hides the secrets in answers from those who only look.
//!
//! Whoever starts processes needs the values, and that is an operator: an agent on the socket,
//! on the loopback, or with a key. Viewers and runs get the names. This is done to the answer
//! as it leaves, in one place for every route of both dialects, by what the answer is and not
//! by its route. What cannot be looked through is not passed on, but for what was declared to
//! hold nothing secret, and for the documents that runs keep.
//!
//! A run is told the parameters and the results of itself and of its sub-flows, and the flow of
//! its deployment: it works with them.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::mask::{Part, Unreadable, masked_json};
use super::needs::Need;
use crate::app::App;
use crate::domain::access::{Neighbour, Targets};
use crate::domain::ids::FlowRunId;

/// What is hidden, and from whom.
pub struct Veil<'a> {
    /// Knows which runs belong to which.
    pub app: &'a App,
    /// Further words that make a name a secret's.
    pub more: &'a [String],
    /// The run that asks; otherwise it is somebody who only looks.
    pub run: Option<Neighbour>,
}

/// What tells whose a row is.
#[derive(Deserialize)]
struct Row {
    id: Option<Uuid>,
    flow_run_id: Option<Uuid>,
    deployment_id: Option<Uuid>,
    state_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    flow_run_id: Option<Uuid>,
}

impl Veil<'_> {
    /// The answer of a route with that need, with its secrets masked.
    pub async fn over(&self, response: Response, need: Option<Need>, path: &str) -> Response {
        let may_pass = match need {
            Some(Need::Page | Need::Nothing) => true,
            Some(Need::Fetch | Need::Persist) => self.run.is_some(),
            // What a run is told of the states that it proposes, cached results included.
            Some(Need::StateOfFlowRun | Need::StateOfTaskRun | Need::NewTaskRun) => {
                self.run.is_some()
            }
            _ => false,
        };
        if may_pass && response.status().is_success() {
            return response;
        }
        let is_json = is_json(&response);
        let (mut parts, body) = response.into_parts();
        let Ok(collected) = body.collect().await else {
            return hidden();
        };
        let bytes = collected.to_bytes();
        if bytes.is_empty() {
            return Response::from_parts(parts, Body::empty());
        }
        let text = std::str::from_utf8(&bytes).ok().filter(|_| is_json);
        let veiled = match text {
            Some(text) => self.veiled(text, path).await,
            None => Err(Unreadable),
        };
        let shown: Bytes = match veiled {
            Ok(None) => bytes,
            Ok(Some(veiled)) => veiled.into(),
            Err(Unreadable) => return hidden(),
        };
        let length = HeaderValue::from(shown.len());
        parts.headers.insert(header::CONTENT_LENGTH, length);
        Response::from_parts(parts, Body::from(shown))
    }

    async fn veiled(&self, text: &str, path: &str) -> Result<Option<String>, Unreadable> {
        let Some(all) = masked_json(text, Part::All, self.more)? else {
            return Ok(None);
        };
        let Some(run) = &self.run else {
            return Ok(Some(all));
        };
        if let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(text) {
            let mut shown = Vec::with_capacity(rows.len());
            for row in rows {
                shown.push(self.row(row.get(), run, path).await?);
            }
            return Ok(Some(format!("[{}]", shown.join(","))));
        }
        match text.trim_start().starts_with('{') {
            true => self.row(text, run, path).await.map(Some),
            false => Ok(Some(all)),
        }
    }

    /// A row as the run sees it.
    async fn row(&self, row: &str, run: &Neighbour, path: &str) -> Result<String, Unreadable> {
        let part = self.part(row, run, path).await.unwrap_or(Part::All);
        let shown = masked_json(row, part, self.more)?;
        Ok(shown.unwrap_or_else(|| row.to_owned()))
    }

    /// How much is masked of a row, where that is not all. Of the run itself and its sub-flows
    /// only what they run on is; of the run's deployment all but the flow, which is what is run.
    /// A run of a deployment is given what that holds, which is not its beginner's.
    async fn part(&self, row: &str, run: &Neighbour, path: &str) -> Option<Part> {
        let own = run.flow_run?;
        let row: Row = serde_json::from_str(row).ok()?;
        let begins = path.ends_with("/create_flow_run");
        if path.contains("/deployments") && !begins {
            let deployment = self.app.flow_run(own).await.ok()?.deployment_id?;
            return (row.id? == deployment.uuid()).then_some(Part::AllButFlows);
        }
        let of = match path.contains("/flow_runs") || begins {
            true => row.id?,
            false => row
                .flow_run_id
                .or(row.state_details.and_then(|details| details.flow_run_id))?,
        };
        let of = FlowRunId::from_uuid(of);
        if of != own && (row.deployment_id.is_some() || !self.is_within(of, own, run).await) {
            return None;
        }
        Some(Part::Infrastructure)
    }

    async fn is_within(&self, of: FlowRunId, own: FlowRunId, run: &Neighbour) -> bool {
        let targets = Targets {
            flow_runs: vec![of],
            task_runs: Vec::new(),
        };
        let standing = self.app.standing(own, run.clone(), targets).await;
        standing.is_ok_and(|standing| standing.is_some_and(|standing| standing.aims_at_its_own))
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn hidden() -> Response {
    let detail = json!({ "detail": "This cannot be shown to you: it may hold secrets." });
    (StatusCode::FORBIDDEN, axum::Json(detail)).into_response()
}
