//! Reads the file. What is not exactly as it is written is refused: a lock that is half understood locks nothing.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Entry, Granted, Lock, Pinned, VERSION};
use crate::description::PluginSource;
use crate::diagnostic::Diagnostics;
use crate::document::{Document, Node, Problems};
use crate::source::Source;

const HELP: &str = "let `windlass plugin update` write the file again, and look at what it changes";

impl Lock {
    /// Reads `pipeline.lock`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(source: Source) -> Result<Self, Diagnostics> {
        let mut problems = Problems::default();
        let document = Document::read(source, &mut problems);
        let mut reader = Reader { problems, lock: Self::default() };
        reader.file(document.root());
        let Reader { problems, lock } = reader;
        if problems.any() { Err(problems.finish(document.source())) } else { Ok(lock) }
    }
}

struct Reader {
    problems: Problems,
    lock: Lock,
}

impl Reader {
    fn file(&mut self, root: Node<'_>) {
        // Another version may have everything else in another place.
        match root.get("version") {
            Some(version) if version.integer() == Some(VERSION) => {}
            Some(version) => {
                let message = format!("this Windlass reads version {VERSION} of the lock");
                let help = "use the Windlass that wrote it; or let `windlass plugin update` write it again";
                return self.problems.bad_value(version, message, help);
            }
            None => return self.problems.missing_key(root, "the lock", "version", HELP),
        }
        if root.get("pipeline").is_none() {
            self.problems.missing_key(root, "the lock", "pipeline", HELP);
        }
        for child in root.children() {
            match &*child.key() {
                "version" => {}
                key @ "pipeline" => self.lock.pipeline = self.text(child, key).unwrap_or_default(),
                key @ "plugin" => self.each(child, key, Self::plugin),
                key @ "step" => self.each(child, key, Self::step),
                _ => self.problems.unknown_key(child, "the lock", &["pipeline", "plugin", "step", "version"]),
            }
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.lock.plugins.iter().find(|plugin| !seen.insert(plugin.source.to_string())) {
            let message = format!("plugin `{}` is in the lock twice", twice.source);
            self.problems.bad_value(root, message, HELP);
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.lock.steps.iter().find(|step| !seen.insert((&step.step, &step.environment))) {
            let message = format!("step `{}` is in the lock twice", twice.step);
            self.problems.bad_value(root, message, HELP);
        }
    }

    fn each(&mut self, list: Node<'_>, key: &str, read: fn(&mut Self, Node<'_>)) {
        if !list.is_list() || list.children().any(|entry| !entry.is_table()) {
            return self.problems.wrong_type(list, key, "a list of tables", &format!("[[{key}]]"));
        }
        list.children().for_each(|entry| read(self, entry));
    }

    fn plugin(&mut self, entry: Node<'_>) {
        self.known(entry, "a plugin of the lock", &["digest", "key", "manifest", "source"]);
        let (source, digest) = (self.required(entry, "source"), self.required(entry, "digest"));
        let manifest = entry.get("manifest").and_then(|node| self.text(node, "manifest"));
        let key = entry.get("key").and_then(|node| self.text(node, "key"));
        for key in ["digest", "key", "manifest"] {
            if let Some(node) = entry.get(key)
                && node.text().is_some_and(|digest| !is_digest(&digest))
            {
                self.problems.bad_value(node, "it is no digest", HELP);
            }
        }
        if let (Some(source), Some(digest)) = (source, digest) {
            let source: PluginSource = source.into();
            // Its signature is that of the manifest.
            if matches!(source, PluginSource::Oci(_)) && entry.get("manifest").is_none() {
                self.problems.missing_key(entry, "a plugin of a registry", "manifest", HELP);
            }
            self.lock.plugins.push(Pinned { source, digest, manifest, key });
        }
    }

    fn step(&mut self, entry: Node<'_>) {
        self.known(entry, "a step of the lock", &["environment", "grants", "name", "plugin"]);
        let (step, plugin) = (self.required(entry, "name"), self.required(entry, "plugin"));
        let environment = entry.get("environment").and_then(|node| self.text(node, "environment"));
        let Some(grants) = entry.get("grants") else {
            return self.problems.missing_key(entry, "a step of the lock", "grants", HELP);
        };
        if !grants.is_list() {
            return self.problems.wrong_type(grants, "grants", "a list of strings", "grants = [\"docker.pull nginx\"]");
        }
        let mut rules = Vec::new();
        for grant in grants.children() {
            match grant.text().as_deref().and_then(Entry::parse) {
                Some(rule) => rules.push(rule),
                None => self.problems.bad_value(grant, "it is no grant, as `docker.pull nginx`", HELP),
            }
        }
        if let (Some(step), Some(plugin)) = (step, plugin) {
            self.lock.steps.push(Granted { step, environment, plugin, rules });
        }
    }

    fn known(&mut self, entry: Node<'_>, place: &str, keys: &[&str]) {
        for child in entry.children().filter(|child| !keys.contains(&&*child.key())) {
            self.problems.unknown_key(child, place, keys);
        }
    }

    fn required(&mut self, entry: Node<'_>, key: &str) -> Option<String> {
        match entry.get(key) {
            Some(node) => self.text(node, key),
            None => {
                self.problems.missing_key(entry, "an entry of the lock", key, HELP);
                None
            }
        }
    }

    fn text(&mut self, node: Node<'_>, key: &str) -> Option<String> {
        let text = node.text().map(Cow::into_owned);
        if text.is_none() {
            self.problems.wrong_type(node, key, "a string", &format!("{key} = \"...\""));
        }
        text
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')))
}
