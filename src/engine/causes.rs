//! Root causes: from the edges between findings to an order in which causes come first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::report::model::Severity;
use crate::rulebook::model::RuleId;

use super::relate::Edges;

/// What ranking needs to know of one finding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// How bad it is.
    pub(super) severity: Severity,
    /// Whether another finding explains it.
    pub(super) explained: bool,
    /// How many findings follow from it.
    pub(super) consequences: u32,
    /// Its rule.
    pub(super) rule: RuleId,
}

/// The order of findings: roots by severity, then by how much they explain, then in the
/// rulebooks' order, then as given; consequences after them.
pub(super) fn order(findings: &[Ranked]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&at| {
        (
            findings[at].explained,
            Reverse(findings[at].severity),
            Reverse(findings[at].consequences),
            findings[at].rule,
        )
    });
    order
}

/// For each of `count` findings the number of those that follow from it, directly or through others.
pub(super) fn consequences(count: usize, edges: &Edges) -> Vec<u32> {
    let mut effects = vec![Vec::new(); count];
    for &(cause, effect) in edges {
        effects[cause].push(effect);
    }
    (0..count).map(|root| reachable(root, &effects)).collect()
}

fn reachable(root: usize, effects: &[Vec<usize>]) -> u32 {
    let mut seen = BTreeSet::new();
    let mut open = effects[root].clone();
    while let Some(next) = open.pop() {
        if next != root && seen.insert(next) {
            open.extend_from_slice(&effects[next]);
        }
    }
    u32::try_from(seen.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(severity: Severity, explained: bool, consequences: u32) -> Ranked {
        Ranked {
            severity,
            explained,
            consequences,
            rule: 0,
        }
    }

    #[test]
    fn a_cause_comes_before_a_graver_consequence() {
        assert_eq!(
            order(&[ranked(Severity::Critical, true, 0), ranked(Severity::Warning, false, 1)]),
            [1, 0]
        );
    }

    #[test]
    fn roots_go_by_severity_then_by_what_they_explain_then_as_given() {
        let findings = [
            ranked(Severity::Error, false, 0),
            ranked(Severity::Error, false, 2),
            ranked(Severity::Critical, false, 0),
            ranked(Severity::Error, false, 0),
        ];
        assert_eq!(order(&findings), [2, 1, 0, 3]);
    }

    #[test]
    fn consequences_are_counted_through_others_and_once() {
        assert_eq!(
            consequences(4, &Edges::from([(0, 1), (1, 2), (0, 2), (2, 3)])),
            [3, 2, 1, 0]
        );
    }
}
