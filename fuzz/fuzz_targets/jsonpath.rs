#![no_main]

use casebook::document::{Parser, json};
use casebook::path::Path;
use libfuzzer_sys::fuzz_target;

/// Any path on a small document: it is read or refused, selects nodes of the document, and its text is read as the same.
const TEXT: &str =
    r#"{"a": [1, -2.5, "x", null, {"b": true, "a": []}], "b": {"c": {"b": "é"}, "": 0}, "a b": [[1], [2, [3]]]}"#;

fuzz_target!(|data: &str| {
    let Ok(path) = Path::parse(data) else { return };
    assert!(Path::parse(path.text()).is_ok());
    let document = Parser::Json(json::Options::default())
        .parse(TEXT.to_owned())
        .expect("the document is JSON");
    for id in path.select(&document, document.root()) {
        assert!(id.index() < document.node_count());
    }
});
