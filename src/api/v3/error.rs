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
        /// What is wrong.
        faults: Vec<Fault>,
        /// The body as it was understood.
        body: Box<Value>,
    },
    /// The verb refused.
    Failed(Error),
}

/// Something that is wrong with a request.
#[derive(Debug)]
pub struct Fault {
    /// Where: `path`, `query` or `body`, then keys and indexes.
    pub loc: Vec<Value>,
    /// What is wrong.
    pub message: String,
    /// The reference's word for what is wrong, such as `missing`.
    pub kind: &'static str,
}

impl Refusal {
    /// Faults of a body.
    pub fn invalid(faults: Vec<Fault>, body: Value) -> Self {
        let body = Box::new(body);
        Self::Invalid { faults, body }
    }

    /// A fault beside the body.
    pub fn at(fault: Fault) -> Self {
        Self::invalid(vec![fault], Value::Null)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What stands at a place, or where the way there ends.
fn input<'b>(body: &'b Value, loc: &[Value]) -> &'b Value {
    let mut at = body;
    for step in loc.iter().skip(1) {
        let next = match step {
            Value::String(key) => at.get(key),
            step => step.as_u64().and_then(|index| at.get(index as usize)),
        };
        match next {
            Some(next) => at = next,
            None => return at,
        }
    }
    at
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Invalid { faults, body } => {
                let detail = faults.into_iter().map(|fault| {
                    let Fault { loc, message, kind } = fault;
                    let input = input(&body, &loc);
                    json!({ "type": kind, "loc": loc, "msg": message, "input": input })
                });
                let answer = json!({
                    "exception_message": "Invalid request received.",
                    "exception_detail": detail.collect::<Vec<_>>(),
                    "request_body": body,
                });
                (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(answer)).into_response()
            }
            Refusal::Failed(failure) => error::answer(&failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_what_stands_there() {
        let body = json!({ "a": [{ "b": 1 }] });
        let at = |loc: Value| input(&body, loc.as_array().unwrap()).clone();
        assert_eq!(at(json!(["body", "a", 0, "b"])), 1);
        // Of a field that is missing, what it is missing in.
        assert_eq!(at(json!(["body", "a", 0, "c"])), json!({ "b": 1 }));
        assert_eq!(at(json!(["body", "a", 7])), json!([{ "b": 1 }]));
        assert_eq!(at(json!(["body"])), body);
    }
}
