//! The files of a rulebook, from a directory or from the binary.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::LoadError;
use crate::diagnostic::{FileId, Place, Problem, Problems, Sources};
use crate::rulebook::yaml::{Events, LARGEST};

/// Most files of one rulebook.
const MOST: usize = 1000;

/// Name of the file that makes a directory a rulebook.
pub(super) const MAIN: &str = "rulebook.yaml";

/// A file of the binary: its name, its content, and what a YAML text was parsed to.
type Embedded = (&'static str, &'static [u8], Option<Events>);

/// What was shipped: names from `rulebooks/` on, sorted.
static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A file before it is looked at.
pub(super) struct RawFile {
    /// Name within the rulebook, with `/`
    pub(super) name: String,
    /// Name as it is shown
    pub(super) shown: String,
    /// Content, at most one byte more than is allowed
    pub(super) bytes: Cow<'static, [u8]>,
    /// What it was parsed to before, where it was
    pub(super) events: Option<Events>,
}

/// The files of one rulebook.
pub(super) struct Folder {
    /// Sorted by name
    pub(super) files: Vec<RawFile>,
    /// Files of cases, sorted by name
    pub(super) cases: Vec<PathBuf>,
}

impl Folder {
    /// Reads a directory: the YAML files in it and the modules in `lib/`.
    pub(super) fn read(directory: &Path) -> Result<Folder, LoadError> {
        let modules = directory.join("lib");
        let mut paths = list(directory, &["yaml", "yml"])?;
        if modules.is_dir() {
            paths.extend(list(&modules, &["rhai"])?);
        }
        if paths.len() > MOST {
            return Err(LoadError::TooMany {
                path: directory.to_owned(),
                most: MOST,
            });
        }
        let mut files = Vec::new();
        for path in paths {
            let name = path
                .strip_prefix(directory)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            files.push(RawFile {
                name,
                shown: path.display().to_string(),
                bytes: read(&path)?.into(),
                events: None,
            });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let cases = directory.join("cases");
        let cases = if cases.is_dir() {
            list(&cases, &["yaml", "yml"])?
        } else {
            Vec::new()
        };
        Ok(Folder { files, cases })
    }

    /// The files of a shipped rulebook; none where there is no such rulebook.
    pub(super) fn embedded(id: &str) -> Folder {
        let prefix = format!("rulebooks/{id}/");
        let files = EMBEDDED.iter().filter_map(|(shown, bytes, events)| {
            let name = shown.strip_prefix(&prefix)?;
            Some(RawFile {
                name: name.to_owned(),
                shown: (*shown).to_owned(),
                bytes: Cow::Borrowed(bytes),
                events: *events,
            })
        });
        Folder {
            files: files.collect(),
            cases: Vec::new(),
        }
    }

    /// SHA-256 over the names and contents of all files, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        digest(&self.files)
    }
}

/// Ids of the shipped rulebooks.
pub(super) fn embedded_ids() -> impl Iterator<Item = &'static str> {
    EMBEDDED
        .iter()
        .filter_map(|(name, ..)| name.strip_prefix("rulebooks/")?.strip_suffix("/rulebook.yaml"))
}

/// SHA-256 over the names and contents of files, in hexadecimal.
pub(super) fn digest(files: &[RawFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        // Lengths, so that nothing can move from a name to a content or from one file to the next.
        for part in [file.name.as_bytes(), &file.bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a directory with one of these extensions, sorted; hidden ones are left out.
fn list(directory: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, LoadError> {
    let fail = |error| LoadError::Unreadable {
        path: directory.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let wanted = path
            .extension()
            .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted));
        if wanted && !hidden && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a file up to one byte more than is allowed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let limited = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    limited().map_err(|error| LoadError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// Keeps a file among the sources; `None` after a report of why it cannot be read as a text.
pub(super) fn add(file: &RawFile, sources: &mut Sources, problems: &mut Problems) -> Option<FileId> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    let whole = bytes.len() <= LARGEST;
    let id = sources.add(
        &file.shown,
        if whole {
            String::from_utf8_lossy(bytes)
        } else {
            String::new().into()
        },
    );
    if !whole {
        let message = format!("this file has more than {LARGEST} bytes");
        let problem = Problem::error("too-large", Place::new(id, 0, 0), message).label("this file");
        problems.push(problem.help("split it: a rulebook may have several files"));
        return None;
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        let offset = at + file.bytes.len() - bytes.len();
        let message = format!("byte {offset} of this file is no UTF-8");
        let problem = Problem::error("not-utf8", Place::new(id, at, at + '\u{fffd}'.len_utf8()), message);
        problems.push(problem.label("not a character").help("save the file as UTF-8"));
        return None;
    }
    Some(id)
}
