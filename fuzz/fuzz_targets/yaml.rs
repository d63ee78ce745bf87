#![no_main]

mod check;

use casebook::document::Parser;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check::parse(&Parser::Yaml, data));
