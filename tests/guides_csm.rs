//! The published guide's walks, as they read on evidence.

mod common;

use common::run;

/// A snapshot beside those of the reports.
fn reads(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

const EVIDENCE: &str = "rulebooks/csm/cases/evidence";

/// A walk over the evidence of a case.
fn walk(guide: &str, bundle: &str) -> common::Ran {
    run(&[
        "guide",
        "-r",
        "csm",
        guide,
        &format!("{EVIDENCE}/{bundle}"),
        "--width",
        "100",
    ])
}

#[test]
fn an_unreachable_port_is_walked_to_its_cause() {
    let ran = walk("inbound-port-unreachable", "access-log-denied");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    reads("csm-guide-inbound-port-unreachable", &ran.stdout);
}

#[test]
fn a_proxy_that_cannot_connect_is_walked_to_its_cause() {
    let ran = walk("control-plane-not-connected", "control-plane-refused");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    reads("csm-guide-control-plane-not-connected", &ran.stdout);
}

#[test]
fn every_symptom_of_the_guide_has_its_walk() {
    let ran = run(&["guide", "-r", "csm"]);
    reads("csm-guides", &ran.stdout);
}

/// Nothing is found on a healthy machine, whichever symptom is complained of.
#[test]
fn no_walk_finds_a_cause_on_a_healthy_machine() {
    let listed = run(&["guide", "-r", "csm", "--format", "json"]);
    let guides: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    for guide in guides.as_array().expect("a list") {
        let id = guide["id"].as_str().expect("an id");
        let ran = walk(id, "healthy");
        assert_eq!(ran.code, 0, "{id}: {}{}", ran.stdout, ran.stderr);
    }
}
