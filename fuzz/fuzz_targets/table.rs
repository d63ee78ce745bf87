#![no_main]

mod check;

use casebook::document::{Parser, Pattern, TableOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&options, data)) = data.split_first() else {
        return;
    };
    let header = (options & 1 == 1).then(|| Pattern::new("^(NAME|USER)").expect("a pattern"));
    let columns = ["a", "b", "c"]
        .into_iter()
        .take(usize::from(options >> 1 & 3))
        .map(str::to_owned)
        .collect();
    check::parse(&Parser::Table(TableOptions { header, columns }), data);
});
