//! `casebook explain`: what a rule asks and of what, and on a bundle every condition with its answer and every name with its value and place.

mod common;

use common::{folder, report, run};
use serde_json::Value;

const SHOP: &str = "tests/guide/shop.yaml";
const LIVE: &str = r#"{"state": "LIVE", "port": 443, "uptime": "2h", "release": 2}"#;
const WAITING: &str = r#"{"state": "WAITING", "port": 80, "uptime": "2s", "release": 1}"#;
const PORTS: &str = r#"{"listening": [22, 443]}"#;
const EXAMPLE: &str = "examples/route-to-unknown-cluster";

fn json(args: &[&str]) -> Value {
    let mut all = vec!["explain", "--format", "json"];
    all.extend(args);
    let ran = run(&all);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

/// Explains on a folder of these files, whose random name reads `bundle`.
fn on(rule: &str, files: &[(&str, &str)]) -> (String, Value) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let dir = folder(&files);
    let path = dir.path().to_str().expect("a name in UTF-8");
    let name = dir.path().file_name().and_then(|name| name.to_str()).expect("a name");
    let ran = run(&["explain", rule, "-r", SHOP, "--width", "80", "--on", path]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (
        ran.stdout.replace(name, "bundle"),
        json(&[rule, "-r", SHOP, "--on", path]),
    )
}

#[test]
fn a_rule_is_explained_with_everything_around_it() {
    let ran = run(&["explain", "port-closed", "-r", SHOP, "--width", "80"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("explain-rule", ran.stdout);
    });
}

#[test]
fn a_rule_as_data_names_its_evidence_and_its_cases() {
    let rule = json(&["route-to-unknown-cluster", "-r", "rulebooks/envoy"]);
    assert_eq!(rule["code"], "envoy::route-to-unknown-cluster");
    assert_eq!(rule["evidence"][0]["probe"], "envoy::config_dump");
    assert_eq!(rule["evidence"][0]["live"][0], "GET <admin>/config_dump?include_eds");
    let cases = rule["cases"].as_array().expect("cases");
    let has = |verdict: &str| cases.iter().any(|case| case["verdict"] == verdict);
    assert!(has("fail") && has("pass") && has("unknown"), "{cases:?}");
}

#[test]
fn relations_are_told_from_both_sides() {
    let cause = json(&["not-serving", "-r", SHOP]);
    assert_eq!(cause["explains"][0]["rule"], "shop::port-closed");
    assert_eq!(cause["explains"][0]["condition"], "effect.status.port == status.port");
    let effect = json(&["port-closed", "-r", SHOP]);
    assert_eq!(effect["explained_by"][0]["rule"], "shop::not-serving");
    assert_eq!(effect["explained_by"][0]["says"], "shop::not-serving");
    assert_eq!(effect["guides"][0], "shop::not-reachable");
}

#[test]
fn a_glob_lists_what_matches() {
    let ran = run(&["explain", "no*", "-r", SHOP]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("shop::not-serving  error"), "{}", ran.stdout);
    assert!(ran.stdout.contains("shop::no-backend   warning"), "{}", ran.stdout);
    let ran = run(&["explain", "no-bakend", "-r", SHOP]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `no-backend`?"), "{}", ran.stderr);
    let ran = run(&["explain", "no*", "-r", SHOP, "--on", EXAMPLE]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("explain one of shop::not-serving, shop::no-backend"),
        "{}",
        ran.stderr
    );
}

#[test]
fn on_a_bundle_each_answer_has_its_values_and_their_places() {
    let files = [
        ("servers/a/status.json", WAITING),
        ("servers/a/ports.json", PORTS),
        ("servers/b/status.json", LIVE),
    ];
    let (text, json) = on("port-closed", &files);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("explain-on", text);
    });
    let failed = &json["subjects"][0];
    assert_eq!(failed["verdict"]["verdict"], "fail");
    let clause = &failed["items"][0]["clauses"][0];
    assert_eq!(clause["answer"], "false");
    assert_eq!(clause["at"]["line"], 33);
    assert_eq!(clause["names"][1]["name"], "status.port");
    assert_eq!(clause["names"][1]["value"], "80");
    let place =
        serde_json::json!({ "evidence": "servers/a/status.json", "line": 1, "column": 30, "path": "$['port']" });
    assert_eq!(clause["names"][1]["places"][0], place);
    let unknown = &json["subjects"][1]["items"][0]["clauses"][0];
    assert_eq!(unknown["names"][0]["unknown"], "no `ports.json` in `servers/b`");
}

#[test]
fn of_many_items_those_that_decided_are_told() {
    let many: Vec<String> = (0..50).map(|site| format!("\"s{site}\"")).collect();
    let sites = format!(
        r#"{{"offered": [{}, "toys"], "backends": [{}]}}"#,
        many.join(","),
        many.join(",")
    );
    let (_, json) = on("no-backend", &[("sites.json", &sites)]);
    let whole = &json["subjects"][0];
    assert_eq!(whole["each"][0]["items"], 51);
    let items = whole["items"].as_array().expect("items");
    assert_eq!(items.len(), 4);
    assert_eq!(items[3]["verdict"], "fail");
    assert_eq!(items[3]["names"][0]["value"], "\"toys\"");
    assert_eq!(whole["omitted"], 47);
}

#[test]
fn computed_facts_are_followed_to_the_evidence() {
    let whole = json(&["route-to-unknown-cluster", "--on", EXAMPLE]);
    let when = &whole["subjects"][0]["when"];
    assert_eq!(when["answer"], "true");
    let fact = &when["names"][0];
    assert!(
        fact["computed"]["as_written"]
            .as_str()
            .expect("a script")
            .contains("routes_section")
    );
    assert_eq!(fact["from"][0]["places"][0]["evidence"], "config_dump.json");
}

/// There is one evaluation: what is explained is what is reported.
#[test]
fn verdicts_are_those_of_a_run() {
    let (_, report) = report(&["run", EXAMPLE, "-r", "envoy"]);
    for verdict in report["verdicts"].as_array().expect("verdicts") {
        let code = format!(
            "{}::{}",
            verdict["rulebook"].as_str().expect("an id"),
            verdict["rule"].as_str().expect("an id")
        );
        let explained = json(&[&code, "-r", "envoy", "--on", EXAMPLE]);
        assert_eq!(&explained["subjects"][0]["verdict"], verdict, "{code}");
    }
}

#[test]
fn without_a_subject_that_is_told() {
    let (text, json) = on("port-closed", &[("sites.json", "{}")]);
    assert_eq!(
        json["subjects"][0]["verdict"]["reason"],
        "the bundle holds nothing of a server"
    );
    assert!(
        text.contains("server: unknown\n  the bundle holds nothing of a server"),
        "{text}"
    );
}
