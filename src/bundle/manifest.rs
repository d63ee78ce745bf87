//! The manifest of a bundle, `casebook.json`: what was gathered, how it went, and what has to be there.
//!
//! The structs are published (`schemas/bundle.schema.json`): fields may be added, but none may change its name or meaning within a version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::report::model::{Outcome, RulebookVersion, Tool};

use super::Bundle;
use super::limits::Limits;
use super::name;

/// Most items that a manifest may list: as many as a bundle may have by default. A list of them takes far more memory than its text.
const MAX_ITEMS: usize = 200_000;

/// Name of the manifest in a bundle.
pub const MANIFEST: &str = "casebook.json";

/// What a bundle holds, and how each item was gathered
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Format and version of this manifest
    pub schema: Schema,
    /// The bundle's own name, which reports carry
    pub name: String,
    /// The program that captured the bundle
    pub tool: Tool,
    /// Whether the capture came to its end; false where it was interrupted
    pub complete: bool,
    /// Inputs that the capture was made with, as `rulebook.input`
    #[serde(default)]
    pub inputs: BTreeMap<String, Value>,
    /// The rulebooks whose probes were gathered, used ones included, in their order
    #[serde(default)]
    pub rulebooks: Vec<RulebookVersion>,
    /// The items, gathered or not; each path once
    #[serde(deserialize_with = "distinct")]
    pub items: Vec<ItemFacts>,
}

/// Format and version of a manifest
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Schema {
    /// The first version
    #[default]
    #[serde(rename = "casebook/bundle/v1")]
    V1,
}

/// What is known of an item beside its bytes
///
/// A manifest tells most of it; an archive without one tells the time and what was cut off; a case tells what it wants to be so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemFacts {
    /// Path in the bundle, `/`-separated; for an item that was not gathered, where it would be
    #[serde(deserialize_with = "inside")]
    pub path: String,
    /// The probe that gathered it, as `rulebook::probe`
    pub probe: Option<String>,
    /// The subject that it belongs to, as `kind/name`; null for the bundle as a whole
    pub subject: Option<String>,
    /// Where it came from, as a plan prints it: `GET http://...`, or a command
    pub origin: Option<String>,
    /// When it was captured (RFC 3339, UTC)
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub captured_at: Option<Timestamp>,
    /// How long the gathering took, in milliseconds
    pub duration_ms: Option<u64>,
    /// How the gathering went; where it is not told, the bytes alone count
    pub outcome: Option<Outcome>,
    /// Why it was not gathered, or not whole, in one line
    pub reason: Option<String>,
    /// Exit code of the command that gave it
    pub exit: Option<i32>,
    /// HTTP status of the answer that held it
    pub http: Option<u16>,
    /// What the command wrote to its standard error, redacted and cut
    pub stderr: Option<String>,
    /// Whether a part of it is known to be missing
    #[serde(default)]
    pub truncated: bool,
    /// Whether it is the first of two captures, kept to be compared with the second
    #[serde(default)]
    pub earlier: bool,
    /// Number of bytes, unpacked; null where there is no file
    pub size: Option<u64>,
    /// SHA-256 of these bytes, in hexadecimal
    pub sha256: Option<String>,
    /// Number of values that were redacted
    #[serde(default)]
    pub redactions: u64,
    /// The time that the archive carries for it. Of a folder's files the times are not used.
    #[serde(skip)]
    pub modified: Option<Timestamp>,
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", self.place())]
pub struct ManifestError {
    /// What is wrong, in one line.
    pub message: String,
    /// Line in `casebook.json`, from 1; 0 where it is not about one place.
    pub line: usize,
    /// Column, from 1, in bytes.
    pub column: usize,
}

impl ManifestError {
    pub(super) fn new(message: impl Into<String>) -> ManifestError {
        ManifestError {
            message: message.into(),
            line: 0,
            column: 0,
        }
    }

    fn place(&self) -> String {
        match self.line {
            0 => String::new(),
            line => format!(" (line {line}, column {})", self.column),
        }
    }
}

impl From<serde_json::Error> for ManifestError {
    fn from(error: serde_json::Error) -> ManifestError {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        ManifestError {
            message: name::printable(text.strip_suffix(&place).unwrap_or(&text)).into_owned(),
            line: error.line(),
            column: error.column(),
        }
    }
}

/// The one field that is read before it is known which version the others follow.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

impl Manifest {
    /// An empty manifest of this program, for a capture that is complete once its items are added.
    pub fn new(name: &str) -> Manifest {
        Manifest {
            schema: Schema::V1,
            name: name.to_owned(),
            tool: Tool::current(),
            complete: true,
            inputs: BTreeMap::new(),
            rulebooks: Vec::new(),
            items: Vec::new(),
        }
    }

    /// A manifest of all that `bundle` holds: what was known of the items stays, sizes and checksums are those of the bytes now.
    ///
    /// # Errors
    /// An item that cannot be read, other than one that was not gathered.
    pub fn of(bundle: &Bundle) -> io::Result<Manifest> {
        let mut manifest = bundle
            .manifest()
            .cloned()
            .unwrap_or_else(|| Manifest::new(&bundle.short_name()));
        let items = bundle.files().iter().map(|path| facts_now(bundle, path));
        manifest.items = items.collect::<io::Result<_>>()?;
        Ok(manifest)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// No JSON, another version, a missing or wrong field, a path that leads out of the bundle or is listed twice: with line and column.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        let head: Head = serde_json::from_slice(bytes)?;
        let known = serde_json::to_value(Schema::V1).unwrap_or_default();
        match head.schema {
            Some(schema) if known == *schema => Ok(serde_json::from_slice(bytes)?),
            Some(schema) => Err(ManifestError::new(format!(
                "its schema is `{}`, and this version reads {known}",
                name::printable(&schema)
            ))),
            None => Err(ManifestError::new(format!(
                "it has no `schema`, which should be {known}"
            ))),
        }
    }

    /// The manifest as it is written: indented, with a line feed at the end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Writes the manifest into the folder of its bundle.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(MANIFEST), self.to_json())
    }
}

/// The facts of an item, with the size and the checksum that its bytes have.
fn facts_now(bundle: &Bundle, path: &str) -> io::Result<ItemFacts> {
    let mut facts = bundle.facts(path).cloned().unwrap_or_default();
    path.clone_into(&mut facts.path);
    match bundle.read(path) {
        Ok(bytes) => {
            facts.size = Some(bytes.len() as u64);
            facts.sha256 = Some(sha256(&bytes));
            facts.outcome = facts
                .outcome
                .or(Some(if bytes.is_empty() { Outcome::Empty } else { Outcome::Ok }));
        }
        Err(_) if facts.outcome.is_some_and(|outcome| !leaves_bytes(outcome)) => {}
        Err(error) => {
            return Err(io::Error::new(
                error.kind(),
                format!("`{}`: {error}", name::printable(path)),
            ));
        }
    }
    Ok(facts)
}

/// Whether there must be a file where the gathering went so.
pub fn leaves_bytes(outcome: Outcome) -> bool {
    use Outcome::{Absent, Alien, Denied, Empty, Failed, NotRun, Ok, TimedOut, Unparsable, Unreachable};
    match outcome {
        Ok | Empty | Unparsable | Alien => true,
        Absent | Denied | Unreachable | TimedOut | Failed | NotRun => false,
    }
}

/// SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a path that must lie inside the bundle, and be written as bundles write it.
fn inside<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    match name::inside(path.as_bytes(), &Limits::default()) {
        Ok(clean) if clean == path && path != MANIFEST => Ok(path),
        Ok(_) => Err(D::Error::custom(format!("`{path}` is not the path of an item"))),
        Err(bad) => Err(D::Error::custom(format!(
            "`{}` is not the path of an item: {}",
            bad.shown, bad.reason
        ))),
    }
}

/// Reads items, not too many, whose paths must differ.
fn distinct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ItemFacts>, D::Error> {
    struct Items;

    impl<'de> Visitor<'de> for Items {
        type Value = Vec<ItemFacts>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<ItemFacts>, A::Error> {
            let (mut items, mut paths) = (Vec::new(), BTreeSet::new());
            while let Some(item) = list.next_element::<ItemFacts>()? {
                if items.len() == MAX_ITEMS {
                    return Err(A::Error::custom(format!("it lists more than {MAX_ITEMS} items")));
                }
                if !paths.insert(item.path.clone()) {
                    return Err(A::Error::custom(format!("`{}` is listed twice", item.path)));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_seq(Items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(items: &str) -> String {
        format!(
            r#"{{ "schema": "casebook/bundle/v1", "name": "b", "tool": {{ "name": "casebook", "version": "1" }},
  "complete": true,
  "items": [{items}] }}"#
        )
    }

    fn error(text: &str) -> (String, usize) {
        let error = Manifest::parse(text.as_bytes()).unwrap_err();
        (error.message.clone(), error.line)
    }

    #[test]
    fn the_documented_manifest_is_read() {
        let text = r#"{ "schema": "casebook/bundle/v1", "name": "n", "tool": {"name": "casebook", "version": "0"}, "complete": false, "inputs": {},
            "rulebooks": [{"id": "web", "version": "1", "digest": "d"}],
            "items": [{ "path": "servers/a/config.json", "probe": "web::config", "subject": "server/a", "origin": "GET http://a/config",
               "captured_at": "2026-01-31T12:00:00Z", "duration_ms": 12, "outcome": "timed-out", "exit": null, "http": 200, "stderr": null,
               "truncated": false, "size": 1, "sha256": "00", "redactions": 0, "something": "new" }] }"#;
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert!(!manifest.complete);
        let item = &manifest.items[0];
        assert_eq!(item.outcome, Some(Outcome::TimedOut));
        assert_eq!(item.captured_at.unwrap().to_string(), "2026-01-31T12:00:00Z");
        assert_eq!(Manifest::parse(manifest.to_json().as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn an_item_needs_a_path_alone() {
        let read = Manifest::parse(manifest(r#"{ "path": "a.json" }"#).as_bytes()).unwrap();
        assert_eq!(read.items[0].outcome, None);
        assert_eq!(error(&manifest("{ }")), ("missing field `path`".to_owned(), 3));
    }

    #[test]
    fn a_malformed_manifest_is_told_by_line() {
        assert_eq!(error("{\n  \"schema\": }"), ("expected value".to_owned(), 2));
        assert_eq!(error(""), ("EOF while parsing a value".to_owned(), 1));
        let (message, line) = error(&manifest(r#"{ "path": "a", "outcome": "fine" }"#));
        assert!(
            message.starts_with("unknown variant `fine`, expected one of `ok`"),
            "{message}"
        );
        assert_eq!(line, 3);
        assert_eq!(error(&manifest(r#"{ "path": "a", "captured_at": "noon" }"#)).1, 3);
    }

    #[test]
    fn other_versions_are_not_guessed_at() {
        let newer = manifest("").replace("bundle/v1", "bundle/v2");
        assert_eq!(
            error(&newer).0,
            "its schema is `casebook/bundle/v2`, and this version reads \"casebook/bundle/v1\""
        );
        assert_eq!(
            error("{}").0,
            "it has no `schema`, which should be \"casebook/bundle/v1\""
        );
    }

    #[test]
    fn paths_lead_nowhere_else_and_are_listed_once() {
        for path in [
            "../x",
            "a/../../x",
            "/etc/passwd",
            "C:/x",
            "",
            "./a",
            "a//b",
            "a/",
            "casebook.json",
        ] {
            let (message, line) = error(&manifest(&format!(r#"{{ "path": "{path}" }}"#)));
            assert!(message.contains("is not the path of an item"), "{path}: {message}");
            assert_eq!(line, 3, "{path}");
        }
        assert_eq!(
            error(&manifest(r#"{ "path": "a" }, { "path": "a" }"#)),
            ("`a` is listed twice".to_owned(), 3)
        );
    }

    #[test]
    fn a_manifest_lists_no_more_than_a_bundle_holds() {
        let items: Vec<String> = (0..=MAX_ITEMS).map(|n| format!(r#"{{"path":"{n}"}}"#)).collect();
        assert_eq!(error(&manifest(&items.join(","))).0, "it lists more than 200000 items");
    }

    #[test]
    fn an_error_shows_its_place() {
        let error = Manifest::parse(b"{\n 1").unwrap_err();
        assert_eq!(error.to_string(), "key must be a string (line 2, column 2)");
    }
}
