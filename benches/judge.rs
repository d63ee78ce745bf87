//! What judging and rendering cost, on the example bundle with all shipped rulebooks.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use casebook::bundle::{Bundle, Limits};
use casebook::engine::{self, Settings};
use casebook::report::{self, Format, Style};
use casebook::rulebook::compile;
use casebook::rulebook::load::{self, Loaded};
use casebook::rulebook::model::Ruleset;
use criterion::{Criterion, criterion_group, criterion_main};

fn shipped() -> Ruleset {
    let mut loaded = Loaded::default();
    load::embedded().for_each(|id| loaded.add_embedded(id).expect("it is shipped"));
    compile::compile(loaded).0.expect("shipped rulebooks compile")
}

fn benches(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/route-to-unknown-cluster");
    let open = || Bundle::open(&folder, &Limits::default()).expect("the example is here");
    criterion.bench_function("load and compile the shipped rulebooks", |bench| {
        bench.iter(|| black_box(shipped()))
    });
    let ruleset = Arc::new(shipped());
    let judge = || engine::run(Arc::clone(&ruleset), open(), Settings::defaults(&ruleset));
    criterion.bench_function("judge the example", |bench| bench.iter(|| black_box(judge())));
    let found = judge();
    for (name, format) in [
        ("render for a terminal", Format::Terminal),
        ("render as JSON", Format::Json),
    ] {
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                let mut out = Vec::new();
                report::write(&found, format, &Style::default(), &mut out).expect("memory can be written");
                black_box(out)
            });
        });
    }
}

criterion_group!(all, benches);
criterion_main!(all);
