//! Labels and the lines around them, cut out of a document while it is at hand.
//!
//! What is cut is bounded (at most 4 KB), and so is the work: no more than a few lines are looked at, however long the
//! item or its lines are.

use std::borrow::Cow;
use std::ops::Range;

use super::model::{Excerpt, Gap, Label};
use super::pretty::reformatted;
use crate::document::{Document, NodeId};
use crate::redact::Veil;

/// Longest line that is shown whole, in bytes
const LONG: usize = 200;
/// Bytes of a long line that are shown before the place
const BEFORE: usize = 60;
/// Lines of a place that are shown; of more, the middle is left out
const MOST: usize = 8;
/// How far the end of a line is looked for, in bytes
const REACH: usize = 1 << 16;
/// Bytes of a node that a label cites
const CITED: usize = 256;
/// The line that stands for lines left out, and the sign at the cut end of a line
pub(super) const CUT: &str = "…";

/// The label for a node: where it is, what stands there, and the lines around
///
/// `veil` lies over the text of the document.
pub fn label(doc: &Document, id: NodeId, evidence: &str, probe: &str, says: Option<String>, veil: &Veil<'_>) -> Label {
    let span = doc.span(id);
    let position = doc.position(span.start);
    Label {
        evidence: evidence.to_owned(),
        probe: probe.to_owned(),
        path: doc.normalized_path(id),
        start: span.start,
        end: span.end,
        line: position.line,
        column: position.column,
        text: clipped(veil, span.range(), CITED).into_owned(),
        says,
        excerpt: Some(cut(doc, id, veil)),
    }
}

/// The beginning of a part of a text, with a sign where it is cut
pub(super) fn clipped<'t>(veil: &Veil<'t>, part: Range<usize>, bytes: usize) -> Cow<'t, str> {
    if part.len() <= bytes {
        return veil.show(part);
    }
    let end = part.start + bytes - CUT.len();
    Cow::Owned(format!("{}{CUT}", veil.show(part.start..end)))
}

/// The lines around a node: one above and one below, and the line with the name of what holds it
///
/// JSON on a line that is too long to be read is laid out anew.
pub fn cut(doc: &Document, id: NodeId, veil: &Veil<'_>) -> Excerpt {
    let range = doc.span(id).range();
    if piece(doc.text(), range.start).is_cut()
        && let Some(excerpt) = reformatted(doc, id, veil)
    {
        return excerpt;
    }
    let head = holder_name(doc, id);
    let line_of = |at: usize| doc.position(at as u32).line;
    around(doc.text(), veil, range, head, &line_of)
}

/// The lines around a range of bytes of a text that is no document, such as a rulebook
pub fn cut_text(text: &str, range: Range<usize>) -> Excerpt {
    let line_of = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
        memchr::memchr_iter(b'\n', before).count() as u32 + 1
    };
    around(text, &Veil::none(text), range, None, &line_of)
}

/// Where the name of the object or list that holds a node begins
fn holder_name(doc: &Document, id: NodeId) -> Option<usize> {
    let mut holder = doc.parent(id)?;
    loop {
        if let Some(span) = doc.key_span(holder) {
            return Some(span.start as usize);
        }
        holder = doc.parent(holder)?;
    }
}

fn around(
    text: &str,
    veil: &Veil<'_>,
    range: Range<usize>,
    head: Option<usize>,
    line_of: &dyn Fn(usize) -> u32,
) -> Excerpt {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
    let first = line_of(start);
    let last = if end > start { line_of(end - 1) } else { first };
    let place = start..end;
    let mut draft = Draft::new(text, veil);
    let line = piece(text, start);
    let above = line.range.start.checked_sub(1).filter(|_| !line.cut_start);
    let head = head
        .filter(|&head| head < line.range.start)
        .map(|head| (line_of(head), head));
    if let Some((number, head)) = head.filter(|(number, _)| number + 1 < first) {
        draft.push(number, &piece(text, head));
    }
    if let Some(above) = above {
        draft.push(first - 1, &piece(text, above));
    }
    draft.push_place(first, last, &place);
    draft.finish()
}

/// A part of a line
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    range: Range<usize>,
    cut_start: bool,
    cut_end: bool,
}

impl Piece {
    fn is_cut(&self) -> bool {
        self.cut_start || self.cut_end
    }
}

/// The line around a byte, or the part of a long line around it
fn piece(text: &str, at: usize) -> Piece {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let low = at.saturating_sub(LONG);
    let high = (at + LONG).min(bytes.len());
    let feed_before = memchr::memrchr(b'\n', &bytes[low..at]).map(|found| low + found + 1);
    let feed_after = memchr::memchr(b'\n', &bytes[at..high]).map(|found| at + found);
    let start = feed_before.or((low == 0).then_some(0));
    let end = feed_after.or((high == bytes.len()).then_some(high));
    let whole = start.zip(end).filter(|(start, end)| end - start <= LONG);
    if let Some((start, end)) = whole {
        let end = if text[start..end].ends_with('\r') { end - 1 } else { end };
        return Piece {
            range: start..end,
            cut_start: false,
            cut_end: false,
        };
    }
    let from = start.unwrap_or(0).max(at.saturating_sub(BEFORE));
    let to = end.unwrap_or(usize::MAX).min(from + LONG).min(bytes.len());
    let (cut_start, cut_end) = (start != Some(from), end != Some(to));
    Piece {
        range: text.floor_char_boundary(from)..text.floor_char_boundary(to),
        cut_start,
        cut_end,
    }
}

/// An excerpt in the making
struct Draft<'a> {
    text: &'a str,
    veil: &'a Veil<'a>,
    excerpt: Excerpt,
    /// Number of the line that would go on without a gap
    next: Option<u32>,
}

impl<'a> Draft<'a> {
    fn new(text: &'a str, veil: &'a Veil<'a>) -> Draft<'a> {
        Draft {
            text,
            veil,
            excerpt: Excerpt::default(),
            next: None,
        }
    }

    /// Appends a line, and a gap before it if lines are missing; says where the piece begins in the excerpt
    fn push(&mut self, number: u32, piece: &Piece) -> usize {
        match self.next {
            None => self.excerpt.first_line = number,
            Some(next) if next < number => self.gap(number - next),
            Some(_) => {}
        }
        self.next = Some(number + 1);
        let out = &mut self.excerpt.text;
        if piece.cut_start {
            out.push_str(CUT);
        }
        let begins = out.len();
        out.push_str(&self.veil.show(piece.range.clone()));
        if piece.cut_end {
            out.push_str(CUT);
        }
        out.push('\n');
        begins
    }

    fn gap(&mut self, skipped: u32) {
        let line = self.excerpt.text.bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.excerpt.gaps.push(Gap {
            line,
            skipped: Some(skipped),
        });
        self.excerpt.text.push_str(CUT);
        self.excerpt.text.push('\n');
    }

    /// Appends the lines of the place, without its middle if there are many, and the line below
    fn push_place(&mut self, first: u32, last: u32, place: &Range<usize>) {
        let mut line = piece(self.text, place.start);
        let begins = self.push(first, &line);
        let offset = |at: usize, begins: usize, line: &Piece| {
            begins + at.clamp(line.range.start, line.range.end) - line.range.start
        };
        self.excerpt.start = offset(place.start, begins, &line) as u32;
        self.excerpt.end = offset(place.end, begins, &line) as u32;
        let many = (last - first) as usize >= MOST;
        let whole = if many { first + MOST as u32 - 3 } else { last };
        let mut number = first;
        while let Some(next) = self.line_after(&line).filter(|_| number < whole) {
            number += 1;
            line = piece(self.text, next);
            let begins = self.push(number, &line);
            self.excerpt.end = offset(place.end, begins, &line) as u32;
        }
        if many {
            line = piece(self.text, place.end - 1);
            let begins = self.push(last, &line);
            self.excerpt.end = offset(place.end, begins, &line) as u32;
            number = last;
        }
        if let Some(next) = self.line_after(&line).filter(|_| number == last) {
            self.push(last + 1, &piece(self.text, next));
        }
    }

    /// Where the next line begins, if that is not too far
    fn line_after(&self, line: &Piece) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let from = line.range.end;
        let feed = memchr::memchr(b'\n', bytes.get(from..bytes.len().min(from + REACH))?)?;
        Some(from + feed + 1).filter(|&next| next < bytes.len())
    }

    fn finish(mut self) -> Excerpt {
        if self.excerpt.text.ends_with('\n') {
            self.excerpt.text.pop();
        }
        self.excerpt
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::json;

    fn document(text: &str) -> Document {
        json::parse(text.to_owned(), &json::Options::default()).unwrap()
    }

    fn marked(excerpt: &Excerpt) -> &str {
        &excerpt.text[excerpt.start as usize..excerpt.end as usize]
    }

    /// Lines `a`, `b`, ... of an object `holder` that starts on line 2
    fn tall(lines: usize) -> String {
        let members: Vec<_> = (0..lines).map(|n| format!("    \"m{n}\": {n}")).collect();
        format!(
            "{{\n  \"holder\": {{\n{}\n  }},\n  \"last\": 1\n}}\n",
            members.join(",\n")
        )
    }

    #[test]
    fn one_line_above_and_below() {
        let doc = document(&tall(3));
        let holder = doc.get(doc.root(), "holder").unwrap();
        let excerpt = cut(&doc, doc.get(holder, "m1").unwrap(), &Veil::none(doc.text()));
        assert_eq!(
            excerpt.text,
            "  \"holder\": {\n    \"m0\": 0,\n    \"m1\": 1,\n    \"m2\": 2"
        );
        assert_eq!((excerpt.first_line, marked(&excerpt)), (2, "1"));
        assert_eq!(excerpt.gaps, []);
    }

    #[test]
    fn the_name_of_the_holder_stands_above_a_gap() {
        let doc = document(&tall(30));
        let holder = doc.get(doc.root(), "holder").unwrap();
        let excerpt = cut(&doc, doc.get(holder, "m20").unwrap(), &Veil::none(doc.text()));
        assert_eq!(
            excerpt.text,
            "  \"holder\": {\n…\n    \"m19\": 19,\n    \"m20\": 20,\n    \"m21\": 21,"
        );
        assert_eq!(
            excerpt.gaps,
            [Gap {
                line: 1,
                skipped: Some(19)
            }]
        );
    }

    #[test]
    fn the_middle_of_a_tall_node_is_left_out() {
        let doc = document(&tall(30));
        let excerpt = cut(&doc, doc.get(doc.root(), "holder").unwrap(), &Veil::none(doc.text()));
        let lines: Vec<_> = excerpt.text.lines().collect();
        assert_eq!(lines.first(), Some(&"{"));
        assert_eq!(lines[1], "  \"holder\": {");
        assert_eq!(&lines[7..], ["…", "  },", "  \"last\": 1"]);
        assert_eq!(
            excerpt.gaps,
            [Gap {
                line: 7,
                skipped: Some(25)
            }]
        );
        assert!(marked(&excerpt).starts_with('{') && marked(&excerpt).ends_with('}'));
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("first\n{}HERE{}\nlast\n", "x".repeat(5000), "y".repeat(5000));
        let excerpt = cut_text(&text, 5006..5010);
        let line = excerpt.text.lines().next().unwrap();
        assert!(
            line.starts_with("…xxx") && line.ends_with("yyy…") && line.len() < 220,
            "{line}"
        );
        assert_eq!((excerpt.first_line, marked(&excerpt)), (2, "HERE"));
        assert!(excerpt.text.ends_with("\nlast"));
    }

    #[test]
    fn line_ends_of_windows_are_not_shown() {
        let excerpt = cut_text("a\r\nbad\r\nc\r\n", 3..6);
        assert_eq!((excerpt.text.as_str(), marked(&excerpt)), ("a\nbad\nc", "bad"));
    }

    #[test]
    fn an_empty_text_has_an_empty_excerpt() {
        assert_eq!(
            cut_text("", 0..0),
            Excerpt {
                first_line: 1,
                ..Excerpt::default()
            }
        );
    }

    proptest! {
        #[test]
        fn any_range_of_any_text_gives_a_small_excerpt(text in "(?s)[a-cé日\r\n…]{0,900}", start: u16, len: u16) {
            let start = usize::from(start) % 1000;
            let excerpt = cut_text(&text, start..start + usize::from(len) % 1000);
            prop_assert!(excerpt.text.len() <= 4096);
            prop_assert!(excerpt.text.get(excerpt.start as usize..excerpt.end as usize).is_some());
        }
    }
}
