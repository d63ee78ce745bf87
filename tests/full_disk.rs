//! What happens where nothing more can be written: it is told, what was had stays, nothing breaks.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{folder, report, run, verdict};

/// A small item, one that is larger than files may become, and one after both.
const BOOK: &str = r#"
casebook: 1
rulebook: shop
title: The shop
probes:
  first: { exec: [echo, first], captured: [first.txt], parse: raw }
  large: { exec: [sh, -c, "echo '${first}' > /dev/null; head -c 300000 /dev/urandom | base64"], captured: [large.txt], parse: raw }
  last: { exec: [sh, -c, "sleep 1; echo '${first}'"], captured: [last.txt], parse: raw }
rules:
  first: { title: F, severity: error, expect: first.contains("first") }
  large: { title: L, severity: error, expect: large.len() > 0 }
  last: { title: L, severity: error, expect: last.len() > 0 }
"#;

/// Runs casebook where no file may become larger than 64 KiB, which is told as a full disk would be.
fn bounded(dir: &Path, args: &[&str]) -> Output {
    let script = "trap '' XFSZ; ulimit -f 64 && exec \"$0\" \"$@\"";
    Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_casebook")])
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told.contains("panicked"), "{told}");
    told
}

#[test]
fn an_item_that_cannot_be_written_is_told_and_the_others_are_kept() {
    let dir = folder(&[("shop.yaml", BOOK.as_bytes())]);
    let output = bounded(
        dir.path(),
        &["capture", "-r", "shop.yaml", "--allow", "exec=**", "-o", "b"],
    );
    let stderr = told(&output);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("error: cannot write `large.txt`: File too large") && stderr.contains("2 of 3 items gathered"),
        "{stderr}"
    );
    let bundle = dir.path().join("b");
    let verified = run(&["verify", bundle.to_str().unwrap()]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(
        verified.stdout.contains("2 intact, 1 not gathered"),
        "{}",
        verified.stdout
    );
    let book = dir.path().join("shop.yaml");
    let (_, report) = report(&["run", bundle.to_str().unwrap(), "-r", book.to_str().unwrap()]);
    assert_eq!(verdict(&report, "first").0, "pass");
    assert_eq!(verdict(&report, "last").0, "pass");
    let (verdict, reason) = verdict(&report, "large");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("it could not be written: File too large"), "{reason}");
}

#[test]
fn a_live_run_judges_what_could_be_kept_and_says_what_could_not() {
    let dir = folder(&[("shop.yaml", BOOK.as_bytes())]);
    let args = [
        "run",
        "--live",
        "-r",
        "shop.yaml",
        "--allow",
        "exec=**",
        "--keep",
        "b",
        "--format",
        "json",
    ];
    let output = bounded(dir.path(), &args);
    let stderr = told(&output);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("error: cannot write `large.txt`: File too large"),
        "{stderr}"
    );
    let report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict(&report, "first").0, "pass");
    assert_eq!(verdict(&report, "large").0, "unknown");
}

#[test]
fn an_archive_that_cannot_be_finished_keeps_what_was_written_before() {
    for name in ["b.tar.zst", "b.tar.gz", "b.tar"] {
        let dir = folder(&[("shop.yaml", BOOK.as_bytes())]);
        let output = bounded(
            dir.path(),
            &["capture", "-r", "shop.yaml", "--allow", "exec=**", "-o", name],
        );
        let stderr = told(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("`{name}` could not be written to its end: File too large"))
                && stderr.contains("under its name with `.partial` at the end"),
            "{stderr}"
        );
        assert!(
            !dir.path().join(name).exists(),
            "half an archive has no whole one's name"
        );
        let partial = dir.path().join(format!("{name}.partial"));
        let book = dir.path().join("shop.yaml");
        let (_, report) = report(&["run", partial.to_str().unwrap(), "-r", book.to_str().unwrap()]);
        assert_eq!(verdict(&report, "first").0, "pass", "{name}");
        assert_eq!(verdict(&report, "large").0, "unknown", "{name}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error_of_every_command() {
    let dir = folder(&[("shop.yaml", BOOK.as_bytes()), ("bundle/first.txt", b"first")]);
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let casebook = |args: &[&str], out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
        command.args(args).current_dir(dir.path()).stdout(out).output().unwrap()
    };
    let refused = |output: Output, what: &str| {
        let stderr = told(&output);
        assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
        let expected = "error: the output could not be written: No space left on device";
        assert!(stderr.contains(expected), "{what}: {stderr}");
    };
    for args in [
        &["run", "bundle", "-r", "shop.yaml"][..],
        &["run", "bundle", "-r", "shop.yaml", "--format", "json"],
        &["run", "bundle", "bundle", "-r", "shop.yaml", "--format", "json-lines"],
        &["run", "--live", "-r", "shop.yaml", "--allow", "exec=**"],
        &["query", "bundle", "$", "--file", "*.txt"],
        &["query", "bundle"],
        &["plan", "-r", "shop.yaml"],
        &["list"],
        &["schema", "rulebook"],
    ] {
        refused(casebook(args, full()), &args.join(" "));
        if args[0] == "run" {
            let named = [args, &["--output", "/dev/full"]].concat();
            refused(casebook(&named, Stdio::null()), &named.join(" "));
        }
    }
}
