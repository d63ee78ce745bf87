#![no_main]

mod check;

use casebook::document::{IptablesOptions, Parser};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&options, data)) = data.split_first() else {
        return;
    };
    let table = (options & 1 == 1).then(|| "nat".to_owned());
    check::parse(&Parser::Iptables(IptablesOptions { table }), data);
});
