//! Archives of which half the files are missing: what is left raises no finding that the whole has not, and clears none that it has.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Halves of each bundle.
const HALVES: u64 = 6;

/// What a bundle from the field does not have: the truth about it, and what other machines said.
const NOT_EVIDENCE: [&str; 3] = ["scenario.json", "control-plane.log", "client.txt"];

/// A sequence of numbers that depends on its seed alone (SplitMix64).
struct Seeded(u64);

impl Seeded {
    fn new(name: &str, number: u64) -> Seeded {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Seeded(name.bytes().fold(number.wrapping_add(0xcbf2_9ce4_8422_2325), hash))
    }

    fn heads(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 31)) & 1 == 1
    }
}

/// The bundles' folders, sorted.
fn bundles(shared: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(shared).expect("a folder").filter_map(Result::ok);
    let mut bundles: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    bundles.sort();
    bundles
}

/// Copies the files of `from` that `keep` names to a folder of their own.
fn copy(from: &Path, to: &Path, mut keep: impl FnMut(&str) -> bool) {
    fs::create_dir_all(to).expect("a folder");
    let mut names: Vec<String> = fs::read_dir(from)
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !NOT_EVIDENCE.contains(&name.as_str()))
        .collect();
    names.sort();
    for name in names.iter().filter(|name| keep(name)) {
        fs::copy(from.join(name), to.join(name)).expect("a copy");
    }
}

/// Reports on several folders, in their order, from one run.
fn reports(folders: &[PathBuf]) -> Vec<Value> {
    let mut args = vec!["run", "-r", "csm", "--format", "json-lines"];
    args.extend(folders.iter().map(|folder| folder.to_str().expect("a name in UTF-8")));
    let ran = common::run(&args);
    let lines = ran.stdout.lines();
    let reports: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("a report a line"))
        .collect();
    assert_eq!(reports.len(), folders.len(), "{}", ran.stderr);
    reports
}

/// Codes of the findings.
fn found(report: &Value) -> BTreeSet<String> {
    common::codes(report).into_iter().collect()
}

/// Verdict by code of the rule.
fn verdicts(report: &Value) -> BTreeMap<String, &str> {
    let verdicts = report["verdicts"].as_array().into_iter().flatten();
    let text = |of: &Value, key: &str| of[key].as_str().map(str::to_owned);
    let mut by_code = BTreeMap::new();
    for verdict in verdicts {
        let code = text(verdict, "rulebook").zip(text(verdict, "rule"));
        let said = verdict["verdict"].as_str();
        by_code.extend(code.map(|(rulebook, rule)| format!("{rulebook}::{rule}")).zip(said));
    }
    by_code
}

/// What a half says that the whole does not bear out.
fn wrong(whole: &Value, half: &Value) -> Vec<String> {
    let (known, now) = (found(whole), found(half));
    let verdicts = verdicts(half);
    let new = now.difference(&known).map(|code| format!("new finding {code}"));
    let cleared = known.iter().filter(|code| verdicts.get(*code) == Some(&"pass"));
    let broke = verdicts.iter().filter(|(_, verdict)| **verdict == "error");
    new.chain(cleared.map(|code| format!("{code} passes")))
        .chain(broke.map(|(code, _)| format!("{code} broke")))
        .collect()
}

#[test]
fn half_of_the_files_raises_no_finding_and_clears_none() {
    let Some(shared) = common::shared("evidence") else {
        return;
    };
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let mut problems = Vec::new();
    for bundle in bundles(&shared) {
        let name = bundle.file_name().and_then(|name| name.to_str()).expect("a name");
        let folder = |number: u64| scratch.path().join(name).join(number.to_string());
        copy(&bundle, &folder(0), |_| true);
        for number in 1..=HALVES {
            let mut seeded = Seeded::new(name, number);
            copy(&bundle, &folder(number), |_| seeded.heads());
        }
        let folders: Vec<PathBuf> = (0..=HALVES).map(folder).collect();
        let reports = reports(&folders);
        let (whole, halves) = reports.split_first().expect("the whole comes first");
        for (number, half) in halves.iter().enumerate() {
            let said = wrong(whole, half);
            problems.extend(said.iter().map(|what| format!("{name}, half {}: {what}", number + 1)));
        }
        fs::remove_dir_all(scratch.path().join(name)).expect("a folder");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
