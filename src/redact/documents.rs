//! Secrets by their places in JSON and YAML.

use super::names::Secret;
use super::rules::Place;
use super::value::Quote;
use crate::document::{Document, JsonLinesOptions, Kind, NodeId, Parser};

/// Adds the secrets at `places`, where the text is JSON, JSON lines or YAML.
pub(super) fn find(places: &[Place], bytes: &[u8], secrets: &mut Vec<Secret>) {
    let places: Vec<&Place> = places.iter().filter(|place| place.fits(bytes)).collect();
    if places.is_empty() {
        return;
    }
    if let Some(document) = document(bytes) {
        places.into_iter().for_each(|place| at(place, &document, secrets));
    }
}

/// Adds the secrets at `places` in a document.
pub(super) fn find_in(places: &[Place], document: &Document, secrets: &mut Vec<Secret>) {
    let bytes = document.text().as_bytes();
    let fitting = places.iter().filter(|place| place.fits(bytes));
    fitting.for_each(|place| at(place, document, secrets));
}

fn at(place: &Place, document: &Document, secrets: &mut Vec<Secret>) {
    for node in place.path.select(document, document.root()) {
        below(document, node, secrets);
    }
}

fn document(bytes: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = Parser::JsonLines(JsonLinesOptions {
        mixed: true,
        ..JsonLinesOptions::default()
    });
    let parsers = match text.trim_start().as_bytes().first()? {
        b'{' | b'[' => [Parser::default(), lines],
        _ => [Parser::Yaml, lines],
    };
    parsers.iter().find_map(|parser| parser.parse(text.to_owned()).ok())
}

/// Adds all strings and numbers at and below a node.
fn below(document: &Document, node: NodeId, secrets: &mut Vec<Secret>) {
    match document.kind(node) {
        Kind::Object | Kind::Array => document
            .children(node)
            .for_each(|child| below(document, child, secrets)),
        Kind::Null | Kind::True | Kind::False => {}
        Kind::String | Kind::Number => secrets.push(leaf(document, node)),
    }
}

fn leaf(document: &Document, node: NodeId) -> Secret {
    let range = document.span(node).range();
    let raw = document.raw(node).as_bytes();
    match Quote::at(raw, 0).filter(|quote| raw.len() >= 2 * quote.len()) {
        Some(quote) => Secret {
            range: range.start + quote.len()..range.end - quote.len(),
            quote: None,
        },
        None => {
            // A number becomes a string.
            let quote = (document.kind(node) == Kind::Number)
                .then(|| Quote::at(b"\"", 0))
                .flatten();
            let header = block_header(raw);
            Secret {
                range: range.start + header..range.end,
                quote,
            }
        }
    }
}

/// Bytes of the first line of a YAML block, which says how it is written.
fn block_header(raw: &[u8]) -> usize {
    match raw.first() {
        Some(b'|' | b'>') => memchr::memchr(b'\n', raw).map_or(0, |end| end + 1),
        _ => 0,
    }
}
