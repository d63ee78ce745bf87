//! Which subjects a bundle holds.

use crate::rulebook::model::KindId;

use super::context::Context;
use super::evidence;
use super::run::Subject;

/// The subjects of a bundle, by kind and place.
pub(super) fn find(context: &Context) -> Vec<Subject> {
    (0..context.ruleset.kinds.len()).flat_map(|kind| of_kind(context, kind)).collect()
}

/// The subjects of a kind: those of the first place that any of its evidence lies in.
fn of_kind(context: &Context, kind: KindId) -> Vec<Subject> {
    let places = context.ruleset.kinds[kind].places.iter();
    let mut found = places.map(|place| {
        let folders = place.folders(context.bundle.files()).into_iter();
        let subjects = folders.filter(|matched| has_evidence(context, kind, &matched.folder));
        let subject = |matched: crate::bundle::Matched| Subject {
            kind: Some(kind),
            folder: matched.folder,
            placed: place.names().iter().filter_map(|name| matched.values.get(name).cloned()).collect(),
            values: matched.values,
        };
        subjects.map(subject).collect::<Vec<_>>()
    });
    found.find(|subjects| !subjects.is_empty()).unwrap_or_default()
}

fn has_evidence(context: &Context, kind: KindId, folder: &str) -> bool {
    let mut probes = context.ruleset.probes.iter().filter(|probe| probe.kind == Some(kind));
    probes.any(|probe| evidence::bind(probe, &context.bundle, folder).is_some())
}
