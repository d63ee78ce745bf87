//! The evidence of a case: a bundle on disk, items written inline, or items laid over a bundle.

use std::path::Path;

use jiff::Timestamp;

use crate::bundle::{Bundle, BundleError, ItemFacts, Limits};
use crate::engine::Settings;
use crate::report::model::Outcome;
use crate::rulebook::compile::parse_input;
use crate::rulebook::model::{Probe, ProbeId, RulebookId, Ruleset, Symbol};
use crate::rulebook::spec::{EvidenceSpec, ItemId, ItemSpec, OutcomeSpec, Value};
use crate::rulebook::text::Text;

use super::{Case, Kind, Mismatch};

fn broken(message: impl Into<String>) -> Mismatch {
    Mismatch {
        kind: Kind::Broken,
        rule: None,
        message: message.into(),
    }
}

/// The settings of a case's run.
pub(super) fn settings(ruleset: &Ruleset, case: &Case) -> Result<Settings, Mismatch> {
    let mut settings = Settings::defaults(ruleset);
    for (name, value) in &case.spec.set {
        let owner = match name.rulebook() {
            None => Some(case.rulebook),
            Some(id) => ruleset.rulebooks.iter().position(|rulebook| rulebook.id == id),
        };
        let declared = owner.and_then(|owner| Some((owner, ruleset.rulebooks[owner].inputs.get(name.item())?)));
        let Some((owner, declared)) = declared else {
            return Err(broken(format!("there is no input `{name}`")));
        };
        settings.inputs[owner].insert(
            name.item().to_owned(),
            parse_input(declared.kind, &written(value)).map_err(broken)?,
        );
    }
    settings.captured_at = case.spec.captured_at.as_ref().map(time).transpose()?;
    if case.spec.before.is_some() {
        settings.before = Some(of_evidence(ruleset, case, case.spec.before.as_ref(), None)?);
    }
    Ok(settings)
}

/// Whether a case sets an input.
pub(super) fn sets(ruleset: &Ruleset, case: &Case, rulebook: RulebookId, input: &str) -> bool {
    let owner = |name: &ItemId| match name.rulebook() {
        None => case.rulebook == rulebook,
        Some(id) => ruleset.rulebooks[rulebook].id == id,
    };
    case.spec.set.keys().any(|name| name.item() == input && owner(name))
}

fn written(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar.text.value.clone(),
        Value::List { items, .. } => items
            .iter()
            .map(|item| item.text.value.as_str())
            .collect::<Vec<_>>()
            .join(","),
    }
}

fn time(text: &Text) -> Result<Timestamp, Mismatch> {
    text.value
        .parse()
        .map_err(|_| broken(format!("`{text}` is not a time, such as 2026-01-31T12:00:00Z")))
}

/// The bundle of a case.
pub(super) fn bundle(ruleset: &Ruleset, case: &Case) -> Result<Bundle, Mismatch> {
    of_evidence(ruleset, case, case.spec.evidence.as_ref(), case.spec.bundle.as_ref())
}

fn of_evidence(
    ruleset: &Ruleset,
    case: &Case,
    evidence: Option<&EvidenceSpec>,
    below: Option<&Text>,
) -> Result<Bundle, Mismatch> {
    let open = |path: &Text| opened(&case.folder.join(&path.value));
    let mut bundle = match (evidence, below) {
        (Some(EvidenceSpec::Path(path)), None) | (_, Some(path)) => open(path)?,
        _ => Bundle::empty(&case.id),
    };
    if let Some(EvidenceSpec::Items { items, .. }) = evidence {
        for (probe, specs) in items {
            for item in specs {
                lay(ruleset, case, &mut bundle, probe, item)?;
            }
        }
    }
    Ok(bundle)
}

/// A folder, an archive, or a single file as the bundle of this one item.
fn opened(path: &Path) -> Result<Bundle, Mismatch> {
    match (Bundle::open(path, &Limits::default()), path.file_name()) {
        (Err(BundleError::NotABundle { .. }), Some(name)) if path.is_file() => {
            let mut bundle = Bundle::empty(&path.display().to_string());
            bundle.lay(&name.to_string_lossy(), read(path)?, ItemFacts::default());
            Ok(bundle)
        }
        (opened, _) => opened.map_err(|error| broken(error.to_string())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Mismatch> {
    std::fs::read(path).map_err(|error| broken(format!("cannot read `{}`: {error}", path.display())))
}

fn lay(ruleset: &Ruleset, case: &Case, bundle: &mut Bundle, name: &ItemId, item: &ItemSpec) -> Result<(), Mismatch> {
    let probe = probe(ruleset, case, name).ok_or_else(|| broken(format!("there is no probe `{name}`")))?;
    let declared = &ruleset.probes[probe];
    let folder = folder(ruleset, declared, item);
    let named = declared
        .captured
        .iter()
        .find(|captured| !captured.text.contains(['*', '?', '[', '{']));
    let Some(named) = named else {
        return Err(broken(format!("`{name}` has no captured name that is no glob")));
    };
    let path = if folder.is_empty() {
        named.text.clone()
    } else {
        format!("{folder}/{}", named.text)
    };
    if item.outcome == Some(OutcomeSpec::Absent) {
        bundle.hide(&path);
        return Ok(());
    }
    let (bytes, facts) = laid(case, item)?;
    bundle.lay(&path, bytes, facts);
    Ok(())
}

fn probe(ruleset: &Ruleset, case: &Case, name: &ItemId) -> Option<ProbeId> {
    let own = &ruleset.rulebooks[case.rulebook];
    let owner = match name.rulebook() {
        None => own,
        Some(id) => ruleset.rulebooks.iter().find(|rulebook| rulebook.id == id)?,
    };
    match owner.names.get(name.item())? {
        Symbol::Probe(probe) => Some(*probe),
        _ => None,
    }
}

/// The folder of the subject that an item belongs to: the first place that its name fits, else the bundle itself.
fn folder(ruleset: &Ruleset, probe: &Probe, item: &ItemSpec) -> String {
    let Some(kind) = probe.kind.map(|kind| &ruleset.kinds[kind]) else {
        return String::new();
    };
    let name = item
        .subject
        .as_ref()
        .and_then(|subject| subject.value.split_once('/'))
        .map(|(_, name)| name);
    let parts: Vec<&str> = name.map(|name| name.split('/').collect()).unwrap_or_default();
    let fits = |place: &&crate::bundle::PlacePattern| place.names().len() == parts.len();
    let place = kind.places.iter().find(fits);
    let filled = place.map(|place| {
        let names = place.names().iter().zip(parts);
        names.fold(place.text().to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    });
    filled.unwrap_or_default().trim_matches(['.', '/']).to_owned()
}

fn laid(case: &Case, item: &ItemSpec) -> Result<(Vec<u8>, ItemFacts), Mismatch> {
    let bytes = match (&item.text, &item.file) {
        (Some(text), _) => text.value.clone().into_bytes(),
        (None, Some(file)) => read(&case.folder.join(&file.value))?,
        (None, None) => Vec::new(),
    };
    let facts = ItemFacts {
        // What a case writes out is all that there is, whether its last line ends or not.
        outcome: item.outcome.map(outcome).or(item.text.is_some().then_some(Outcome::Ok)),
        exit: item.exit,
        http: item.http,
        stderr: item.stderr.as_ref().map(|text| text.value.clone()),
        truncated: item.truncated.unwrap_or(false),
        captured_at: item.captured_at.as_ref().map(time).transpose()?,
        ..ItemFacts::default()
    };
    Ok((bytes, facts))
}

fn outcome(spec: OutcomeSpec) -> Outcome {
    match spec {
        OutcomeSpec::Ok => Outcome::Ok,
        OutcomeSpec::Absent => Outcome::Absent,
        OutcomeSpec::Empty => Outcome::Empty,
        OutcomeSpec::Denied => Outcome::Denied,
        OutcomeSpec::Unreachable => Outcome::Unreachable,
        OutcomeSpec::TimedOut => Outcome::TimedOut,
        OutcomeSpec::Failed => Outcome::Failed,
        OutcomeSpec::NotRun => Outcome::NotRun,
    }
}
