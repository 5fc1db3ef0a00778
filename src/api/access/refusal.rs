//! How the gate says no, and what the log learns of it.

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::super::caller::{Caller, End};
use super::super::dialect::V3;
use super::super::error;
use crate::domain::alert;
use crate::domain::error::{Error, Kind};

/// Why a request goes no further.
#[derive(Debug)]
pub enum Refused {
    /// It needs a key. What is wrong with the one that was sent is not told.
    Keyless,
    /// Its sender may not do this.
    Forbidden(&'static str),
    /// It could not be decided.
    Failed(Error),
}

impl Refused {
    /// The answer, in the words of the dialect that the path belongs to.
    pub fn answer(self, path: &str) -> Response {
        match self {
            Refused::Keyless => {
                let mut body = json!({ "detail": "Unauthorized" });
                // Where modern clients look.
                if let (true, Some(map)) = (path.starts_with(V3), body.as_object_mut()) {
                    map.insert("exception_message".to_owned(), "Unauthorized".into());
                }
                let ask = [(header::WWW_AUTHENTICATE, "Bearer, Basic realm=\"prefectd\"")];
                (StatusCode::UNAUTHORIZED, ask, axum::Json(body)).into_response()
            }
            Refused::Forbidden(why) => {
                let body = json!({ "detail": why });
                (StatusCode::FORBIDDEN, axum::Json(body)).into_response()
            }
            Refused::Failed(failure) => error::answer(&failure),
        }
    }

    /// The answer that leads somebody who looks at pages to where the key is asked for.
    pub fn leads_to_login(&self, request: &Request) -> Option<Response> {
        let accepts = request.headers().get(header::ACCEPT)?.to_str().ok()?;
        let is_looking = matches!(*request.method(), Method::GET | Method::HEAD)
            && accepts.contains("text/html")
            && !request.uri().path().starts_with("/api/");
        if !is_looking || !matches!(self, Refused::Keyless) {
            return None;
        }
        let back = request.uri().path_and_query()?.as_str();
        let back = utf8_percent_encode(back, NON_ALPHANUMERIC);
        let login = [(header::LOCATION, format!("/login?next={back}"))];
        Some((StatusCode::SEE_OTHER, login).into_response())
    }

    /// What is wrong, where there is no answer to give.
    pub fn into_error(self) -> Error {
        match self {
            Refused::Keyless => Error::new(Kind::Forbidden, "Unauthorized"),
            Refused::Forbidden(why) => Error::new(Kind::Forbidden, why),
            Refused::Failed(failure) => failure,
        }
    }

    /// Tells the log who asked for what and was refused.
    pub fn log(&self, caller: &Caller, method: &Method, path: &str) {
        let why = match self {
            Refused::Keyless => "no valid key",
            Refused::Forbidden(why) => why,
            Refused::Failed(_) => "it could not be decided",
        };
        match caller.end() {
            End::Socket(peer) => {
                let (uid, user) = (peer.uid, peer.user.as_str());
                tracing::warn!(
                    message_id = alert::AUTH_REFUSED,
                    caller.uid = uid,
                    caller.user = user,
                    "refused {method} {path} to user {user}: {why}"
                );
            }
            End::Loopback(route) | End::Network(route) | End::Bridge(route) => {
                let peer = caller.peer().get().and_then(Option::as_ref);
                let who = peer.map_or("nobody known", |one| one.described.as_str());
                let from = route.from.ip();
                tracing::warn!(
                    message_id = alert::AUTH_REFUSED,
                    "refused {method} {path} to {who} at {from}: {why}"
                );
            }
        }
    }
}
