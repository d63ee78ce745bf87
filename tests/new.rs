//! `casebook new`: what it writes compiles, its cases pass, nothing is overwritten; evidence of a bundle is cut down to what a rule reads.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{report, run, run_in, shared};
use serde_json::Value;
use tempfile::TempDir;

const EXAMPLE: &str = "examples/route-to-unknown-cluster";

fn ok(dir: &Path, args: &[&str]) -> String {
    let ran = run_in(dir, args);
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Cuts a case of a rule out of a bundle, and gives what is said of it.
fn new_case(dir: &Path, bundle: &str, rule: &str, rulebook: &str, more: &[&str]) -> String {
    let args = ["new", "case", "--from", bundle, "--rule", rule, "--in", rulebook];
    ok(dir, &[&args, more].concat())
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn copied(rulebook: &str, dir: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks").join(rulebook);
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.expect("a rulebook can be read");
        let to = dir
            .join(rulebook)
            .join(entry.path().strip_prefix(&from).expect("inside"));
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(to).expect("a folder"),
            false => drop(fs::copy(entry.path(), to).expect("a file")),
        }
    }
}

#[test]
fn a_new_rulebook_compiles_and_its_cases_pass() {
    let dir = temporary();
    let said = ok(dir.path(), &["new", "rulebook", "my_shop"]);
    assert_eq!(
        said,
        "wrote my_shop/rulebook.yaml\nwrote my_shop/cases/my-shop.yaml\ntry it: casebook test my_shop\n"
    );
    let linted = run_in(dir.path(), &["lint", "my_shop"]);
    assert_eq!(linted.code, 0, "{}{}", linted.stdout, linted.stderr);
    assert!(
        linted.stderr.is_empty() && !linted.stdout.contains("warning"),
        "{}{}",
        linted.stdout,
        linted.stderr
    );
    let tested = ok(dir.path(), &["test", "my_shop", "--coverage", "--require-coverage"]);
    assert!(tested.contains("5 passed, 0 failed"), "{tested}");
    let vacuous = run_in(dir.path(), &["test", "my_shop", "--vacuity"]);
    assert_eq!(vacuous.code, 0, "{}", vacuous.stdout);
    let mutated = run_in(dir.path(), &["test", "my_shop", "--mutate"]);
    assert_eq!(mutated.code, 0, "{}", mutated.stdout);
    assert!(mutated.stdout.contains("100"), "{}", mutated.stdout);
}

#[test]
fn nothing_is_overwritten() {
    let dir = temporary();
    ok(dir.path(), &["new", "rulebook", "my_shop"]);
    let before = fs::read_to_string(dir.path().join("my_shop/rulebook.yaml")).expect("a file");
    let again = run_in(dir.path(), &["new", "rulebook", "my_shop"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("`my_shop` exists already"), "{}", again.stderr);
    ok(dir.path(), &["new", "rule", "no-disk", "--in", "my_shop"]);
    for what in [["rule", "no-disk"], ["rule", "disk-full"]] {
        let again = run_in(dir.path(), &["new", what[0], what[1], "--in", "my_shop"]);
        assert_eq!(again.code, 2, "{what:?}");
        assert!(again.stderr.contains("already"), "{}", again.stderr);
    }
    let again = run_in(
        dir.path(),
        &["new", "case", "my-shop", "--rule", "disk-full", "--in", "my_shop"],
    );
    assert_eq!(again.code, 2, "{}", again.stdout);
    assert_eq!(
        fs::read_to_string(dir.path().join("my_shop/rulebook.yaml")).expect("a file"),
        before
    );
}

#[test]
fn ids_that_are_none_are_refused_with_how_they_are_written() {
    let dir = temporary();
    for id in ["My-Shop", "../up", "", "9lives", "a_"] {
        let ran = run_in(dir.path(), &["new", "rulebook", id]);
        assert_eq!(ran.code, 2, "{id}");
        assert!(ran.stderr.contains("snake_case"), "{}", ran.stderr);
    }
    let ran = run_in(dir.path(), &["new", "rule", "no-disk"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("there is no `rulebook.yaml` in it"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
}

#[test]
fn a_new_rule_and_a_new_case_compile_and_hold() {
    let dir = temporary();
    ok(dir.path(), &["new", "rulebook", "my_shop"]);
    ok(dir.path(), &["new", "rule", "no-disk", "--in", "my_shop"]);
    ok(dir.path(), &["new", "case", "--rule", "disk-full", "--in", "my_shop"]);
    let text = fs::read_to_string(dir.path().join("my_shop/no-disk.yaml")).expect("a file");
    assert!(
        text.contains("#   probes: status\n#   facts: disks\n#   inputs: inputs.limit\n"),
        "{text}"
    );
    assert!(ok(dir.path(), &["test", "my_shop"]).contains("7 passed, 0 failed"));
    let ran = run_in(dir.path(), &["new", "case", "--rule", "disk-ful", "--in", "my_shop"]);
    assert!(ran.stderr.contains("did you mean `disk-full`?"), "{}", ran.stderr);
}

#[test]
fn a_case_from_a_bundle_holds_only_what_the_rule_reads() {
    let dir = temporary();
    ok(dir.path(), &["new", "rulebook", "my_shop"]);
    let bundle = dir.path().join("bundle");
    fs::create_dir(&bundle).expect("a folder");
    let status = r#"{"host": {"name": "x", "labels": {"a": "b"}}, "disks": [{"mount": "/", "used": 97, "inodes": 10}, {"mount": "/d", "used": 5, "inodes": 1}]}"#;
    fs::write(bundle.join("status.json"), status).expect("a file");
    fs::write(bundle.join("other.json"), "{}").expect("a file");
    let said = new_case(dir.path(), "bundle", "disk-full", "my_shop", &[]);
    assert!(said.contains("`disk-full` fails on"), "{said}");
    let case = fs::read_to_string(dir.path().join("my_shop/cases/disk-full-fails.yaml")).expect("a file");
    assert!(
        case.contains(r#"{"disks": [{"mount": "/", "used": 97}, {"mount": "/d", "used": 5}]}"#),
        "{case}"
    );
    assert!(
        case.contains("says: \"the disk at `/` is 97 % full\"\n          key: \"/\""),
        "{case}"
    );
    assert!(ok(dir.path(), &["test", "my_shop"]).contains("6 passed, 0 failed"));
    let second = new_case(dir.path(), "bundle", "disk-full", "my_shop", &["--set", "limit=98"]);
    assert!(second.contains("disk-full-passes.yaml"), "{second}");
    assert!(ok(dir.path(), &["test", "my_shop"]).contains("7 passed, 0 failed"));
}

#[test]
fn a_case_without_evidence_is_unknown_and_says_why() {
    let dir = temporary();
    ok(dir.path(), &["new", "rulebook", "my_shop"]);
    fs::create_dir(dir.path().join("bundle")).expect("a folder");
    fs::write(dir.path().join("bundle/other.txt"), "hello").expect("a file");
    new_case(dir.path(), "bundle", "disk-full", "my_shop", &["gone"]);
    let case = fs::read_to_string(dir.path().join("my_shop/cases/gone.yaml")).expect("a file");
    assert!(
        case.contains("evidence: {}\n    unknown:\n      disk-full: \"no `status.json` in the bundle\""),
        "{case}"
    );
}

#[test]
fn the_example_becomes_a_small_case() {
    let dir = temporary();
    copied("envoy", dir.path());
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
    let example = example.to_str().expect("a name in UTF-8");
    new_case(dir.path(), example, "route-to-unknown-cluster", "envoy", &[]);
    let case = fs::read_to_string(dir.path().join("envoy/cases/route-to-unknown-cluster-fails.yaml")).expect("a file");
    assert!(case.len() < 5000, "{} bytes", case.len());
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("new-case", case);
    });
}

/// Whatever a rule came to, a case can be cut that says the same: one of each verdict on the example.
#[test]
fn verdicts_of_every_sort_can_be_made_cases() {
    let dir = temporary();
    copied("envoy", dir.path());
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
    let mut seen = BTreeSet::new();
    made_cases(dir.path(), &example, |verdict| {
        seen.insert(verdict["verdict"].to_string())
    });
    assert!(seen.len() >= 4, "{seen:?}");
}

/// And of rules that fail on other bundles, each on the first on which it does.
#[test]
fn findings_on_bundles_can_be_made_cases() {
    let Some(evidence) = shared("evidence") else { return };
    let dir = temporary();
    copied("envoy", dir.path());
    let mut seen = BTreeSet::new();
    let bundles = fs::read_dir(evidence)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let mut bundles: Vec<_> = bundles.filter(|path| path.is_dir()).collect();
    bundles.sort();
    for path in bundles {
        made_cases(dir.path(), &path, |verdict| {
            verdict["verdict"] == "fail" && seen.len() < 6 && seen.insert(verdict["rule"].to_string())
        });
    }
}

fn made_cases(dir: &Path, bundle: &Path, mut wanted: impl FnMut(&Value) -> bool) {
    let path = bundle.to_str().expect("a name in UTF-8");
    let (_, report) = report(&["run", path, "-r", "envoy"]);
    let verdicts = report["verdicts"].as_array().expect("verdicts").iter();
    for verdict in verdicts.filter(|verdict| wanted(verdict)) {
        let rule = verdict["rule"].as_str().expect("an id");
        let said = new_case(dir, path, rule, "envoy", &[]);
        assert!(said.contains("it holds"), "{}: {said}", bundle.display());
    }
}

#[test]
fn subjects_and_files_of_text_come_along() {
    let dir = temporary();
    let book = dir.path().join("logs");
    fs::create_dir_all(&book).expect("a folder");
    let text = "\
casebook: 1
rulebook: logs
title: Logs
subjects:
  server: { captured: [\"servers/{host}/\"] }
probes:
  log: { per: server, captured: [server.log], parse: { lines: { fields: ['^(?<level>[A-Z]+) (?<text>.*)$'] } } }
facts:
  lines: { from: log, all: \"$[*]\" }
  errors: { let: 'lines.filter(|line| line.level == \"ERROR\")' }
rules:
  error-in-log:
    title: The log has an error
    severity: error
    forbid: { line: errors }
    key: line.text
    at: line
    says: the log says `${line.text}`
";
    fs::write(book.join("rulebook.yaml"), text).expect("a file");
    for (host, log) in [
        ("a", "INFO begun\nINFO ready\n"),
        ("b", "INFO begun\nERROR no disk\nINFO still there\n"),
    ] {
        let folder = dir.path().join("bundle/servers").join(host);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("server.log"), log).expect("a file");
    }
    new_case(dir.path(), "bundle", "error-in-log", "logs", &[]);
    let case = fs::read_to_string(book.join("cases/error-in-log-fails.yaml")).expect("a file");
    assert!(case.contains("- subject: \"server/b\""), "{case}");
    assert!(case.contains("ERROR no disk") && !case.contains("ready"), "{case}");
    assert!(ok(dir.path(), &["test", "logs"]).contains("1 passed, 0 failed"));
    new_case(dir.path(), "bundle", "error-in-log", "logs", &["--subject", "server/a"]);
    assert!(ok(dir.path(), &["test", "logs"]).contains("2 passed, 0 failed"));
}

#[test]
fn a_bundle_that_cannot_be_read_is_told() {
    let dir = temporary();
    ok(dir.path(), &["new", "rulebook", "my_shop"]);
    let ran = run_in(
        dir.path(),
        &[
            "new",
            "case",
            "--from",
            "nowhere",
            "--rule",
            "disk-full",
            "--in",
            "my_shop",
        ],
    );
    assert_eq!(ran.code, 2);
    assert_eq!(run(&["new"]).code, 2);
}
