//! What rulebooks look for and the evidence of cases never has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::case::{self, Case};
use crate::diagnostic::{Place, Problem};
use crate::engine::{Holder, Tried};
use crate::rulebook::model::{FactId, ProbeId, Ruleset, Symbol};
use crate::rulebook::spec::{Extract, FactKind, ItemId, Select};
use crate::rulebook::text::Text;

use super::{Book, found};

/// What the evidence of all cases shows, taken together.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What the parts of extractions find, as far as their evidence is known in any case.
    facts: BTreeMap<FactId, Tried>,
    /// Which times of probes are there.
    clocks: BTreeMap<ProbeId, Vec<bool>>,
    /// Probes whose evidence is known.
    probes: BTreeSet<ProbeId>,
    /// Labels of findings, and whether one ever has a place.
    labels: BTreeMap<Place, bool>,
}

impl Seen {
    /// Looks at the evidence of all cases.
    pub(super) fn of(ruleset: &Arc<Ruleset>, cases: &[Case]) -> Seen {
        let inquiries = cases.par_iter().filter_map(|case| case::inquire(ruleset, case));
        let of_case = inquiries.flat_map_iter(|inquiry| inquiry.look(|holder| Seen::here(ruleset, holder)));
        of_case.reduce(Seen::default, Seen::and)
    }

    fn here(ruleset: &Ruleset, holder: &Holder) -> Seen {
        let facts = 0..ruleset.facts.len();
        let known = |probe: &ProbeId| holder.item(*probe).document.is_ok();
        let probes: BTreeSet<ProbeId> = holder.probes().map(|(probe, _)| probe).filter(known).collect();
        let mut labels = BTreeMap::new();
        for (label, placed) in (0..ruleset.rules.len()).flat_map(|rule| holder.labels(rule)) {
            *labels.entry(label.at.text.place).or_default() |= placed;
        }
        Seen {
            facts: facts.filter_map(|fact| Some((fact, holder.tried(fact)?))).collect(),
            clocks: probes
                .iter()
                .filter_map(|probe| Some((*probe, holder.clocks(*probe)?)))
                .collect(),
            probes,
            labels,
        }
    }

    fn and(mut self, other: Seen) -> Seen {
        for (fact, tried) in other.facts {
            match self.facts.get_mut(&fact) {
                None => {
                    self.facts.insert(fact, tried);
                }
                Some(all) => {
                    all.within |= tried.within;
                    all.captured |= tried.captured;
                    any(&mut all.paths, &tried.paths);
                }
            }
        }
        for (probe, clocks) in other.clocks {
            any(
                self.clocks.entry(probe).or_insert_with(|| vec![false; clocks.len()]),
                &clocks,
            );
        }
        self.probes.extend(other.probes);
        for (place, placed) in other.labels {
            *self.labels.entry(place).or_default() |= placed;
        }
        self
    }
}

fn any(all: &mut [bool], more: &[bool]) {
    for (all, more) in all.iter_mut().zip(more) {
        *all |= more;
    }
}

/// The extractions of a rulebook whose evidence is known in some case, and what their parts find.
fn tried<'a>(book: &'a Book<'_>) -> impl Iterator<Item = (&'a Extract, &'a Tried)> {
    let names = &book.ruleset.rulebooks[book.id].names;
    book.loaded.spec.facts.iter().filter_map(move |(id, fact)| {
        let FactKind::From(extract) = &fact.kind else {
            return None;
        };
        let Some(Symbol::Fact(fact)) = names.get(id.value.as_str()) else {
            return None;
        };
        Some((extract, book.seen?.facts.get(fact)?))
    })
}

/// `unmatched-path`: a JSONPath that finds nothing in the evidence of any case.
pub(super) fn paths(book: &Book<'_>) -> Vec<Problem> {
    let mut unmatched: Vec<&Text> = Vec::new();
    for (extract, tried) in tried(book) {
        match &extract.within {
            Some(within) if !tried.within => unmatched.push(within),
            _ => unmatched.extend(unmet(selected(extract), &tried.paths)),
        }
    }
    let names = &book.ruleset.rulebooks[book.id].names;
    for (id, probe) in book.loaded.spec.probes.iter().filter(|(id, _)| id.rulebook().is_none()) {
        if let Some(Symbol::Probe(number)) = names.get(id.item())
            && let Some(clocks) = book.seen.and_then(|seen| seen.clocks.get(number))
        {
            unmatched.extend(unmet(&probe.clock, clocks));
        }
    }
    let problem = |text: &Text| found(text.place, "this JSONPath finds nothing in the evidence of any case");
    let help = "correct it, or add a case whose evidence has what it looks for";
    unmatched
        .into_iter()
        .map(|text| problem(text).label("finds nothing").help(help))
        .collect()
}

fn selected(extract: &Extract) -> &[Text] {
    let (Select::One(paths) | Select::All(paths)) = &extract.select;
    paths
}

fn unmet<'a>(texts: &'a [Text], met: &'a [bool]) -> impl Iterator<Item = &'a Text> {
    texts.iter().zip(met).filter(|(_, met)| !**met).map(|(text, _)| text)
}

/// `unmatched-capture`: a regular expression that matches nothing of what its paths find, in any case.
pub(super) fn captures(book: &Book<'_>) -> Vec<Problem> {
    let unmatched = tried(book).filter(|(_, tried)| tried.paths.contains(&true) && !tried.captured);
    let problem = |text: &Text| {
        let problem = found(
            text.place,
            "this regular expression matches nothing in the evidence of any case",
        );
        let help = "correct it, or add a case whose evidence has what it looks for";
        problem.label("matches nothing").help(help)
    };
    unmatched
        .filter_map(|(extract, _)| extract.capture.as_ref())
        .map(problem)
        .collect()
}

/// `lost-label`: a label that has no place in any case in which its rule fails.
pub(super) fn labels(book: &Book<'_>) -> Vec<Problem> {
    let files = &book.loaded.files;
    let lost = book.seen.into_iter().flat_map(|seen| &seen.labels);
    let lost = lost.filter(|(place, placed)| !**placed && files.contains(&place.file));
    let problem = |place: &Place| {
        let problem = found(*place, "this label has no place in any case in which its rule fails");
        problem
            .label("stands nowhere")
            .help("computing loses the place: point at the values that it is computed from")
    };
    lost.map(|(place, _)| problem(place)).collect()
}

/// `untested-probe`: no case has evidence of it, so nothing that reads it is tested.
pub(super) fn probes(book: &Book<'_>) -> Vec<Problem> {
    let Some(seen) = book.seen else { return Vec::new() };
    let names = &book.ruleset.rulebooks[book.id].names;
    let own = book.loaded.spec.probes.keys().filter(|id| id.rulebook().is_none());
    let untested =
        own.filter(|id| matches!(names.get(id.item()), Some(Symbol::Probe(probe)) if !seen.probes.contains(probe)));
    let problem = |id: &ItemId| {
        let problem = found(id.place, format!("no case has evidence of the probe `{id}`")).label("never tried");
        problem.help("add a case with such evidence: its parser and the paths into it are untested")
    };
    untested.map(problem).collect()
}
