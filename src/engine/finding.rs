//! Findings: the failing items of a rule put into words, with labels on the exact bytes.

use std::sync::Arc;

use rhai::Dynamic;
use sha2::{Digest, Sha256};

use crate::report::excerpt;
use crate::report::model::{self, Severity};
use crate::rulebook::model::{Clause, Label, Rule, RuleId, Wording, Words};
use crate::script::{self, LEFT_SLOT, Place, Read};

use super::frame::{Frame, Locals, Seen, Taken};
use super::halt::Halt;
use super::judge::{Failed, Failure, Judged, MAX_LABELLED};
use super::run::Run;
use super::trace::Trace;
use super::{detach, relate};

/// Most findings of one rule on one subject that get excerpts; further ones only name their places.
const MAX_EXCERPTS: usize = 50;

/// A finding, with what conditions between rules need.
#[derive(Debug)]
pub(super) struct Draft {
    /// The rule.
    pub(super) rule: RuleId,
    /// Its names, for conditions between rules.
    pub(super) names: Seen,
    /// The finding, its relations to others still open.
    pub(super) finding: model::Finding,
}

impl Draft {
    /// Takes along what conditions between the whole and this subject read, and lets the evidence go.
    pub(super) fn let_go(&mut self) {
        let Seen::Live { run, locals } = &self.names else {
            return;
        };
        let Some(whole) = run.whole.clone() else { return };
        let ruleset = run.ruleset();
        let frame = run.frame(ruleset.rules[self.rule].rulebook);
        let reads = relate::read_across(ruleset, self.rule);
        let value = |read: &&Read| {
            let local = locals
                .iter()
                .rev()
                .find(|(name, _)| *name == read.name)
                .map(|(_, value)| Ok(value.clone()));
            let value = local.unwrap_or_else(|| frame.read(read));
            (read.name.clone(), value.map(|value| detach::bare(run, &value)))
        };
        let values = reads.iter().map(value).collect();
        let locals = if reads.is_empty() {
            Locals::new()
        } else {
            locals
                .iter()
                .map(|(name, value)| (name.clone(), detach::bare(run, value)))
                .collect()
        };
        self.names = Seen::Taken(Arc::new(Taken { whole, values, locals }));
    }
}

/// The findings of a judged rule; and what went wrong with their words.
pub(super) fn drafts(run: &Arc<Run>, rule: RuleId, judged: &Judged) -> (Vec<Draft>, Option<Halt>) {
    let mut trouble = None;
    let failures = judged.failures.iter().enumerate();
    let drafts = failures.map(|(nth, (key, failure))| {
        let writer = Writer {
            run,
            rule: run.context.rule(rule),
            frame: &judged.frame,
            trouble: &mut trouble,
            cut: nth < MAX_EXCERPTS,
        };
        let locals = failure
            .items
            .first()
            .map(|item| item.locals.clone())
            .unwrap_or_default();
        let names = Seen::Live {
            run: Arc::clone(run),
            locals,
        };
        let finding = writer.finding(key.as_deref(), failure);
        Draft { rule, names, finding }
    });
    let drafts = drafts.collect();
    (drafts, trouble)
}

struct Writer<'a> {
    run: &'a Arc<Run>,
    rule: &'a Rule,
    frame: &'a Arc<Frame>,
    trouble: &'a mut Option<Halt>,
    cut: bool,
}

impl Writer<'_> {
    fn finding(mut self, key: Option<&str>, failure: &Failure) -> model::Finding {
        let ruleset = self.run.ruleset();
        let rulebook = &ruleset.rulebooks[self.rule.rulebook];
        let (subject, group) = self.subject(failure);
        let code = self.rule.code(ruleset);
        let fingerprint = fingerprint(&code, &group, key);
        let mut finding = model::Finding {
            code,
            rulebook: rulebook.id.clone(),
            rule: self.rule.id.clone(),
            title: self.rule.title.clone(),
            refs: self.rule.refs.clone(),
            severity: failure.severity,
            subject,
            key: key.map(str::to_owned),
            message: self.rule.title.clone(),
            labels: Vec::new(),
            labels_omitted: failure.more,
            help: None,
            r#try: Vec::new(),
            fix: Vec::new(),
            docs: self.rule.docs.clone().or_else(|| rulebook.docs.clone()),
            explained_by: Vec::new(),
            explains: Vec::new(),
            consequences: 0,
            fingerprint,
            waived: None,
        };
        self.fill(&mut finding, failure);
        finding
    }

    /// Words of the first item, labels of all.
    fn fill(&mut self, finding: &mut model::Finding, failure: &Failure) {
        let rule = self.rule;
        if let Some(first) = failure.items.first() {
            let clause = &rule.decide[first.clause];
            let says = clause.words.says.as_ref().or(rule.words.says.as_ref());
            if let Some(message) = says.and_then(|says| self.words(says, &first.locals)) {
                finding.message = message;
            }
            let help = clause.words.help.as_ref().or(rule.words.help.as_ref());
            finding.help = help.and_then(|help| self.words(help, &first.locals));
            finding.r#try = self.commands(pick(clause, rule, |w| &w.looks), &first.locals);
            finding.fix = self.commands(pick(clause, rule, |w| &w.fixes), &first.locals);
        }
        for item in &failure.items {
            self.labels(finding, item);
        }
        if finding.labels.is_empty() {
            self.fallback(finding, failure);
        }
    }

    fn subject(&mut self, failure: &Failure) -> (String, String) {
        let own = self.run.label();
        let words = self.rule.subject.as_ref().zip(failure.items.first());
        match words.and_then(|(words, item)| self.words(words, &item.locals)) {
            Some(nearer) => (nearer.clone(), nearer),
            None => {
                let group = self.run.identity().group.clone();
                (own.clone(), group.unwrap_or(own))
            }
        }
    }

    fn words(&mut self, words: &Words, locals: &Locals) -> Option<String> {
        match self.frame.told(words, locals) {
            Ok(text) => Some(text),
            Err(Halt::Unknown(_)) => None,
            Err(failed) => {
                self.trouble.get_or_insert(failed);
                None
            }
        }
    }

    fn commands(&mut self, commands: &[Vec<Words>], locals: &Locals) -> Vec<Vec<String>> {
        let frame = self.frame.with_holes();
        let command = |words: &Vec<Words>| words.iter().map(|word| frame.told(word, locals).ok()).collect();
        commands.iter().filter_map(command).collect()
    }

    fn labels(&mut self, finding: &mut model::Finding, item: &Failed) {
        let clause = &self.rule.decide[item.clause];
        for label in labels(self.rule, clause) {
            let says = label.says.as_ref().and_then(|says| self.words(says, &item.locals));
            for place in self.places(label, item) {
                self.add(finding, place, says.as_deref());
            }
        }
    }

    /// The places of a label; where they are lost, those of the innermost item that has one.
    fn places(&mut self, label: &Label, item: &Failed) -> Vec<Place> {
        let places = match self.frame.eval(&label.at, &item.locals) {
            Ok(value) => script::places_of(&value),
            Err(Halt::Unknown(_)) => Vec::new(),
            Err(failed) => {
                self.trouble.get_or_insert(failed);
                Vec::new()
            }
        };
        if places.is_empty() {
            self.innermost(item)
        } else {
            places
        }
    }

    fn innermost(&self, item: &Failed) -> Vec<Place> {
        let places = item
            .locals
            .iter()
            .rev()
            .map(|(_, value): &(String, Dynamic)| script::places_of(value));
        places.into_iter().find(|places| !places.is_empty()).unwrap_or_default()
    }

    /// Where no label has a place: the items of `each`, then the evidence that was read.
    fn fallback(&mut self, finding: &mut model::Finding, failure: &Failure) {
        for item in &failure.items {
            let mut places = self.innermost(item);
            if places.is_empty() {
                places = self.read(&item.trace);
            }
            for place in places {
                self.add(finding, place, None);
            }
        }
    }

    fn read(&self, trace: &Trace) -> Vec<Place> {
        let root = |probe: usize| {
            let slot = u16::try_from(probe).ok()?;
            let doc = self.run.document(slot)?;
            Some(Place {
                slot,
                node: doc.document.root(),
            })
        };
        trace.reads.iter().filter_map(root).collect()
    }

    fn add(&self, finding: &mut model::Finding, place: Place, says: Option<&str>) {
        let Some(label) = label(self.run, place, says, self.cut) else {
            return;
        };
        let same = |other: &model::Label| {
            other.evidence == label.evidence && other.start == label.start && other.end == label.end
        };
        match () {
            () if finding.labels.iter().any(same) => {}
            () if finding.labels.len() >= MAX_LABELLED => finding.labels_omitted += 1,
            () => finding.labels.push(label),
        }
    }
}

/// The labels of what a clause finds.
pub(super) fn labels<'a>(rule: &'a Rule, clause: &'a Clause) -> &'a [Label] {
    pick(clause, rule, |words| &words.labels)
}

/// A clause's own words where it has them, else the rule's.
fn pick<'a, T>(clause: &'a Clause, rule: &'a Rule, part: impl Fn(&'a Wording) -> &'a Vec<T>) -> &'a [T] {
    let own = part(&clause.words);
    if own.is_empty() { part(&rule.words) } else { own }
}

/// What tells a finding from others, run after run.
pub(super) fn fingerprint(code: &str, group: &str, key: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [code, group, key.unwrap_or_default()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The label at a place; one that points into evidence which is gone was cut before.
pub(super) fn label(run: &Run, place: Place, says: Option<&str>, cut: bool) -> Option<model::Label> {
    if place.slot == LEFT_SLOT {
        let label = run.context.label(place.node.index())?.clone();
        return Some(model::Label {
            says: says.map(str::to_owned),
            ..label
        });
    }
    let doc = run.document(place.slot)?;
    let probe = usize::from(place.slot);
    let evidence = run.item_read(probe)?.path.as_deref()?;
    let code = run.ruleset().probe_code(probe);
    let veil = run.veil(place.slot)?;
    let says = says.map(str::to_owned);
    let mut label = excerpt::label(&doc.document, place.node, evidence, &code, says, &veil);
    if !cut {
        label.excerpt = None;
    }
    Some(label)
}

/// The gravest severity of findings, if there are any.
pub(super) fn gravest(drafts: &[Draft]) -> Option<Severity> {
    drafts.iter().map(|draft| draft.finding.severity).max()
}
