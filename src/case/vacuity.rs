//! The vacuity check: whether anything passes that did not, once evidence is damaged. What was not looked at must never pass.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use globset::Glob;
use rayon::prelude::*;

use crate::bundle::{Bundle, ItemFacts};
use crate::engine::{self, Settings};
use crate::report::model::{Outcome as Gathered, Report, Verdict};
use crate::rulebook::model::{ProbeId, RuleId, Ruleset};

use super::mutate::effects;
use super::{Case, Outcome, Selection, check, evidence};

/// What is done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is not there.
    Dropped,
    /// Nothing is in it.
    Emptied,
    /// It ends in the middle, and is marked as truncated. (What is cut off between two lines, unmarked, nobody can notice.)
    Truncated,
}

impl Damage {
    const ALL: [Damage; 3] = [Damage::Dropped, Damage::Emptied, Damage::Truncated];
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Damage::Dropped => "dropped",
            Damage::Emptied => "emptied",
            Damage::Truncated => "truncated",
        })
    }
}

/// A rule that passes on damaged evidence, and did not before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VacuousPass {
    /// The case, as its index.
    pub case: usize,
    /// The rule.
    pub rule: RuleId,
    /// What it came to on the whole evidence.
    pub before: Verdict,
    /// The item.
    pub item: Item,
    /// What was done to it.
    pub damage: Damage,
}

/// An item of the evidence of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Whether it belongs to the earlier capture.
    pub earlier: bool,
    /// Its path.
    pub path: String,
}

/// What the check came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Number of items of all cases, each of which was damaged in every way.
    pub items: usize,
    /// What passes, in the order of the cases.
    pub passes: Vec<VacuousPass>,
}

/// Damages every item of every case that holds, one at a time.
pub fn check(ruleset: &Arc<Ruleset>, cases: &[Case], outcomes: &[Outcome], selection: &Selection) -> Checked {
    let selected: Vec<bool> = (0..ruleset.rules.len())
        .map(|rule| selection.rule(ruleset, rule))
        .collect();
    let of_case = |(at, (case, outcome)): (usize, (&Case, &Outcome))| {
        let report = outcome.report.as_ref().filter(|_| outcome.mismatches.is_empty());
        let suspects = report.map(|report| Suspects {
            ruleset,
            report,
            selected: &selected,
            verdicts: verdicts(ruleset, report),
        });
        let items = suspects.as_ref().map_or_else(Vec::new, |_| items(ruleset, case));
        let damaged = items.iter().flat_map(|item| Damage::ALL.map(|damage| (item, damage)));
        let passes = damaged.flat_map(|(item, damage)| {
            let found = suspects.as_ref().map(|suspects| suspects.passing(case, item, damage));
            found
                .unwrap_or_default()
                .into_iter()
                .map(|(rule, before)| VacuousPass {
                    case: at,
                    rule,
                    before,
                    item: item.clone(),
                    damage,
                })
                .collect::<Vec<_>>()
        });
        (items.len(), passes.collect::<Vec<_>>())
    };
    let pairs: Vec<_> = cases.iter().zip(outcomes).enumerate().collect();
    let checked: Vec<(usize, Vec<VacuousPass>)> = pairs.into_par_iter().map(of_case).collect();
    Checked {
        items: checked.iter().map(|(items, _)| items).sum(),
        passes: checked.into_iter().flat_map(|(_, passes)| passes).collect(),
    }
}

/// The rules that could pass without ground once an item of a case is damaged.
struct Suspects<'a> {
    ruleset: &'a Arc<Ruleset>,
    report: &'a Report,
    selected: &'a [bool],
    verdicts: Verdicts,
}

impl Suspects<'_> {
    /// Rules that pass once an item is damaged and did not, with what they came to before.
    fn passing(&self, case: &Case, item: &Item, damage: Damage) -> Vec<(RuleId, Verdict)> {
        let rules: Vec<RuleId> = (0..self.ruleset.rules.len())
            .filter(|rule| self.may_pass(*rule, item))
            .collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let report = damaged_report(self.ruleset, case, item, damage, &rules);
        report.map_or_else(Vec::new, |report| {
            new_passes(&self.verdicts, &verdicts(self.ruleset, &report))
        })
    }

    /// Whether a rule does not pass already, and reads the item. Of the earlier capture it is not told who reads what.
    fn may_pass(&self, id: RuleId, item: &Item) -> bool {
        let rule = &self.ruleset.rules[id];
        let passes = |verdicts: &BTreeMap<String, Verdict>| verdicts.values().all(|verdict| *verdict == Verdict::Pass);
        if !self.selected[id] || self.verdicts.get(&id).is_none_or(passes) {
            return false;
        }
        let read = |probe: &ProbeId| {
            let code = self.ruleset.probe_code(*probe);
            let mut items = self.report.bundle.items.iter();
            items.any(|read| read.probe == code && read.path.as_deref() == Some(item.path.as_str()))
        };
        let when = self.ruleset.rulebooks[rule.rulebook].when.as_ref();
        let when = when.is_some_and(|when| effects::probes(self.ruleset, rule.rulebook, when).iter().any(read));
        item.earlier || when || rule.needs.iter().any(read)
    }
}

/// The verdicts on each rule, by subject.
type Verdicts = BTreeMap<RuleId, BTreeMap<String, Verdict>>;

fn verdicts(ruleset: &Ruleset, report: &Report) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for verdict in &report.verdicts {
        if let Some(rule) = check::id_of(ruleset, verdict) {
            let of_rule = verdicts.entry(rule).or_default();
            of_rule.insert(verdict.subject.clone(), verdict.verdict);
        }
    }
    verdicts
}

/// The rules that pass and did not, each with what it came to before. A subject may have lost its name with the evidence; then it is held
/// against all subjects.
fn new_passes(whole: &Verdicts, damaged: &Verdicts) -> Vec<(RuleId, Verdict)> {
    let mut found = Vec::new();
    for (rule, verdicts) in damaged {
        let Some(before) = whole.get(rule) else { continue };
        let passing = verdicts.iter().filter(|(_, verdict)| **verdict == Verdict::Pass);
        let otherwise = |subject: &String| match before.get(subject) {
            Some(verdict) => Some(*verdict).filter(|verdict| *verdict != Verdict::Pass),
            None => before.values().copied().find(|verdict| *verdict != Verdict::Pass),
        };
        found.extend(
            passing
                .filter_map(|(subject, _)| Some((*rule, otherwise(subject)?)))
                .next(),
        );
    }
    found
}

/// The items of a case that can be damaged: those that were gathered.
fn items(ruleset: &Ruleset, case: &Case) -> Vec<Item> {
    let Some((bundle, settings)) = parts(ruleset, case) else {
        return Vec::new();
    };
    let gathered = |bundle: &Bundle, path: &String| {
        let outcome = bundle.facts(path).and_then(|facts| facts.outcome);
        outcome.is_none_or(|outcome| outcome == Gathered::Ok)
    };
    let of = |bundle: &Bundle, earlier: bool| {
        let paths = bundle.files().iter().filter(|path| gathered(bundle, path));
        paths
            .map(|path| Item {
                earlier,
                path: path.clone(),
            })
            .collect::<Vec<_>>()
    };
    let mut items = of(&bundle, false);
    items.extend(settings.before.iter().flat_map(|before| of(before, true)));
    items
}

fn parts(ruleset: &Ruleset, case: &Case) -> Option<(Bundle, Settings)> {
    let settings = evidence::settings(ruleset, case).ok()?;
    Some((evidence::bundle(ruleset, case).ok()?, settings))
}

fn damaged_report(
    ruleset: &Arc<Ruleset>,
    case: &Case,
    item: &Item,
    damage: Damage,
    rules: &[RuleId],
) -> Option<Report> {
    let (mut bundle, mut settings) = parts(ruleset, case)?;
    let harmed = if item.earlier {
        settings.before.as_mut()?
    } else {
        &mut bundle
    };
    harm(harmed, &item.path, damage);
    let code = |rule: &RuleId| Glob::new(&ruleset.rules[*rule].code(ruleset)).ok();
    settings.rules = rules
        .iter()
        .filter_map(code)
        .map(|glob| glob.compile_matcher())
        .collect();
    Some(engine::run(Arc::clone(ruleset), bundle, settings))
}

fn harm(bundle: &mut Bundle, path: &str, damage: Damage) {
    let facts = bundle.facts(path).cloned().unwrap_or_default();
    match damage {
        Damage::Dropped => bundle.hide(path),
        Damage::Emptied => bundle.lay(path, Vec::new(), facts),
        Damage::Truncated => {
            let bytes = bundle.read(path).unwrap_or_default();
            let truncated = ItemFacts {
                truncated: true,
                ..facts
            };
            bundle.lay(path, cut(bytes), truncated);
        }
    }
}

/// The first half, not ending between two lines.
fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = bytes.len() / 2;
    while at > 0 && bytes.get(at - 1) == Some(&b'\n') {
        at -= 1;
    }
    bytes.truncate(at);
    bytes
}
