//! Bundles: evidence that was captured, in a folder or an archive. Opening one lists its items; they are read when they are asked for.
//!
//! - A folder, a `.tar` and a `.zip` are read in place, item by item.
//! - A `.tar.gz` and a `.tar.zst` cannot be, so their items are held in memory (`archive`). Nothing is ever unpacked to disk.
//! - What a file is, is told by its first bytes; its name does not matter.
//! - An archive with a single folder at its top is opened below that: archives are made of a folder, and so carry its name, which changes
//!   from one to the next and which no rulebook can know. A folder is opened as it is: whoever names it can name the one within.
//! - An item that is packed with gzip or zstd is read unpacked, and answers for its plain name: `stats.txt.gz` for `stats.txt`.
//! - A manifest, `casebook.json`, tells how each item was gathered. Items that it lists and that are not there are known by name.
//!
//! What comes from outside may be made to do harm. [`Limits`] bounds it, links are followed by name and never out of the bundle, and what is left out is
//! listed with the reason in [`Bundle::skipped`].

mod archive;
mod error;
mod folder;
mod limits;
mod listing;
mod manifest;
mod name;
mod packed;
mod place;
mod redacted;
mod tar;
mod verify;
mod write;
mod zip;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::{Archive, Handle};
use listing::{Content, Listing, Member};
use packed::Kept;

pub use error::BundleError;
pub use limits::{Exceeded, Limits};
pub use listing::Skipped;
pub use manifest::{ItemFacts, MANIFEST, Manifest, ManifestError, Schema, leaves_bytes, sha256};
pub use name::printable;
pub use place::{Matched, PlacePattern, PlacePatternError};
pub use redacted::{RedactedItem, cleaned, redact};
pub use verify::{Verification, verify};
pub use write::{Writer, name_of};

/// Captured evidence, opened: its items by path, to be read on demand; and items laid over it, as cases do.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The name as the user gave it.
    pub name: String,
    root: Option<PathBuf>,
    handle: Option<Arc<Handle>>,
    limits: Limits,
    files: Vec<String>,
    members: BTreeMap<String, Member>,
    skipped: Vec<Skipped>,
    facts: BTreeMap<String, ItemFacts>,
    manifest: Option<Manifest>,
    cut: bool,
}

impl Bundle {
    /// Opens the folder or archive at `path` and lists its items.
    ///
    /// An archive that was cut off is opened as far as it goes: [`Bundle::complete`] is then false, and the item that the cut went through
    /// is marked as truncated.
    ///
    /// # Errors
    /// [`BundleError`] where `path` is missing, unreadable, no bundle, damaged or too large, or where its manifest is malformed.
    pub fn open(path: &Path, limits: &Limits) -> Result<Bundle, BundleError> {
        let name = path.display().to_string();
        let unreadable = |source| BundleError::Unreadable {
            name: name.clone(),
            source,
        };
        let root = fs::canonicalize(path).map_err(unreadable)?;
        let metadata = fs::metadata(&root).map_err(unreadable)?;
        if metadata.is_dir() {
            return Bundle::open_folder(name, root, limits);
        }
        // Opening a pipe or a device would wait, or worse.
        if !metadata.is_file() {
            let what = "is neither a folder nor a regular file".to_owned();
            return Err(BundleError::NotABundle { name, what });
        }
        let file = File::open(&root).map_err(unreadable)?;
        Bundle::open_archive(name, Some(root), Box::new(file), limits)
    }

    /// Opens an archive that is in memory; `name` is what it is called in messages.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Bundle, BundleError> {
        Bundle::open_archive(name.to_owned(), None, Box::new(Cursor::new(bytes)), limits)
    }

    fn open_folder(name: String, root: PathBuf, limits: &Limits) -> Result<Bundle, BundleError> {
        let mut listing = Listing::new(limits);
        folder::list(&name, &root, &mut listing)?;
        Bundle {
            name,
            root: Some(root),
            limits: *limits,
            ..Bundle::default()
        }
        .with(listing)
    }

    fn open_archive(
        name: String,
        root: Option<PathBuf>,
        archive: Box<dyn Archive>,
        limits: &Limits,
    ) -> Result<Bundle, BundleError> {
        let mut listing = Listing::new(limits);
        let opened = archive::list(&name, archive, &mut listing)?;
        Bundle {
            name,
            root,
            handle: opened.handle.map(Arc::new),
            limits: *limits,
            cut: !opened.whole,
            ..Bundle::default()
        }
        .with(listing)
    }

    /// Takes over what was found.
    fn with(mut self, mut listing: Listing<'_>) -> Result<Bundle, BundleError> {
        listing.name_unpacked();
        (self.members, self.skipped) = listing.finish();
        let told = self
            .members
            .iter()
            .filter(|(_, member)| member.truncated || member.modified.is_some());
        let facts = told.map(|(path, member)| {
            let facts = ItemFacts {
                path: path.clone(),
                truncated: member.truncated,
                modified: member.modified,
                ..ItemFacts::default()
            };
            (path.clone(), facts)
        });
        self.facts = facts.collect();
        if self.members.contains_key(MANIFEST) {
            let name = self.name.clone();
            self.read_manifest()
                .map_err(|source| BundleError::Manifest { name, source })?;
        }
        self.files = self.members.keys().cloned().collect();
        Ok(self)
    }

    fn read_manifest(&mut self) -> Result<(), ManifestError> {
        let bytes = self
            .read(MANIFEST)
            .map_err(|error| ManifestError::new(error.to_string()))?;
        let manifest = Manifest::parse(&bytes)?;
        self.members.remove(MANIFEST);
        self.facts.remove(MANIFEST);
        for item in &manifest.items {
            let path = self.listed_as(&item.path).to_owned();
            let member = self.members.entry(path.clone());
            let member = member.or_insert_with(|| Member::new(Content::Listed));
            let facts = ItemFacts {
                path: path.clone(),
                truncated: item.truncated || member.truncated,
                modified: member.modified,
                ..item.clone()
            };
            self.facts.insert(path, facts);
        }
        self.manifest = Some(manifest);
        Ok(())
    }

    /// A bundle without items, for items to be laid over.
    pub fn empty(name: &str) -> Bundle {
        Bundle {
            name: name.to_owned(),
            ..Bundle::default()
        }
    }

    /// The bundle's own name: that in its manifest, else that of its folder or archive, without the way there.
    pub fn short_name(&self) -> String {
        if let Some(manifest) = &self.manifest {
            return manifest.name.clone();
        }
        let file = self.root.as_deref().and_then(Path::file_name);
        file.map_or_else(|| self.name.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Its manifest, as written.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Whether the capture and the archive came to their ends; `None` where nothing says so.
    pub fn complete(&self) -> Option<bool> {
        if self.cut {
            return Some(false);
        }
        self.manifest.as_ref().map(|manifest| manifest.complete)
    }

    /// The paths of all items, sorted: what probes can ask for. The manifest is none of them.
    ///
    /// Among them are items that are known by name alone, because they were not gathered or had to be left out: [`Bundle::read`] tells
    /// why. If they were not here, a probe would take the next file that fits in their place.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Those of [`Bundle::files`] that lie in a folder, at any depth; all of them for the empty name, which is the bundle's own.
    pub fn files_in(&self, folder: &str) -> &[String] {
        if folder.is_empty() {
            return &self.files;
        }
        let prefix = format!("{folder}/");
        let start = self.files.partition_point(|file| *file < prefix);
        let rest = self.files.get(start..).unwrap_or_default();
        let count = rest.partition_point(|file| file.starts_with(&prefix));
        rest.get(..count).unwrap_or_default()
    }

    /// What was left out, and why, sorted by path.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What is known of an item beside its bytes.
    pub fn facts(&self, path: &str) -> Option<&ItemFacts> {
        self.facts.get(path)
    }

    /// Reads one of [`Bundle::files`] whole; packed ones are unpacked.
    ///
    /// # Errors
    /// Why there are no bytes to be had, in words that go on from the item's name: it was left out, has been removed since, may not be
    /// read, is too large, or is packed and damaged. [`ErrorKind::NotFound`] where it is not there.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let member = self.members.get(path).ok_or(ErrorKind::NotFound)?;
        let limit = self.limits.item;
        let bytes = match (&member.content, &self.root, &self.handle) {
            (Content::Kept(kept), ..) => kept.bytes()?,
            // Links lead to members that are none.
            (Content::Link(target), ..) => return self.read(target),
            (Content::File(file), Some(root), _) => folder::read(root, file, limit)?,
            (Content::Range { offset, size }, _, Some(handle)) => handle.range(*offset, *size)?,
            (Content::Entry(number), _, Some(handle)) => handle.entry(*number)?,
            (Content::Listed, ..) => return Err(io::Error::new(ErrorKind::NotFound, NOT_THERE)),
            (Content::Nowhere(reason), ..) => return Err(io::Error::other(reason.clone())),
            _ => return Err(ErrorKind::NotFound.into()),
        };
        packed::unpack(bytes, limit)
    }

    /// Takes the first captures of what was captured twice out of the bundle, as a bundle of their own; none where there are none.
    pub fn take_earlier(&mut self) -> Option<Bundle> {
        if !self.facts.values().any(|facts| facts.earlier) {
            return None;
        }
        let facts = std::mem::take(&mut self.facts).into_iter();
        let (earlier, others): (BTreeMap<_, _>, BTreeMap<_, _>) = facts.partition(|(_, facts)| facts.earlier);
        self.facts = others;
        self.files.retain(|file| !earlier.contains_key(file));
        let mut bundle = Bundle {
            name: self.name.clone(),
            root: self.root.clone(),
            handle: self.handle.clone(),
            limits: self.limits,
            ..Bundle::default()
        };
        for (path, facts) in earlier {
            let Some(member) = self.members.remove(&path) else {
                continue;
            };
            let path = path
                .strip_prefix(BEFORE)
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(&path)
                .to_owned();
            bundle.members.insert(path.clone(), member);
            bundle.facts.insert(path.clone(), ItemFacts { path, ..facts });
        }
        bundle.files = bundle.members.keys().cloned().collect();
        Some(bundle)
    }

    /// Lays an item over the bundle: it hides one of the same path, and what was known of that. Size and checksum in `facts` are those of other
    /// bytes, and are left out.
    pub fn lay(&mut self, path: &str, bytes: Vec<u8>, facts: ItemFacts) {
        if let Err(at) = self.files.binary_search_by(|file| file.as_str().cmp(path)) {
            self.files.insert(at, path.to_owned());
        }
        let content = Content::Kept(Kept::Plain(bytes));
        self.members.insert(path.to_owned(), Member::new(content));
        let facts = ItemFacts {
            path: path.to_owned(),
            size: None,
            sha256: None,
            ..facts
        };
        self.facts.insert(path.to_owned(), facts);
    }

    /// Takes an item out of the bundle; on disk it stays.
    pub fn hide(&mut self, path: &str) {
        self.files.retain(|file| file != path);
        self.members.remove(path);
        self.facts.remove(path);
    }

    /// The path that an item of the manifest goes by: a packed one by its plain name.
    fn listed_as<'p>(&self, path: &'p str) -> &'p str {
        if self.members.contains_key(path) {
            return path;
        }
        let plain = name::unpacked(path).filter(|plain| self.members.contains_key(*plain));
        plain.unwrap_or(path)
    }

    /// Whether there is more of an item than a line in the manifest.
    fn is_there(&self, path: &str) -> bool {
        let member = self.members.get(path);
        member.is_some_and(|member| !matches!(member.content, Content::Listed))
    }
}

/// Folder of first captures, in a bundle that holds two of something.
pub const BEFORE: &str = "before";

/// Why an item of the manifest that has no file cannot be read.
const NOT_THERE: &str = "the manifest lists it, but it is not in the bundle";

#[cfg(test)]
mod tests;
