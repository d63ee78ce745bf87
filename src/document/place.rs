//! Where a node stands: its parent, its path, its name as written.

use super::{Document, Kind, Node, NodeId, Span, Stored, inside_quotes, json};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::fmt::Write;

/// Nodes, and children, for each entry of the index.
const BLOCK: usize = 64;

/// What the tape leaves out, sparsely: the way up, and the way to the middle of long arrays.
#[derive(Debug)]
pub(super) struct Places {
    /// The parent of the first node of each block of nodes.
    parents: Vec<NodeId>,
    /// Of these and so on up, with their parents; in their order.
    up: Vec<(NodeId, NodeId)>,
    /// Of arrays and objects with more children than a block: the first child of each block of children but the first.
    marks: FxHashMap<NodeId, Vec<NodeId>>,
}

/// An array or object while the nodes below it go by.
struct Around {
    id: NodeId,
    end: u32,
    children: usize,
    /// Whether its parent is in the index, and so those of all around it.
    indexed: bool,
}

impl Places {
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut places = Self {
            parents: Vec::with_capacity(nodes.len() / BLOCK + 1),
            up: Vec::new(),
            marks: FxHashMap::default(),
        };
        let mut around: Vec<Around> = Vec::new();
        for (id, node) in (0_u32..).zip(nodes) {
            while around.last().is_some_and(|parent| parent.end <= id) {
                around.pop();
            }
            if (id as usize).is_multiple_of(BLOCK) {
                places.parents.push(around.last().map_or(NodeId(0), |parent| parent.id));
                places.index_up(&mut around);
            }
            if let Some(parent) = around.last_mut() {
                if parent.children > 0 && parent.children.is_multiple_of(BLOCK) {
                    places.marks.entry(parent.id).or_default().push(NodeId(id));
                }
                parent.children += 1;
            }
            if node.next > id + 1 {
                around.push(Around {
                    id: NodeId(id),
                    end: node.next,
                    children: 0,
                    indexed: false,
                });
            }
        }
        places
    }

    /// Adds those around that are not in the index. They began after the last block did, and so behind all that are in it.
    fn index_up(&mut self, around: &mut [Around]) {
        let new = around.partition_point(|one| one.indexed);
        let parents = around.iter().skip(new.saturating_sub(1)).map(|parent| parent.id);
        let inner = around.iter().skip(new.max(1)).map(|inner| inner.id);
        self.up.extend(inner.zip(parents));
        around.iter_mut().skip(new).for_each(|one| one.indexed = true);
    }

    /// The parent of one of those that are in the index.
    fn above(&self, id: NodeId) -> Option<NodeId> {
        let at = self.up.binary_search_by_key(&id, |(inner, _)| *inner).ok()?;
        self.up.get(at).map(|(_, parent)| *parent)
    }

    fn marks(&self, parent: NodeId) -> &[NodeId] {
        self.marks.get(&parent).map_or(&[], Vec::as_slice)
    }
}

impl Document {
    pub(super) fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::new(&self.nodes))
    }

    /// The array or object that holds the node; none for the root. The first call may index the whole document.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        let holds = |candidate: NodeId| self.node(candidate).next > id.0;
        let start = id.0 - id.0 % BLOCK as u32;
        if let Some(near) = (start..id.0).rev().map(NodeId).find(|near| holds(*near)) {
            return Some(near);
        }
        if id == self.root() {
            return None;
        }
        // No node of this block: so one that holds the block's first node.
        let places = self.places();
        let mut far = places.parents.get(id.index() / BLOCK).copied()?;
        while !holds(far) {
            far = places.above(far)?;
        }
        Some(far)
    }

    /// The index of a node among the children of its parent.
    pub fn index_in(&self, parent: NodeId, child: NodeId) -> usize {
        let marks = self.places().marks(parent);
        let block = marks.partition_point(|mark| *mark <= child);
        let from = block.checked_sub(1).and_then(|last| marks.get(last)).copied();
        block * BLOCK
            + self
                .siblings(parent, from)
                .take_while(|sibling| *sibling < child)
                .count()
    }

    /// The children from this index on.
    pub(super) fn children_from(&self, parent: NodeId, index: usize) -> impl Iterator<Item = NodeId> + '_ {
        // Short ways are walked: the index costs a look at all nodes.
        let walk = index < BLOCK || (index < 4096 && self.places.get().is_none());
        let marks = if walk { &[] } else { self.places().marks(parent) };
        let block = (index / BLOCK).min(marks.len());
        let from = block.checked_sub(1).and_then(|last| marks.get(last)).copied();
        self.siblings(parent, from).skip(index - block * BLOCK)
    }

    /// The path that selects exactly this node, with names as written: RFC 9535, section 2.7.
    pub fn normalized_path(&self, id: NodeId) -> String {
        let mut chain = vec![id];
        while let Some(parent) = chain.last().and_then(|last| self.parent(*last)) {
            chain.push(parent);
        }
        let mut path = String::from("$");
        for (child, parent) in chain.iter().zip(chain.iter().skip(1)).rev() {
            match self.kind(*parent) {
                Kind::Object => push_name(&mut path, &self.written_key(*child).unwrap_or_default()),
                _ => drop(write!(path, "[{}]", self.index_in(*parent, *child))),
            }
        }
        path
    }

    /// The member's name as written; none for items and for the root.
    pub fn written_key(&self, id: NodeId) -> Option<Cow<'_, str>> {
        let key = self.key(id)?;
        if !self.keys_in_text {
            return Some(Cow::Borrowed(key));
        }
        let written = inside_quotes(self.slice(self.key_span(id)?));
        Some(json::unescape(written))
    }

    /// Where the member's name stands in the text, quotes included; none where it is not in the text.
    pub fn key_span(&self, id: NodeId) -> Option<Span> {
        self.key(id)?;
        if self.keys_in_text {
            return name_before(self.text.as_bytes(), self.node(id).start as usize);
        }
        let found = self.key_spans.binary_search_by_key(&id.0, |(node, _)| *node).ok()?;
        self.key_spans.get(found).map(|(_, span)| *span)
    }

    /// Whether the node is an array or an object.
    pub fn is_container(&self, id: NodeId) -> bool {
        matches!(self.node(id).stored(), Stored::Array | Stored::Object)
    }
}

/// The JSON string before the colon before this byte.
fn name_before(bytes: &[u8], value: usize) -> Option<Span> {
    let colon = last_solid(bytes, value)?;
    let close = last_solid(bytes, colon)?;
    let mut open = close;
    loop {
        open = memchr::memrchr(b'"', bytes.get(..open)?)?;
        let escapes = bytes
            .get(..open)?
            .iter()
            .rev()
            .take_while(|&&byte| byte == b'\\')
            .count();
        if escapes % 2 == 0 {
            return Some(Span {
                start: open as u32,
                end: close as u32 + 1,
            });
        }
    }
}

/// The last byte before this one that is no white space.
fn last_solid(bytes: &[u8], before: usize) -> Option<usize> {
    bytes
        .get(..before)?
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// A name selector of a normalized path.
fn push_name(path: &mut String, name: &str) {
    path.push_str("['");
    for char in name.chars() {
        match char {
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            '\u{8}' => path.push_str("\\b"),
            '\u{c}' => path.push_str("\\f"),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            control if control < ' ' => drop(write!(path, "\\u{:04x}", control as u32)),
            other => path.push(other),
        }
    }
    path.push_str("']");
}
