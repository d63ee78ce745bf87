//! How good the cases of the shipped rulebooks are: every verdict and clause has one, nothing passes on damaged evidence, and a change of a rule
//! is noticed, or a comment says why it cannot be.

mod common;

use std::path::Path;

use common::run;

/// Rulebooks whose cases leave something open: clauses that decide in no case, passes on damaged evidence, changes without an excuse. That every
/// verdict has a case, and the score, is demanded of them all the same.
const OPEN: &[&str] = &["rulebooks/csm"];

/// The folders of the shipped rulebooks.
fn shipped() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks");
    let entries = std::fs::read_dir(folder).expect("rulebooks are shipped").flatten();
    let rulebooks = entries.filter(|entry| entry.path().join("rulebook.yaml").is_file());
    let mut names: Vec<String> = rulebooks
        .map(|entry| format!("rulebooks/{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

#[test]
fn every_verdict_and_clause_of_the_shipped_rules_has_a_case() {
    for rulebook in shipped() {
        let ran = run(&["test", &rulebook, "--coverage", "--require-coverage"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let silent = ran.stdout.contains("this clause decides in no case");
        assert!(!silent || OPEN.contains(&rulebook.as_str()), "{}", ran.stdout);
    }
}

#[test]
fn no_shipped_rule_passes_on_damaged_evidence() {
    for rulebook in shipped().iter().filter(|rulebook| !OPEN.contains(&rulebook.as_str())) {
        let ran = run(&["test", rulebook, "--vacuity"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn cases_notice_nine_of_ten_changes_of_the_shipped_rules_and_excuse_the_others() {
    for rulebook in shipped() {
        let ran = run(&["test", &rulebook, "--mutate", "--min-score", "90"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let open = ran.stdout.contains("no case notices");
        assert!(!open || OPEN.contains(&rulebook.as_str()), "{}", ran.stdout);
        println!("{}", ran.stdout);
    }
}
