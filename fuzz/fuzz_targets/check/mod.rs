//! What holds for every document.

use casebook::document::{Document, NodeId, Parser};
use casebook::path::Path;

/// Reads a text, as the bytes of evidence come: what is no UTF-8 is replaced.
pub fn parse(parser: &Parser, data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    match parser.parse(text.clone()) {
        Ok(doc) => check(&doc),
        Err(error) => {
            assert_eq!(error.text, text, "a text that cannot be read is given back");
            assert!(error.offset <= text.len());
        }
    }
}

fn check(doc: &Document) {
    let mut paths = 0;
    for id in doc.subtree(doc.root()).map(NodeId::from_index) {
        let span = doc.span(id).range();
        assert!(doc.text().get(span.clone()).is_some(), "{span:?}");
        if let Some(key) = doc.key_span(id) {
            assert!(doc.text().get(key.range()).is_some(), "{key:?}");
        }
        doc.position(span.start as u32);
        if doc.visible_children(id).count() != doc.children(id).count() {
            assert!(!doc.duplicates().is_empty());
        }
        // Paths are found by walking from the root: a few are enough.
        if paths < 20 && doc.visible_subtree(doc.root()).any(|visible| visible == id) {
            paths += 1;
            let path = doc.normalized_path(id);
            let found = Path::parse(&path)
                .unwrap_or_else(|error| panic!("{path}: {}", error.message))
                .select(doc, doc.root());
            assert_eq!(found, [id], "{path}");
        }
    }
}
