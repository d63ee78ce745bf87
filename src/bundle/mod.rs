//! Bundles: a folder of evidence that someone captured. Opening one lists its files; nothing is read before it is asked for.

mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::report::model::Outcome;

pub use place::{Matched, PlacePattern, PlacePatternError};

/// Most files that a bundle may hold; more is taken for a mistake (a home directory, say).
pub const MAX_FILES: usize = 200_000;
/// Deepest folder below a bundle's own.
pub const MAX_DEPTH: usize = 64;

/// A captured folder, opened: its files by name, to be read on demand; and items laid over it, as cases do.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The name as the user gave it.
    pub name: String,
    root: Option<PathBuf>,
    files: Vec<String>,
    skipped: Vec<Skipped>,
    laid: BTreeMap<String, Laid>,
}

/// An item that is laid over a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Laid {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How its gathering went, where it was not simply `ok`.
    pub outcome: Option<Outcome>,
    /// Exit code of the command that gave it.
    pub exit: Option<i32>,
    /// HTTP status of the answer that held it.
    pub http: Option<u16>,
    /// What the command wrote to its standard error.
    pub stderr: Option<String>,
    /// Whether its end is known to be missing.
    pub truncated: bool,
}

/// A member of the folder that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Path inside the bundle, `/`-separated.
    pub path: String,
    /// What kept it out.
    pub reason: String,
}

/// Why a bundle could not be opened or one of its files not be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Nothing is there under that name, or it may not be looked at.
    #[error("cannot open the bundle `{name}`: {source}")]
    Unreadable {
        /// The path as given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something is there, but not a folder.
    #[error("`{name}` is not a folder")]
    NotAFolder {
        /// The path as given.
        name: String,
    },
    /// The folder holds more files than a bundle can have.
    #[error("`{name}` holds more than {MAX_FILES} files")]
    TooManyFiles {
        /// The path as given.
        name: String,
    },
}

impl BundleError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            BundleError::Unreadable { .. } => "give the path of a folder that holds captured evidence",
            BundleError::NotAFolder { .. } => "give the folder that holds the captured files, not one of the files",
            BundleError::TooManyFiles { .. } => "is this the folder with the evidence, or one far above it?",
        }
    }
}

impl Bundle {
    /// Opens the folder at `path` and lists its files, sorted by name.
    ///
    /// Links are followed only to files inside the folder; what else is left out is listed in [`Bundle::skipped`].
    ///
    /// # Errors
    /// [`BundleError`] where `path` is missing, unreadable, not a folder, or holds too many files.
    pub fn open(path: &Path) -> Result<Bundle, BundleError> {
        let name = path.display().to_string();
        let unreadable = |source| BundleError::Unreadable {
            name: name.clone(),
            source,
        };
        let root = fs::canonicalize(path).map_err(unreadable)?;
        if !root.is_dir() {
            return Err(BundleError::NotAFolder { name });
        }
        let mut bundle = Bundle {
            name,
            root: Some(root.clone()),
            ..Bundle::default()
        };
        bundle.list(&root)?;
        Ok(bundle)
    }

    /// A bundle without files, for items to be laid over.
    pub fn empty(name: &str) -> Bundle {
        Bundle {
            name: name.to_owned(),
            ..Bundle::default()
        }
    }

    /// The bundle's own name: that of its folder, without the way there.
    pub fn short_name(&self) -> String {
        let folder = self.root.as_deref().and_then(Path::file_name);
        folder.map_or_else(|| self.name.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Lays an item over the bundle: it hides a file of the same name.
    pub fn lay(&mut self, path: &str, item: Laid) {
        if let Err(at) = self.files.binary_search_by(|file| file.as_str().cmp(path)) {
            self.files.insert(at, path.to_owned());
        }
        self.laid.insert(path.to_owned(), item);
    }

    /// Takes a file out of the bundle; on disk it stays.
    pub fn hide(&mut self, path: &str) {
        self.files.retain(|file| file != path);
        self.laid.remove(path);
    }

    /// What is known of an item that was laid over the bundle.
    pub fn laid(&self, file: &str) -> Option<&Laid> {
        self.laid.get(file)
    }

    fn list(&mut self, root: &Path) -> Result<(), BundleError> {
        for entry in WalkDir::new(root).max_depth(MAX_DEPTH).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.depth() == 0 || entry.file_type().is_dir() => {}
                Ok(entry) => self.add(root, entry.path()),
                Err(error) if error.depth() == 0 => {
                    return Err(BundleError::Unreadable {
                        name: self.name.clone(),
                        source: error.into(),
                    });
                }
                Err(error) => {
                    let path = error.path().map_or_else(|| "?".into(), |p| relative(root, p));
                    self.skipped.push(Skipped {
                        path,
                        reason: io::Error::from(error).to_string(),
                    });
                }
            }
            if self.files.len() > MAX_FILES {
                return Err(BundleError::TooManyFiles {
                    name: self.name.clone(),
                });
            }
        }
        self.files.sort();
        Ok(())
    }

    fn add(&mut self, root: &Path, path: &Path) {
        let name = relative(root, path);
        match why_not(root, path) {
            None => self.files.push(name),
            Some(reason) => self.skipped.push(Skipped { path: name, reason }),
        }
    }

    /// The files, as `/`-separated paths inside the bundle, sorted.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// What the folder holds besides, and why it was left out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Reads one of [`Bundle::files`] whole.
    ///
    /// # Errors
    /// What the system says (it may have been removed, or may not be read).
    pub fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        match (self.laid.get(file), &self.root) {
            (Some(item), _) => Ok(item.bytes.clone()),
            (None, Some(root)) => fs::read(root.join(file)),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Why the file at `path` cannot be evidence: it leads out of the folder, or is no regular file.
fn why_not(root: &Path, path: &Path) -> Option<String> {
    match fs::canonicalize(path) {
        Err(error) => Some(error.to_string()),
        Ok(target) if !target.starts_with(root) => Some("a link that leads out of the bundle".into()),
        Ok(target) if !target.is_file() => Some("not a regular file".into()),
        Ok(_) => None,
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside
        .components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_files_sorted_and_below_folders() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("z.json"), "1").unwrap();
        fs::write(dir.path().join("a/b/c.json"), "2").unwrap();
        let bundle = Bundle::open(dir.path()).unwrap();
        assert_eq!(bundle.files(), ["a/b/c.json", "z.json"]);
        assert_eq!(bundle.read("a/b/c.json").unwrap(), b"2");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_left_out_and_named() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("link.json")).unwrap();
        fs::write(dir.path().join("real.json"), "1").unwrap();
        std::os::unix::fs::symlink(dir.path().join("real.json"), dir.path().join("alias.json")).unwrap();
        let bundle = Bundle::open(dir.path()).unwrap();
        assert_eq!(bundle.files(), ["alias.json", "real.json"]);
        assert_eq!(bundle.skipped().len(), 1);
        assert!(bundle.skipped()[0].reason.contains("out of the bundle"));
    }

    #[test]
    fn a_missing_folder_and_a_file_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            Bundle::open(&dir.path().join("none")),
            Err(BundleError::Unreadable { .. })
        ));
        assert!(matches!(Bundle::open(&file), Err(BundleError::NotAFolder { .. })));
    }
}
