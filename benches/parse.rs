//! Reading JSON into the tape and querying it, on a document made here.

use casebook::document::json::{Options, parse};
use casebook::path::Path;
use casebook::redact::Veil;
use casebook::report::excerpt;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

/// A configuration of so many services, about 700 bytes each, on one line.
fn configuration(services: usize) -> String {
    let mut text = String::from(r#"{"version":"2024-05-01T00:00:00Z","services":["#);
    for index in 0..services {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}{{"name":"service-{index}.default.local","kind":"HTTP","timeout":"{}s","weight":{},"enabled":{},
"labels":{{"app":"service-{index}","version":"v{}","example.com/owner":"team \"{}\""}},"endpoints":["#,
            index % 30,
            index * 37 % 100,
            index % 3 != 0,
            index % 4,
            index % 11,
        );
        for port in 0..6 {
            let comma = if port > 0 { "," } else { "" };
            let _ = write!(
                text,
                r#"{comma}{{"address":{{"host":"10.{}.{}.{port}","port":{}}},"health":"{}","load":0.{index}}}"#,
                index % 200,
                index % 251,
                8000 + port,
                if (index + port) % 17 == 0 {
                    "UNHEALTHY"
                } else {
                    "HEALTHY"
                },
            );
        }
        let _ = write!(
            text,
            r#"],"routes":[{{"prefix":"/api/{index}","to":"service-{}"}},null]}}"#,
            index * 7 % services
        );
    }
    text.push_str("]}");
    text.replace('\n', "")
}

const QUERIES: [(&str, &str); 6] = [
    ("names", "$.services[*].name"),
    ("descendants", "$..host"),
    ("filter", "$.services[?@.weight > 50 && @.enabled == true].name"),
    (
        "nested filter",
        "$.services[?@.endpoints[?@.health == 'UNHEALTHY']].name",
    ),
    ("pattern", "$.services[?match(@.name, 'service-1.*')]"),
    ("filter everywhere", "$..[?@.port == 8003]"),
];

fn benches(criterion: &mut Criterion) {
    let text = configuration(300);
    let mut group = criterion.benchmark_group("parse");
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    group.throughput(Throughput::Bytes(text.len() as u64));
    let options = Options::default();
    group.bench_function("tape", |bench| {
        bench.iter_batched(|| text.clone(), |text| parse(text, &options), BatchSize::LargeInput);
    });
    group.bench_function("serde_json value", |bench| {
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(text.as_bytes())));
    });
    group.finish();

    let document = parse(text, &options).expect("JSON");
    document.with_key("name");
    let mut group = criterion.benchmark_group("select");
    group
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20);
    for (name, query) in QUERIES {
        let path = Path::parse(query).expect("a path");
        assert!(path.exists(&document, document.root()), "{query} finds nothing");
        group.bench_function(name, |bench| {
            bench.iter(|| path.select(black_box(&document), document.root()))
        });
    }
    group.finish();

    let hosts = Path::parse("$..host")
        .expect("a path")
        .select(&document, document.root());
    let last = hosts.last().copied().unwrap_or(document.root());
    criterion.bench_function("normalized path", |bench| {
        bench.iter(|| document.normalized_path(black_box(last)))
    });
    let veil = Veil::none(document.text());
    criterion.bench_function("excerpt", |bench| {
        bench.iter(|| excerpt::cut(&document, black_box(last), &veil));
    });
}

criterion_group!(all, benches);
criterion_main!(all);
