//! Where other hosts reach the API.
//!
//! A run on another host must not lose its API while the daemon is started again, so the relay
//! serves it, as it serves containers on Docker's bridge: whoever calls there is let in by a run's
//! key, or by the operator's. An address that a listener of the operator's covers is left to that.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::relay::Relay;
use crate::config::Advertised;

/// How long to wait before looking again for a name or an address that was not there.
const RETRY: Duration = Duration::from_secs(5);

/// What is to be served.
pub(super) struct Wanted {
    /// Where others reach it.
    pub advertised: Advertised,
    /// Where it is.
    pub api: SocketAddr,
    /// Where the operator has it listen.
    pub listen: Vec<SocketAddr>,
}

/// Has the relay listen where others call, as soon as that is an address of this machine.
pub(super) async fn keep(wanted: Wanted, relay: Relay, stop: CancellationToken) {
    let mut told = String::new();
    loop {
        match own_addresses(&wanted).await {
            Ok(own) => {
                for address in own {
                    match wanted.is_served(address) {
                        true => tracing::warn!(
                            "runs on other hosts call at {address}, which server.listen covers: they \
                             do not outlive a restart of the daemon. Let it listen elsewhere only"
                        ),
                        false => relay.listen_elsewhere(address),
                    }
                }
                return;
            }
            // The same trouble is told once.
            Err(error) if error != told => {
                tracing::info!("server.advertise: {error}");
                told = error;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

impl Wanted {
    fn port(&self) -> u16 {
        self.advertised.port.unwrap_or(self.api.port())
    }

    /// Whether a listener of the operator's has the address.
    fn is_served(&self, address: SocketAddr) -> bool {
        let listen = self.listen.iter().map(|one| match one.port() {
            0 => SocketAddr::new(one.ip(), self.api.port()),
            _ => *one,
        });
        let mut all = listen.chain([self.api]);
        all.any(|one| {
            let is_same = one.ip() == address.ip() || one.ip().is_unspecified();
            is_same && one.port() == address.port()
        })
    }
}

/// Those of the advertised addresses that are this machine's. None at all is fine: somebody else may
/// hand on what is asked there.
async fn own_addresses(wanted: &Wanted) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = (wanted.advertised.host.as_str(), wanted.port());
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| format!("{host} is not known: {error}"))?;
    let own = interfaces()?;
    Ok(found.filter(|one| own.contains(&one.ip())).collect())
}

fn interfaces() -> Result<Vec<IpAddr>, String> {
    let all = nix::ifaddrs::getifaddrs().map_err(|error| error.to_string())?;
    let address = |one: nix::ifaddrs::InterfaceAddress| {
        let address = one.address?;
        let v4 = address.as_sockaddr_in().map(|it| it.ip().into());
        v4.or_else(|| address.as_sockaddr_in6().map(|it| it.ip().into()))
    };
    Ok(all.filter_map(address).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_listens_at_is_not_taken_from_there() {
        let wanted = |listen: &str| Wanted {
            advertised: Advertised {
                host: "10.0.0.5".to_owned(),
                port: None,
            },
            api: listen.parse().unwrap(),
            listen: vec![listen.parse().unwrap()],
        };
        let address = "10.0.0.5:4200".parse().unwrap();
        for (listen, is_served) in [
            ("127.0.0.1:4200", false),
            ("0.0.0.0:4200", true),
            ("0.0.0.0:4201", false),
            ("10.0.0.5:4200", true),
        ] {
            assert_eq!(wanted(listen).is_served(address), is_served, "{listen}");
        }
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_somebody_else_s() {
        let mut wanted = Wanted {
            advertised: Advertised {
                host: "192.0.2.1".to_owned(),
                port: Some(1),
            },
            api: "127.0.0.1:4200".parse().unwrap(),
            listen: Vec::new(),
        };
        assert_eq!(own_addresses(&wanted).await, Ok(Vec::new()));
        wanted.advertised.host = "127.0.0.1".to_owned();
        let own = own_addresses(&wanted).await.unwrap();
        assert_eq!(own, ["127.0.0.1:1".parse().unwrap()]);
    }
}
