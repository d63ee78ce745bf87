//! Parsed evidence: a flat tape of 16-byte nodes over the text they were read from.
//!
//! A node is a number; its subtree is a contiguous range of numbers, and its span is part of it, so that whatever is
//! found can be pointed at. Parsers fill the tape through [`Builder`].

mod build;
pub mod json;
mod keys;
mod lines;
mod parser;
mod place;
mod reading;

use std::borrow::Cow;
use std::fmt::{Debug, Formatter};
use std::ops::Range;
use std::sync::OnceLock;

pub use build::{Builder, MAX_DEPTH, Name};
pub use parser::{
    IptablesOptions, JsonLinesOptions, KeyValueOptions, LinesOptions, Parser, Pattern, PatternError, TableOptions,
};

use sha2::{Digest, Sha256};

use keys::{Names, Postings};
use lines::Lines;
use place::Places;

/// The largest text a document can be made of, in bytes: offsets are `u32`.
pub const MAX_BYTES: u64 = u32::MAX as u64;

/// Members that are looked at one by one before the index is asked.
const WIDE: usize = 128;

/// A range of bytes of an item as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span as a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place for people: both numbers count from 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A node of one document. Numbers rise in document order; using one with another document is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The node's number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The node with this number, as found in a [`Document::subtree`].
    pub fn from_index(index: u32) -> Self {
        Self(index)
    }
}

/// What a node is, as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number.
    Number,
    /// A string; also a cell of a text format.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A number, as exactly as Rust's own types allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number<'a> {
    /// An integer.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// The text of an integer beyond `i64`, or of a float beyond `f64`.
    Text(&'a str),
}

/// Why a text is no document. It gives the text back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("line {}, column {}: {message}", position.line, position.column)]
pub struct ParseError {
    /// What is wrong, without the place.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// Where, for people.
    pub position: Position,
    /// The text that was to be parsed.
    pub text: String,
}

impl ParseError {
    pub(crate) fn new(message: impl Into<String>, offset: usize, text: String) -> Self {
        let position = lines::position_by_scan(&text, offset);
        Self {
            message: message.into(),
            offset,
            position,
            text,
        }
    }
}

/// How a node is stored: kinds that differ only in how their value is read are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Stored {
    Null,
    False,
    True,
    Number,
    /// Quoted in the text, no escapes.
    Plain,
    /// Quoted in the text, with JSON escapes.
    Escaped,
    /// The span is the string.
    Cell,
    /// The string was computed; the span is where it came from.
    OwnedString,
    /// The number was computed (its JSON text is kept); the span is where it came from.
    OwnedNumber,
    Array,
    Object,
}

impl Stored {
    const ALL: [Self; 11] = [
        Self::Null,
        Self::False,
        Self::True,
        Self::Number,
        Self::Plain,
        Self::Escaped,
        Self::Cell,
        Self::OwnedString,
        Self::OwnedNumber,
        Self::Array,
        Self::Object,
    ];
}

/// 4 bits of kind below 28 bits of key.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The node after the last of this subtree.
    next: u32,
    tag: u32,
}

impl Node {
    fn stored(self) -> Stored {
        // The tag was made from a `Stored`; the fallback is never used and costs no branch that matters.
        Stored::ALL
            .get((self.tag & 0xF) as usize)
            .copied()
            .unwrap_or(Stored::Null)
    }

    fn name(self) -> Name {
        Name(self.tag >> 4)
    }
}

/// Parsed evidence, with the text it was parsed from.
pub struct Document {
    text: String,
    nodes: Vec<Node>,
    names: Names,
    /// Members' names stand in the text as JSON, just before the value.
    keys_in_text: bool,
    /// Where else they stand, by node.
    key_spans: Vec<(u32, Span)>,
    /// Computed values, by node.
    owned: Vec<(u32, Box<str>)>,
    duplicates: Vec<NodeId>,
    /// What stands in members that a later one of the same name hides: ranges of nodes, in order, apart.
    hidden: Vec<Range<u32>>,
    /// SHA-256 of the text.
    digest: OnceLock<[u8; 32]>,
    postings: OnceLock<Postings>,
    lines: OnceLock<Lines>,
    places: OnceLock<Places>,
}

impl Document {
    /// The text that the document was parsed from; spans are ranges of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(&self.text).into())
    }

    /// With the digest, where it is known.
    fn with_digest(self, digest: Option<[u8; 32]>) -> Self {
        Self {
            digest: digest.map_or_else(OnceLock::new, OnceLock::from),
            ..self
        }
    }

    /// The node that holds all others.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many nodes the document has; at least 1.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    /// What the node is.
    pub fn kind(&self, id: NodeId) -> Kind {
        match self.node(id).stored() {
            Stored::Null => Kind::Null,
            Stored::False => Kind::False,
            Stored::True => Kind::True,
            Stored::Number | Stored::OwnedNumber => Kind::Number,
            Stored::Plain | Stored::Escaped | Stored::Cell | Stored::OwnedString => Kind::String,
            Stored::Array => Kind::Array,
            Stored::Object => Kind::Object,
        }
    }

    /// Where the node's value stands in the text (quotes and brackets included, the member's name not).
    pub fn span(&self, id: NodeId) -> Span {
        let node = self.node(id);
        Span {
            start: node.start,
            end: node.end,
        }
    }

    /// The text of the node, as written.
    pub fn raw(&self, id: NodeId) -> &str {
        self.slice(self.span(id))
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The number of items or members, duplicates included; 0 for a scalar.
    pub fn len(&self, id: NodeId) -> usize {
        self.children(id).count()
    }

    /// Whether the node has no items or members.
    pub fn is_empty(&self, id: NodeId) -> bool {
        self.children(id).next().is_none()
    }

    /// The items of an array or the members of an object, in document order; none for a scalar.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.siblings(id, None)
    }

    /// The children from this one on, or all.
    fn siblings(&self, parent: NodeId, from: Option<NodeId>) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(parent).next;
        let mut at = from.map_or(parent.0 + 1, |from| from.0);
        std::iter::from_fn(move || {
            let this = (at < end).then_some(NodeId(at))?;
            at = self.node(this).next;
            Some(this)
        })
    }

    /// The children without those members that a later one of the same name hides.
    pub fn visible_children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children(id)
            .filter(|&child| self.duplicates.is_empty() || self.duplicates.binary_search(&child).is_err())
    }

    /// The node and all below it in document order, without what hidden members hold.
    pub fn visible_subtree(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let Range { start: mut at, end } = self.subtree(id);
        std::iter::from_fn(move || {
            while let Some(hidden) = self.hidden_around(NodeId(at), id) {
                at = hidden.end;
            }
            let this = (at < end).then_some(NodeId(at))?;
            at += 1;
            Some(this)
        })
    }

    /// The hidden member below `root` that the node belongs to.
    fn hidden_around(&self, id: NodeId, root: NodeId) -> Option<&Range<u32>> {
        if self.hidden.is_empty() {
            return None;
        }
        let after = self.hidden.partition_point(|hidden| hidden.start <= id.0);
        self.hidden
            .get(after.checked_sub(1)?)
            .filter(|hidden| id.0 < hidden.end && root.0 < hidden.start)
    }

    /// The numbers of the node and of all below it, in document order.
    pub fn subtree(&self, id: NodeId) -> Range<u32> {
        id.0..self.node(id).next
    }

    /// The member's name for look-up (folded, if the parser folds names); none for items and for the root.
    pub fn key(&self, id: NodeId) -> Option<&str> {
        self.names.text(self.node(id).name())
    }

    /// The number that stands for a member's name in this document, if any member has it.
    pub fn name(&self, name: &str) -> Option<Name> {
        self.names.find(name)
    }

    /// The number that stands for this member's name; [`Name::NONE`] for items and for the root.
    pub fn name_of(&self, id: NodeId) -> Name {
        self.node(id).name()
    }

    /// The member of an object with this name; of several, the last.
    pub fn get(&self, object: NodeId, name: &str) -> Option<NodeId> {
        self.member(object, self.name(name)?)
    }

    /// The member of an object with this name; of several, the last.
    pub fn member(&self, object: NodeId, name: Name) -> Option<NodeId> {
        if name == Name::NONE {
            return None;
        }
        let mut last = None;
        for (index, child) in self.children(object).enumerate() {
            if index == WIDE {
                return self.member_of_many(object, name);
            }
            if self.node(child).name() == name {
                last = Some(child);
                if self.duplicates.is_empty() {
                    break;
                }
            }
        }
        last
    }

    /// Looks a member up in the index: objects with very many members are dictionaries, asked again and again.
    fn member_of_many(&self, object: NodeId, name: Name) -> Option<NodeId> {
        let below = self.with_name_below(object, name);
        below
            .iter()
            .rev()
            .copied()
            .find(|&member| self.parent(member) == Some(object))
    }

    /// The item of an array at this index, from 0.
    pub fn at(&self, array: NodeId, index: usize) -> Option<NodeId> {
        if self.node(array).stored() != Stored::Array {
            return None;
        }
        self.children_from(array, index).next()
    }

    /// The value of a string.
    pub fn str(&self, id: NodeId) -> Option<Cow<'_, str>> {
        let raw = self.raw(id);
        match self.node(id).stored() {
            Stored::Plain => Some(Cow::Borrowed(inside_quotes(raw))),
            Stored::Escaped => Some(json::unescape(inside_quotes(raw))),
            Stored::Cell => Some(Cow::Borrowed(raw)),
            Stored::OwnedString => Some(Cow::Borrowed(self.owned(id))),
            _ => None,
        }
    }

    /// Reads where the texts of these nodes begin and end, so that they come from memory together instead of one waiting for the other: in a large
    /// text they stand far apart.
    pub fn fetch(&self, nodes: &[NodeId]) {
        let text = self.text.as_bytes();
        let ends = nodes.iter().map(|id| {
            let Node { start, end, .. } = self.node(*id);
            let byte = |at: u32| text.get(at as usize).copied().unwrap_or(0);
            byte(start) ^ byte(end)
        });
        std::hint::black_box(ends.fold(0, |all, byte| all ^ byte));
    }

    /// Whether the node is this very string. Cheaper than to ask for the string: most are told apart by their lengths.
    pub fn is_str(&self, id: NodeId, text: &str) -> bool {
        let node = self.node(id);
        match node.stored() {
            Stored::Plain => {
                let range = self.span(id).range();
                let written = range.start + 1..range.end.saturating_sub(1);
                written.len() == text.len() && self.text().as_bytes().get(written) == Some(text.as_bytes())
            }
            _ => self.str(id).is_some_and(|string| string == text),
        }
    }

    /// The value of a number.
    pub fn number(&self, id: NodeId) -> Option<Number<'_>> {
        match self.node(id).stored() {
            Stored::Number => Some(number(self.raw(id))),
            Stored::OwnedNumber => Some(number(self.owned(id))),
            _ => None,
        }
    }

    /// The value of `true` or `false`.
    pub fn bool(&self, id: NodeId) -> Option<bool> {
        match self.node(id).stored() {
            Stored::True => Some(true),
            Stored::False => Some(false),
            _ => None,
        }
    }

    fn owned(&self, id: NodeId) -> &str {
        let found = self.owned.binary_search_by_key(&id.0, |(node, _)| *node).ok();
        found.and_then(|at| self.owned.get(at)).map_or("", |(_, value)| value)
    }

    /// All members with this name, in document order. The first call indexes the whole document.
    pub fn with_key(&self, name: &str) -> &[NodeId] {
        self.name(name).map_or(&[], |name| self.with_name(name))
    }

    /// All members with this name, in document order. The first call indexes the whole document.
    pub fn with_name(&self, name: Name) -> &[NodeId] {
        self.postings
            .get_or_init(|| Postings::new(&self.nodes, self.names.len()))
            .of(name)
    }

    /// The members with this name below a node, in document order.
    fn with_name_below(&self, id: NodeId, name: Name) -> &[NodeId] {
        let all = self.with_name(name);
        let from = all.partition_point(|&member| member <= id);
        let to = all.partition_point(|member| member.0 < self.node(id).next);
        all.get(from..to).unwrap_or_default()
    }

    /// Whether the index of members by name exists already.
    pub fn has_index(&self) -> bool {
        self.postings.get().is_some()
    }

    /// The members with this name below a node (not itself), ordered by the objects that hold them, these in document
    /// order: what `..name` selects. Hidden members are left out.
    pub fn members_below(&self, id: NodeId, name: Name) -> Cow<'_, [NodeId]> {
        let below = self.with_name_below(id, name);
        let ordered = self.postings.get().is_none_or(|postings| postings.is_ordered(name));
        if ordered && self.hidden.is_empty() {
            return Cow::Borrowed(below);
        }
        let mut members: Vec<_> = below
            .iter()
            .copied()
            .filter(|&member| self.hidden_around(member, id).is_none())
            .collect();
        if !ordered {
            members.sort_by_cached_key(|&member| self.parent(member));
        }
        Cow::Owned(members)
    }

    /// Members whose name occurs again later in the same object, in document order.
    pub fn duplicates(&self) -> &[NodeId] {
        &self.duplicates
    }
}

/// Documents are large: sizes only.
impl Debug for Document {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { text, nodes, .. } = self;
        out.debug_struct("Document")
            .field("bytes", &text.len())
            .field("nodes", &nodes.len())
            .finish_non_exhaustive()
    }
}

fn inside_quotes(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// Reads the text of a number that a parser has accepted.
fn number(text: &str) -> Number<'_> {
    if let Ok(int) = text.parse::<i64>() {
        return Number::Int(int);
    }
    let integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() && !integer => Number::Float(float),
        _ => Number::Text(text),
    }
}
