//! Where a node stands: its parent, its path, its name as written.

use super::{Document, Kind, NodeId, Span, Stored, inside_quotes, json};
use std::borrow::Cow;
use std::fmt::Write;

impl Document {
    /// The array or object that holds the node; none for the root.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.ancestors(id).pop().map(|(parent, _)| parent)
    }

    /// The chain of nodes from the root down to the parent, each with the index of the child taken.
    fn ancestors(&self, id: NodeId) -> Vec<(NodeId, usize)> {
        let mut chain = Vec::new();
        let mut at = self.root();
        while at != id {
            let Some((index, child)) = self
                .children(at)
                .enumerate()
                .find(|(_, child)| self.subtree(*child).end > id.0)
            else {
                break;
            };
            chain.push((at, index));
            at = child;
        }
        chain
    }

    /// The path that selects exactly this node, with names as written: RFC 9535, section 2.7.
    pub fn normalized_path(&self, id: NodeId) -> String {
        let chain = self.ancestors(id);
        let below = chain.iter().skip(1).map(|(node, _)| *node).chain([id]);
        let mut path = String::from("$");
        for ((parent, index), child) in chain.iter().zip(below) {
            match self.kind(*parent) {
                Kind::Object => push_name(&mut path, &self.written_key(child).unwrap_or_default()),
                _ => drop(write!(path, "[{index}]")),
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

    /// Whether the node holds others.
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
