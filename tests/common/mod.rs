//! What the tests of commands share: the binary in a clean environment, and evidence that is not in the project.

#![allow(dead_code, unreachable_pub, clippy::print_stderr)] // each test binary uses its own part; a skip is told on standard error

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The binary, in an environment that decides nothing.
pub fn casebook() -> Command {
    let mut command = Command::cargo_bin("casebook").expect("the binary is built with the tests");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// What a run printed, and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the binary.
pub fn run(args: &[&str]) -> Ran {
    run_in(Path::new(env!("CARGO_MANIFEST_DIR")), args)
}

/// Runs the binary in a folder.
pub fn run_in(dir: &Path, args: &[&str]) -> Ran {
    let output = casebook()
        .current_dir(dir)
        .args(args)
        .output()
        .expect("the binary starts");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
    }
}

/// Runs the binary and reads its JSON report.
pub fn report(args: &[&str]) -> (i32, serde_json::Value) {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let ran = run(&all);
    let json = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}\n{}", ran.stdout, ran.stderr));
    (ran.code, json)
}

/// A folder beside the project that not everybody has; without it the test is skipped, in one printed line.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(
        std::env::var_os("CASEBOOK_REQUIRE_SHARED").is_none(),
        "{} is missing",
        found.display()
    );
    eprintln!("skipped: ../shared/{path} is not here");
    None
}

/// Codes of the findings of a report.
pub fn codes(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a report has findings");
    findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Verdict and reason of a rule.
pub fn verdict(report: &serde_json::Value, rule: &str) -> (String, String) {
    let verdicts = report["verdicts"].as_array().expect("a report has verdicts");
    let found = verdicts
        .iter()
        .find(|verdict| verdict["rule"] == rule)
        .unwrap_or_else(|| panic!("no verdict on {rule}"));
    (
        found["verdict"].as_str().unwrap_or_default().to_owned(),
        found["reason"].as_str().unwrap_or_default().to_owned(),
    )
}

/// A folder of files, gone at the end of the test.
pub fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    dir
}

/// The shipped rulebooks, compiled from their folder, and their cases.
pub fn shipped() -> (casebook::rulebook::model::Ruleset, Vec<casebook::case::Case>) {
    let mut loaded = casebook::rulebook::load::Loaded::default();
    loaded
        .add_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks").as_path())
        .expect("rulebooks can be read");
    let (ruleset, problems, _) = casebook::rulebook::compile::compile(loaded);
    let ruleset = ruleset.unwrap_or_else(|| panic!("{problems:#?}"));
    let (cases, problems, _) = casebook::case::load(&ruleset).expect("cases can be read");
    assert!(problems.is_empty(), "{problems:#?}");
    (ruleset, cases)
}
