//! Which findings are shown, and which fold under another one.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::model::{Finding, Report};

/// The findings of a report, arranged for reading
#[derive(Debug)]
pub(super) struct Folded<'a> {
    /// What is shown, in the report's order
    pub(super) groups: Vec<Group<'a>>,
    /// Accepted findings
    pub(super) waived: Vec<Group<'a>>,
    /// Number of findings that stand under a cause
    pub(super) consequences: usize,
}

/// A finding that is shown, and what folds under it
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The finding that is shown
    pub(super) first: &'a Finding,
    /// The same finding on other subjects
    pub(super) same: Vec<&'a Finding>,
    /// What they explain, directly or through others
    pub(super) consequences: Vec<&'a Finding>,
    subjects: BTreeSet<&'a str>,
}

impl<'a> Group<'a> {
    fn of(first: &'a Finding) -> Group<'a> {
        Group {
            first,
            same: Vec::new(),
            consequences: Vec::new(),
            subjects: BTreeSet::from([first.subject.as_str()]),
        }
    }

    fn members(&self) -> impl Iterator<Item = &'a Finding> + '_ {
        std::iter::once(self.first).chain(self.same.iter().copied())
    }
}

/// Arranges the findings: every one is shown, folds under one that is shown, or is waived
pub(super) fn fold<'a>(report: &'a Report) -> Folded<'a> {
    let effects = Effects::of(&report.findings);
    let (roots, under) = effects.roots(&report.findings);
    let waived = |finding: &Finding| finding.waived.is_some();
    let with_effects = |group: Group<'a>| {
        let reached = effects.reached(group.members()).into_iter();
        let consequences = reached
            .map(|at| &report.findings[at])
            .filter(|finding| !waived(finding))
            .collect();
        Group { consequences, ..group }
    };
    let shown = group_same(roots.into_iter().filter(|finding| !waived(finding)));
    let accepted = report.findings.iter().filter(|finding| waived(finding)).map(Group::of);
    Folded {
        groups: shown.into_iter().map(with_effects).collect(),
        waived: accepted.map(with_effects).collect(),
        consequences: under.into_iter().filter(|&at| !waived(&report.findings[at])).count(),
    }
}

/// Findings by the fingerprints that explain them
struct Effects<'a> {
    by_cause: BTreeMap<&'a str, Vec<usize>>,
    findings: &'a [Finding],
}

impl<'a> Effects<'a> {
    fn of(findings: &'a [Finding]) -> Effects<'a> {
        let mut by_cause: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, finding) in findings.iter().enumerate() {
            for cause in &finding.explained_by {
                by_cause.entry(cause).or_default().push(at);
            }
        }
        Effects { by_cause, findings }
    }

    /// Everything that these findings explain, in the report's order, without themselves
    fn reached(&self, causes: impl Iterator<Item = &'a Finding>) -> BTreeSet<usize> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = causes.map(|cause| cause.fingerprint.as_str()).collect();
        let own: BTreeSet<&str> = open.iter().copied().collect();
        let mut reached = BTreeSet::new();
        while let Some(cause) = open.pop() {
            if !seen.insert(cause) {
                continue;
            }
            for &at in self.by_cause.get(cause).into_iter().flatten() {
                let print = self.findings[at].fingerprint.as_str();
                if !own.contains(print) {
                    reached.insert(at);
                    open.push(print);
                }
            }
        }
        reached
    }

    /// What is shown, and what stands under it. A finding that no root reaches (its cause is missing) is a root too.
    fn roots(&self, findings: &'a [Finding]) -> (Vec<&'a Finding>, BTreeSet<usize>) {
        let known: BTreeSet<&str> = findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        let explained = |finding: &Finding| finding.explained_by.iter().any(|cause| known.contains(cause.as_str()));
        let mut is_root: Vec<bool> = findings.iter().map(|finding| !explained(finding)).collect();
        let mut under = self.reached(findings.iter().filter(|finding| !explained(finding)));
        for (at, finding) in findings.iter().enumerate() {
            if !is_root[at] && !under.contains(&at) {
                is_root[at] = true;
                under.extend(self.reached(std::iter::once(finding)));
            }
        }
        under.retain(|&at| !is_root[at]);
        let roots = findings
            .iter()
            .zip(is_root)
            .filter(|(_, root)| *root)
            .map(|(finding, _)| finding);
        (roots.collect(), under)
    }
}

/// Puts together what differs in nothing but the subject
fn group_same<'a>(roots: impl Iterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut by_kind: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for finding in roots {
        let candidates = by_kind.entry((&finding.code, finding.key.as_deref())).or_default();
        let subject = finding.subject.as_str();
        let joins = |group: &Group<'_>| group.first.severity == finding.severity && !group.subjects.contains(subject);
        match candidates.iter().find(|&&at| joins(&groups[at])) {
            Some(&at) => {
                groups[at].same.push(finding);
                groups[at].subjects.insert(subject);
            }
            None => {
                candidates.push(groups.len());
                groups.push(Group::of(finding));
            }
        }
    }
    groups
}
