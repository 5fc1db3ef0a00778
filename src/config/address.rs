//! TCP addresses as people write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;
use serde::de::Error;

/// Where to listen: `127.0.0.1:4200`, `[::1]:4200`, `localhost:4200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(pub SocketAddr);

/// Reads one. `localhost` is 127.0.0.1; other names would depend on who answers for them.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    if let Ok(found) = text.parse() {
        return Ok(found);
    }
    let named = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok()?;
        let host = host.eq_ignore_ascii_case("localhost");
        host.then_some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    });
    let expected = "expected ADDRESS:PORT, such as 127.0.0.1:4200 or localhost:4200";
    named.ok_or_else(|| format!("{text:?} is no address to listen on; {expected}"))
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        address(&text).map(Address).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, found) in [
            ("127.0.0.1:4200", "127.0.0.1:4200"),
            (" 10.0.0.1:0 ", "10.0.0.1:0"),
            ("localhost:4200", "127.0.0.1:4200"),
            ("LocalHost:1", "127.0.0.1:1"),
            ("[::1]:4200", "[::1]:4200"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), found, "{text}");
        }
        for text in [
            "",
            "here",
            "4200",
            ":4200",
            "localhost",
            "localhost:",
            "localhost:70000",
            "::1:x",
            "example.org:80",
            "http://127.0.0.1:4200",
        ] {
            assert!(
                address(text).unwrap_err().contains("ADDRESS:PORT"),
                "{text}"
            );
        }
    }
}
