//! What HAProxy says of itself: `show info`, `show stat`, `show servers state`.

use super::socket::{Socket, refused};
use crate::ClientError;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Dynamic servers without an experimental mode.
const OLDEST: (u32, u32) = (2, 6);
const PREFIX: &str = "wl:";

/// One HAProxy process, at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) pid: u32,
    pub(super) version: String,
    pub(super) up_ms: u64,
    pub(super) backends: BTreeMap<String, Backend>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Backend {
    pub(super) algorithm: String,
    pub(super) mode: String,
    /// Requests that found no server to go to, and those that failed at each of them.
    pub(super) not_connected: u64,
    pub(super) servers: BTreeMap<String, Server>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) address: Option<SocketAddr>,
    pub(super) weight: u32,
    pub(super) backup: bool,
    pub(super) maintenance: bool,
    pub(super) draining: bool,
    /// `UP`, `UP 1/3`, `DOWN`, `no check`, ...
    pub(super) status: String,
    /// `L4OK`, `L7STS`, ...; empty without a check.
    pub(super) check: String,
    pub(super) in_flight: u64,
    pub(super) raw: Raw,
}

/// HAProxy's counters of a server; they begin at 0 with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) classes: [u64; 5],
    pub(super) other: u64,
    /// Requests that failed to connect in the end, and attempts before that.
    pub(super) not_connected: u64,
    pub(super) retries: u64,
    /// Answers that broke or did not come.
    pub(super) broken: u64,
    /// Those of them that had begun, and so are in a class.
    pub(super) broken_later: u64,
    pub(super) client_aborts: u64,
    /// Requests that came to nothing, and that none of the above tells: when a connection that was kept
    /// breaks, HAProxy closes the client's, and counts nothing but that there was a request.
    pub(super) lost: u64,
}

/// A server of ours: `wl:REVISION:CONTAINER`. Neither has a colon in its name.
pub(super) fn name(revision: &str, container: &str) -> String {
    format!("{PREFIX}{revision}:{container}")
}

/// The revision and the container in a server's name; none: it is somebody else's.
pub(super) fn parts(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PREFIX)?.split_once(':')
}

impl Raw {
    /// Requests of which something is known. An upgrade is in the first class; so is what goes before an
    /// answer, which is rare.
    fn told(&self) -> u64 {
        let answered = self.classes.iter().sum::<u64>() + self.other;
        answered + self.not_connected + self.broken.saturating_sub(self.broken_later)
    }
}

impl Server {
    /// It takes new requests when it has weight.
    pub(super) fn takes(&self) -> bool {
        !self.maintenance && !self.draining && !self.status.starts_with("DOWN") && !self.status.starts_with("NOLB")
    }

    /// Why its check does not say that it is well. `path`: the check asks over HTTP.
    pub(super) fn why_down(&self, path: bool) -> Option<&'static str> {
        // While one runs, the one before counts.
        match self.check.trim_start_matches("* ") {
            // Added before anybody asked for a check: the caller's word is taken.
            "" if self.status == "no check" => None,
            "" | "UNK" | "INI" => Some("HAProxy has not checked it yet"),
            _ if !self.status.starts_with("UP") => Some("HAProxy's check fails"),
            "L4OK" if path => Some(
                "HAProxy checks only its port, and a path is to be checked: the backend needs `option httpchk GET PATH`",
            ),
            _ => None,
        }
    }
}

impl Backend {
    /// Servers that Windlass did not make and that take requests: what they take is in no revision's share.
    pub(super) fn strangers(&self) -> impl Iterator<Item = &str> {
        let serves = |s: &Server| !s.backup && s.weight > 0 && s.takes();
        self.servers.iter().filter(move |(name, s)| parts(name).is_none() && serves(s)).map(|(name, _)| name.as_str())
    }
}

impl Seen {
    pub(super) async fn ask(socket: &Socket) -> Result<Self, ClientError> {
        let answer = socket.ask("show info;show stat -1 6 -1;show servers state").await?;
        Self::read(&answer).map_err(|why| refused("show info;show stat -1 6 -1;show servers state", &why))
    }

    pub(super) fn backend(&self, name: &str) -> Option<&Backend> {
        self.backends.get(name)
    }

    fn read(answer: &str) -> Result<Self, String> {
        let mut seen = Self::default();
        let mut lines = answer.lines();
        let mut header: Vec<String> = Vec::new();
        for line in lines.by_ref() {
            if let Some(names) = line.strip_prefix("# ") {
                header = names.split(',').map(str::to_owned).collect();
                break;
            }
            match line.split_once(": ") {
                Some(("Pid", pid)) => seen.pid = pid.parse().unwrap_or(0),
                Some(("Version", version)) => version.clone_into(&mut seen.version),
                Some(("Uptime_sec", s)) => seen.up_ms = s.parse::<u64>().unwrap_or(0).saturating_mul(1_000),
                _ => {}
            }
        }
        let at = |name: &str| header.iter().position(|h| h == name).ok_or_else(|| format!("there is no {name}"));
        let (proxy, label, kind) = (at("pxname")?, at("svname")?, at("type")?);
        if seen.number() < OLDEST {
            return Err(format!("it is version {:?}, and servers are added from 2.6 on", seen.version));
        }
        for line in lines.by_ref() {
            let fields = fields(line);
            // Empty: the next answer begins.
            let Some(name) = fields.get(proxy).filter(|n| !n.is_empty()) else { break };
            let get = |column: &str| at(column).ok().and_then(|at| fields.get(at)).map_or("", String::as_str);
            let count = |column: &str| get(column).parse::<u64>().unwrap_or(0);
            let backend = seen.backends.entry(name.clone()).or_default();
            if fields.get(kind).is_some_and(|k| k == "1") {
                get("algo").clone_into(&mut backend.algorithm);
                get("mode").clone_into(&mut backend.mode);
                backend.not_connected = count("econ");
                continue;
            }
            let mut server = Server {
                address: get("addr").parse().ok(),
                backup: get("bck") == "1",
                status: get("status").to_owned(),
                check: get("check_status").to_owned(),
                in_flight: count("scur") + count("qcur"),
                raw: Raw {
                    classes: ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx"].map(count),
                    other: count("hrsp_other"),
                    not_connected: count("econ"),
                    retries: count("wretr"),
                    broken: count("eresp"),
                    broken_later: count("srv_abrt"),
                    client_aborts: count("cli_abrt"),
                    lost: 0,
                },
                ..Server::default()
            };
            // What is under way may be answered already: so this is the least, and right when all is quiet.
            let begun = count("stot").saturating_sub(server.raw.retries + count("wredis") + server.in_flight);
            server.raw.lost = begun.saturating_sub(server.raw.told());
            backend.servers.insert(fields.get(label).cloned().unwrap_or_default(), server);
        }
        seen.states(lines);
        Ok(seen)
    }

    /// What only `show servers state` tells: weights and who switched a server off, whatever its check says.
    fn states<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let mut header: Vec<&str> = Vec::new();
        for line in lines {
            if let Some(names) = line.strip_prefix("# ") {
                header = names.split(' ').collect();
                continue;
            }
            let fields: Vec<&str> = line.split(' ').collect();
            let get = |column: &str| {
                header.iter().position(|h| *h == column).and_then(|at| fields.get(at)).copied().unwrap_or("")
            };
            let backend = self.backends.get_mut(get("be_name"));
            let Some(server) = backend.and_then(|b| b.servers.get_mut(get("srv_name"))) else { continue };
            // Forced, inherited or by the configuration; the same for draining.
            let admin: u32 = get("srv_admin_state").parse().unwrap_or(0);
            (server.maintenance, server.draining) = (admin & 0x23 != 0, admin & 0x18 != 0);
            server.weight = get("srv_uweight").parse().unwrap_or(0);
            let ip: Result<IpAddr, _> = get("srv_addr").parse();
            if let (Ok(ip), Ok(port)) = (ip, get("srv_port").parse()) {
                server.address = Some(SocketAddr::new(ip, port));
            }
        }
    }

    fn number(&self) -> (u32, u32) {
        let mut parts = self.version.split(['.', '-']).map(|p| p.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }
}

/// One line of CSV: a field with a comma or a quote in it stands in quotes, and quotes in it are doubled.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    fields.push(field);
    fields
}
