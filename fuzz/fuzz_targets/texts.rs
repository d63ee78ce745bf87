#![no_main]

mod check;

use std::sync::LazyLock;

use casebook::document::{KeyValueOptions, LinesOptions, Parser, Pattern};
use libfuzzer_sys::fuzz_target;

fn lines(record: bool, matched: bool) -> Parser {
    let pattern = |text| Pattern::new(text).expect("a pattern");
    let record = record.then(|| pattern(r"^\[?\d"));
    let fields = [
        r"^(?<time>\d\S*)\s+(?<level>\w+)\s+(?<text>(?s:.*?))(?:\s+thread=\d+)?$",
        r"^\[(?<all>(?<a>[^\]]*)|b)\]",
    ];
    let fields = fields
        .into_iter()
        .take(if matched { 2 } else { 0 })
        .map(pattern)
        .collect();
    Parser::Lines(LinesOptions { record, fields })
}

/// Patterns are compiled once: they take longer than most texts.
static PARSERS: LazyLock<[Parser; 11]> = LazyLock::new(|| {
    let key_value = |separator, nested| Parser::KeyValue(KeyValueOptions::new(separator, nested).expect("a separator"));
    [
        lines(false, false),
        lines(false, true),
        lines(true, false),
        lines(true, true),
        key_value(None, false),
        key_value(None, true),
        key_value(Some("::"), true),
        key_value(Some(": "), false),
        Parser::Diff,
        Parser::Raw,
        Parser::Prometheus,
    ]
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let parser = &PARSERS[usize::from(choice) % PARSERS.len()];
    check::parse(parser, data);
});
