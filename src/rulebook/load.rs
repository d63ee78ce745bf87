//! Rulebooks from directories, files and the binary.

use std::path::PathBuf;

use super::spec::RulebookSpec;
use super::text::Text;
use crate::diagnostic::{FileId, Problems, Sources};

/// What a load has read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rulebooks that could be read, even where there are problems in them
    pub rulebooks: Vec<LoadedRulebook>,
    /// The files
    pub sources: Sources,
    /// What is wrong in them
    pub problems: Problems,
}

/// A rulebook as written, with what lies beside it.
#[derive(Debug)]
pub struct LoadedRulebook {
    /// The rulebook, further files merged
    pub spec: RulebookSpec,
    /// Names that are declared, but whose declaration could not be read; using them is no problem of its own
    pub broken: Vec<Text>,
    /// Modules for its scripts, by name
    pub modules: Vec<(String, FileId)>,
    /// Every file that it was read from, sorted by name
    pub files: Vec<FileId>,
    /// Files of cases, in the order of their names; not read yet
    pub cases: Vec<PathBuf>,
    /// SHA-256 over the names and bytes of all its files, in hexadecimal
    pub digest: String,
}
