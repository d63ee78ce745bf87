//! `prometheus`: metrics in Prometheus' text format or as OpenMetrics, as an array of samples.
//!
//! A sample has `name`, `labels` (an object, perhaps empty; values are strings), `value`, and where they are known
//! `timestamp` and `type`. Values are numbers, but `NaN` and the infinities, for which JSON has no number, are strings
//! as written. The type is what a `# TYPE` comment says of the sample's family, which a histogram's `_bucket`, `_sum`
//! and `_count` belong to. Other comments and exemplars are left out; any other line makes the text unreadable.
//!
//! ```text
//! # HELP requests_total Requests so far.
//! # TYPE requests_total counter
//! requests_total{code="200",path="/a\"b"} 12 1700000000000
//! # TYPE took histogram
//! took_bucket{le="+Inf"} 3
//! took_sum 0.25
//! temperature NaN
//! ```
//! ```json
//! [
//!   {"name": "requests_total", "labels": {"code": "200", "path": "/a\"b"}, "value": 12, "timestamp": 1700000000000, "type": "counter"},
//!   {"name": "took_bucket", "labels": {"le": "+Inf"}, "value": 3, "type": "histogram"},
//!   {"name": "took_sum", "labels": {}, "value": 0.25, "type": "histogram"},
//!   {"name": "temperature", "labels": {}, "value": "NaN"}
//! ]
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::text::{is_json_number, room, slice, solid_lines, span, trimmed};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, Name, ParseError};

/// What the names of a family's samples may end with.
const SUFFIXES: [&str; 8] = [
    "_bucket", "_sum", "_count", "_total", "_created", "_info", "_gsum", "_gcount",
];

pub(super) fn parse(text: String) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        let mut samples = Samples::new(text, build);
        for line in solid_lines(text).map(|line| trimmed(text, line)) {
            if slice(text, &line).starts_with('#') {
                samples.comment(line);
            } else {
                samples.sample(line)?;
            }
        }
        build.close(text.len());
        Ok(())
    })
}

/// Names of the members of a sample.
struct Members {
    name: Name,
    labels: Name,
    value: Name,
    timestamp: Name,
    kind: Name,
}

struct Samples<'t, 'b> {
    text: &'t str,
    members: Members,
    /// Where the type of a family stands; the default hasher, because names may be hostile.
    types: HashMap<&'t str, Range<usize>>,
    build: &'b mut Builder,
}

impl<'t, 'b> Samples<'t, 'b> {
    fn new(text: &'t str, build: &'b mut Builder) -> Self {
        build.open_array(0);
        let members = Members {
            name: build.name("name"),
            labels: build.name("labels"),
            value: build.name("value"),
            timestamp: build.name("timestamp"),
            kind: build.name("type"),
        };
        let types = HashMap::new();
        Self {
            text,
            members,
            types,
            build,
        }
    }

    /// Remembers the type of a family.
    fn comment(&mut self, line: Range<usize>) {
        let written = slice(self.text, &line);
        let mut words = written.trim_start_matches('#').split_ascii_whitespace();
        if let (Some("TYPE"), Some(family), Some(kind), None) = (words.next(), words.next(), words.next(), words.next())
        {
            let family = family.trim_matches('"');
            self.types.insert(family, line.end - kind.len()..line.end);
        }
    }

    fn kind(&self, name: &str) -> Option<Range<usize>> {
        let family = || {
            SUFFIXES
                .iter()
                .find_map(|suffix| self.types.get(name.strip_suffix(suffix)?))
        };
        self.types.get(name).or_else(family).cloned()
    }

    fn sample(&mut self, line: Range<usize>) -> Parsed<()> {
        room(self.build, line.start)?;
        let mut cursor = Cursor {
            text: slice(self.text, &(0..line.end)),
            at: line.start,
        };
        self.build.open_object(line.start);
        let name = cursor.word();
        if !name.is_empty() {
            self.push_name(&name);
        }
        let quoted = self.labels(&mut cursor, name.is_empty())?;
        cursor.skip_blanks();
        let value = cursor.word();
        if value.is_empty() {
            return fault(cursor.at, "a sample without a value");
        }
        self.number(self.members.value, &value)?;
        cursor.skip_blanks();
        let timestamp = cursor.word();
        if !timestamp.is_empty() {
            self.number(self.members.timestamp, &timestamp)?;
            cursor.skip_blanks();
        }
        if !matches!(cursor.next(), None | Some('#')) {
            return fault(cursor.at, "more text after a sample");
        }
        if let Some(kind) = self.kind(&quoted.unwrap_or(slice(self.text, &name).into())) {
            self.build.member(self.members.kind);
            self.build.cell(span(&kind));
        }
        self.build.close(line.end);
        Ok(())
    }

    fn push_name(&mut self, name: &Range<usize>) {
        self.build.member(self.members.name);
        self.build.cell(span(name));
    }

    /// Reads what stands in braces. A name in quotes there that has no value is the sample's own, if it has no other.
    fn labels(&mut self, cursor: &mut Cursor<'t>, nameless: bool) -> Parsed<Option<Cow<'t, str>>> {
        cursor.skip_blanks();
        let open = cursor.at;
        let mut name = None;
        if cursor.take('{') && nameless {
            cursor.skip_blanks();
            name = match cursor.next() {
                Some('"') => Some(cursor.quoted()?),
                _ => return fault(open, "a sample without a name"),
            };
            if let Some(quoted) = &name {
                self.build.member(self.members.name);
                push(self.build, quoted);
            }
            cursor.skip_blanks();
            cursor.take(',');
        } else if nameless {
            return fault(open, "a sample without a name");
        }
        self.build.member(self.members.labels);
        self.build.open_object(open);
        while open < cursor.at {
            cursor.skip_blanks();
            if cursor.take('}') {
                break;
            }
            self.label(cursor)?;
        }
        self.build.close(cursor.at.max(open));
        Ok(name.map(|name| name.0))
    }

    /// Reads a label, and the comma after it if another may follow.
    fn label(&mut self, cursor: &mut Cursor<'t>) -> Parsed<()> {
        room(self.build, cursor.at)?;
        let start = cursor.at;
        let name = match cursor.next() {
            Some('"') => cursor.quoted()?.0,
            _ => slice(self.text, &cursor.word()).into(),
        };
        cursor.skip_blanks();
        if name.is_empty() || !cursor.take('=') {
            return fault(start, "expected a label, as in `name=\"value\"`");
        }
        cursor.skip_blanks();
        let value = cursor.quoted()?;
        self.build.key(&name, None);
        push(self.build, &value);
        cursor.skip_blanks();
        if !cursor.take(',') && cursor.next() != Some('}') {
            return fault(cursor.at, "expected `,` or `}` after a label");
        }
        Ok(())
    }

    fn number(&mut self, member: Name, range: &Range<usize>) -> Parsed<()> {
        let written = slice(self.text, range);
        let unsigned = written.strip_prefix('+').unwrap_or(written);
        self.build.member(member);
        match written.parse::<f64>() {
            _ if is_json_number(written) => self.build.number(span(range)),
            Ok(_) if is_json_number(unsigned) => self.build.computed_number(unsigned, span(range)),
            Ok(float) if float.is_finite() => self.build.computed_number(format!("{float:?}"), span(range)),
            Ok(_) => self.build.cell(span(range)),
            Err(_) => return fault(range.start, "expected a number"),
        }
        Ok(())
    }
}

/// A string in quotes: its value, and where it stands between them.
type Quoted<'t> = (Cow<'t, str>, Range<usize>);

fn push(build: &mut Builder, (value, range): &Quoted<'_>) {
    match value {
        Cow::Borrowed(_) => build.cell(span(range)),
        Cow::Owned(value) => build.computed_string(value.as_str(), span(range)),
    }
}

/// A place in a line, whose end is the end of the text here.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn take(&mut self, char: char) -> bool {
        let taken = self.next() == Some(char);
        if taken {
            self.at += char.len_utf8();
        }
        taken
    }

    /// What stands before the next blank or sign.
    fn word(&mut self) -> Range<usize> {
        let start = self.at;
        let rest = self.rest();
        self.at += rest
            .find([' ', '\t', '{', '}', '=', ',', '"', '#'])
            .unwrap_or(rest.len());
        start..self.at
    }

    fn quoted(&mut self) -> Parsed<Quoted<'t>> {
        let open = self.at;
        if !self.take('"') {
            return fault(open, "expected `\"`");
        }
        let inside = self.rest();
        let mut chars = inside.char_indices();
        let mut escaped = false;
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    let range = self.at..self.at + at;
                    self.at = range.end + 1;
                    let written = inside.get(..at).unwrap_or_default();
                    return Ok((
                        if escaped {
                            unescaped(written).into()
                        } else {
                            written.into()
                        },
                        range,
                    ));
                }
                '\\' => {
                    escaped = true;
                    chars.next();
                }
                _ => {}
            }
        }
        fault(open, "the string that begins here does not end")
    }
}

/// The value of a string with escapes; a backslash before another character stands for itself.
fn unescaped(written: &str) -> String {
    let mut value = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        match (char, chars.clone().next()) {
            ('\\', Some(next @ ('\\' | '"' | 'n'))) => {
                value.push(if next == 'n' { '\n' } else { next });
                chars.next();
            }
            _ => value.push(char),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::testing::{check_example, check_spans, json, read, refusal};
    use crate::document::Parser;

    fn rows(text: &str) -> Value {
        json(&read(&Parser::Prometheus, text))
    }

    #[test]
    fn example() {
        check_example(include_str!("prometheus.rs"), &Parser::Prometheus);
    }

    #[test]
    fn every_spelling_of_a_number() {
        let values = |text: &str| {
            let lines: String = text.split(' ').map(|value| format!("a {value}\n")).collect();
            let rows = rows(&lines);
            let rows = rows.as_array().unwrap().iter().map(|row| row["value"].clone());
            rows.collect::<Value>()
        };
        assert_eq!(
            values("0 -1.5 1e+06 +5 .5 5. 1E3"),
            json!([0, -1.5, 1e6, 5, 0.5, 5.0, 1e3])
        );
        assert_eq!(
            values("NaN +Inf -Inf Inf nan"),
            json!(["NaN", "+Inf", "-Inf", "Inf", "nan"])
        );
        assert_eq!(values("18446744073709551609"), json!(["number 18446744073709551609"]));
        for bad in ["a b", "a 0x10", "a 1_0", "a -"] {
            assert!(
                refusal(&Parser::Prometheus, bad).ends_with("column 3: expected a number"),
                "{bad}"
            );
        }
    }

    #[test]
    fn labels_in_all_their_forms() {
        let text = "\u{feff} a { b = \"x\\n\\\\\" , c=\"{,} # é\\d\", } 1 # {trace=\"1\"} 0.5\r\n\n";
        assert_eq!(
            rows(text),
            json!([{"name": "a", "labels": {"b": "x\n\\", "c": "{,} # é\\d"}, "value": 1}])
        );
        let text = "# TYPE \"a.b\" gauge\n{\"a.b\",\"c d\"=\"\"} 1\n{\"e\"} 2 # EOF";
        let expected = json!([{"name": "a.b", "labels": {"c d": ""}, "value": 1, "type": "gauge"},
            {"name": "e", "labels": {}, "value": 2}]);
        assert_eq!(rows(text), expected);
        let doc = read(&Parser::Prometheus, "a{b=\"x\\n\",b=\"y\"} 1");
        let label = doc
            .get(doc.get(doc.at(doc.root(), 0).unwrap(), "labels").unwrap(), "b")
            .unwrap();
        assert_eq!((doc.raw(label), doc.duplicates().len()), ("y", 1));
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, words) in [
            ("up\n", "line 1, column 3: a sample without a value"),
            ("<html>", "line 1, column 7: a sample without a value"),
            ("HTTP 200\nnot ready, yet", "line 2, column 5: expected a number"),
            (
                "a{b=\"c} 1",
                "line 1, column 5: the string that begins here does not end",
            ),
            (
                "a{b=\"c\\",
                "line 1, column 5: the string that begins here does not end",
            ),
            ("a{b=1} 1", "line 1, column 5: expected `\"`"),
            (
                "a{b=\"c\" d=\"e\"} 1",
                "line 1, column 9: expected `,` or `}` after a label",
            ),
            (
                "a{b=\"c\",",
                "line 1, column 9: expected a label, as in `name=\"value\"`",
            ),
            ("a{,} 1", "line 1, column 3: expected a label, as in `name=\"value\"`"),
            ("{b=\"c\"} 1", "line 1, column 1: a sample without a name"),
            ("\"a\" 1", "line 1, column 1: a sample without a name"),
            ("a 1 2 3", "line 1, column 7: more text after a sample"),
        ] {
            assert_eq!(refusal(&Parser::Prometheus, text), words, "{text}");
        }
    }

    #[test]
    fn a_cut_text_never_panics() {
        let text = "# TYPE a counter\na_total{é=\"\\\\\",\"b\"=\"\\n\"} 1.5 1 # {x=\"y\"} 1\n{\"c\"} +Inf\n";
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            drop(
                Parser::Prometheus
                    .parse(text[..end].to_owned())
                    .map(|doc| check_spans(&doc)),
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(labels in prop::collection::vec(("[a-z]{1,3}", any::<String>()), 0..4), value: f64) {
            let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let written: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            // A carriage return at the end of a line would be taken for a part of what ends it, were it not in quotes.
            let doc = read(&Parser::Prometheus, &format!("m{{{}}} {value:?}\n", written.join(",")));
            let row = doc.at(doc.root(), 0).unwrap();
            let found: Vec<_> = doc.children(doc.get(row, "labels").unwrap()).map(|id| (doc.key(id).unwrap().to_owned(), doc.str(id).unwrap().into_owned())).collect();
            prop_assert_eq!(found, labels);
            prop_assert_eq!(doc.raw(doc.get(row, "value").unwrap()), format!("{value:?}"));
        }

        #[test]
        fn nothing_panics(text in "(?s)[ab{}=,\"\\\\ #1.é\r\n\0]{0,60}") {
            if let Ok(doc) = Parser::Prometheus.parse(text) {
                check_spans(&doc);
            }
        }
    }
}
