//! Forms that browsers post: read within bounds, and carried out only where the page that they
//! are on was served to whoever posts them.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer::Failed;
use super::visitor::Visitor;
use crate::api::{Ctx, body};
use crate::domain::error::{Error, Kind};

/// The most fields of a form.
const MOST_FIELDS: usize = 2000;
/// The longest form, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// A form with a good token.
pub struct Form {
    /// Who posts it.
    pub visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first value of a field; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        let mut found = self.fields.iter().filter(|(key, _)| key == name);
        found.next().map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.fields.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Ctx> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Response> {
        let (mut parts, content) = request.into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, ctx).await;
        let bytes = body::whole(&parts.headers, content).await;
        let bytes = bytes.map_err(|error| Failed::from(error).into_response())?;
        if bytes.len() > LONGEST {
            return Err(too_large("The form is too long."));
        }
        let fields = form_urlencoded::parse(&bytes).into_owned();
        let fields: Vec<_> = fields.take(MOST_FIELDS + 1).collect();
        if fields.len() > MOST_FIELDS {
            return Err(too_large("The form has too many fields."));
        }
        let form = Self { visitor, fields };
        match form.visitor.has_form(ctx, form.value("token")) {
            true => Ok(form),
            false => Err(stale()),
        }
    }
}

fn too_large(words: &str) -> Response {
    Failed::from(Error::new(Kind::TooLarge, words)).into_response()
}

/// The token is not good: the page is old, or is not ours.
fn stale() -> Response {
    let words = "This form was not served to you, or lay open for too long. Go back, load the \
                 page again, and press once more.";
    let mut response = Failed::from(Error::invalid(words)).into_response();
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}
