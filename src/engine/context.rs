//! What all runs over one bundle share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::redact::Redactor;
use crate::report::model::{Label, TimeSource};
use crate::rulebook::model::{Edge, Expr, Fact, FactId, Rule, RuleId, RulebookId, Ruleset};
use crate::script::Capture;

use super::detach::Left;
use super::run::{Run, Subject};
use super::trial::Variant;
use super::{clock, subjects};

/// Input values by rulebook.
pub(crate) type Inputs = Vec<BTreeMap<String, Dynamic>>;

/// Values of facts over subjects, in the order of the subjects, and the labels that they point to.
type LeftByAll = (BTreeMap<FactId, Vec<Left>>, Vec<Label>);

/// An earlier capture, seen as `before.`.
#[derive(Debug)]
pub(crate) struct Earlier {
    whole: Arc<Run>,
    subjects: Vec<Subject>,
    said: Option<Timestamp>,
}

impl Earlier {
    /// Opens an earlier capture to comparison.
    pub(super) fn new(ruleset: &Arc<Ruleset>, bundle: Bundle, inputs: &Inputs, said: Option<Timestamp>) -> Earlier {
        let context = Context {
            detached: true,
            ..Context::new(Arc::clone(ruleset), bundle, inputs.clone(), None)
        };
        Earlier::of(Arc::new(context), said)
    }

    /// The same capture under a variant of the rulebooks.
    fn varied(&self, variant: &Variant, inputs: &Inputs) -> Earlier {
        let context = self.whole.context.varied(variant, inputs.clone());
        Earlier::of(Arc::new(context), self.said)
    }

    fn of(context: Arc<Context>, said: Option<Timestamp>) -> Earlier {
        let whole = Run::of_whole(&context);
        let subjects = subjects::find(&context);
        clock::settle(&context, &whole, &subjects, said);
        Earlier { whole, subjects, said }
    }

    /// The same subject in the earlier capture: that with the same placeholders, else the only one of its kind.
    pub(super) fn run(&self, subject: &Subject) -> Option<Arc<Run>> {
        if subject.kind.is_none() {
            return Some(Arc::clone(&self.whole));
        }
        let mut same = self
            .subjects
            .iter()
            .filter(|other| other.kind == subject.kind && other.values == subject.values);
        let found = same.next().filter(|_| same.next().is_none())?;
        Some(Run::of(&self.whole.context, found, &self.whole))
    }
}

/// The rulebooks, the bundle, the values that the user set, and what examined subjects have left.
#[derive(Debug)]
pub(crate) struct Context {
    /// The rulebooks.
    pub(crate) ruleset: Arc<Ruleset>,
    /// The evidence.
    pub(crate) bundle: Arc<Bundle>,
    /// Input values, by rulebook; one without a value is not there.
    pub(crate) inputs: Inputs,
    /// What covers secrets in the report, where it is to know more than what casebook brings.
    pub(crate) redactor: Option<Arc<Redactor>>,
    own_redactor: OnceLock<Redactor>,
    /// An earlier capture.
    pub(crate) earlier: Option<Earlier>,
    /// Whether places in this evidence lead nowhere: labels point into the later capture only.
    pub(crate) detached: bool,
    /// When the evidence was captured, and how that is known.
    capture: OnceLock<(Capture, TimeSource)>,
    /// Values of facts over subjects, and the labels that point into evidence which is gone.
    left: OnceLock<LeftByAll>,
    /// Whether they were asked for before they were there.
    asked_early: AtomicBool,
    /// In what the rulebooks are varied.
    pub(crate) variant: Variant,
    /// The clauses that have decided anything, by rule, as bits.
    decided: Vec<AtomicU64>,
}

impl Context {
    /// The context of a run.
    pub(super) fn new(ruleset: Arc<Ruleset>, bundle: Bundle, inputs: Inputs, earlier: Option<Earlier>) -> Context {
        let (capture, left) = (OnceLock::new(), OnceLock::new());
        let decided = ruleset.rules.iter().map(|_| AtomicU64::new(0)).collect();
        Context {
            ruleset,
            bundle: Arc::new(bundle),
            inputs,
            redactor: None,
            own_redactor: OnceLock::new(),
            earlier,
            detached: false,
            capture,
            left,
            asked_early: AtomicBool::new(false),
            variant: Variant::default(),
            decided,
        }
    }

    /// The same evidence, with all that is known of its time, under a variant of the rulebooks.
    pub(super) fn varied(&self, variant: &Variant, inputs: Inputs) -> Context {
        let earlier = self.earlier.as_ref().map(|earlier| earlier.varied(variant, &inputs));
        Context {
            ruleset: Arc::clone(&self.ruleset),
            bundle: Arc::clone(&self.bundle),
            inputs,
            redactor: None,
            own_redactor: OnceLock::new(),
            earlier,
            detached: self.detached,
            capture: self.capture.clone(),
            left: OnceLock::new(),
            asked_early: AtomicBool::new(false),
            variant: variant.clone(),
            decided: Vec::new(),
        }
    }

    /// A rule, as this run has it.
    pub(super) fn rule(&self, id: RuleId) -> &Rule {
        match &self.variant.rule {
            Some((varied, rule)) if *varied == id => rule,
            _ => &self.ruleset.rules[id],
        }
    }

    /// A fact, as this run has it.
    pub(super) fn fact(&self, id: FactId) -> &Fact {
        match &self.variant.fact {
            Some((varied, fact)) if *varied == id => fact,
            _ => &self.ruleset.facts[id],
        }
    }

    /// The condition under which a rulebook applies, as this run has it.
    pub(super) fn when(&self, id: RulebookId) -> Option<&Expr> {
        match &self.variant.when {
            Some((varied, when)) if *varied == id => when.as_ref(),
            _ => self.ruleset.rulebooks[id].when.as_ref(),
        }
    }

    /// The condition under which one rule explains another, as this run has it.
    pub(super) fn condition<'c>(&'c self, edge: &'c Edge) -> Option<&'c Expr> {
        match (&self.variant.edge, &edge.condition) {
            (Some((place, other)), Some(written)) if *place == written.text.place => other.as_ref(),
            (_, written) => written.as_ref(),
        }
    }

    /// Notes that clauses of a rule have decided.
    pub(super) fn has_decided(&self, rule: RuleId, clauses: u64) {
        if let Some(decided) = self.decided.get(rule) {
            decided.fetch_or(clauses, Ordering::Relaxed);
        }
    }

    /// The clauses of a rule that have decided anything, as bits; of more than 64 the last share one.
    pub(super) fn decided(&self, rule: RuleId) -> u64 {
        self.decided
            .get(rule)
            .map_or(0, |decided| decided.load(Ordering::Relaxed))
    }

    /// What covers secrets in the report.
    pub(crate) fn redactor(&self) -> &Redactor {
        let secrets = &self.ruleset.secrets;
        match &self.redactor {
            Some(redactor) => redactor,
            None if secrets.is_empty() => Redactor::of_reports(),
            None => self.own_redactor.get_or_init(|| Redactor::for_reports(secrets)),
        }
    }

    /// What is known about the time of the capture.
    pub(crate) fn capture(&self) -> Capture {
        self.capture.get().map(|(capture, _)| *capture).unwrap_or_default()
    }

    /// Where the time of the capture comes from.
    pub(crate) fn time_source(&self) -> TimeSource {
        self.capture.get().map_or(TimeSource::Unknown, |(_, source)| *source)
    }

    /// Settles the time of the capture; the first who says it is right.
    pub(super) fn set_capture(&self, at: Option<Timestamp>, source: TimeSource) {
        let exact = !matches!(source, TimeSource::Bound | TimeSource::Unknown);
        // A second call changes nothing.
        let _ = self.capture.set((Capture { at, exact }, source));
    }

    /// Keeps what the examined subjects leave to the whole, in their order.
    pub(super) fn leave<'l>(&self, all: impl Iterator<Item = &'l (FactId, Left)>) {
        let (mut values, mut labels) = (BTreeMap::<FactId, Vec<Left>>::new(), Vec::new());
        for (fact, left) in all {
            values.entry(*fact).or_default().push(left.moved(&mut labels));
        }
        let _ = self.left.set((values, labels));
    }

    /// The values of a fact over subjects, in the order of the subjects; none before all of them are there.
    pub(super) fn left(&self, fact: FactId) -> Option<&[Left]> {
        let Some((values, _)) = self.left.get() else {
            self.asked_early.store(true, Ordering::Relaxed);
            return None;
        };
        Some(values.get(&fact).map_or(&[], Vec::as_slice))
    }

    /// Whether a value over subjects was asked for before it was there.
    pub(super) fn asked_early(&self) -> bool {
        self.asked_early.load(Ordering::Relaxed)
    }

    /// A label that was cut out of evidence which is gone.
    pub(super) fn label(&self, index: usize) -> Option<&Label> {
        self.left.get().and_then(|(_, labels)| labels.get(index))
    }
}
