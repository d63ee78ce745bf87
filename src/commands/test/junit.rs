//! `casebook test --format junit`.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::case::{Case, Kind, Outcome};
use crate::report::Style;

use super::text::{described, excerpt};
use super::{Exit, Tests, held};

/// Writes one suite for each rulebook and one test for each case.
pub(super) fn print(tests: &Tests, outcomes: &[Outcome], out: &mut impl Write) -> io::Result<Exit> {
    let mut report = Report::new("casebook");
    for (id, rulebook) in tests.ruleset.rulebooks.iter().enumerate() {
        let mut suite = TestSuite::new(rulebook.id.as_str());
        let own = tests.cases.iter().zip(outcomes).filter(|(case, _)| case.rulebook == id);
        for (case, outcome) in own {
            suite.add_test_case(test(tests, case, outcome)?);
        }
        if suite.tests > 0 {
            report.add_test_suite(suite);
        }
    }
    report.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)?;
    Ok(if outcomes.iter().all(held) {
        Exit::Clean
    } else {
        Exit::Case
    })
}

fn test(tests: &Tests, case: &Case, outcome: &Outcome) -> io::Result<TestCase> {
    let mut test = TestCase::new(case.id.as_str(), status(outcome)?);
    test.set_classname(tests.place(case));
    Ok(test)
}

fn status(outcome: &Outcome) -> io::Result<TestCaseStatus> {
    let Some(first) = outcome.mismatches.first() else {
        return Ok(TestCaseStatus::success());
    };
    let kind = match first.kind {
        Kind::Broken => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let mut text = String::new();
    for mismatch in &outcome.mismatches {
        text.push_str(&format!("{}: {}\n", mismatch.kind.words(), described(mismatch)));
        if let Some(excerpt) = excerpt(outcome, mismatch, &Style::default())? {
            text.push_str(&excerpt);
            text.push('\n');
        }
    }
    status
        .set_type(first.kind.words())
        .set_message(described(first))
        .set_description(text);
    Ok(status)
}
