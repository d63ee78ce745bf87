//! `casebook redact`: bundles written anew, without their secrets.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use casebook::bundle::{Bundle, Limits, verify};
use common::{codes, folder, report, run, shared};

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
        assert!(verify(&bundle).unwrap().holds(), "{name}");
        let facts = bundle.facts("config.json").unwrap();
        assert_eq!(facts.redactions, 1);
        let left_out = bundle.facts("inner.zip").unwrap();
        assert!(left_out.stderr.as_ref().unwrap().contains("it is a zip") && left_out.sha256.is_none());
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
