//! What the service answers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::http::{Answer, Request};

/// The version that was built.
pub(crate) const VERSION: &str = env!("STOREFRONT_VERSION");

const GOODS: &[(&str, &str)] = &[("Anchor", "120.00"), ("Compass", "49.50"), ("Rope, 30 m", "18.90")];

/// The answer to a request. A service that is told to end says so, and gets no new traffic.
pub(crate) fn answer(request: &Request, ending: bool) -> Answer {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return text("405 Method Not Allowed", "only GET and HEAD\n".to_owned());
    }
    match request.path.as_str() {
        "/" if is_faulty() => text("500 Internal Server Error", "the shop is broken\n".to_owned()),
        "/" => Answer { status: "200 OK", content_type: "text/html; charset=utf-8", body: shop() },
        "/health" if ending => text("503 Service Unavailable", "ending\n".to_owned()),
        "/health" => text("200 OK", "healthy\n".to_owned()),
        "/version" => text("200 OK", format!("storefront {VERSION}\n")),
        _ => text("404 Not Found", "no such page\n".to_owned()),
    }
}

/// For trying out deliveries: with `STOREFRONT_FAULTS=10`, every tenth request for the page fails.
fn is_faulty() -> bool {
    static EVERY: OnceLock<u32> = OnceLock::new();
    static REQUESTS: AtomicU32 = AtomicU32::new(1);
    let every = *EVERY.get_or_init(|| {
        std::env::var("STOREFRONT_FAULTS").ok().and_then(|number| number.parse().ok()).unwrap_or_default()
    });
    every > 0 && REQUESTS.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
}

fn text(status: &'static str, body: String) -> Answer {
    Answer { status, content_type: "text/plain; charset=utf-8", body }
}

fn shop() -> String {
    let rows: String = GOODS.iter().map(|(name, price)| format!("<tr><td>{name}</td><td>{price}</td></tr>")).collect();
    format!(
        "<!doctype html><html lang=\"en\"><title>Storefront</title><h1>Storefront</h1><table>{rows}</table><p>Version {VERSION}</p></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, path: &str, ending: bool) -> &'static str {
        answer(&Request { method: method.to_owned(), path: path.to_owned(), keep_alive: true }, ending).status
    }

    #[test]
    fn pages() {
        assert_eq!(status("GET", "/", false), "200 OK");
        assert_eq!(status("HEAD", "/health", false), "200 OK");
        assert_eq!(status("GET", "/health", true), "503 Service Unavailable");
        assert_eq!(status("GET", "/elsewhere", false), "404 Not Found");
        assert_eq!(status("POST", "/", false), "405 Method Not Allowed");
    }

    #[test]
    fn the_version_is_told() {
        let request = Request { method: "GET".to_owned(), path: "/version".to_owned(), keep_alive: true };
        assert!(answer(&request, false).body.contains(VERSION));
    }
}
