//! Where the daemon is, and how to get in.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::args::Args;
use crate::cli::failure::{Failure, Result};
use crate::config::{credential, read_private, usual_socket};
use crate::domain::access::Secret;

/// Where the daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On this machine.
    Socket(PathBuf),
    /// At a URL, without the final slash and without `/api`.
    Url(String),
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
            return Self::url(url);
        }
        if let Some(path) = &args.socket {
            return Ok(Self::Socket(path.clone()));
        }
        if let Some(path) = variable("PREFECTD_SOCKET") {
            return Ok(Self::Socket(path.into()));
        }
        let url = variable("PREFECT_API_URL").or_else(|| variable("PREFECT_ORION_HOST"));
        match url {
            Some(url) => Self::url(&url),
            None => Ok(Self::Socket(usual_socket())),
        }
    }

    /// At a URL, however it is written: `http://` and `/api` may be left out.
    pub fn url(url: &str) -> Result<Self> {
        let (scheme, place) = url.split_once("://").unwrap_or(("http", url));
        if scheme == "https" {
            return Err(Failure::usage(format!(
                "{url:?}: prefectd speaks http; what makes https of it must be spoken to by \
                 another program, or by an ssh tunnel"
            )));
        }
        let place = place.trim_end_matches('/');
        let place = place.strip_suffix("/api").unwrap_or(place);
        let whole = format!("{scheme}://{place}");
        let read: Option<hyper::Uri> = whole.parse().ok();
        let is_place = |uri: &hyper::Uri| {
            uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty())
        };
        if !read.is_some_and(|uri| is_place(&uri)) {
            let line = format!("{url:?} is not a URL such as http://127.0.0.1:4200/api");
            return Err(Failure::usage(line));
        }
        Ok(Self::Url(whole))
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Target::Socket(path) => path.display().to_string(),
            Target::Url(url) => url.clone(),
        }
    }

    /// Why nobody answers there, and what to do about it.
    pub(super) fn silence(&self, kind: Option<ErrorKind>, cause: &str) -> String {
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
            "h:1",
            "h:1/api",
        ] {
            let place = Target::Url("http://h:1".to_owned());
            assert_eq!(Target::url(url).unwrap(), place, "{url}");
        }
        let local = Target::url("localhost:4200").unwrap();
        assert_eq!(local, Target::Url("http://localhost:4200".to_owned()));
        for bad in ["https://h:1", "ftp://h:1", "", "http://", "h h"] {
            assert!(Target::url(bad).unwrap_err().is_usage(), "{bad}");
        }
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
