//! What scripts cost: engine, compiling, evaluating, one item of a list.

use std::hint::black_box;
use std::sync::Arc;

use casebook::document::json;
use casebook::script::{Doc, Index, Kind, Known, Limits, Names, Probe, Refusal, Scripts, Unknown, to_dynamic};
use criterion::{Criterion, criterion_group, criterion_main};
use rhai::{Array, Dynamic};

const ITEMS: usize = 16_000;

/// A list of objects, and an index of names of which it has half.
struct Facts {
    services: Dynamic,
    names: Dynamic,
}

impl Names for Facts {
    fn value(&self, name: &str) -> Result<Dynamic, Refusal> {
        match name {
            "services" => Ok(self.services.clone()),
            "names" => Ok(self.names.clone()),
            _ => Err(Unknown::new("not captured").into()),
        }
    }

    fn member(&self, _: &str, name: &str) -> Result<Dynamic, Refusal> {
        self.value(name)
    }

    fn handle(&self, _: Option<&str>, _: &str) -> Option<Probe> {
        None
    }
}

fn facts() -> Arc<dyn Names> {
    let rows: Vec<String> = (0..ITEMS)
        .map(|row| format!(r#"{{"name": "outbound|{row}|service", "port": {row}, "labels": {{"app": "a{row}"}}}}"#))
        .collect();
    let text = format!("[{}]", rows.join(","));
    let document = json::parse(text, &json::Options::default()).expect("the text is JSON");
    let doc = Arc::new(Doc { slot: 0, document });
    let services = to_dynamic(&doc, doc.document.root());
    let rows = services.clone().cast::<Array>();
    let pairs = rows.into_iter().step_by(2).map(|row| {
        let name = row.read_lock::<casebook::script::Node>().map(|node| node.get("name"));
        (name.unwrap_or_default(), row)
    });
    let names = Dynamic::from(Index::new(pairs));
    Arc::new(Facts { services, names })
}

fn scripts(criterion: &mut Criterion) {
    criterion.bench_function("engine", |bench| bench.iter(|| Scripts::new("shop", Limits::default())));
    let scripts = Scripts::new("shop", Limits::default());
    let names = facts();
    let known = Known::default();
    criterion.bench_function("compile", |bench| {
        bench.iter(|| {
            scripts.compile(
                "services.filter(|s| s.name in names).len() > 0",
                Kind::Expression,
                &known,
            )
        })
    });
    let cases = [
        ("constant", "1"),
        ("touch", "services.len()"),
        ("in index", "services.filter(|s| s.name in names).len()"),
        ("compare", r#"services.filter(|s| s.port > 8000).len()"#),
        ("prefix", r#"services.filter(|s| s.labels.app.starts_with("a1")).len()"#),
        ("map", "services.map(|s| #{ name: s.name, port: s.port }).len()"),
        (
            "loop",
            "let n = 0; for s in services { if s.name in names { n += 1; } } n",
        ),
        ("push", "let out = []; for i in 0..16000 { out.push(i); } out.len()"),
    ];
    for (name, text) in cases {
        let script = scripts.compile(text, Kind::Block, &known).expect("it compiles");
        criterion.bench_function(name, |bench| {
            bench.iter(|| scripts.eval(black_box(&script), &[], &names).expect("it is known"))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = scripts
}
criterion_main!(benches);
