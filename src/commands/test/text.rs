//! The outcome of cases for people: what was missed, what was a false alarm and what is otherwise wrong, apart.

use std::io::{self, Write};

use crate::case::{Kind, Mismatch, Outcome};
use crate::report::model::Report;
use crate::report::{self, Style};

use super::{Exit, Tests, held};

/// The sorts of differences, in the order in which they are printed, with their headings.
const SECTIONS: [(Kind, &str); 5] = [
    (Kind::Broken, "cases that cannot be run"),
    (Kind::Miss, "misses: a rule should fail and does not"),
    (Kind::FalseAlarm, "false alarms: a rule fails and should not"),
    (Kind::WrongVerdict, "wrong verdicts"),
    (
        Kind::WrongFinding,
        "wrong findings: the rule fails, but says or shows something else",
    ),
];

/// Prints what went wrong, and how many cases went well.
pub(super) fn print(tests: &Tests, outcomes: &[Outcome], out: &mut impl Write) -> io::Result<Exit> {
    for (kind, heading) in SECTIONS {
        section(tests, outcomes, kind, heading, out)?;
    }
    let failed = outcomes.iter().filter(|outcome| !held(outcome)).count();
    writeln!(out, "{} passed, {failed} failed", outcomes.len() - failed)?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Case })
}

fn section(tests: &Tests, outcomes: &[Outcome], kind: Kind, heading: &str, out: &mut impl Write) -> io::Result<()> {
    let mut first = true;
    for (case, outcome) in tests.cases.iter().zip(outcomes) {
        for mismatch in outcome.mismatches.iter().filter(|mismatch| mismatch.kind == kind) {
            if std::mem::take(&mut first) {
                writeln!(out, "{heading}\n")?;
            }
            writeln!(out, "  case {} ({})", case.id, tests.place(case))?;
            writeln!(out, "    {}", described(mismatch))?;
            if let Some(excerpt) = excerpt(outcome, mismatch, &tests.style)? {
                let indented = excerpt.lines().map(|line| format!("    | {line}"));
                writeln!(out, "{}", indented.collect::<Vec<_>>().join("\n"))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// A difference in one line.
pub(super) fn described(mismatch: &Mismatch) -> String {
    match &mismatch.rule {
        Some(rule) => format!("{rule}: {}", mismatch.message),
        None => mismatch.message.clone(),
    }
}

/// What the report says of the rule that a difference is about; nothing where it says nothing beside the verdict.
pub(super) fn excerpt(outcome: &Outcome, mismatch: &Mismatch, style: &Style) -> io::Result<Option<String>> {
    let (Some(report), Some(rule)) = (&outcome.report, &mismatch.rule) else {
        return Ok(None);
    };
    let part = part(report, rule);
    let style = Style {
        width: style.width.saturating_sub(6).max(40),
        ..*style
    };
    let mut text = Vec::new();
    report::write_body(&part, &style, &mut text)?;
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The part of a report that is about one rule, named by its id or its code.
fn part(report: &Report, rule: &str) -> Report {
    let about = |rulebook: &str, id: &str| match rule.split_once("::") {
        Some((wanted, name)) => wanted == rulebook && name == id,
        None => rule == id,
    };
    let mut part = report.clone();
    part.findings.retain(|finding| about(&finding.rulebook, &finding.rule));
    part.verdicts.retain(|verdict| about(&verdict.rulebook, &verdict.rule));
    part.skipped.clear();
    part
}
