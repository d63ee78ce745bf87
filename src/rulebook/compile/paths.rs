//! The JSONPaths of rulebooks, parsed ahead, each once.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use crate::path::{Path, PathError};
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::spec::{FactKind, RulebookSpec, Select};
use crate::rulebook::text::Text;

/// What texts were parsed to.
pub(super) type Parsed = HashMap<String, Result<Path, PathError>>;

/// Parses the JSONPaths of these rulebooks.
pub(super) fn parse_all<'l>(loaded: impl Iterator<Item = &'l LoadedRulebook>) -> Parsed {
    let texts: BTreeSet<&str> = loaded
        .flat_map(|rulebook| texts(&rulebook.spec))
        .map(|text| text.value.as_str())
        .collect();
    texts
        .into_par_iter()
        .map(|text| (text.to_owned(), Path::parse(text)))
        .collect()
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
