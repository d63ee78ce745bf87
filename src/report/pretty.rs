//! Excerpts of JSON that stands on one long line: the object or list around a place, as a pretty-printer would lay it out.

use super::excerpt::{CUT, clipped};
use super::model::{Excerpt, Gap};
use crate::document::{Document, Kind, NodeId};
use crate::redact::Veil;

/// Members or items shown before and after the place
const AROUND: usize = 2;
/// Members or items of a place that is an object or a list itself
const INSIDE: usize = 5;
/// Bytes of a value
const VALUE: usize = 160;
/// Bytes of a name
const NAME: usize = 100;

/// Lays out what is around a node, or in it; none where it is no JSON on one line
pub(super) fn reformatted(doc: &Document, id: NodeId, veil: &Veil<'_>) -> Option<Excerpt> {
    let inside = matches!(doc.kind(id), Kind::Object | Kind::Array) && !doc.is_empty(id);
    let holder = if inside { id } else { doc.parent(id)? };
    let line = doc.position(doc.span(id).start).line;
    if !is_json(doc, holder) || !on_line(doc, holder, inside, line) {
        return None;
    }
    let mut sheet = Sheet::new(line, veil);
    let opens = sheet.open(doc, holder);
    let place = if inside { None } else { Some(id) };
    sheet.children(doc, holder, place);
    sheet
        .text
        .push(if doc.kind(holder) == Kind::Object { '}' } else { ']' });
    if inside {
        (sheet.start, sheet.end) = (opens, sheet.text.len());
    }
    Some(sheet.finish())
}

/// Whether the node is written as JSON: rows of text formats are objects too
fn is_json(doc: &Document, holder: NodeId) -> bool {
    let object = doc.kind(holder) == Kind::Object;
    let (open, close) = if object { ('{', '}') } else { ('[', ']') };
    let named = |child| {
        doc.key_span(child)
            .is_some_and(|name| name.start > doc.span(holder).start)
    };
    let members = !object || doc.children(holder).next().is_none_or(named);
    members && doc.raw(holder).starts_with(open) && doc.raw(holder).ends_with(close)
}

/// Whether the holder stands on this line: all of it if it is the place, else its beginning
fn on_line(doc: &Document, holder: NodeId, whole: bool, line: u32) -> bool {
    let span = doc.span(holder);
    let from = doc.position(span.start).line;
    from == line && (!whole || doc.position(span.end.saturating_sub(1)).line == line)
}

/// An excerpt in the making
struct Sheet<'a> {
    veil: &'a Veil<'a>,
    text: String,
    gaps: Vec<Gap>,
    start: usize,
    end: usize,
    lines: u32,
    true_line: u32,
}

impl<'a> Sheet<'a> {
    fn new(true_line: u32, veil: &'a Veil<'a>) -> Sheet<'a> {
        Sheet {
            veil,
            text: String::new(),
            gaps: Vec::new(),
            start: 0,
            end: 0,
            lines: 0,
            true_line,
        }
    }

    /// `"name": {`; says where the bracket is
    fn open(&mut self, doc: &Document, holder: NodeId) -> usize {
        self.name(doc, holder);
        let opens = self.text.len();
        self.text.push(if doc.kind(holder) == Kind::Object { '{' } else { '[' });
        self.end_line();
        opens
    }

    /// The members or items around the place, or the first ones
    fn children(&mut self, doc: &Document, holder: NodeId, place: Option<NodeId>) {
        let (from, to) = match place.map(|place| doc.index_in(holder, place)) {
            Some(at) => (at.saturating_sub(AROUND), at + AROUND),
            None => (0, INSIDE - 1),
        };
        let mut gap = false;
        let mut shown = doc.children(holder).enumerate().peekable();
        while let Some((index, child)) = shown.next() {
            // The first member stays in sight: it often is the name of the whole.
            if index > 0 && index < from {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) {
                self.gap();
            }
            if index > to {
                self.gap();
                break;
            }
            self.child(doc, child, place == Some(child), shown.peek().is_some());
        }
    }

    fn child(&mut self, doc: &Document, child: NodeId, is_place: bool, more: bool) {
        self.text.push_str("  ");
        self.name(doc, child);
        let start = self.text.len();
        self.text.push_str(&clipped(self.veil, doc.span(child).range(), VALUE));
        if is_place {
            (self.start, self.end) = (start, self.text.len());
        }
        if more {
            self.text.push(',');
        }
        self.end_line();
    }

    /// `"name": ` as written
    fn name(&mut self, doc: &Document, id: NodeId) {
        if let Some(name) = doc.key_span(id) {
            self.text.push_str(&clipped(self.veil, name.range(), NAME));
            self.text.push_str(": ");
        }
    }

    fn gap(&mut self) {
        self.gaps.push(Gap {
            line: self.lines,
            skipped: None,
        });
        self.text.push_str(CUT);
        self.end_line();
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.lines += 1;
    }

    fn finish(self) -> Excerpt {
        Excerpt {
            first_line: self.true_line,
            text: self.text,
            start: self.start as u32,
            end: self.end as u32,
            reformatted: true,
            gaps: self.gaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json;

    fn document(text: &str) -> Document {
        json::parse(text.to_owned(), &json::Options::default()).unwrap()
    }

    fn marked(excerpt: &Excerpt) -> &str {
        &excerpt.text[excerpt.start as usize..excerpt.end as usize]
    }

    #[test]
    fn a_member_is_shown_among_its_neighbours() {
        let doc = document(r#"{"o":{"name":"x","a":1,"b":{"c":[]},"d":3,"e":4,"f":5,"g":6}}"#);
        let object = doc.get(doc.root(), "o").unwrap();
        let excerpt = reformatted(&doc, doc.get(object, "e").unwrap(), &Veil::none(doc.text())).unwrap();
        let lines = [
            r#""o": {"#,
            r#"  "name": "x","#,
            "…",
            r#"  "b": {"c":[]},"#,
            r#"  "d": 3,"#,
            r#"  "e": 4,"#,
            r#"  "f": 5,"#,
            r#"  "g": 6"#,
            "}",
        ];
        assert_eq!(excerpt.text.lines().collect::<Vec<_>>(), lines);
        assert_eq!(excerpt.gaps, [Gap { line: 2, skipped: None }]);
        assert_eq!((excerpt.first_line, marked(&excerpt)), (1, "4"));
    }

    #[test]
    fn a_list_is_shown_with_its_first_items() {
        let doc = document(r#"{"list":[10,11,12,13,14,15,16]}"#);
        let excerpt = reformatted(&doc, doc.get(doc.root(), "list").unwrap(), &Veil::none(doc.text())).unwrap();
        assert_eq!(excerpt.text, "\"list\": [\n  10,\n  11,\n  12,\n  13,\n  14,\n…\n]");
        assert!(marked(&excerpt).starts_with("[\n"));
    }

    #[test]
    fn an_empty_list_is_a_member_like_others() {
        let doc = document(r#"{"list":[]}"#);
        let excerpt = reformatted(&doc, doc.get(doc.root(), "list").unwrap(), &Veil::none(doc.text())).unwrap();
        assert_eq!(
            (excerpt.text.as_str(), marked(&excerpt)),
            ("{\n  \"list\": []\n}", "[]")
        );
    }

    #[test]
    fn what_stands_on_several_lines_is_left_as_it_is() {
        let doc = document("{\n\"a\": 1\n}");
        assert_eq!(reformatted(&doc, doc.root(), &Veil::none(doc.text())), None);
        assert_eq!(
            reformatted(&doc, doc.get(doc.root(), "a").unwrap(), &Veil::none(doc.text())),
            None
        );
        let single = document("\"text\"");
        assert_eq!(reformatted(&single, single.root(), &Veil::none(single.text())), None);
    }
}
