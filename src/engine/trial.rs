//! Trials: evidence that is read once and judged again and again, by the rulebooks as they are and by variants of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::diagnostic::Place;
use crate::report::model::Report;
use crate::rulebook::model::{Expr, Fact, FactId, ProbeId, Rule, RuleId, RulebookId, Ruleset};

use super::context::{Context, Earlier};
use super::examine::{self, Examined};
use super::run::Run;
use super::{Settings, assemble, clock, subjects};

/// In what the rulebooks of a run are varied.
#[derive(Debug, Clone, Default)]
pub struct Variant {
    /// A rule in place of the one with this number.
    pub rule: Option<(RuleId, Arc<Rule>)>,
    /// A fact in place of the one with this number.
    pub fact: Option<(FactId, Arc<Fact>)>,
    /// Another condition, or none, under which a rulebook applies.
    pub when: Option<(RulebookId, Option<Expr>)>,
    /// Another condition, or none, in place of that under which one rule explains another and which is written at this place.
    pub edge: Option<(Place, Option<Expr>)>,
    /// A probe whose evidence is taken for whole, whatever its shape.
    pub shapeless: Option<ProbeId>,
    /// Another default of an input.
    pub input: Option<(RulebookId, String, Dynamic)>,
    /// The facts whose values may differ for that.
    pub changed: Arc<BTreeSet<FactId>>,
}

impl Variant {
    /// Whether the value of a fact may differ.
    pub(super) fn may_change(&self, fact: FactId) -> bool {
        self.changed.contains(&fact)
    }
}

/// Evidence that was judged, and is held to be judged again.
#[derive(Debug)]
pub struct Trial {
    context: Arc<Context>,
    whole: Arc<Run>,
    subjects: Vec<Arc<Run>>,
}

impl Trial {
    /// Judges a bundle, and holds what was read for it.
    pub fn new(ruleset: Arc<Ruleset>, bundle: Bundle, settings: Settings) -> (Trial, Report) {
        let earlier = settings
            .before
            .map(|bundle| Earlier::new(&ruleset, bundle, &settings.inputs, settings.before_captured_at));
        let context = Arc::new(Context::new(ruleset, bundle, settings.inputs, earlier));
        let whole = Run::of_whole(&context);
        let found = subjects::find(&context);
        let lone = clock::settle(&context, &whole, &found, settings.captured_at);
        let subjects = match lone {
            Some(run) => vec![run],
            None => found.iter().map(|subject| Run::of(&context, subject, &whole)).collect(),
        };
        let mut trial = Trial {
            context,
            whole,
            subjects,
        };
        let every: Vec<RuleId> = (0..trial.context.ruleset.rules.len()).collect();
        let report = trial.judge(&every, |trial| {
            let whole = Run::of_whole(&trial.context);
            let again = |run: &Arc<Run>| Run::of(&trial.context, &run.subject, &whole);
            (trial.subjects.iter().map(again).collect(), Arc::clone(&whole))
        });
        (trial, report)
    }

    /// Judges the evidence by some rules of a variant. What the variant does not change is not read, extracted or computed again. The
    /// verdicts and findings of the report are those of these rules; it does not tell the items of the bundle.
    pub fn vary(&self, variant: &Variant, wanted: &[RuleId]) -> Report {
        let mut inputs = self.context.inputs.clone();
        if let Some((rulebook, name, value)) = &variant.input {
            inputs[*rulebook].insert(name.clone(), value.clone());
        }
        let context = Arc::new(self.context.varied(variant, inputs));
        let runs = || {
            let whole = Run::varied(&context, &self.whole, None);
            let subject = |base: &Arc<Run>| Run::varied(&context, base, Some(&whole));
            (self.subjects.iter().map(subject).collect(), Arc::clone(&whole))
        };
        let (subjects, whole) = runs();
        let mut trial = Trial {
            context: Arc::clone(&context),
            whole,
            subjects,
        };
        trial.judge(wanted, |_| runs())
    }

    /// Whether a clause of a rule has decided anything; clauses from the 64th on count as one.
    pub fn decided(&self, rule: RuleId, clause: usize) -> bool {
        self.context.decided(rule) >> clause.min(63) & 1 == 1
    }

    /// The value of an input, where it has one.
    pub fn input(&self, rulebook: RulebookId, name: &str) -> Option<&Dynamic> {
        self.context.inputs.get(rulebook)?.get(name)
    }

    /// Judges all subjects and then the whole; `anew` gives the runs anew where something was asked for before it was there.
    fn judge(&mut self, wanted: &[RuleId], anew: impl Fn(&Trial) -> (Vec<Arc<Run>>, Arc<Run>)) -> Report {
        let mut examined = self.subjects(wanted);
        self.context.leave(examined.iter().flat_map(|subject| &subject.left));
        if self.context.asked_early() {
            (self.subjects, self.whole) = anew(self);
            examined = self.subjects(wanted);
        }
        examined.insert(0, examine::whole(&self.whole, &examined, wanted));
        assemble::report(&self.context, examined)
    }

    fn subjects(&self, wanted: &[RuleId]) -> Vec<Examined> {
        let examine = |run: &Arc<Run>| examine::subject(run, wanted);
        self.subjects.par_iter().map(examine).collect()
    }
}
