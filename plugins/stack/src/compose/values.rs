//! Values of a compose file: texts, lists, lists that may be mappings, sizes, durations.

use windlass_plugin::Value;
use windlass_plugin::with::Duration;

use super::problems::Problems;
use crate::yaml::{Key, Node, Yaml};

/// Where one reads, and what is wrong there.
pub(super) struct Reader<'p> {
    pub(super) problems: &'p mut Problems,
}

impl Reader<'_> {
    pub(super) fn wrong<T>(&mut self, node: &Node, place: &str, what: impl std::fmt::Display) -> Option<T> {
        self.problems.add(node.line, place, what);
        None
    }

    fn unlike<T>(&mut self, node: &Node, place: &str, wanted: &str) -> Option<T> {
        match &node.value {
            Yaml::Secret(name) => self.wrong(
                node,
                place,
                format_args!("the secret `{name}` can only be the value of an environment variable"),
            ),
            value => self.wrong(node, place, format_args!("this is {}, but has to be {wanted}", value.kind())),
        }
    }

    /// A text.
    pub(super) fn text(&mut self, node: &Node, place: &str) -> Option<String> {
        match &node.value {
            Yaml::Text(text) => Some(text.clone()),
            _ => self.unlike(node, place, "a text"),
        }
    }

    /// A text that `read` understands.
    pub(super) fn read<T>(
        &mut self,
        node: &Node,
        place: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(node, place)?;
        match read(&text) {
            Some(value) => Some(value),
            None => self.wrong(node, place, format_args!("`{text}` is not {wanted}")),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, node: &Node, place: &str) -> Option<bool> {
        self.read(node, place, "`true` or `false`", |text| text.to_ascii_lowercase().parse().ok())
    }

    /// A length of time in milliseconds.
    pub(super) fn millis(&mut self, node: &Node, place: &str) -> Option<u64> {
        self.read(node, place, "a length of time like `10s` or `1m30s`", |text| {
            Duration::parse(text).map(Duration::millis)
        })
    }

    /// A mapping. Nothing is an empty one.
    pub(super) fn map<'n>(&mut self, node: &'n Node, place: &str) -> Option<&'n [(Key, Node)]> {
        match &node.value {
            Yaml::Map(map) => Some(map),
            Yaml::Null => Some(&[]),
            _ => self.unlike(node, place, "a mapping"),
        }
    }

    /// A list. Nothing is an empty one.
    pub(super) fn list<'n>(&mut self, node: &'n Node, place: &str) -> Option<&'n [Node]> {
        match &node.value {
            Yaml::List(list) => Some(list),
            Yaml::Null => Some(&[]),
            _ => self.unlike(node, place, "a list"),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, node: &Node, place: &str) -> Option<Vec<String>> {
        let list = self.list(node, place)?;
        list.iter().enumerate().map(|(index, item)| self.text(item, &format!("{place}[{index}]"))).collect()
    }

    /// A command: a list of words, or a text that is split as a shell would, though there is no shell.
    pub(super) fn words(&mut self, node: &Node, place: &str) -> Option<Vec<String>> {
        match &node.value {
            Yaml::Text(_) => self.read(node, place, "a command; a quote in it does not end", shlex::split),
            Yaml::List(_) => self.texts(node, place),
            _ => self.unlike(node, place, "a command: a list or a text"),
        }
    }

    /// `NAME: value` or `- NAME=value`.
    pub(super) fn pairs(&mut self, node: &Node, place: &str) -> Vec<(String, Value)> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        let mut push = |this: &mut Self, at: &Node, name: String, value: Value| {
            if pairs.iter().any(|(there, _)| *there == name) {
                this.wrong(at, place, format_args!("`{name}` stands here twice")).unwrap_or(())
            } else {
                pairs.push((name, value));
            }
        };
        match &node.value {
            Yaml::Null => {}
            Yaml::Map(map) => {
                for (key, item) in map {
                    let place = format!("{place}.{}", key.text);
                    match &item.value {
                        Yaml::Text(text) => push(self, item, key.text.clone(), Value::Plain(text.clone())),
                        Yaml::Secret(name) => push(self, item, key.text.clone(), Value::Secret(name.clone())),
                        Yaml::Null => self.no_value(item, &place, &key.text),
                        _ => self.unlike(item, &place, "a text").unwrap_or(()),
                    }
                }
            }
            Yaml::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    let place = format!("{place}[{index}]");
                    let Some(text) = self.text(item, &place) else { continue };
                    match text.split_once('=') {
                        Some((name, value)) => push(self, item, name.to_owned(), Value::Plain(value.to_owned())),
                        None => self.no_value(item, &place, &text),
                    }
                }
            }
            _ => self.unlike(node, place, "a mapping or a list").unwrap_or(()),
        }
        pairs
    }

    /// Compose takes such a value from the machine that it runs on; a step has no such machine.
    fn no_value(&mut self, node: &Node, place: &str, name: &str) {
        self.problems.add(
            node.line,
            place,
            format_args!("`{name}` has no value; write `{name}: ${{{name}}}`, and give the step's `variables` one (or write `\"\"`)"),
        );
    }

    /// A key that is not known.
    pub(super) fn unknown(&mut self, key: &Key, place: &str, known: &[&str], hint: Option<&str>) {
        let place = format!("{place}{}", key.text);
        match hint {
            Some(hint) => self.problems.add(key.line, place, format_args!("not supported; {hint}")),
            None => self.problems.add(
                key.line,
                place,
                format_args!("not supported, take it out; what is supported here: {}", known.join(", ")),
            ),
        }
    }
}

/// Bytes as compose writes them: `512m`, `1gb`, `1073741824`. All units are powers of 1,024.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit.trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    // Beyond this a float no longer holds every integer, and no machine has as much.
    (bytes >= 1.0 && bytes < (1_u64 << 53) as f64).then_some(bytes.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes() {
        for (text, size) in [("512m", 512 << 20), ("1.5GB", 3 << 29), ("64 MiB", 64 << 20), ("4096", 4096), ("10b", 10)]
        {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for bad in ["", "m", "-1", "0", "1x", "1.2.3", "99999999t"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
