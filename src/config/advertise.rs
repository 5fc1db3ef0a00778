//! `server.advertise`: where other hosts reach the API.

use std::net::IpAddr;

use super::ConfigError;

/// A host and, where it is not that of `server.listen`, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// An address, or a name, without brackets.
    pub host: String,
    /// The port; absent: the API's own.
    pub port: Option<u16>,
}

impl Advertised {
    /// The host as an address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// The API's address there, where it is at `port` unless another was said, such as
    /// `http://flows-01:4200/api/`.
    pub fn api_url(&self, port: u16) -> String {
        let port = self.port.unwrap_or(port);
        match self.address() {
            Some(IpAddr::V6(address)) => format!("http://[{address}]:{port}/api/"),
            _ => format!("http://{}:{port}/api/", self.host),
        }
    }
}

/// Reads `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
pub(super) fn advertised(given: Option<String>) -> Result<Option<Advertised>, ConfigError> {
    let Some(text) = given else {
        return Ok(None);
    };
    let read = parted(text.trim()).filter(|read| is_host(&read.host));
    read.map(Some).ok_or_else(|| {
        ConfigError(format!(
            "server.advertise: {text:?} should be the name or the address by which other hosts reach \
             this one, with or without a port, such as flows-01:4200 or 10.0.0.5"
        ))
    })
}

fn parted(text: &str) -> Option<Advertised> {
    let of = |host: &str, port: Option<u16>| Advertised {
        host: host.to_ascii_lowercase(),
        port,
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some(of(host, Some(port.parse().ok()?))),
            None => rest.is_empty().then(|| of(host, None)),
        };
    }
    match text.split_once(':') {
        // Several colons: an address without brackets, which has no port.
        Some((_, rest)) if rest.contains(':') => Some(of(text, None)),
        Some((host, port)) => Some(of(host, Some(port.parse().ok().filter(|port| *port > 0)?))),
        None => Some(of(text, None)),
    }
}

/// Whether it can be somebody's: an address that is no place for others to call is none.
fn is_host(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => !address.is_unspecified(),
        Err(_) => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, url) in [
            ("10.0.0.5", "http://10.0.0.5:1/api/"),
            (" Flows-01:4201 ", "http://flows-01:4201/api/"),
            ("flows.example.com", "http://flows.example.com:1/api/"),
            ("[::1]:4201", "http://[::1]:4201/api/"),
            ("fd00::1", "http://[fd00::1]:1/api/"),
        ] {
            let read = advertised(Some(text.to_owned())).unwrap().unwrap();
            assert_eq!(read.api_url(1), url, "{text}");
        }
        for text in [
            "", ":4200", "a:", "a:x", "a:0", "0.0.0.0", "[::]:1", "http://a", "a/b", "[::1]x",
        ] {
            let refused = advertised(Some(text.to_owned())).unwrap_err();
            assert!(refused.0.contains("server.advertise"), "{text}");
        }
        assert_eq!(advertised(None).unwrap(), None);
    }
}
