//! What in rulebooks that compile is likely a mistake, or leaves their users without an answer.
//!
//! Each lint has a code, a function that finds it, and a page in `docs/lints/`. A comment silences one:
//! `# casebook: allow(code) reason`, on the line of what it is about or above it.

mod allow;
mod commands;
mod evidence;
mod patterns;
mod severity;
mod targets;
mod twins;
mod unused;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::case::Case;
use crate::diagnostic::{Place, Problem, Problems};
use crate::rulebook::load::{Loaded, LoadedRulebook};
use crate::rulebook::model::{Rule, RuleId, RulebookId, Ruleset};
use crate::rulebook::spec::{KebabId, RuleSpec};

use evidence::Seen;

/// A sort of likely mistakes.
#[derive(Debug)]
pub struct Lint {
    /// Its code.
    pub code: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
    /// Whether it compares a rulebook with the evidence of cases, and so finds nothing where there are none.
    of_cases: bool,
    check: fn(&Book<'_>) -> Vec<Problem>,
}

/// A table of lints, each with its page.
macro_rules! lints {
    ($( $code:literal = $check:path ),* ; of cases: $( $seen_code:literal = $seen_check:path ),* $(,)?) => {
        &[
            $( lints!(@one $code, $check, false), )*
            $( lints!(@one $seen_code, $seen_check, true), )*
        ]
    };
    (@one $code:literal, $check:path, $of_cases:literal) => {
        Lint {
            code: $code,
            page: include_str!(concat!("../../docs/lints/", $code, ".md")),
            of_cases: $of_cases,
            check: $check,
        }
    };
}

/// All lints.
pub const LINTS: &[Lint] = lints! {
    "rule-without-docs" = words::docs,
    "rule-without-help" = words::help,
    "rule-without-label" = words::label,
    "fixed-message" = words::message,
    "each-without-key" = words::key,
    "computed-label" = words::computed,
    "unused-fact" = unused::facts,
    "unused-input" = unused::inputs,
    "unused-probe" = unused::probes,
    "same-predicate" = twins::rules,
    "unknown-target" = targets::rulebooks,
    "impossible-pattern" = patterns::impossible,
    "unused-severity" = severity::unused,
    "repeated-severity" = severity::repeated,
    "cause-milder-than-effect" = severity::milder,
    "try-changes-something" = commands::changing,
    "bad-allowance" = allow::nothing,
    "unused-allowance" = allow::nothing;
    of cases:
    "unmatched-path" = evidence::paths,
    "unmatched-capture" = evidence::captures,
    "lost-label" = evidence::labels,
    "untested-probe" = evidence::probes,
};

/// A rulebook under examination, with what surrounds it.
struct Book<'a> {
    id: RulebookId,
    /// As written.
    loaded: &'a LoadedRulebook,
    ruleset: &'a Ruleset,
    /// What the evidence of cases shows; none where there are no cases.
    seen: Option<&'a Seen>,
    beside: &'a Loaded,
}

impl Book<'_> {
    /// Its rules, as written and compiled.
    fn rules(&self) -> impl Iterator<Item = (&KebabId, &RuleSpec, &Rule)> {
        let own = self.ruleset.rules.iter().filter(|rule| rule.rulebook == self.id);
        let written = self.loaded.spec.rules.iter();
        written.zip(own).map(|((id, spec), rule)| (id, spec, rule))
    }

    /// The number of the rule with this code.
    fn rule(&self, code: &str) -> Option<RuleId> {
        (0..self.ruleset.rules.len()).find(|rule| self.ruleset.rules[*rule].code(self.ruleset) == code)
    }
}

/// A problem whose code is that of the lint which finds it.
fn found(place: Place, message: impl Into<String>) -> Problem {
    Problem::warning("", place, message)
}

/// The lint with this code.
pub fn lint(code: &str) -> Option<&'static Lint> {
    LINTS.iter().find(|lint| lint.code == code)
}

/// Examines rulebooks that compile.
///
/// `written` are the rulebooks as written, in the order of the ruleset, of which those with an id in `ids` are examined; `beside` are those
/// that lie beside them and may use them.
pub fn examine(
    ruleset: &Arc<Ruleset>,
    written: &[LoadedRulebook],
    cases: &[Case],
    ids: &BTreeSet<String>,
    beside: &Loaded,
) -> Problems {
    let seen = (!cases.is_empty()).then(|| Seen::of(ruleset, cases));
    let mut problems = Problems::default();
    for (id, loaded) in written
        .iter()
        .enumerate()
        .filter(|(_, loaded)| ids.contains(&loaded.spec.rulebook.value))
    {
        let seen = seen.as_ref().filter(|_| cases.iter().any(|case| case.rulebook == id));
        let book = Book {
            id,
            loaded,
            ruleset,
            seen,
            beside,
        };
        let mut allowances = allow::read(&book);
        for lint in LINTS {
            let found = (lint.check)(&book).into_iter().map(|problem| Problem {
                code: lint.code,
                ..problem
            });
            found
                .filter(|problem| !allowances.cover(problem, &ruleset.sources))
                .for_each(|problem| problems.push(problem));
        }
        problems.extend(allowances.finish(seen.is_some()));
    }
    problems.sort();
    problems
}
