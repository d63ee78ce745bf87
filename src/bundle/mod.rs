//! Bundles: a folder of evidence that someone captured. Opening one lists its files; nothing is read before it is asked for.

mod place;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

pub use place::{Matched, PlacePattern, PlacePatternError};

/// Most files that a bundle may hold; more is taken for a mistake (a home directory, say).
pub const MAX_FILES: usize = 200_000;
/// Deepest folder below a bundle's own.
pub const MAX_DEPTH: usize = 64;

/// A captured folder, opened: its files by name, to be read on demand.
#[derive(Debug)]
pub struct Bundle {
    /// The name as the user gave it.
    pub name: String,
    root: PathBuf,
    files: Vec<String>,
    skipped: Vec<Skipped>,
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
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BundleError {
    /// Nothing is there under that name, or it may not be looked at.
    #[error("cannot open the bundle `{name}`: {source}")]
    #[diagnostic(code("bundle::unreadable"), help("give the path of a folder that holds captured evidence"))]
    Unreadable {
        /// The path as given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something is there, but not a folder.
    #[error("`{name}` is not a folder")]
    #[diagnostic(code("bundle::not-a-folder"), help("give the folder that holds the captured files, not one of the files"))]
    NotAFolder {
        /// The path as given.
        name: String,
    },
    /// The folder holds more files than a bundle can have.
    #[error("`{name}` holds more than {MAX_FILES} files")]
    #[diagnostic(code("bundle::too-many-files"), help("is this the folder with the evidence, or one far above it?"))]
    TooManyFiles {
        /// The path as given.
        name: String,
    },
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
        let unreadable = |source| BundleError::Unreadable { name: name.clone(), source };
        let root = fs::canonicalize(path).map_err(unreadable)?;
        if !root.is_dir() {
            return Err(BundleError::NotAFolder { name });
        }
        let mut bundle = Bundle { name, root, files: Vec::new(), skipped: Vec::new() };
        bundle.list()?;
        Ok(bundle)
    }

    fn list(&mut self) -> Result<(), BundleError> {
        for entry in WalkDir::new(&self.root).max_depth(MAX_DEPTH).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.depth() == 0 || entry.file_type().is_dir() => {}
                Ok(entry) => self.add(entry.path()),
                Err(error) if error.depth() == 0 => {
                    return Err(BundleError::Unreadable { name: self.name.clone(), source: error.into() });
                }
                Err(error) => {
                    let path = error.path().map_or_else(|| "?".into(), |p| self.relative(p));
                    self.skipped.push(Skipped { path, reason: io::Error::from(error).to_string() });
                }
            }
            if self.files.len() > MAX_FILES {
                return Err(BundleError::TooManyFiles { name: self.name.clone() });
            }
        }
        self.files.sort();
        Ok(())
    }

    fn add(&mut self, path: &Path) {
        let name = self.relative(path);
        match self.why_not(path) {
            None => self.files.push(name),
            Some(reason) => self.skipped.push(Skipped { path: name, reason }),
        }
    }

    /// Why the file at `path` cannot be evidence: it leads out of the folder, or is no regular file.
    fn why_not(&self, path: &Path) -> Option<String> {
        match fs::canonicalize(path) {
            Err(error) => Some(error.to_string()),
            Ok(target) if !target.starts_with(&self.root) => Some("a link that leads out of the bundle".into()),
            Ok(target) if !target.is_file() => Some("not a regular file".into()),
            Ok(_) => None,
        }
    }

    fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
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
        fs::read(self.root.join(file))
    }
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
        assert!(matches!(Bundle::open(&dir.path().join("none")), Err(BundleError::Unreadable { .. })));
        assert!(matches!(Bundle::open(&file), Err(BundleError::NotAFolder { .. })));
    }
}
