//! Opening a bundle of about 1 MB and reading all of it, for each kind of archive: `cargo bench --bench bundles`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use casebook::bundle::{Bundle, Limits, Manifest};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/common/archives.rs"]
mod archives;

use archives::{gzip, tar, zip, zstd};

/// 20 files of 50 KB, about as repetitive as JSON and logs are.
fn files() -> Vec<(String, Vec<u8>)> {
    let line = |file: usize, n: usize| {
        format!(
            "{{\"name\":\"service-{}\",\"value\":{},\"file\":{file}}}\n",
            n % 97,
            n * 7919 % 10_007
        )
    };
    let text = |file: usize| (0..1200).flat_map(|n| line(file, n).into_bytes()).collect();
    (0..20)
        .map(|file| (format!("capture/{file}.json"), text(file)))
        .collect()
}

fn open(criterion: &mut Criterion) {
    let files = files();
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let kinds = [
        ("tar", tar(&files)),
        ("tar.gz", gzip(&tar(&files))),
        ("tar.zst", zstd(&tar(&files))),
        ("zip", zip(&files)),
    ];
    let mut group = criterion.benchmark_group("open and read all");
    group.throughput(Throughput::Bytes(size as u64));
    for (kind, bytes) in kinds {
        group.bench_function(kind, |bencher| {
            let read = |bytes| read_all(&Bundle::from_bytes(kind, bytes, &Limits::default()).unwrap());
            bencher.iter_batched(|| bytes.clone(), read, BatchSize::LargeInput);
        });
    }
    let dir = archives::folder(&files);
    Manifest::of(&archives::open_folder(&dir))
        .unwrap()
        .write(dir.path())
        .unwrap();
    group.bench_function("folder with a manifest", |bencher| {
        bencher.iter(|| read_all(&archives::open_folder(&dir)))
    });
    group.finish();
}

fn read_all(bundle: &Bundle) {
    for path in bundle.files() {
        black_box(bundle.read(path).unwrap());
    }
}

criterion_group!(benches, open);
criterion_main!(benches);
