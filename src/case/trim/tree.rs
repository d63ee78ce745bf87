//! JSON cut down by members and elements.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::document::{Document, Kind, NodeId, json};
use crate::engine::ItemRead;

use super::drop_what_can_go;

/// Longest line that is not broken, in bytes.
const LINE: usize = 110;

/// A JSON text as its nodes, in document order.
pub(super) struct Tree {
    nodes: Vec<Node>,
}

struct Node {
    /// Its name in its object, as JSON.
    key: Option<String>,
    span: Range<usize>,
    content: Content,
}

enum Content {
    Leaf(String),
    List(Vec<usize>),
    Object(Vec<usize>),
}

impl Tree {
    /// Reads a JSON text; none where it is none.
    pub(super) fn parse(text: &str) -> Option<Tree> {
        let document = json::parse(text.to_owned(), &json::Options::default()).ok()?;
        let mut tree = Tree { nodes: Vec::new() };
        tree.add(&document, document.root(), None);
        Some(tree)
    }

    fn add(&mut self, document: &Document, id: NodeId, key: Option<String>) -> usize {
        let at = self.nodes.len();
        let span = document.span(id).range();
        self.nodes.push(Node {
            key,
            span,
            content: Content::Leaf(String::new()),
        });
        let content = match document.kind(id) {
            Kind::Object => {
                let members: Vec<NodeId> = document.children(id).collect();
                let member = |child: NodeId| {
                    let key = document.key(child).unwrap_or_default();
                    let key = serde_json::to_string(key).unwrap_or_default();
                    self.add(document, child, Some(key))
                };
                Content::Object(members.into_iter().map(member).collect())
            }
            Kind::Array => {
                let items: Vec<NodeId> = document.children(id).collect();
                Content::List(items.into_iter().map(|child| self.add(document, child, None)).collect())
            }
            _ => Content::Leaf(document.raw(id).to_owned()),
        };
        if let Some(node) = self.nodes.get_mut(at) {
            node.content = content;
        }
        at
    }

    fn children(&self, at: usize) -> &[usize] {
        match self.nodes.get(at).map(|node| &node.content) {
            Some(Content::List(children) | Content::Object(children)) => children,
            _ => &[],
        }
    }

    /// The topmost nodes that nothing points into.
    fn untouched(&self, at: usize, read: &ItemRead, found: &mut Vec<Vec<usize>>) {
        for &child in self.children(at) {
            match self.nodes.get(child).is_some_and(|node| read.touches(&node.span)) {
                true => self.untouched(child, read, found),
                false => found.push(vec![child]),
            }
        }
    }

    /// The text without what is dropped: what fits on a line stands on one.
    fn text(&self, dropped: &[bool]) -> String {
        let mut text = String::new();
        self.write(0, dropped, 0, &mut text);
        text.push('\n');
        text
    }

    fn write(&self, at: usize, dropped: &[bool], indent: usize, out: &mut String) {
        let Some(node) = self.nodes.get(at) else { return };
        let (children, open, close) = match &node.content {
            Content::Leaf(raw) => return out.push_str(raw),
            Content::List(children) => (children, '[', ']'),
            Content::Object(children) => (children, '{', '}'),
        };
        let kept: Vec<usize> = children
            .iter()
            .copied()
            .filter(|child| !dropped.get(*child).is_some_and(|d| *d))
            .collect();
        let short = self.length(at, dropped) + indent <= LINE;
        out.push(open);
        for (nth, child) in kept.iter().enumerate() {
            if nth > 0 {
                out.push(',');
            }
            match short {
                true if nth > 0 => out.push(' '),
                true => {}
                false => out.push_str(&format!("\n{:1$}", "", indent + 2)),
            }
            if let Some(key) = self.nodes.get(*child).and_then(|node| node.key.as_ref()) {
                out.push_str(key);
                out.push_str(": ");
            }
            self.write(*child, dropped, indent + 2, out);
        }
        if !short && !kept.is_empty() {
            out.push_str(&format!("\n{:indent$}", ""));
        }
        out.push(close);
    }

    /// Length on one line, or more than a line's.
    fn length(&self, at: usize, dropped: &[bool]) -> usize {
        let Some(node) = self.nodes.get(at) else { return 0 };
        if let Content::Leaf(raw) = &node.content {
            return raw.len();
        }
        let mut length = 2;
        for &child in self
            .children(at)
            .iter()
            .filter(|child| !dropped.get(**child).is_some_and(|d| *d))
        {
            let key = self
                .nodes
                .get(child)
                .and_then(|node| node.key.as_ref())
                .map_or(0, |key| key.len() + 2);
            length += key + 2 + self.length(child, dropped);
            if length > LINE {
                break;
            }
        }
        length
    }
}

/// Cuts a tree down: first what nothing points into, then, from the top down, the members of one name in all objects of a sort.
pub(super) fn cut(tree: Tree, read: &ItemRead, tried: &mut dyn FnMut(String) -> bool) {
    let mut dropped = vec![false; tree.nodes.len()];
    if !tried(tree.text(&dropped)) {
        return;
    }
    let mut tried = |dropped: &[bool]| tried(tree.text(dropped));
    let mut free = Vec::new();
    tree.untouched(0, read, &mut free);
    drop_what_can_go(&free, &mut dropped, &mut tried);
    let mut level: BTreeMap<String, Vec<usize>> = BTreeMap::from([(String::new(), vec![0])]);
    while !level.is_empty() {
        let (mut below, mut members) = (BTreeMap::<String, Vec<usize>>::new(), Vec::<String>::new());
        for (path, nodes) in &level {
            for child in nodes
                .iter()
                .flat_map(|node| tree.children(*node))
                .filter(|child| !dropped[**child])
            {
                let key = tree.nodes[*child].key.as_deref();
                let pattern = format!("{path}/{}", key.unwrap_or("*"));
                if key.is_some() && !below.contains_key(&pattern) {
                    members.push(pattern.clone());
                }
                below.entry(pattern).or_default().push(*child);
            }
        }
        let groups: Vec<Vec<usize>> = members
            .iter()
            .filter_map(|pattern| below.get(pattern).cloned())
            .collect();
        drop_what_can_go(&groups, &mut dropped, &mut tried);
        for nodes in below.values_mut() {
            nodes.retain(|node| !dropped[*node]);
        }
        below.retain(|_, nodes| !nodes.is_empty());
        level = below;
    }
}
