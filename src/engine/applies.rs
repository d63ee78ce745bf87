//! Which rulebooks apply: their `when`, asked once for each subject.

use std::sync::Arc;

use rayon::prelude::*;

use crate::rulebook::model::{Expr, RulebookId};

use super::halt::Halt;
use super::run::Run;

/// What the `when` of each rulebook says, by rulebook.
pub(super) type Answers = Vec<Result<bool, Halt>>;

/// The answers for a subject. A rulebook that speaks about another kind of subject, or the whole, applies if it does there.
pub(super) fn to_subject(run: &Arc<Run>) -> Answers {
    let rulebooks = &run.ruleset().rulebooks;
    let ask = |(id, when): (RulebookId, Option<&Expr>)| match when {
        None => Ok(true),
        Some(when) if rulebooks[id].when_kind == run.subject.kind => holds(run, id, when),
        Some(when) if rulebooks[id].when_kind.is_none() => holds(run, id, when),
        Some(_) => Ok(true),
    };
    (0..rulebooks.len())
        .into_par_iter()
        .map(|id| ask((id, run.context.when(id))))
        .collect()
}

/// The answers for the whole: a rulebook that speaks about subjects applies if it does for any of them.
pub(super) fn to_whole(run: &Arc<Run>, subjects: &[(Option<usize>, &Answers)]) -> Answers {
    let rulebooks = &run.ruleset().rulebooks;
    let ask = |(id, when): (RulebookId, Option<&Expr>)| match when {
        None => Ok(true),
        Some(when) if rulebooks[id].when_kind.is_none() => holds(run, id, when),
        Some(_) => any(subjects
            .iter()
            .filter(|(kind, _)| *kind == rulebooks[id].when_kind)
            .map(|(_, answers)| &answers[id])),
    };
    (0..rulebooks.len())
        .into_par_iter()
        .map(|id| ask((id, run.context.when(id))))
        .collect()
}

fn holds(run: &Arc<Run>, rulebook: RulebookId, when: &Expr) -> Result<bool, Halt> {
    let value = run.frame(rulebook).eval(when, &[])?;
    value.as_bool().map_err(|kind| {
        Halt::broken(format!("`when` must be true or false, and this is of type {kind}")).at(&when.text)
    })
}

fn any<'a>(answers: impl Iterator<Item = &'a Result<bool, Halt>>) -> Result<bool, Halt> {
    let (mut undecided, mut seen) = (None, false);
    for answer in answers {
        seen = true;
        match answer {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(halt) => undecided = undecided.or_else(|| Some(halt.clone())),
        }
    }
    match undecided {
        Some(halt) => Err(halt),
        None if seen => Ok(false),
        None => Err(Halt::unknown("the bundle holds nothing that its rulebook speaks about")),
    }
}
