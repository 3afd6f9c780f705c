//! Writes a plugin's name into `pipeline.toml`, and leaves every other character of it alone.

use crate::description::PluginSource;
use crate::read::{self, MAX_NAME};
use crate::source::Source;
use crate::suggest::{quoted, toml_string};
use crate::tree::{self, Doc, Kind, NodeId};

/// Why a name cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No plugin can be called this.
    #[error("{} cannot be the name of a plugin: names have letters, digits, `-` and `_`, and at most {MAX_NAME} of them", quoted(.name))]
    Name {
        /// The name.
        name: String,
    },
    /// `[plugins]` has another plugin of this name.
    #[error("the name {} stands for {known} already", quoted(.name))]
    Taken {
        /// The name.
        name: String,
        /// What it stands for.
        known: PluginSource,
    },
    /// The file is written in a way in which it is not clear where the line belongs.
    #[error("the line cannot be added to the file; add it yourself: {line} in `[plugins]`")]
    Unclear {
        /// The line to add.
        line: String,
    },
}

/// The text with a plugin of a registry among `[plugins]`, and with the key with which it has to be signed.
///
/// # Errors
///
/// If the name is taken, is no name, or if the file has no clear place for it.
pub fn add_plugin(source: &Source, name: &str, reference: &str, key: Option<&str>) -> Result<String, EditError> {
    if !read::good_word(name) {
        return Err(EditError::Name { name: name.to_owned() });
    }
    let wanted = PluginSource::Oci(reference.to_owned());
    let before = read::read(source);
    match before.named_plugins().get(name) {
        Some(known) if *known == wanted && before.plugin_key(known) == key => return Ok(source.text.clone()),
        Some(known) => return Err(EditError::Taken { name: name.to_owned(), known: known.clone() }),
        None => {}
    }
    let signed = key.map(|key| format!(", key = {}", toml_string(key))).unwrap_or_default();
    let line = format!("{name} = {{ oci = {}{signed} }}", toml_string(reference));
    // Each place is tried: the new text is right if it reads like the old one with the plugin in addition.
    let candidates = places(&source.text).into_iter().map(|at| insert(&source.text, at, &line));
    let candidates = candidates.chain([append(&source.text, &line)]);
    let mut good = candidates.filter(|text| {
        let after = read::read(&Source { name: source.name.clone(), text: text.clone() });
        let mut expected = before.named_plugins().clone();
        expected.insert(name.to_owned(), wanted.clone());
        *after.named_plugins() == expected
            && after.plugin_key(&wanted) == key
            && after.found.errors() <= before.found.errors()
    });
    good.next().ok_or(EditError::Unclear { line })
}

/// Where a line of `[plugins]` may begin: after its last one, or after its header.
fn places(text: &str) -> Vec<usize> {
    let tree = tree::build(text, &mut crate::diagnostic::Sink::default());
    let doc = Doc::new(&tree, text);
    let Some(table) = doc.get(NodeId::ROOT, "plugins").filter(|table| doc.kind(*table) == Kind::Table) else {
        return Vec::new();
    };
    let last = doc.children(table).last().map(|child| doc.span(child).end);
    let header = doc.key_span(table).end;
    last.into_iter().chain([header]).map(|end| next_line(text, end)).collect()
}

fn next_line(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| from + at + 1)
}

fn insert(text: &str, at: usize, line: &str) -> String {
    let (before, after) = text.split_at(at);
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{end}{line}\n{after}")
}

fn append(text: &str, line: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}\n[plugins]\n{line}\n")
}

#[cfg(test)]
mod tests {
    use super::{EditError, add_plugin};
    use crate::source::Source;

    const REST: &str = "[[stages.a.steps]]\nuses = \"builtin:command\"\n";

    fn add(text: &str) -> Result<String, EditError> {
        add_plugin(&Source { name: "pipeline.toml".into(), text: text.into() }, "audit", "localhost:5000/audit:1", None)
    }

    const LINE: &str = "audit = { oci = \"localhost:5000/audit:1\" }\n";

    #[test]
    fn it_goes_after_the_last_plugin() {
        let text = format!("# mine\n[plugins] # all\nx = \"builtin:image\" # one\n\n{REST}");
        let expected = format!("# mine\n[plugins] # all\nx = \"builtin:image\" # one\n{LINE}\n{REST}");
        assert_eq!(add(&text), Ok(expected));
    }

    #[test]
    fn an_empty_table_a_missing_one_and_a_file_without_a_last_line() {
        assert_eq!(add(&format!("[plugins]\n\n{REST}")), Ok(format!("[plugins]\n{LINE}\n{REST}")));
        assert_eq!(add(REST), Ok(format!("{REST}\n[plugins]\n{LINE}")));
        assert_eq!(add("[plugins]\nx = \"builtin:image\""), Ok(format!("[plugins]\nx = \"builtin:image\"\n{LINE}")));
    }

    #[test]
    fn tables_of_their_own_do_not_swallow_it() {
        let text = format!("[plugins.x]\npath = \"x.wasm\"\n\n{REST}");
        let added = add(&text).unwrap();
        assert!(added.contains(&format!("[plugins]\n{LINE}")), "{added}");
    }

    #[test]
    fn a_step_may_name_it_before_it_is_there() {
        let text = "[pipeline]\nname = \"p\"\n[[stages.a.steps]]\nuses = \"audit\"\n";
        assert_eq!(add(text), Ok(format!("{text}\n[plugins]\n{LINE}")));
    }

    #[test]
    fn what_is_no_name_is_told() {
        let source = Source { name: "pipeline.toml".into(), text: REST.into() };
        for name in ["", "a b", "x.wasm", "a\n[b]"] {
            let error = add_plugin(&source, name, "localhost:5000/audit:1", None);
            assert!(matches!(error, Err(EditError::Name { .. })), "{name:?}: {error:?}");
        }
    }

    #[test]
    fn what_is_there_stays_and_what_is_taken_or_unclear_is_told() {
        let text = format!("[plugins]\n{LINE}");
        assert_eq!(add(&text), Ok(text));
        assert!(matches!(add("[plugins]\naudit = \"builtin:image\"\n"), Err(EditError::Taken { .. })));
        assert!(matches!(add("plugins = { x = \"builtin:image\" }\n"), Err(EditError::Unclear { .. })));
    }
}
