//! TOML's rules for tables: what may be defined where, and what is a duplicate.

use std::borrow::Cow;
use std::collections::HashMap;

use toml_parser::Span;

use super::{Kind, MAX_DEPTH, Node, NodeId, Origin, Tree, key_text};
use crate::diagnostic::{Diagnostic, Sink, codes};
use crate::suggest::quoted;

/// Tables with more keys than this are looked up by hash.
const INDEXED: u16 = 8;

/// More values than this are refused: 256 MiB for them is enough.
const MAX_NODES: usize = 8 << 20;

/// One part of a dotted key.
#[derive(Debug)]
pub(super) struct Key<'s> {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) name: Cow<'s, str>,
    /// Whether it could be read; what stands under one that could not is left out of the tree.
    pub(super) good: bool,
}

/// Puts values where they belong.
#[derive(Debug)]
pub(super) struct Builder<'s> {
    text: &'s str,
    tree: Tree,
    /// Keys of large tables.
    index: HashMap<(u32, Cow<'s, str>), NodeId>,
    /// A large table, and the child of it that was looked at last.
    recent: (NodeId, NodeId),
    /// The dotted key that was read and has no value yet.
    path: Vec<Key<'s>>,
    /// The table that key-value pairs go to, and how deep it is.
    table: (NodeId, usize),
    /// Open arrays and inline tables, and how deep each is.
    open: Vec<(NodeId, usize)>,
    sink: Sink,
}

impl<'s> Builder<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        // Generous, as memory that is not written to costs nothing, and growing would copy.
        let mut tree = Tree { nodes: Vec::with_capacity(text.len() / 8 + 8) };
        tree.nodes.push(node(0, 0, Kind::Table, Origin::Header));
        Self {
            text,
            tree,
            index: HashMap::new(),
            recent: (NodeId::NONE, NodeId::NONE),
            path: Vec::new(),
            table: (NodeId::ROOT, 0),
            open: Vec::new(),
            sink: Sink::default(),
        }
    }

    pub(super) fn finish(mut self, sink: &mut Sink) -> Tree {
        sink.absorb(self.sink);
        self.tree.nodes.shrink_to_fit();
        self.tree
    }

    /// A line begins outside all brackets.
    pub(super) fn begin_expression(&mut self) {
        self.path.clear();
        self.open.clear();
    }

    /// A key without a value ends with its line.
    pub(super) fn end_of_line(&mut self) {
        if self.open.is_empty() {
            self.path.clear();
        }
    }

    pub(super) fn key(&mut self, key: Key<'s>) {
        self.path.push(key);
    }

    pub(super) fn depth(&self) -> usize {
        self.open.last().map_or(self.table.1, |(_, depth)| *depth) + self.path.len()
    }

    /// Leaves a value out because it is nested too deeply.
    pub(super) fn too_deep(&mut self, span: Span) {
        self.path.clear();
        self.sink.error(codes::TOO_DEEP, span.start()..span.end(), |diagnostic| {
            diagnostic.message = format!("values are nested more than {MAX_DEPTH} deep");
            diagnostic.help("a pipeline needs a few levels; pass deeper data as a file");
        });
        self.sink.mark_broken();
    }

    /// `[a.b]` or `[[a.b]]`, its keys are in the path.
    pub(super) fn header(&mut self, span: Span, array: bool) {
        let mut path = std::mem::take(&mut self.path);
        if path.len() >= MAX_DEPTH {
            self.too_deep(span);
            path.clear();
        }
        self.table = (self.orphan(span), path.len());
        let Some(last) = path.pop() else { return };
        let mut at = NodeId::ROOT;
        for key in path {
            match self.enter(at, key) {
                Some(next) => at = next,
                None => return,
            }
        }
        if let Some(table) = self.define(at, last, span, array) {
            self.table.0 = table;
        }
    }

    /// A header that never ended.
    pub(super) fn lost_header(&mut self) {
        self.path.clear();
        self.table = (self.orphan(Span::default()), 1);
    }

    /// A table that hangs on nothing: it takes what belongs to a header that cannot be.
    fn orphan(&mut self, span: Span) -> NodeId {
        self.push(node(span.start() as u32, span.end() as u32, Kind::Table, Origin::Header))
    }

    /// One key of a header before its last.
    fn enter(&mut self, at: NodeId, key: Key<'s>) -> Option<NodeId> {
        if !key.good {
            return None;
        }
        let Some(found) = self.find(at, &key.name) else {
            let mut table = node(key.start, key.end, Kind::Table, Origin::Implicit);
            (table.key_start, table.key_end) = (key.start, key.end);
            let table = self.push(table);
            self.link(at, table, key.name);
            return Some(table);
        };
        let there = self.get(found);
        match (there.kind, there.origin) {
            (Kind::Array, Origin::Elements) => Some(there.last),
            (Kind::Table, Origin::Inline) => {
                self.closed(&key, found);
                None
            }
            (Kind::Table, _) => Some(found),
            (Kind::Broken, _) => None,
            _ => {
                self.not_a_table(&key, found);
                None
            }
        }
    }

    /// The last key of a header.
    fn define(&mut self, at: NodeId, key: Key<'s>, span: Span, array: bool) -> Option<NodeId> {
        if !key.good {
            return None;
        }
        let (start, end) = (span.start() as u32, span.end() as u32);
        let mut table = node(start, end, Kind::Table, Origin::Header);
        (table.key_start, table.key_end) = (key.start, key.end);
        let Some(found) = self.find(at, &key.name) else {
            if !array {
                let table = self.push(table);
                self.link(at, table, key.name);
                return Some(table);
            }
            let mut list = node(start, end, Kind::Array, Origin::Elements);
            (list.key_start, list.key_end) = (key.start, key.end);
            let list = self.push(list);
            self.link(at, list, key.name);
            return Some(self.element(list, table));
        };
        let there = self.get(found);
        match (there.kind, there.origin, array) {
            (Kind::Array, Origin::Elements, true) => Some(self.element(found, table)),
            (Kind::Table, Origin::Implicit, false) => {
                let there = &mut self.tree.nodes[found.0 as usize];
                (there.start, there.end, there.origin) = (start, end, Origin::Header);
                (there.key_start, there.key_end) = (key.start, key.end);
                Some(found)
            }
            (Kind::Broken, ..) => None,
            _ => {
                self.duplicate(&key, found);
                None
            }
        }
    }

    /// An element of `[[a]]`; it has no key of its own.
    fn element(&mut self, list: NodeId, mut table: Node) -> NodeId {
        (table.key_start, table.key_end) = (0, 0);
        let table = self.push(table);
        self.append(list, table);
        table
    }

    /// An array or inline table begins.
    pub(super) fn open(&mut self, span: Span, kind: Kind) {
        let depth = self.depth() + 1;
        let id = self.put(node(span.start() as u32, span.end() as u32, kind, Origin::Inline));
        self.open.push((id, depth));
    }

    /// The innermost array or inline table ends.
    pub(super) fn close(&mut self, span: Span) {
        self.path.clear();
        if let Some((id, _)) = self.open.pop() {
            self.tree.nodes[id.0 as usize].end = span.end() as u32;
        }
    }

    /// A value that holds no others.
    pub(super) fn put_value(&mut self, span: Span, kind: Kind) {
        self.put(node(span.start() as u32, span.end() as u32, kind, Origin::Inline));
    }

    /// Puts a value under the key that was read, or at the end of the open array.
    fn put(&mut self, mut value: Node) -> NodeId {
        let (container, depth) = self.open.last().copied().unwrap_or(self.table);
        if self.tree.nodes[container.0 as usize].kind == Kind::Array {
            let id = self.push(value);
            self.append(container, id);
            return id;
        }
        if depth + self.path.len() > MAX_DEPTH {
            self.too_deep(Span::new_unchecked(value.start as usize, value.end as usize));
            return self.push(value);
        }
        let mut path = std::mem::take(&mut self.path);
        let Some(last) = path.pop() else { return self.push(value) };
        let mut at = Some(container);
        for key in path.drain(..) {
            at = at.and_then(|at| self.dotted(at, key));
        }
        // The vector is used again and again.
        self.path = path;
        (value.key_start, value.key_end) = (last.start, last.end);
        let id = self.push(value);
        if let Some(at) = at.filter(|_| last.good) {
            match self.find(at, &last.name) {
                Some(found) => self.duplicate(&last, found),
                None => self.link(at, id, last.name),
            }
        }
        id
    }

    /// One key of a dotted key before its last.
    fn dotted(&mut self, at: NodeId, key: Key<'s>) -> Option<NodeId> {
        if !key.good {
            return None;
        }
        let Some(found) = self.find(at, &key.name) else {
            let mut table = node(key.start, key.end, Kind::Table, Origin::Dotted);
            (table.key_start, table.key_end) = (key.start, key.end);
            let table = self.push(table);
            self.link(at, table, key.name);
            return Some(table);
        };
        let there = self.get(found);
        match (there.kind, there.origin) {
            (Kind::Table, Origin::Dotted) => Some(found),
            (Kind::Table | Kind::Array, _) => {
                self.closed(&key, found);
                None
            }
            (Kind::Broken, _) => None,
            _ => {
                self.not_a_table(&key, found);
                None
            }
        }
    }

    fn get(&self, id: NodeId) -> Node {
        self.tree.nodes[id.0 as usize].clone()
    }

    /// Whether there are so many values that no more are taken in.
    pub(super) fn full(&self) -> bool {
        self.tree.nodes.len() > MAX_NODES
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        self.tree.nodes.push(node);
        id
    }

    fn append(&mut self, parent: NodeId, child: NodeId) {
        let last = self.tree.nodes[parent.0 as usize].last;
        let parent = &mut self.tree.nodes[parent.0 as usize];
        parent.last = child;
        parent.count = parent.count.saturating_add(1);
        match last {
            NodeId::NONE => parent.first = child,
            last => self.tree.nodes[last.0 as usize].next = child,
        }
    }

    fn link(&mut self, table: NodeId, child: NodeId, name: Cow<'s, str>) {
        self.append(table, child);
        let count = self.tree.nodes[table.0 as usize].count;
        if count == INDEXED + 1 {
            let mut at = self.tree.nodes[table.0 as usize].first;
            while at != NodeId::NONE {
                self.index.insert((table.0, self.key_of(at)), at);
                at = self.tree.nodes[at.0 as usize].next;
            }
        } else if count > INDEXED {
            self.index.insert((table.0, name), child);
            self.recent = (table, child);
        }
    }

    fn key_of(&self, id: NodeId) -> Cow<'s, str> {
        let node = &self.tree.nodes[id.0 as usize];
        key_text(self.text.get(node.key_start as usize..node.key_end as usize).unwrap_or_default())
    }

    fn find(&mut self, table: NodeId, name: &str) -> Option<NodeId> {
        let node = &self.tree.nodes[table.0 as usize];
        if node.count > INDEXED {
            // The headers of a stage and of its steps begin with the same keys, one after the other.
            if self.recent.0 == table && self.key_of(self.recent.1) == name {
                return Some(self.recent.1);
            }
            let found = self.index.get(&(table.0, Cow::Borrowed(name))).copied();
            self.recent = found.map_or(self.recent, |found| (table, found));
            return found;
        }
        let mut at = node.first;
        while at != NodeId::NONE {
            if self.key_of(at) == name {
                return Some(at);
            }
            at = self.tree.nodes[at.0 as usize].next;
        }
        None
    }

    fn complain(&mut self, key: &Key<'s>, found: NodeId, build: impl FnOnce(&mut Diagnostic, &str)) {
        let there = self.get(found);
        let (start, end) = if there.key_end > 0 { (there.key_start, there.key_end) } else { (there.start, there.end) };
        self.sink.error(codes::DUPLICATE_KEY, key.start as usize..key.end as usize, |diagnostic| {
            build(diagnostic, &key.name);
            diagnostic.related(start as usize..end as usize, "first here");
        });
    }

    fn duplicate(&mut self, key: &Key<'s>, found: NodeId) {
        self.complain(key, found, |diagnostic, name| {
            diagnostic.message = format!("{} stands here twice", quoted(name));
            diagnostic.help("remove one of them, or give it another name");
        });
    }

    fn closed(&mut self, key: &Key<'s>, found: NodeId) {
        self.complain(key, found, |diagnostic, name| {
            diagnostic.message =
                format!("{} is complete where it stands first; nothing can be added here", quoted(name));
            diagnostic.help("write all of it in one place");
        });
    }

    fn not_a_table(&mut self, key: &Key<'s>, found: NodeId) {
        let kind = self.get(found).kind.word();
        self.complain(key, found, |diagnostic, name| {
            diagnostic.message = format!("{} is {kind}, so it has no keys", quoted(name));
        });
    }
}

fn node(start: u32, end: u32, kind: Kind, origin: Origin) -> Node {
    let none = NodeId::NONE;
    Node { start, end, key_start: 0, key_end: 0, first: none, last: none, next: none, count: 0, kind, origin }
}
