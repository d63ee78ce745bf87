//! What the tests of the parsers share.

use serde_json::Value;

use super::Parser;
use crate::document::{Document, Kind, NodeId, Number};

/// The document as JSON; of members with one name, the last.
pub(super) fn json(doc: &Document) -> Value {
    value(doc, doc.root())
}

pub(super) fn value(doc: &Document, id: NodeId) -> Value {
    match doc.kind(id) {
        Kind::Null => Value::Null,
        Kind::True | Kind::False => Value::from(doc.bool(id)),
        Kind::Number => match doc.number(id) {
            Some(Number::Int(int)) => Value::from(int),
            Some(Number::Float(float)) => Value::from(float),
            Some(Number::Text(text)) => Value::from(format!("number {text}")),
            None => unreachable!("a number has a value"),
        },
        Kind::String => Value::from(doc.str(id).unwrap()),
        Kind::Array => doc.children(id).map(|child| value(doc, child)).collect(),
        Kind::Object => {
            let member = |child| (doc.key(child).unwrap().to_owned(), value(doc, child));
            Value::Object(doc.children(id).map(member).collect())
        }
    }
}

/// Reads a text that must be readable.
pub(super) fn read(parser: &Parser, text: &str) -> Document {
    let doc = parser.parse(text.to_owned());
    let doc = doc.unwrap_or_else(|error| panic!("{text:?}: {error}"));
    check_spans(&doc);
    doc
}

/// Why a text cannot be read.
pub(super) fn refusal(parser: &Parser, text: &str) -> String {
    match parser.parse(text.to_owned()) {
        Ok(doc) => panic!("accepted: {text:?} as {}", json(&doc)),
        Err(error) => {
            assert_eq!(error.text, text, "a text that cannot be read is given back");
            assert!(error.offset <= text.len());
            error.to_string()
        }
    }
}

/// Checks what holds for every document: spans lie in the text, between characters.
pub(super) fn check_spans(doc: &Document) {
    for id in doc.subtree(doc.root()).map(NodeId::from_index) {
        let span = doc.span(id).range();
        assert!(
            doc.text().get(span.clone()).is_some(),
            "node {id:?} has the span {span:?} in {:?}",
            doc.text()
        );
    }
}

/// Checks that every row lies behind the one before, and whatever it holds within it.
pub(super) fn check_rows(doc: &Document, rows: NodeId) {
    let mut last = 0;
    for row in doc.children(rows) {
        let whole = doc.span(row).range();
        assert!(last <= whole.start, "row {row:?} begins before the last one ends");
        last = whole.end;
        for id in doc.subtree(row).map(NodeId::from_index) {
            let span = doc.span(id).range();
            assert!(
                whole.start <= span.start && span.end <= whole.end,
                "{span:?} in {whole:?} of {:?}",
                doc.text()
            );
        }
    }
}

/// Reads the example that a parser's documentation gives, and compares it with the shape that it promises.
pub(super) fn check_example(source: &str, parser: &Parser) {
    let text = block(source, "text");
    let shape: Value = serde_json::from_str(&block(source, "json")).expect("the shape is JSON");
    let doc = read(parser, &text);
    assert_eq!(json(&doc), shape, "{:#}", json(&doc));
}

/// The first fenced block in this language, of a module's documentation.
fn block(source: &str, language: &str) -> String {
    let fence = format!("//! ```{language}");
    let inside = source.lines().skip_while(|line| *line != fence).skip(1);
    let lines = inside.take_while(|line| *line != "//! ```");
    lines
        .map(|line| line.strip_prefix("//! ").unwrap_or_default().to_owned() + "\n")
        .collect()
}
