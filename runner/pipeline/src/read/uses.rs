//! Where a plugin comes from: `builtin:NAME`, a path, or `oci:REFERENCE`.

use std::sync::Arc;

use super::Reader;
use crate::description::{BUILTINS, PluginSource};
use crate::diagnostic::codes;
use crate::pipeline::Plugin;
use crate::suggest::{nearest, quoted};
use crate::tree::NodeId;

/// What a string says about where a plugin is: nothing if it is only a name.
pub(super) fn read(text: &str) -> Option<Result<PluginSource, String>> {
    match text.split_once(':') {
        Some(("builtin", name)) if is_word(name) => Some(Ok(PluginSource::Builtin(name.to_owned()))),
        Some(("builtin", name)) => Some(Err(format!("{} is no name of a built-in plugin", quoted(name)))),
        Some(("oci", reference)) => Some(oci(reference)),
        _ if text.contains('/') || text.ends_with(".wasm") => Some(path(text)),
        _ => None,
    }
}

/// A component file. `./` is left out, so that one file has one name.
pub(super) fn path(text: &str) -> Result<PluginSource, String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        // What lies above the pipeline's folder stays as written: the disk decides whether it is there.
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    if parts.last().is_none_or(|last| *last == "..") || text.ends_with('/') || text.chars().any(char::is_control) {
        return Err(format!("{} is no path of a file", quoted(text)));
    }
    let root = if text.starts_with('/') { "/" } else { "" };
    Ok(PluginSource::Path(format!("{root}{}", parts.join("/"))))
}

/// A component in a registry.
pub(super) fn oci(text: &str) -> Result<PluginSource, String> {
    let text = text.trim_start_matches("//");
    let good = text.contains('/') && !text.contains("://") && text.chars().all(|c| c.is_ascii_graphic());
    match good {
        true => Ok(PluginSource::Oci(text.to_owned())),
        false => Err(format!("{} is no reference like `registry.example/name:1.2`", quoted(text))),
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
}

/// For a text that names no plugin.
pub(super) fn help(text: &str, otherwise: &str) -> String {
    match nearest(text, BUILTINS.iter().copied()) {
        Some(near) => format!("built in is `builtin:{near}`"),
        None => otherwise.to_owned(),
    }
}

impl Reader<'_> {
    /// The plugin of a step, as index into the pipeline's, and the name of the step if it has none of its own.
    pub(super) fn resolve_uses(&mut self, at: NodeId) -> Option<(Option<u32>, Arc<str>)> {
        let text = self.string(at, "uses")?;
        if let Some(known) = self.uses.get(&*text) {
            return Some(known.clone());
        }
        let name: Arc<str> = default_name(&text).into();
        let (source, place) = match self.names.get(&*text) {
            Some(named) => (named.source.clone(), named.place),
            None => match read(&text) {
                Some(Ok(source)) => (Some(source), at),
                Some(Err(problem)) => {
                    self.bad_value(at, problem, "a plugin is a name of `[plugins]`, \"builtin:NAME\" or a path");
                    return Some((None, name));
                }
                None => {
                    self.unknown_plugin(at, &text);
                    return Some((None, name));
                }
            },
        };
        let index = source.map(|source| self.intern(source, place));
        self.uses.insert(text, (index, name.clone()));
        Some((index, name))
    }

    fn intern(&mut self, source: PluginSource, place: NodeId) -> u32 {
        let plugins = &mut self.pipeline.plugins;
        let location = self.lines.location(self.text, self.doc.span(place).start);
        *self.sources.entry(source.clone()).or_insert_with(|| {
            plugins.push(Plugin { source, place, location });
            plugins.len() as u32 - 1
        })
    }

    fn unknown_plugin(&mut self, at: NodeId, text: &str) {
        let names = &self.names;
        self.sink.error(codes::UNKNOWN_PLUGIN, self.doc.span(at), |diagnostic| {
            diagnostic.message = format!("no plugin is called {}", quoted(text));
            let mut known: Vec<&str> = names.keys().map(|name| &**name).collect();
            known.sort_unstable();
            let help = if BUILTINS.contains(&text) {
                format!("write `uses = \"builtin:{text}\"`, or name it in `[plugins]`")
            } else if let Some(near) = nearest(text, known.iter().copied()) {
                format!("did you mean {}?", quoted(near))
            } else {
                help(text, "name it in `[plugins]`, or write \"builtin:NAME\" or a path")
            };
            diagnostic.help(help);
        });
    }
}

/// A step without a name is called like its plugin.
fn default_name(uses: &str) -> String {
    let last = uses.rsplit('/').next().unwrap_or(uses);
    let last = last.strip_prefix("builtin:").or_else(|| last.strip_prefix("oci:")).unwrap_or(last);
    let last = last.split([':', '@']).next().unwrap_or(last);
    let last = last.strip_suffix(".wasm").unwrap_or(last);
    super::fields::repaired(last).unwrap_or_else(|| "step".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{default_name, read};

    #[test]
    fn forms() {
        let show = |text| read(text).map(|source| source.map(|source| source.to_string()));
        assert_eq!(show("builtin:image"), Some(Ok("builtin:image".into())));
        assert_eq!(show("./plugins/../a.wasm"), Some(Ok("a.wasm".into())));
        assert_eq!(show("../a.wasm"), Some(Ok("../a.wasm".into())));
        assert_eq!(show("/x/a.wasm"), Some(Ok("/x/a.wasm".into())));
        assert_eq!(show("oci:registry.example/audit:1.2"), Some(Ok("oci:registry.example/audit:1.2".into())));
        assert_eq!(show("image"), None);
        assert!(matches!(show("builtin:"), Some(Err(_))));
        assert!(matches!(show("oci:audit"), Some(Err(_))));
        assert!(matches!(show("a/.."), Some(Err(_))));
    }

    #[test]
    fn names_of_steps_without_one() {
        assert_eq!(default_name("deploy"), "deploy");
        assert_eq!(default_name("builtin:image"), "image");
        assert_eq!(default_name("./plugins/My Sizes.wasm"), "my-sizes");
        assert_eq!(default_name("oci:registry.example:5000/audit:1.2"), "audit");
    }
}
