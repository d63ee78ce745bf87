//! What is shown and asked at a terminal, and only there.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;
#[path = "common/pty.rs"]
mod pty;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{folder, run, verdict};
use pty::{Shown, at_terminal};
use serde_json::Value;

/// Never shown: there is nothing to answer.
const NO_QUESTION: &str = "\u{0}";

/// A rulebook from elsewhere, whose command leaves a mark.
const FOREIGN: &str = r#"
casebook: 1
rulebook: shop
title: The shop
probes:
  disk: { exec: [sh, -c, "touch ran; echo full"], captured: [disk.txt], parse: raw }
rules:
  disk-full: { title: The disk is full, severity: error, expect: '!disk.contains("full")', at: disk }
"#;

fn casebook(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
    command.args(args).current_dir(dir).env_clear();
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm");
    command
}

fn live(dir: &Path) -> Command {
    casebook(dir, &["run", "--live", "-r", "shop.yaml", "--format", "json"])
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn answered(dir: &Path, answer: &str) -> Shown {
    let shown = at_terminal(live(dir), "[y/N] ", answer);
    for words in [
        "These rulebooks are not shipped with casebook. They want to:",
        "sh -c 'touch ran; echo full'",
        "for shop::disk-full",
        "Do all of this? [y/N] ",
    ] {
        assert!(shown.terminal.contains(words), "{words}: {}", shown.terminal);
    }
    shown
}

#[test]
fn a_yes_at_the_terminal_lets_a_foreign_rulebook_do_what_it_has_shown() {
    let dir = folder(&[("shop.yaml", FOREIGN.as_bytes())]);
    let shown = answered(dir.path(), "yes\n");
    assert_eq!(shown.code, Some(1), "{}", shown.terminal);
    assert_eq!(verdict(&json(&shown.stdout), "disk-full").0, "fail");
    assert!(dir.path().join("ran").exists());
}

#[test]
fn anything_but_a_yes_denies_it() {
    // The last is the key that ends the input.
    for answer in ["no\n", "\n", "yep\n", "\u{4}"] {
        let dir = folder(&[("shop.yaml", FOREIGN.as_bytes())]);
        let shown = answered(dir.path(), answer);
        assert_eq!(shown.code, Some(0), "{}", shown.terminal);
        let (verdict, reason) = verdict(&json(&shown.stdout), "disk-full");
        assert_eq!(verdict, "unknown");
        assert!(
            reason.contains("denied") && reason.contains("--allow exec=sh"),
            "{reason}"
        );
        assert!(!dir.path().join("ran").exists());
    }
}

#[test]
fn without_a_terminal_it_denies_and_never_asks() {
    let dir = folder(&[("shop.yaml", FOREIGN.as_bytes())]);
    // A yes that waits in a pipe is nobody's.
    fs::write(dir.path().join("yes"), "y\n").unwrap();
    let output = live(dir.path())
        .stdin(Stdio::from(fs::File::open(dir.path().join("yes")).unwrap()))
        .output()
        .unwrap();
    let report = json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(verdict(&report, "disk-full").0, "unknown");
    assert_eq!(report["bundle"]["items"][0]["outcome"], "denied");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("[y/N]"), "{told}");
    assert!(!dir.path().join("ran").exists());
}

#[test]
fn what_is_allowed_is_not_asked_for() {
    let dir = folder(&[("shop.yaml", FOREIGN.as_bytes())]);
    let mut command = live(dir.path());
    command.args(["--allow", "exec=sh"]);
    let shown = at_terminal(command, NO_QUESTION, "");
    assert_eq!(shown.code, Some(1));
    assert!(!shown.terminal.contains("[y/N]"), "{}", shown.terminal);
}

/// A bundle whose manifest lists large files of nothing.
fn large(dir: &Path) {
    let item = |number: u32| {
        let path = format!("{number}.bin");
        fs::File::create(dir.join(&path)).unwrap().set_len(400_000_000).unwrap();
        let none = "0".repeat(64);
        format!(r#"{{ "path": "{path}", "outcome": "ok", "size": 400000000, "sha256": "{none}" }}"#)
    };
    let items: Vec<String> = (0..2).map(item).collect();
    let manifest = format!(
        r#"{{ "schema": "casebook/bundle/v1", "name": "large", "tool": {{ "name": "casebook", "version": "0" }}, "complete": true, "inputs": {{}}, "rulebooks": [], "items": [{}] }}"#,
        items.join(",")
    );
    fs::write(dir.join("casebook.json"), manifest).unwrap();
}

/// Runs a command that takes long, at a terminal and through a pipe; what each showed on standard error.
fn both_ways(dir: &Path, args: &[&str], code: i32) -> (String, String) {
    let shown = at_terminal(casebook(dir, args), NO_QUESTION, "");
    assert_eq!(shown.code, Some(code), "{}", shown.terminal);
    let piped = casebook(dir, args).output().unwrap();
    assert_eq!(piped.status.code(), Some(code));
    (shown.terminal, String::from_utf8_lossy(&piped.stderr).into_owned())
}

/// The line that clears a line of a terminal.
const CLEARED: &str = "\u{1b}[2K";

#[test]
fn long_work_shows_how_far_it_has_come_at_a_terminal_and_nowhere_else() {
    let slow = r#"
casebook: 1
rulebook: slow
title: S
probes: { p: { exec: [sleep, "1"], captured: [p.txt], parse: raw } }
rules: { r: { title: R, severity: error, expect: p == "" } }
"#;
    let dir = folder(&[("slow.yaml", slow.as_bytes())]);
    let bundle = dir.path().join("large");
    fs::create_dir(&bundle).unwrap();
    large(&bundle);
    for (args, code, parts) in [
        (&["query", "large", "$.x", "--file", "0.bin"][..], 1, "/1 subjects"),
        (&["verify", "large"], 1, "/2 items"),
        (
            &["run", "--live", "-r", "slow.yaml", "--allow", "exec=sleep"],
            0,
            "/1 probes",
        ),
    ] {
        let (terminal, piped) = both_ways(dir.path(), args, code);
        assert!(
            terminal.contains(parts) && terminal.contains(CLEARED),
            "{args:?}: {terminal:?}"
        );
        assert!(
            !piped.contains('\u{1b}') && !piped.contains(parts),
            "{args:?}: {piped:?}"
        );
    }
}

#[test]
fn short_work_shows_nothing_on_the_way() {
    let dir = folder(&[("bundle/a.json", b"{}")]);
    let shown = at_terminal(
        casebook(dir.path(), &["query", "bundle", "$", "--file", "*.json"]),
        NO_QUESTION,
        "",
    );
    assert_eq!(shown.code, Some(0));
    assert!(!shown.terminal.contains("subjects"), "{}", shown.terminal);
    assert_eq!(
        run(&[
            "query",
            dir.path().join("bundle").to_str().unwrap(),
            "$",
            "--file",
            "*.json"
        ])
        .stdout,
        shown.stdout
    );
}
