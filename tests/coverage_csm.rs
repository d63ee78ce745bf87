//! The published guide of rulebook `csm`, sentence by sentence: which rules and steps of guides stand for it. The list of its entries and
//! rows is data; what implements them is read off the rulebooks.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use casebook::rulebook::model::{Ruleset, Walk};
use serde_json::Value;

const DATA: &str = include_str!("data/csm-guide.json");
const PAGE: &str = "docs/coverage/csm.md";

fn data() -> Value {
    serde_json::from_str(DATA).expect("the data is JSON")
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Codes of the rules that name an entry among their `refs`.
fn rules_of(ruleset: &Ruleset, entry: &str) -> Vec<String> {
    let named = ruleset.rules.iter().filter(|rule| rule.refs.iter().any(|r| r == entry));
    named.map(|rule| rule.code(ruleset)).collect()
}

/// Steps of guides that ask one of these rules, as `guide, step N`.
fn steps_of(ruleset: &Ruleset, codes: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for guide in &ruleset.guides {
        let Walk::Steps(steps) = &guide.walk else { continue };
        for (number, step) in steps.iter().enumerate() {
            let asks = |rule: &usize| codes.contains(&ruleset.rules[*rule].code(ruleset));
            if step.rules.iter().any(asks) {
                found.push(format!("{}, step {}", guide.id, number + 1));
            }
        }
    }
    found
}

#[test]
fn every_entry_has_a_rule_or_a_reason() {
    let (ruleset, _) = common::shipped();
    let data = data();
    let entries = texts(&data["entries"]);
    assert_eq!(entries.len(), 62);
    for entry in &entries {
        let exception = &data["exceptions"][entry];
        let excused = exception["because"].as_str().is_some_and(|text| !text.is_empty());
        let implemented = !rules_of(&ruleset, entry).is_empty();
        assert!(
            implemented != excused,
            "{entry}: a rule: {implemented}, an exception: {excused}"
        );
        if let Some(code) = exception["guide"].as_str() {
            assert!(
                ruleset.guides.iter().any(|guide| guide.code(&ruleset) == code),
                "no guide {code}"
            );
        }
    }
}

#[test]
fn rules_and_rows_name_only_entries_that_exist_and_all_of_them() {
    let (ruleset, _) = common::shipped();
    let data = data();
    let entries: BTreeSet<&str> = texts(&data["entries"]).into_iter().collect();
    for rule in &ruleset.rules {
        for entry in rule.refs.iter().filter(|entry| entry.starts_with("CSM-")) {
            assert!(entries.contains(entry.as_str()), "{}: {entry}", rule.code(&ruleset));
        }
    }
    let mut seen = BTreeSet::new();
    for row in data["rows"].as_array().into_iter().flatten() {
        let named = texts(&row["entries"]);
        assert!(
            !named.is_empty() || row["note"].is_string(),
            "neither entry nor reason: {row}"
        );
        seen.extend(named);
    }
    assert_eq!(seen, entries);
    let excused: Vec<&String> = data["exceptions"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    assert!(
        excused.iter().all(|entry| entries.contains(entry.as_str())),
        "{excused:?}"
    );
}

#[test]
fn every_rule_stands_for_something_and_in_a_guide() {
    let (ruleset, _) = common::shipped();
    for rule in &ruleset.rules {
        let code = rule.code(&ruleset);
        if !code.starts_with("csm::") {
            continue;
        }
        assert!(!rule.refs.is_empty(), "{code} has no refs");
        assert!(
            !steps_of(&ruleset, std::slice::from_ref(&code)).is_empty(),
            "{code} is in no guide"
        );
    }
}

#[test]
fn the_page_of_coverage_is_up_to_date() {
    let (ruleset, _) = common::shipped();
    let page = page(&ruleset, &data());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("CASEBOOK_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "{PAGE} is stale: CASEBOOK_UPDATE=1 cargo test --test coverage_csm rewrites it"
    );
}

fn page(ruleset: &Ruleset, data: &Value) -> String {
    let mut out = format!(
        "# Coverage of the guide to Cloud Service Mesh with Envoy\n\n\
         Every heading, bullet and step of [\"Envoy deployments troubleshooting\"]({}), with the entries of the catalogue that it became, the rules\n\
         that implement them, and the steps of guides that ask those. The page is generated from `tests/data/csm-guide.json` and the rulebooks.\n",
        data["source"].as_str().unwrap_or_default()
    );
    let mut section = "";
    for row in data["rows"].as_array().into_iter().flatten() {
        let named = row["section"].as_str().unwrap_or_default();
        if named != section {
            section = named;
            let _ = write!(
                out,
                "\n## {section}\n\n| in the guide | entries | rules | steps of guides |\n|---|---|---|---|\n"
            );
        }
        out.push_str(&line(ruleset, data, row));
    }
    out
}

fn line(ruleset: &Ruleset, data: &Value, row: &Value) -> String {
    let entries = texts(&row["entries"]);
    let mut codes: Vec<String> = Vec::new();
    let mut reasons: Vec<String> = row["note"].as_str().map(str::to_owned).into_iter().collect();
    for entry in &entries {
        codes.extend(rules_of(ruleset, entry));
        if let Some(because) = data["exceptions"][entry]["because"].as_str() {
            reasons.push(because.to_owned());
        }
    }
    let mut seen = BTreeSet::new();
    codes.retain(|code| seen.insert(code.clone()));
    let mut steps = steps_of(ruleset, &codes);
    if codes.is_empty() {
        steps.extend(
            entries
                .iter()
                .filter_map(|entry| data["exceptions"][entry]["guide"].as_str())
                .map(str::to_owned),
        );
    }
    let rules: Vec<String> = codes.iter().map(|code| format!("`{code}`")).chain(reasons).collect();
    format!(
        "| {} | {} | {} | {} |\n",
        row["what"].as_str().unwrap_or_default(),
        entries.join(", "),
        rules.join("; "),
        steps.join("; ")
    )
}
