//! One item of evidence: found by its captured names, read, parsed, and judged as evidence (whole, empty, alien ...).

use std::io::ErrorKind;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::bundle::{Bundle, Laid};
use crate::document::Document;
use crate::report::model::Outcome;
use crate::rulebook::model::{Probe, ProbeId};
use crate::script::{self, Capture, Doc, NO_SLOT};

use super::context::Context;

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
    /// SHA-256 of its bytes.
    pub(crate) sha256: Option<[u8; 32]>,
    /// Exit code of the command that gave it.
    pub(crate) exit: Option<i64>,
    /// HTTP status of the answer that held it.
    pub(crate) http: Option<i64>,
    /// What the command wrote to its standard error.
    pub(crate) stderr: Option<String>,
}

impl Item {
    fn new(path: Option<&str>, outcome: Outcome, document: Result<Arc<Doc>, String>) -> Item {
        let path = path.map(str::to_owned);
        Item {
            path,
            outcome,
            document,
            truncated: false,
            sha256: None,
            exit: None,
            http: None,
            stderr: None,
        }
    }

    /// How the gathering went, for scripts.
    pub(crate) fn handle(&self, captured: Capture) -> script::Probe {
        let stderr = self.stderr.clone();
        script::Probe {
            status: self.outcome.word().to_owned(),
            exit: self.exit,
            http: self.http,
            stderr,
            captured,
        }
    }
}

/// Finds, reads and parses the evidence of `probe` in `folder` of the bundle.
pub(crate) fn gather(context: &Context, folder: &str, probe: ProbeId) -> Item {
    let (ruleset, bundle) = (&context.ruleset, &context.bundle);
    let slot = if context.detached { NO_SLOT } else { u16::try_from(probe).unwrap_or(NO_SLOT) };
    let declared = &ruleset.probes[probe];
    match bind(declared, bundle, folder) {
        None => absent(declared, folder),
        Some(path) => read(declared, bundle, path, slot),
    }
}

/// The file that `probe` goes by in `folder`: the first of its names that matches, and of its matches the first by name.
pub(crate) fn bind<'b>(probe: &Probe, bundle: &'b Bundle, folder: &str) -> Option<&'b str> {
    let inside = |file: &'b String| -> Option<(&'b str, &'b str)> {
        let rest = if folder.is_empty() {
            file
        } else {
            file.strip_prefix(folder)?.strip_prefix('/')?
        };
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
    let place = if folder.is_empty() {
        "the bundle".to_owned()
    } else {
        format!("`{folder}`")
    };
    let reason = match names.as_slice() {
        [] => format!("`{}` is not captured in bundles", probe.id),
        [one] => format!("no `{one}` in {place}"),
        [first, ..] => format!("no `{first}` in {place}"),
    };
    Item::new(None, Outcome::Absent, Err(reason))
}

fn read(probe: &Probe, bundle: &Bundle, path: &str, slot: u16) -> Item {
    let mut item = match bundle.read(path) {
        Ok(bytes) => understood(probe, path, bytes, slot),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Item::new(
            Some(path),
            Outcome::Denied,
            Err(format!("`{path}` may not be read: {error}")),
        ),
        Err(error) => Item::new(
            Some(path),
            Outcome::Failed,
            Err(format!("`{path}` cannot be read: {error}")),
        ),
    };
    if let Some(laid) = bundle.laid(path) {
        told(&mut item, path, laid);
    }
    item
}

/// What the capture tells about an item beside its bytes.
fn told(item: &mut Item, path: &str, laid: &Laid) {
    item.truncated = laid.truncated;
    item.exit = laid.exit.map(i64::from);
    item.http = laid.http.map(i64::from);
    item.stderr.clone_from(&laid.stderr);
    if let Some(outcome) = laid.outcome.filter(|outcome| *outcome != Outcome::Ok) {
        item.outcome = outcome;
        item.document = Err(format!("`{path}` could not be gathered: {}", outcome.word()));
    }
}

fn understood(probe: &Probe, path: &str, bytes: Vec<u8>, slot: u16) -> Item {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Item::new(Some(path), Outcome::Empty, Err(format!("`{path}` is empty")));
    }
    let sha256 = Sha256::digest(&bytes).into();
    let item = match parse(probe, path, bytes) {
        Err(reason) => Item::new(Some(path), Outcome::Unparsable, Err(reason)),
        Ok(document) if !has_shape(probe, &document) => Item::new(Some(path), Outcome::Alien, Err(alien(probe, path))),
        Ok(document) => Item::new(
            Some(path),
            Outcome::Ok,
            Ok(Arc::new(Doc {
                slot,
                document,
            })),
        ),
    };
    Item {
        sha256: Some(sha256),
        ..item
    }
}

fn parse(probe: &Probe, path: &str, bytes: Vec<u8>) -> Result<Document, String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("`{path}` is not UTF-8 text: the byte at offset {at} is part of no character")
    })?;
    let format = probe.parser.name();
    probe.parser.parse(text).map_err(|error| {
        let place = format!("line {}, column {}", error.position.line, error.position.column);
        let whole = error.text.trim();
        let hint = match () {
            () if whole.starts_with('<') => "; it looks like HTML or XML",
            () if error.offset >= error.text.trim_end().len() => "; it seems to be cut off",
            () => "",
        };
        format!("`{path}` is not valid {format}: {} at {place}{hint}", error.message)
    })
}

fn has_shape(probe: &Probe, document: &Document) -> bool {
    probe
        .shape
        .as_ref()
        .is_none_or(|shape| !shape.select(document, document.root()).is_empty())
}

fn alien(probe: &Probe, path: &str) -> String {
    let shape = probe.shape.as_ref().map_or("", |s| s.text());
    format!(
        "`{path}` is not a whole `{}`: nothing in it matches `{shape}`",
        probe.id
    )
}
