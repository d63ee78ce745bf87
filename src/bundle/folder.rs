//! Bundles that are folders: listed when they are opened, read file by file when they are asked for.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::error::BundleError;
use super::listing::{Content, Listing, Member};
use super::{name, packed};

/// Lists the files below `root`, which must be a canonical path.
///
/// The times of the files are not looked at: they change with every copy and every check-out.
pub(super) fn list(bundle: &str, root: &Path, listing: &mut Listing<'_>) -> Result<(), BundleError> {
    let depth = listing.limits.depth;
    for entry in WalkDir::new(root).max_depth(depth + 1) {
        listing.count().map_err(|exceeded| BundleError::TooLarge {
            name: bundle.to_owned(),
            exceeded,
        })?;
        match entry {
            Ok(entry) if entry.file_type().is_dir() && entry.depth() <= depth => {}
            Ok(entry) if entry.file_type().is_dir() => {
                listing.refuse(relative(root, entry.path()), format!("more than {depth} folders deep"));
            }
            Ok(entry) => add(root, &entry, listing),
            Err(error) if error.depth() == 0 => {
                return Err(BundleError::Unreadable {
                    name: bundle.to_owned(),
                    source: error.into(),
                });
            }
            Err(error) => {
                let path = error.path().map_or_else(|| "?".into(), |path| relative(root, path));
                listing.refuse(path, io::Error::from(error).to_string());
            }
        }
    }
    Ok(())
}

fn add(root: &Path, entry: &DirEntry, listing: &mut Listing<'_>) {
    let inside = entry.path().strip_prefix(root).unwrap_or(entry.path());
    // Names of files are held to the rules for names in archives, so that a manifest can list whatever is found here.
    match name::inside(relative(root, entry.path()).as_bytes(), listing.limits) {
        Err(bad) => listing.refuse(bad.shown, bad.reason),
        Ok(path) => match why_not(root, entry, listing.limits.item) {
            Some(reason) => listing.leave_out(path, reason),
            None => listing.add(path, Member::new(Content::File(inside.to_owned()))),
        },
    }
}

/// Why a file cannot be evidence. A link counts as what it leads to, if that is a file of the bundle.
fn why_not(root: &Path, entry: &DirEntry, limit: u64) -> Option<String> {
    let metadata = if entry.path_is_symlink() {
        match fs::canonicalize(entry.path()) {
            Ok(target) if !target.starts_with(root) => return Some("a link that leads out of the bundle".into()),
            Ok(target) => fs::metadata(target),
            Err(error) => return Some(format!("a link that leads nowhere: {error}")),
        }
    } else {
        entry.metadata().map_err(io::Error::from)
    };
    match metadata {
        Err(error) => Some(error.to_string()),
        Ok(metadata) if !metadata.is_file() => Some("no regular file".into()),
        Ok(metadata) if metadata.len() > limit => Some(packed::larger_than(limit)),
        Ok(_) => None,
    }
}

/// Reads a file of the folder. It is looked at again first, since it may have become something else after it was listed.
pub(super) fn read(root: &Path, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let target = fs::canonicalize(root.join(path))?;
    if !target.starts_with(root) {
        return Err(io::Error::other("a link that leads out of the bundle"));
    }
    // Opening a pipe would wait for someone to write into it.
    let known = fs::metadata(&target)?;
    if !known.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let room = usize::try_from(known.len().min(limit)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room.saturating_add(1));
    File::open(&target)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(packed::too_large(limit));
    }
    Ok(bytes)
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let names: Vec<_> = inside
        .components()
        .map(|component| name::text(component.as_os_str().as_encoded_bytes()))
        .collect();
    names.join("/")
}
