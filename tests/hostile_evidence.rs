//! Evidence that is damaged, odd or meant to hurt: what rules make of it, through the binary.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/archives.rs"]
mod archives;

use std::fs;
use std::path::Path;

use common::{folder, report, run, verdict};
use serde_json::Value;

/// A parser, a small text for it that ends a line, and what holds of it as long as it is whole.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "json",
        "{\"a\": [1, 2],\n \"state\": \"LIVE\"}\n",
        "p.state == \"LIVE\" && p.error == ()",
    ),
    (
        "json-lines",
        "{\"a\": 1}\n{\"state\": \"LIVE\"}\n{\"b\": \"é\"}\n",
        "p.all(|row| row.error == ())",
    ),
    (
        "yaml",
        "a: 1\nstate: LIVE\nlist:\n  - x\n  - \"é\"\n",
        "p.state == \"LIVE\" && p.error == ()",
    ),
    (
        "{ lines: { fields: '^(?<name>\\w+)=(?<value>.*)$' } }",
        "a=1\nstate=LIVE\nb=é\n",
        "p.all(|row| row.value != \"DOWN\")",
    ),
    (
        "{ table: {} }",
        "NAME  STATE\na     LIVE\nb     LIVE\n",
        "p.all(|row| row.NAME != \"c\")",
    ),
    ("{ key-value: {} }", "a: 1\nstate: LIVE\nb: é\n", "p.error == ()"),
    (
        "prometheus",
        "# TYPE up gauge\nup 1\nerrors_total{code=\"5\"} 0\n",
        "p.all(|row| row.name != \"down\")",
    ),
    (
        "{ iptables: { table: nat } }",
        "-P PREROUTING ACCEPT\n-N OWN\n-A PREROUTING -p tcp -j OWN\n",
        "p.nat.OWN.policy == ()",
    ),
    ("diff", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n", "p.len() < 2"),
    ("raw", "all is\nwell\n", "!p.contains(\"error\")"),
];

/// A rulebook with one probe `p` that is bound to the file `p`, and a rule.
fn book(parse: &str, rule: &str) -> String {
    format!(
        "casebook: 1\nrulebook: r\ntitle: R\nprobes: {{ p: {{ captured: [p], parse: {parse} }} }}\nrules: {{ r: {{ title: R, severity: error, {rule} }} }}\n"
    )
}

/// Judges a text; verdict, reason and the whole report.
fn judged(parse: &str, rule: &str, bytes: &[u8]) -> (String, String, Value) {
    let dir = folder(&[("r.yaml", book(parse, rule).as_bytes()), ("b/p", bytes)]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (_, report) = report(&["run", &at("b"), "-r", &at("r.yaml")]);
    let (verdict, reason) = verdict(&report, "r");
    (verdict, reason, report)
}

#[test]
fn a_text_cut_at_any_byte_lets_no_rule_pass_unless_it_ends_a_line() {
    for (parse, text, holds) in TEXTS {
        let dir = tempfile::tempdir().unwrap();
        let rules: String = book(parse, &format!("expect: '{holds}'"));
        fs::write(dir.path().join("r.yaml"), rules).unwrap();
        let mut args = vec!["run".to_owned(), "--format=json-lines".to_owned(), "-r".to_owned()];
        args.push(dir.path().join("r.yaml").display().to_string());
        for end in 0..=text.len() {
            let bundle = dir.path().join(end.to_string());
            fs::create_dir(&bundle).unwrap();
            fs::write(bundle.join("p"), &text.as_bytes()[..end]).unwrap();
            args.push(bundle.display().to_string());
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = run(&args);
        assert!(!ran.stderr.contains("panicked"), "{parse}: {}", ran.stderr);
        let reports: Vec<Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(reports.len(), text.len() + 1, "{parse}: {}", ran.stderr);
        for (end, report) in reports.iter().enumerate() {
            let (verdict, _) = verdict(report, "r");
            let between_lines = end > 0 && text.as_bytes()[end - 1] == b'\n';
            // Without its last line's end, what its own brackets close is whole.
            let closed = *parse == "json" && end + 1 == text.len();
            assert!(
                verdict != "pass" || between_lines || closed,
                "{parse}: passes on {:?}",
                &text.as_bytes()[..end].escape_ascii().to_string()
            );
        }
        assert_eq!(verdict(&reports[text.len()], "r").0, "pass", "{parse}");
    }
}

#[test]
fn a_text_that_ends_in_a_line_says_so_and_still_fails_where_it_shows_a_fault() {
    let lines = "{ lines: { fields: '^(?<text>.*)$' } }";
    let rule = "forbid: { row: 'p.filter(|row| row.text.contains(\"DOWN\"))' }, at: row";
    let (verdict, reason, _) = judged(lines, rule, b"one\nis LIVE");
    assert_eq!(verdict, "unknown");
    assert!(
        reason.contains("`p` ends in the middle of a line, as if it were cut off"),
        "{reason}"
    );
    assert_eq!(judged(lines, rule, b"one is DOWN\nanother").0, "fail");
    assert_eq!(judged(lines, rule, b"one\nis LIVE\n").0, "pass");
}

#[test]
fn bytes_that_are_no_text_are_counted_and_the_rest_is_read() {
    let lines = "{ lines: { fields: '^(?<text>.*)$' } }";
    let rule = "decide: [{ fail: 'p.some(|row| row.text.contains(\"DOWN\"))', at: 'p.filter(|row| row.text.contains(\"DOWN\"))' }]";
    let (verdict, _, report) = judged(lines, rule, b"\xff\xfe one\nis DOWN\n\xc3\x28 last\n");
    assert_eq!(verdict, "fail");
    assert_eq!(report["bundle"]["items"][0]["replaced_bytes"], 3);
    let label = &report["findings"][0]["labels"][0];
    // Offsets are those of the bytes as they are.
    assert_eq!(
        (label["line"].as_u64(), label["start"].as_u64()),
        (Some(2), Some(7)),
        "{label}"
    );
    let (verdict, reason, _) = judged("json", "expect: p.a == 1", b"{\"a\": 1, \"b\": \"\xff\"}\n");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("UTF-8"), "{reason}");
}

#[test]
fn byte_order_marks_line_ends_of_windows_and_nul_bytes_are_no_part_of_what_is_read() {
    let rule = "decide: [{ fail: 'p.state == \"DOWN\"', at: p.state }]";
    for parse in ["yaml", "{ key-value: {} }"] {
        let (verdict, reason, report) = judged(parse, rule, b"\xef\xbb\xbfa: 1\r\nstate: DOWN\r\n");
        assert_eq!(verdict, "fail", "{parse}: {reason}");
        let label = &report["findings"][0]["labels"][0];
        assert_eq!(
            (label["line"].as_u64(), label["column"].as_u64()),
            (Some(2), Some(8)),
            "{parse}: {label}"
        );
    }
    let (verdict, reason, _) = judged("json", "expect: p.a == 1", b"\xef\xbb\xbf{\"a\": 1}\r\n");
    assert!(
        verdict == "pass" || reason.contains("byte order mark"),
        "{verdict}: {reason}"
    );
    let (verdict, _, report) = judged(
        "{ lines: { fields: '^(?<text>.*)$' } }",
        "decide: [{ fail: 'p.some(|row| row.text.contains(\"DOWN\"))', at: p }]",
        b"a\0b\r\nis DOWN\0\r\n",
    );
    assert_eq!(verdict, "fail");
    assert!(!report.to_string().contains('\0'));
    let (verdict, reason, _) = judged("json", "expect: p.a == 1", b"{\"a\": 1\0}");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("U+0000"), "{reason}");
}

#[test]
fn a_million_levels_of_nesting_are_refused_in_one_line() {
    let deep = 1_000_000;
    let json = format!("{}{}\n", "[".repeat(deep), "]".repeat(deep));
    for (parse, text) in [
        ("json", json.clone()),
        ("yaml", json),
        ("yaml", "- ".repeat(deep) + "x\n"),
    ] {
        let (verdict, reason, _) = judged(parse, "expect: p.len() == 1", text.as_bytes());
        assert_eq!(verdict, "unknown");
        assert!(
            reason.contains("levels") || reason.contains("deep"),
            "{parse}: {reason}"
        );
        assert!(reason.len() < 300, "{parse}: {reason}");
    }
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let (verdict, reason, _) = judged("yaml", "expect: p.a0.len() == 9", text.as_bytes());
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("alias"), "{reason}");
}

/// Patterns on which engines that go back take longer than the world will last.
#[test]
fn patterns_that_ruin_other_engines_end() {
    let line = "a".repeat(50_000) + "!\n";
    for pattern in ["^(a+)+$", "^(a|aa)+$", "(.*a){20}b", "(a*)*(a*)*c"] {
        let lines = format!("{{ lines: {{ fields: '(?<hit>{pattern})' }} }}");
        let (verdict, reason, _) = judged(&lines, "expect: 'p.all(|row| row.hit == ())'", line.as_bytes());
        assert_eq!(verdict, "pass", "{pattern}: {reason}");
        let rule = format!("expect: '!matches(p, \"{pattern}\")'");
        let (verdict, reason, _) = judged("raw", &rule, line.as_bytes());
        assert_eq!(verdict, "pass", "{pattern}: {reason}");
    }
}

#[test]
fn empty_files_pass_nothing_whatever_reads_them() {
    for (parse, _, holds) in TEXTS {
        for bytes in [&b""[..], b"\n", b" \r\n\t\n"] {
            let (verdict, reason, report) = judged(parse, &format!("expect: '{holds}'"), bytes);
            assert_eq!(verdict, "unknown", "{parse}");
            assert_eq!(reason, "`p` is empty");
            assert_eq!(report["bundle"]["items"][0]["outcome"], "empty");
        }
    }
}

/// As somebody whom the system keeps from reading it.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_unknown_with_the_cause() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = folder(&[
        ("r.yaml", book("raw", "expect: p == \"x\"").as_bytes()),
        ("b/p", b"x\n"),
    ]);
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let program = dir.path().join("casebook");
    fs::copy(env!("CARGO_BIN_EXE_casebook"), &program).unwrap();
    for path in ["", "b", "r.yaml", "casebook"] {
        mode(&dir.path().join(path), 0o755);
    }
    mode(&dir.path().join("b/p"), 0o000);
    let mut command = std::process::Command::new(program);
    command
        .args(["run", "b", "-r", "r.yaml", "--format", "json"])
        .current_dir(dir.path());
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let (verdict, reason) = verdict(&report, "r");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("`p` may not be read"), "{reason}");
    assert_eq!(report["bundle"]["items"][0]["outcome"], "denied");
}

#[test]
fn an_archive_cut_at_any_byte_lets_no_rule_pass() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("r.yaml"),
        book("raw", "expect: '!p.contains(\"error\")'"),
    )
    .unwrap();
    let text = "all is well\n".repeat(10);
    let whole = archives::gzip(&archives::tar(&[("p", text.as_bytes())]));
    let mut args = vec!["run".to_owned(), "--format=json-lines".to_owned(), "-r".to_owned()];
    args.push(dir.path().join("r.yaml").display().to_string());
    for end in 0..whole.len() {
        let path = dir.path().join(format!("{end}.tgz"));
        fs::write(&path, &whole[..end]).unwrap();
        args.push(path.display().to_string());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = run(&args);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    for line in ran.stdout.lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        let (verdict, reason) = verdict(&report, "r");
        // Where all of the item is there and only the end of the archive is missing, it is whole.
        assert!(
            verdict == "unknown" || report["bundle"]["complete"] == false,
            "{}: {verdict} {reason}",
            report["bundle"]["path"]
        );
    }
}

#[test]
fn a_captured_item_that_was_changed_afterwards_lets_no_rule_pass() {
    let rule = "decide: [{ fail: 'p.contains(\"DOWN\")', at: p }, { pass: true }]";
    let dir = folder(&[
        ("r.yaml", book("raw", rule).as_bytes()),
        ("b/p", b"one\ntwo\nall is LIVE\n"),
    ]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let bundle = casebook::bundle::Bundle::open(Path::new(&at("b")), &casebook::bundle::Limits::default()).unwrap();
    casebook::bundle::Manifest::of(&bundle)
        .unwrap()
        .write(Path::new(&at("b")))
        .unwrap();
    let judged = || verdict(&report(&["run", &at("b"), "-r", &at("r.yaml")]).1, "r");
    assert_eq!(judged().0, "pass");
    // Cut between two lines, which no text could tell; and changed within one.
    for text in ["one\ntwo\n", "one\ntwo\nall is LIFE\n"] {
        fs::write(dir.path().join("b/p"), text).unwrap();
        let (verdict, reason) = judged();
        assert_eq!(verdict, "unknown");
        assert!(reason.ends_with("but `p` is not as it was captured"), "{reason}");
    }
    fs::write(dir.path().join("b/p"), "all is DOWN\n").unwrap();
    assert_eq!(judged().0, "fail");
}
