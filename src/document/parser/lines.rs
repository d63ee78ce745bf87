//! `lines`: lines or records of a text, as an array.
//!
//! Without patterns each line is a string. With patterns each row is an object: the named groups of the first pattern
//! that matches become its members (a group that takes no part is not there), and a row that no pattern matches has the
//! single member `unmatched`, so that `$[?@.unmatched]` finds and counts those rows. All values are strings.
//!
//! Blank lines are no rows. With `record`, a row begins at each line that this pattern matches, and the lines that
//! follow, blank ones between them too, continue it; what stands before the first is a row of its own. The span of a
//! row is the whole record, and a pattern sees all of it: `.` does not match the line feeds in it unless it is written
//! `(?s:.)`, and `$` is the end of the record.
//!
//! With `record: ^\d` and the pattern `^(?<time>\S+) (?<level>[a-z]+) (?<text>(?s:.*))$`:
//!
//! ```text
//! 10:00 info up
//! 10:01 error cannot open:
//!   no such file
//! 10:02 ???
//! ```
//! ```json
//! [
//!   {"time": "10:00", "level": "info", "text": "up"},
//!   {"time": "10:01", "level": "error", "text": "cannot open:\n  no such file"},
//!   {"unmatched": "10:02 ???"}
//! ]
//! ```

use std::cmp::Reverse;
use std::ops::Range;

use regex::CaptureLocations;

use super::pattern::{Pattern, UNMATCHED};
use super::text::{body, is_blank, lines, push_lines, room, slice};
use crate::document::reading::{Parsed, read};
use crate::document::{Builder, Document, Name, ParseError};

/// How lines are taken apart.
#[derive(Debug, Clone, Default)]
pub struct LinesOptions {
    /// What a line matches that begins a record; where it is not set, every line is one.
    pub record: Option<Pattern>,
    /// Patterns whose groups become members ([`Pattern::with_groups`]); the first that matches counts.
    pub fields: Vec<Pattern>,
}

pub(super) fn parse(text: String, options: &LinesOptions) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        let mut rows = Rows::new(text, &options.fields, build);
        match &options.record {
            None => lines(text).try_for_each(|line| rows.push(line))?,
            Some(record) => each_record(text, record, |range| rows.push(range))?,
        }
        build.close(text.len());
        Ok(())
    })
}

/// Calls a function for each record, from the line that begins it to the last that is not blank.
fn each_record(text: &str, begins: &Pattern, mut push: impl FnMut(Range<usize>) -> Parsed<()>) -> Parsed<()> {
    let mut record: Option<Range<usize>> = None;
    for line in lines(text) {
        let written = slice(text, &line);
        if is_blank(written) {
            continue;
        }
        match &mut record {
            Some(open) if !begins.is_match(written) => open.end = line.end,
            _ => record.replace(line).map_or(Ok(()), &mut push)?,
        }
    }
    record.map_or(Ok(()), push)
}

/// Turns records into rows.
struct Rows<'t, 'b> {
    text: &'t str,
    /// The patterns, each with what it needs once it was tried.
    fields: Vec<(&'b Pattern, Option<Fields>)>,
    unmatched: Name,
    /// The groups of the row at hand.
    groups: Vec<(Range<usize>, Name)>,
    build: &'b mut Builder,
}

/// What a pattern needs for a parse.
struct Fields {
    places: CaptureLocations,
    /// The named groups.
    names: Vec<(usize, Name)>,
}

impl Fields {
    fn new(pattern: &Pattern, build: &mut Builder) -> Self {
        let names = pattern.regex().capture_names().enumerate();
        Self {
            names: names
                .filter_map(|(group, name)| Some((group, build.name(name?))))
                .collect(),
            places: pattern.regex().capture_locations(),
        }
    }
}

impl<'t, 'b> Rows<'t, 'b> {
    fn new(text: &'t str, patterns: &'b [Pattern], build: &'b mut Builder) -> Self {
        build.open_array(body(text));
        Self {
            text,
            fields: patterns.iter().map(|pattern| (pattern, None)).collect(),
            unmatched: build.name(UNMATCHED),
            groups: Vec::new(),
            build,
        }
    }

    fn push(&mut self, record: Range<usize>) -> Parsed<()> {
        let written = slice(self.text, &record);
        if is_blank(written) {
            return Ok(());
        }
        room(self.build, record.start)?;
        if self.fields.is_empty() {
            push_lines(self.build, self.text, &record);
            return Ok(());
        }
        self.groups.clear();
        // Most texts are in one of several formats: the patterns of the others stay uncompiled.
        let build = &mut *self.build;
        let found = self.fields.iter_mut().find_map(|(pattern, fields)| {
            let fields = fields.get_or_insert_with(|| Fields::new(pattern, build));
            let found = pattern.regex().captures_read(&mut fields.places, written);
            found.map(|_| &*fields)
        });
        match found {
            None => self.groups.push((record.clone(), self.unmatched)),
            Some(fields) => {
                let found = fields.names.iter().filter_map(|&(group, name)| {
                    let (start, end) = fields.places.get(group)?;
                    Some((record.start + start..record.start + end, name))
                });
                self.groups.extend(found);
                // A repeated group may have taken its last part from behind a later one.
                self.groups.sort_by_key(|(range, _)| (range.start, Reverse(range.end)));
            }
        }
        self.build.open_object(record.start);
        for (range, name) in &self.groups {
            self.build.member(*name);
            push_lines(self.build, self.text, range);
        }
        self.build.close(record.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{check_example, check_rows, json, read};
    use super::*;
    use crate::document::{NodeId, Parser};
    use crate::path::Path;

    fn parser(record: Option<&str>, fields: &[&str]) -> Parser {
        Parser::Lines(LinesOptions {
            record: record.map(|record| Pattern::new(record).unwrap()),
            fields: fields
                .iter()
                .map(|pattern| Pattern::with_groups(pattern).unwrap())
                .collect(),
        })
    }

    #[test]
    fn example() {
        let fields = r"^(?<time>\S+) (?<level>[a-z]+) (?<text>(?s:.*))$";
        check_example(include_str!("lines.rs"), &parser(Some(r"^\d"), &[fields]));
    }

    #[test]
    fn without_patterns_lines_are_strings() {
        let doc = read(&parser(None, &[]), "\u{feff}a\r\n\n  b \n \t\r\nc");
        assert_eq!(json(&doc), json!(["a", "  b ", "c"]));
        let doc = read(&parser(Some("^[a-z]"), &[]), " x\r\na\r\n b\r\n\r\nc\r\n\r\n  d\n\n");
        assert_eq!(json(&doc), json!([" x", "a\n b", "c\n\n  d"]));
        assert_eq!(doc.raw(doc.at(doc.root(), 2).unwrap()), "c\r\n\r\n  d");
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        let both = parser(None, &[r"^(?<n>\d+)(?:-(?<m>\d+))?$", r"^(?<word>\w+)"]);
        let doc = read(&both, "12\nab c\n1-2\n-\n");
        let expected = json!([{"n": "12"}, {"word": "ab"}, {"n": "1", "m": "2"}, {"unmatched": "-"}]);
        assert_eq!(json(&doc), expected);
        let found = Path::parse("$[?@.unmatched]").unwrap().select(&doc, doc.root());
        assert_eq!(found, [doc.at(doc.root(), 3).unwrap()]);
        let row = doc.at(doc.root(), 1).unwrap();
        assert_eq!(doc.raw(row), "ab c", "the span of a row is the whole record");
        assert_eq!(doc.normalized_path(doc.get(row, "word").unwrap()), "$[1]['word']");
    }

    #[test]
    fn groups_stand_in_the_order_of_the_text() {
        let doc = read(&parser(None, &["^(?<all>(?:(?<x>x)|(?<y>y))*)$"]), "yx\nxy\n");
        let keys = |row| doc.children(row).filter_map(|id| doc.key(id)).collect::<Vec<_>>();
        let rows: Vec<_> = doc.children(doc.root()).map(keys).collect();
        assert_eq!(rows, [["all", "y", "x"], ["all", "x", "y"]]);
    }

    #[test]
    fn a_pattern_with_many_ways_to_match_is_no_trap() {
        let doc = read(&parser(None, &["^(?<a>(?:x+x+)+)y$"]), &"x".repeat(50_000));
        assert_eq!(doc.node_count(), 3);
    }

    proptest! {
        #[test]
        fn rows_lie_in_order(text in "(?s)[a-c0-1 :\r\n\0é]{0,60}", record in any::<bool>()) {
            let parser = parser(record.then_some(r"^\d"), &[r"^(?<n>\d+)(?<rest>.*)", r"(?s)(?<k>\w+): ?(?<v>.*)"]);
            let doc = read(&parser, &text);
            check_rows(&doc, doc.root());
            let held: usize = doc.children(doc.root()).map(|row| doc.raw(row).lines().filter(|line| !is_blank(line)).count()).sum();
            prop_assert_eq!(held, text.lines().filter(|line| !is_blank(line)).count(), "no line is lost");
            for id in doc.subtree(doc.root()).map(NodeId::from_index).filter(|&id| doc.str(id).is_some()) {
                prop_assert_eq!(doc.str(id).unwrap(), doc.raw(id).replace("\r\n", "\n"));
            }
        }
    }
}
