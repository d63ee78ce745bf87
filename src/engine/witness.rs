//! What evidence shows of the parts of rulebooks: which paths and patterns ever match, which labels ever have a place.

use crate::document::Document;
use crate::rulebook::model::{FactId, FactSource, Label, ProbeId, RuleId};
use crate::script;

use super::extract;
use super::finding;
use super::judge;
use super::query::Holder;
use super::trace::Trace;

/// What the parts of an extraction find in one item of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Whether there is what must be there.
    pub within: bool,
    /// Which of the paths find anything.
    pub paths: Vec<bool>,
    /// Whether the pattern matches anything that the paths find.
    pub captured: bool,
}

impl Holder {
    /// Tries the parts of a fact that is taken from a document; `None` where it is none, or its evidence is not known here.
    pub fn tried(&self, fact: FactId) -> Option<Tried> {
        let declared = &self.run.ruleset().facts[fact];
        match &declared.source {
            FactSource::Extract(extract) if declared.kind == self.kind() => {
                extract::tried(&self.run, extract, &mut Trace::default())
            }
            _ => None,
        }
    }

    /// Which of the times that the target wrote a probe's evidence has; `None` where there is no such evidence here.
    pub fn clocks(&self, probe: ProbeId) -> Option<Vec<bool>> {
        let declared = &self.run.ruleset().probes[probe];
        if declared.kind != self.kind() {
            return None;
        }
        let document: &Document = self.item(probe).document.ok()?;
        let there = |path: &crate::path::Path| path.exists(document, document.root());
        Some(declared.clock.iter().map(there).collect())
    }

    /// The labels of a rule's findings here, with whether they have a place.
    pub fn labels(&self, rule: RuleId) -> Vec<(&Label, bool)> {
        let declared = &self.run.ruleset().rules[rule];
        if declared.kind != self.kind() {
            return Vec::new();
        }
        let judged = judge::judge(&self.run, rule);
        let items = judged.failures.values().flat_map(|failure| &failure.items);
        let labels = items.flat_map(|item| {
            let labels = finding::labels(declared, &declared.decide[item.clause]);
            labels.iter().map(move |label| (label, &item.locals))
        });
        let placed = labels.filter_map(|(label, locals)| {
            let value = judged.frame.eval(&label.at, locals).ok()?;
            Some((label, !script::places_of(&value).is_empty()))
        });
        placed.collect()
    }
}
