//! Where the engine is.

use std::path::PathBuf;

use bollard::{BollardRequest, ClientVersion, Docker};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;

use super::super::RunnerError;
use super::words;

/// The oldest API that maps `host-gateway`: that of Docker 20.10.
const VERSION: ClientVersion = ClientVersion {
    major_version: 1,
    minor_version: 41,
};
/// How long the engine may take to answer, in seconds.
const PATIENCE: u64 = 120;
/// The engine's usual socket.
const SOCKET: &str = "/var/run/docker.sock";

/// The engine at `DOCKER_HOST`, or at the local socket. Nothing is sent yet, and nothing need
/// be there: an engine may be installed, or come, after the daemon.
pub(super) fn engine() -> Result<Docker, RunnerError> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    match host.as_str() {
        "" => by_socket(SOCKET),
        host if host.starts_with("tcp://") || host.starts_with("http://") => {
            Docker::connect_with_http(host, PATIENCE, &VERSION).map_err(words::tell)
        }
        host => by_socket(host.trim_start_matches("unix://")),
    }
}

/// Bollard's own transport wants the socket's file to be there already.
fn by_socket(path: &str) -> Result<Docker, RunnerError> {
    // An answer that is not read to its end leaves a connection that nobody can use again.
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(UnixConnector);
    let path = PathBuf::from(path);
    let send = move |mut request: BollardRequest| {
        let wanted = request.uri().path_and_query().map(ToString::to_string);
        let uri = hyperlocal::Uri::new(&path, wanted.as_deref().unwrap_or("/"));
        *request.uri_mut() = uri.into();
        let answer = client.request(request);
        async move { Ok(answer.await?) }
    };
    Docker::connect_with_custom_transport(send, Some("http://engine"), PATIENCE, &VERSION)
        .map_err(words::tell)
}
