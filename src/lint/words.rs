//! What a finding tells: where to read more, what to do, where it shows, what exactly failed.

use crate::diagnostic::Problem;
use crate::rulebook::model::{Clause, Decision, Label, Rule, Words};
use crate::rulebook::spec::KebabId;

use super::{Book, found};

/// The clauses of a rule that make findings.
pub(super) fn failing(rule: &Rule) -> impl Iterator<Item = &Clause> {
    rule.decide.iter().filter(|clause| clause.decision == Decision::Fail)
}

/// `rule-without-docs`: neither the rule nor its rulebook says where more is to be read.
pub(super) fn docs(book: &Book<'_>) -> Vec<Problem> {
    let spec = &book.loaded.spec;
    if spec.docs.is_some() || spec.rules.is_empty() {
        return Vec::new();
    }
    let help = "add `docs: https://...` to the rule, or to the rulebook for all of its rules";
    if spec.rules.values().all(|rule| rule.docs.is_none()) {
        let message = format!(
            "neither the rulebook `{}` nor any of its rules says where more is to be read",
            spec.rulebook
        );
        return vec![found(spec.rulebook.place, message).label("no `docs`").help(help)];
    }
    let without = spec.rules.iter().filter(|(_, rule)| rule.docs.is_none());
    let problem = |id: &KebabId| {
        found(
            id.place,
            format!("the rule `{id}` does not say where more is to be read"),
        )
        .label("no `docs`")
        .help(help)
    };
    without.map(|(id, _)| problem(id)).collect()
}

/// `rule-without-help`: a finding leaves its reader without the next step.
pub(super) fn help(book: &Book<'_>) -> Vec<Problem> {
    let lacks = |rule: &Rule| rule.words.help.is_none() && failing(rule).any(|clause| clause.words.help.is_none());
    let without = book.rules().filter(|(.., rule)| lacks(rule));
    let problem = |id: &KebabId| {
        let problem = found(id.place, format!("findings of `{id}` do not say what to do")).label("no `help`");
        problem.help("add `help:`: what should a tired person do next?")
    };
    without.map(|(id, ..)| problem(id)).collect()
}

/// `rule-without-label`: a finding points at nothing in particular.
pub(super) fn label(book: &Book<'_>) -> Vec<Problem> {
    // What is repeated falls back to its item.
    let lacks = |rule: &Rule| {
        rule.each.is_empty()
            && rule.words.labels.is_empty()
            && failing(rule).any(|clause| clause.words.labels.is_empty())
    };
    let without = book.rules().filter(|(.., rule)| lacks(rule));
    let problem = |id: &KebabId| {
        let problem = found(id.place, format!("findings of `{id}` point at whole items of evidence")).label("no `at`");
        problem.help("add `at:` with the value that shows the fault, or `labels:`")
    };
    without.map(|(id, ..)| problem(id)).collect()
}

/// `fixed-message`: findings on different items say the same, or a limit is passed and nobody says by how much.
pub(super) fn message(book: &Book<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (id, _, rule) in book.rules() {
        let (what, help) = match rule.each.is_empty() {
            false => (
                "every finding of `{}` has the same message, whatever item fails",
                "say which item it is: `says: the server ${server.name} ...`",
            ),
            true if measures(rule) => (
                "`{}` compares with a limit, and its message has no number",
                "say what was found, and the limit: `says: up for ${uptime}, ...`",
            ),
            true => continue,
        };
        let says = failing(rule).map(|clause| clause.words.says.as_ref().or(rule.words.says.as_ref()));
        let mut fixed: Vec<Option<&Words>> = says
            .filter(|says| says.is_none_or(|says| !says.text.contains("${")))
            .collect();
        fixed.dedup_by_key(|says| says.map(|says| says.text.place));
        for says in fixed {
            let place = says.map_or(id.place, |says| says.text.place);
            let label = if says.is_some() {
                "no `${...}` in it"
            } else {
                "no `says`: the title is the message"
            };
            problems.push(found(place, what.replace("{}", id)).label(label).help(help));
        }
    }
    problems
}

/// Whether all that decides on a failure compares sizes. With 0 or 1, it only asks whether there is anything.
fn measures(rule: &Rule) -> bool {
    let of = |decision| rule.decide.iter().filter(move |clause| clause.decision == decision);
    let texts: Vec<&str> = of(Decision::Fail)
        .map(|clause| clause.condition.text.value.as_str())
        .collect();
    match texts.as_slice() {
        // Whatever does not pass: the short form.
        ["true"] => {
            of(Decision::Pass).count() == 1 && of(Decision::Pass).all(|clause| compares(&clause.condition.text))
        }
        texts => !texts.is_empty() && texts.iter().all(|text| compares(text)),
    }
}

/// Whether a script begins with a comparison of two sizes, and is nothing else.
fn compares(script: &str) -> bool {
    let words: Vec<&str> = script.split_whitespace().collect();
    let [left, "<" | ">" | "<=" | ">=", right] = words[..] else {
        return false;
    };
    !left.contains(['"', '`', '|']) && !matches!(right, "0" | "1") && !right.contains(['"', '`', '|'])
}

/// `each-without-key`: what tells its findings apart is not said.
pub(super) fn key(book: &Book<'_>) -> Vec<Problem> {
    let without = book
        .rules()
        .filter(|(.., rule)| !rule.each.is_empty() && rule.key.is_none());
    let problem = |id: &KebabId, rule: &Rule| {
        let local = rule.each.last().map_or("row", |(name, _)| name.as_str());
        let problem = found(id.place, format!("all failing items of `{id}` are one finding")).label("no `key`");
        problem.help(format!(
            "add `key:` with what names an item, such as `key: {local}.name`"
        ))
    };
    without.map(|(id, _, rule)| problem(id, rule)).collect()
}

/// `computed-label`: a label on a value that is computed, and so stands nowhere in the evidence.
pub(super) fn computed(book: &Book<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (.., rule) in book.rules() {
        let labels = rule
            .decide
            .iter()
            .flat_map(|clause| &clause.words.labels)
            .chain(&rule.words.labels);
        for Label { at, .. } in labels.filter(|label| label.at.script.computes()) {
            let problem = found(
                at.text.place,
                "this label is on a computed value, which stands nowhere in the evidence",
            );
            problems.push(
                problem
                    .label("computed")
                    .help("point at the value that it is computed from"),
            );
        }
    }
    problems
}
