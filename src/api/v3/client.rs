//! What the client of a request is known to do, by the versions that it says it is of.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::api::client::{PAUSES, Version, api_version, version};
use crate::domain::rules::Client;
use crate::domain::work::LONGEST_NAME;

/// Since this API clients have their flow begin its failed tasks anew, when it is tried again.
const RETRIED_TASKS: Version = [0, 8, 3];
/// Since this package they renew their holds on slots.
const RENEWALS: Version = [3, 4, 11];
/// Since this package they take a work pool that names the block where results are kept.
const RESULT_STORAGE: Version = [3, 3, 8];

/// The client of a request. One that does not say what it is counts as the newest in what it
/// knows of the API, and as one that renews nothing.
#[derive(Clone, Copy, Debug)]
pub struct Known(pub Client);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let api = api_version(&parts.headers);
        let package = package(parts);
        Ok(Self(Client {
            knows_pauses: api.is_none_or(|api| api >= PAUSES),
            renews_slots: package.is_some_and(|package| package >= RENEWALS),
            retries_tasks: api.is_none_or(|api| api >= RETRIED_TASKS),
        }))
    }
}

/// The version of Prefect that a client names.
fn package(parts: &Parts) -> Option<Version> {
    let agent = parts.headers.get(USER_AGENT)?.to_str().ok()?;
    version(agent.strip_prefix("prefect/")?)
}

/// Whether the client of a request takes a work pool that names the block where results are kept.
/// Those before refuse the whole pool for that member; one that does not say what it is takes it.
#[derive(Clone, Copy, Debug)]
pub struct TakesResultStorage(pub bool);

impl<S: Sync> FromRequestParts<S> for TakesResultStorage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(package(parts).is_none_or(|it| it >= RESULT_STORAGE)))
    }
}

/// Who proposes a state.
#[derive(Clone, Debug)]
pub struct Proposer {
    /// What its client is known to do.
    pub client: Client,
    /// The worker of a work pool that it is, or by which it was made, as it says.
    pub worker: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Proposer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Known(client) = Known::from_request_parts(parts, state).await?;
        let name = parts.headers.get("x-prefect-worker-name");
        let name = name.and_then(|name| std::str::from_utf8(name.as_bytes()).ok());
        let fits = |name: &&str| !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        let worker = name.filter(fits).map(str::to_owned);
        Ok(Self { client, worker })
    }
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
            (
                client.knows_pauses,
                client.renews_slots,
                client.retries_tasks,
            )
        };
        for (agent, api, expected) in [
            (
                "prefect/3.9.1 (API 0.8.4)",
                Some("0.8.4"),
                (true, true, true),
            ),
            (
                "prefect/3.4.11 (API 0.8.4)",
                Some("0.8.4"),
                (true, true, true),
            ),
            (
                "prefect/3.4.9 (API 0.8.4)",
                Some("0.8.4"),
                (true, false, true),
            ),
            (
                "prefect/2.20.26 (API 0.8.4)",
                Some("0.8.4"),
                (true, false, true),
            ),
            (
                "prefect/2.6.0 (API 0.8.2)",
                Some("0.8.2"),
                (false, false, false),
            ),
            ("python-httpx/0.23.3", Some("0.8.3"), (false, false, true)),
            (
                "prefect/3.10.0rc1 (API 0.9.0)",
                Some("0.9.0"),
                (true, true, true),
            ),
            ("curl/8", None, (true, false, true)),
            ("prefect/x", Some("y"), (true, false, true)),
        ] {
            assert_eq!(known(agent, api).await, expected, "{agent}");
        }
    }

    #[tokio::test]
    async fn old_clients_do_not_take_a_pool_with_a_storage_of_results() {
        for (agent, expected) in [
            ("prefect/3.3.7 (API 0.8.4)", false),
            ("prefect/2.20.26 (API 0.8.4)", false),
            ("prefect/3.3.8 (API 0.8.4)", true),
            ("prefect/3.9.1 (API 0.8.4)", true),
            ("curl/8", true),
        ] {
            let request = axum::http::Request::builder().header("user-agent", agent);
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            let Ok(TakesResultStorage(takes)) =
                TakesResultStorage::from_request_parts(&mut parts, &()).await;
            assert_eq!(takes, expected, "{agent}");
        }
    }
}
