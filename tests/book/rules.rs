//! A page for each shipped rule, and one that lists them: from what `casebook explain` tells, and the words of the rulebook.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use casebook::rulebook::load::Loaded;
use casebook::rulebook::spec::{CheckSpec, ClauseSpec, RuleSpec};
use serde_json::Value;

use crate::reference::GENERATED;

/// Pages by their path below `docs/rules/`.
pub(crate) fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut contents = format!("# Shipped rules\n\n{GENERATED}");
    let loaded = loaded();
    let told = told();
    for rulebook in &loaded.rulebooks {
        let id = &rulebook.spec.rulebook.value;
        contents += &format!(
            "\n## {id}: {}\n\n| rule | severity | fails where |\n|---|---|---|\n",
            rulebook.spec.title.value
        );
        for (name, rule) in &rulebook.spec.rules {
            let name = &name.value;
            let code = format!("{id}::{name}");
            let title = &rule.title.value;
            let severity = text(&told[&code]["severity"]);
            contents += &format!("| [{name}]({id}/{name}.md) | {severity} | {title} |\n");
            pages.insert(format!("{id}/{name}.md"), page(rule, &told[&code]));
        }
    }
    pages.insert("README.md".to_owned(), contents);
    pages
}

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks")
}

fn loaded() -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add_path(&shipped()).unwrap();
    loaded
}

/// What `casebook explain` tells of every shipped rule, by code.
fn told() -> BTreeMap<String, Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_casebook"))
        .args(["explain", "*", "--format", "json", "-r", "rulebooks"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rules: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = rules.as_array().cloned().unwrap_or_default();
    rules
        .into_iter()
        .map(|rule| (text(&rule["code"]).to_owned(), rule))
        .collect()
}

fn page(rule: &RuleSpec, told: &Value) -> String {
    let mut page = format!(
        "# {}\n\n{GENERATED}`{}`, {}",
        rule.title.value,
        text(&told["code"]),
        text(&told["severity"])
    );
    page += &told["subject"]
        .as_str()
        .map_or_else(String::new, |subject| format!(", about a {subject}"));
    let refs = strings(&told["refs"]);
    if !refs.is_empty() {
        page += &format!("; implements {}", refs.join(", "));
    }
    page += &format!(". Written in `{}`.\n", text(&told["at"]["file"]));
    page += &section("Why", told["about"].as_str().unwrap_or_default());
    page += &section("How it decides", &questions(told));
    page += &section("What it says", &messages(rule));
    page += &section("What to do", &steps(rule));
    page += &section("Evidence", &evidence(told));
    page += &section("Causes", &relations(told));
    page += &section("Cases", &cases(told));
    if let Some(docs) = told["docs"].as_str() {
        page += &section("More", &format!("<{docs}>"));
    }
    page
}

fn section(title: &str, text: &str) -> String {
    match text.trim() {
        "" => String::new(),
        text => format!("\n## {title}\n\n{text}\n"),
    }
}

/// The conditions, in the order in which they are asked.
fn questions(told: &Value) -> String {
    let mut text = "The first that holds decides.\n\n| verdict | where |\n|---|---|\n".to_owned();
    for asked in told["asks"].as_array().into_iter().flatten() {
        text += &format!(
            "| {} | {} |\n",
            self::text(&asked["role"]),
            code(self::text(&asked["text"]))
        );
    }
    text
}

/// A script in a cell of a table.
fn code(text: &str) -> String {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

fn clauses(rule: &RuleSpec) -> &[ClauseSpec] {
    match &rule.check {
        CheckSpec::Decide(clauses) => clauses,
        _ => &[],
    }
}

fn messages(rule: &RuleSpec) -> String {
    let own = rule.says.iter().map(|says| ("fail", says));
    let of_clauses = clauses(rule)
        .iter()
        .filter_map(|clause| Some((clause.verdict.key(), clause.says.as_ref()?)));
    let lines = own
        .chain(of_clauses)
        .map(|(verdict, says)| format!("- {verdict}: {}\n", one_line(&says.value)));
    lines.collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn steps(rule: &RuleSpec) -> String {
    let mut helps: Vec<String> = Vec::new();
    let mut commands: Vec<String> = Vec::new();
    let of_clauses = clauses(rule)
        .iter()
        .map(|clause| (&clause.help, &clause.r#try, &clause.fix));
    for (help, look, fix) in std::iter::once((&rule.help, &rule.r#try, &rule.fix)).chain(of_clauses) {
        helps.extend(help.iter().map(|help| format!("- {}\n", one_line(&help.value))));
        for (what, list) in [("look", look), ("mend", fix)] {
            commands.extend(list.iter().map(|words| {
                let words: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
                format!("- to {what}: {}\n", code(&words.join(" ")))
            }));
        }
    }
    commands.dedup();
    format!("{}{}", helps.concat(), commands.concat())
}

fn evidence(told: &Value) -> String {
    let mut text = "| probe | in a bundle | live |\n|---|---|---|\n".to_owned();
    for probe in told["evidence"].as_array().into_iter().flatten() {
        let list = |key: &str| {
            strings(&probe[key])
                .iter()
                .map(|item| code(item))
                .collect::<Vec<_>>()
                .join(", ")
        };
        text += &format!(
            "| `{}` | {} | {} |\n",
            self::text(&probe["probe"]),
            list("captured"),
            list("live")
        );
    }
    text
}

fn relations(told: &Value) -> String {
    let mut text = String::new();
    for (key, words) in [("explains", "explains"), ("explained_by", "explained by")] {
        for edge in told[key].as_array().into_iter().flatten() {
            let condition = edge["condition"]
                .as_str()
                .map(|condition| format!(", where {}", code(condition)));
            text += &format!(
                "- {words} `{}`{}\n",
                self::text(&edge["rule"]),
                condition.unwrap_or_default()
            );
        }
    }
    text
}

/// The names of the cases, by verdict.
fn cases(told: &Value) -> String {
    let mut by_verdict: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in told["cases"].as_array().into_iter().flatten() {
        by_verdict
            .entry(text(&case["verdict"]))
            .or_default()
            .push(text(&case["case"]));
    }
    let lines = by_verdict
        .iter()
        .map(|(verdict, cases)| format!("- {verdict}: {}\n", cases.join(", ")));
    lines.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
