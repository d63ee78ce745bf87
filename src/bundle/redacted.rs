//! A bundle without its secrets, written anew.

use std::io;

use crate::redact::Redactor;
use crate::report::model::Outcome;

use super::Bundle;
use super::manifest::{ItemFacts, Manifest, sha256};
use super::write::Writer;

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactedItem {
    /// Path in the bundle.
    pub path: String,
    /// Number of secrets that were taken out now.
    pub count: u64,
    /// Why it was left out, where it was.
    pub left_out: Option<String>,
}

/// First bytes of what is packed or encrypted: nobody can tell what is in it.
const SEALED: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "it is packed with gzip"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd"),
    (b"PK\x03\x04", "it is a zip"),
    (b"\xfd7zXZ\0", "it is packed with xz"),
    (b"BZh", "it is packed with bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "it is packed with 7z"),
    (b"\x04\x22\x4d\x18", "it is packed with lz4"),
];

/// Writes `bundle` without its secrets. Items that nobody can look into are left out; the manifest says so.
///
/// # Errors
/// What cannot be written.
pub fn redact(bundle: &Bundle, redactor: &Redactor, mut writer: Writer) -> io::Result<Vec<RedactedItem>> {
    let mut manifest = bundle
        .manifest()
        .cloned()
        .unwrap_or_else(|| Manifest::new(&bundle.short_name()));
    manifest.complete &= bundle.complete() != Some(false);
    manifest.items.clear();
    let mut items = Vec::new();
    for path in bundle.files() {
        let mut facts = bundle.facts(path).cloned().unwrap_or_default();
        path.clone_into(&mut facts.path);
        items.push(item(bundle, redactor, &mut writer, &mut facts)?);
        manifest.items.push(facts);
    }
    manifest.redact(redactor);
    writer.finish(&manifest)?;
    Ok(items)
}

fn item(bundle: &Bundle, redactor: &Redactor, writer: &mut Writer, facts: &mut ItemFacts) -> io::Result<RedactedItem> {
    let mut item = RedactedItem {
        path: facts.path.clone(),
        count: 0,
        left_out: None,
    };
    let (bytes, count) = match bundle.read(&facts.path) {
        Ok(bytes) => match cleaned(bytes, redactor) {
            Ok(clean) => clean,
            Err(why) => return Ok(left_out(item, facts, why.to_owned())),
        },
        // What was not gathered is no loss.
        Err(_) if !bundle.is_there(&facts.path) => return Ok(item),
        Err(error) => return Ok(left_out(item, facts, error.to_string())),
    };
    writer.add(&facts.path, &bytes, facts.modified.or(facts.captured_at))?;
    item.count = count;
    facts.redactions += count;
    facts.size = Some(bytes.len() as u64);
    facts.sha256 = Some(sha256(&bytes));
    Ok(item)
}

/// Bytes without their secrets, and how many there were.
///
/// # Errors
/// Why nobody can look into them.
pub fn cleaned(bytes: Vec<u8>, redactor: &Redactor) -> Result<(Vec<u8>, u64), &'static str> {
    if let Some((_, why)) = SEALED.iter().find(|(begins, _)| bytes.starts_with(begins)) {
        return Err(why);
    }
    let redacted = redactor.redact(&bytes);
    Ok(redacted.map_or((bytes, 0), |redacted| (redacted.bytes, redacted.count)))
}

/// Notes that an item is no longer there.
fn left_out(mut item: RedactedItem, facts: &mut ItemFacts, why: String) -> RedactedItem {
    facts.outcome = Some(Outcome::Failed);
    facts.reason = Some(format!("left out when secrets were taken out of the bundle: {why}"));
    (facts.size, facts.sha256) = (None, None);
    item.left_out = Some(why);
    item
}

impl ItemFacts {
    /// Takes secrets out of what is told beside the bytes: origin, reason, what the command wrote to standard error. Those count too.
    pub fn redact(&mut self, redactor: &Redactor) {
        for text in [&mut self.origin, &mut self.reason, &mut self.stderr]
            .into_iter()
            .flatten()
        {
            if let Some(redacted) = redactor.redact(text.as_bytes()) {
                self.redactions += redacted.count;
                *text = String::from_utf8_lossy(&redacted.bytes).into_owned();
            }
        }
    }
}

impl Manifest {
    /// Takes secrets out of what it tells beside the items: origins, reasons, what commands wrote to standard error, inputs.
    ///
    /// Those count among the redactions of their item.
    pub fn redact(&mut self, redactor: &Redactor) {
        self.items.iter_mut().for_each(|item| item.redact(redactor));
        for (name, value) in &mut self.inputs {
            // With its name, which may say that the value is secret.
            let text = serde_json::json!({ name.as_str(): &*value }).to_string();
            let redacted = serde_json::from_str::<serde_json::Value>(&redactor.text(&text));
            if let Ok(mut redacted) = redacted
                && let Some(redacted) = redacted.get_mut(name.as_str())
            {
                *value = redacted.take();
            }
        }
    }
}
