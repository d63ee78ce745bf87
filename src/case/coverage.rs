//! Coverage: which verdicts of a rule, and which of its clauses, have a case.

use crate::diagnostic::Place;
use crate::report::model::Verdict;
use crate::rulebook::model::{Clause, Decision, RuleId, Ruleset};

use super::{Case, Outcome, Selection};

/// The verdicts that coverage tells of, in the order of its tables.
pub const VERDICTS: [Verdict; 4] = [Verdict::Fail, Verdict::Pass, Verdict::Unknown, Verdict::NotApplicable];

/// The verdicts that every rule must have a case of.
const NEEDED: [Verdict; 3] = [Verdict::Fail, Verdict::Pass, Verdict::Unknown];

/// What cases there are of a rule.
#[derive(Debug)]
pub struct RuleCoverage {
    /// The rule.
    pub rule: RuleId,
    /// Number of cases that expect each of [`VERDICTS`], and get it.
    pub cases: [usize; VERDICTS.len()],
    /// Its clauses; none for a rule with `forbid`.
    pub clauses: Vec<ClauseCoverage>,
}

/// What cases there are of a clause.
#[derive(Debug)]
pub struct ClauseCoverage {
    /// What it decides.
    pub verdict: Verdict,
    /// Its condition, as written.
    pub condition: String,
    /// Where that is written.
    pub place: Place,
    /// Number of cases that expect something of the rule and in which the clause decides.
    pub cases: usize,
}

impl RuleCoverage {
    /// The verdicts that have no case and must have one.
    pub fn lacks(&self) -> Vec<Verdict> {
        let counted = VERDICTS.iter().zip(self.cases);
        let none = counted.filter(|(verdict, cases)| *cases == 0 && NEEDED.contains(verdict));
        none.map(|(verdict, _)| *verdict).collect()
    }

    /// The clauses that decide in no case.
    pub fn silent(&self) -> impl Iterator<Item = &ClauseCoverage> {
        self.clauses.iter().filter(|clause| clause.cases == 0)
    }
}

/// The coverage of the rules that are selected and belong to rulebooks with cases. Only cases that hold count.
pub fn of(ruleset: &Ruleset, cases: &[Case], outcomes: &[Outcome], selection: &Selection) -> Vec<RuleCoverage> {
    let held: Vec<(&Case, &Outcome)> = cases
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| outcome.mismatches.is_empty())
        .collect();
    let tested = |rule: RuleId| cases.iter().any(|case| case.rulebook == ruleset.rules[rule].rulebook);
    (0..ruleset.rules.len())
        .filter(|rule| tested(*rule) && selection.rule(ruleset, *rule))
        .map(|rule| of_rule(ruleset, rule, &held))
        .collect()
}

fn of_rule(ruleset: &Ruleset, id: RuleId, held: &[(&Case, &Outcome)]) -> RuleCoverage {
    let expecting = |verdict: Verdict| held.iter().filter(|(case, _)| case.expects(verdict, id)).count();
    let rule = &ruleset.rules[id];
    let clauses = rule.decide.iter().enumerate().filter(|_| !rule.forbid);
    let clauses = clauses.map(|(nth, clause)| {
        let decides = |outcome: &Outcome| outcome.trial.as_ref().is_some_and(|trial| trial.decided(id, nth));
        let cases = held.iter().filter(|(case, outcome)| case.names(id) && decides(outcome));
        of_clause(clause, cases.count())
    });
    RuleCoverage {
        rule: id,
        cases: VERDICTS.map(expecting),
        clauses: clauses.collect(),
    }
}

fn of_clause(clause: &Clause, cases: usize) -> ClauseCoverage {
    let verdict = match clause.decision {
        Decision::Pass => Verdict::Pass,
        Decision::Fail => Verdict::Fail,
        Decision::Unknown => Verdict::Unknown,
        Decision::NotApplicable => Verdict::NotApplicable,
    };
    ClauseCoverage {
        verdict,
        condition: clause.condition.text.value.clone(),
        place: clause.condition.text.place,
        cases,
    }
}
