//! What is answered to what, and how the service fails when it is told to.

use crate::http::Answer;
use crate::settings::Settings;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How late `/slow` is.
const SLOW: Duration = Duration::from_secs(1);

/// The length of a body and its hash (FNV-1a): whoever sent it knows both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Digest {
    length: u64,
    hash: u64,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Self { length: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        for byte in piece {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Answers requests.
pub(crate) struct Answers {
    settings: Settings,
    requests: AtomicU64,
    first: OnceLock<Instant>,
}

impl Answers {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, requests: AtomicU64::new(0), first: OnceLock::new() }
    }

    pub(crate) fn revision(&self) -> &str {
        &self.settings.version
    }

    /// The answer, after the time that it takes.
    pub(crate) fn answer(&self, method: &str, path: &str, body: Digest) -> Answer {
        if path == "/health" {
            let status = if self.settings.unhealthy { "503 Service Unavailable" } else { "200 OK" };
            return Answer { status, body: String::new() };
        }
        if let Some(bad) = self.fails() {
            return bad;
        }
        if path == "/slow" {
            std::thread::sleep(SLOW);
        }
        let (status, body) = match (method, path) {
            ("GET", "/" | "/slow") => ("200 OK", format!("{}\n", self.settings.version)),
            ("POST", "/echo") => ("200 OK", format!("{} {:016x}\n", body.length, body.hash)),
            _ => ("404 Not Found", format!("there is no {method} {path}\n")),
        };
        Answer { status, body }
    }

    /// Waits as told, and says whether this request is one that fails.
    pub(crate) fn fails(&self) -> Option<Answer> {
        let since = self.first.get_or_init(Instant::now).elapsed();
        std::thread::sleep(self.settings.delay);
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let late = self.settings.fail_after.is_some_and(|after| since >= after);
        let bad = late || is_one_of(number, self.settings.fail_percent);
        bad.then(|| Answer { status: "500 Internal Server Error", body: "told to fail\n".to_owned() })
    }
}

/// Spreads so many in a hundred evenly: the same requests every time.
fn is_one_of(number: u64, percent: u64) -> bool {
    (number + 1) * percent / 100 > number * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(variables: &[(&str, &str)]) -> Answers {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Answers::new(Settings::read(variable).unwrap())
    }

    #[test]
    fn failures_are_spread_evenly() {
        let bad = answers(&[("FAIL_PERCENT", "10"), ("VERSION", "bad")]);
        let failed: Vec<usize> =
            (0..100).filter(|_| bad.answer("GET", "/", Digest::new()).status.starts_with("500")).collect();
        assert_eq!((failed.len(), failed[0], failed[1]), (10, 9, 19));
        assert!(bad.answer("GET", "/health", Digest::new()).status.starts_with("200"));
    }

    #[test]
    fn it_turns_bad_and_its_health_does_not() {
        let bad = answers(&[("FAIL_AFTER_S", "0")]);
        assert!(bad.answer("GET", "/health", Digest::new()).status.starts_with("200"));
        assert!(bad.answer("GET", "/", Digest::new()).status.starts_with("500"));
        let ill = answers(&[("UNHEALTHY", "1")]);
        assert!(ill.answer("GET", "/health", Digest::new()).status.starts_with("503"));
        assert!(ill.answer("GET", "/", Digest::new()).status.starts_with("200"));
    }

    #[test]
    fn an_echo_is_a_length_and_a_hash() {
        let mut digest = Digest::new();
        digest.update(b"a");
        assert_eq!(answers(&[]).answer("POST", "/echo", digest).body, "1 af63dc4c8601ec8c\n");
        assert!(answers(&[]).answer("POST", "/", digest).status.starts_with("404"));
    }
}
