#![no_main]

mod check;

use casebook::document::{JsonLinesOptions, Parser, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&options, data)) = data.split_first() else {
        return;
    };
    let snake_case_keys = options & 1 == 1;
    let parser = if options & 2 == 0 {
        Parser::Json(json::Options { snake_case_keys })
    } else {
        Parser::JsonLines(JsonLinesOptions {
            snake_case_keys,
            mixed: options & 4 == 4,
        })
    };
    check::parse(&parser, data);
});
