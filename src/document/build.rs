//! Filling the tape.

use super::keys::Names;
use super::{Document, Node, NodeId, Span, Stored};
use std::ops::Range;
use std::sync::OnceLock;

/// How deep arrays and objects may stand in one another.
pub const MAX_DEPTH: usize = 512;

/// Nodes after which a parser of texts gives up; what it adds between two checks is far less than what is left.
const MOST_NODES: usize = u32::MAX as usize - (1 << 28);

/// A member's name, as a number that holds within one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub(super) u32);

impl Name {
    /// What a node has that is no member of an object.
    pub const NONE: Self = Self(0);
    /// Names that fit beside the kind in a node.
    pub(super) const MAX: usize = (1 << 28) - 1;
}

/// An array or object that is still being filled.
#[derive(Debug)]
struct Open {
    node: u32,
    /// Where its members' names begin on the shared stack; `None` for an array.
    members: Option<usize>,
}

/// How much a node is and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) nodes: usize,
    /// How deep arrays and objects stand in one another.
    pub(super) depth: usize,
    /// Bytes of the scalars.
    pub(super) bytes: usize,
}

/// Fills the tape of one document, node by node in document order.
///
/// A parser opens and closes arrays and objects and pushes scalars between; within an object, [`Builder::key`] or
/// [`Builder::member`] comes before each value. The first value is the root. Nesting is the parser's to bound: no deeper
/// than [`MAX_DEPTH`].
#[derive(Debug)]
pub struct Builder {
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// The name of the node to come.
    pending: Name,
    pub(super) names: Names,
    /// Names of the members of all open objects, innermost last.
    members: Vec<Name>,
    /// By name: the object (its number plus 1) that had it last.
    stamps: Vec<u32>,
    keys_in_text: bool,
    key_spans: Vec<(u32, Span)>,
    owned: Vec<(u32, Box<str>)>,
    duplicates: Vec<NodeId>,
    /// Bytes of the whole text, to guess from how many nodes there will be.
    bytes: usize,
}

impl Builder {
    /// A builder for a text of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity((bytes / 16 + 1).min(1 << 16)),
            open: Vec::new(),
            pending: Name::NONE,
            names: Names::default(),
            members: Vec::new(),
            stamps: Vec::new(),
            keys_in_text: false,
            key_spans: Vec::new(),
            owned: Vec::new(),
            duplicates: Vec::new(),
            bytes,
        }
    }

    /// Names stand in the text as JSON, quoted and followed by a colon, just before their values.
    pub(super) fn with_json_keys(mut self, fold: bool) -> Self {
        self.keys_in_text = true;
        self.names.fold = fold;
        self
    }

    /// How many arrays and objects are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether no further row should be added: numbers of nodes and of names are limited.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() >= MOST_NODES || self.names.len() >= Name::MAX
    }

    /// The number of a member's name, for [`Builder::member`]: cheaper than [`Builder::key`] for names used again.
    pub fn name(&mut self, name: &str) -> Name {
        self.names.intern(name)
    }

    /// Names the value to come.
    pub fn member(&mut self, name: Name) {
        self.pending = name;
    }

    /// Names the value to come; the span is where the name stands in the text, if it does.
    pub fn key(&mut self, name: &str, span: Option<Span>) {
        self.pending = self.names.intern(name);
        if let Some(span) = span {
            self.key_spans.push((self.next_id(), span));
        }
    }

    /// Opens an array that starts at this byte.
    pub fn open_array(&mut self, start: usize) {
        let node = self.push(Stored::Array, start, start);
        self.open.push(Open { node, members: None });
    }

    /// Opens an object that starts at this byte.
    pub fn open_object(&mut self, start: usize) {
        let node = self.push(Stored::Object, start, start);
        self.open.push(Open {
            node,
            members: Some(self.members.len()),
        });
    }

    /// Closes the innermost array or object, which ends before this byte.
    pub fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let next = self.next_id();
        if let Some(node) = self.nodes.get_mut(open.node as usize) {
            node.end = offset(end);
            node.next = next;
        }
        if let Some(from) = open.members {
            if self.repeats(from, open.node + 1) {
                self.list_duplicates(NodeId(open.node));
            }
            self.members.truncate(from);
        }
    }

    /// Whether a name occurs twice among the members on the stack from here; `stamp` is new for every object.
    fn repeats(&mut self, from: usize, stamp: u32) -> bool {
        if self.stamps.len() <= self.names.len() {
            self.stamps.resize((self.names.len() + 1).next_power_of_two(), 0);
        }
        let mut repeats = false;
        for name in self.members.get(from..).unwrap_or_default() {
            if let Some(last) = self.stamps.get_mut(name.0 as usize) {
                repeats |= *last == stamp;
                *last = stamp;
            }
        }
        repeats
    }

    #[cold]
    fn list_duplicates(&mut self, object: NodeId) {
        let mut members = Vec::new();
        let end = self.next_id();
        let mut at = object.0 + 1;
        while let Some(node) = self.nodes.get(at as usize).filter(|_| at < end) {
            members.push((at, node.name()));
            at = node.next;
        }
        let mut later = rustc_hash::FxHashSet::default();
        let known = self.duplicates.len();
        for (node, name) in members.into_iter().rev() {
            if !later.insert(name) {
                self.duplicates.push(NodeId(node));
            }
        }
        if let Some(new) = self.duplicates.get_mut(known..) {
            new.reverse();
        }
    }

    /// Pushes `null`.
    pub fn null(&mut self, span: Span) {
        self.push_span(Stored::Null, span);
    }

    /// Pushes `true` or `false`.
    pub fn bool(&mut self, value: bool, span: Span) {
        self.push_span(if value { Stored::True } else { Stored::False }, span);
    }

    /// Pushes a number whose JSON text is the span.
    pub fn number(&mut self, span: Span) {
        self.push_span(Stored::Number, span);
    }

    /// Pushes a string that is the text of the span.
    pub fn cell(&mut self, span: Span) {
        self.push_span(Stored::Cell, span);
    }

    /// Pushes a string that was computed from the text of the span.
    pub fn computed_string(&mut self, value: impl Into<Box<str>>, span: Span) {
        self.owned.push((self.next_id(), value.into()));
        self.push_span(Stored::OwnedString, span);
    }

    /// Pushes a number that was computed from the text of the span, as JSON text.
    pub fn computed_number(&mut self, json: impl Into<Box<str>>, span: Span) {
        self.owned.push((self.next_id(), json.into()));
        self.push_span(Stored::OwnedNumber, span);
    }

    /// The node that comes next.
    pub(super) fn next_node(&self) -> NodeId {
        NodeId(self.next_id())
    }

    /// How many nodes a closed node consists of, how deep they are nested, and the bytes of its scalars.
    pub(super) fn size(&self, id: NodeId) -> Size {
        let nodes = self.subtree(id);
        let mut ends: Vec<u32> = Vec::new();
        let mut size = Size {
            nodes: nodes.len(),
            depth: 0,
            bytes: 0,
        };
        for (at, node) in (id.0..).zip(nodes) {
            while ends.last().is_some_and(|end| *end <= at) {
                ends.pop();
            }
            match node.stored() {
                Stored::Array | Stored::Object => ends.push(node.next),
                Stored::OwnedString | Stored::OwnedNumber => size.bytes += self.owned(at).map_or(0, str::len),
                _ => size.bytes += (node.end - node.start) as usize,
            }
            size.depth = size.depth.max(ends.len());
        }
        size
    }

    fn subtree(&self, id: NodeId) -> &[Node] {
        let end = self.nodes.get(id.index()).map_or(id.0, |node| node.next);
        self.nodes.get(id.index()..end as usize).unwrap_or_default()
    }

    /// Pushes what a closed node is and holds once more, all of it at this span of the text.
    pub(super) fn copy(&mut self, id: NodeId, text: &str, span: Span) {
        let mut ends: Vec<u32> = Vec::new();
        for (at, node) in (id.0..).zip(self.subtree(id).to_vec()) {
            while ends.pop_if(|end| *end <= at).is_some() {
                self.close(span.end as usize);
            }
            if at != id.0 {
                self.member(node.name());
            }
            let written = text.get(node.start as usize..node.end as usize).unwrap_or_default();
            match node.stored() {
                Stored::Array => self.open_array(span.start as usize),
                Stored::Object => self.open_object(span.start as usize),
                Stored::Cell => self.computed_string(written, span),
                Stored::Plain => self.computed_string(super::inside_quotes(written), span),
                Stored::Escaped => self.computed_string(super::json::unescape(super::inside_quotes(written)), span),
                Stored::Number => self.computed_number(written, span),
                Stored::OwnedString => self.computed_string(self.owned(at).unwrap_or_default().to_owned(), span),
                Stored::OwnedNumber => self.computed_number(self.owned(at).unwrap_or_default().to_owned(), span),
                other => self.push_span(other, span),
            }
            if matches!(node.stored(), Stored::Array | Stored::Object) {
                ends.push(node.next);
            }
        }
        ends.iter().for_each(|_| self.close(span.end as usize));
    }

    /// The text of a scalar; none for arrays and objects.
    pub(super) fn scalar_text(&self, id: NodeId, text: &str) -> Option<String> {
        let node = self.nodes.get(id.index())?;
        let written = text.get(node.start as usize..node.end as usize)?;
        match node.stored() {
            Stored::Array | Stored::Object => None,
            Stored::Plain => Some(super::inside_quotes(written).to_owned()),
            Stored::OwnedString | Stored::OwnedNumber => self.owned(id.0).map(str::to_owned),
            _ => Some(written.to_owned()),
        }
    }

    fn owned(&self, id: u32) -> Option<&str> {
        let found = self.owned.binary_search_by_key(&id, |(node, _)| *node).ok()?;
        self.owned.get(found).map(|(_, value)| &**value)
    }

    /// Takes the closed root array away, if it holds just one thing, and nothing at all if it is empty.
    pub(super) fn unwrap_root(&mut self) {
        let Some(root) = self.nodes.first() else { return };
        let only = self.nodes.get(1).is_none_or(|first| first.next == root.next);
        if !only || !self.open.is_empty() || root.stored() != Stored::Array {
            return;
        }
        self.nodes.remove(0);
        self.nodes.iter_mut().for_each(|node| node.next -= 1);
        self.key_spans.iter_mut().for_each(|(node, _)| *node -= 1);
        self.owned.iter_mut().for_each(|(node, _)| *node -= 1);
        self.duplicates.iter_mut().for_each(|node| node.0 -= 1);
    }

    fn push_span(&mut self, stored: Stored, span: Span) {
        self.push(stored, span.start as usize, span.end as usize);
    }

    fn next_id(&self) -> u32 {
        offset(self.nodes.len())
    }

    #[inline]
    pub(super) fn push(&mut self, stored: Stored, start: usize, end: usize) -> u32 {
        let id = self.next_id();
        if self.nodes.len() == self.nodes.capacity() {
            self.grow(start);
        }
        let name = std::mem::replace(&mut self.pending, Name::NONE);
        if name != Name::NONE {
            self.members.push(name);
        }
        let tag = name.0 << 4 | stored as u32;
        self.nodes.push(Node {
            start: offset(start),
            end: offset(end),
            next: id + 1,
            tag,
        });
        id
    }

    /// Makes room for the nodes to come, judging by those up to this byte: doubling would double the peak memory.
    #[cold]
    fn grow(&mut self, at: usize) {
        let seen = self.nodes.len() as u128;
        let expected = seen * self.bytes as u128 / (at as u128).max(1);
        let missing = usize::try_from(expected - seen.min(expected)).unwrap_or(0);
        let room = (missing + missing / 32).max(self.nodes.len() / 4).max(64);
        // Many nodes before one huge string would make the guess far too large.
        self.nodes.reserve_exact(room.min(self.nodes.len().max(1 << 16) * 8));
    }

    /// The subtrees of the duplicates that stand in no other.
    fn hidden(&self) -> Vec<Range<u32>> {
        let mut hidden: Vec<Range<u32>> = Vec::new();
        for id in &self.duplicates {
            let within = hidden.last().is_some_and(|last| id.0 < last.end);
            if let Some(node) = self.nodes.get(id.index()).filter(|_| !within) {
                hidden.push(id.0..node.next);
            }
        }
        hidden
    }

    /// The document, once all is closed; without any node the root is `null`.
    pub fn finish(mut self, text: String) -> Document {
        while !self.open.is_empty() {
            self.close(text.len());
        }
        if self.nodes.is_empty() {
            self.push(Stored::Null, 0, text.len());
        }
        self.nodes.shrink_to_fit();
        self.duplicates.sort_unstable();
        self.names.close();
        let hidden = self.hidden();
        Document {
            text,
            nodes: self.nodes,
            names: self.names,
            keys_in_text: self.keys_in_text,
            key_spans: self.key_spans,
            owned: self.owned,
            duplicates: self.duplicates,
            hidden,
            digest: OnceLock::new(),
            postings: OnceLock::new(),
            lines: OnceLock::new(),
            places: OnceLock::new(),
        }
    }
}

/// Offsets and node numbers are below 4 Gi: the parsers refuse longer texts.
#[inline]
fn offset(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Kind, Number};

    fn span(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// Rows of `name=value`, as a parser of text would fill them in.
    fn rows() -> Document {
        let text = "port=80\nhost=\"a b\"\n";
        let mut builder = Builder::new(text.len());
        builder.open_object(0);
        builder.key("port", Some(span(0, 4)));
        builder.number(span(5, 7));
        builder.key("host", Some(span(8, 12)));
        builder.computed_string("a b", span(13, 18));
        let tags = builder.name("tags");
        builder.member(tags);
        builder.open_array(18);
        builder.cell(span(14, 15));
        builder.computed_number("16", span(5, 7));
        builder.null(span(0, 0));
        builder.bool(true, span(0, 0));
        builder.close(18);
        builder.finish(text.to_owned())
    }

    #[test]
    fn text_can_fill_the_tape() {
        let doc = rows();
        let (port, host) = (
            doc.get(doc.root(), "port").unwrap(),
            doc.get(doc.root(), "host").unwrap(),
        );
        assert_eq!(doc.number(port), Some(Number::Int(80)));
        assert_eq!(doc.str(host).as_deref(), Some("a b"));
        assert_eq!(doc.raw(host), "\"a b\"");
        assert_eq!(doc.key_span(host), Some(span(8, 12)));
        let tags = doc.get(doc.root(), "tags").unwrap();
        assert_eq!(
            (doc.key_span(tags), doc.written_key(tags).as_deref()),
            (None, Some("tags"))
        );
        let kinds: Vec<_> = doc.children(tags).map(|id| doc.kind(id)).collect();
        assert_eq!(kinds, [Kind::String, Kind::Number, Kind::Null, Kind::True]);
        assert_eq!(doc.number(doc.at(tags, 1).unwrap()), Some(Number::Int(16)));
        assert_eq!(doc.span(doc.root()), span(0, 19));
    }

    #[test]
    fn nothing_at_all_is_null() {
        let doc = Builder::new(0).finish(String::new());
        assert_eq!(doc.kind(doc.root()), Kind::Null);
    }

    #[test]
    fn room_for_nodes_is_bounded_by_those_that_are_there() {
        let mut build = Builder::new(u32::MAX as usize);
        build.open_array(0);
        (0..100_000).for_each(|at| build.push_span(Stored::Null, Span { start: at, end: at }));
        assert!(build.nodes.capacity() < 1_000_000);
    }
}
