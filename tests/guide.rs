//! `casebook guide`: symptoms are listed; a walk stops at the first cause and says what to do, what it could not decide and what is ahead.

mod common;

use common::{Ran, folder, run, shared};
use tempfile::TempDir;

const SHOP: &str = "tests/guide/shop.yaml";
const LIVE: &str = r#"{"state": "LIVE", "port": 443, "uptime": "2h", "release": 2}"#;
const WAITING: &str = r#"{"state": "WAITING", "port": 80, "uptime": "2s", "release": 1}"#;
const PORTS: &str = r#"{"listening": [22, 443]}"#;
const SITES: &str = r#"{"offered": ["books", "toys"], "backends": ["books"]}"#;
const NO_SITES: &str = r#"{"offered": ["books"], "backends": ["books"]}"#;

/// Casebook's guides over a folder of these files, at 80 columns; the bundle's name, which is random, reads `bundle`.
fn guide(args: &[&str], files: &[(&str, &str)]) -> Ran {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    guide_in(args, &folder(&files))
}

fn guide_in(args: &[&str], dir: &TempDir) -> Ran {
    let path = dir.path().to_str().expect("a name in UTF-8");
    let mut all = vec!["guide", "-r", SHOP, "--width", "80"];
    all.extend(args);
    all.push(path);
    let mut ran = run(&all);
    let name = dir.path().file_name().and_then(|name| name.to_str()).expect("a name");
    ran.stdout = ran.stdout.replace(name, "bundle");
    ran
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

#[test]
fn without_arguments_the_symptoms_are_listed() {
    let ran = run(&["guide", "-r", SHOP]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "GUIDE          RULEBOOK  SYMPTOM");
    assert_eq!(lines[1], "not-reachable  shop      A server cannot be reached");
    let listed = json(&run(&["guide", "-r", SHOP, "--format", "json"]));
    assert_eq!(listed[1]["id"], "request-path");
}

#[test]
fn a_guide_alone_shows_its_steps() {
    let ran = run(&["guide", "-r", SHOP, "shop::not-reachable"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("4. Has every site a backend?\n     shop::no-backend, shop::not-serving\n")
    );
}

#[test]
fn the_walk_ends_at_the_first_cause() {
    let ran = guide(
        &["not-reachable"],
        &[
            ("servers/a/status.json", WAITING),
            ("servers/a/ports.json", PORTS),
            ("sites.json", SITES),
        ],
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("guide-found", ran.stdout);
    });
}

#[test]
fn the_walk_goes_on_past_what_cannot_be_told() {
    let ran = guide(
        &["not-reachable"],
        &[("servers/a/status.json", LIVE), ("sites.json", NO_SITES)],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("guide-undecided", ran.stdout);
    });
    let strict = guide(
        &["not-reachable", "--strict"],
        &[("servers/a/status.json", LIVE), ("sites.json", NO_SITES)],
    );
    assert_eq!(strict.code, 4);
}

#[test]
fn all_walks_on_and_shows_each_finding_once() {
    let ran = guide(
        &["not-reachable", "--all", "--ascii"],
        &[
            ("servers/a/status.json", WAITING),
            ("servers/a/ports.json", PORTS),
            ("servers/b/status.json", LIVE),
            ("sites.json", SITES),
        ],
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.is_ascii());
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("guide-all", ran.stdout);
    });
}

#[test]
fn a_step_that_follows_from_another_names_it() {
    let ran = guide(
        &["not-reachable", "--format", "json"],
        &[
            ("servers/a/status.json", WAITING),
            ("servers/a/ports.json", PORTS),
            ("sites.json", SITES),
        ],
    );
    let walked = json(&ran);
    assert_eq!(walked["schema"], "casebook/guide/v1");
    assert_eq!(walked["stopped_at"], 2);
    let step = &walked["steps"][1];
    assert_eq!(step["verdict"], "fail");
    assert_eq!(step["causes"][0]["code"], "shop::not-serving");
    assert_eq!(step["causes"][0]["step"], 3);
    assert_eq!(
        step["evidence"],
        serde_json::json!(["servers/a/status.json", "servers/a/ports.json"])
    );
    assert_eq!(walked["steps"][2]["walked"], false);
    assert_eq!(walked["steps"][2]["verdict"], serde_json::Value::Null);
}

#[test]
fn findings_below_the_limit_do_not_end_the_walk() {
    let files = [
        (
            "servers/a/status.json",
            r#"{"state": "LIVE", "port": 443, "uptime": "2h", "release": 1}"#,
        ),
        ("servers/a/ports.json", PORTS),
        ("sites.json", NO_SITES),
    ];
    let ran = guide(&["not-reachable"], &files);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("info     1. Is the release"), "{}", ran.stdout);
    let ran = guide(&["not-reachable", "--fail-on", "info"], &files);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("Found at step 1 of 5."), "{}", ran.stdout);
}

#[test]
fn a_rule_that_is_broken_is_told_and_the_walk_goes_on() {
    let ran = guide(
        &["not-reachable"],
        &[
            (
                "servers/a/status.json",
                r#"{"state": "LIVE", "port": 443, "uptime": "2h", "release": "two"}"#,
            ),
            ("servers/a/ports.json", PORTS),
            ("sites.json", NO_SITES),
        ],
    );
    assert_eq!(ran.code, 4, "{}", ran.stdout);
    assert!(ran.stdout.contains("broken   1. Is the release"), "{}", ran.stdout);
    assert!(ran.stdout.contains("ok       2. Does something"), "{}", ran.stdout);
}

#[test]
fn computed_hops_end_in_a_finding() {
    let files = [("servers/a/status.json", LIVE), ("servers/a/ports.json", PORTS)];
    let ran = guide(&["request-path"], &files);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("guide-hops", ran.stdout);
    });
    let walked = json(&guide(&["request-path", "--format", "json"], &files));
    assert_eq!(walked["report"]["findings"][0]["code"], "shop::request-path");
    let ran = guide(&["request-path", "--set", "port=443"], &files);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("passed over 22 (servers/a/ports.json:1:16): another port"),
        "{}",
        ran.stdout
    );
}

#[test]
fn computed_hops_without_their_evidence_are_unknown() {
    let ran = guide(&["request-path"], &[("servers/a/status.json", LIVE)]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("cannot be told: no `ports.json` in `servers/a`"),
        "{}",
        ran.stdout
    );
    let ran = guide(&["request-path"], &[("sites.json", SITES)]);
    assert!(
        ran.stdout.contains("the bundle holds nothing of a server"),
        "{}",
        ran.stdout
    );
}

#[test]
fn computed_hops_are_about_one_subject() {
    let files = [
        ("servers/a/status.json", LIVE),
        ("servers/a/ports.json", PORTS),
        ("servers/b/status.json", LIVE),
        ("servers/b/ports.json", PORTS),
    ];
    let ran = guide(&["request-path"], &files);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--subject 'server/a'"), "{}", ran.stderr);
    let ran = guide(&["request-path", "--subject", "server/b", "--set", "port=22"], &files);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("shop::request-path  server/b"), "{}", ran.stdout);
}

#[test]
fn a_bundle_alone_shows_where_each_guide_ends() {
    let ran = guide(
        &[],
        &[("servers/a/status.json", WAITING), ("servers/a/ports.json", PORTS)],
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("not-reachable  fails at step 2: Does something listen on its port?"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_not_there_is_told_with_what_was_meant() {
    let ran = run(&["guide", "-r", SHOP, "not-reachible", "."]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `not-reachable`?"), "{}", ran.stderr);
    let ran = run(&["guide", "-r", SHOP, "not-reachable", "nowhere"]);
    assert_eq!(ran.code, 2);
    let ran = run(&["guide", "-r", SHOP, "not-reachable", ".", "--set", "port=1"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no rulebook of this run has an input `port`"),
        "{}",
        ran.stderr
    );
}

/// Every guide that is shipped can be walked over every bundle.
#[test]
fn shipped_guides_walk_over_all_bundles() {
    let Some(evidence) = shared("evidence") else { return };
    for entry in std::fs::read_dir(evidence).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let ran = run(&["guide", path.to_str().expect("a name in UTF-8")]);
            assert!(
                [0, 1].contains(&ran.code),
                "{}: {}{}",
                path.display(),
                ran.stdout,
                ran.stderr
            );
        }
    }
}
