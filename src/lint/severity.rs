//! Severities that say nothing, or too little.

use crate::diagnostic::Problem;
use crate::report::model::Severity;
use crate::rulebook::compile::severity;
use crate::rulebook::model::Rule;
use crate::rulebook::spec::CheckSpec;
use crate::rulebook::text::Text;

use super::words::failing;
use super::{Book, found};

/// The severities that findings of a rule can have.
fn possible(rule: &Rule) -> impl Iterator<Item = Severity> + '_ {
    failing(rule).map(|clause| clause.severity.unwrap_or(rule.severity))
}

/// `unused-severity`: every clause has another, so that no finding has the rule's.
pub(super) fn unused(book: &Book<'_>) -> Vec<Problem> {
    let never =
        |rule: &Rule| failing(rule).next().is_some() && possible(rule).all(|severity| severity != rule.severity);
    let rules = book.rules().filter(|(.., rule)| never(rule));
    let problem = |id: &str, place, rule: &Rule| {
        let message = format!(
            "no finding of `{id}` is ever of its severity, `{}`",
            rule.severity.word()
        );
        let problem = found(place, message).label("each clause has another");
        problem.help("give the rule the severity of most of its findings, and take it from those clauses")
    };
    rules.map(|(id, _, rule)| problem(id, id.place, rule)).collect()
}

/// `repeated-severity`: a clause names the severity that it has anyway.
pub(super) fn repeated(book: &Book<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, spec, _) in book.rules() {
        let CheckSpec::Decide(clauses) = &spec.check else {
            continue;
        };
        for clause in clauses.iter().filter(|clause| clause.severity == Some(spec.severity)) {
            let message = format!(
                "this clause repeats the severity of its rule, `{}`",
                severity(spec.severity).word()
            );
            problems.push(
                found(clause.place, message)
                    .label("the same severity")
                    .help("remove `severity:` here"),
            );
        }
    }
    problems
}

/// `cause-milder-than-effect`: what is only worth knowing explains what does not work.
pub(super) fn milder(book: &Book<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (id, spec, rule) in book.rules() {
        let effects = spec
            .explains
            .keys()
            .filter_map(|name| Some((name, rule, named(book, name)?)));
        let causes = spec
            .explained_by
            .keys()
            .filter_map(|name| Some((name, named(book, name)?, rule)));
        for (name, cause, effect) in effects.chain(causes) {
            let info = possible(cause).all(|severity| severity == Severity::Info);
            let grave = possible(effect).all(|severity| severity >= Severity::Error);
            if info && grave && possible(cause).next().is_some() && possible(effect).next().is_some() {
                let message = format!(
                    "`{}` is no more than `info`, yet it explains `{}`, which is not",
                    cause.id, effect.id
                );
                let problem = found(name.place, message).label(format!("written in `{id}`"));
                problems
                    .push(problem.help("a cause of errors is worth a `warning` at least; or it is not their cause"));
            }
        }
    }
    problems
}

/// The rule that a name without wildcards stands for.
fn named<'a>(book: &'a Book<'_>, name: &Text) -> Option<&'a Rule> {
    let code = if name.contains("::") {
        name.value.clone()
    } else {
        format!("{}::{name}", book.loaded.spec.rulebook)
    };
    book.rule(&code).map(|rule| &book.ruleset.rules[rule])
}
