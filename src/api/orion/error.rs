//! How this dialect says no.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::error;
use super::read::Issue;
use crate::domain::error::Error;

/// Why a request is not answered.
#[derive(Debug)]
pub enum Refusal {
    /// The request is not what the route asks for.
    Invalid {
        /// Every fault found.
        issues: Vec<Issue>,
        /// The body as it was understood.
        body: Value,
    },
    /// The body is no text.
    Unreadable,
    /// The verb refused.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Invalid { issues, body } => {
                let answer = json!({
                    "exception_message": "Invalid request received.",
                    "exception_detail": issues,
                    "request_body": body,
                });
                (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(answer)).into_response()
            }
            Refusal::Unreadable => {
                let detail = json!({ "detail": "There was an error parsing the body" });
                (StatusCode::BAD_REQUEST, axum::Json(detail)).into_response()
            }
            Refusal::Failed(failure) => error::answer(&failure),
        }
    }
}
