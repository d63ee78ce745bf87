//! Evidence as scripts see it: objects are handles, scalars are plain values that remember their place.

use std::fmt;
use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString};

use super::number::BigNumber;
use crate::document::{Document, Kind, NodeId, Number};

/// The slot of a document that has no place in the evidence of a run, such as a parsed string.
pub const NO_SLOT: u16 = u16::MAX;

/// The slot of places in evidence that was let go: nodes are numbers of labels that were cut before.
pub const LEFT_SLOT: u16 = 127;

/// Bits of a tag that hold the node; the rest hold the slot.
const NODE_BITS: u32 = 25;

/// A document and the slot that names it in one run.
#[derive(Debug)]
pub struct Doc {
    /// Number of the document within the run, or [`NO_SLOT`].
    pub slot: u16,
    /// The parsed evidence.
    pub document: Document,
}

/// A place in evidence: a node of one of the run's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The document's slot.
    pub slot: u16,
    /// The node.
    pub node: NodeId,
}

impl Place {
    /// The place as a tag of a Rhai value; 0, no place, where it does not fit.
    fn tag(self) -> i32 {
        let (slot, node) = (u32::from(self.slot), self.node.index() as u32);
        if slot >= 1 << (32 - NODE_BITS) || node >= 1 << NODE_BITS {
            return 0;
        }
        ((slot << NODE_BITS) | node).wrapping_add(1) as i32
    }

    fn from_tag(tag: i32) -> Option<Self> {
        let packed = (tag as u32).checked_sub(1)?;
        Some(Self {
            slot: (packed >> NODE_BITS) as u16,
            node: NodeId::from_index(packed & ((1 << NODE_BITS) - 1)),
        })
    }
}

/// A handle on a node: how scripts hold objects.
#[derive(Clone)]
pub struct Node {
    /// The document.
    pub doc: Arc<Doc>,
    /// The node in it.
    pub id: NodeId,
}

impl Node {
    /// The member of this name, or an absence that remembers this node.
    pub fn get(&self, name: &str) -> Dynamic {
        match self.doc.document.get(self.id, name) {
            Some(member) => to_dynamic(&self.doc, member),
            None => absent_in(&self.doc, self.id),
        }
    }

    /// Whether the object has a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.doc.document.get(self.id, name).is_some()
    }

    /// The place of the node, if its document has a slot.
    pub fn place(&self) -> Option<Place> {
        place(&self.doc, self.id)
    }

    /// Line of the node's first byte in its evidence, from 1.
    pub fn line(&self) -> u32 {
        let document = &self.doc.document;
        document.position(document.span(self.id).start).line
    }

    /// The node's text as it stands in the evidence.
    pub fn raw(&self) -> &str {
        self.doc.document.raw(self.id)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.raw())
    }
}

fn place(doc: &Doc, id: NodeId) -> Option<Place> {
    (doc.slot != NO_SLOT).then_some(Place {
        slot: doc.slot,
        node: id,
    })
}

/// Makes a value remember a place, instead of the place it may have remembered before.
pub fn placed(mut value: Dynamic, at: Option<Place>) -> Dynamic {
    value.set_tag(at.map_or(0, Place::tag));
    value
}

/// The node as a script's value: scalars are plain values, arrays are arrays, objects are [`Node`]s.
///
/// Scalars and arrays remember their place. A `null` is `()`, like an absence, but remembers itself.
pub fn to_dynamic(doc: &Arc<Doc>, id: NodeId) -> Dynamic {
    let document = &doc.document;
    let value = match document.kind(id) {
        Kind::Null => Dynamic::UNIT,
        Kind::False => Dynamic::FALSE,
        Kind::True => Dynamic::TRUE,
        Kind::Number => number(document, id),
        Kind::String => document
            .str(id)
            .map_or(Dynamic::UNIT, |text| ImmutableString::from(text.as_ref()).into()),
        Kind::Array => Dynamic::from_array(document.children(id).map(|item| to_dynamic(doc, item)).collect()),
        Kind::Object => Dynamic::from(Node {
            doc: Arc::clone(doc),
            id,
        }),
    };
    placed(value, place(doc, id))
}

/// Makes values of many nodes: strings that come again and again share their memory.
#[derive(Debug)]
pub struct Values {
    /// Strings seen, by a number that few of them share.
    seen: Vec<ImmutableString>,
}

impl Values {
    /// Strings that are remembered.
    const SLOTS: usize = 64;

    /// As [`to_dynamic`].
    pub fn of(&mut self, doc: &Arc<Doc>, id: NodeId) -> Dynamic {
        match doc.document.str(id) {
            Some(text) => placed(self.string(&text).into(), place(doc, id)),
            None => to_dynamic(doc, id),
        }
    }

    fn string(&mut self, text: &str) -> ImmutableString {
        let last = text.bytes().next_back().map_or(0, usize::from);
        let Some(seen) = self.seen.get_mut((text.len() * 7 + last) % Self::SLOTS) else {
            return text.into();
        };
        if seen.as_str() != text {
            *seen = text.into();
        }
        seen.clone()
    }
}

impl Default for Values {
    fn default() -> Self {
        Self {
            seen: vec![ImmutableString::new(); Self::SLOTS],
        }
    }
}

fn number(document: &Document, id: NodeId) -> Dynamic {
    match document.number(id) {
        Some(Number::Int(number)) => number.into(),
        Some(Number::Float(number)) => number.into(),
        Some(Number::Text(text)) => Dynamic::from(BigNumber::new(text)),
        None => Dynamic::UNIT,
    }
}

/// An absence that remembers the object that lacks the member.
pub fn absent_in(doc: &Doc, object: NodeId) -> Dynamic {
    placed(Dynamic::UNIT, place(doc, object))
}

/// The places that a value remembers: of a list without a place of its own, those of its items.
pub fn places_of(value: &Dynamic) -> Vec<Place> {
    if let Some(place) = place_of(value) {
        return vec![place];
    }
    match value.read_lock::<Array>() {
        Some(items) => items.iter().flat_map(places_of).collect(),
        None => Vec::new(),
    }
}

/// The place that a value itself remembers.
pub fn place_of(value: &Dynamic) -> Option<Place> {
    match value.read_lock::<Node>() {
        Some(node) => node.place(),
        None => Place::from_tag(value.tag()),
    }
}
