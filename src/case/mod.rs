//! Cases: a rulebook's own tests. Evidence goes in, verdicts come out, and both are compared.
//!
//! [`coverage`] tells which verdicts and clauses have a case, [`vacuity`] what passes once evidence is damaged, and [`mutate`] which changes of
//! the rules no case notices.

pub mod accept;
mod check;
pub mod coverage;
mod evidence;
mod load;
pub mod mutate;
pub mod vacuity;
pub mod trim;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobMatcher;
use rayon::prelude::*;

use crate::diagnostic::Place;
use crate::engine::{Inquiry, Trial};
use crate::report::model::{Report, Verdict};
use crate::rulebook::model::{RuleId, RulebookId, Ruleset};
use crate::rulebook::spec::{CaseSpec, ExpectSpec};
use crate::rulebook::text::Text;

pub use check::{Kind, Mismatch, word};
pub use load::load;

/// A case, ready to run.
#[derive(Debug)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// The rulebook that it tests.
    pub rulebook: RulebookId,
    /// Where it is written.
    pub place: Place,
    /// The file that it is written in.
    pub file: PathBuf,
    /// The folder that its paths start from.
    pub folder: PathBuf,
    /// The rules that the names in it stand for.
    pub rules: BTreeMap<String, RuleId>,
    /// As written.
    pub spec: CaseSpec,
}

/// What a case expects of a rule beside its verdict.
#[derive(Debug, Clone, Copy)]
pub enum About<'c> {
    /// Nothing more.
    Nothing,
    /// A part of the reason.
    Reason(&'c Text),
    /// Findings like these.
    Findings(&'c [ExpectSpec]),
}

impl Case {
    /// The rule that a name in it stands for.
    pub fn rule(&self, name: &str) -> Option<RuleId> {
        self.rules.get(name).copied()
    }

    /// The verdicts that it expects, with the names of their rules.
    pub fn expected(&self) -> impl Iterator<Item = (Verdict, &Text, About<'_>)> {
        let fails = self.spec.fail.iter().map(|(name, findings)| {
            let findings = findings.as_deref().unwrap_or_default();
            (Verdict::Fail, name, About::Findings(findings))
        });
        let unknown = self.spec.unknown.iter().map(|(name, reason)| {
            let about = reason.as_ref().map_or(About::Nothing, About::Reason);
            (Verdict::Unknown, name, about)
        });
        let plain = [
            (Verdict::Pass, &self.spec.pass),
            (Verdict::NotApplicable, &self.spec.not_applicable),
            (Verdict::Error, &self.spec.error),
        ];
        let plain = plain
            .into_iter()
            .flat_map(|(verdict, names)| names.iter().map(move |name| (verdict, name, About::Nothing)));
        fails.chain(unknown).chain(plain)
    }

    /// Whether it expects this verdict of a rule.
    pub fn expects(&self, verdict: Verdict, rule: RuleId) -> bool {
        self.expected()
            .any(|(expected, name, _)| expected == verdict && self.rule(name) == Some(rule))
    }

    /// Whether it expects anything of a rule.
    pub fn names(&self, rule: RuleId) -> bool {
        self.expected().any(|(_, name, _)| self.rule(name) == Some(rule))
    }
}

/// Which cases and rules are looked at.
#[derive(Debug, Default)]
pub struct Selection {
    /// Cases whose id matches; none: all.
    pub case: Option<GlobMatcher>,
    /// Rules whose id or code matches; none: all.
    pub rule: Option<GlobMatcher>,
}

impl Selection {
    /// Whether a rule is looked at.
    pub fn rule(&self, ruleset: &Ruleset, rule: RuleId) -> bool {
        let declared = &ruleset.rules[rule];
        let matches = |glob: &GlobMatcher| glob.is_match(&declared.id) || glob.is_match(declared.code(ruleset));
        self.rule.as_ref().is_none_or(matches)
    }

    /// Whether a case is looked at: its id matches, and it expects something of a rule that does.
    pub fn case(&self, ruleset: &Ruleset, case: &Case) -> bool {
        let named = || case.rules.values().any(|rule| self.rule(ruleset, *rule));
        self.case.as_ref().is_none_or(|glob| glob.is_match(&case.id)) && (self.rule.is_none() || named())
    }
}

/// How a case went.
#[derive(Debug)]
pub struct Outcome {
    /// What differs from what is expected; nothing where the case passes.
    pub mismatches: Vec<Mismatch>,
    /// The report over its evidence, where that could be had.
    pub report: Option<Report>,
    /// Its evidence, to be judged again.
    pub trial: Option<Trial>,
}

/// Runs cases in parallel; the outcomes are in the order of the cases.
pub fn run(ruleset: &Arc<Ruleset>, cases: &[Case], selection: &Selection) -> Vec<Outcome> {
    let wanted: Vec<bool> = (0..ruleset.rules.len())
        .map(|rule| selection.rule(ruleset, rule))
        .collect();
    let wanted = |rule: RuleId| wanted[rule];
    cases.par_iter().map(|case| run_one(ruleset, case, &wanted)).collect()
}

/// Opens the evidence of a case to questions; `None` where it cannot be had.
pub fn inquire(ruleset: &Arc<Ruleset>, case: &Case) -> Option<Inquiry> {
    let settings = evidence::settings(ruleset, case).ok()?;
    let bundle = evidence::bundle(ruleset, case).ok()?;
    Some(Inquiry::new(Arc::clone(ruleset), bundle, settings, None))
}

fn run_one(ruleset: &Arc<Ruleset>, case: &Case, wanted: &dyn Fn(RuleId) -> bool) -> Outcome {
    let settings = evidence::settings(ruleset, case);
    let bundle = evidence::bundle(ruleset, case);
    match settings.and_then(|settings| Ok((settings, bundle?))) {
        Err(broken) => Outcome {
            mismatches: vec![broken],
            report: None,
            trial: None,
        },
        Ok((settings, bundle)) => {
            let (trial, report) = Trial::new(Arc::clone(ruleset), bundle, settings);
            Outcome {
                mismatches: check::compare(ruleset, case, &report, wanted),
                report: Some(report),
                trial: Some(trial),
            }
        }
    }
}
