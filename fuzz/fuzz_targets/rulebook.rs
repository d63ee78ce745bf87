//! Any bytes as a rulebook: read, compiled, and every problem drawn.

#![no_main]

use std::path::Path;

use casebook::diagnostic::{self, Style};
use casebook::rulebook::compile::compile;
use casebook::rulebook::load::Loaded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut loaded = Loaded::default();
    loaded.add_bytes(Path::new("fuzz.yaml"), data.to_vec());
    let (ruleset, problems, sources) = compile(loaded);
    assert_eq!(
        ruleset.is_none(),
        problems.has_errors(),
        "a rulebook that is refused says why"
    );
    for problem in problems.iter() {
        let (line, column) = sources.position(problem.place);
        assert!(line >= 1 && column >= 1);
    }
    diagnostic::render(
        &problems,
        &sources,
        &Style {
            color: false,
            unicode: true,
            width: 80,
        },
    );
});
