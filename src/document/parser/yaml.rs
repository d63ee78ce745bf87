//! `yaml`: YAML 1.2, as written; several documents are an array.
//!
//! Plain scalars have the types of YAML's core schema (`true`, `null`, `0x1f`, `1e3`; `yes` is a string), others are
//! strings; the infinities and `.nan`, for which JSON has no number, are strings too. Of tags only the core schema's
//! count. Keys are the text of scalars, whatever their type: lists and mappings cannot be keys. A key that occurs again
//! is kept, and the last value is the one found. `<<` is a key like others. Documents in which nothing stands are left
//! out.
//!
//! An alias gives what its anchor holds; the spans of all that are the alias, the place where it is used. What aliases
//! repeat is limited by the size of the text.
//!
//! ```text
//! name: web        # the first
//! ports: [80, 0x1f]
//! limits: &limits
//!   memory: '1Gi'
//! note: |
//!   two
//!   lines
//! ---
//! - ~
//! - 010
//! ```
//! ```json
//! [
//!   {"name": "web", "ports": [80, 31], "limits": {"memory": "1Gi"}, "note": "two\nlines\n"},
//!   [null, 10]
//! ]
//! ```

use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span as Place, StructureStyle, Tag, options};
use rustc_hash::FxHashMap;

use super::text::{is_json_number, room, slice, span};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, MAX_DEPTH, NodeId, ParseError, Stored, inside_quotes};

/// Bytes that aliases may repeat in any text, however small, and times the size of the text that they may in a large one.
const REPEATED: (usize, usize) = (1 << 16, 4);

/// Bytes of a node, for what aliases repeat.
const NODE: usize = 16;

pub(super) fn parse(text: String) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        build.open_array(0);
        let mut reader = Reader {
            text,
            build,
            open: Vec::new(),
            anchors: FxHashMap::default(),
            end: 0,
            repeated: 0,
        };
        let options = options! {
            emit_comments: false, flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH
        };
        for event in Parser::new_from_str_with_options(text, options) {
            match event {
                Ok((event, place)) => reader.event(event, &place)?,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or_default();
                    return fault(at.min(text.len()), wrong(&error));
                }
            }
        }
        build.close(text.len());
        build.unwrap_root();
        Ok(())
    })
}

/// What is wrong, in words.
fn wrong(error: &ScanError) -> String {
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(),
        _ => error.info().to_owned(),
    }
}

fn too_deep() -> String {
    format!("lists and mappings are nested more than {MAX_DEPTH} deep")
}

/// A collection that is not closed yet.
struct Open {
    node: NodeId,
    /// Whether the next node is a key; nothing in a sequence.
    key: Option<bool>,
    flow: bool,
}

/// What an anchor stands at.
enum Anchor {
    Node(NodeId),
    Key(String),
}

struct Reader<'t, 'b> {
    text: &'t str,
    build: &'b mut Builder,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Anchor>,
    /// Where the last node ends.
    end: usize,
    /// Bytes that aliases have repeated.
    repeated: usize,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>, place: &Place) -> Parsed<()> {
        let range = place.byte_range().unwrap_or_default();
        room(self.build, range.start)?;
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(&Scalar::new(self.text, &value, style, tag.as_deref(), range), anchor)
            }
            Event::SequenceStart(style, anchor, _) => self.start(None, style, anchor, range.start),
            Event::MappingStart(style, anchor, _) => self.start(Some(true), style, anchor, range.start),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(range.end);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, range),
            Event::DocumentStart(..) => {
                self.end = range.end;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the next node is a key; if not, what follows it is one.
    fn is_key(&mut self) -> bool {
        let key = self.open.last_mut().and_then(|open| open.key.as_mut());
        key.is_some_and(|key| {
            *key = !*key;
            !*key
        })
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, anchor: usize) -> Parsed<()> {
        if self.is_key() {
            self.key(scalar.key(), &scalar.range, anchor);
            return Ok(());
        }
        if self.open.is_empty() && scalar.range.is_empty() && scalar.plain && anchor == 0 {
            return Ok(());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, Anchor::Node(self.build.next_node()));
        }
        scalar.push(self.build);
        self.end = self.end.max(scalar.range.end);
        Ok(())
    }

    fn key(&mut self, key: &str, range: &Range<usize>, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchor::Key(key.to_owned()));
        }
        self.build.key(key, Some(span(range)));
        self.end = self.end.max(range.end);
    }

    fn start(&mut self, key: Option<bool>, style: StructureStyle, anchor: usize, start: usize) -> Parsed<()> {
        if self.is_key() {
            return fault(start, "a list or a mapping is a key here, which only scalars can be");
        }
        if self.build.depth() > MAX_DEPTH {
            return fault(start, too_deep());
        }
        let node = self.build.next_node();
        if anchor > 0 {
            self.anchors.insert(anchor, Anchor::Node(node));
        }
        let flow = style == StructureStyle::Flow;
        let start = if key.is_none() && !flow {
            self.first_dash(start)
        } else {
            start
        };
        match key {
            None => self.build.open_array(start),
            Some(_) => self.build.open_object(start),
        }
        self.open.push(Open { node, key, flow });
        Ok(())
    }

    /// Where a block sequence begins that was found here: at its first dash, not behind it.
    fn first_dash(&self, found: usize) -> usize {
        let before = slice(self.text, &(0..found)).trim_end_matches([' ', '\t']);
        let there = slice(self.text, &(found..self.text.len())).starts_with('-');
        if !there && before.ends_with('-') && before.len() > self.end {
            before.len() - 1
        } else {
            found
        }
    }

    fn close(&mut self, end: usize) {
        if let Some(open) = self.open.pop() {
            // A block collection has no closing mark: it ends where the last of its nodes does.
            self.end = if open.flow { end } else { self.end };
            self.build.close(self.end);
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Parsed<()> {
        let is_key = self.is_key();
        match self.anchors.get(&anchor) {
            Some(Anchor::Key(text)) if is_key => {
                let text = text.clone();
                self.key(&text, &range, 0);
            }
            Some(Anchor::Key(text)) => self.build.computed_string(text.as_str(), span(&range)),
            Some(Anchor::Node(node)) if is_key => match self.build.scalar_text(*node, self.text) {
                Some(text) => self.key(&text, &range, 0),
                None => {
                    return fault(
                        range.start,
                        "a list or a mapping is a key here, which only scalars can be",
                    );
                }
            },
            Some(Anchor::Node(node)) => self.repeat(*node, &range)?,
            None => return fault(range.start, "an alias without an anchor"),
        }
        self.end = range.end;
        Ok(())
    }

    fn repeat(&mut self, node: NodeId, range: &Range<usize>) -> Parsed<()> {
        if self.open.iter().any(|open| open.node == node) {
            return fault(range.start, "an alias to what it stands in");
        }
        let size = self.build.size(node);
        if self.build.depth() + size.depth > MAX_DEPTH + 1 {
            return fault(range.start, too_deep());
        }
        self.repeated += size.nodes * NODE + size.bytes;
        let (least, times) = REPEATED;
        if self.repeated > least.max(self.text.len().saturating_mul(times)) {
            return fault(range.start, "aliases repeat far more than the text has");
        }
        self.build.copy(node, self.text, span(range));
        Ok(())
    }
}

/// A scalar as written.
struct Scalar<'a> {
    value: &'a str,
    /// How it is written, with its quotes.
    written: &'a str,
    range: Range<usize>,
    plain: bool,
    /// Whether quotes stand around it.
    quoted: bool,
    /// Whether it has a type other than a string.
    typed: bool,
}

impl<'a> Scalar<'a> {
    fn new(text: &'a str, value: &'a str, style: ScalarStyle, tag: Option<&Tag>, range: Range<usize>) -> Self {
        let plain = style == ScalarStyle::Plain;
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let written = slice(text, &range);
        // The spans of block scalars reach to the next node.
        let written = if plain || quoted { written } else { written.trim_end() };
        let typed = match tag {
            None => plain,
            Some(tag) => matches!(tag.core_suffix(), Some("null" | "bool" | "int" | "float")),
        };
        // What is not there at all comes as a tilde.
        let value = if written.is_empty() && plain { "" } else { value };
        Self {
            value,
            written,
            range: range.start..range.start + written.len(),
            plain,
            quoted,
            typed,
        }
    }

    fn key(&self) -> &str {
        self.value
    }

    fn push(&self, build: &mut Builder) {
        let place = span(&self.range);
        match Type::of(self.value).filter(|_| self.typed) {
            Some(Type::Null) => build.null(place),
            Some(Type::Bool(value)) => build.bool(value, place),
            Some(Type::Number) if self.written == self.value => build.number(place),
            Some(Type::Number) => build.computed_number(self.value, place),
            Some(Type::Computed(number)) => build.computed_number(number, place),
            None if self.quoted && inside_quotes(self.written) == self.value => {
                build.push(Stored::Plain, self.range.start, self.range.end);
            }
            None if self.written == self.value => build.cell(place),
            None => build.computed_string(self.value, place),
        }
    }
}

/// What a plain scalar is in the core schema, if it is no string.
#[derive(Debug, PartialEq)]
enum Type {
    Null,
    Bool(bool),
    /// A number as JSON writes it.
    Number,
    /// The JSON text of another number.
    Computed(String),
}

impl Type {
    fn of(text: &str) -> Option<Self> {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Some(Type::Null),
            "true" | "True" | "TRUE" => Some(Type::Bool(true)),
            "false" | "False" | "FALSE" => Some(Type::Bool(false)),
            _ if is_json_number(text) => Some(Type::Number),
            _ => computed(text).map(Type::Computed),
        }
    }
}

/// The JSON text of a number that JSON writes in another way.
fn computed(text: &str) -> Option<String> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text
            .strip_prefix(prefix)
            .filter(|digits| !digits.starts_with(['+', '-']))
        {
            return u128::from_str_radix(digits, radix)
                .ok()
                .map(|number| number.to_string());
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = unsigned.trim_start_matches('0');
        return Some(format!("{sign}{}", if digits.is_empty() { "0" } else { digits }));
    }
    let float = unsigned
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let number: f64 = unsigned.parse().ok().filter(|_| float)?;
    number.is_finite().then(|| format!("{sign}{number:?}"))
}

#[cfg(test)]
mod tests;
