//! Speaks to the daemon: typed requests over the socket or over TCP.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::args::Args;
use super::failure::{Failure, Result};
use crate::config::{credential, read_private, usual_socket};
use crate::domain::access::{Secret, veil};

/// Where the dialects are.
const V3: &str = "/api/v3";
const ORION: &str = "/api/orion";

/// Where the daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On this machine.
    Socket(PathBuf),
    /// At a URL, without the final slash and without `/api`.
    Url(String),
}

/// A connection to the daemon.
pub struct Client {
    target: Target,
    unix: HyperClient<UnixConnector, Full<Bytes>>,
    tcp: HyperClient<HttpConnector, Full<Bytes>>,
    /// What is sent with every request by TCP; the socket needs nothing.
    key: Option<String>,
    /// Whether the secrets in what is read are masked.
    veils: bool,
}

/// The API key: from the named file, else `PREFECT_API_KEY`, else systemd's credential.
pub fn api_key(file: Option<&Path>) -> Result<Option<Secret>> {
    let read = |path: &Path| {
        let read = read_private(path);
        read.map(Some)
            .map_err(|error| Failure::usage(error.to_string()))
    };
    if let Some(file) = file {
        return read(file);
    }
    if let Ok(key) = std::env::var("PREFECT_API_KEY")
        && !key.is_empty()
    {
        return Ok(Some(Secret::Plain(key)));
    }
    match credential("api-key") {
        Some(path) => std::fs::read_to_string(path)
            .map(|text| Some(Secret::from_text(&text)))
            .map_err(|error| Failure::new(error.to_string())),
        None => Ok(None),
    }
}

impl Target {
    /// Whether somebody said where the daemon is.
    pub fn is_named(args: &Args) -> bool {
        let names = ["PREFECTD_SOCKET", "PREFECT_API_URL", "PREFECT_ORION_HOST"];
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        args.api.is_some() || args.socket.is_some() || names.iter().any(is_set)
    }

    /// From the flags, else from the environment, else the usual socket.
    pub fn of(args: &Args) -> Result<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(url) = &args.api {
            return Ok(Self::url(url));
        }
        if let Some(path) = &args.socket {
            return Ok(Self::Socket(path.clone()));
        }
        if let Some(path) = variable("PREFECTD_SOCKET") {
            return Ok(Self::Socket(path.into()));
        }
        let url = variable("PREFECT_API_URL").or_else(|| variable("PREFECT_ORION_HOST"));
        match url {
            Some(url) => Ok(Self::url(&url)),
            None => Ok(Self::Socket(usual_socket())),
        }
    }

    /// At a URL, however it is written.
    pub fn url(url: &str) -> Self {
        let bare = url.trim_end_matches('/');
        Self::Url(bare.strip_suffix("/api").unwrap_or(bare).to_owned())
    }

    fn shown(&self) -> String {
        match self {
            Target::Socket(path) => path.display().to_string(),
            Target::Url(url) => url.clone(),
        }
    }
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
            veils: false,
            target,
            unix: HyperClient::builder(TokioExecutor::new()).build(UnixConnector),
            tcp: HyperClient::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The same, with all secrets masked in what it reads.
    pub fn veiled(self) -> Self {
        Self {
            veils: true,
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
            if self.veils {
                veil(&mut value, &[]);
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

impl Target {
    /// Why nobody answers there, and what to do about it.
    fn silence(&self, kind: Option<ErrorKind>, cause: &str) -> String {
        const START: &str = "is it running? start it with `systemctl start prefectd` or `prefectd`";
        let place = self.shown();
        match (self, kind) {
            (Target::Socket(_), Some(ErrorKind::PermissionDenied)) => format!(
                "you may not use prefectd's socket {place} (permission denied); \
                 join the group that it belongs to, such as `usermod -aG prefect $USER`, \
                 and log in anew, or use sudo"
            ),
            (Target::Socket(_), Some(ErrorKind::NotFound)) => format!(
                "there is no socket {place}, where prefectd would be; {START}, \
                 or name another --socket or --api"
            ),
            (Target::Socket(_), Some(ErrorKind::ConnectionRefused)) => {
                format!("nobody answers at the socket {place}, which prefectd left behind; {START}")
            }
            (Target::Url(_), Some(ErrorKind::ConnectionRefused)) => format!(
                "nobody listens at {place} (connection refused); {START}, \
                 or name another --api"
            ),
            _ => format!(
                "cannot reach prefectd at {place} ({cause}); {START}, or name another --socket or --api"
            ),
        }
    }
}

fn not_understood(error: &serde_json::Error) -> Failure {
    let line = format!("the answer is not understood ({error}); is prefectd of the same version?");
    Failure::answered(StatusCode::OK.as_u16(), line)
}

/// What the daemon says of a request that it refused.
fn refused(status: StatusCode, body: &[u8], has_key: bool) -> Failure {
    let said: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    let words = ["/detail", "/exception_detail/0/msg"]
        .into_iter()
        .find_map(|place| said.pointer(place)?.as_str());
    let line = match words {
        _ if status == StatusCode::UNAUTHORIZED && has_key => {
            "prefectd does not take this API key; is it the one of `auth.api_key_file`? \
             --api-key-file or PREFECT_API_KEY names another"
                .to_owned()
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            "prefectd needs its API key here; give --api-key-file or PREFECT_API_KEY".to_owned()
        }
        _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
            "prefectd failed at this (500 Internal Server Error); its log says why: \
             `journalctl -u prefectd -n 50`, or what it printed"
                .to_owned()
        }
        Some(words) => words.to_owned(),
        None => format!("prefectd answered {status}"),
    };
    Failure::answered(status.as_u16(), line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_api_s_url_is_one_place() {
        for url in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/api",
            "http://h:1/api/",
        ] {
            assert_eq!(Target::url(url), Target::Url("http://h:1".to_owned()));
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_daemon_s_words() {
        let said = br#"{"detail": "Flow run not found"}"#;
        assert_eq!(
            refused(StatusCode::NOT_FOUND, said, false).to_string(),
            "Flow run not found"
        );
        let said = br#"{"exception_detail": [{"msg": "no such field"}]}"#;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(refused(status, said, false).to_string(), "no such field");
        assert!(
            refused(StatusCode::BAD_GATEWAY, b"<html>", false)
                .to_string()
                .contains("502")
        );
    }

    #[test]
    fn a_missing_key_is_not_a_wrong_one() {
        let told = |has_key| refused(StatusCode::UNAUTHORIZED, b"{}", has_key).to_string();
        assert!(told(false).contains("needs its API key"));
        assert!(told(true).contains("does not take this API key"));
        let failed = refused(StatusCode::INTERNAL_SERVER_ERROR, b"{}", false).to_string();
        assert!(failed.contains("its log says why"), "{failed}");
    }

    #[test]
    fn absent_is_told_from_forbidden() {
        let socket = Target::Socket("/run/x.sock".into());
        let told = |kind| socket.silence(Some(kind), "cause");
        for kind in [ErrorKind::NotFound, ErrorKind::ConnectionRefused] {
            assert!(told(kind).contains("is it running?") && told(kind).contains("/run/x.sock"));
        }
        let forbidden = told(ErrorKind::PermissionDenied);
        assert!(
            forbidden.contains("may not") && !forbidden.contains("running"),
            "{forbidden}"
        );
    }
}
