//! One subject examined: its rules judged, its findings put into words and related, and what it leaves to the whole taken along.
//! After that its evidence can go.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::report::model::{Item, RuleVerdict, TimeSource};
use crate::rulebook::model::{FactId, FactSource, KindId, ProbeId, RuleId, RulebookId};

use super::applies::{self, Answer, Answers};
use super::detach::Left;
use super::finding::{self, Draft};
use super::halt::Halt;
use super::judge;
use super::relate::{self, Edges};
use super::run::Run;
use super::trace::ProbeSet;
use super::{assemble, detach, evidence};

/// What remains of a subject.
#[derive(Debug)]
pub(super) struct Examined {
    /// Its kind; none: the whole.
    pub(super) kind: Option<KindId>,
    /// What the `when` of each rulebook says of it.
    pub(super) answers: Answers,
    /// The verdicts on it, by rule.
    pub(super) verdicts: Vec<(RuleId, RuleVerdict)>,
    /// The probes that each rule read here.
    pub(super) reads: Vec<(RuleId, ProbeSet)>,
    /// Its findings.
    pub(super) drafts: Vec<Draft>,
    /// Which of its findings explain which, as indices into the findings of all subjects once they stand in a row.
    pub(super) edges: Edges,
    /// What its probes came to.
    pub(super) items: Vec<(ProbeId, Item)>,
    /// Names and hashes of the files that were read.
    pub(super) hashes: Vec<(String, [u8; 32])>,
    /// The newest time that the bundle tells of an item of its, and how.
    pub(super) captured: Option<(Timestamp, TimeSource)>,
    /// Its values of facts over subjects.
    pub(super) left: Vec<(FactId, Left)>,
}

/// Examines a subject.
pub(super) fn subject(run: &Arc<Run>, wanted: &[RuleId]) -> Examined {
    let rules: Vec<RuleId> = wanted
        .iter()
        .copied()
        .filter(|rule| run.ruleset().rules[*rule].kind == run.subject.kind)
        .collect();
    let mut examined = examined(run, |rulebook| applies::to_subject(run, rulebook), &rules);
    examined.left = left(run);
    examined
}

/// Examines the bundle as a whole, once all subjects were; rules of kinds that have no subject are told once, here.
pub(super) fn whole(run: &Arc<Run>, subjects: &[Examined], wanted: &[RuleId]) -> Examined {
    let ask = |rulebook: RulebookId| {
        let answers = subjects
            .iter()
            .map(|subject| (subject.kind, &subject.answers[rulebook]));
        applies::to_whole(run, rulebook, answers)
    };
    let kind_of = |rule: &RuleId| run.ruleset().rules[*rule].kind;
    let own: Vec<RuleId> = wanted.iter().copied().filter(|rule| kind_of(rule).is_none()).collect();
    let mut examined = examined(run, ask, &own);
    let there = |kind| subjects.iter().any(|subject| subject.kind == kind);
    let lost = wanted
        .iter()
        .filter(|rule| kind_of(rule).is_some_and(|kind| !there(Some(kind))));
    examined
        .verdicts
        .extend(lost.map(|rule| (*rule, assemble::no_subject(run, *rule))));
    examined
}

/// Judges these rules; `ask` says whether a rulebook applies, and is asked once for each, when one of its rules is the first to need it.
fn examined(run: &Arc<Run>, ask: impl Fn(RulebookId) -> Answer + Sync, rules: &[RuleId]) -> Examined {
    let answers: Vec<OnceLock<Answer>> = run.ruleset().rulebooks.iter().map(|_| OnceLock::new()).collect();
    let answer = |rulebook: RulebookId| answers[rulebook].get_or_init(|| ask(rulebook));
    let judge = |rule: &RuleId| judged(run, answer(run.ruleset().rules[*rule].rulebook), *rule);
    let sentences: Vec<Sentence> = rules.par_iter().map(judge).collect();
    let (mut verdicts, mut reads, mut drafts) = (Vec::new(), Vec::new(), Vec::new());
    for (rule, sentence) in rules.iter().copied().zip(sentences) {
        verdicts.push((rule, sentence.verdict));
        reads.push((rule, sentence.reads));
        drafts.extend(sentence.drafts);
    }
    let edges = relate::within(&run.context, &drafts);
    drafts.iter_mut().for_each(Draft::let_go);
    Examined {
        kind: run.subject.kind,
        verdicts,
        reads,
        answers: (0..answers.len()).map(|rulebook| answer(rulebook).clone()).collect(),
        drafts,
        edges,
        items: assemble::items(run),
        hashes: run.hashes(),
        captured: captured(run),
        left: Vec::new(),
    }
}

/// What came of one rule.
struct Sentence {
    verdict: RuleVerdict,
    drafts: Vec<Draft>,
    reads: ProbeSet,
}

fn judged(run: &Arc<Run>, applies: &Answer, rule: RuleId) -> Sentence {
    match applies {
        Ok(true) => {
            let judged = judge::judge(run, rule);
            let (drafts, trouble) = finding::drafts(run, rule, &judged);
            Sentence {
                verdict: assemble::verdict(run, rule, &judged, &drafts, trouble.as_ref()),
                drafts,
                reads: judged.reads,
            }
        }
        not => Sentence {
            verdict: assemble::not_applied(run, rule, not),
            drafts: Vec::new(),
            reads: ProbeSet::default(),
        },
    }
}

/// The newest time that the bundle tells of an item of a run, where that time holds.
fn captured(run: &Run) -> Option<(Timestamp, TimeSource)> {
    let others = run.context.capture();
    let holds = |item: &evidence::Item| {
        item.captured
            .filter(|(at, _)| item.capture(others).at == Some(*at) && item.capture(others).exact)
    };
    run.own_items()
        .filter_map(|(_, item)| holds(item))
        .max_by_key(|(at, _)| *at)
}

/// The values of facts over this kind of subject.
pub(super) fn left(run: &Arc<Run>) -> Vec<(FactId, Left)> {
    let facts = (0..run.ruleset().facts.len()).map(|id| (id, run.context.fact(id)));
    let over = facts.filter_map(|(id, fact)| match &fact.source {
        FactSource::Over { kind, value } if Some(*kind) == run.subject.kind => Some((id, fact.rulebook, value)),
        _ => None,
    });
    let values = over.map(|(id, rulebook, value)| {
        let value = run.frame(rulebook).eval(value, &[]).map_err(|halt| match halt {
            Halt::Unknown(unknown) => unknown,
            broken @ Halt::Broken(_) => crate::script::Unknown::new(broken.told(run.ruleset())),
        });
        (id, detach::Left::new(run, value))
    });
    values.collect()
}
