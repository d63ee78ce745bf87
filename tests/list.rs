//! `casebook list`: rulebooks, rules, probes, inputs and guides, for people and as JSON.

mod common;

use common::run;
use serde_json::Value;

const SHOP: &str = "tests/guide/shop.yaml";

fn lines(args: &[&str]) -> Vec<String> {
    let mut all = vec!["list", "-r", SHOP, "--width", "120"];
    all.extend(args);
    let ran = run(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.lines().map(str::to_owned).collect()
}

fn json(args: &[&str]) -> Value {
    let mut all = vec!["list", "-r", SHOP, "--format", "json"];
    all.extend(args);
    serde_json::from_str(&run(&all).stdout).expect("JSON")
}

#[test]
fn rulebooks_with_what_they_hold() {
    assert_eq!(
        lines(&[]),
        [
            "RULEBOOK  VERSION  RULES  GUIDES  TITLE",
            "shop               4      2       The shop's servers",
        ]
    );
    assert_eq!(json(&[])[0]["probes"], 3);
    let shipped = run(&["list"]);
    assert!(shipped.stdout.contains("\nenvoy "), "{}", shipped.stdout);
}

#[test]
fn rules_by_name_severity_and_reference() {
    assert_eq!(lines(&["rules"]).len(), 5);
    assert_eq!(lines(&["rules", "no*"]).len(), 3);
    assert_eq!(
        lines(&["rules", "shop::no*", "--severity", "error"])[1..],
        ["shop::not-serving  error           A server is not serving",]
    );
    assert_eq!(json(&["rules", "--ref", "SHOP-*"])[0]["code"], "shop::port-closed");
    assert_eq!(lines(&["rules", "nothing-*"]), ["nothing matches"]);
    assert_eq!(run(&["list", "probes", "--severity", "error"]).code, 2);
}

#[test]
fn probes_inputs_and_guides() {
    assert_eq!(
        lines(&["probes"])[2],
        "shop::ports   server  ports.json   ssh <host> ss -tln"
    );
    assert_eq!(json(&["probes", "status"])[0]["captured"][0], "status.json");
    assert_eq!(lines(&["inputs"])[1], "shop.host  text  -        Name of the machine.");
    assert_eq!(json(&["guides"])[1]["guide"], "shop::request-path");
}

#[test]
fn a_narrow_terminal_wraps_the_last_column() {
    let ran = run(&["list", "rules", "-r", "envoy", "--width", "80"]);
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.stdout
    );
}
