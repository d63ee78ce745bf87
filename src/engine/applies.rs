//! Which rulebooks apply: their `when`, asked once for each subject.

use std::sync::Arc;

use crate::rulebook::model::{Expr, KindId, RuleId, RulebookId};

use super::halt::Halt;
use super::query::Inquiry;
use super::run::Run;

/// What the `when` of a rulebook says.
pub(super) type Answer = Result<bool, Halt>;

/// What the `when` of each rulebook says, by rulebook.
pub(super) type Answers = Vec<Answer>;

/// The answer for a subject. A rulebook that speaks about another kind of subject, or the whole, applies if it does there.
pub(super) fn to_subject(run: &Arc<Run>, rulebook: RulebookId) -> Answer {
    let when_kind = run.ruleset().rulebooks[rulebook].when_kind;
    match run.context.when(rulebook) {
        Some(when) if when_kind.is_none() || when_kind == run.subject.kind => holds(run, rulebook, when),
        _ => Ok(true),
    }
}

/// The answer for the whole, by those for subjects of these kinds: a rulebook that speaks about subjects applies if it does for any of them.
pub(super) fn to_whole<'a>(
    run: &Arc<Run>,
    rulebook: RulebookId,
    subjects: impl Iterator<Item = (Option<KindId>, &'a Answer)>,
) -> Answer {
    let when_kind = run.ruleset().rulebooks[rulebook].when_kind;
    match run.context.when(rulebook) {
        None => Ok(true),
        Some(when) if when_kind.is_none() => holds(run, rulebook, when),
        Some(_) => any(subjects
            .filter(|(kind, _)| *kind == when_kind)
            .map(|(_, answer)| answer)),
    }
}

/// What subjects say of whether the rulebook of a rule applies to the bundle.
pub(super) struct OfSubjects(Vec<(Option<KindId>, Answer)>);

impl OfSubjects {
    /// Asks them, where it is for them to say.
    pub(super) fn of(inquiry: &Inquiry, rule: RuleId) -> OfSubjects {
        let rule = &inquiry.ruleset().rules[rule];
        let by_subject = inquiry.ruleset().rulebooks[rule.rulebook].when_kind.is_some();
        OfSubjects(match rule.kind.is_none() && by_subject {
            true => inquiry.look(|holder| (holder.kind(), to_subject(&holder.run, rule.rulebook))),
            false => Vec::new(),
        })
    }

    /// The answer for a subject, or for the whole.
    pub(super) fn answer(&self, run: &Arc<Run>, rulebook: RulebookId) -> Answer {
        match run.subject.kind {
            Some(_) => to_subject(run, rulebook),
            None => to_whole(run, rulebook, self.0.iter().map(|(kind, answer)| (*kind, answer))),
        }
    }
}

fn holds(run: &Arc<Run>, rulebook: RulebookId, when: &Expr) -> Answer {
    let value = run.frame(rulebook).eval(when, &[])?;
    value.as_bool().map_err(|kind| {
        Halt::broken(format!("`when` must be true or false, and this is of type {kind}")).at(&when.text)
    })
}

fn any<'a>(answers: impl Iterator<Item = &'a Answer>) -> Answer {
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
