//! Ports that are opened on the host: an address, and a port or a range.

use std::net::{IpAddr, Ipv4Addr};

use super::PatternError;

/// A port of the host, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address that may be bound. An unspecified one (`0.0.0.0`) covers every address.
    pub address: IpAddr,
    /// The first port. 0 stands for a port that the system picks.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl Port {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        Self::read(text).ok_or_else(|| {
            let help = "write `8080`, `127.0.0.1:8080`, `0.0.0.0:80`, or a range like `9000-9010`; 0 is a port that the system picks";
            PatternError::new("is not a port of the host", help)
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (address, ports) = match text.rsplit_once(':') {
            None => (IpAddr::V4(Ipv4Addr::LOCALHOST), text),
            Some((host, ports)) => {
                let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
                let address = match bare {
                    Some(v6) => IpAddr::V6(v6.parse().ok()?),
                    None => IpAddr::V4(host.parse().ok()?),
                };
                (address, ports)
            }
        };
        let (first, last) = match ports.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(ports)?, number(ports)?),
        };
        (first <= last).then_some(Self { address, first, last })
    }

    pub(super) fn matches(&self, resource: &str) -> bool {
        let Some(wanted) = Self::read(resource) else { return false };
        // To listen on one address is less than to listen on all of its family; an IPv6 wildcard takes IPv4, too.
        let covered = self.address == wanted.address
            || (self.address.is_unspecified() && (self.address.is_ipv6() || wanted.address.is_ipv4()));
        covered && self.first <= wanted.first && wanted.last <= self.last && (wanted.first != 0 || self.first == 0)
    }
}

/// Digits only: `u16::from_str` would take a plus sign.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::Port;

    fn covers(port: &str, resource: &str) -> bool {
        Port::parse(port).unwrap().matches(resource)
    }

    #[test]
    fn the_default_address_is_the_loopback() {
        assert!(covers("8080", "127.0.0.1:8080"));
        assert!(covers("127.0.0.1:8080", "8080"));
        assert!(!covers("8080", "0.0.0.0:8080"));
        assert!(!covers("8080", "127.0.0.1:8081"));
    }

    #[test]
    fn ranges_and_wildcards() {
        assert!(covers("9000-9010", "9005"));
        assert!(covers("9000-9010", "9001-9010"));
        assert!(!covers("9000-9010", "9001-9011"));
        assert!(covers("0.0.0.0:80", "127.0.0.1:80"));
        assert!(!covers("0.0.0.0:80", "[::]:80"));
        assert!(covers("[::]:80", "0.0.0.0:80"));
        assert!(covers("0", "127.0.0.1:0"));
        assert!(!covers("1-9000", "0"));
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for bad in ["http", "+80", "70000", "10-9", "localhost:80", "1.2.3.4.5:80", "::1:80", "8080:80x", ""] {
            assert!(Port::parse(bad).is_err(), "{bad}");
        }
    }
}
