//! Whether a bundle is still what its manifest says.

use super::error::BundleError;
use super::manifest::{ItemFacts, MANIFEST, leaves_bytes, sha256};
use super::{Bundle, Manifest};

/// What became of the items of a bundle. Each list is sorted by path; an item may stand in several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Number of items that the manifest lists.
    pub listed: usize,
    /// Number of those that are there, byte for byte.
    pub intact: usize,
    /// Number of those that were not gathered, and are not there.
    pub not_gathered: usize,
    /// Items that the manifest gives no checksum for.
    pub unchecked: Vec<String>,
    /// Items that are not as they were captured, with what gives them away.
    pub changed: Vec<(String, String)>,
    /// Items that should be there and are not.
    pub missing: Vec<String>,
    /// Items that the manifest does not list.
    pub unlisted: Vec<String>,
    /// Items whose end was missing when they were captured, or is now.
    pub truncated: Vec<String>,
    /// Whether capture and archive came to their ends.
    pub complete: bool,
}

impl Verification {
    /// Whether the bundle is what was captured: nothing changed, missing or added. It may still be incomplete.
    pub fn holds(&self) -> bool {
        self.changed.is_empty() && self.missing.is_empty() && self.unlisted.is_empty()
    }
}

/// Compares a bundle with its manifest. All items are read, one after another; `done` is called after each.
///
/// # Errors
/// [`BundleError::NoManifest`] where there is none.
pub fn verify(bundle: &Bundle, done: &dyn Fn()) -> Result<Verification, BundleError> {
    let manifest = bundle.manifest().ok_or_else(|| BundleError::NoManifest {
        name: bundle.name.clone(),
    })?;
    let mut verification = Verification {
        listed: manifest.items.len(),
        complete: bundle.complete() == Some(true),
        unlisted: unlisted(bundle, manifest),
        ..Verification::default()
    };
    let mut items: Vec<&ItemFacts> = manifest.items.iter().collect();
    items.sort_by(|a, b| a.path.cmp(&b.path));
    for item in items {
        check(bundle, item, &mut verification);
        done();
    }
    Ok(verification)
}

fn unlisted(bundle: &Bundle, manifest: &Manifest) -> Vec<String> {
    let mut listed: Vec<&str> = manifest.items.iter().map(|item| bundle.listed_as(&item.path)).collect();
    listed.push(MANIFEST);
    listed.sort_unstable();
    let files = bundle
        .files()
        .iter()
        .filter(|file| listed.binary_search(&file.as_str()).is_err());
    files.cloned().collect()
}

fn check(bundle: &Bundle, item: &ItemFacts, verification: &mut Verification) {
    let file = bundle.listed_as(&item.path);
    if bundle.facts(file).is_some_and(|facts| facts.truncated) {
        verification.truncated.push(item.path.clone());
    }
    let gathered = item.size.is_some() || item.outcome.is_none_or(leaves_bytes);
    match bundle.read(file) {
        Err(_) if !bundle.is_there(file) && gathered => verification.missing.push(item.path.clone()),
        Err(_) if !bundle.is_there(file) => verification.not_gathered += 1,
        Err(error) => verification
            .changed
            .push((item.path.clone(), format!("it cannot be read: {error}"))),
        Ok(bytes) => match difference(item, &bytes) {
            Some(difference) => verification.changed.push((item.path.clone(), difference)),
            None if item.sha256.is_none() => verification.unchecked.push(item.path.clone()),
            None => verification.intact += 1,
        },
    }
}

/// How the bytes of an item differ from those that were captured.
fn difference(item: &ItemFacts, bytes: &[u8]) -> Option<String> {
    let size = bytes.len() as u64;
    if let Some(listed) = item.size.filter(|listed| *listed != size) {
        return Some(format!("it has {size} bytes, and had {listed}"));
    }
    let checksum = item.sha256.as_ref()?;
    (!checksum.eq_ignore_ascii_case(&sha256(bytes))).then(|| "its checksum is another".to_owned())
}
