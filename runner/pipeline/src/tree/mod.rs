//! The values of a TOML file with their places, as compactly as possible.
//!
//! A generated pipeline has 100,000 values. A tree of boxed tables with spans takes 59 ms and 93 MiB for it; this one
//! is a single vector of 32-byte nodes that point into the text, and strings are decoded when they are looked at.

mod build;
mod semantics;

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::Encoding;
use toml_parser::{Raw, Span};

pub(crate) use build::build;

/// How deeply values, and tables by their headers, may be nested. Walks over the tree recurse, so this bounds the stack.
pub(crate) const MAX_DEPTH: usize = 64;

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) const ROOT: Self = Self(0);
    const NONE: Self = Self(u32::MAX);
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Not readable, and reported as such; to be passed over in silence.
    Broken,
    String,
    Integer,
    Float,
    Bool,
    DateTime,
    Array,
    Table,
}

impl Kind {
    /// With its article, for "found a string".
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Broken => "something unreadable",
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::Bool => "a boolean",
            Self::DateTime => "a date",
            Self::Array => "a list",
            Self::Table => "a table",
        }
    }
}

/// How a table came to be, which decides what may be added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Origin {
    /// A value, an array in brackets or a table in braces: complete as it stands.
    Inline,
    /// `[a.b]` made `a`.
    Implicit,
    /// `[a]`, or an element of `[[a]]`.
    Header,
    /// `a.b = 1` made `a`.
    Dotted,
    /// The array of `[[a]]`.
    Elements,
}

#[derive(Clone, Debug)]
struct Node {
    start: u32,
    end: u32,
    key_start: u32,
    key_end: u32,
    first: NodeId,
    last: NodeId,
    next: NodeId,
    /// Children, up to the bound at which a table is indexed; only the builder looks at it.
    count: u16,
    kind: Kind,
    origin: Origin,
}

/// The tree. It holds no text: a [`Doc`] puts it together with the source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

/// A tree with its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doc<'s> {
    tree: &'s Tree,
    text: &'s str,
}

impl<'s> Doc<'s> {
    pub(crate) fn new(tree: &'s Tree, text: &'s str) -> Self {
        Self { tree, text }
    }

    fn node(self, id: NodeId) -> Option<&'s Node> {
        self.tree.nodes.get(id.0 as usize)
    }

    pub(crate) fn kind(self, id: NodeId) -> Kind {
        self.node(id).map_or(Kind::Broken, |node| node.kind)
    }

    /// The bytes of the value; for a table with a header, those of the header.
    pub(crate) fn span(self, id: NodeId) -> Range<usize> {
        self.node(id).map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// The bytes of the key, quotes included; for a value without one, those of the value.
    pub(crate) fn key_span(self, id: NodeId) -> Range<usize> {
        match self.node(id) {
            Some(node) if node.key_end > 0 => node.key_start as usize..node.key_end as usize,
            _ => self.span(id),
        }
    }

    /// The text of the value, but only if all of it stands in one piece.
    pub(crate) fn whole_text(self, id: NodeId) -> Option<&'s str> {
        let node = self.node(id).filter(|node| node.origin == Origin::Inline)?;
        self.text.get(node.start as usize..node.end as usize)
    }

    pub(crate) fn key(self, id: NodeId) -> Cow<'s, str> {
        let text = self.node(id).and_then(|node| self.text.get(node.key_start as usize..node.key_end as usize));
        key_text(text.unwrap_or_default())
    }

    /// The children of a table or array, in the order of the file. None for anything else.
    pub(crate) fn children(self, id: NodeId) -> impl Iterator<Item = NodeId> + Clone + use<'s> {
        let first = self.node(id).map(|node| node.first);
        std::iter::successors(first.filter(|id| *id != NodeId::NONE), move |id| {
            self.node(*id).map(|node| node.next).filter(|id| *id != NodeId::NONE)
        })
    }

    /// The value of this key in a table. It looks at every key; only for small tables.
    pub(crate) fn get(self, id: NodeId, key: &str) -> Option<NodeId> {
        self.children(id).find(|child| self.key(*child) == key)
    }

    pub(crate) fn string(self, id: NodeId) -> Option<Cow<'s, str>> {
        let node = self.node(id).filter(|node| node.kind == Kind::String)?;
        self.text.get(node.start as usize..node.end as usize).map(string_text)
    }

    /// Where in the file a part of the decoded string stands; the whole string if it has escapes.
    pub(crate) fn within(self, id: NodeId, decoded: &str, part: &Range<usize>) -> Range<usize> {
        // A string without escapes is a part of the text itself, and one with escapes lies elsewhere.
        let offset = (decoded.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        match offset.checked_add(decoded.len()) {
            Some(end) if end <= self.text.len() => offset + part.start..offset + part.end,
            _ => self.span(id),
        }
    }

    pub(crate) fn integer(self, id: NodeId) -> Option<i64> {
        let node = self.node(id).filter(|node| node.kind == Kind::Integer)?;
        integer_of(self.text.get(node.start as usize..node.end as usize)?)
    }

    pub(crate) fn float(self, id: NodeId) -> Option<f64> {
        let node = self.node(id).filter(|node| node.kind == Kind::Float)?;
        let text = self.text.get(node.start as usize..node.end as usize)?;
        text.replace('_', "").parse().ok()
    }

    pub(crate) fn boolean(self, id: NodeId) -> Option<bool> {
        let node = self.node(id).filter(|node| node.kind == Kind::Bool)?;
        Some(self.text.get(node.start as usize..node.end as usize)? == "true")
    }
}

/// An integer as TOML writes it. `None` when it has no room in 64 bits.
fn integer_of(text: &str) -> Option<i64> {
    let plain: Cow<'_, str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok();
        }
    }
    plain.parse().ok()
}

fn key_text(raw: &str) -> Cow<'_, str> {
    if raw.starts_with(['"', '\'']) { string_text(raw) } else { Cow::Borrowed(raw) }
}

/// The string that a token means. The token was checked when the tree was built.
fn string_text(raw: &str) -> Cow<'_, str> {
    let (encoding, quotes) = match raw.as_bytes() {
        [b'"', b'"', b'"', .., b'"', b'"', b'"'] if raw.len() >= 6 => (Encoding::MlBasicString, 3),
        [b'\'', b'\'', b'\'', .., b'\'', b'\'', b'\''] if raw.len() >= 6 => (Encoding::MlLiteralString, 3),
        [b'"', .., b'"'] => (Encoding::BasicString, 1),
        [b'\'', .., b'\''] => (Encoding::LiteralString, 1),
        _ => return Cow::Borrowed(raw),
    };
    if quotes == 1 && (encoding == Encoding::LiteralString || !raw.contains('\\')) {
        return Cow::Borrowed(&raw[1..raw.len() - 1]);
    }
    let mut out = Cow::Borrowed("");
    let token = Raw::new_unchecked(raw, Some(encoding), Span::new_unchecked(0, raw.len()));
    let _ = token.decode_scalar(&mut out, &mut ());
    out
}
