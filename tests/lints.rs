//! The lints beyond compiling: each has a page whose examples hold, and the comments that silence one.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use casebook::lint::LINTS;
use common::{Ran, folder, run};

/// What the examples of pages stand on, unless they are whole rulebooks.
const BASE: &str = "\
casebook: 1
rulebook: shop
title: The shop
docs: https://shop.example/manual
subjects:
  server: { captured: [\"servers/{host}/\"] }
probes:
  status: { per: server, captured: [status.json], parse: json, clock: $.time }
  sites: { captured: [sites.json], parse: json, clock: $.time }
";

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints")
}

/// Lints a rulebook, perhaps with a file of cases.
fn lint(text: &str, cases: Option<&str>, more: &[&str]) -> Ran {
    let text = if text.starts_with("casebook:") {
        text.to_owned()
    } else {
        format!("{BASE}{text}")
    };
    let mut files = vec![("shop/rulebook.yaml", text.as_bytes())];
    files.extend(cases.map(|cases| ("shop/cases/all.yaml", cases.as_bytes())));
    let dir = folder(&files);
    let path = dir.path().join("shop");
    let mut args = vec!["lint", path.to_str().unwrap(), "--width", "200"];
    args.extend(more);
    run(&args)
}

/// The codes that a run printed: each stands alone on a line.
fn codes(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines().filter(|line| !line.is_empty());
    lines
        .filter(|line| line.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect()
}

/// The blocks of YAML in a page; the one of cases apart.
fn blocks(page: &str) -> (Vec<&str>, Option<&str>) {
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block));
    let (cases, blocks): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.starts_with("# cases/"));
    (blocks, cases.first().copied())
}

#[test]
fn every_lint_has_a_page_whose_examples_hold() {
    let mut wrong = Vec::new();
    for known in LINTS {
        assert!(
            known.page.starts_with(&format!("# {}\n\n", known.code)),
            "{}",
            known.code
        );
        let (blocks, cases) = blocks(known.page);
        let [bad, good] = blocks[..] else {
            panic!("{}: {} examples", known.code, blocks.len())
        };
        let ran = lint(bad, cases, &[]);
        if ran.code != 0 || !codes(&ran).contains(&known.code) {
            wrong.push(format!(
                "{}, found: {:?}\n{}{}",
                known.code,
                codes(&ran),
                ran.stdout,
                ran.stderr
            ));
        }
        let ran = lint(good, cases, &[]);
        if ran.code != 0 || !codes(&ran).is_empty() {
            wrong.push(format!(
                "{}, better: {:?}\n{}{}",
                known.code,
                codes(&ran),
                ran.stdout,
                ran.stderr
            ));
        }
        let ran = run(&["lint", "--explain", known.code]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, known.page));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `docs/lints/README.md` lists all lints; `CASEBOOK_UPDATE=1` rewrites it.
#[test]
fn the_list_of_lints_is_that_of_the_code() {
    let mut list = String::from(
        "# Warnings of `casebook lint`\n\nGenerated: `CASEBOOK_UPDATE=1 cargo test --test lints`. `casebook lint --explain CODE` prints a page.\n\n| code | what it tells |\n|---|---|\n",
    );
    let mut files = vec!["README.md".to_owned()];
    for known in LINTS {
        let first = known.page.lines().nth(2).unwrap();
        list += &format!("| [{0}]({0}.md) | {first} |\n", known.code);
        files.push(format!("{}.md", known.code));
    }
    let path = pages().join("README.md");
    if std::env::var_os("CASEBOOK_UPDATE").is_some() {
        fs::write(&path, &list).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        list,
        "run `CASEBOOK_UPDATE=1 cargo test --test lints`"
    );
    let mut there: Vec<String> = fs::read_dir(pages())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    files.sort();
    assert_eq!(there, files);
}

#[test]
fn a_code_without_a_page_is_told() {
    let ran = run(&["lint", "--explain", "unused-fac"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `unused-fact`?"), "{}", ran.stderr);
}

const WITHOUT_HELP: &str = r#"rules:
  not-serving:
    title: A server is not serving
    severity: error
    expect: status.state == "LIVE"
    at: status.state
"#;

#[test]
fn warnings_fail_only_where_that_is_wanted() {
    let ran = lint(WITHOUT_HELP, None, &[]);
    assert_eq!((ran.code, codes(&ran)), (0, vec!["rule-without-help"]));
    assert!(ran.stdout.contains("rulebook.yaml:11:3]"), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with("shop: 1 rule, no errors, 1 warning\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(lint(WITHOUT_HELP, None, &["--strict"]).code, 3);
}

/// A comment before the line `  not-serving:` or behind it, and the codes that are found then, with their places.
#[test]
fn comments_silence_on_their_line_and_above() {
    let above = |comment: &str| WITHOUT_HELP.replace("  not-serving:", &format!("  {comment}\n  not-serving:"));
    let behind = |comment: &str| WITHOUT_HELP.replace("not-serving:", &format!("not-serving: {comment}"));
    let reason = "# casebook: allow(rule-without-help) the title says it";
    let table: [(String, &[&str]); 11] = [
        (above(reason), &[]),
        (behind(reason), &[]),
        (above(&format!("{reason}\n\n  # about the rule")), &[]),
        (
            above("#casebook:allow( rule-without-help , unused-fact ) reason"),
            &["unused-allowance 11:40"],
        ),
        (above("# casebook: allow(rule-without-help)"), &["bad-allowance 11:3"]),
        (
            above("# casebook: alow(rule-without-help) reason"),
            &["bad-allowance 11:3", "rule-without-help 12:3"],
        ),
        (
            above("# casebook: allow(rule-without-hepl) reason"),
            &["bad-allowance 11:21", "rule-without-help 12:3"],
        ),
        (above("# allow(rule-without-help) reason"), &["rule-without-help 12:3"]),
        (
            WITHOUT_HELP.replace("    severity", &format!("    {reason}\n    severity")),
            &["rule-without-help 11:3", "unused-allowance 13:23"],
        ),
        // In a block scalar it is text, and no comment.
        (
            WITHOUT_HELP.replace("    severity", &format!("    about: |\n      {reason}\n    severity")),
            &["rule-without-help 11:3"],
        ),
        // What begins below the header of a block scalar is reached from above its key.
        (
            WITHOUT_HELP.replace(
                "    at: status.state",
                "    help: Look.\n    # casebook: allow(computed-label) on purpose\n    at: >-\n      1 + 2",
            ),
            &[],
        ),
    ];
    for (text, wanted) in table {
        let ran = lint(&text, None, &[]);
        let places = ran
            .stdout
            .lines()
            .filter_map(|line| line.split_once("rulebook.yaml:")?.1.split_once(']'));
        let found: Vec<String> = codes(&ran)
            .iter()
            .zip(places)
            .map(|(code, (place, _))| format!("{code} {place}"))
            .collect();
        assert_eq!(found, wanted, "{text}\n{}", ran.stdout);
    }
}

#[test]
fn what_another_rulebook_reads_is_used() {
    let base = "casebook: 1\nrulebook: base\ntitle: Base\ndocs: https://a.example\nprobes:\n  p: { captured: [p], parse: json }\nfacts:\n  f: { from: p, one: $.f }\n";
    let user = "casebook: 1\nrulebook: user\ntitle: User\ndocs: https://a.example\nuses: [base]\nrules:\n  r: { title: R, severity: error, expect: base.f, at: base.f, help: H }\n";
    let alone = folder(&[("base/rulebook.yaml", base.as_bytes())]);
    let both = folder(&[
        ("base/rulebook.yaml", base.as_bytes()),
        ("user/rulebook.yaml", user.as_bytes()),
    ]);
    let lint = |dir: &tempfile::TempDir| run(&["lint", dir.path().join("base").to_str().unwrap()]);
    assert_eq!(codes(&lint(&alone)), ["unused-fact"]);
    assert!(codes(&lint(&both)).is_empty());
    // Only what is named is examined, not what it uses.
    let ran = run(&["lint", both.path().join("user").to_str().unwrap()]);
    assert_eq!(ran.stdout, "user: 1 rule, no errors\n");
}

#[test]
fn problems_of_cases_are_told() {
    let cases = "casebook: 1\ncases:\n  c: { evidence: {}, pass: [not-servin] }\n";
    let ran = lint(WITHOUT_HELP, Some(cases), &[]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stdout.contains("all.yaml:3:29]") && ran.stdout.contains("did you mean `not-serving`?"),
        "{}",
        ran.stdout
    );
}

/// A rule that compares with a limit, and whether its message is fault enough.
#[test]
fn a_limit_wants_a_number_in_the_message() {
    for (expect, says, fault) in [
        ("status.files < 1000", "too many", true),
        ("status.files < 1000", "${status.files} files", false),
        ("status.files.len() > 0", "none", false),
        ("status.state == \"LIVE\"", "not live", false),
        ("status.rows.filter(|r| r.size > 5) == 0", "rows", false),
    ] {
        let rule = format!(
            "rules:\n  r: {{ title: R, severity: error, expect: '{expect}', says: '{says}', at: status, help: H }}\n"
        );
        let ran = lint(&rule, None, &[]);
        assert_eq!(
            codes(&ran).contains(&"fixed-message"),
            fault,
            "{expect}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}
