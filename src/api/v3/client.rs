//! What the client of a request is known to do, by the versions that it says it is of.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::domain::rules::Client;

/// Three numbers.
type Version = [u32; 3];

/// Since this API clients know of pauses.
const PAUSES: Version = [0, 8, 4];
/// Since this package they renew their holds on slots.
const RENEWALS: Version = [3, 4, 11];

/// The client of a request. One that does not say what it is counts as the newest in what it
/// knows of the API, and as one that renews nothing.
#[derive(Clone, Copy, Debug)]
pub struct Known(pub Client);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let text = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let api = text("x-prefect-api-version").and_then(version);
        let agent = text(USER_AGENT.as_str());
        let package = agent.and_then(|agent| version(agent.strip_prefix("prefect/")?));
        Ok(Self(Client {
            knows_pauses: api.is_none_or(|api| api >= PAUSES),
            renews_slots: package.is_some_and(|package| package >= RENEWALS),
        }))
    }
}

/// The version at the beginning of a text, such as `3.9.1 (API 0.8.4)` or `3.0.0rc20`.
fn version(text: &str) -> Option<Version> {
    let end = text.find(' ').unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('.').map(leading_number);
    let [major, minor] = [parts.next()??, parts.next()??];
    Some([major, minor, parts.next().flatten().unwrap_or_default()])
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_is_known_by_its_versions() {
        let known = async |agent: &str, api: Option<&str>| {
            let mut request = axum::http::Request::builder().header("user-agent", agent);
            if let Some(api) = api {
                request = request.header("x-prefect-api-version", api);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            let Ok(Known(client)) = Known::from_request_parts(&mut parts, &()).await;
            (client.knows_pauses, client.renews_slots)
        };
        for (agent, api, expected) in [
            ("prefect/3.9.1 (API 0.8.4)", Some("0.8.4"), (true, true)),
            ("prefect/3.4.11 (API 0.8.4)", Some("0.8.4"), (true, true)),
            ("prefect/3.4.9 (API 0.8.4)", Some("0.8.4"), (true, false)),
            ("prefect/2.20.26 (API 0.8.4)", Some("0.8.4"), (true, false)),
            ("prefect/2.6.0 (API 0.8.2)", Some("0.8.2"), (false, false)),
            ("prefect/3.10.0rc1 (API 0.9.0)", Some("0.9.0"), (true, true)),
            ("curl/8", None, (true, false)),
            ("prefect/x", Some("y"), (true, false)),
        ] {
            assert_eq!(known(agent, api).await, expected, "{agent}");
        }
    }
}
