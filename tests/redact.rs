//! `casebook redact`: bundles written anew, without their secrets.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use casebook::bundle::{Bundle, Limits, verify};
use common::{codes, folder, report, run, shared, verdict};

/// Evidence with secrets in it.
fn evidence() -> tempfile::TempDir {
    folder(&[
        ("config.json", br#"{"name":"a","password":"hunter2","port":80}"#),
        ("logs/app.log", b"one\nlogin with token=hunter2\nthree\n"),
        ("plain.txt", b"nothing here\n"),
        ("core.bin", b"\x00\xff\xfepassword=hunter2\x00"),
        ("inner.zip", b"PK\x03\x04whatever"),
    ])
}

fn open(path: &Path) -> Bundle {
    Bundle::open(path, &Limits::default()).unwrap()
}

#[test]
fn every_kind_of_bundle_is_written() {
    let dir = evidence();
    let out = tempfile::tempdir().unwrap();
    let mut tokens = Vec::new();
    for name in ["folder", "a.tar", "a.tar.gz", "a.tgz", "a.tar.zst", "a.zip"] {
        let to = out.path().join(name);
        let ran = run(&["redact", dir.path().to_str().unwrap(), "-o", to.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let expected = "config.json: 1 secret\ncore.bin: 1 secret\ninner.zip: left out: it is a zip\nlogs/app.log: 1 secret\n\
            5 items: 3 secrets taken out of 3, 1 left out\n";
        assert_eq!(ran.stdout, expected, "{name}");
        let bundle = open(&to);
        assert_eq!(bundle.files().len(), 5, "{name}");
        let config = String::from_utf8(bundle.read("config.json").unwrap()).unwrap();
        let log = String::from_utf8(bundle.read("logs/app.log").unwrap()).unwrap();
        assert!(!config.contains("hunter2") && !log.contains("hunter2"));
        let token = config
            .split('"')
            .find(|part| part.starts_with("REDACTED-"))
            .unwrap()
            .to_owned();
        assert_eq!(
            log,
            format!("one\nlogin with token={token}\nthree\n"),
            "equal secrets stay equal"
        );
        tokens.push(token);
        assert!(verify(&bundle, &|| {}).unwrap().holds(), "{name}");
        let facts = bundle.facts("config.json").unwrap();
        assert_eq!(facts.redactions, 1);
        let left_out = bundle.facts("inner.zip").unwrap();
        assert!(left_out.reason.as_ref().unwrap().contains("it is a zip") && left_out.sha256.is_none());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 6, "each run has a key of its own");
}

#[test]
fn nothing_is_overwritten() {
    let dir = evidence();
    let out = folder(&[("there.txt", b"x")]);
    let file = out.path().join("a.zip");
    fs::write(&file, b"x").unwrap();
    for to in [out.path(), &file] {
        let ran = run(&["redact", dir.path().to_str().unwrap(), "-o", to.to_str().unwrap()]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("nothing is overwritten"), "{}", ran.stderr);
    }
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[test]
fn a_manifest_is_redacted_too() {
    let manifest = r#"{ "schema": "casebook/bundle/v1", "name": "b", "tool": {"name": "casebook", "version": "0"}, "complete": true,
        "inputs": { "shop.token": "hunter2", "shop.zone": "a" },
        "items": [{ "path": "a.txt", "origin": "GET http://u:hunter2@h/", "stderr": "bad password=hunter2", "outcome": "failed", "exit": 7 },
                  { "path": "b.txt", "outcome": "ok", "captured_at": "2026-01-31T12:00:00Z", "redactions": 2, "size": 17, "sha256": "00" }] }"#;
    let dir = folder(&[("casebook.json", manifest.as_bytes()), ("b.txt", b"password: hunter2")]);
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("out");
    let ran = run(&["redact", dir.path().to_str().unwrap(), "-o", to.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let written = fs::read_to_string(to.join("casebook.json")).unwrap();
    assert!(!written.contains("hunter2"), "{written}");
    let bundle = open(&to);
    let facts = bundle.facts("a.txt").unwrap();
    assert_eq!((facts.redactions, facts.exit), (2, Some(7)));
    assert_eq!(bundle.facts("b.txt").unwrap().redactions, 3);
    assert!(bundle.facts("b.txt").unwrap().captured_at.is_some());
    assert_eq!(bundle.manifest().unwrap().inputs["shop.zone"], "a");
}

#[test]
fn a_rulebook_and_the_user_say_what_else_is_secret() {
    let dir = folder(&[("a.json", br#"{"badge":"b-1","ref":"r-1","note":"n-1"}"#)]);
    let more = folder(&[
        (
            "book.yaml",
            b"casebook: 1\nrulebook: shop\ntitle: Shop\nredact: { names: [badge] }\n",
        ),
        ("more.yaml", b"casebook: 1\nredact: { paths: [$.ref] }\n"),
        ("bad.yaml", b"casebook: 1\nredact: { patterns: ['('] }\n"),
    ]);
    let path = |name: &str| more.path().join(name).display().to_string();
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("out");
    let (book, file) = (path("book.yaml"), path("more.yaml"));
    let common = ["redact", dir.path().to_str().unwrap(), "-o", to.to_str().unwrap()];
    let ran = run(&[&common[..], &["-r", &book, "--redact-file", &file, "--redact", r"n-\d"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("3 secrets taken out of 1"), "{}", ran.stdout);
    for (option, value, code) in [
        ("--redact", "(", 2),
        ("--redact-file", &path("bad.yaml"), 3),
        ("--redact-file", "/none", 2),
    ] {
        let to = out.path().join("none");
        let ran = run(&[
            "redact",
            dir.path().to_str().unwrap(),
            "-o",
            to.to_str().unwrap(),
            option,
            value,
        ]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(!to.exists());
    }
}

/// None of the shared bundles holds a real secret; names such as `secret_name`, `token_bucket` and `ssl_credentials` are all over them.
#[test]
fn real_bundles_are_judged_as_before() {
    let Some(evidence) = shared("evidence") else { return };
    let out = tempfile::tempdir().unwrap();
    let mut bundles: Vec<_> = fs::read_dir(evidence)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    bundles.retain(|path| path.is_dir());
    bundles.sort();
    for bundle in bundles {
        let to = out.path().join(bundle.file_name().unwrap());
        let ran = run(&["redact", bundle.to_str().unwrap(), "-o", to.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stdout.contains(": 0 secrets taken out of 0, 0 left out"),
            "{}",
            ran.stdout
        );
        let (before, after) = (
            report(&["run", bundle.to_str().unwrap()]),
            report(&["run", to.to_str().unwrap()]),
        );
        assert_eq!(before.0, after.0);
        assert_eq!(codes(&before.1), codes(&after.1));
        assert_eq!(before.1["verdicts"], after.1["verdicts"]);
    }
}

/// A rulebook whose words, labels and mistakes show all that it sees.
const TALKATIVE: &str = r#"
casebook: 1
rulebook: shop
title: Shop
redact: { names: [badge] }
probes:
  config: { captured: [config.json], parse: json }
  dump: { captured: [dump.json], parse: json }
  log: { captured: [app.log], parse: { lines: { fields: '(?<text>.*)' } } }
facts:
  users: { from: config, all: "$.users[*]" }
  lines: { from: log, all: "$[*]" }
  data: { from: dump, one: $.data }
rules:
  told:
    title: Told
    severity: error
    each: { user: users }
    decide: [{ fail: true }]
    key: user.name
    at: user.password
    says: "${user.name} has ${user.password}, ${user.badge} and ${user}"
    help: "${user.list}"
    try: [[login, "${user.password}"]]
  line:
    title: Line
    severity: error
    each: { line: lines }
    decide: [{ fail: true }]
    key: line.text
    at: line
    says: "${line.text}"
  data:
    title: Data
    severity: error
    expect: data.a == "other"
    at: data.a
    says: "${data.a}"
  broken:
    title: Broken
    severity: error
    each: { user: users }
    expect: user.password < 5
  reason:
    title: Reason
    severity: error
    each: { user: users }
    decide: [{ unknown: true, says: "it may be ${user.password}" }]
"#;

#[test]
fn a_report_on_a_bundle_that_nobody_redacted_prints_no_secret() {
    let book = folder(&[("shop.yaml", TALKATIVE.as_bytes())]);
    let book = book.path().join("shop.yaml").display().to_string();
    let users = r#"{"users":[{"name":"ann","password":"hunter2","badge":"hunter2-b","list":[{"token":"hunter2"}]}]}"#;
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(users).unwrap()).unwrap();
    let long = format!("{{\"pad\":\"{}\",{}", "x".repeat(500), &users[1..]);
    let dump = br#"{"kind":"Secret","data":{"a":"hunter2"}}"#;
    let log = b"started\nlogin with token=hunter2 done\nauthorization: Bearer hunter2hunter2\n";
    for config in [users, &pretty, &long] {
        let dir = folder(&[
            ("config.json", config.as_bytes()),
            ("dump.json", dump),
            ("app.log", log),
        ]);
        let args = ["run", dir.path().to_str().unwrap(), "-r", &book];
        let (code, json) = report(&args);
        assert_eq!(code, 1);
        assert!(!json.to_string().contains("hunter2"), "{json:#}");
        let told = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["rule"] == "told")
            .unwrap();
        let message = told["message"].as_str().unwrap();
        assert!(message.starts_with("ann has REDACTED, REDACTED and {"), "{message}");
        let label = &told["labels"][0];
        let (start, end) = (
            label["start"].as_u64().unwrap() as usize,
            label["end"].as_u64().unwrap() as usize,
        );
        assert_eq!(&config[start..end], "\"hunter2\"", "places are those of the item");
        assert_eq!(label["text"], "\"*******\"");
        let ran = run(&args);
        assert!(
            !ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"),
            "{}{}",
            ran.stdout,
            ran.stderr
        );
        assert!(ran.stdout.contains("login REDACTED"), "{}", ran.stdout);
    }
}

#[test]
fn what_the_user_calls_secret_is_not_printed() {
    let book = folder(&[("shop.yaml", TALKATIVE.as_bytes())]);
    let book = book.path().join("shop.yaml").display().to_string();
    let dir = folder(&[("app.log", b"card 4929-1234 was swiped\n")]);
    let ran = run(&[
        "run",
        dir.path().to_str().unwrap(),
        "-r",
        &book,
        "--rule",
        "line",
        "--redact",
        r"\d{4}-\d{4}",
    ]);
    assert!(
        ran.stdout.contains("card REDACTED was swiped") && !ran.stdout.contains("4929"),
        "{}",
        ran.stdout
    );
}

/// A value that was taken out is unknown to rules that need it; what is equal is still equal.
#[test]
fn rules_that_need_what_was_redacted_are_unknown() {
    let book = folder(&[(
        "shop.yaml",
        br#"
casebook: 1
rulebook: shop
title: Shop
probes: { config: { captured: [config.json], parse: json } }
facts: { users: { from: config, all: "$.users[*]" } }
rules:
  weak: { title: Weak, severity: error, each: { user: users }, expect: user.password != "12345678", at: user, key: user.name }
  short: { title: Short, severity: error, each: { user: users }, expect: user.password.len() > 3, at: user, key: user.name }
  named: { title: Named, severity: error, each: { user: users }, expect: user.name != "root", at: user, key: user.name }
  shared: { title: Shared, severity: error, decide: [{ fail: "users[0].password == users[1].password" }], at: "users[0].password" }
  differs: { title: Differs, severity: error, decide: [{ fail: "users[0].password != users[2].password" }], at: "users[0].password" }
"#,
    )]);
    let users = br#"{"users":[{"name":"a","password":"hunter2"},{"name":"b","password":"hunter2"},{"name":"c","password":"x"}]}"#;
    let dir = folder(&[("config.json", users)]);
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("out");
    let (from, to) = (dir.path().to_str().unwrap(), to.to_str().unwrap());
    assert_eq!(run(&["redact", from, "-o", to]).code, 0);
    let book = book.path().join("shop.yaml").display().to_string();
    let (_, json) = report(&["run", to, "-r", &book]);
    for rule in ["weak", "short", "differs"] {
        let (verdict, reason) = verdict(&json, rule);
        assert_eq!(verdict, "unknown", "{rule}");
        assert!(reason.starts_with("redacted: "), "{rule}: {reason}");
    }
    assert_eq!(verdict(&json, "named").0, "pass");
    assert_eq!(verdict(&json, "shared").0, "fail");
    assert_eq!(json["bundle"]["items"][0]["redactions"], 3);
}
