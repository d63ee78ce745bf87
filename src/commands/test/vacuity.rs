//! `casebook test --vacuity`: what passes once evidence is damaged.

use std::io::{self, Write};

use crate::case::vacuity::{self, VacuousPass};
use crate::case::{Outcome, word};

use super::{Exit, Tests};

/// Prints what passes on damaged evidence and did not before.
pub(super) fn print(tests: &Tests, outcomes: &[Outcome], out: &mut impl Write) -> io::Result<Exit> {
    let checked = vacuity::check(&tests.ruleset, &tests.cases, outcomes, &tests.selection);
    for pass in &checked.passes {
        writeln!(out, "{}", told(tests, pass))?;
    }
    let items = match checked.items {
        1 => "1 item of evidence".to_owned(),
        items => format!("{items} items of evidence"),
    };
    let passes = match checked.passes.len() {
        0 => "no new pass".to_owned(),
        1 => "1 new pass".to_owned(),
        passes => format!("{passes} new passes"),
    };
    writeln!(out, "{items} dropped, emptied and truncated in turn: {passes}")?;
    Ok(if checked.passes.is_empty() {
        Exit::Clean
    } else {
        Exit::Case
    })
}

fn told(tests: &Tests, pass: &VacuousPass) -> String {
    let case = &tests.cases[pass.case];
    let rule = tests.ruleset.rules[pass.rule].code(&tests.ruleset);
    let earlier = if pass.item.earlier {
        " of the earlier capture"
    } else {
        ""
    };
    format!(
        "{}: {rule} passes in case {} once `{}`{earlier} is {}, where it was {}: what was not looked at must not pass",
        tests.place(case),
        case.id,
        pass.item.path,
        pass.damage,
        word(pass.before)
    )
}
