//! `casebook test`: what is printed of cases that do not hold, and how good the cases are.

mod common;

use common::{casebook, folder};
use tempfile::TempDir;

/// A rulebook of two rules.
const RULEBOOK: &str = r#"casebook: 1
rulebook: shop
title: A shop's server
inputs:
  most: { about: Most orders that may wait., is: int, default: 10 }
probes:
  status: { captured: [status.json], parse: json }
  log: { captured: [server.log], parse: { lines: { fields: ['^(?<level>[A-Z]+) (?<text>.*)$'] } } }
facts:
  state: { from: status, one: $.state }
  waiting: { from: status, one: $.orders.waiting }
rules:
  not-serving:
    title: The server does not serve
    severity: error
    expect: state == "LIVE"
    at: state
    says: it is in state ${state}
    explains: [orders-wait]
  orders-wait:
    title: Orders wait
    severity: warning
    decide:
      - unknown: waiting < 0
        says: the counter has overflown
      - fail: waiting > inputs.most
      - pass: true
    at: waiting
    says: ${waiting} orders wait
"#;

/// Cases that cover both rules but for two clauses.
const CASES: &str = r#"casebook: 1
cases:
  down:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 11}}' }
    fail:
      not-serving: { says: state DOWN, at: DOWN, subject: bundle, severity: error }
      orders-wait: { says: 11 orders, at: "11", explained-by: not-serving }
    only: true
  up:
    evidence: { status: '{"state": "LIVE", "orders": {"waiting": 10}}' }
    pass: [not-serving, orders-wait]
    only: true
  nothing:
    evidence: {}
    unknown: [not-serving]
"#;

fn shop(cases: &str) -> TempDir {
    folder(&[
        ("shop/rulebook.yaml", RULEBOOK.as_bytes()),
        ("shop/cases/cases.yaml", cases.as_bytes()),
    ])
}

/// Runs `casebook test` in a folder: exit code, standard output and standard error.
fn test(dir: &TempDir, args: &[&str]) -> (i32, String, String) {
    let output = casebook()
        .current_dir(dir.path())
        .arg("test")
        .args(args)
        .output()
        .expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn without_arguments_the_rulebooks_of_the_folder_are_tested() {
    let dir = shop(CASES);
    let (code, out, err) = test(&dir, &[]);
    assert_eq!((code, out.as_str()), (0, "3 passed, 0 failed\n"), "{err}");
    let empty = folder(&[("notes.txt", b"")]);
    let (code, _, err) = test(&empty, &[]);
    assert!(code == 2 && err.contains("no rulebook in the current folder"), "{err}");
}

#[test]
fn misses_false_alarms_and_wrong_verdicts_are_told_apart() {
    let dir = shop(
        r#"casebook: 1
cases:
  missed:
    evidence: { status: '{"state": "LIVE"}' }
    fail: [not-serving]
  alarmed:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    pass: [not-serving]
    fail: [orders-wait]
  more-than-only:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    fail: [not-serving]
    only: true
  undecided:
    evidence: { status: '{"state": "DOWN"}' }
    pass: [orders-wait]
  other-words:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    fail: { orders-wait: { says: 51 orders, explained-by: orders-wait } }
  not-to-be-run:
    evidence: nowhere
    pass: [not-serving]
  good:
    evidence: { status: '{"state": "LIVE"}' }
    pass: [not-serving]
"#,
    );
    let (code, out, err) = test(&dir, &["shop", "--ascii", "--width", "90"]);
    assert_eq!((code, err.as_str()), (5, ""));
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test-failures", out);
    });
}

/// A case in which one rule explains another, and one in which it does not.
fn explained(orders_wait: &str, not_serving: &str) -> String {
    format!(
        r#"casebook: 1
cases:
  down:
    evidence: {{ status: '{{"state": "DOWN", "orders": {{"waiting": 11}}}}' }}
    fail:
      not-serving: {{ explained-by: {not_serving} }}
      orders-wait: {{ explained-by: {orders_wait} }}
"#
    )
}

#[test]
fn a_case_names_all_that_explains_a_finding_or_none() {
    let (code, out, _) = test(&shop(&explained("not-serving", "none")), &["shop"]);
    assert_eq!((code, out.as_str()), (0, "1 passed, 0 failed\n"));
    for (orders_wait, not_serving, complaint) in [
        ("none", "none", "no finding with an explanation by `none` alone"),
        (
            "[not-serving, orders-wait]",
            "none",
            "by `not-serving`, `orders-wait` alone",
        ),
        ("not-serving", "orders-wait", "an explanation by `orders-wait` alone"),
    ] {
        let (code, out, _) = test(&shop(&explained(orders_wait, not_serving)), &["shop", "--width", "200"]);
        assert!(code == 5 && out.contains(complaint), "{out}");
    }
    for (orders_wait, complaint) in [
        ("not-servin", "there is no rule `not-servin`"),
        ("[not-serving, none]", "`not-serving` explains it already"),
    ] {
        let (code, _, err) = test(&shop(&explained(orders_wait, "none")), &["shop"]);
        assert!(code == 3 && err.contains(complaint), "{err}");
    }
}

#[test]
fn a_condition_under_which_a_rule_explains_another_is_changed_too() {
    let rulebook = RULEBOOK.replace("[orders-wait]", "{ orders-wait: effect.waiting > 10 }");
    let dir = shop(&format!("{CASES}{TIGHT}"));
    std::fs::write(dir.path().join("shop/rulebook.yaml"), rulebook).expect("a file");
    let (code, out, _) = test(&dir, &["shop", "--mutate", "--ascii", "--width", "90"]);
    assert_eq!(code, 0, "{out}");
    let unnoticed: Vec<&str> = out.lines().filter(|line| line.contains("no case notices")).collect();
    assert_eq!(
        unnoticed,
        [
            "  ! no case notices that the condition is left out",
            "  ! no case notices that `>` becomes `>=`",
            "  ! no case notices that `10` becomes `9`",
        ],
        "{out}"
    );
}

#[test]
fn a_shape_is_left_out_too() {
    let rulebook = RULEBOOK.replace(
        "[status.json], parse: json",
        "[status.json], parse: json, shape: $.state",
    );
    let alien = "  alien:\n    evidence: { status: '{}' }\n    unknown: { not-serving: is not a whole `status` }\n";
    for (more, code) in [("", 0), (alien, 5)] {
        let dir = shop(&format!("{CASES}{TIGHT}{more}"));
        let rulebook = match code {
            0 => rulebook.clone(),
            _ => rulebook.replace(
                "  status: {",
                "  # casebook: survives(drop-shape) it does not\n  status: {",
            ),
        };
        std::fs::write(dir.path().join("shop/rulebook.yaml"), rulebook).expect("a file");
        let (exit, out, _) = test(&dir, &["shop", "--mutate", "--ascii", "--width", "90"]);
        let unnoticed = out.contains("no case notices that the shape is left out");
        assert_eq!((exit, unnoticed), (code, code == 0), "{out}");
    }
}

#[test]
fn globs_narrow_cases_and_rules() {
    let dir = shop(CASES);
    assert_eq!(test(&dir, &["--case", "u*"]).1, "1 passed, 0 failed\n");
    assert_eq!(test(&dir, &["--rule", "shop::orders-*"]).1, "2 passed, 0 failed\n");
    let (code, _, err) = test(&dir, &["--case", "x*"]);
    assert!(code == 2 && err.contains("no case matches"), "{err}");
    assert_eq!(test(&dir, &["--case", "["]).0, 2);
}

#[test]
fn evidence_may_be_a_folder_an_archive_or_a_file() {
    let dir = folder(&[
        ("shop/rulebook.yaml", RULEBOOK.as_bytes()),
        ("shop/cases/down/status.json", br#"{"state": "DOWN"}"#),
        ("shop/cases/status.json", br#"{"state": "DOWN"}"#),
        (
            "shop/cases/cases.yaml",
            br#"casebook: 1
cases:
  a-folder: { evidence: down, fail: [not-serving] }
  an-archive: { evidence: down.tar, fail: [not-serving] }
  a-file: { evidence: status.json, fail: [not-serving] }
  a-file-by-probe: { evidence: { status: { file: status.json } }, fail: [not-serving] }
  one-laid-over: { bundle: down, evidence: { status: '{"state": "LIVE"}' }, pass: [not-serving] }
"#,
        ),
    ]);
    let file = std::fs::File::create(dir.path().join("shop/cases/down.tar")).expect("a file");
    let mut archive = tar::Builder::new(file);
    archive
        .append_dir_all(".", dir.path().join("shop/cases/down"))
        .expect("an archive");
    archive.into_inner().expect("an archive");
    let (code, out, err) = test(&dir, &[]);
    assert_eq!((code, out.as_str()), (0, "5 passed, 0 failed\n"), "{err}");
}

#[test]
fn coverage_counts_cases_by_verdict_and_clause() {
    let dir = shop(CASES);
    let (code, out, _) = test(&dir, &["--coverage"]);
    assert_eq!(code, 0);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test-coverage", out);
    });
}

#[test]
fn coverage_that_is_required_names_what_lacks() {
    let dir = shop(CASES);
    let (code, out, _) = test(&dir, &["--require-coverage"]);
    assert_eq!(code, 5);
    assert_eq!(
        out,
        "3 passed, 0 failed\nshop/rulebook.yaml:20: shop::orders-wait has no case for: unknown\n"
            .replace("shop/", "./shop/")
    );
    let (code, out, _) = test(&dir, &["shop", "--require-coverage", "--rule", "not-*"]);
    assert_eq!((code, out.as_str()), (0, "3 passed, 0 failed\n"));
}

/// The shop with cases that leave nothing open.
const TIGHT: &str = r#"  overflown:
    evidence: { status: '{"state": "LIVE", "orders": {"waiting": -1}}' }
    unknown: { orders-wait: overflown }
  none-waits:
    evidence: { status: '{"state": "LIVE", "orders": {"waiting": 0}}' }
    pass: [orders-wait]
"#;

/// Standard output without the line of times.
fn untimed(out: &str) -> String {
    let lines = out.lines().filter(|line| !line.contains("times as long"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn changes_that_no_case_notices_are_listed_at_their_places() {
    let dir = shop(CASES);
    let (code, out, err) = test(&dir, &["shop", "--mutate", "--ascii", "--width", "90"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("times as long as a plain `casebook test`"), "{out}");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test-mutants", untimed(&out));
    });
    let (code, out, _) = test(&dir, &["shop", "--mutate", "--min-score", "90"]);
    assert!(code == 5 && out.contains("shop, which is too low"), "{out}");
}

#[test]
fn cases_that_leave_nothing_open_notice_every_change() {
    let dir = shop(&format!("{CASES}{TIGHT}"));
    let (code, out, _) = test(&dir, &["shop", "--mutate", "--min-score", "100"]);
    assert!(
        code == 0 && out.contains("100.0 %") && !out.contains("no case notices"),
        "{out}"
    );
}

#[test]
fn a_comment_says_why_a_change_goes_unnoticed() {
    let excused = RULEBOOK.replace(
        "      - unknown: waiting < 0\n",
        "      # casebook: survives(drop-clause, negate, swap-comparison, shift-threshold) never seen\n      - unknown: waiting < 0\n",
    );
    let dir = shop(CASES);
    let write = |text: &str| std::fs::write(dir.path().join("shop/rulebook.yaml"), text).expect("a file");
    write(&excused);
    let (code, out, _) = test(&dir, &["shop", "--mutate"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("shop/rulebook.yaml:24: 4 survive (drop-clause"), "{out}");
    assert!(
        out.contains("): never seen") && !out.contains("no case notices"),
        "{out}"
    );
    for (comment, complaint) in [
        ("survives(drop-when) why", "cases notice all that this excuses"),
        ("survives(drop) why", "there is no mutant of the sort `drop`"),
        ("survives(negate)", "a reason is missing"),
        ("survives(negate) never", "cases notice all"),
        ("survives negate", "write `# casebook: survives(code) reason`"),
    ] {
        write(&RULEBOOK.replace(
            "      - pass: true\n",
            &format!("      - pass: true # casebook: {comment}\n"),
        ));
        let (code, out, _) = test(&dir, &["shop", "--mutate"]);
        assert!(code == 5 && out.contains(complaint), "{comment}: {out}");
    }
}

#[test]
fn rules_are_not_changed_while_a_case_fails() {
    let dir = shop("casebook: 1\ncases:\n  wrong:\n    evidence: {}\n    pass: [not-serving]\n");
    let (code, out, _) = test(&dir, &["shop", "--mutate"]);
    assert!(code == 5 && out.contains("first all cases must hold"), "{out}");
}

#[test]
fn a_rule_that_passes_on_damaged_evidence_is_named_with_case_and_item() {
    let vacuous = format!(
        "{RULEBOOK}  errors-logged:
    title: The server logs errors
    severity: info
    decide:
      - fail: 'known(log) && log.some(|line| line.level == \"ERROR\")'
      - pass: state == \"LIVE\"
"
    );
    let dir = shop(CASES);
    let (code, out, _) = test(&dir, &["shop", "--vacuity"]);
    assert_eq!(code, 0);
    assert!(
        out.ends_with("2 items of evidence dropped, emptied and truncated in turn: no new pass\n"),
        "{out}"
    );
    let cases = r#"casebook: 1
cases:
  errors:
    evidence: { status: '{"state": "LIVE"}', log: "INFO a\nERROR b\n" }
    fail: [errors-logged]
"#;
    let dir = shop(cases);
    std::fs::write(dir.path().join("shop/rulebook.yaml"), vacuous).expect("a file");
    let (code, out, _) = test(&dir, &["shop", "--vacuity"]);
    assert_eq!(code, 5);
    for damage in ["dropped", "emptied"] {
        let line = format!(
            "shop/cases/cases.yaml:3: shop::errors-logged passes in case errors once `server.log` is {damage}, where it was fail"
        );
        assert!(out.contains(&line), "{out}");
    }
    assert!(out.ends_with(": 2 new passes\n"), "{out}");
}

/// Cases of which none holds, in several layouts, with comments between.
const WRONG: &str = r#"casebook: 1
cases:
  # The state is the other one.
  moved:   # keep me
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    pass: [not-serving, orders-wait]   # both wrong
    # Nothing else.
    only: true
  in-braces: { evidence: { status: '{"state": "LIVE"}' }, fail: [not-serving], only: true }
  other-words:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    fail:
      not-serving: { says: state DOWN }
      orders-wait:
        says: 51 orders
        at: "50"
        explained-by: not-serving
  alarmed:
    evidence:
      status: |
        {"state": "DOWN"}
    unknown: { orders-wait: overflown }
    only: true
  holds:
    evidence: { status: '{"state": "LIVE"}' }
    pass: not-serving
"#;

#[test]
fn accepting_shows_and_writes_what_is_found_and_nothing_else() {
    let dir = shop(WRONG);
    let path = dir.path().join("shop/cases/cases.yaml");
    let (code, out, err) = test(&dir, &["shop", "--accept"]);
    let written = std::fs::read_to_string(&path).expect("a file");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test-accepted", format!("{out}\n=== the file\n{written}"));
    });
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.ends_with("5 passed, 0 failed\n"), "{out}");
    let (code, out, _) = test(&dir, &["shop", "--accept"]);
    assert_eq!((code, out.as_str()), (0, "5 passed, 0 failed\n"));
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), written);
}

#[test]
fn a_key_without_a_value_at_the_end_is_written_anew_as_a_whole() {
    let dir = shop(
        r#"casebook: 1
cases:
  down:
    evidence: { status: '{"state": "DOWN", "orders": {"waiting": 50}}' }
    fail:
      orders-wait: { says: 51 orders, explained-by: none }
      not-serving:
    only: true
"#,
    );
    let (code, out, err) = test(&dir, &["shop", "--accept"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let written = std::fs::read_to_string(dir.path().join("shop/cases/cases.yaml")).expect("a file");
    assert!(
        written.contains("orders-wait: { says: '50 orders wait', explained-by: not-serving }"),
        "{written}"
    );
}

#[test]
fn what_cannot_be_run_is_not_accepted() {
    let cases = "casebook: 1\ncases:\n  lost:\n    evidence: nowhere\n    pass: [not-serving]\n";
    let dir = shop(cases);
    let (code, _, _) = test(&dir, &["--accept"]);
    let written = std::fs::read_to_string(dir.path().join("shop/cases/cases.yaml")).expect("a file");
    assert_eq!((code, written.as_str()), (5, cases));
}

#[test]
fn junit_has_a_test_for_each_case() {
    let dir = shop(WRONG);
    let (code, out, _) = test(&dir, &["shop", "--format", "junit", "--case", "[moh]*"]);
    assert_eq!(code, 5);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("test-junit", out);
    });
    let dir = shop(CASES);
    let (code, out, err) = test(&dir, &["--format", "junit", "--output", "cases.xml", "--vacuity"]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(err.contains("no new pass"), "{err}");
    let written = std::fs::read_to_string(dir.path().join("cases.xml")).expect("a file");
    assert!(written.contains(r#"<testsuite name="shop" tests="3""#), "{written}");
}

#[test]
fn watching_runs_the_cases_again_when_a_file_is_saved() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let dir = shop(CASES);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("casebook"))
        .current_dir(dir.path())
        .args(["test", "shop", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut err = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut next = || (out.next(), err.next().map(|line| line.expect("text")));
    let (first, waits) = next();
    assert_eq!(first.expect("a line").expect("text"), "3 passed, 0 failed");
    assert!(waits.is_some_and(|line| line.contains("watching shop")));
    let cases = CASES.replace(
        "  nothing:\n",
        "  another:\n    evidence: {}\n    unknown: [orders-wait]\n  nothing:\n",
    );
    std::fs::write(dir.path().join("shop/cases/cases.yaml"), cases).expect("a file");
    let (second, _) = next();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(second.expect("a line").expect("text"), "4 passed, 0 failed");
}
