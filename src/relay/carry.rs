//! Carrying a request to the daemon, as often as it takes.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;
use tokio::net::TcpStream;

use super::{ANSWER, Came, KEY, ORDERS, Orders, PATIENCE, PEER, RETRY, Report};

/// The largest body that is carried; the daemon takes no larger one.
const MAX_BODY: usize = 33 * 1024 * 1024;

/// How long a client hears nothing at most.
const STILL_THERE: Duration = Duration::from_secs(2);
/// An answer that precedes the answer, as HTTP permits.
const PROCESSING: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";

type Whole = Full<Bytes>;

/// Speaks to one daemon, whichever process that is at the moment.
pub(super) struct Carrier {
    daemon: PathBuf,
    client: Client<UnixConnector, Whole>,
}

impl Carrier {
    /// To the daemon that listens there.
    pub fn new(daemon: &Path) -> Self {
        Self {
            daemon: daemon.to_owned(),
            client: Client::builder(TokioExecutor::new()).build(UnixConnector),
        }
    }

    /// What the daemon wants of a relay that stands so; nothing when no daemon answers. An
    /// answer takes as long as there is nothing new.
    pub async fn ask(&self, report: &Report) -> Option<Orders> {
        let body = serde_json::to_vec(report).ok()?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(hyperlocal::Uri::new(&self.daemon, ORDERS))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .ok()?;
        let answer = tokio::time::timeout(ANSWER, self.once(request)).await;
        serde_json::from_slice(answer.ok()??.body()).ok()
    }

    /// The daemon's answer to a request that `came` so. While there is none the client
    /// waits, for as long as it likes: when it hangs up, this is dropped. It is told through
    /// `aside`, its own connection, that its request is still being worked on, since clients
    /// give up what is silent for some seconds.
    pub async fn carry(
        &self,
        request: Request<Incoming>,
        came: Came,
        aside: &TcpStream,
    ) -> Result<Response<Whole>, Infallible> {
        let mut answer = std::pin::pin!(self.answer(request, came));
        loop {
            tokio::select! {
                answer = &mut answer => return Ok(answer),
                // A client that is full, or gone, needs no word of it.
                () = tokio::time::sleep(STILL_THERE) => drop(aside.try_write(PROCESSING)),
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>, came: Came) -> Response<Whole> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let Some(parts) = self.addressed(parts, came) else {
            return plain(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let again = Request::from_parts(parts.clone(), Full::new(body.clone()));
            if let Some(answer) = self.once(again).await {
                return answer.map(Full::new);
            }
            tokio::time::sleep(RETRY).await;
        }
        plain(StatusCode::BAD_GATEWAY)
    }

    /// The request's head for the daemon's socket.
    fn addressed(&self, mut parts: Parts, came: Came) -> Option<Parts> {
        let path = parts.uri.path_and_query()?.as_str().to_owned();
        parts.uri = hyperlocal::Uri::new(&self.daemon, &path).into();
        hop(&mut parts.headers);
        let came = HeaderValue::from_str(&came.to_string()).ok()?;
        parts.headers.insert(HeaderName::from_static(PEER), came);
        let key = HeaderName::from_static(KEY);
        if parts.method != Method::GET && !parts.headers.contains_key(&key) {
            let fresh = HeaderValue::from_str(&uuid::Uuid::now_v7().to_string()).ok()?;
            parts.headers.insert(key, fresh);
        }
        Some(parts)
    }

    /// Sends once. Nothing when the daemon is not there, or goes before it has answered whole.
    async fn once(&self, request: Request<Whole>) -> Option<Response<Bytes>> {
        let answer = self.client.request(request).await.ok()?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        hop(&mut parts.headers);
        Some(Response::from_parts(parts, body))
    }
}

/// Takes out what concerns one connection only.
fn hop(headers: &mut hyper::HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
}

fn plain(status: StatusCode) -> Response<Whole> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
