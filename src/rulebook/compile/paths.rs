//! The JSONPaths of all rulebooks, parsed ahead.

use std::collections::HashMap;

use crate::path::{Path, PathError};
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::spec::{FactKind, RulebookSpec, Select};
use crate::rulebook::text::Text;

/// What texts were parsed to.
pub(super) type Parsed = HashMap<String, Result<Path, PathError>>;

/// Parses the JSONPaths of all rulebooks.
pub(super) fn parse_all(loaded: &[LoadedRulebook]) -> Parsed {
    let texts = loaded.iter().flat_map(|rulebook| texts(&rulebook.spec));
    texts.map(|text| (text.value.clone(), Path::parse(text))).collect()
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
