//! `casebook test --watch`: again after every change of a file.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::super::{Exit, Failure, tell};
use super::{TestArgs, names, once};

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// Runs the cases now and after every change, until the process is interrupted. What is wrong in a file is told, and does not end the watch.
///
/// # Errors
/// No rulebook to watch.
pub(super) fn run(args: &TestArgs) -> Result<Exit, Failure> {
    let folders = names(args)?;
    loop {
        let seen = files(&folders);
        if let Err(failure) = once(args) {
            tell(&failure)?;
        }
        writeln!(io::stderr(), "watching {}; Ctrl-C ends", folders.join(", "))?;
        while files(&folders) == seen {
            thread::sleep(PAUSE);
        }
    }
}

/// The files below some folders, with what tells a change: time and size.
fn files(folders: &[String]) -> BTreeMap<PathBuf, (Option<SystemTime>, u64)> {
    let entries = folders
        .iter()
        .flat_map(|folder| WalkDir::new(folder).into_iter().flatten());
    let files = entries.filter(|entry| entry.file_type().is_file());
    let state = |entry: walkdir::DirEntry| {
        let metadata = entry.metadata().ok()?;
        Some((entry.into_path(), (metadata.modified().ok(), metadata.len())))
    };
    files.filter_map(state).collect()
}
