//! Files of this machine: read up to a limit, of larger ones the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

use crate::report::model::Outcome;
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order};

/// A file, or a glob of which the first by name is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile<T> {
    /// Its path.
    pub path: T,
}

/// Most entries of folders that a glob is compared with.
const ENTRIES: usize = 100_000;

impl<T> ReadFile<T> {
    pub(super) fn compile(spec: &Text, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<ReadFile<T>> {
        Some(ReadFile { path: words(spec)? })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<ReadFile<U>, E> {
        Ok(ReadFile {
            path: change(&self.path)?,
        })
    }
}

impl Kind for ReadFile<String> {
    fn show(&self) -> String {
        format!("read {}", self.path)
    }

    fn target(&self) -> String {
        self.path.clone()
    }

    fn gather(&self, order: &Order) -> Gathered {
        let mut found = match find(&self.path) {
            Ok(found) => found,
            Err(reason) => return Gathered::nothing(Outcome::NotRun, reason),
        };
        let any = !found.is_empty();
        found.retain(|path| path == Path::new(&self.path) || (order.permits)(&path.to_string_lossy()));
        match found.first() {
            Some(path) => read(path, order.limit).unwrap_or_else(|error| refused(&error)),
            None if any => Gathered::nothing(Outcome::Denied, "what the glob finds is not allowed"),
            None => Gathered::nothing(Outcome::Absent, "no file goes by this name"),
        }
    }
}

/// Whether a path is a glob.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The path itself, or the regular files that a glob finds, and what leads to such, by name.
fn find(text: &str) -> Result<Vec<PathBuf>, String> {
    if text.contains('\0') {
        return Err("a path cannot hold a NUL".into());
    }
    if !is_glob(text) {
        return Ok(vec![PathBuf::from(text)]);
    }
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    let glob = glob
        .map_err(|error| format!("`{text}` is no glob: {}", error.kind()))?
        .compile_matcher();
    let first = text.find(['*', '?', '[', '{']).unwrap_or(0);
    let folder = text[..first].rfind('/').map_or(".", |at| &text[..at.max(1)]);
    let below = &text[folder.len().min(first)..];
    let depth = if below.contains("**") {
        usize::MAX
    } else {
        below.matches('/').count().max(1)
    };
    let walk = WalkDir::new(folder)
        .max_depth(depth)
        .follow_links(false)
        .sort_by_file_name();
    let paths = walk
        .into_iter()
        .take(ENTRIES)
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path);
    let fits = |path: &PathBuf| {
        let plain = path.strip_prefix(".").unwrap_or(path);
        glob.is_match(path) || glob.is_match(plain)
    };
    Ok(paths.filter(|path| fits(path) && path.is_file()).collect())
}

fn read(path: &Path, limit: u64) -> io::Result<Gathered> {
    // To open a pipe or a device would wait, or worse.
    if !fs::metadata(path)?.is_file() {
        return Ok(Gathered::nothing(Outcome::NotRun, "it is not a regular file"));
    }
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Gathered::nothing(Outcome::NotRun, "it is not a regular file"));
    }
    let skipped = metadata.len().saturating_sub(limit);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    // One byte more shows whether it has grown, or never told its size.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let grown = bytes.len() as u64 > limit;
    if grown {
        bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if skipped > 0 {
        let line = memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1);
        bytes.drain(..line);
    }
    Ok(Gathered {
        truncated: grown || skipped > 0,
        ..Gathered::whole(bytes)
    })
}

/// Opens without waiting for whoever may be at the other end.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    }
    options.open(path)
}

fn refused(error: &io::Error) -> Gathered {
    match error.kind() {
        ErrorKind::NotFound => Gathered::nothing(Outcome::Absent, "no file goes by this name"),
        ErrorKind::PermissionDenied => Gathered::nothing(Outcome::Denied, "it may not be read"),
        _ => Gathered::nothing(Outcome::Failed, error.to_string()),
    }
}
