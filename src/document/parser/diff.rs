//! `diff`: a unified diff, and the lines around it, as an array.
//!
//! A file is an object with `old` and `new` (names as written, without a time that a tab separates) and `hunks`. A hunk
//! has the numbers `old_start`, `old_count`, `new_start` and `new_count`, perhaps a `section`, and `lines`, each with
//! its `sign` (`+`, `-` or a blank) and `text`. What stands between files is an object a line with the member `text`;
//! blank lines there and remarks on missing line feeds are left out. A hunk that ends too early makes the text
//! unreadable.
//!
//! ```text
//! Settings differ:
//! --- wanted
//! +++ found
//! @@ -1,2 +1,2 @@ main
//!  name: web
//! -size: 3
//! +size: 2
//! Names match
//! ```
//! ```json
//! [
//!   {"text": "Settings differ:"},
//!   {"old": "wanted", "new": "found", "hunks": [
//!     {"old_start": 1, "old_count": 2, "new_start": 1, "new_count": 2, "section": "main", "lines": [
//!       {"sign": " ", "text": "name: web"}, {"sign": "-", "text": "size: 3"}, {"sign": "+", "text": "size: 2"}]}]},
//!   {"text": "Names match"}
//! ]
//! ```

use std::iter::Peekable;
use std::ops::Range;

use super::text::{body, is_blank, is_json_number, lines, room, slice, span, trimmed};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, ParseError};

pub(super) fn parse(text: String) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        build.open_array(body(text));
        let lines = lines(text).peekable();
        let mut reader = Reader { text, lines, build };
        while let Some(line) = reader.lines.next() {
            reader.item(line)?;
        }
        build.close(text.len());
        Ok(())
    })
}

struct Reader<'t, 'b, I: Iterator<Item = Range<usize>>> {
    text: &'t str,
    lines: Peekable<I>,
    build: &'b mut Builder,
}

impl<I: Iterator<Item = Range<usize>>> Reader<'_, '_, I> {
    fn next_starts_with(&mut self, start: &str) -> bool {
        let text = self.text;
        self.lines
            .peek()
            .is_some_and(|line| slice(text, line).starts_with(start))
    }

    /// A file or a line between files.
    fn item(&mut self, line: Range<usize>) -> Parsed<()> {
        let written = slice(self.text, &line);
        room(self.build, line.start)?;
        if written.starts_with("--- ") && self.next_starts_with("+++ ") {
            return self.file(line);
        }
        if written.starts_with("@@ -") {
            return fault(line.start, "a hunk without the names of its files");
        }
        if !is_blank(written) {
            self.build.open_object(line.start);
            self.build.key("text", None);
            self.build.cell(span(&line));
            self.build.close(line.end);
        }
        Ok(())
    }

    fn file(&mut self, old: Range<usize>) -> Parsed<()> {
        let new = self.lines.next().unwrap_or_default();
        let mut end = new.end;
        self.build.open_object(old.start);
        for (key, line) in [("old", old), ("new", new)] {
            let name = line.start + 4..line.end;
            let len = slice(self.text, &name).find('\t').unwrap_or(name.len());
            self.build.key(key, None);
            self.build.cell(span(&(name.start..name.start + len)));
        }
        self.build.key("hunks", None);
        self.build.open_array(end);
        while self.next_starts_with("@@ -") {
            let line = self.lines.next().unwrap_or_default();
            end = self.hunk(line)?;
        }
        self.build.close(end);
        self.build.close(end);
        Ok(())
    }

    /// Reads a hunk from its first line on; where it ends.
    fn hunk(&mut self, line: Range<usize>) -> Parsed<usize> {
        self.build.open_object(line.start);
        let (mut old, mut new) = self.head(&line)?;
        let mut end = line.end;
        self.build.key("lines", None);
        self.build.open_array(end);
        while old > 0 || new > 0 {
            let Some(line) = self.lines.next() else {
                return fault(self.text.len(), "the hunk is longer than the text");
            };
            let sign = slice(self.text, &line).bytes().next().unwrap_or(b' ');
            let (from_old, from_new) = match sign {
                b' ' => (1, 1),
                b'-' => (1, 0),
                b'+' => (0, 1),
                b'\\' => continue,
                _ => (u64::MAX, 0),
            };
            let Some(left) = old.checked_sub(from_old).zip(new.checked_sub(from_new)) else {
                return fault(line.start, "the hunk above has fewer lines than it says");
            };
            (old, new) = left;
            end = line.end;
            self.line(line)?;
        }
        if self.next_starts_with("\\") {
            self.lines.next();
        }
        self.build.close(end);
        self.build.close(end);
        Ok(end)
    }

    /// Reads `@@ -1,2 +1,2 @@ section`; the lines that follow, old and new.
    fn head(&mut self, line: &Range<usize>) -> Parsed<(u64, u64)> {
        let wrong = || fault(line.start, "expected the head of a hunk, as in `@@ -1,2 +1,2 @@`");
        let written = slice(self.text, line);
        let Some((ranges, section)) = written.strip_prefix("@@ -").and_then(|rest| rest.split_once(" @@")) else {
            return wrong();
        };
        let Some((old, new)) = ranges.split_once(" +") else {
            return wrong();
        };
        let at = line.start + 4;
        let old = self.lines_of(["old_start", "old_count"], at..at + old.len());
        let new = self.lines_of(
            ["new_start", "new_count"],
            line.start + 4 + ranges.len() - new.len()..at + ranges.len(),
        );
        let section = trimmed(self.text, line.end - section.len()..line.end);
        if !section.is_empty() {
            self.build.key("section", None);
            self.build.cell(span(&section));
        }
        old.zip(new).map_or_else(wrong, Ok)
    }

    /// Reads `1,2`, or `1`, which is short for `1,1`; the second number.
    fn lines_of(&mut self, keys: [&str; 2], range: Range<usize>) -> Option<u64> {
        let comma = slice(self.text, &range).find(',').map(|at| range.start + at);
        let first = range.start..comma.unwrap_or(range.end);
        let second = comma.map_or(range.end, |comma| comma + 1)..range.end;
        let [start, count] = keys;
        self.number(start, &first)?;
        if comma.is_some() {
            return self.number(count, &second);
        }
        self.build.key(count, None);
        self.build.computed_number("1", span(&second));
        Some(1)
    }

    fn number(&mut self, key: &str, range: &Range<usize>) -> Option<u64> {
        let written = slice(self.text, range);
        let number = written.parse().ok().filter(|_| is_json_number(written))?;
        self.build.key(key, None);
        self.build.number(span(range));
        Some(number)
    }

    fn line(&mut self, line: Range<usize>) -> Parsed<()> {
        room(self.build, line.start)?;
        // Some tools cut the blank off a line that has nothing else.
        let sign = line.start..(line.start + 1).min(line.end);
        self.build.open_object(line.start);
        self.build.key("sign", None);
        if sign.is_empty() {
            self.build.computed_string(" ", span(&sign));
        } else {
            self.build.cell(span(&sign));
        }
        self.build.key("text", None);
        self.build.cell(span(&(sign.end..line.end)));
        self.build.close(line.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{check_example, check_rows, json, read, refusal};
    use crate::document::Parser;

    #[test]
    fn example() {
        check_example(include_str!("diff.rs"), &Parser::Diff);
    }

    #[test]
    fn signs_and_names_that_look_alike() {
        let text = "\u{feff}diff -u a b\r\n--- a b\t2024-01-01 00:00\r\n+++ c\r\n@@ -1,3 +1 @@\r\n--- x\r\n-+++ y\r\n\r\n\
                    \\ No newline at end of file\r\n@@ -9,0 +8 @@ f()\r\n++\r\n\\ No newline at end of file\r\n\r\n--- alone\r\n";
        let doc = read(&Parser::Diff, text);
        let expected = json!([{"text": "diff -u a b"}, {"old": "a b", "new": "c", "hunks": [
            {"old_start": 1, "old_count": 3, "new_start": 1, "new_count": 1, "lines": [
                {"sign": "-", "text": "-- x"}, {"sign": "-", "text": "+++ y"}, {"sign": " ", "text": ""}]},
            {"old_start": 9, "old_count": 0, "new_start": 8, "new_count": 1, "section": "f()", "lines": [
                {"sign": "+", "text": "+"}]}]}, {"text": "--- alone"}]);
        assert_eq!(json(&doc), expected);
        check_rows(&doc, doc.root());
    }

    #[test]
    fn hunks_must_be_whole() {
        let hunk = "--- a\n+++ b\n@@ -1,2 +1 @@\n x\n";
        assert_eq!(
            refusal(&Parser::Diff, hunk),
            "line 5, column 1: the hunk is longer than the text"
        );
        let words = "line 5, column 1: the hunk above has fewer lines than it says";
        assert_eq!(refusal(&Parser::Diff, &format!("{hunk}+y\n")), words);
        assert_eq!(refusal(&Parser::Diff, &format!("{hunk}y\n")), words);
        assert_eq!(
            refusal(&Parser::Diff, "@@ -1 +1 @@\n"),
            "line 1, column 1: a hunk without the names of its files"
        );
        for head in [
            "@@ -1",
            "@@ -1 @@",
            "@@ -x +1 @@",
            "@@ -1,+2 @@",
            "@@ -1 +01 @@",
            "@@ -1 +99999999999999999999 @@",
        ] {
            let words = "line 3, column 1: expected the head of a hunk, as in `@@ -1,2 +1,2 @@`";
            assert_eq!(
                refusal(&Parser::Diff, &format!("--- a\n+++ b\n{head}\n")),
                words,
                "{head}"
            );
        }
    }

    proptest! {
        #[test]
        fn rows_lie_in_order(text in "(?s)([-+ @a\\\\]{0,3}|--- a|\\+\\+\\+ b|@@ -1(,[0-3])? \\+1(,[0-3])? @@|\r?\n|é){0,20}") {
            if let Ok(doc) = Parser::Diff.parse(text) {
                check_rows(&doc, doc.root());
            }
        }
    }
}
