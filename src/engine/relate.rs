//! Which finding explains which: the edges between rules, with their conditions, laid between findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::halt::Halt;
use crate::rulebook::model::Edge;

use super::Sentence;
use super::causes::{self, Edges};
use super::finding::Draft;
use super::frame::{Frame, Other};
use super::run::Context;

/// Most causes that one finding names.
const MAX_CAUSES: usize = 10;

/// Notes in every finding what it explains and is explained by, and how much follows from it.
pub(super) fn relate(context: &Context, sentences: &mut [Sentence]) {
    let mut drafts: Vec<&mut Draft> = sentences
        .iter_mut()
        .flat_map(|sentence| sentence.drafts.iter_mut())
        .collect();
    let edges = edges(context, &drafts);
    let consequences = causes::consequences(drafts.len(), &edges);
    for &(cause, effect) in &edges {
        let (explains, explained) = (
            drafts[effect].finding.fingerprint.clone(),
            drafts[cause].finding.fingerprint.clone(),
        );
        drafts[cause].finding.explains.push(explains);
        drafts[effect].finding.explained_by.push(explained);
    }
    for (draft, consequences) in drafts.iter_mut().zip(consequences) {
        draft.finding.consequences = consequences;
    }
}

fn edges(context: &Context, drafts: &[&mut Draft]) -> Edges {
    let mut found = BTreeSet::new();
    let mut causes_of = vec![0_usize; drafts.len()];
    for edge in &context.ruleset.edges {
        for (effect, effect_draft) in drafts.iter().enumerate().filter(|(_, d)| d.rule == edge.effect) {
            for (cause, cause_draft) in drafts.iter().enumerate().filter(|(_, d)| d.rule == edge.cause) {
                let counts = causes_of[effect] < MAX_CAUSES && reaches(cause_draft, effect_draft);
                if counts && !found.contains(&(cause, effect)) && holds(context, edge, cause_draft, effect_draft) {
                    causes_of[effect] += 1;
                    found.insert((cause, effect));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// An edge counts within one subject, or from the bundle to any.
fn reaches(cause: &Draft, effect: &Draft) -> bool {
    cause.run.subject.kind.is_none()
        || Arc::ptr_eq(&cause.run, &effect.run)
        || cause.finding.subject == effect.finding.subject
}

/// Whether the condition of an edge holds; one that is unknown or breaks does not.
fn holds(context: &Context, edge: &Edge, cause: &Draft, effect: &Draft) -> bool {
    let Some(condition) = &edge.condition else { return true };
    let (own, other, role) = match edge.written_by == edge.cause {
        true => (cause, effect, "effect"),
        false => (effect, cause, "cause"),
    };
    let rulebook = |draft: &Draft| context.ruleset.rules[draft.rule].rulebook;
    let facing = Other {
        role,
        run: Arc::clone(&other.run),
        rulebook: rulebook(other),
        locals: other.locals.clone(),
    };
    let frame = Arc::new(Frame::facing(Arc::clone(&own.run), rulebook(own), facing));
    let value = frame.eval(condition, &own.locals);
    value
        .and_then(|value| value.as_bool().map_err(Halt::broken))
        .unwrap_or(false)
}
