//! Members' names: numbered once, folded where wanted, and where they occur.

use super::{Name, Node, NodeId, json};
use indexmap::IndexMap;
use indexmap::map::raw_entry_v1::{RawEntryApiV1, RawEntryMut};
use std::borrow::Cow;
use std::hash::BuildHasher;

/// Slots of the cache of names as written.
const SLOTS: usize = 1024;

/// The names of one document. The first has number 1.
#[derive(Debug, Default)]
pub(super) struct Names {
    // The default hasher, because names come from evidence and may be hostile; the cache spares most look-ups.
    texts: IndexMap<Box<str>, ()>,
    /// Fold lowerCamelCase to snake_case.
    pub(super) fold: bool,
    cache: Vec<Slot>,
}

/// A name as written in the text.
#[derive(Debug, Clone, Copy)]
struct Slot {
    start: u32,
    len: u32,
    /// The first eight bytes, as far as they belong to the name.
    head: u64,
    /// The last eight, if it has more than eight.
    tail: u64,
    name: Name,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, name: Name) -> Option<&str> {
        let at = (name.0 as usize).checked_sub(1)?;
        self.texts.get_index(at).map(|(text, ())| &**text)
    }

    /// The number of a name; where names are folded, the name looked up is too.
    pub(super) fn find(&self, text: &str) -> Option<Name> {
        let text = if self.fold { folded(text) } else { Cow::Borrowed(text) };
        self.texts.get_index_of(&*text).map(number)
    }

    pub(super) fn intern(&mut self, text: &str) -> Name {
        let hash = self.texts.hasher().hash_one(text);
        match self.texts.raw_entry_mut_v1().from_key_hashed_nocheck(hash, text) {
            RawEntryMut::Occupied(entry) => number(entry.index()),
            RawEntryMut::Vacant(entry) => {
                let at = entry.index();
                entry.insert_hashed_nocheck(hash, text.into(), ());
                number(at)
            }
        }
    }

    /// The name that stands in the text between these bytes, in JSON's spelling without the quotes.
    #[inline]
    pub(super) fn intern_written(&mut self, text: &str, start: usize, end: usize, escaped: bool) -> Name {
        let bytes = text.as_bytes();
        let (head, tail, at) = fingerprint(bytes, start, end);
        let len = (end - start) as u32;
        if let Some(slot) = self.cache.get(at)
            && slot.len == len
            && (slot.head, slot.tail) == (head, tail)
            && (len <= 16
                || bytes.get(slot.start as usize..slot.start as usize + len as usize) == bytes.get(start..end))
        {
            return slot.name;
        }
        let name = self.intern_uncached(text.get(start..end).unwrap_or_default(), escaped);
        self.cache.resize(
            SLOTS,
            Slot {
                start: 0,
                len: u32::MAX,
                head: 0,
                tail: 0,
                name: Name::NONE,
            },
        );
        if let Some(slot) = self.cache.get_mut(at) {
            *slot = Slot {
                start: start as u32,
                len,
                head,
                tail,
                name,
            };
        }
        name
    }

    #[cold]
    fn intern_uncached(&mut self, written: &str, escaped: bool) -> Name {
        let plain = if escaped {
            json::unescape(written)
        } else {
            Cow::Borrowed(written)
        };
        if self.fold {
            self.intern(&folded(&plain))
        } else {
            self.intern(&plain)
        }
    }

    /// Lets go of what only parsing needs.
    pub(super) fn close(&mut self) {
        self.cache = Vec::new();
    }
}

fn number(at: usize) -> Name {
    Name(at as u32 + 1)
}

/// The first and the last eight bytes of a name, and its slot.
#[inline]
fn fingerprint(bytes: &[u8], start: usize, end: usize) -> (u64, u64, usize) {
    let len = end - start;
    let head = word(bytes, start) & mask(len);
    let tail = if len > 8 { word(bytes, end - 8) } else { 0 };
    let hash = (head ^ tail.rotate_left(29) ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (head, tail, (hash >> (64 - SLOTS.trailing_zeros())) as usize)
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => bytes
            .iter()
            .skip(at)
            .take(8)
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[inline]
fn mask(len: usize) -> u64 {
    if len >= 8 { u64::MAX } else { (1 << (len * 8)) - 1 }
}

/// Folds a lowerCamelCase name to snake_case; all other names stay. A run of capitals is one word.
fn folded(name: &str) -> Cow<'_, str> {
    let camel = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().any(|byte| byte.is_ascii_uppercase());
    if !camel {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, byte) in bytes.iter().enumerate() {
        let after_capital = at > 0 && bytes.get(at - 1).is_some_and(u8::is_ascii_uppercase);
        let before_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if byte.is_ascii_uppercase() && (!after_capital || before_small) {
            snake.push('_');
        }
        snake.push(byte.to_ascii_lowercase() as char);
    }
    Cow::Owned(snake)
}

/// For each name, the members that have it, in document order.
#[derive(Debug)]
pub(super) struct Postings {
    /// By name: where its members begin, and whether they are in the order of their parents too.
    lists: Vec<List>,
    members: Vec<NodeId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct List {
    start: u32,
    len: u32,
    /// The parent of the last member seen.
    parent: u32,
    unordered: bool,
}

impl Postings {
    /// A counting sort of the members by name.
    pub(super) fn new(nodes: &[Node], names: usize) -> Self {
        let mut lists = vec![List::default(); names + 1];
        for node in nodes {
            if let Some(list) = lists.get_mut(node.name().0 as usize) {
                list.len += 1;
            }
        }
        let mut start = 0;
        for list in lists.iter_mut().skip(1) {
            list.start = start;
            start += std::mem::take(&mut list.len);
        }
        let mut postings = Self {
            lists,
            members: vec![NodeId(0); start as usize],
        };
        postings.fill(nodes);
        postings
    }

    fn fill(&mut self, nodes: &[Node]) {
        // The arrays and objects around a node, as (number, number after its subtree).
        let mut around: Vec<(u32, u32)> = Vec::new();
        for (id, node) in (0_u32..).zip(nodes) {
            while around.last().is_some_and(|(_, end)| *end <= id) {
                around.pop();
            }
            if node.name() != Name::NONE
                && let Some(list) = self.lists.get_mut(node.name().0 as usize)
                && let Some(member) = self.members.get_mut((list.start + list.len) as usize)
            {
                *member = NodeId(id);
                list.len += 1;
                let parent = around.last().map_or(0, |(parent, _)| *parent);
                list.unordered |= parent < list.parent;
                list.parent = parent;
            }
            if node.next > id + 1 {
                around.push((id, node.next));
            }
        }
    }

    fn list(&self, name: Name) -> Option<List> {
        self.lists.get(name.0 as usize).copied().filter(|_| name != Name::NONE)
    }

    pub(super) fn of(&self, name: Name) -> &[NodeId] {
        let list = self.list(name).unwrap_or_default();
        self.members
            .get(list.start as usize..(list.start + list.len) as usize)
            .unwrap_or_default()
    }

    /// Whether the members with this name are also in the order of the objects that hold them.
    pub(super) fn is_ordered(&self, name: Name) -> bool {
        self.list(name).is_none_or(|list| !list.unordered)
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn folds_lower_camel_case_only() {
        for (name, expected) in [
            ("typeUrl", "type_url"),
            ("http2ProtocolOptions", "http2_protocol_options"),
            ("podIP", "pod_ip"),
            ("podIPAddress", "pod_ip_address"),
            ("IPAddress", "IPAddress"),
            ("name", "name"),
            ("already_snake", "already_snake"),
            ("some.dottedName", "some.dottedName"),
            ("example.com/someName", "example.com/someName"),
            ("two wordsHere", "two wordsHere"),
            ("dash-edName", "dash-edName"),
            ("@typeName", "@typeName"),
            ("", ""),
        ] {
            assert_eq!(folded(name), expected);
        }
    }
}
