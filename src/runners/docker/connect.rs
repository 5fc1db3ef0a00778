//! Where the engine is.

use std::path::{Path, PathBuf};

use bollard::{BollardRequest, ClientVersion, Docker};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;

use super::errors;
use crate::runners::RunnerError;

/// The oldest API that maps `host-gateway`: that of Docker 20.10.
const VERSION: ClientVersion = ClientVersion {
    major_version: 1,
    minor_version: 41,
};
/// How long the engine may take to answer, in seconds.
const TIMEOUT: u64 = 120;
/// The engine's usual socket.
const SOCKET: &str = "/var/run/docker.sock";

/// Where an engine is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Endpoint {
    Socket(PathBuf),
    Plain(String),
    /// The folder has `ca.pem`, `cert.pem` and `key.pem`.
    Tls(String, PathBuf),
}

impl Endpoint {
    /// By what `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` say, as other programs
    /// read them; a setting that is empty is none. With certificates the engine's is always
    /// verified.
    fn told(variable: impl Fn(&str) -> Option<String>) -> Result<Self, RunnerError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let host = variable("DOCKER_HOST").unwrap_or_else(|| format!("unix://{SOCKET}"));
        let certificates = variable("DOCKER_CERT_PATH").map(PathBuf::from);
        let is_verified = variable("DOCKER_TLS_VERIFY").is_some();
        if let Some(path) = host
            .strip_prefix("unix://")
            .or(host.strip_prefix('/').map(|_| &*host))
        {
            return Ok(Self::Socket(path.into()));
        }
        match host.split_once("://") {
            Some(("tcp" | "http", _)) if certificates.is_none() && !is_verified => {
                Ok(Self::Plain(host))
            }
            Some(("tcp" | "http" | "https", address)) => {
                let usual = || Some(PathBuf::from(variable("HOME")?).join(".docker"));
                let folder = certificates.or_else(usual).unwrap_or_default();
                Ok(Self::Tls(format!("tcp://{address}"), folder))
            }
            _ => Err(RunnerError::Refused(format!(
                "DOCKER_HOST is {host:?}; the engines that prefectd speaks to are at unix:// and \
                 tcp:// (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH for TLS)."
            ))),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The engine's address, for people.
pub(super) fn address() -> String {
    match Endpoint::told(variable) {
        Ok(Endpoint::Socket(path)) => format!("unix://{}", path.display()),
        Ok(Endpoint::Plain(address) | Endpoint::Tls(address, _)) => address,
        Err(_) => variable("DOCKER_HOST").unwrap_or_default(),
    }
}

/// The engine at `DOCKER_HOST`, or at the local socket. Nothing is sent yet, and nothing need
/// be there: an engine may be installed, or come, after the daemon.
pub(in crate::runners) fn engine() -> Result<Docker, RunnerError> {
    match Endpoint::told(variable)? {
        Endpoint::Socket(path) => by_socket(path),
        Endpoint::Plain(address) => {
            Docker::connect_with_http(&address, TIMEOUT, &VERSION).map_err(errors::classify)
        }
        Endpoint::Tls(address, folder) => by_tls(&address, &folder),
    }
}

fn by_tls(address: &str, folder: &Path) -> Result<Docker, RunnerError> {
    let file = |name: &str| {
        let path = folder.join(name);
        match std::fs::File::open(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(RunnerError::Refused(format!(
                "The engine at {address} needs {}: {error}. DOCKER_CERT_PATH names the folder of \
                 ca.pem, cert.pem and key.pem.",
                path.display()
            ))),
        }
    };
    let (key, cert, ca) = (file("key.pem")?, file("cert.pem")?, file("ca.pem")?);
    let made = Docker::connect_with_ssl(address, &key, &cert, &ca, TIMEOUT, &VERSION);
    made.map_err(|error| {
        let folder = folder.display();
        RunnerError::Refused(format!(
            "The certificates in {folder} cannot be used: {error}."
        ))
    })
}

/// Bollard's own transport wants the socket's file to be there already.
fn by_socket(path: PathBuf) -> Result<Docker, RunnerError> {
    // An answer that is not read to its end leaves a connection that nobody can use again.
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(UnixConnector);
    let send = move |mut request: BollardRequest| {
        let wanted = request.uri().path_and_query().map(ToString::to_string);
        let uri = hyperlocal::Uri::new(&path, wanted.as_deref().unwrap_or("/"));
        *request.uri_mut() = uri.into();
        let answer = client.request(request);
        async move { Ok(answer.await?) }
    };
    Docker::connect_with_custom_transport(send, Some("http://engine"), TIMEOUT, &VERSION)
        .map_err(errors::classify)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(host: &str, verify: &str, certificates: &str) -> Result<Endpoint, RunnerError> {
        Endpoint::told(|name| {
            let value = match name {
                "DOCKER_HOST" => host,
                "DOCKER_TLS_VERIFY" => verify,
                "DOCKER_CERT_PATH" => certificates,
                _ => "/home/me",
            };
            Some(value.to_owned())
        })
    }

    #[test]
    fn an_engine_is_found_as_other_programs_find_it() {
        let tls = |folder: &str| Endpoint::Tls("tcp://h:2376".to_owned(), folder.into());
        for (host, verify, certificates, place) in [
            ("", "", "", Endpoint::Socket(SOCKET.into())),
            ("", "1", "/c", Endpoint::Socket(SOCKET.into())),
            ("unix:///x.sock", "", "", Endpoint::Socket("/x.sock".into())),
            ("/x.sock", "", "", Endpoint::Socket("/x.sock".into())),
            (
                "tcp://h:2375",
                "",
                "",
                Endpoint::Plain("tcp://h:2375".to_owned()),
            ),
            ("tcp://h:2376", "1", "/c", tls("/c")),
            ("tcp://h:2376", "1", "", tls("/home/me/.docker")),
            ("tcp://h:2376", "", "/c", tls("/c")),
            ("https://h:2376", "", "", tls("/home/me/.docker")),
        ] {
            assert_eq!(
                told(host, verify, certificates),
                Ok(place),
                "{host} {verify}"
            );
        }
        for host in ["ssh://h", "npipe:////./pipe/x", "fd://", "h:2375", "x.sock"] {
            let refused = told(host, "", "").unwrap_err().to_string();
            assert!(
                refused.contains(host) && !refused.contains('\n'),
                "{refused}"
            );
        }
    }

    #[test]
    fn certificates_that_are_not_there_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = by_tls("tcp://h:2376", folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("key.pem") && refused.contains("DOCKER_CERT_PATH"),
            "{refused}"
        );
    }
}
