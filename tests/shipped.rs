//! The shipped rulebooks: no problem in them, and all their cases hold.

mod common;

use common::run;

#[test]
fn the_shipped_rulebooks_have_no_problem() {
    let ran = run(&["lint"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("envoy: "), "{}", ran.stdout);
}

#[test]
fn all_cases_of_the_shipped_rulebooks_hold() {
    let ran = run(&["test", "rulebooks"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// Every rule is shown failing, passing and unknown.
#[test]
fn every_shipped_rule_has_a_case_of_each_verdict() {
    let (ruleset, cases) = common::shipped();
    for (id, rule) in ruleset.rules.iter().enumerate() {
        let code = rule.code(&ruleset);
        let named = |names: Vec<&str>| names.iter().any(|name| *name == rule.id || *name == code);
        let own: Vec<_> = cases
            .iter()
            .filter(|case| case.rulebook == rule.rulebook)
            .map(|case| &case.spec)
            .collect();
        let fails = own
            .iter()
            .any(|case| named(case.fail.keys().map(|name| name.value.as_str()).collect()));
        let passes = own
            .iter()
            .any(|case| named(case.pass.iter().map(|name| name.value.as_str()).collect()));
        let unknown = own
            .iter()
            .any(|case| named(case.unknown.keys().map(|name| name.value.as_str()).collect()));
        assert!(
            fails && passes && unknown,
            "rule {id}, {code}: fail {fails}, pass {passes}, unknown {unknown}"
        );
    }
}
