//! The JSONPaths of rulebooks, parsed ahead, each once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use crate::path::{Path, PathError};
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::model::RulebookId;
use crate::rulebook::spec::{FactKind, RulebookSpec, Select};
use crate::rulebook::text::Text;

/// What texts were parsed to.
pub(super) type Parsed = HashMap<String, Result<Path, PathError>>;

/// Parses the JSONPaths of all rulebooks; those that only trusted ones have are parsed when they are first used.
pub(super) fn parse_all(loaded: &[LoadedRulebook], trusted: &BTreeSet<RulebookId>) -> Parsed {
    let mut deferred = BTreeMap::new();
    for (id, rulebook) in loaded.iter().enumerate() {
        for text in texts(&rulebook.spec) {
            *deferred.entry(text.value.as_str()).or_insert(true) &= trusted.contains(&id);
        }
    }
    let read = |(text, deferred): (&str, bool)| match deferred {
        true => (text.to_owned(), Ok(Path::deferred(text))),
        false => (text.to_owned(), Path::parse(text)),
    };
    deferred.into_par_iter().map(read).collect()
}

fn texts(spec: &RulebookSpec) -> Vec<&Text> {
    let mut texts = Vec::new();
    for probe in spec.probes.values() {
        texts.extend(probe.shape.iter().chain(&probe.clock));
    }
    for fact in spec.facts.values() {
        if let FactKind::From(extract) = &fact.kind {
            let (Select::One(paths) | Select::All(paths)) = &extract.select;
            texts.extend(extract.within.iter().chain(paths));
        }
    }
    texts
}
