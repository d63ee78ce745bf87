//! YAML text to a tree in which every node knows its place.
//!
//! The events come from granit-parser, the parser below serde-saphyr: it tells scalar styles, tags and anchors, and
//! lets us collect all problems of a file where a deserializer stops at the first. What would lose text in silence (a
//! tag in `fail: !x`), or hide where a value comes from (aliases, merge keys), is a problem here.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, options};
use rustc_hash::FxHashMap;

use super::text::{Style, Text};
use crate::diagnostic::{FileId, Place, Problem, Problems, Sources, quoted};

/// Deepest nesting of collections.
const DEEPEST: usize = 64;

/// Most bytes of one file.
pub const LARGEST: usize = 4_000_000;

/// A node of a YAML document.
#[derive(Debug, Clone)]
pub struct Yaml {
    /// The node as written
    pub place: Place,
    /// What to point at when the node as a whole is meant: its key, else the node
    pub head: Place,
    /// What it is
    pub value: Node,
}

/// What a YAML node is.
#[derive(Debug, Clone)]
pub enum Node {
    /// Nothing is written
    Null,
    /// A scalar of any style
    Scalar(Text),
    /// A sequence
    Sequence(Vec<Yaml>),
    /// A mapping, in the order of the file
    Mapping(Vec<(Text, Yaml)>),
    /// Something that cannot be used, as is reported already
    Unusable,
}

impl Yaml {
    /// The keys and what they hold, where the node is a mapping.
    pub fn entries(&self) -> &[(Text, Yaml)] {
        match &self.value {
            Node::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The key of this name and what it holds, where the node is a mapping that has it.
    pub fn entry(&self, name: &str) -> Option<(&Text, &Yaml)> {
        self.entries()
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(key, value)| (key, value))
    }

    /// The key of this name, where the node is a mapping that has it.
    pub fn key(&self, name: &str) -> Option<&Text> {
        self.entry(name).map(|(key, _)| key)
    }

    /// What the key of this name holds, where the node is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Yaml> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Whether nothing is written, or a list or mapping with nothing in it.
    pub fn is_hollow(&self) -> bool {
        match &self.value {
            Node::Null => true,
            Node::Sequence(items) => items.is_empty(),
            Node::Mapping(entries) => entries.is_empty(),
            Node::Scalar(_) | Node::Unusable => false,
        }
    }
}

/// A file that was parsed before: its events, and the values of all its scalars, one after the other.
pub type Events = (&'static [Recorded], &'static str);

/// An event: what it is (a style of scalars, a sequence, a mapping, or the end of these), where it begins and ends, and the length of a
/// scalar's value. It holds no pointer, which the system would have to adjust at every start.
pub type Recorded = (u8, u32, u32, u32);

/// What the first numbers of [`Recorded`] events stand for; `build.rs` has the same.
const STYLES: [Style; 5] = [
    Style::Plain,
    Style::Single,
    Style::Double,
    Style::Literal,
    Style::Folded,
];
const SEQUENCE: u8 = 5;
const MAPPING: u8 = 6;

/// The documents of a file, those with nothing in them included; those from a syntax error on are missing.
pub fn parse(file: FileId, sources: &Sources, problems: &mut Problems) -> Vec<Yaml> {
    let text = &sources.get(file).text;
    if text.len() > LARGEST {
        let message = format!("this file has {} bytes, of which {LARGEST} are allowed", text.len());
        let problem = Problem::error("too-large", Place::new(file, 0, 0), message).label("this file");
        problems.push(problem.help("split it: a rulebook may have several files"));
        return Vec::new();
    }
    Builder::new(file, text, problems).run()
}

/// The documents of a file that was parsed before.
pub fn replay(file: FileId, events: Events, sources: &Sources, problems: &mut Problems) -> Vec<Yaml> {
    Builder::new(file, &sources.get(file).text, problems).replay(events)
}

/// The comments of a file, each with its `#`, in the order of the file; those from a syntax error on are missing.
pub fn comments(file: FileId, sources: &Sources) -> Vec<Place> {
    let options = options! { emit_comments: true, emit_unresolved_aliases: true };
    let events = Parser::new_from_str_with_options(&sources.get(file).text, options).map_while(Result::ok);
    let place = |(event, span): (Event<'_>, Span)| {
        let range = span.byte_range().filter(|_| matches!(event, Event::Comment(..)))?;
        Some(Place::new(file, range.start, range.end))
    };
    events.filter_map(place).collect()
}

struct Builder<'a> {
    file: FileId,
    text: &'a str,
    problems: &'a mut Problems,
    documents: Vec<Yaml>,
    stack: Vec<Frame>,
    /// Whether the node before had a tag, so that its anchor is no further problem
    tagged: bool,
}

/// A collection that is not closed yet.
struct Frame {
    start: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Yaml>),
    Mapping {
        entries: Vec<(Text, Yaml)>,
        seen: FxHashMap<String, Place>,
        next: Next,
    },
    /// A collection with a tag
    Unusable,
}

impl Items {
    fn mapping() -> Self {
        Items::Mapping {
            entries: Vec::new(),
            seen: FxHashMap::default(),
            next: Next::Key,
        }
    }
}

/// What the next node of a mapping is.
enum Next {
    Key,
    ValueOf(Text),
    /// The value of a key that is reported
    Nothing,
}

impl<'a> Builder<'a> {
    fn new(file: FileId, text: &'a str, problems: &'a mut Problems) -> Self {
        Self {
            file,
            text,
            problems,
            documents: Vec::new(),
            stack: Vec::new(),
            tagged: false,
        }
    }

    fn run(mut self) -> Vec<Yaml> {
        let options = options! { emit_comments: false, emit_unresolved_aliases: true, emit_anchor_events: true };
        for event in Parser::new_from_str_with_options(self.text, options) {
            let going = match event {
                Ok((event, span)) => self.event(event, &span),
                Err(error) => self.syntax_error(&error),
            };
            if going.is_none() {
                break;
            }
        }
        self.documents
    }

    fn replay(mut self, (events, mut values): Events) -> Vec<Yaml> {
        for &(kind, start, end, length) in events {
            let (value, others) = values.split_at_checked(length as usize).unwrap_or_default();
            values = others;
            let place = Place::new(self.file, start as usize, end as usize);
            let opened = match (kind, STYLES.get(usize::from(kind))) {
                (_, Some(style)) => {
                    let node = self.scalar(value.to_owned(), *style, place, false);
                    self.add(node);
                    Some(())
                }
                (SEQUENCE, _) => self.open(Items::Sequence(Vec::new()), place),
                (MAPPING, _) => self.open(Items::mapping(), place),
                _ => {
                    self.close(place);
                    Some(())
                }
            };
            if opened.is_none() {
                break;
            }
        }
        self.documents
    }

    /// Takes an event in; `None` where the rest of the file cannot be read.
    fn event(&mut self, event: Event<'_>, span: &Span) -> Option<()> {
        let place = self.place(span);
        match event {
            Event::Scalar(value, style, _, tag) => {
                let tagged = tag.is_some() && self.report_tag(span);
                let node = self.scalar(value.into_owned(), written(style), place, tagged);
                self.add(node);
                self.tagged = tagged;
            }
            Event::SequenceStart(_, _, tag) => {
                self.tagged = tag.is_some() && self.report_tag(span);
                self.open(Items::Sequence(Vec::new()), place)?;
            }
            Event::MappingStart(_, _, tag) => {
                self.tagged = tag.is_some() && self.report_tag(span);
                self.open(Items::mapping(), place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Anchor(..) if !self.tagged => self.report_reference("yaml-anchor", "anchor", '&', span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.report_reference("yaml-alias", "alias", '*', span);
                self.add(Yaml {
                    place,
                    head: place,
                    value: Node::Unusable,
                });
            }
            _ => {}
        }
        Some(())
    }

    fn place(&self, span: &Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        Place::new(self.file, range.start, range.end)
    }

    fn error(&self, code: &'static str, span: &Span, message: impl Into<String>) -> Problem {
        Problem::error(code, self.place(span), message)
    }

    fn scalar(&self, value: String, style: Style, mut place: Place, tagged: bool) -> Yaml {
        if style.is_block() {
            // Their spans reach to the next node; the value has what it needs of the line breaks.
            let written = self.text.get(place.range()).unwrap_or_default();
            let trimmed = match written.trim_end() {
                "" => written.trim_end_matches(['\n', '\r']),
                trimmed => trimmed,
            };
            place = Place::new(self.file, place.range().start, place.range().start + trimmed.len());
        }
        let value = match (place.range().is_empty(), style) {
            _ if tagged => Node::Unusable,
            (true, Style::Plain) => Node::Null,
            _ => Node::Scalar(Text { value, place, style }),
        };
        Yaml {
            place,
            head: place,
            value,
        }
    }

    fn open(&mut self, items: Items, place: Place) -> Option<()> {
        if self.stack.len() >= DEEPEST {
            let message = format!("collections are nested more than {DEEPEST} deep");
            let place = Place::new(self.file, place.range().start, place.range().start + 1);
            let problem = Problem::error("too-deep", place, message).label("one too many opens here");
            self.problems
                .push(problem.help("nothing in a rulebook is nested that deep"));
            return None;
        }
        let items = if self.tagged { Items::Unusable } else { items };
        self.stack.push(Frame {
            start: place.range().start,
            items,
        });
        Some(())
    }

    fn close(&mut self, place: Place) {
        let Some(frame) = self.stack.pop() else { return };
        let closed = place.range();
        // A block collection has no closing mark: it ends where the last of its nodes does.
        let (value, last) = match frame.items {
            Items::Sequence(items) => {
                let last = items.last().map(|item| item.place.range().end);
                (Node::Sequence(items), last)
            }
            Items::Mapping { entries, .. } => {
                let last = entries
                    .last()
                    .map(|(key, value)| value.place.range().end.max(key.place.range().end));
                (Node::Mapping(entries), last)
            }
            Items::Unusable => (Node::Unusable, None),
        };
        let end = if closed.is_empty() {
            last.unwrap_or(frame.start)
        } else {
            closed.end
        };
        let place = Place::new(self.file, frame.start, end);
        self.add(Yaml {
            place,
            head: place,
            value,
        });
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, mut node: Yaml) {
        self.tagged = false;
        let Some(frame) = self.stack.last_mut() else {
            self.documents.push(node);
            return;
        };
        match &mut frame.items {
            Items::Unusable => {}
            Items::Sequence(items) => items.push(node),
            Items::Mapping { entries, seen, next } => {
                *next = match std::mem::replace(next, Next::Key) {
                    Next::Key => key(node, seen, self.problems),
                    Next::Nothing => Next::Key,
                    Next::ValueOf(key) => {
                        node.head = key.place;
                        let hollow = node.place.range().is_empty();
                        if hollow {
                            node.place = key.place;
                        }
                        if let (true, Node::Scalar(text)) = (hollow, &mut node.value) {
                            text.place = key.place;
                        }
                        entries.push((key, node));
                        Next::Key
                    }
                }
            }
        }
    }

    fn report_reference(&mut self, code: &'static str, what: &str, mark: char, span: &Span) {
        let written = quoted(span.slice(self.text).unwrap_or_default());
        let problem = self.error(code, span, format!("{written} is a YAML {what}"));
        let help = format!(
            "write the value wherever it is needed, or share it as an input or a fact; \
             a text that begins with `{mark}` must be quoted"
        );
        self.problems.push(problem.label(format!("an {what}")).help(help));
    }

    fn report_tag(&mut self, span: &Span) -> bool {
        let tag = span.tag_span().unwrap_or(*span);
        let start = self.place(&tag).range().start;
        let name = tag.slice(self.text).unwrap_or_default();
        // The tag and what follows on its line: what the author most likely meant as a text.
        let line = self
            .text
            .get(start..)
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        let meant = match self.place(span).range().end.checked_sub(start) {
            Some(length) if length <= line.len() => line.get(..length).unwrap_or(name),
            _ => name,
        };
        let problem = self.error(
            "yaml-tag",
            &tag,
            format!("{} is a YAML tag, and no part of the value", quoted(name)),
        );
        let help = format!("quote the text: '{}'", meant.replace('\'', "''"));
        self.problems.push(problem.label("a tag").help(help));
        true
    }

    fn syntax_error(&mut self, error: &ScanError) -> Option<()> {
        let start = error.marker().byte_offset().unwrap_or_default();
        let length = self
            .text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        let place = Place::new(self.file, start, start + length);
        let broken_by_alias = self.problems.iter().last().is_some_and(|last| {
            let between = self.text.get(last.place.range().end..start);
            last.code.starts_with("yaml-") && last.place.file == self.file && between.is_some_and(|t| !t.contains('\n'))
        });
        if !broken_by_alias {
            let problem = Problem::error("yaml-syntax", place, error.info()).label("YAML cannot be read from here on");
            self.problems
                .push(problem.maybe_help(remedy(error.kind()).map(str::to_owned)));
        }
        None
    }
}

/// How a scalar is written.
fn written(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

/// What follows a key: its value, or nothing where the key cannot be used.
fn key(node: Yaml, seen: &mut FxHashMap<String, Place>, problems: &mut Problems) -> Next {
    let problem = match node.value {
        Node::Scalar(text) if text.value == "<<" && text.style == Style::Plain => {
            Problem::error("yaml-merge", text.place, "`<<` merges another mapping into this one")
                .label("a merge key")
                .help("write the keys here; what several places need can be an input or a fact")
        }
        Node::Scalar(text) => match seen.get(&text.value) {
            None => {
                seen.insert(text.value.clone(), text.place);
                return Next::ValueOf(text);
            }
            Some(first) => Problem::error(
                "duplicate-key",
                text.place,
                format!("{} is here twice", quoted(&text.value)),
            )
            .label("the second")
            .related(*first, "the first")
            .help("rename or remove one of the two"),
        },
        Node::Unusable => return Next::Nothing,
        Node::Null => Problem::error("yaml-key", node.place, "there is no key before this `:`")
            .label("a key is missing")
            .help("write `key: value`"),
        Node::Sequence(_) | Node::Mapping(_) => Problem::error(
            "yaml-key",
            node.place,
            "a list or a mapping cannot be a key",
        )
        .label("this is a key")
        .help("keys are names; a text with brackets or braces must be quoted, as must one such as `${name}` in braces"),
    };
    problems.push(problem);
    Next::Nothing
}

/// What to do about the common syntax errors.
fn remedy(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MappingValueNotAllowed => {
            "a text that has `: ` in it must be quoted; a key must be indented like the keys beside it"
        }
        ErrorKind::UnexpectedCharacter { .. } => {
            "a text that begins with one of ` @ % , must be quoted; control characters are escaped in double quotes"
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            "inside braces and brackets, a text that has one of { } [ ] , in it must be quoted"
        }
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::InvalidColonPlacement => {
            "close the bracket or brace; a text that begins with one must be quoted"
        }
        ErrorKind::UnclosedQuotedScalar => "close the quote",
        ErrorKind::UnknownQuotedScalarEscape => {
            "write a backslash in double quotes as `\\\\`, or use single quotes, which have no escapes"
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar => {
            "nothing may follow the closing quote; a quote inside single quotes is written twice"
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::MappingKeyNotAllowed => {
            "indent keys like those beside them; quote a text that does not begin with a letter"
        }
        ErrorKind::BlockSequenceEntryNotAllowed => "begin a list on a line of its own, or write it in brackets",
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInPlainScalar => "indent with spaces, not with tabs",
        ErrorKind::MissingAnchorOrAliasName => "a text that begins with `*` or `&` must be quoted",
        ErrorKind::InvalidBlockScalarHeader => {
            "a text after `|` or `>` begins on the next line; one that begins with such a sign must be quoted"
        }
        _ => return None,
    })
}
