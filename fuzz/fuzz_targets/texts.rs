#![no_main]

mod check;

use casebook::document::{KeyValueOptions, LinesOptions, Parser, Pattern};
use libfuzzer_sys::fuzz_target;

fn lines(record: bool, fields: bool) -> Parser {
    let pattern = |text| Pattern::new(text).expect("a pattern");
    let record = record.then(|| pattern(r"^\[?\d"));
    let fields = [
        r"^(?<time>\d\S*)\s+(?<level>\w+)\s+(?<text>(?s:.*?))(?:\s+thread=\d+)?$",
        r"^\[(?<all>(?<a>[^\]]*)|b)\]",
    ];
    let fields = fields
        .into_iter()
        .take(if fields { 2 } else { 0 })
        .map(pattern)
        .collect();
    Parser::Lines(LinesOptions { record, fields })
}

fuzz_target!(|data: &[u8]| {
    let Some((&options, data)) = data.split_first() else {
        return;
    };
    let key_value = |separator, nested| Parser::KeyValue(KeyValueOptions::new(separator, nested).expect("a separator"));
    let parser = match options % 12 {
        0 => lines(false, false),
        1 => lines(false, true),
        2 => lines(true, false),
        3 => lines(true, true),
        4 => key_value(None, false),
        5 => key_value(None, true),
        6 => key_value(Some("::"), true),
        7 => key_value(Some(": "), false),
        8 => Parser::Diff,
        9 => Parser::Raw,
        _ => Parser::Prometheus,
    };
    check::parse(&parser, data);
});
