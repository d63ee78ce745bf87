//! Root causes: from the edges between findings to an order in which causes come first.

use std::cmp::Reverse;

use crate::report::model::Severity;

/// What ranking needs to know of one finding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// How bad it is.
    pub(super) severity: Severity,
    /// Place of its rule in the rulebooks, then of the finding among the rule's.
    pub(super) order: usize,
}

/// Which finding explains which: `(cause, effect)` as indices into the findings. Acyclic: rules whose edges would close a
/// cycle were cut when the rulebooks were compiled.
pub(super) type Edges = Vec<(usize, usize)>;

/// The final order of the findings, and what each explains.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ranking {
    /// Indices of the findings: roots by severity, then by how much they explain, then in order; consequences after them.
    pub(super) order: Vec<usize>,
    /// For each finding, all that follows from it, directly or through others, sorted.
    pub(super) consequences: Vec<Vec<usize>>,
}

/// Ranks `findings` by `edges`.
pub(super) fn rank(findings: &[Ranked], edges: &Edges) -> Ranking {
    let mut effects = vec![Vec::new(); findings.len()];
    let mut explained = vec![false; findings.len()];
    for &(cause, effect) in edges {
        effects[cause].push(effect);
        explained[effect] = true;
    }
    let consequences: Vec<Vec<usize>> = (0..findings.len()).map(|root| reachable(root, &effects)).collect();
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&i| {
        let weight = Reverse(consequences[i].len());
        (explained[i], Reverse(findings[i].severity), weight, findings[i].order)
    });
    Ranking { order, consequences }
}

fn reachable(root: usize, effects: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    let mut open = effects[root].clone();
    while let Some(next) = open.pop() {
        if next != root && seen.insert(next) {
            open.extend_from_slice(&effects[next]);
        }
    }
    seen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(severities: &[Severity]) -> Vec<Ranked> {
        severities.iter().enumerate().map(|(order, &severity)| Ranked { severity, order }).collect()
    }

    #[test]
    fn a_cause_comes_before_a_graver_consequence() {
        let ranking = rank(&findings(&[Severity::Critical, Severity::Warning]), &vec![(1, 0)]);
        assert_eq!(ranking.order, [1, 0]);
        assert_eq!(ranking.consequences, [vec![], vec![0]]);
    }

    #[test]
    fn roots_go_by_severity_then_by_what_they_explain() {
        let severities = [Severity::Error, Severity::Error, Severity::Critical, Severity::Info];
        let ranking = rank(&findings(&severities), &vec![(1, 3)]);
        assert_eq!(ranking.order, [2, 1, 0, 3]);
    }

    #[test]
    fn consequences_are_counted_through_others() {
        let ranking = rank(&findings(&[Severity::Error; 4]), &vec![(0, 1), (1, 2), (2, 3)]);
        assert_eq!(ranking.consequences[0], [1, 2, 3]);
        assert_eq!(ranking.order[0], 0);
    }
}
