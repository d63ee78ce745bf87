//! Mutation: small changes of the rules, each of which some case should notice. Those that none notices show what the cases leave open.
//!
//! Evidence is read once and shared: of a mutant only what it changes is computed again, and only for cases that say something about its rules.

mod collect;
mod edit;
pub(super) mod effects;
mod excuse;
mod path;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use rayon::prelude::*;

use crate::diagnostic::Place;
use crate::engine::Variant;
use crate::report::model::Verdict;
use crate::rulebook::model::{FactId, ProbeId, RuleId, RulebookId, Ruleset};

use super::{Case, Outcome, Selection, check, evidence};

pub use collect::collect;
pub use excuse::{Excuse, excuses};

/// The sorts of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A condition holds where it did not.
    Negate,
    /// A comparison is another one.
    SwapComparison,
    /// A number, length of time or version is a little more or less.
    ShiftThreshold,
    /// An operand of `&&` or `||` is left out, or all of the condition under which one rule explains another.
    DropCondition,
    /// `when` is left out.
    DropWhen,
    /// A clause is left out.
    DropClause,
    /// A JSONPath asks for a name that nothing has.
    BreakPath,
    /// A filter, an index or a slice of a JSONPath lets everything through.
    WidenPath,
    /// One of several paths or sources is left out.
    DropPath,
    /// What an item of evidence must have is left out.
    DropShape,
}

impl Change {
    /// All of them.
    pub const ALL: [Change; 10] = [
        Change::Negate,
        Change::SwapComparison,
        Change::ShiftThreshold,
        Change::DropCondition,
        Change::DropWhen,
        Change::DropClause,
        Change::BreakPath,
        Change::WidenPath,
        Change::DropPath,
        Change::DropShape,
    ];

    /// Its code, as excuses have it.
    pub fn code(self) -> &'static str {
        match self {
            Change::Negate => "negate",
            Change::SwapComparison => "swap-comparison",
            Change::ShiftThreshold => "shift-threshold",
            Change::DropCondition => "drop-condition",
            Change::DropWhen => "drop-when",
            Change::DropClause => "drop-clause",
            Change::BreakPath => "break-path",
            Change::WidenPath => "widen-path",
            Change::DropPath => "drop-path",
            Change::DropShape => "drop-shape",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// What a mutant is a change of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The `when` of a rulebook.
    Rulebook(RulebookId),
    /// The default of an input.
    Input(RulebookId, String),
    /// A probe.
    Probe(ProbeId),
    /// A fact.
    Fact(FactId),
    /// A rule.
    Rule(RuleId),
    /// The condition of an edge between rules, by the edge's number; of several with one condition, the first.
    Edge(usize),
}

/// A small change of the rules.
#[derive(Debug)]
pub struct Mutant {
    /// What it is a change of.
    pub owner: Owner,
    /// What sort of change it is.
    pub change: Change,
    /// What is changed.
    pub place: Place,
    /// The scalar that it stands in, from its header on.
    pub scalar: Place,
    /// Where the rule, fact or input that it belongs to is named.
    pub entry: Place,
    /// What is changed, in words.
    pub told: String,
    /// The rules that may judge otherwise.
    pub rules: Vec<RuleId>,
    variant: Variant,
}

impl Mutant {
    /// The rulebook that it is a change of.
    pub fn rulebook(&self, ruleset: &Ruleset) -> RulebookId {
        match &self.owner {
            Owner::Rulebook(rulebook) | Owner::Input(rulebook, _) => *rulebook,
            Owner::Probe(probe) => ruleset.probes[*probe].rulebook,
            Owner::Fact(fact) => ruleset.facts[*fact].rulebook,
            Owner::Rule(rule) => ruleset.rules[*rule].rulebook,
            Owner::Edge(edge) => ruleset.rules[ruleset.edges[*edge].written_by].rulebook,
        }
    }
}

/// How a mutant fared: the case that notices it, as its index; none where it survives.
pub type Noticed = Option<usize>;

/// Tries the mutants in parallel; cases that do not hold notice nothing.
pub fn run(
    ruleset: &Ruleset,
    cases: &[Case],
    outcomes: &[Outcome],
    selection: &Selection,
    mutants: &[Mutant],
) -> Vec<Noticed> {
    let bench = Bench {
        ruleset,
        cases,
        outcomes,
        named: cases.iter().map(named).collect(),
        selected: (0..ruleset.rules.len())
            .map(|rule| selection.rule(ruleset, rule))
            .collect(),
    };
    mutants.par_iter().map(|mutant| bench.noticed(mutant)).collect()
}

/// The rules that a case expects something of.
fn named(case: &Case) -> BTreeSet<RuleId> {
    case.expected().filter_map(|(_, name, _)| case.rule(name)).collect()
}

struct Bench<'a> {
    ruleset: &'a Ruleset,
    cases: &'a [Case],
    outcomes: &'a [Outcome],
    named: Vec<BTreeSet<RuleId>>,
    selected: Vec<bool>,
}

impl Bench<'_> {
    /// The first case that notices a mutant: those that name a rule of it are asked first.
    fn noticed(&self, mutant: &Mutant) -> Noticed {
        let rules: BTreeSet<RuleId> = mutant
            .rules
            .iter()
            .copied()
            .filter(|rule| self.selected[*rule])
            .collect();
        let names = |case: &usize| !self.named[*case].is_disjoint(&rules);
        let only = |case: &usize| !names(case) && self.cases[*case].spec.only == Some(true);
        let all = 0..self.cases.len();
        let mut order = all.clone().filter(names).chain(all.clone().filter(only));
        order.find(|case| self.notices(*case, mutant, &rules))
    }

    fn notices(&self, at: usize, mutant: &Mutant, rules: &BTreeSet<RuleId>) -> bool {
        let (case, outcome) = (&self.cases[at], &self.outcomes[at]);
        let Some(trial) = outcome.trial.as_ref().filter(|_| outcome.mismatches.is_empty()) else {
            return false;
        };
        let failing = self.explaining(at);
        if failing.is_empty() && matches!(mutant.owner, Owner::Edge(_)) {
            return false;
        }
        if let Owner::Input(rulebook, name) = &mutant.owner
            && evidence::sets(self.ruleset, case, *rulebook, name)
        {
            return false;
        }
        let only = case.spec.only == Some(true);
        let mut wanted: BTreeSet<RuleId> = rules
            .iter()
            .copied()
            .filter(|rule| only || self.named[at].contains(rule))
            .collect();
        wanted.extend(failing);
        let judged: Vec<RuleId> = wanted.iter().copied().collect();
        let report = trial.vary(&mutant.variant, &judged);
        !check::compare(self.ruleset, case, &report, &|rule| wanted.contains(&rule)).is_empty()
    }

    /// All rules that fail, where a case says which of them explain others.
    fn explaining(&self, at: usize) -> BTreeSet<RuleId> {
        let mut expected = self.cases[at]
            .spec
            .fail
            .values()
            .flatten()
            .flat_map(|findings| findings.iter());
        if expected.all(|finding| finding.explained_by.is_empty()) {
            return BTreeSet::new();
        }
        let verdicts = self.outcomes[at].report.iter().flat_map(|report| &report.verdicts);
        let failing = verdicts.filter(|verdict| verdict.verdict == Verdict::Fail);
        failing
            .filter_map(|verdict| check::id_of(self.ruleset, verdict))
            .collect()
    }
}

/// How many mutants there are, and how many of them are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Mutants that a case notices.
    pub noticed: usize,
    /// All mutants.
    pub all: usize,
}

impl Score {
    /// The score over some mutants.
    pub fn of<'m>(tried: impl Iterator<Item = (&'m Mutant, &'m Noticed)>) -> Score {
        tried.fold(Score::default(), |score, (_, noticed)| Score {
            noticed: score.noticed + usize::from(noticed.is_some()),
            all: score.all + 1,
        })
    }

    /// The share that is noticed, in percent; all of none.
    pub fn percent(self) -> f64 {
        match self.all {
            0 => 100.0,
            all => 100.0 * self.noticed as f64 / all as f64,
        }
    }
}
