//! `casebook test --coverage`: which verdicts and clauses of each rule have a case.

use std::io::{self, Write};

use crate::case::coverage::{self, RuleCoverage, VERDICTS};
use crate::case::{Outcome, word};
use crate::diagnostic::Place;

use super::{Exit, TestArgs, Tests};

/// Widest condition of a clause that is printed.
const WIDEST: usize = 60;

/// Prints the table where it is asked for, and what is missing where that is required.
pub(super) fn print(args: &TestArgs, tests: &Tests, outcomes: &[Outcome], out: &mut impl Write) -> io::Result<Exit> {
    let rules = coverage::of(&tests.ruleset, &tests.cases, outcomes, &tests.selection);
    if args.coverage {
        table(tests, &rules, out)?;
    }
    if !args.require_coverage {
        return Ok(Exit::Clean);
    }
    let mut exit = Exit::Clean;
    for rule in rules.iter().filter(|rule| !rule.lacks().is_empty()) {
        let declared = &tests.ruleset.rules[rule.rule];
        let lacks: Vec<&str> = rule.lacks().into_iter().map(word).collect();
        let (place, code) = (place(tests, declared.place), declared.code(&tests.ruleset));
        writeln!(out, "{place}: {code} has no case for: {}", lacks.join(", "))?;
        exit = Exit::Case;
    }
    Ok(exit)
}

fn table(tests: &Tests, rules: &[RuleCoverage], out: &mut impl Write) -> io::Result<()> {
    let codes: Vec<String> = rules
        .iter()
        .map(|rule| tests.ruleset.rules[rule.rule].code(&tests.ruleset))
        .collect();
    let width = codes.iter().map(String::len).max().unwrap_or(0).max(WIDEST + 18);
    let heads: Vec<String> = VERDICTS
        .into_iter()
        .map(|verdict| format!("{:>7}", word(verdict)))
        .collect();
    writeln!(out, "\n{:width$} {}", "number of cases", heads.join(" "))?;
    for (rule, code) in rules.iter().zip(&codes) {
        let cells = VERDICTS
            .into_iter()
            .zip(rule.cases)
            .map(|(verdict, cases)| cell(cases, word(verdict).len().max(7)));
        writeln!(out, "{code:width$} {}", cells.collect::<Vec<_>>().join(" "))?;
        for clause in &rule.clauses {
            let words = format!("  {}: {}", word(clause.verdict), shortened(&clause.condition));
            let at = VERDICTS
                .iter()
                .position(|verdict| *verdict == clause.verdict)
                .unwrap_or(0);
            let before: usize = VERDICTS[..at]
                .iter()
                .map(|verdict| word(*verdict).len().max(7) + 1)
                .sum();
            let own = word(clause.verdict).len().max(7);
            writeln!(out, "{words:width$} {:before$}{}", "", cell(clause.cases, own))?;
        }
    }
    let (covered, of) = (rules.iter().filter(|rule| rule.lacks().is_empty()).count(), rules.len());
    writeln!(out, "\n{covered} of {of} rules have cases for fail, pass and unknown")?;
    let silent = rules.iter().flat_map(RuleCoverage::silent);
    for clause in silent {
        let place = place(tests, clause.place);
        writeln!(
            out,
            "{place}: this clause decides in no case: {}",
            shortened(&clause.condition)
        )?;
    }
    Ok(())
}

fn cell(cases: usize, width: usize) -> String {
    match cases {
        0 => format!("{:>width$}", "-"),
        _ => format!("{cases:>width$}"),
    }
}

/// The first line of a condition, cut where it is long.
fn shortened(condition: &str) -> String {
    let line = condition.lines().next().unwrap_or_default();
    match line.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn place(tests: &Tests, place: Place) -> String {
    let (line, _) = tests.ruleset.sources.position(place);
    format!("{}:{line}", tests.ruleset.sources.get(place.file).name)
}
