//! `key-value`: a key and a value a line, as an object.
//!
//! The key ends at the first separator: the one that is set, else the first `=` or `:`. White space around keys and
//! values is left out; all values are strings. A key that occurs again is kept, and the last value is the one found.
//! Blank lines, and lines that begin with `#`, are skipped; any other line without a separator makes the text unreadable.
//!
//! ```text
//! Name:   server
//! State:  S (sleeping)
//! # since the start
//! Threads=12
//! Groups:
//! ```
//! ```json
//! {"Name": "server", "State": "S (sleeping)", "Threads": "12", "Groups": ""}
//! ```
//!
//! With `nested`, every separator counts but those in brackets: what stands after the last is the value, each part
//! before it the key of an object in the one before. Lines that begin with the same parts share their objects, whose
//! span goes from the first of these lines to the last. With the separator `::`, the lines `web::[::1]:80::active::2`
//! and `web::limit::10` are `{"web": {"[::1]:80": {"active": "2"}, "limit": "10"}}`.

use std::collections::HashMap;
use std::ops::Range;

use super::pattern::PatternError;
use super::text::{is_blank, lines, room, slice, span, trimmed};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, MAX_DEPTH, ParseError};

/// How keys and values are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyValueOptions {
    separator: Option<String>,
    nested: bool,
}

impl KeyValueOptions {
    /// Options with the text between a key and its value (the first `=` or `:` where there is none), and whether it
    /// separates keys of objects within one another too.
    ///
    /// # Errors
    /// The separator is empty.
    pub fn new(separator: Option<&str>, nested: bool) -> Result<Self, PatternError> {
        if separator == Some("") {
            return Err(PatternError {
                message: "the separator is empty".to_owned(),
                range: 0..0,
            });
        }
        let separator = separator.map(str::to_owned);
        Ok(Self { separator, nested })
    }

    /// The first separator of a line, if the line has one. A blank at its end may be missing at the end of the line.
    fn separator(&self, line: &str) -> Option<Range<usize>> {
        let Some(separator) = &self.separator else {
            return line.find(['=', ':']).map(|at| at..at + 1);
        };
        if let Some(at) = line.find(separator.as_str()) {
            return Some(at..at + separator.len());
        }
        let short = Some(separator.trim_end()).filter(|short| !short.is_empty())?;
        let at = line.trim_end().strip_suffix(short)?.len();
        Some(at..line.len())
    }

    /// The parts between the separators of a line that are in no brackets.
    fn parts(&self, line: &str) -> Vec<Range<usize>> {
        let separator = self.separator.as_deref();
        let here = |rest: &str| match separator {
            Some(separator) => rest.starts_with(separator).then_some(separator.len()),
            None => rest.starts_with(['=', ':']).then_some(1),
        };
        let (mut parts, mut start, mut depth, mut at) = (Vec::new(), 0, 0_usize, 0);
        while let Some((rest, char)) = line.get(at..).and_then(|rest| Some((rest, rest.chars().next()?))) {
            match (here(rest).filter(|_| depth == 0), char) {
                (Some(len), _) => {
                    parts.push(start..at);
                    at += len;
                    start = at;
                    continue;
                }
                (None, '[') => depth += 1,
                (None, ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += char.len_utf8();
        }
        parts.push(start..line.len());
        parts
    }
}

pub(super) fn parse(text: String, options: &KeyValueOptions) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        if options.nested {
            nested(text, options, build)
        } else {
            flat(text, options, build)
        }
    })
}

/// The lines that hold a key.
fn entries(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    lines(text).filter(|line| {
        let written = slice(text, line);
        !is_blank(written) && !written.starts_with('#')
    })
}

fn unseparated<T>(options: &KeyValueOptions, at: usize) -> Parsed<T> {
    let expected = options.separator.as_deref().unwrap_or("=` or `:");
    fault(at, format!("no `{expected}` between a key and a value in this line"))
}

fn flat(text: &str, options: &KeyValueOptions, build: &mut Builder) -> Parsed<()> {
    build.open_object(0);
    for line in entries(text) {
        room(build, line.start)?;
        let Some(separator) = options.separator(slice(text, &line)) else {
            return unseparated(options, line.start);
        };
        let key = trimmed(text, line.start..line.start + separator.start);
        build.key(slice(text, &key), Some(span(&key)));
        build.cell(span(&trimmed(text, line.start + separator.end..line.end)));
    }
    build.close(text.len());
    Ok(())
}

/// A key on the way to values, and what it holds.
struct Branch {
    key: Range<usize>,
    /// From the first line with this key to the last.
    lines: Range<usize>,
    held: Vec<Held>,
}

enum Held {
    Value { key: Range<usize>, value: Range<usize> },
    Branch(usize),
}

/// All keys, the root first.
struct Tree<'t> {
    text: &'t str,
    branches: Vec<Branch>,
    /// Branches by the one that holds them and their key; the default hasher, because keys may be hostile.
    known: HashMap<(usize, &'t str), usize>,
}

fn nested(text: &str, options: &KeyValueOptions, build: &mut Builder) -> Parsed<()> {
    let root = Branch {
        key: 0..0,
        lines: 0..text.len(),
        held: Vec::new(),
    };
    let mut tree = Tree {
        text,
        branches: vec![root],
        known: HashMap::new(),
    };
    for line in entries(text) {
        let mut parts = options.parts(slice(text, &line));
        let ends = parts.pop().zip(parts.pop());
        let Some((value, key)) = ends else {
            return unseparated(options, line.start);
        };
        if parts.len() >= MAX_DEPTH {
            return fault(line.start, format!("keys are nested more than {MAX_DEPTH} deep"));
        }
        let place = |part: Range<usize>| trimmed(text, line.start + part.start..line.start + part.end);
        let mut branch = 0;
        for part in parts {
            branch = tree.branch(branch, place(part), &line);
        }
        let (key, value) = (place(key), place(value));
        if let Some(branch) = tree.branches.get_mut(branch) {
            branch.held.push(Held::Value { key, value });
        }
    }
    tree.emit(build)
}

impl<'t> Tree<'t> {
    /// The branch with this key in another one, new or known.
    fn branch(&mut self, within: usize, key: Range<usize>, line: &Range<usize>) -> usize {
        let name = slice(self.text, &key);
        let new = self.branches.len();
        let found = *self.known.entry((within, name)).or_insert(new);
        if found == new {
            let (lines, held) = (line.clone(), Vec::new());
            self.branches.push(Branch { key, lines, held });
            if let Some(within) = self.branches.get_mut(within) {
                within.held.push(Held::Branch(new));
            }
        } else if let Some(branch) = self.branches.get_mut(found) {
            branch.lines.end = line.end;
        }
        found
    }

    /// Builds the objects, without recursion.
    fn emit(&self, build: &mut Builder) -> Parsed<()> {
        build.open_object(0);
        let mut open = self
            .branches
            .first()
            .map(|root| (root, root.held.iter()))
            .into_iter()
            .collect::<Vec<_>>();
        while let Some((branch, held)) = open.last_mut() {
            match held.next() {
                None => {
                    build.close(branch.lines.end);
                    open.pop();
                }
                Some(Held::Value { key, value }) => {
                    room(build, key.start)?;
                    build.key(slice(self.text, key), Some(span(key)));
                    build.cell(span(value));
                }
                Some(Held::Branch(inner)) => {
                    if let Some(inner) = self.branches.get(*inner) {
                        build.key(slice(self.text, &inner.key), Some(span(&inner.key)));
                        build.open_object(inner.lines.start);
                        open.push((inner, inner.held.iter()));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{check_example, json, read, refusal};
    use super::*;
    use crate::document::{NodeId, Parser};

    fn parser(separator: Option<&str>, nested: bool) -> Parser {
        Parser::KeyValue(KeyValueOptions::new(separator, nested).unwrap())
    }

    #[test]
    fn example() {
        check_example(include_str!("key_value.rs"), &parser(None, false));
    }

    #[test]
    fn a_separator_may_be_set() {
        let doc = read(
            &parser(Some(": "), false),
            "\u{feff}a:b: c: d\r\n x.y : \"1\" \r\nempty:\n\n",
        );
        assert_eq!(json(&doc), json!({"a:b": "c: d", "x.y": "\"1\"", "empty": ""}));
        let value = doc.get(doc.root(), "x.y").unwrap();
        assert_eq!(
            (doc.raw(value), doc.slice(doc.key_span(value).unwrap())),
            ("\"1\"", "x.y")
        );
        let doc = read(&parser(Some(" "), false), "port   22\n");
        assert_eq!(json(&doc), json!({"port": "22"}));
        assert!(KeyValueOptions::new(Some(""), true).is_err());
    }

    #[test]
    fn repeated_keys_are_kept() {
        let doc = read(&parser(None, false), "a=1\na=2\n");
        assert_eq!((doc.len(doc.root()), doc.duplicates().len()), (2, 1));
        assert_eq!(json(&doc), json!({"a": "2"}));
    }

    #[test]
    fn other_texts_are_refused() {
        let words = "line 2, column 1: no `=` or `:` between a key and a value in this line";
        assert_eq!(refusal(&parser(None, false), "a=1\n<html>\n"), words);
        let words = "line 1, column 1: no `::` between a key and a value in this line";
        assert_eq!(refusal(&parser(Some("::"), true), "[a::b]\n"), words);
    }

    #[test]
    fn lines_share_the_objects_of_their_keys() {
        let parser = parser(Some("::"), true);
        let text = "web::[::1]:80::active::2\nweb::limit::10\ndb::limit::1\nweb::[::1]:80::idle::\nweb::limit::\n";
        let doc = read(&parser, text);
        let expected = json!({"web": {"[::1]:80": {"active": "2", "idle": ""}, "limit": ""}, "db": {"limit": "1"}});
        assert_eq!(json(&doc), expected);
        let host = doc.get(doc.get(doc.root(), "web").unwrap(), "[::1]:80").unwrap();
        assert_eq!(doc.raw(host), text.strip_suffix("\nweb::limit::\n").unwrap());
        assert_eq!(doc.slice(doc.key_span(host).unwrap()), "[::1]:80");
        assert_eq!(
            doc.normalized_path(doc.get(host, "idle").unwrap()),
            "$['web']['[::1]:80']['idle']"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let parser = parser(None, true);
        assert_eq!(read(&parser, &"a:".repeat(MAX_DEPTH)).node_count(), MAX_DEPTH + 1);
        let words = "line 1, column 1: keys are nested more than 512 deep";
        assert_eq!(refusal(&parser, &"a:".repeat(MAX_DEPTH + 1)), words);
    }

    proptest! {
        #[test]
        fn no_line_is_lost(text in "(?s)[a-b:=\\[\\] #\r\n\0é]{0,60}", nested: bool, set: bool) {
            let parser = parser(set.then_some("::"), nested);
            let Ok(doc) = parser.parse(text.clone()) else { return Ok(()) };
            crate::document::parser::testing::check_spans(&doc);
            let leaves = doc.subtree(doc.root()).map(NodeId::from_index).filter(|&id| doc.str(id).is_some());
            prop_assert_eq!(leaves.clone().count(), entries(&text).count());
            for id in leaves {
                prop_assert_eq!(doc.str(id).unwrap(), doc.raw(id).trim_ascii());
                let key = doc.slice(doc.key_span(id).unwrap());
                prop_assert_eq!(doc.key(id).unwrap(), key);
            }
        }
    }
}
