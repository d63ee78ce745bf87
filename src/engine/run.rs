//! One subject, or the bundle as a whole, while it is being judged: its evidence and its facts, each had when first touched.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use rhai::Dynamic;

use crate::redact::Veil;
use crate::rulebook::model::{FactId, KindId, ProbeId, RulebookId, Ruleset, Symbol, Way, Words};
use crate::script::{self, Doc, Unknown};

use super::context::Context;
use super::evidence::{self, Item};
use super::extract;
use super::frame::Frame;
use super::halt::Halt;
use super::trace::{Cut, Trace};

/// Most bytes of a list or an object that are shown, where something in it is covered.
const LONGEST_SHOWN: usize = 4096;

/// What is being judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    /// Its kind; none: the bundle.
    pub(crate) kind: Option<KindId>,
    /// Its folder in the bundle.
    pub(crate) folder: String,
    /// Values of the placeholders of its place.
    pub(crate) values: IndexMap<String, String>,
}

/// What a subject is called.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// Its name, where it has one.
    pub(crate) name: Option<String>,
    /// What outlives its restart.
    pub(crate) group: Option<String>,
}

/// A value and what was read for it.
#[derive(Debug)]
pub(crate) struct Cell {
    /// The value, or why there is none.
    pub(crate) value: Result<Dynamic, Halt>,
    /// What was read.
    pub(crate) trace: Trace,
}

/// One subject being judged.
#[derive(Debug)]
pub(crate) struct Run {
    /// What all runs share.
    pub(crate) context: Arc<Context>,
    /// The subject.
    pub(crate) subject: Subject,
    /// The run of the bundle as a whole, for a subject's run.
    pub(crate) whole: Option<Arc<Run>>,
    /// The same subject under the rulebooks as they are: what a variant does not change is had from there.
    base: Option<Arc<Run>>,
    identity: OnceLock<Identity>,
    before: OnceLock<Option<Arc<Run>>>,
    items: Vec<OnceLock<Item>>,
    facts: Vec<OnceLock<Cell>>,
}

impl Run {
    /// The bundle as a whole, of which nothing is read yet.
    pub(super) fn of_whole(context: &Arc<Context>) -> Arc<Run> {
        Arc::new(Run::new(context, Subject::default(), None))
    }

    /// The same subject in the context of a variant of the rulebooks.
    pub(super) fn varied(context: &Arc<Context>, base: &Arc<Run>, whole: Option<&Arc<Run>>) -> Arc<Run> {
        let run = Run::new(context, base.subject.clone(), whole.cloned());
        Arc::new(Run {
            base: Some(Arc::clone(base)),
            ..run
        })
    }

    /// A subject, of which nothing is read yet.
    pub(super) fn of(context: &Arc<Context>, subject: &Subject, whole: &Arc<Run>) -> Arc<Run> {
        Arc::new(Run::new(context, subject.clone(), Some(Arc::clone(whole))))
    }

    fn new(context: &Arc<Context>, subject: Subject, whole: Option<Arc<Run>>) -> Run {
        let items = context.ruleset.probes.iter().map(|_| OnceLock::new()).collect();
        let facts = context.ruleset.facts.iter().map(|_| OnceLock::new()).collect();
        Run {
            context: Arc::clone(context),
            subject,
            whole,
            base: None,
            identity: OnceLock::new(),
            before: OnceLock::new(),
            items,
            facts,
        }
    }

    /// The rulebooks.
    pub(crate) fn ruleset(&self) -> &Ruleset {
        &self.context.ruleset
    }

    /// What the subject is called, found out when first asked for.
    pub(crate) fn identity(self: &Arc<Self>) -> &Identity {
        self.identity.get_or_init(|| {
            let Some(kind) = self.subject.kind.map(|kind| &self.ruleset().kinds[kind]) else {
                return Identity::default();
            };
            let frame = self.frame(kind.rulebook);
            let words = |words: &Option<Words>| words.as_ref().and_then(|words| frame.words(words, &[]).ok());
            let placed: Vec<&str> = self.subject.values.values().map(String::as_str).collect();
            let name = if placed.is_empty() {
                words(&kind.name)
            } else {
                Some(placed.join("/"))
            };
            Identity {
                name,
                group: words(&kind.group),
            }
        })
    }

    /// As reports show it: `kind/name`, the kind alone, or `bundle`.
    pub(crate) fn label(self: &Arc<Self>) -> String {
        match (self.subject.kind, &self.identity().name) {
            (None, _) => "bundle".into(),
            (Some(kind), None) => self.ruleset().kinds[kind].id.clone(),
            (Some(kind), Some(name)) => format!("{}/{name}", self.ruleset().kinds[kind].id),
        }
    }

    /// The run that `kind` is judged in: this one, or that of the whole.
    fn of_kind(&self, kind: Option<KindId>) -> &Run {
        match (&self.whole, kind) {
            (Some(whole), None) => whole,
            _ => self,
        }
    }

    /// The same subject in the earlier capture.
    ///
    /// # Errors
    /// An unknown, where there is no earlier capture or the subject is not in it.
    pub(crate) fn before(&self) -> Result<Arc<Run>, Halt> {
        let Some(earlier) = &self.context.earlier else {
            return Err(Halt::unknown(
                "there is no earlier capture to compare with (--before BUNDLE)",
            ));
        };
        let run = self.before.get_or_init(|| earlier.run(&self.subject));
        run.clone()
            .ok_or_else(|| Halt::unknown("the earlier capture does not have this subject"))
    }

    /// The evidence of a probe, read when first asked for.
    pub(crate) fn item(&self, probe: ProbeId) -> &Item {
        let owner = self.of_kind(self.ruleset().probes[probe].kind);
        if let Some(base) = owner.base_of(probe) {
            return base.item(probe);
        }
        let gather = || evidence::gather(&owner.context, &owner.subject.folder, probe);
        owner.items[probe].get_or_init(gather)
    }

    /// The evidence of a probe, where it was already read.
    pub(crate) fn item_read(&self, probe: ProbeId) -> Option<&Item> {
        // Places in evidence that is gone have numbers of no probe.
        let owner = self.of_kind(self.ruleset().probes.get(probe)?.kind);
        match owner.base_of(probe) {
            Some(base) => base.item_read(probe),
            None => owner.items[probe].get(),
        }
    }

    /// The run that holds the evidence of a probe in place of this one, which is a variant of it.
    fn base_of(&self, probe: ProbeId) -> Option<&Arc<Run>> {
        let own = self.context.variant.shapeless == Some(probe);
        self.base.as_ref().filter(|_| !own)
    }

    /// The evidence that was read in this very run.
    pub(crate) fn own_items(&self) -> impl Iterator<Item = (ProbeId, &Item)> {
        self.items
            .iter()
            .enumerate()
            .filter_map(|(probe, item)| Some((probe, item.get()?)))
    }

    /// Names and hashes of the files that were read.
    pub(crate) fn hashes(&self) -> Vec<(String, [u8; 32])> {
        self.own_items()
            .filter_map(|(_, item)| Some((item.path.clone()?, item.sha256?)))
            .collect()
    }

    /// The document of a slot, for places that lie in it.
    pub(crate) fn document(&self, slot: u16) -> Option<&Arc<Doc>> {
        self.item_read(ProbeId::from(slot))?.document.as_ref().ok()
    }

    /// The text of the document of a slot, as reports may show it.
    pub(crate) fn veil(&self, slot: u16) -> Option<Veil<'_>> {
        let item = self.item_read(ProbeId::from(slot))?;
        let document = &item.document.as_ref().ok()?.document;
        let redactor = self.context.redactor();
        let known = item.secrets.get_or_init(|| redactor.places_in(document));
        Some(Veil::new(document.text(), redactor, known))
    }

    /// A value as a report may show it: where it stands in evidence, what is secret there is covered.
    pub(crate) fn shown(&self, value: &Dynamic) -> String {
        let text = script::show(value);
        self.covered(value, &text).unwrap_or(text)
    }

    /// What is shown in place of a value, where that has a secret in it.
    fn covered(&self, value: &Dynamic, text: &str) -> Option<String> {
        let place = script::place_of(value)?;
        let document = &self.document(place.slot)?.document;
        let veil = self.veil(place.slot)?;
        let span = document.span(place.node).range();
        let span = span.start..span.end.min(span.start + LONGEST_SHOWN);
        if !veil.hides(&span) {
            return None;
        }
        if document.is_container(place.node) {
            return Some(veil.show(span).into_owned());
        }
        let covered = self.context.redactor().text(text);
        Some(if covered == text {
            "REDACTED".to_owned()
        } else {
            covered.into_owned()
        })
    }

    /// The document of a probe.
    ///
    /// # Errors
    /// Why the evidence cannot be used, as an unknown that names the probe.
    pub(crate) fn evidence(&self, probe: ProbeId, trace: &mut Trace) -> Result<Arc<Doc>, Halt> {
        let item = self.item(probe);
        let missing = || vec![self.ruleset().probe_code(probe)];
        let document = item.document.as_ref();
        let document = document.map_err(|reason| {
            Halt::Unknown(Unknown {
                reason: reason.clone(),
                missing: missing(),
            })
        })?;
        trace.reads.insert(probe);
        if item.truncated {
            let reason = format!("`{}` is cut off", item.path.as_deref().unwrap_or_default());
            trace.cut = Some(Cut { probe, reason });
        } else if item.doubt.is_some() {
            trace.partial.clone_from(&item.doubt);
        }
        Ok(Arc::clone(document))
    }

    /// The value of a fact, found or computed when first asked for.
    pub(crate) fn fact(self: &Arc<Self>, fact: FactId) -> &Cell {
        let kind = self.ruleset().facts[fact].kind;
        let owner = match (&self.whole, kind) {
            (Some(whole), None) => whole,
            _ => self,
        };
        if let Some(base) = owner.base.as_ref().filter(|_| !self.context.variant.may_change(fact)) {
            return base.fact(fact);
        }
        owner.facts[fact].get_or_init(|| {
            let mut trace = Trace::default();
            let value = extract::value(owner, fact, &mut trace);
            if self.context.fact(fact).partial {
                (trace.cut, trace.partial) = (None, None);
            }
            Cell { value, trace }
        })
    }

    /// The value of a name of a rulebook; what was read for it is added to `trace`.
    ///
    /// # Errors
    /// An unknown, or what broke while the value was computed.
    pub(crate) fn symbol(self: &Arc<Self>, symbol: Symbol, trace: &mut Trace) -> Result<Dynamic, Halt> {
        match symbol {
            Symbol::Probe(probe) => {
                let document = self.evidence(probe, trace)?;
                let root = document.document.root();
                Ok(crate::script::to_dynamic(&document, root))
            }
            Symbol::Fact(fact) => {
                let cell = self.fact(fact);
                if cell.value.is_ok() {
                    trace.merge(&cell.trace);
                }
                cell.value.clone()
            }
            Symbol::Rulebook(_) => Err(Halt::broken(
                "the name of a rulebook is no value; write `rulebook.name`",
            )),
        }
    }

    /// The path where the evidence of a probe would lie.
    pub(crate) fn expected_path(&self, probe: ProbeId) -> Option<String> {
        let first = &self.ruleset().probes[probe].captured.first()?.text;
        let folder = &self.subject.folder;
        Some(if folder.is_empty() {
            first.clone()
        } else {
            format!("{folder}/{first}")
        })
    }

    /// How a person would get the evidence of a probe, with inputs that are not set as `<name>`.
    pub(crate) fn ways(self: &Arc<Self>, probe: ProbeId) -> Vec<String> {
        self.ruleset().probes[probe]
            .ways
            .iter()
            .filter_map(|way| self.way(way))
            .collect()
    }

    fn way(self: &Arc<Self>, way: &Way) -> Option<String> {
        let frame = self.frame(way.rulebook).with_holes();
        let filled = way.action.map(|words| frame.words(words, &[]));
        Some(filled.ok()?.show())
    }

    /// A frame for scripts of `rulebook` in this run.
    pub(crate) fn frame(self: &Arc<Self>, rulebook: RulebookId) -> Arc<Frame> {
        Arc::new(Frame::new(Arc::clone(self), rulebook))
    }
}
