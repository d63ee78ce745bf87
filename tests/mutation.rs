//! How good the cases of the shipped rulebooks are: every verdict and clause has one, nothing passes on damaged evidence, and a change of a rule
//! is noticed, or a comment says why it cannot be.

mod common;

use common::{Ran, run};

/// Tests all shipped rulebooks in one run, which must be clean.
fn clean(options: &[&str]) -> Ran {
    let ran = run(&[&["test"], options].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn every_verdict_and_clause_of_the_shipped_rules_has_a_case() {
    let ran = clean(&["--coverage", "--require-coverage"]);
    assert!(!ran.stdout.contains("this clause decides in no case"), "{}", ran.stdout);
    for entry in std::fs::read_dir("rulebooks").expect("rulebooks are shipped").flatten() {
        let id = entry.file_name().to_string_lossy().into_owned();
        let tested = ran.stdout.contains(&format!("\n{id}::"));
        assert_eq!(tested, entry.path().join("rulebook.yaml").is_file(), "{id}");
    }
}

#[test]
fn no_shipped_rule_passes_on_damaged_evidence() {
    let ran = clean(&["--vacuity"]);
    assert!(ran.stdout.contains("in turn: no new pass"), "{}", ran.stdout);
}

#[test]
fn cases_notice_nine_of_ten_changes_of_the_shipped_rules_and_excuse_the_others() {
    let ran = clean(&["--mutate", "--min-score", "90"]);
    assert!(!ran.stdout.contains("no case notices"), "{}", ran.stdout);
    let time = ran.stdout.lines().last().unwrap_or_default();
    assert!(time.ends_with("times as long as a plain `casebook test`"), "{time}");
    println!("{}", ran.stdout);
}
