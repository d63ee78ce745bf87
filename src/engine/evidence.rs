//! One item of evidence: found by its captured names, read, parsed, and judged as evidence (whole, empty, alien ...).

use std::sync::Arc;

use crate::bundle::Bundle;
use crate::document::Document;
use crate::report::model::Outcome;
use crate::rulebook::model::{Probe, ProbeId, Ruleset};
use crate::script::Doc;

/// What a probe came to, for one subject or the bundle.
#[derive(Debug)]
pub(crate) struct Item {
    /// The file inside the bundle, where there is one.
    pub(crate) path: Option<String>,
    /// How the gathering went.
    pub(crate) outcome: Outcome,
    /// The parsed evidence, or why it cannot be used, in words that name the item.
    pub(crate) document: Result<Arc<Doc>, String>,
    /// Whether a part is known to be missing.
    pub(crate) truncated: bool,
}

/// Finds, reads and parses the evidence of `probe` in `folder` of the bundle.
pub(crate) fn gather(ruleset: &Ruleset, bundle: &Bundle, folder: &str, probe: ProbeId) -> Item {
    let declared = &ruleset.probes[probe];
    match bind(declared, bundle, folder) {
        None => absent(declared, folder),
        Some(path) => read(declared, bundle, path, probe),
    }
}

/// The file that `probe` goes by in `folder`: the first of its names that matches, and of its matches the first by name.
pub(crate) fn bind<'b>(probe: &Probe, bundle: &'b Bundle, folder: &str) -> Option<&'b str> {
    let inside = |file: &'b String| -> Option<(&'b str, &'b str)> {
        let rest = if folder.is_empty() { file } else { file.strip_prefix(folder)?.strip_prefix('/')? };
        Some((file, rest))
    };
    let mut names = probe.captured.iter();
    names.find_map(|name| {
        let mut files = bundle.files().iter().filter_map(inside);
        files.find(|(_, rest)| name.glob.is_match(rest)).map(|(file, _)| file)
    })
}

fn absent(probe: &Probe, folder: &str) -> Item {
    let names: Vec<&str> = probe.captured.iter().map(|c| c.text.as_str()).collect();
    let place = if folder.is_empty() { "the bundle".to_owned() } else { format!("`{folder}`") };
    let reason = match names.as_slice() {
        [] => format!("`{}` is not captured in bundles", probe.id),
        [one] => format!("no `{one}` in {place}"),
        many => format!("none of `{}` in {place}", many.join("`, `")),
    };
    Item { path: None, outcome: Outcome::Absent, document: Err(reason), truncated: false }
}

fn read(probe: &Probe, bundle: &Bundle, path: &str, slot: ProbeId) -> Item {
    let item = |outcome, document| Item { path: Some(path.to_owned()), outcome, document, truncated: false };
    let bytes = match bundle.read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return item(Outcome::Denied, Err(format!("`{path}` may not be read: {error}")));
        }
        Err(error) => return item(Outcome::Failed, Err(format!("`{path}` cannot be read: {error}"))),
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return item(Outcome::Empty, Err(format!("`{path}` is empty")));
    }
    match parse(probe, path, bytes) {
        Err(reason) => item(Outcome::Unparsable, Err(reason)),
        Ok(document) if !has_shape(probe, &document) => item(Outcome::Alien, Err(alien(probe, path))),
        Ok(document) => item(Outcome::Ok, Ok(Arc::new(Doc { slot: slot as u16, document }))),
    }
}

fn parse(probe: &Probe, path: &str, bytes: Vec<u8>) -> Result<Document, String> {
    let text = String::from_utf8(bytes)
        .map_err(|e| format!("`{path}` is not UTF-8 text: byte {} is not", e.utf8_error().valid_up_to()))?;
    let html = text.trim_start().starts_with('<');
    probe.parser.parse(text).map_err(|error| {
        let position = error.position;
        let hint = match () {
            () if html => "; it looks like HTML or XML",
            () if error.offset >= error.text.trim_end().len() => "; it seems to be cut off",
            () => "",
        };
        let kind = probe.parser.name();
        format!("`{path}` is not valid {kind}: {} at line {}, column {}{hint}", error.message, position.line, position.column)
    })
}

fn has_shape(probe: &Probe, document: &Document) -> bool {
    probe.shape.as_ref().is_none_or(|shape| !shape.select(document, document.root()).is_empty())
}

fn alien(probe: &Probe, path: &str) -> String {
    let shape = probe.shape.as_ref().map_or("", |s| s.text());
    format!("`{path}` is not a whole `{}`: nothing in it matches `{shape}`", probe.id)
}
