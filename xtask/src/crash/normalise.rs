//! What may differ between two runs that ended alike: ids, addresses, times.

use serde_json::Value as Json;

/// Values of outputs that are observed, and differ from one moment to the next.
const OBSERVED: [&str; 19] = [
    "cpu-time-us",
    "created",
    "finished",
    "from-ms",
    "generation",
    "health",
    "memory",
    "now-ms",
    "processes",
    "random",
    "received",
    "seed",
    "sent",
    "since-ms",
    "slept",
    "started",
    "to-ms",
    "wall",
    "took",
];

/// What of this run and this trial stands in texts.
pub(super) struct Own<'a> {
    pub(super) name: &'a str,
    pub(super) run: &'a str,
    pub(super) workspace: &'a str,
}

impl Own<'_> {
    /// JSON without what may differ.
    pub(super) fn json(&self, value: &Json) -> String {
        let mut value = value.clone();
        mask(&mut value);
        self.text(&value.to_string())
    }

    /// A text without what may differ.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.replace(self.workspace, "@WORKSPACE@");
        for (own, word) in [(self.run, "@RUN@"), (self.name, "@NAME@")] {
            if !own.is_empty() {
                text = text.replace(own, word);
            }
        }
        addresses(&ids(&text))
    }
}

fn mask(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(mask),
        Json::Object(entries) => {
            for (key, value) in entries {
                if OBSERVED.contains(&key.as_str()) && !value.is_null() {
                    *value = Json::from("@OBSERVED@");
                } else {
                    mask(value);
                }
            }
        }
        _ => {}
    }
}

/// Splits a text into stretches of characters that belong together and those between.
fn stretches(text: &str, belongs: fn(char) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside = belongs(first);
        let end = rest.find(|c| belongs(c) != inside).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

/// Ids of containers; the digest of an image tells what is in it and stays.
fn ids(text: &str) -> String {
    let mut all = String::new();
    for part in stretches(text, |c| c.is_ascii_hexdigit()) {
        let is_id = part.len() == 64 && part.chars().all(|c| c.is_ascii_hexdigit()) && !all.ends_with("sha256:");
        all.push_str(if is_id { "@ID@" } else { part });
    }
    all
}

fn addresses(text: &str) -> String {
    let mut all = String::new();
    for part in stretches(text, |c| c.is_ascii_digit() || c == '.' || c == ':') {
        let bare = part.trim_end_matches(['.', ':']);
        let (ip, port) = bare.split_once(':').unwrap_or((bare, ""));
        if ip.parse::<std::net::Ipv4Addr>().is_ok() && (port.is_empty() || port.parse::<u16>().is_ok()) {
            all.push_str("@ADDRESS@");
            all.push_str(&part[bare.len()..]);
        } else {
            all.push_str(part);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own<'static> = Own { name: "crash-x-7", run: "zfn5rdz757", workspace: "/w/crash-x-7" };

    #[test]
    fn what_is_the_same_stays() {
        let id = "7e025e524298b941bdaacc8f79f915e87b94e8d0b6ed8b7bd31f327494cd2d02";
        let text =
            format!("sha256:{id} {id} HTTP 200 from http://172.21.0.2:8080/health, at 127.0.0.1. v1.2.3, 7.9 MB");
        assert_eq!(
            OWN.text(&text),
            format!("sha256:{id} @ID@ HTTP 200 from http://@ADDRESS@/health, at @ADDRESS@. v1.2.3, 7.9 MB")
        );
        assert_eq!(OWN.text("zfn5rdz757 crash-x-7/a in /w/crash-x-7/out"), "@RUN@ @NAME@/a in @WORKSPACE@/out");
    }

    #[test]
    fn what_is_observed_is_not_compared() {
        let value = serde_json::json!({ "a": [{ "started": "now", "code": 3 }], "created": null });
        assert_eq!(OWN.json(&value), r#"{"a":[{"code":3,"started":"@OBSERVED@"}],"created":null}"#);
    }
}
