//! The ratio bench: load and 50 rules against a bare `serde_json` parse of the same bytes, in one process; and peak memory as a
//! multiple of the file. `cargo bench --bench ratio`, or with sizes in MB: `cargo bench --bench ratio -- 1 10`.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // it prints a table of its own evidence

mod grow;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use casebook::bundle::{Bundle, Limits};
use casebook::engine::{self, Settings};
use casebook::rulebook::compile;
use casebook::rulebook::load::Loaded;
use casebook::rulebook::model::Ruleset;
use grow::{Layout, grow};
use serde_json::Value;

const ROUNDS: usize = 5;

fn main() {
    // As in the program.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, folder] = arguments.as_slice()
        && flag == "--peak"
    {
        return peak(Path::new(folder));
    }
    let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1, 10, 100] } else { sizes };
    let seed = std::fs::read(seed()).expect("the example is here");
    let seed: Value = serde_json::from_slice(&seed).expect("the example is JSON");
    println!(
        "| dump | layout | serde_json Value, ms | load + 50 rules, ms | ratio (median of {ROUNDS} pairs) | peak memory, x file |"
    );
    println!("|---|---|---|---|---|---|");
    for size in sizes {
        for layout in [Layout::Compact, Layout::Indented] {
            line(&seed, size, layout);
        }
    }
}

fn seed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/route-to-unknown-cluster/config_dump.json")
}

fn line(seed: &Value, size: usize, layout: Layout) {
    let text = grow(seed, size * 1_000_000, layout);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config_dump.json"), &text).unwrap();
    let ruleset = ruleset();
    let (mut baseline, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let value: Value = serde_json::from_slice(text.as_bytes()).unwrap();
        let parsed = start.elapsed();
        // What it costs to let go is counted against neither.
        std::hint::black_box(&value);
        drop(value);
        settle();
        let start = Instant::now();
        let bundle = Bundle::open(folder.path(), &Limits::default()).unwrap();
        let (report, kept) = engine::run_keeping(Arc::clone(&ruleset), bundle, Settings::defaults(&ruleset));
        let judged = start.elapsed();
        drop(kept);
        settle();
        assert_eq!(report.verdicts.len(), 50);
        baseline.push(parsed);
        ours.push(judged);
        ratios.push(judged.as_secs_f64() / parsed.as_secs_f64());
    }
    let layout = if layout == Layout::Compact {
        "one line"
    } else {
        "indented"
    };
    let (baseline, ours) = (median(baseline).as_secs_f64() * 1e3, median(ours).as_secs_f64() * 1e3);
    ratios.sort_by(f64::total_cmp);
    let memory = peak_of(folder.path()) / text.len() as f64;
    println!(
        "| {:.1} MB | {layout} | {baseline:.1} | {ours:.1} | {:.2} | {memory:.2} |",
        text.len() as f64 / 1e6,
        ratios[ROUNDS / 2]
    );
}

/// Lets the allocator finish what it puts off when very many small pieces are let go: it does so at the next large request, and whoever makes
/// that would pay for it.
fn settle() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 16)));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Peak memory of a process that does nothing but the run, in bytes.
fn peak_of(folder: &Path) -> f64 {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg("--peak").arg(folder).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse::<f64>()
        .unwrap_or(f64::NAN)
}

/// Runs once and prints the peak of resident memory in bytes, as Linux counts it.
fn peak(folder: &Path) {
    let ruleset = ruleset();
    let settings = Settings::defaults(&ruleset);
    std::hint::black_box(engine::run(
        ruleset,
        Bundle::open(folder, &Limits::default()).unwrap(),
        settings,
    ));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    println!("{}", kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0));
}

fn ruleset() -> Arc<Ruleset> {
    let mut loaded = Loaded::default();
    loaded
        .add_path(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ratio/rulebook.yaml"))
        .unwrap();
    let (ruleset, problems, _) = compile::compile(loaded);
    Arc::new(ruleset.unwrap_or_else(|| panic!("{problems:#?}")))
}
