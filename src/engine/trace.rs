//! What an evaluation has looked at: the ground that a pass stands on, and where labels fall back to.

use crate::report::model::Verdict;
use crate::rulebook::model::ProbeId;

/// Most probes that all rulebooks of a run may have together: a leaf remembers its probe in seven bits.
pub const MAX_PROBES: usize = 127;

/// A set of probes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProbeSet([u64; MAX_PROBES.div_ceil(64)]);

impl ProbeSet {
    /// Adds a probe.
    pub(crate) fn insert(&mut self, probe: ProbeId) {
        if let Some(word) = self.0.get_mut(probe / 64) {
            *word |= 1 << (probe % 64);
        }
    }

    /// Adds all of another set.
    pub(crate) fn extend(&mut self, other: &ProbeSet) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The probes, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ProbeId> + '_ {
        (0..MAX_PROBES).filter(|probe| self.0[probe / 64] >> (probe % 64) & 1 == 1)
    }
}

/// What was read, and what of it was not whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// Probes whose evidence was known and was read.
    pub(crate) reads: ProbeSet,
    /// An item that was cut off: no verdict can rest on it.
    pub(crate) cut: Option<Cut>,
    /// Why a pass cannot rest on it: a list with unknown members, an item that may not be all that there was.
    pub(crate) partial: Option<String>,
}

/// An item of which a part is known to be missing.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// The probe that it is evidence of.
    pub(crate) probe: ProbeId,
    /// What is the matter with it, in words.
    pub(crate) reason: String,
}

impl Trace {
    /// Why a verdict cannot rest on what was read: a pass on nothing or on half of something, a fail on what was cut off.
    pub(crate) fn objection(&self, verdict: Verdict) -> Option<String> {
        let cut = self.cut.as_ref().map(|cut| &cut.reason);
        match (verdict, cut, &self.partial) {
            (Verdict::Pass, _, _) if self.reads.is_empty() => Some("nothing was looked at".to_owned()),
            (Verdict::Pass, Some(why), _) | (Verdict::Pass, None, Some(why)) => {
                Some(format!("nothing wrong in what is there, but {why}"))
            }
            (Verdict::Fail, Some(why), _) => Some(format!("something looks wrong in what is there, but {why}")),
            _ => None,
        }
    }

    /// Adds what another evaluation has looked at.
    pub(crate) fn merge(&mut self, other: &Trace) {
        self.reads.extend(&other.reads);
        if self.cut.is_none() {
            self.cut.clone_from(&other.cut);
        }
        if self.partial.is_none() {
            self.partial.clone_from(&other.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = ProbeSet::default();
        assert!(set.is_empty());
        set.insert(3);
        set.insert(126);
        set.insert(1000);
        let mut more = ProbeSet::default();
        more.insert(64);
        set.extend(&more);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 64, 126]);
    }
}
