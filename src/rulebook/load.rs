//! Rulebooks from directories, files and the binary.
//!
//! A rulebook is a directory with a `rulebook.yaml`, perhaps more YAML files beside it, modules in `lib/*.rhai` and
//! cases in `cases/*.yaml`; or a document of a single YAML file. What is wrong in the files is collected; only what
//! cannot be read at all is an error.

mod files;

use std::collections::HashMap;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rayon::prelude::*;
use thiserror::Error;

use self::files::{Folder, MAIN, RawFile};
use super::decode::{Decoder, FromYaml, Key, Map};
use super::spec::{CaseFileSpec, PartSpec, RulebookSpec, SnakeId};
use super::text::{Style, Text};
use super::yaml::{self, Events, Node, Yaml};
use crate::diagnostic::{FileId, Place, Problem, Problems, Sources, quoted};

/// Why nothing could be loaded.
#[derive(Debug, Error, Diagnostic)]
pub enum LoadError {
    /// A path cannot be read
    #[error("cannot read {}: {error}", .path.display())]
    #[diagnostic(
        code(unreadable),
        help("name a directory with a `rulebook.yaml`, a YAML file, or a shipped rulebook")
    )]
    Unreadable {
        /// The path
        path: PathBuf,
        /// Why
        error: io::Error,
    },
    /// A directory has no rulebook in it
    #[error("there is no rulebook in {}", .path.display())]
    #[diagnostic(code("no-rulebook"), help("a directory is a rulebook if it has a `rulebook.yaml`"))]
    NoRulebook {
        /// The directory
        path: PathBuf,
    },
    /// A directory has more files than a rulebook can have
    #[error("there are more than {most} files in {}", .path.display())]
    #[diagnostic(code("too-many-files"), help("name the directory of one rulebook"))]
    TooMany {
        /// The directory
        path: PathBuf,
        /// How many are allowed
        most: usize,
    },
    /// No rulebook of this id is shipped
    #[error("no rulebook `{id}` is shipped with casebook")]
    #[diagnostic(code("not-shipped"), help("{}", shipped_help()))]
    NotShipped {
        /// The id
        id: String,
    },
}

fn shipped_help() -> String {
    let ids: Vec<&str> = embedded().collect();
    format!("shipped are: {}", ids.join(", "))
}

/// Where a rulebook comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A directory with a `rulebook.yaml`
    Directory(PathBuf),
    /// A document of a file
    File(PathBuf),
    /// The binary
    Embedded,
}

impl Origin {
    /// The path of the rulebook `id` that lies beside this one, if there is one.
    pub fn beside(&self, id: &str) -> Option<PathBuf> {
        let around = self.around()?;
        [around.join(id), around.join(format!("{id}.yaml"))]
            .into_iter()
            .find(|path| path.is_file() || path.join(MAIN).is_file())
    }

    /// The folder around it.
    fn around(&self) -> Option<PathBuf> {
        let path = match self {
            Origin::Directory(path) | Origin::File(path) => path,
            Origin::Embedded => return None,
        };
        // A relative path such as `.` tells its parent only once it is resolved.
        path.canonicalize().ok()?.parent().map(Path::to_owned)
    }
}

/// What was read: rulebooks as written, their files, and what is wrong in them.
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
    /// Where it comes from
    pub origin: Origin,
    /// Names that are declared, but whose declaration could not be read; using them is no problem of its own
    pub broken: Vec<Text>,
    /// Modules for its scripts, by name
    pub modules: Vec<(String, FileId)>,
    /// Every file that it was read from, sorted by name
    pub files: Vec<FileId>,
    /// Files of cases, sorted by name, for [`Loaded::cases`]
    pub cases: Vec<PathBuf>,
    /// SHA-256 over the names and bytes of all its files, cases excepted, in hexadecimal
    pub digest: String,
}

/// Ids of the rulebooks in the binary.
pub fn embedded() -> impl Iterator<Item = &'static str> {
    files::embedded_ids()
}

impl LoadedRulebook {
    /// Whether it is one that is shipped, byte for byte, wherever it was read from.
    pub fn is_shipped(&self) -> bool {
        let id = &self.spec.rulebook.value;
        self.origin == Origin::Embedded
            || embedded().any(|shipped| shipped == id) && Folder::embedded(id).digest() == self.digest
    }
}

impl Loaded {
    /// Loads what is at a path: a rulebook's directory, a directory of such directories, or a YAML file.
    ///
    /// # Errors
    /// Where something cannot be read, or a directory has no rulebook. Problems within the files are collected instead.
    pub fn add_path(&mut self, path: &Path) -> Result<(), LoadError> {
        if path.is_file() && path.file_name().is_none_or(|name| name != MAIN) {
            self.add_bytes(path, files::read(path)?);
            return Ok(());
        }
        let directory = match path.parent() {
            Some(parent) if path.is_file() && parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) if path.is_file() => parent,
            _ => path,
        };
        if directory.join(MAIN).is_file() {
            self.add_folder(&Folder::read(directory)?, &Origin::Directory(directory.to_owned()));
            return Ok(());
        }
        let rulebooks = rulebooks_in(directory)?;
        if rulebooks.is_empty() {
            return Err(LoadError::NoRulebook {
                path: directory.to_owned(),
            });
        }
        rulebooks.iter().try_for_each(|path| self.add_path(path))
    }

    /// Loads a rulebook of the binary.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub fn add_embedded(&mut self, id: &str) -> Result<(), LoadError> {
        let folder = Folder::embedded(id);
        if folder.files.is_empty() {
            return Err(LoadError::NotShipped { id: id.to_owned() });
        }
        self.add_folder(&folder, &Origin::Embedded);
        Ok(())
    }

    /// The first rulebook of this id.
    pub fn find(&self, id: &str) -> Option<&LoadedRulebook> {
        self.rulebooks
            .iter()
            .find(|rulebook| rulebook.spec.rulebook.value == id)
    }

    /// The rulebooks that lie beside these, or are shipped with one of these; what is wrong in them is of no interest. Where they cannot be
    /// read, there are none.
    pub fn beside(&self) -> Loaded {
        let mut others = Loaded::default();
        let mut folders: Vec<PathBuf> = self
            .rulebooks
            .iter()
            .filter_map(|rulebook| rulebook.origin.around())
            .collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            let _ = others.add_path(&folder);
        }
        if self
            .rulebooks
            .iter()
            .any(|rulebook| rulebook.origin == Origin::Embedded)
        {
            for id in embedded() {
                let _ = others.add_embedded(id);
            }
        }
        others
    }

    /// Reads a file of cases; `None` where its problems leave nothing.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn cases(&mut self, path: &Path) -> Result<Option<CaseFileSpec>, LoadError> {
        let file = RawFile {
            name: String::new(),
            shown: path.display().to_string(),
            bytes: files::read(path)?.into(),
            events: None,
        };
        let Some(id) = files::add(&file, &mut self.sources, &mut self.problems) else {
            return Ok(None);
        };
        let mut decoder = Decoder::default();
        let document = only_document(id, None, "cases", &self.sources, &mut decoder.problems);
        let cases = document.and_then(|document| FromYaml::from_yaml(&document, &mut decoder));
        self.problems.extend(decoder.problems);
        Ok(cases)
    }

    /// Loads the rulebooks in the bytes of a single file; `path` is what the file is called.
    pub fn add_bytes(&mut self, path: &Path, bytes: Vec<u8>) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = path.display().to_string();
        let file = RawFile {
            name,
            shown,
            bytes: bytes.into(),
            events: None,
        };
        let Some(id) = files::add(&file, &mut self.sources, &mut self.problems) else {
            return;
        };
        let digest = files::digest(&[file]);
        let mut first: HashMap<String, Place> = HashMap::new();
        for document in documents(id, None, "rulebook", &self.sources, &mut self.problems) {
            let mut decoder = Decoder::default();
            let spec = RulebookSpec::from_yaml(&document, &mut decoder);
            let Decoder { problems, broken } = decoder;
            self.problems.extend(problems);
            let Some(spec) = spec else { continue };
            if let Some(first) = first.insert(spec.rulebook.value.clone(), spec.rulebook.place) {
                self.problems.push(duplicate(&spec.rulebook, first));
                continue;
            }
            let origin = Origin::File(path.to_owned());
            let (modules, cases, digest) = (Vec::new(), Vec::new(), digest.clone());
            self.rulebooks.push(LoadedRulebook {
                spec,
                origin,
                broken,
                modules,
                files: vec![id],
                cases,
                digest,
            });
        }
    }

    fn add_folder(&mut self, folder: &Folder, origin: &Origin) {
        let (mut spec, mut parts, mut modules) = (None, Vec::new(), Vec::new());
        let mut decoder = Decoder::default();
        let mut add = |file| Some((file, files::add(file, &mut self.sources, &mut self.problems)?));
        let files: Vec<(&RawFile, FileId)> = folder.files.iter().filter_map(&mut add).collect();
        let read: Vec<(Part, Decoder)> = files
            .par_iter()
            .map(|(file, id)| part(file, *id, &self.sources))
            .collect();
        for ((_, id), (part, of_part)) in files.iter().zip(read) {
            match part {
                Part::Module(name) => modules.push((name, *id)),
                Part::Rulebook(read) => spec = read.map(|spec| *spec),
                Part::Sections(sections) => parts.extend(sections),
            }
            decoder.add(of_part);
        }
        let files = files.into_iter().map(|(_, id)| id).collect();
        if let Some(spec) = &mut spec {
            parts.into_iter().for_each(|part| merge(spec, part, &mut decoder));
        }
        let Decoder { problems, broken } = decoder;
        self.problems.extend(problems);
        let Some(spec) = spec else { return };
        let (origin, cases, digest) = (origin.clone(), folder.cases.clone(), folder.digest());
        self.rulebooks.push(LoadedRulebook {
            spec,
            origin,
            broken,
            modules,
            files,
            cases,
            digest,
        });
    }
}

/// What a file of a rulebook's directory gives.
enum Part {
    Module(String),
    Rulebook(Option<Box<RulebookSpec>>),
    Sections(Vec<PartSpec>),
}

/// Reads a file of a rulebook's directory.
fn part(file: &RawFile, id: FileId, sources: &Sources) -> (Part, Decoder) {
    let mut decoder = Decoder::default();
    let read = if let Some(name) = file.name.strip_prefix("lib/") {
        Part::Module(module_name(name, id, &mut decoder))
    } else if file.name == MAIN {
        let document = only_document(id, file.events, "rulebook", sources, &mut decoder.problems);
        let spec = document.and_then(|document| RulebookSpec::from_yaml(&document, &mut decoder));
        Part::Rulebook(spec.map(Box::new))
    } else {
        let documents = documents(id, file.events, "section", sources, &mut decoder.problems);
        let sections = documents.iter();
        Part::Sections(
            sections
                .filter_map(|document| PartSpec::from_yaml(document, &mut decoder))
                .collect(),
        )
    };
    (read, decoder)
}

/// The documents of a file that are not empty; a report where there is none.
fn documents(
    file: FileId,
    events: Option<Events>,
    what: &str,
    sources: &Sources,
    problems: &mut Problems,
) -> Vec<Yaml> {
    let before = problems.len();
    let mut documents = match events {
        Some(events) => yaml::replay(file, events, sources, problems),
        None => yaml::parse(file, sources, problems),
    };
    documents.retain(|document| !matches!(document.value, Node::Null | Node::Unusable));
    if documents.is_empty() && problems.len() == before {
        let message = format!("there is no {what} in this file");
        let problem = Problem::error("empty-file", Place::new(file, 0, 0), message);
        let problem = problem.label("nothing but blanks and comments");
        problems.push(problem.help("begin it with `casebook: 1`"));
    }
    documents
}

/// The document of a file that may have only one; a report where it has more.
fn only_document(
    file: FileId,
    events: Option<Events>,
    what: &str,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Yaml> {
    let mut documents = documents(file, events, what, sources, problems).into_iter();
    let first = documents.next()?;
    if let Some(second) = documents.next() {
        let problem = Problem::error("second-document", second.place, "this file may have only one document");
        let help = "only a rulebook that is a single file shares it with others; move this to a file of its own";
        problems.push(problem.label("the second begins here").help(help));
    }
    Some(first)
}

/// The directories below one that are rulebooks, sorted.
fn rulebooks_in(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let entries = std::fs::read_dir(directory)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|error| LoadError::Unreadable {
            path: directory.to_owned(),
            error,
        })?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut rulebooks: Vec<PathBuf> = paths.filter(|path| path.join(MAIN).is_file()).collect();
    rulebooks.sort();
    Ok(rulebooks)
}

/// The name of a module; a report where scripts could not write it.
fn module_name(file: &str, id: FileId, decoder: &mut Decoder) -> String {
    let name = file.strip_suffix(".rhai").unwrap_or(file).to_owned();
    let text = Text {
        value: name,
        place: Place::new(id, 0, 0),
        style: Style::Plain,
    };
    SnakeId::from_key(&text, decoder).value.clone()
}

fn merge(spec: &mut RulebookSpec, part: PartSpec, decoder: &mut Decoder) {
    merge_map(&mut spec.inputs, part.inputs, decoder);
    merge_map(&mut spec.subjects, part.subjects, decoder);
    merge_map(&mut spec.probes, part.probes, decoder);
    merge_map(&mut spec.facts, part.facts, decoder);
    merge_map(&mut spec.rules, part.rules, decoder);
    merge_map(&mut spec.guides, part.guides, decoder);
    merge_map(&mut spec.views, part.views, decoder);
}

fn merge_map<K: Key + Deref<Target = Text>, T>(into: &mut Map<K, T>, from: Map<K, T>, decoder: &mut Decoder) {
    for (key, value) in from {
        match into.get_key_value(&key) {
            Some((first, _)) => decoder.report(duplicate(&key, first.place)),
            None => {
                into.insert(key, value);
            }
        }
    }
}

fn duplicate(name: &Text, first: Place) -> Problem {
    Problem::error("duplicate-key", name.place, format!("{} is here twice", quoted(name)))
        .label("the second")
        .related(first, "the first")
        .help("rename or remove one of the two")
}
