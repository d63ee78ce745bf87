//! Which finding explains which: the edges between rules, with their conditions, laid between findings.
//!
//! Within a subject the conditions see both findings' names. Between the whole and a subject they see what was taken along of the
//! subject's names when it was let go.

use std::collections::{BTreeMap, BTreeSet};

use crate::rulebook::model::{Edge, RuleId, Ruleset};
use crate::script::Read;

use super::context::Context;
use super::examine::Examined;
use super::finding::Draft;
use super::frame::{Frame, Other};
use super::halt::Halt;

/// Most causes that one finding names.
const MAX_CAUSES: usize = 10;

/// Which finding explains which: `(cause, effect)` as indices. Acyclic: rules whose edges would close a circle were cut when the
/// rulebooks were compiled.
pub(super) type Edges = BTreeSet<(usize, usize)>;

/// The edges between the findings of one run.
pub(super) fn within(context: &Context, drafts: &[Draft]) -> Edges {
    let by_rule = by_rule(drafts.iter().enumerate());
    let mut edges = Edges::new();
    for edge in &context.ruleset.edges {
        let (Some(causes), Some(effects)) = (by_rule.get(&edge.cause), by_rule.get(&edge.effect)) else {
            continue;
        };
        let holds = |cause: usize, effect: usize| holds(context, edge, &drafts[cause], &drafts[effect]);
        lay(&mut edges, causes, effects, holds);
    }
    edges
}

/// The edges between the findings of the whole and those of subjects, as indices into all findings in a row.
pub(super) fn across(context: &Context, examined: &[Examined]) -> Edges {
    let all: Vec<&Draft> = examined.iter().flat_map(|subject| &subject.drafts).collect();
    let whole = examined.first().map_or(0, |whole| whole.drafts.len());
    let of_whole = by_rule(all[..whole].iter().copied().enumerate());
    let of_subjects = by_rule(all.iter().copied().enumerate().skip(whole));
    let mut edges = Edges::new();
    for edge in &context.ruleset.edges {
        let holds = |cause: usize, effect: usize| {
            reaches(all[cause], all[effect], cause < whole) && holds(context, edge, all[cause], all[effect])
        };
        for (causes, effects) in [(&of_whole, &of_subjects), (&of_subjects, &of_whole)] {
            if let (Some(causes), Some(effects)) = (causes.get(&edge.cause), effects.get(&edge.effect)) {
                lay(&mut edges, causes, effects, holds);
            }
        }
    }
    edges
}

fn by_rule<'d>(drafts: impl Iterator<Item = (usize, &'d Draft)>) -> BTreeMap<RuleId, Vec<usize>> {
    let mut by_rule = BTreeMap::<RuleId, Vec<usize>>::new();
    for (at, draft) in drafts {
        by_rule.entry(draft.rule).or_default().push(at);
    }
    by_rule
}

fn lay(edges: &mut Edges, causes: &[usize], effects: &[usize], holds: impl Fn(usize, usize) -> bool) {
    for &effect in effects {
        let found = causes.iter().filter(|cause| holds(**cause, effect)).take(MAX_CAUSES);
        edges.extend(found.map(|cause| (*cause, effect)));
    }
}

/// An edge counts from the bundle to any subject; the other way only to a finding that the whole puts on that very subject.
fn reaches(cause: &Draft, effect: &Draft, cause_is_whole: bool) -> bool {
    cause_is_whole || cause.finding.subject == effect.finding.subject
}

/// Whether the condition of an edge holds; one that is unknown or breaks does not.
fn holds(context: &Context, edge: &Edge, cause: &Draft, effect: &Draft) -> bool {
    let Some(condition) = context.condition(edge) else {
        return true;
    };
    let (own, other, role) = match edge.written_by == edge.cause {
        true => (cause, effect, "effect"),
        false => (effect, cause, "cause"),
    };
    let facing = Other {
        role,
        names: other.names.clone(),
        rulebook: context.ruleset.rules[other.rule].rulebook,
    };
    let frame = Frame::facing(&own.names, context.ruleset.rules[own.rule].rulebook, facing);
    let value = frame.eval(condition, own.names.locals());
    value
        .and_then(|value| value.as_bool().map_err(Halt::broken))
        .unwrap_or(false)
}

/// What conditions between the whole and a subject read of a finding's names: its own if its rule wrote them, else what they read
/// of the other side.
pub(super) fn read_across(ruleset: &Ruleset, rule: RuleId) -> Vec<&Read> {
    let across = |other: RuleId| ruleset.rules[other].kind.is_none();
    let mut reads = Vec::new();
    for edge in &ruleset.edges {
        let Some(condition) = &edge.condition else { continue };
        let side = match () {
            () if edge.cause == rule && across(edge.effect) => "cause",
            () if edge.effect == rule && across(edge.cause) => "effect",
            () => continue,
        };
        let own = edge.written_by == rule;
        let wanted = |read: &&Read| {
            if own {
                !matches!(
                    read.namespace.as_deref(),
                    Some("inputs" | "subject" | "cause" | "effect")
                )
            } else {
                read.namespace.as_deref() == Some(side)
            }
        };
        reads.extend(condition.script.reads.iter().filter(wanted));
    }
    reads
}
