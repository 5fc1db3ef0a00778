//! Speaks to the daemon: typed requests over the socket or over TCP.

mod refusal;
mod target;

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, header};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::{Failure, Result};
use crate::domain::access::{Secret, mask_runners};
use refusal::{not_understood, refused};

pub use target::{Target, api_key};

/// Where the dialects are.
const V3: &str = "/api/v3";
const ORION: &str = "/api/orion";

/// A connection to the daemon.
pub struct Client {
    target: Target,
    unix: HyperClient<UnixConnector, Full<Bytes>>,
    tcp: HyperClient<HttpConnector, Full<Bytes>>,
    /// What is sent with every request by TCP; the socket needs nothing.
    key: Option<String>,
    /// Whether the secrets in what is read are masked.
    masks: bool,
}

impl Client {
    /// To the daemon at `target`; nothing is sent yet.
    pub fn new(target: Target, key: Option<&Secret>) -> Self {
        Self {
            // A hash lets nobody in.
            key: match key {
                Some(Secret::Plain(key)) => Some(key.clone()),
                _ => None,
            },
            masks: false,
            target,
            unix: HyperClient::builder(TokioExecutor::new()).build(UnixConnector),
            tcp: HyperClient::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The same, with all secrets masked in what it reads.
    pub fn masking(self) -> Self {
        Self {
            masks: true,
            ..self
        }
    }

    /// The key that it sends by TCP.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where the daemon is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Reads something.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.read(&self.send(Method::GET, path, None).await?)
    }

    /// Asks or does something.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        self.read(&self.send(Method::POST, path, Some(body)).await?)
    }

    /// Reads a document that is stored at the daemon, such as a flow's script.
    pub async fn document(&self, document: &Value) -> Result<Vec<u8>> {
        let body = serde_json::to_vec(document).map_err(|error| Failure::new(error.to_string()))?;
        // Documents are the 2.0a7 generation's.
        let path = format!("{ORION}/data/retrieve");
        let response = self.ask_at(Method::POST, &path, Some(body)).await?;
        let read = response.into_body().collect().await;
        Ok(read
            .map_err(|error| self.unreachable(&error))?
            .to_bytes()
            .to_vec())
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Result<()> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        self.send(Method::PATCH, path, Some(body)).await.map(drop)
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Reads something large piece by piece. An answer that is cut off is a failure.
    pub async fn download(
        &self,
        path: &str,
        mut piece: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut response = self.ask(Method::GET, path, None).await?;
        while let Some(frame) = response.body_mut().frame().await {
            let frame = frame.map_err(|error| self.unreachable(&error))?;
            if let Some(bytes) = frame.data_ref() {
                piece(bytes)?;
            }
        }
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Bytes> {
        let response = self.ask(method, path, body).await?;
        let body = response.into_body().collect().await;
        Ok(body.map_err(|error| self.unreachable(&error))?.to_bytes())
    }

    /// Sends a request and answers the head of a success.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>> {
        self.ask_at(method, &format!("{V3}{path}"), body).await
    }

    /// The same, of either dialect.
    async fn ask_at(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>> {
        let uri: hyper::Uri = match &self.target {
            Target::Socket(socket) => hyperlocal::Uri::new(socket, path).into(),
            Target::Url(url) => format!("{url}{path}")
                .parse()
                .map_err(|_| Failure::usage(format!("{url:?} is not a URL")))?,
        };
        let mut request = Request::builder().method(method).uri(uri);
        if let (Target::Url(_), Some(key)) = (&self.target, &self.key) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|error| Failure::new(error.to_string()))?;
        let response = match &self.target {
            Target::Socket(_) => self.unix.request(request).await,
            Target::Url(_) => self.tcp.request(request).await,
        };
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| self.unreachable(&error))?.to_bytes();
        let has_key = self.key.is_some() && matches!(self.target, Target::Url(_));
        Err(refused(status, &body, has_key))
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        let body = if body.is_empty() { b"null" } else { body };
        // By way of a value: flattened shapes cannot read numbers that keep their text.
        let read = serde_json::from_slice(body).and_then(|mut value: Value| {
            if self.masks {
                mask_runners(&mut value, &[]);
            }
            serde_json::from_value(value)
        });
        read.map_err(|error| not_understood(&error))
    }

    /// Asks for something in which there are no flow runners, and so no secrets to mask.
    pub async fn post_plain<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        let answer = self.send(Method::POST, path, Some(body)).await?;
        serde_json::from_slice(&answer).map_err(|error| not_understood(&error))
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let (mut cause, mut kind) = (error, None);
        loop {
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                kind = Some(io.kind());
            }
            match cause.source() {
                Some(inner) => cause = inner,
                None => break,
            }
        }
        Failure::new(self.target.silence(kind, &cause.to_string()))
    }
}
