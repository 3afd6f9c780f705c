//! YAML as a tree that knows its lines. Scalars stay as they are written: what one means, its key says.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use windlass_plugin::Failure;

/// A compose file is read by people; what is longer is no compose file.
const LONGEST: usize = 1 << 20;
/// Aliases of aliases multiply: a text of a page can name billions of nodes.
const MOST_NODES: usize = 100_000;
/// Deeper than any compose file, and not deeper than the stack of a plugin.
const DEEPEST: usize = 64;

/// A node with the line that it begins in.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Yaml,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Yaml {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar, as it is written.
    Text(String),
    /// A secret of the pipeline, by its name; only interpolation makes one.
    Secret(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Yaml {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a text",
            Self::Secret(_) => "a secret",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads the one document of a text.
///
/// # Errors
/// It is no YAML, or has what no compose file has; with the line.
pub(crate) fn read(source: &str, text: &str) -> Result<Node, Failure> {
    if text.len() > LONGEST {
        return Err(Failure::new(format!(
            "{source} has {} bytes, which is too long for a compose file: {LONGEST} are the most",
            text.len()
        )));
    }
    let mut tree = Tree { parser: Parser::new_from_str(text), anchors: HashMap::new(), left: MOST_NODES };
    tree.document().map_err(|(line, why)| Failure::new(format!("{source}:{line}: {why}")))
}

/// A line, and what is wrong there.
type Wrong = (usize, String);

struct Tree<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// What stands at each anchor, and how many nodes that is.
    anchors: HashMap<usize, (Node, usize)>,
    left: usize,
}

impl<'t> Tree<'t> {
    fn next(&mut self) -> Result<(Event<'t>, usize), Wrong> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, line(&span))),
            Some(Err(error)) => Err((error.marker().line(), format!("this is not YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    fn document(&mut self) -> Result<Node, Wrong> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::DocumentStart(_), line) if root.is_some() => {
                    return Err((line, "a second document begins here; a compose file is one document".to_owned()));
                }
                (Event::DocumentStart(_), _) => {
                    let (event, line) = self.next()?;
                    root = Some(self.node(event, line, 0)?.0);
                }
                (Event::StreamEnd, _) => break,
                (event, line) => return Err((line, format!("this is not YAML: {event:?} is out of place"))),
            }
        }
        root.ok_or_else(|| (1, "this is empty".to_owned()))
    }

    /// The node that begins with this event, and how many nodes it is.
    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<(Node, usize), Wrong> {
        if depth > DEEPEST {
            return Err((line, format!("this is nested more than {DEEPEST} levels deep")));
        }
        let (anchor, value, size) = match event {
            Event::Alias(anchor) => {
                // An anchor that is not complete yet is an alias within itself.
                let (node, size) =
                    self.anchors.get(&anchor).cloned().ok_or_else(|| {
                        (line, "this alias stands inside of what it names, so it has no end".to_owned())
                    })?;
                self.take(size, line)?;
                return Ok((Node { line, ..node }, size));
            }
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag.as_deref(), line)?;
                self.take(1, line)?;
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix != "str");
                let value = match plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                    true => Yaml::Null,
                    false => Yaml::Text(text.into_owned()),
                };
                (anchor, value, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), line)?;
                self.take(1, line)?;
                let (list, size) = self.list(depth)?;
                (anchor, Yaml::List(list), size)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), line)?;
                self.take(1, line)?;
                let (map, size) = self.map(depth)?;
                (anchor, Yaml::Map(map), size)
            }
            other => return Err((line, format!("this is not YAML: {other:?} is out of place"))),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok((node, size))
    }

    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Wrong> {
        let (mut list, mut total) = (Vec::new(), 1);
        loop {
            let (event, line) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok((list, total));
            }
            let (node, size) = self.node(event, line, depth + 1)?;
            total += size;
            list.push(node);
        }
    }

    fn map(&mut self, depth: usize) -> Result<(Vec<(Key, Node)>, usize), Wrong> {
        let (mut map, mut merged, mut total) = (Vec::<(Key, Node)>::new(), Vec::new(), 1);
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let (key, _) = self.node(event, line, depth + 1)?;
            let Yaml::Text(text) = key.value else {
                return Err((line, format!("a key has to be a text, not {}", key.value.kind())));
            };
            let (event, at) = self.next()?;
            let (node, size) = self.node(event, at, depth + 1)?;
            total += 1 + size;
            if text == "<<" {
                merged.push((line, node));
            } else if let Some((first, _)) = map.iter().find(|(key, _)| key.text == text) {
                return Err((
                    line,
                    format!("the key `{text}` stands here a second time; the first is in line {}", first.line),
                ));
            } else {
                map.push((Key { text, line }, node));
            }
        }
        for (line, node) in merged {
            merge(&mut map, node, line)?;
        }
        Ok((map, total))
    }

    fn take(&mut self, nodes: usize, line: usize) -> Result<(), Wrong> {
        self.left = self.left.checked_sub(nodes).ok_or_else(|| {
            (line, format!("this has more than {MOST_NODES} nodes, aliases included; no compose file is that long"))
        })?;
        Ok(())
    }
}

fn line(span: &Span) -> usize {
    span.start.line()
}

/// `<<: *defaults`: what the mapping does not have itself.
fn merge(map: &mut Vec<(Key, Node)>, from: Node, line: usize) -> Result<(), Wrong> {
    match from.value {
        Yaml::Map(entries) => {
            for (key, node) in entries {
                if !map.iter().any(|(there, _)| *there == key) {
                    map.push((key, node));
                }
            }
            Ok(())
        }
        Yaml::List(list) => list.into_iter().try_for_each(|node| match node.value {
            Yaml::Map(_) => merge(map, node, line),
            other => Err((line, format!("`<<` takes a mapping or a list of them, not {}", other.kind()))),
        }),
        other => Err((line, format!("`<<` takes a mapping or a list of them, not {}", other.kind()))),
    }
}

fn check_tag(tag: Option<&Tag>, line: usize) -> Result<(), Wrong> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            Err((line, format!("the tag `{tag}` is not known here; leave it out")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, String> {
        super::read("compose.yaml", text).map_err(|failure| failure.to_string())
    }

    fn get<'n>(node: &'n Node, key: &str) -> &'n Node {
        let Yaml::Map(map) = &node.value else { panic!("{node:?}") };
        &map.iter().find(|(found, _)| found.text == key).unwrap().1
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        let node = read("a: no\nb: 1.0\nc: 0644\nd:\ne: ~\nf: ''\ng: \"x\\ty\"\nh: |\n  two\n  lines\n").unwrap();
        let text = |key| get(&node, key).value.clone();
        assert_eq!(text("a"), Yaml::Text("no".to_owned()));
        assert_eq!((text("b"), text("c")), (Yaml::Text("1.0".to_owned()), Yaml::Text("0644".to_owned())));
        assert_eq!((text("d"), text("e"), text("f")), (Yaml::Null, Yaml::Null, Yaml::Text(String::new())));
        assert_eq!(text("g"), Yaml::Text("x\ty".to_owned()));
        assert_eq!((text("h"), get(&node, "g").line), (Yaml::Text("two\nlines\n".to_owned()), 7));
    }

    #[test]
    fn anchors_and_merges() {
        let text = "x: &x { a: 1, b: 2 }\ny: { <<: *x, b: 3 }\nz: { <<: [*x, { c: 4 }] }\nl: [*x]\n";
        let node = read(text).unwrap();
        let Yaml::Map(y) = &get(&node, "y").value else { panic!("a mapping") };
        assert_eq!(y.iter().map(|(key, _)| &*key.text).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(get(get(&node, "y"), "b").value, Yaml::Text("3".to_owned()));
        assert_eq!(get(get(&node, "z"), "c").value, Yaml::Text("4".to_owned()));
        assert!(read("y: { <<: 1 }").unwrap_err().contains("`<<` takes a mapping"));
    }

    #[test]
    fn what_is_no_compose_file_is_told_with_its_line() {
        for (text, told) in [
            ("a: 1\nb: [", "not YAML"),
            ("a: 1\na: 2\n", "compose.yaml:2: the key `a` stands here a second time; the first is in line 1"),
            ("a: 1\n---\nb: 2\n", "a second document"),
            ("", "empty"),
            ("? [a]\n: b\n", "a key has to be a text, not a list"),
            ("a: !reset null\n", "compose.yaml:1: the tag `!reset` is not known here"),
            ("a: &a [*a]\n", "no end"),
            ("a: *nobody\n", "not YAML"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn aliases_of_aliases_and_deep_nests_have_an_end() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
        }
        assert!(read(&bomb).unwrap_err().contains("more than 100000 nodes"));
        assert!(read(&"[".repeat(5_000)).is_err());
        assert!(read(&"- ".repeat(5_000)).unwrap_err().contains("levels deep"));
        assert!(read(&"#".repeat(LONGEST + 1)).unwrap_err().contains("too long"));
    }
}
