//! How this dialect says no.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::error;
use crate::domain::error::Error;

/// Why a request is not answered.
#[derive(Debug)]
pub enum Refusal {
    /// The request is not what the route asks for.
    Invalid {
        /// Where: `path`, `query` or `body`, then keys and indexes.
        loc: Vec<Value>,
        /// What is wrong.
        message: String,
        /// The body as it was understood.
        body: Box<Value>,
    },
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
            Refusal::Invalid { loc, message, body } => {
                let answer = json!({
                    "exception_message": "Invalid request received.",
                    "exception_detail": [{ "loc": loc, "msg": message, "type": "value_error" }],
                    "request_body": body,
                });
                (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(answer)).into_response()
            }
            Refusal::Failed(failure) => error::answer(&failure),
        }
    }
}
