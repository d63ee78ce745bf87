//! A node with what stands around it, as people write JSON, however the evidence is laid out.

use super::{Document, Kind, NodeId, Stored, inside_quotes};
use std::fmt::Write;
use std::ops::Range;

/// How large an excerpt may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines; at least 5 are used.
    pub max_lines: usize,
    /// Bytes; at least 64 a line are used.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_lines: 16,
            max_bytes: 2048,
        }
    }
}

/// An excerpt: text that does not stand so in the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reformatted {
    /// Indented JSON; `...` stands for what is left out, `…` for the rest of a string.
    pub text: String,
    /// The bytes of `text` that are the target's value.
    pub target: Range<usize>,
    /// The node that the excerpt shows: the target's parent, or the root.
    pub around: NodeId,
}

/// Lays out a node within the array or object that holds it. Costs as much as it prints, after the index of
/// [`Document::parent`] has been made.
pub fn reformatted(doc: &Document, target: NodeId, limits: Limits) -> Reformatted {
    let lines = limits.max_lines.max(5);
    let width = (limits.max_bytes / lines).max(64);
    let mut printer = Printer {
        doc,
        out: String::new(),
        width,
    };
    let around = doc.parent(target).unwrap_or(target);
    let shown = if around == target {
        printer.value_range(target, 0, lines).0
    } else {
        printer.around(target, lines)
    };
    Reformatted {
        text: printer.out,
        target: shown,
        around,
    }
}

struct Printer<'d> {
    doc: &'d Document,
    out: String,
    /// Bytes that a line may have, indentation apart.
    width: usize,
}

impl Printer<'_> {
    /// Prints the parent of the target with the siblings next to it; the bytes of the target.
    fn around(&mut self, target: NodeId, lines: usize) -> Range<usize> {
        let Some(parent) = self.doc.parent(target) else {
            return 0..0;
        };
        // Two lines for the brackets, two for what is left out.
        let room = lines - 4;
        let index = self.doc.index_in(parent, target);
        let before = index.min(if self.doc.is_container(target) {
            room / 4
        } else {
            room / 2
        });
        let (open, close) = self.brackets(parent);
        self.name(parent);
        self.out.push_str(open);
        let mut left = lines - 2;
        if index > before {
            self.line(1, "...");
            left -= 1;
        }
        let mut shown = 0..0;
        let mut children = self.doc.children_from(parent, index - before).peekable();
        while let Some(child) = children.next() {
            let more = children.peek().is_some();
            if more && left <= 1 && child > target {
                self.line(1, "...");
                break;
            }
            let spared = if more { 1 + room / 4 } else { 0 };
            let wanted = if child == target {
                left.saturating_sub(spared).max(1)
            } else {
                1
            };
            self.line(1, "");
            self.name(child);
            let (range, used) = self.value_range(child, 1, wanted);
            left -= used.min(left);
            self.out.push_str(if more { "," } else { "" });
            if child == target {
                shown = range;
            }
        }
        self.line(0, close);
        shown
    }

    /// Prints a value in at most so many lines; its bytes, and the lines used.
    fn value_range(&mut self, id: NodeId, indent: usize, lines: usize) -> (Range<usize>, usize) {
        let start = self.out.len();
        let used = self.value(id, indent, lines);
        (start..self.out.len(), used)
    }

    fn value(&mut self, id: NodeId, indent: usize, lines: usize) -> usize {
        if !self.doc.is_container(id) {
            self.scalar(id);
            return 1;
        }
        let (open, close) = self.brackets(id);
        self.out.push_str(open);
        if self.doc.is_empty(id) {
            self.out.push_str(close);
            return 1;
        }
        if lines < 3 {
            let _ = write!(self.out, " ... {close}");
            return 1;
        }
        let used = self.children(id, indent + 1, lines - 2);
        self.line(indent, close);
        used + 2
    }

    /// Prints children a line each; lines that remain are spent on the first that hold others.
    fn children(&mut self, id: NodeId, indent: usize, lines: usize) -> usize {
        let count = self.doc.children(id).take(lines + 1).count();
        let mut spare = lines.saturating_sub(count);
        let mut used = 0;
        let mut children = self.doc.children(id).peekable();
        while let Some(child) = children.next() {
            let more = children.peek().is_some();
            if more && used + 1 >= lines {
                self.line(indent, "...");
                return used + 1;
            }
            self.line(indent, "");
            self.name(child);
            let taken = self.value(child, indent, 1 + spare);
            spare -= (taken - 1).min(spare);
            used += taken;
            self.out.push_str(if more { "," } else { "" });
        }
        used
    }

    fn brackets(&self, id: NodeId) -> (&'static str, &'static str) {
        if self.doc.kind(id) == Kind::Object {
            ("{", "}")
        } else {
            ("[", "]")
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.out.push('\n');
        (0..indent).for_each(|_| self.out.push_str("  "));
        self.out.push_str(text);
    }

    /// The name of a member, as written.
    fn name(&mut self, id: NodeId) {
        let Some(key) = self.doc.key(id) else { return };
        let width = self.width / 3;
        match self.doc.key_span(id).filter(|_| self.doc.keys_in_text) {
            Some(span) => self.written(inside_quotes(self.doc.slice(span)), width),
            None => self.escaped(key, width),
        }
        self.out.push_str(": ");
    }

    fn scalar(&mut self, id: NodeId) {
        let width = self.width / 2;
        let raw = self.doc.raw(id);
        match self.doc.node(id).stored() {
            Stored::Plain | Stored::Escaped => self.written(inside_quotes(raw), width),
            Stored::Cell => self.escaped(raw, width),
            Stored::OwnedString => self.escaped(self.doc.owned(id), width),
            Stored::OwnedNumber => self.cut(self.doc.owned(id), width),
            _ => self.cut(raw, width),
        }
    }

    /// A string that is JSON already, without its quotes; cut between two escapes.
    fn written(&mut self, text: &str, width: usize) {
        self.out.push('"');
        let mut end = 0;
        while end < text.len() {
            let len = written_char_len(text.get(end..).unwrap_or_default());
            if end + len > width && text.len() > width {
                break;
            }
            end += len;
        }
        self.out.push_str(text.get(..end).unwrap_or_default());
        self.out.push_str(if end < text.len() { "…\"" } else { "\"" });
    }

    /// A string that is not JSON yet.
    fn escaped(&mut self, text: &str, width: usize) {
        self.out.push('"');
        let from = self.out.len();
        for char in text.chars() {
            if self.out.len() - from + char.len_utf8() > width {
                self.out.push('…');
                break;
            }
            match char {
                '"' | '\\' => self.out.extend(['\\', char]),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                '\r' => self.out.push_str("\\r"),
                control if control < ' ' => drop(write!(self.out, "\\u{:04x}", control as u32)),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    /// The text of a number or a word.
    fn cut(&mut self, text: &str, width: usize) {
        let end = if text.len() <= width {
            text.len()
        } else {
            text.floor_char_boundary(width)
        };
        self.out.push_str(text.get(..end).unwrap_or_default());
        self.out.push_str(if end < text.len() { "…" } else { "" });
    }
}

/// The length of the character, or the escape, at the start of JSON text. Pairs of surrogates stay together.
fn written_char_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'\\'), Some(b'u')) => match bytes.get(2..4) {
            Some([b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B']) => 12,
            _ => 6,
        },
        (Some(b'\\'), _) => 2,
        _ => text.chars().next().map_or(1, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json::{Options, parse};
    use crate::path::Path;

    fn show(text: &str, path: &str, max_lines: usize, max_bytes: usize) -> String {
        let doc = parse(text.to_owned(), &Options::default()).unwrap();
        let target = Path::parse(path).unwrap().select(&doc, doc.root())[0];
        let shown = reformatted(&doc, target, Limits { max_lines, max_bytes });
        assert!(shown.text.lines().count() <= max_lines.max(5), "{}", shown.text);
        assert!(shown.text.len() <= max_bytes.max(64 * max_lines), "{}", shown.text);
        format!(
            "{}<{}>{}",
            &shown.text[..shown.target.start],
            &shown.text[shown.target.clone()],
            &shown.text[shown.target.end..]
        )
    }

    const SERVER: &str =
        r#"{"servers":[{"name":"a","ports":[80,443],"tags":{},"zone":{"id":1,"rack":{"x":1}}},{"name":"b"}]}"#;

    #[test]
    fn a_scalar_among_its_siblings() {
        assert_eq!(
            show(SERVER, "$.servers[0].name", 16, 2048),
            "\
{
  \"name\": <\"a\">,
  \"ports\": [ ... ],
  \"tags\": {},
  \"zone\": { ... }
}"
        );
    }

    #[test]
    fn a_container_is_opened() {
        assert_eq!(
            show(SERVER, "$.servers[0]", 16, 2048),
            "\
\"servers\": [
  <{
    \"name\": \"a\",
    \"ports\": [
      80,
      443
    ],
    \"tags\": {},
    \"zone\": { ... }
  }>,
  { ... }
]"
        );
        assert_eq!(
            show(SERVER, "$", 5, 2048),
            "\
<{
  \"servers\": [
    ...
  ]
}>"
        );
    }

    #[test]
    fn far_siblings_are_left_out() {
        let numbers = (0..100_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(
            show(&format!("{{\"n\":[{numbers}]}}"), "$.n[70000]", 8, 2048),
            "\
\"n\": [
  ...
  69998,
  69999,
  <70000>,
  70001,
  ...
]"
        );
        assert_eq!(show("[1]", "$[0]", 8, 2048), "[\n  <1>\n]");
    }

    #[test]
    fn long_strings_are_cut_between_characters() {
        let long = format!(r#"{{"a":"{}","{}":1}}"#, r"\ud83d\ude00é".repeat(50), "k".repeat(500));
        let shown = show(&long, "$.a", 5, 320);
        assert!(shown.contains("<\"\\ud83d\\ude00é\\ud83d\\ude00é…\">"), "{shown}");
        assert!(shown.contains("\"kkkkkkkkkkkkkkkkkkkkk…\": 1"), "{shown}");
    }
}
