//! Calls over HTTP.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};

use super::{Failure, LONGEST, addresses, words};
use crate::domain::notification::{Call, Reach};

/// How long a connection takes at most.
const CONNECT: Duration = Duration::from_secs(5);
/// The most bytes that are read of an answer.
const MOST_READ: usize = 64 * 1024;
/// The header by which who gets a call twice can know.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What calls go by: a client for each reach, with and without a look at certificates.
#[derive(Default)]
pub struct Http([OnceLock<Client>; 4]);

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: String,
}

impl Http {
    /// Calls; answers whatever was answered.
    ///
    /// # Errors
    /// Where nothing was.
    pub async fn call(&self, call: &Call, key: &str) -> Result<Reply, Failure> {
        let url = Url::parse(&call.url).map_err(|_| never("the address is none"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(never("only http and https addresses are called"));
        }
        if call.reach == Reach::Public {
            check_public(&url).await?;
        }
        let request = self.request(call, url, key)?;
        let limit = call.timeout.min(LONGEST);
        let answered = tokio::time::timeout(limit, answered(request)).await;
        answered.unwrap_or_else(|_| {
            Err(Failure {
                why: format!("there was no answer within {} s", limit.as_secs_f64()),
                is_temporary: true,
            })
        })
    }

    fn request(
        &self,
        call: &Call,
        url: Url,
        key: &str,
    ) -> Result<reqwest::RequestBuilder, Failure> {
        let method = Method::from_bytes(call.method.as_bytes());
        let method = method.map_err(|_| never("the method is none"))?;
        let mut headers = headers(&call.headers)?;
        if let (false, Ok(key)) = (headers.contains_key(&KEY), HeaderValue::from_str(key)) {
            headers.insert(KEY, key);
        }
        let client = self.client(call.reach, call.is_verified)?;
        Ok(client
            .request(method, url)
            .headers(headers)
            .body(call.body.clone()))
    }

    fn client(&self, reach: Reach, is_verified: bool) -> Result<&Client, Failure> {
        let [plain, blind, public, blind_public] = &self.0;
        let kept = match (reach, is_verified) {
            (Reach::Anywhere, true) => plain,
            (Reach::Anywhere, false) => blind,
            (Reach::Public, true) => public,
            (Reach::Public, false) => blind_public,
        };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        let made = client(reach, is_verified).map_err(|error| never(&words(&error)))?;
        Ok(kept.get_or_init(|| made))
    }
}

fn client(reach: Reach, is_verified: bool) -> reqwest::Result<Client> {
    // Another part of the program may have done so already; it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(0)
        .tls_danger_accept_invalid_certs(!is_verified);
    match reach {
        Reach::Anywhere => builder,
        // Who asks a proxy does not know where it goes.
        Reach::Public => builder.no_proxy().dns_resolver(Arc::new(PublicNames)),
    }
    .build()
}

/// Finds the addresses of names, all of which are public: looked at when it connects, so that no
/// name means something else by then.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = addresses::public(name.as_str()).await;
            let found = found.map_err(|refused| refused.why)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Refuses what is not public before anything is sent. What a name means then is looked at once
/// more when it connects.
async fn check_public(url: &Url) -> Result<(), Failure> {
    match (literal(url), url.host_str()) {
        (Some(address), _) if addresses::is_private(address) => Err(addresses::refusal(address)),
        (Some(_), _) => Ok(()),
        (None, Some(name)) => addresses::public(name).await.map(drop),
        (None, None) => Err(never("the address names no machine")),
    }
}

/// The address that a URL names in the place of a name.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.parse().ok()
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let unfit = || never(&format!("the header {name:?} is none"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        headers.append(name, value);
    }
    Ok(headers)
}

async fn answered(request: reqwest::RequestBuilder) -> Result<Reply, Failure> {
    let mut response = request.send().await.map_err(failed)?;
    let mut body = Vec::new();
    while body.len() < MOST_READ
        && let Some(chunk) = response.chunk().await.map_err(failed)?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MOST_READ);
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter();
    Ok(Reply {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// Addresses of webhooks are secrets, so errors tell of none.
fn failed(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    Failure {
        is_temporary: !error.is_builder(),
        why: words(&error),
    }
}

fn never(why: &str) -> Failure {
    Failure {
        why: why.to_owned(),
        is_temporary: false,
    }
}

impl Reply {
    /// Whether it says that it may be otherwise later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 502 | 503 | 504)
    }

    /// Whether it is a success.
    ///
    /// # Errors
    /// Where it is none.
    pub fn check(self) -> Result<(), Failure> {
        match self.status {
            200..=299 => Ok(()),
            status => Err(Failure {
                why: format!("the answer was {status}"),
                is_temporary: self.is_temporary(),
            }),
        }
    }
}
