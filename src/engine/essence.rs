//! What a rule makes of evidence, apart from everything that it does not look at: by this, evidence is cut down until something would change.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use rhai::{Array, Dynamic, Map};

use crate::report::model::{Finding, RuleVerdict};
use crate::rulebook::model::{FactId, ProbeId, RuleId};
use crate::script::{self, Index, Node, Place};

use super::applies::OfSubjects;
use super::halt::Halt;
use super::query::{Holder, Inquiry};
use super::run::Run;
use super::{assemble, finding, judge};

/// What a rule makes of the evidence of a subject, or of the bundle.
#[derive(Debug)]
pub struct Essence {
    /// The verdict; none for a subject that the rule is not about.
    pub verdict: Option<RuleVerdict>,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// The values of the facts below it, without what of their objects nobody has asked for.
    pub facts: Vec<String>,
    /// The items that were read.
    pub items: Vec<ItemRead>,
}

/// An item that was read.
#[derive(Debug, Clone)]
pub struct ItemRead {
    /// Its probe.
    pub probe: ProbeId,
    /// Its path in the bundle.
    pub path: String,
    /// The values of its subject's placeholders; none for an item of the bundle.
    pub subject: Vec<String>,
    /// Where facts and labels point, in bytes of the item.
    pub spans: BTreeSet<(usize, usize)>,
}

impl ItemRead {
    /// Whether a fact or label points to or into this range, or around it.
    pub fn touches(&self, range: &Range<usize>) -> bool {
        self.spans
            .iter()
            .any(|(start, end)| *start < range.end && range.start < *end)
    }
}

impl Essence {
    /// Whether two pieces of evidence come to the same.
    pub fn same(&self, other: &Essence) -> bool {
        let finding = |finding: &Finding| {
            let leaf = |text: &str| !text.starts_with(['{', '[']);
            let labels = finding.labels.iter();
            let labels: Vec<_> = labels
                .map(|label| {
                    (
                        label.evidence.clone(),
                        Some(label.text.clone()).filter(|text| leaf(text)),
                        label.says.clone(),
                    )
                })
                .collect();
            (
                finding.subject.clone(),
                finding.key.clone(),
                finding.severity,
                finding.message.clone(),
                labels,
            )
        };
        self.verdict == other.verdict
            && self.facts == other.facts
            && self.findings.iter().map(finding).eq(other.findings.iter().map(finding))
    }
}

impl Inquiry {
    /// What a rule, with these facts below it, makes of each subject and of the bundle.
    pub fn essence(&self, rule: RuleId, facts: &[FactId]) -> Vec<Essence> {
        let asked = OfSubjects::of(self, rule);
        self.look(|holder| essence(holder, rule, facts, &asked))
    }
}

fn essence(holder: &Holder, id: RuleId, facts: &[FactId], asked: &OfSubjects) -> Essence {
    let run = &holder.run;
    let rule = &run.ruleset().rules[id];
    let (mut verdict, mut findings) = (None, Vec::new());
    if rule.kind == holder.kind() {
        match &asked.answer(run, rule.rulebook) {
            Ok(true) => {
                let judged = judge::judge(run, id);
                let (drafts, trouble) = finding::drafts(run, id, &judged);
                verdict = Some(assemble::verdict(run, id, &judged, &drafts, trouble.as_ref()));
                findings = drafts.into_iter().map(|draft| draft.finding).collect();
            }
            not => verdict = Some(assemble::not_applied(run, id, not)),
        }
    }
    // Its name is part of the verdict, so what names it is read too.
    run.label();
    let mut places = Vec::new();
    let own = facts.iter().filter(|fact| {
        run.ruleset().facts[**fact]
            .kind
            .is_none_or(|kind| Some(kind) == holder.kind())
    });
    let facts = own.map(|fact| match &run.fact(*fact).value {
        Ok(value) => {
            places.extend(script::places_of(value));
            outline(value)
        }
        Err(halt @ Halt::Unknown(_)) | Err(halt @ Halt::Broken(_)) => halt.told(run.ruleset()),
    });
    let facts = facts.collect();
    Essence {
        verdict,
        facts,
        items: items(run, &places, &findings),
        findings,
    }
}

/// A value with its lists and leaves; of objects of the evidence nothing but that they are there.
fn outline(value: &Dynamic) -> String {
    if value.read_lock::<Node>().is_some() {
        return "{}".into();
    }
    if let Some(index) = value.read_lock::<Index>() {
        return format!("an index of {}", index.len());
    }
    if let Some(items) = value.read_lock::<Array>() {
        return format!("[{}]", items.iter().map(outline).collect::<Vec<_>>().join(", "));
    }
    if let Some(members) = value.read_lock::<Map>() {
        let member = |(name, member): (&rhai::Identifier, &Dynamic)| format!("{name}: {}", outline(member));
        return format!("#{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "));
    }
    script::show(value)
}

fn items(run: &Arc<Run>, places: &[Place], findings: &[Finding]) -> Vec<ItemRead> {
    let subject: Vec<String> = run.subject.values.values().cloned().collect();
    let own = run.own_items().map(|item| (item, subject.clone()));
    let whole = run
        .whole
        .iter()
        .flat_map(|whole| whole.own_items())
        .map(|item| (item, Vec::new()));
    let read = own.chain(whole).filter_map(|((probe, item), subject)| {
        let path = item.path.clone()?;
        let mut spans = BTreeSet::new();
        if let Ok(doc) = &item.document {
            // What points at the whole document says nothing of its parts.
            let root = doc.document.root();
            let inside = places
                .iter()
                .filter(|place| usize::from(place.slot) == probe && place.node != root);
            let inside = inside.map(|place| doc.document.span(place.node).range());
            spans.extend(inside.map(|span| (span.start, span.end)));
        }
        let labels = findings.iter().flat_map(|finding| &finding.labels);
        let labels = labels.filter(|label| label.evidence == path);
        spans.extend(labels.map(|label| (label.start as usize, label.end as usize)));
        Some(ItemRead {
            probe,
            path,
            subject,
            spans,
        })
    });
    read.collect()
}
