//! One item of evidence: found by its captured names, read, parsed, and judged as evidence (whole, empty, alien ...).

use std::io::ErrorKind;
use std::ops::Range;
use std::string::FromUtf8Error;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};

use sha2::{Digest, Sha256};

use crate::bundle::{Bundle, ItemFacts};
use crate::document::{Document, ParseError, Parser};
use crate::report::model::{Outcome, TimeSource};
use crate::rulebook::model::{Captured, Probe, ProbeId};
use crate::script::{self, Capture, Doc, NO_SLOT};

use super::context::Context;
use super::finding::hex;

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
    /// Why it may not be all that there was, where nothing says so outright; names the item.
    pub(crate) doubt: Option<String>,
    /// What the capture says of evidence that can be used all the same.
    pub(crate) remark: Option<String>,
    /// SHA-256 of its bytes.
    pub(crate) sha256: Option<[u8; 32]>,
    /// Exit code of the command that gave it.
    pub(crate) exit: Option<i64>,
    /// HTTP status of the answer that held it.
    pub(crate) http: Option<i64>,
    /// What the command wrote to its standard error.
    pub(crate) stderr: Option<String>,
    /// When it was captured, where the bundle tells, and how it does.
    pub(crate) captured: Option<(Timestamp, TimeSource)>,
    /// Number of values that were redacted.
    pub(crate) redactions: u64,
    /// Number of bytes that are part of no character, and were read as `?`.
    pub(crate) replaced: u64,
    /// Places of secrets in its document that paths lead to, found when it is first shown.
    pub(crate) secrets: OnceLock<Vec<Range<usize>>>,
}

impl Item {
    fn new(path: Option<&str>, outcome: Outcome, document: Result<Arc<Doc>, String>) -> Item {
        let path = path.map(str::to_owned);
        Item {
            path,
            outcome,
            document,
            truncated: false,
            doubt: None,
            remark: None,
            sha256: None,
            exit: None,
            http: None,
            stderr: None,
            captured: None,
            redactions: 0,
            replaced: 0,
            secrets: OnceLock::new(),
        }
    }

    /// How the gathering went, for scripts; `others` is what is known of the time where the bundle tells nothing of this item.
    pub(crate) fn handle(&self, others: Capture) -> script::Probe {
        script::Probe {
            status: self.outcome.word().to_owned(),
            exit: self.exit,
            http: self.http,
            stderr: self.stderr.clone(),
            ended: self.document.is_ok() && self.doubt.is_none() && !self.truncated,
            captured: self.capture(others),
        }
    }

    /// When it was captured. The manifest is right, then the user, then the archive, if its time is near those that the targets wrote:
    /// files keep the time of their last copying, and that may be days later.
    pub(crate) fn capture(&self, others: Capture) -> Capture {
        let exact = |at| Capture {
            at: Some(at),
            exact: true,
        };
        match self.captured {
            Some((at, TimeSource::Manifest)) => exact(at),
            Some((at, TimeSource::Archive)) if !others.exact && others.at.is_none_or(|bound| is_near(at, bound)) => {
                exact(at)
            }
            _ => others,
        }
    }
}

/// Whether the time of a file can be that of its capture: not before what the targets wrote, and not long after.
fn is_near(file: Timestamp, bound: Timestamp) -> bool {
    let after = file.duration_since(bound);
    !after.is_negative() && after <= LONGEST_CAPTURE
}

/// Longest time between the newest line that a target wrote and the end of a capture.
const LONGEST_CAPTURE: SignedDuration = SignedDuration::from_hours(1);

/// Finds, reads and parses the evidence of `probe` in `folder` of the bundle.
pub(crate) fn gather(context: &Context, folder: &str, probe: ProbeId) -> Item {
    let (ruleset, bundle) = (&context.ruleset, &context.bundle);
    let slot = if context.detached {
        NO_SLOT
    } else {
        u16::try_from(probe).unwrap_or(NO_SLOT)
    };
    let declared = &ruleset.probes[probe];
    match bind(declared, bundle, folder) {
        None => absent(declared, folder),
        Some(path) => {
            let item = read(declared, bundle, path, slot);
            let any = context.variant.shapeless == Some(probe);
            if any { item } else { shaped(declared, path, item) }
        }
    }
}

/// An item, known only where it has the shape that its probe asks for.
fn shaped(probe: &Probe, path: &str, item: Item) -> Item {
    match (&probe.shape, &item.document) {
        (Some(shape), Ok(doc)) if shape.select(&doc.document, doc.document.root()).is_empty() => Item {
            outcome: Outcome::Alien,
            document: Err(format!(
                "`{path}` is not a whole `{}`: nothing in it matches `{}`",
                probe.id,
                shape.text()
            )),
            ..item
        },
        _ => item,
    }
}

/// The file that `probe` goes by in `folder`: the first of its names that matches, and of its matches the first by name.
pub(crate) fn bind<'b>(probe: &Probe, bundle: &'b Bundle, folder: &str) -> Option<&'b str> {
    let files = if folder.is_empty() {
        bundle.files()
    } else {
        bundle.files_in(folder)
    };
    let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let fits = |name: &Captured, file: &str| file.get(skip..).is_some_and(|rest| name.matches(rest));
    let named = |name: &Captured| files.iter().find(|file| fits(name, file));
    probe.captured.iter().find_map(named).map(String::as_str)
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

/// Reads and parses a file of the bundle as the evidence of `probe`.
pub(super) fn read(probe: &Probe, bundle: &Bundle, path: &str, slot: u16) -> Item {
    let mut item = match bundle.read(path) {
        Ok(bytes) => {
            let (size, open_end) = (bytes.len() as u64, has_open_end(&probe.parser, &bytes));
            let item = understood(probe, path, bytes, slot);
            let doubt = doubt(path, bundle.facts(path), size, item.sha256, open_end);
            Item { doubt, ..item }
        }
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
    if let Some(facts) = bundle.facts(path) {
        told(&mut item, path, facts);
    }
    item
}

/// Whether a text ends in the middle of a line. What ends with a bracket of its own cannot lose its end unnoticed.
fn has_open_end(parser: &Parser, text: &[u8]) -> bool {
    let brackets = match parser {
        Parser::Json(_) => true,
        Parser::Yaml => matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')),
        _ => false,
    };
    !brackets && !matches!(text.last(), None | Some(b'\n' | b'\r'))
}

/// Why a file may not be all that there was: its bytes are not those of the manifest, or nobody vouches for a text that seems cut off.
fn doubt(
    path: &str,
    facts: Option<&ItemFacts>,
    size: u64,
    sha256: Option<Digest256>,
    open_end: bool,
) -> Option<String> {
    let listed = facts.and_then(|facts| facts.sha256.as_ref()).zip(sha256);
    let changed = listed.is_some_and(|(listed, found)| !listed.eq_ignore_ascii_case(&hex(&found)))
        || facts.and_then(|facts| facts.size).is_some_and(|listed| listed != size);
    let gathered = facts.is_some_and(|facts| facts.outcome.is_some());
    match () {
        () if changed => Some(format!("`{path}` is not as it was captured")),
        () if open_end && !gathered => Some(format!("`{path}` ends in the middle of a line, as if it were cut off")),
        () => None,
    }
}

/// What the capture tells about an item beside its bytes.
fn told(item: &mut Item, path: &str, facts: &ItemFacts) {
    item.truncated = facts.truncated;
    item.exit = facts.exit.map(i64::from);
    item.http = facts.http.map(i64::from);
    item.stderr.clone_from(&facts.stderr);
    item.redactions = facts.redactions;
    let archive = facts.modified.map(|at| (at, TimeSource::Archive));
    item.captured = facts.captured_at.map(|at| (at, TimeSource::Manifest)).or(archive);
    item.remark = facts.reason.clone().filter(|_| facts.truncated);
    if facts.truncated
        && let Err(reason) = &mut item.document
    {
        let why = item.remark.as_ref().map(|why| format!(": {why}"));
        reason.push_str(&format!("; it is cut off{}", why.unwrap_or_default()));
    }
    if let Some(outcome) = facts.outcome.filter(|outcome| *outcome != Outcome::Ok) {
        let told = facts.reason.as_deref().or(facts.stderr.as_deref()).unwrap_or_default();
        let line = told.trim().lines().next().map(|line| format!(": {line}"));
        let how = match outcome {
            Outcome::Empty => "is empty".to_owned(),
            _ => format!("was not gathered ({})", outcome.word()),
        };
        item.outcome = outcome;
        item.document = Err(format!("`{path}` {how}{}", line.unwrap_or_default()));
    }
}

fn understood(probe: &Probe, path: &str, bytes: Vec<u8>, slot: u16) -> Item {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Item::new(Some(path), Outcome::Empty, Err(format!("`{path}` is empty")));
    }
    match read_as_document(probe, path, bytes) {
        Err((reason, sha256)) => Item {
            sha256: Some(sha256),
            ..Item::new(Some(path), Outcome::Unparsable, Err(reason))
        },
        Ok((document, sha256, replaced)) => Item {
            sha256: Some(sha256),
            replaced,
            ..Item::new(Some(path), Outcome::Ok, Ok(Arc::new(Doc { slot, document })))
        },
    }
}

/// SHA-256 of an item's bytes.
type Digest256 = [u8; 32];

/// Parses the bytes: the document, their digest, and how many of them are part of no character.
fn read_as_document(
    probe: &Probe,
    path: &str,
    bytes: Vec<u8>,
) -> Result<(Document, Digest256, u64), (String, Digest256)> {
    match String::from_utf8(bytes) {
        // What is parsed are the bytes themselves, so that the digest can be had beside the parse.
        Ok(text) => match probe.parser.parse(text) {
            Ok(document) => {
                let sha256 = document.digest();
                Ok((document, sha256, 0))
            }
            Err(error) => Err((unreadable(probe, path, &error), Sha256::digest(&error.text).into())),
        },
        Err(error) => {
            let sha256 = Sha256::digest(error.as_bytes()).into();
            let (text, replaced) = repaired(probe, path, &error).map_err(|reason| (reason, sha256))?;
            let parsed = probe.parser.parse(text);
            match parsed {
                Ok(document) => Ok((document, sha256, replaced)),
                Err(error) => Err((unreadable(probe, path, &error), sha256)),
            }
        }
    }
}

/// Bytes that are no UTF-8 as text. JSON and YAML are UTF-8 or nothing; to the parsers of text a byte that is part of no character is a
/// `?`, so that offsets stay those of the item.
fn repaired(probe: &Probe, path: &str, error: &FromUtf8Error) -> Result<(String, u64), String> {
    if matches!(probe.parser, Parser::Json(_) | Parser::Yaml) {
        let at = error.utf8_error().valid_up_to();
        return Err(format!(
            "`{path}` is not UTF-8 text: the byte at offset {at} is part of no character"
        ));
    }
    let (mut text, mut replaced) = (String::with_capacity(error.as_bytes().len()), 0);
    for chunk in error.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push('?'));
        replaced += chunk.invalid().len() as u64;
    }
    Ok((text, replaced))
}

/// Why a text cannot be parsed, in words that name the item.
fn unreadable(probe: &Probe, path: &str, error: &ParseError) -> String {
    let format = probe.parser.name();
    let place = format!("line {}, column {}", error.position.line, error.position.column);
    let whole = error.text.trim();
    let hint = match () {
        () if whole.starts_with('<') => "; it looks like HTML or XML",
        () if error.offset >= error.text.trim_end().len() => "; it seems to be cut off",
        () => "",
    };
    format!(
        "`{path}` cannot be read as {format}: {} at {place}{hint}",
        error.message
    )
}
