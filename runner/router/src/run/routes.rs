//! Which service a request is for: the host first, then the longest path.

use super::Service;
use crate::table::prefix;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// All routes, ready for look-up.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    hosts: HashMap<String, Vec<Entry>>,
    any: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    prefix: String,
    listeners: Vec<SocketAddr>,
    target: Target,
}

/// Where a route leads.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) service: Arc<Service>,
    /// A preview.
    pub(crate) revision: Option<String>,
}

impl Routes {
    pub(crate) fn new(services: &BTreeMap<String, Arc<Service>>) -> Self {
        let mut routes = Self::default();
        for service in services.values() {
            for route in &service.declared.routes {
                let target = Target { service: Arc::clone(service), revision: route.revision.clone() };
                let entry =
                    Entry { prefix: prefix(&route.path).to_owned(), listeners: route.listeners.clone(), target };
                match &route.host {
                    Some(host) => routes.hosts.entry(host.to_ascii_lowercase()).or_default().push(entry),
                    None => routes.any.push(entry),
                }
            }
        }
        for entries in routes.hosts.values_mut().chain([&mut routes.any]) {
            // The longest first; one that names its listeners before one that takes all.
            entries.sort_by_key(|e| (std::cmp::Reverse(e.prefix.len()), e.listeners.is_empty()));
        }
        routes
    }

    /// `host` may have a port, and letters of any case.
    pub(crate) fn find(&self, listener: SocketAddr, host: &str, path: &str) -> Option<&Target> {
        let host = bare_host(host);
        let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        let named = self.hosts.get(host.as_ref());
        let mut entries = named.into_iter().flatten().chain(&self.any);
        entries.find(|e| e.matches(listener, path)).map(|e| &e.target)
    }
}

impl Entry {
    fn matches(&self, listener: SocketAddr, path: &str) -> bool {
        let rest = path.strip_prefix(self.prefix.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.prefix.is_empty())
            && (self.listeners.is_empty() || self.listeners.contains(&listener))
    }
}

/// The host without its port.
pub(crate) fn bare_host(host: &str) -> &str {
    let after = host.rfind(']').map_or(0, |at| at + 1);
    match host[after..].find(':') {
        // More than one colon without brackets: an address of IPv6 without a port.
        Some(at) if after > 0 || !host[at + 1..].contains(':') => &host[..after + at],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::bare_host;

    #[test]
    fn ports_go_and_hosts_stay() {
        for (host, bare) in [
            ("a.example:80", "a.example"),
            ("a.example", "a.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(bare_host(host), bare);
        }
    }
}
