//! Addresses that nothing may be sent to where only the public network is allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Failure;

/// Ranges of this machine, of private networks and of none, as the reference's client has them:
/// an address, and how many of its bits count.
const PRIVATE_V4: [([u8; 4], u32); 13] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 29),
    ([192, 0, 0, 170], 31),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([240, 0, 0, 0], 4),
];
/// The same of IPv6. What leads to an address of IPv4 is looked at as that.
const PRIVATE_V6: [([u16; 8], u32); 8] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 127),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
];

/// Whether an address is of this machine, or of a private network.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match within(address) {
            Some(inner) => is_private_v4(inner),
            None => is_private_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    PRIVATE_V4.iter().any(|(range, bits)| {
        let differ = address.to_bits() ^ u32::from_be_bytes(*range);
        differ.leading_zeros() >= *bits
    })
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    PRIVATE_V6.iter().any(|(range, bits)| {
        let differ = address.to_bits() ^ Ipv6Addr::from(*range).to_bits();
        differ.leading_zeros() >= *bits
    })
}

/// The address of IPv4 that one of IPv6 leads to: mapped, by NAT64, or by 6to4.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = Ipv4Addr::from_bits(address.to_bits() as u32);
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(low),
        [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

/// The addresses of a name, all of which are public.
///
/// # Errors
/// Where one is not, or there are none.
pub(super) async fn public(host: &str) -> Result<Vec<SocketAddr>, Failure> {
    let unknown = || Failure {
        why: "the name is not known".to_owned(),
        is_temporary: true,
    };
    let found = tokio::net::lookup_host((host, 0)).await;
    let found: Vec<_> = found.map_err(|_| unknown())?.collect();
    match found.iter().find(|one| is_private(one.ip())) {
        Some(one) => Err(refusal(one.ip())),
        None if found.is_empty() => Err(unknown()),
        None => Ok(found),
    }
}

/// What is said of an address that is not public.
pub(super) fn refusal(address: IpAddr) -> Failure {
    Failure {
        why: format!("it resolves to the private address {address}"),
        is_temporary: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("169.254.169.254", true),
            ("192.168.1.1", true),
            ("192.0.0.9", false),
            ("192.0.0.171", true),
            ("0.0.0.0", true),
            ("255.255.255.255", true),
            ("100.64.0.1", false),
            ("8.8.8.8", false),
            ("::1", true),
            ("::", true),
            ("::2", false),
            ("fe80::1", true),
            ("fd00::1", true),
            ("2001:db8::1", true),
            ("2606:4700::1111", false),
            ("::ffff:127.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::a00:1", true),
            ("2002:7f00:1::", true),
        ] {
            let parsed = address.parse().unwrap();
            assert_eq!(is_private(parsed), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_public() {
        let refused = public("localhost").await.unwrap_err();
        assert!(refused.why.contains("private address"), "{refused:?}");
        assert!(!refused.is_temporary);
    }
}
