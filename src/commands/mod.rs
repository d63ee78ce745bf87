//! The commands: one file each. Only here, in `bundle` and in the loading of rulebooks is there input and output.

pub mod capture;
pub mod explain;
pub mod guide;
pub mod lint;
pub mod list;
pub mod live;
pub mod new;
pub mod plan;
pub mod progress;
pub mod query;
pub mod redact;
pub mod run;
pub mod schema;
pub mod test;
pub mod verify;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use miette::Diagnostic;

use crate::cli::{Cli, Color, Command, RulebookArgs, StyleArgs};
use crate::diagnostic;
use crate::report;
use crate::rulebook::compile;
use crate::rulebook::load::{self, LoadError, Loaded};
use crate::rulebook::model::Ruleset;

/// How a command ended; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing found
    Clean = 0,
    /// Findings at or above the limit
    Findings = 1,
    /// Wrong usage, or a bundle that cannot be read
    Usage = 2,
    /// A rulebook that does not compile
    Rulebook = 3,
    /// A rule broke, or one that had to be decided was not
    Undecided = 4,
    /// A case failed
    Case = 5,
    /// The user has ended it
    Interrupted = 130,
}

/// What stops a command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong usage, or something that cannot be read: one line, and what to do.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Rulebooks with problems, already rendered.
    #[error("{0}")]
    Rulebook(String),
    /// A question with problems, already rendered.
    #[error("{0}")]
    Question(String),
    /// The output could not be written.
    #[error("the output could not be written: {0}")]
    Output(#[from] io::Error),
}

impl Exit {
    /// Which of two counts: usage before a rulebook, a rulebook before findings, findings before what stayed undecided.
    #[must_use]
    pub fn or(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Interrupted => 6,
            Exit::Usage => 5,
            Exit::Rulebook => 4,
            Exit::Case => 3,
            Exit::Findings => 2,
            Exit::Undecided => 1,
            Exit::Clean => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Prints a failure on standard error.
///
/// # Errors
/// Those of standard error.
pub fn tell(failure: &Failure) -> io::Result<()> {
    let mut err = io::stderr().lock();
    match failure {
        Failure::Rulebook(problems) | Failure::Question(problems) => write!(err, "{problems}"),
        Failure::Usage { message, help } => writeln!(err, "error: {message}\n  help: {help}"),
        Failure::Output(_) => writeln!(err, "error: {failure}"),
    }
}

impl Failure {
    /// A failure of usage.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Usage {
            message: message.into(),
            help: help.into(),
        }
    }

    /// The exit code that it stands for.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Rulebook(_) => Exit::Rulebook,
            Failure::Usage { .. } | Failure::Question(_) | Failure::Output(_) => Exit::Usage,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What stopped it.
pub fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Guide(args) => guide::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Capture(args) => capture::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::List(args) => list::run(&args),
        Command::New(args) => new::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Query(args) => query::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Schema(args) => schema::run(&args),
    }
}

/// The looks of a report on standard output.
pub fn style(args: &StyleArgs) -> report::Style {
    let terminal = io::stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let color = match args.color {
        Color::Auto => terminal && !plain,
        Color::Always => true,
        Color::Never => false,
    };
    let columns = args
        .width
        .map(usize::from)
        .or_else(|| terminal.then(terminal_width).flatten());
    report::Style {
        color,
        unicode: !args.ascii,
        width: columns.unwrap_or(100).clamp(40, 200),
        links: false,
        narrated: false,
    }
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Loads and compiles the rulebooks that the arguments name. Warnings go to standard error.
///
/// # Errors
/// A rulebook that cannot be found, or the problems in them.
pub fn rulebooks(args: &RulebookArgs, style: &report::Style) -> Result<Ruleset, Failure> {
    compiled(load(&args.rulebooks)?, style)
}

/// Compiles rulebooks. Warnings go to standard error.
fn compiled(loaded: Loaded, style: &report::Style) -> Result<Ruleset, Failure> {
    let (ruleset, problems, sources) = compile::compile_for_run(loaded);
    let rendered = || diagnostic::render(&problems, &sources, &problem_style(style));
    match ruleset {
        None => Err(Failure::Rulebook(rendered())),
        Some(ruleset) => {
            if !problems.is_empty() {
                write!(io::stderr(), "{}", rendered())?;
            }
            Ok(ruleset)
        }
    }
}

/// Loads the rulebooks of these names, shipped or paths, and those that they use; without names, all that are shipped.
///
/// # Errors
/// A name that is neither, or files that cannot be read.
pub fn load(names: &[String]) -> Result<Loaded, Failure> {
    let mut loaded = load_named(names)?;
    load_used(&mut loaded)?;
    Ok(loaded)
}

fn shipped(id: &str) -> bool {
    load::embedded().any(|shipped| shipped == id)
}

/// Loads the rulebooks of these names alone.
fn load_named(names: &[String]) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    for name in names {
        let added = if shipped(name) {
            loaded.add_embedded(name)
        } else {
            loaded.add_path(Path::new(name))
        };
        added.map_err(not_loaded)?;
    }
    if names.is_empty() {
        load::embedded()
            .try_for_each(|id| loaded.add_embedded(id))
            .map_err(not_loaded)?;
    }
    Ok(loaded)
}

/// Loads the rulebooks that others use, until none is missing.
fn load_used(loaded: &mut Loaded) -> Result<(), Failure> {
    // What is added may itself use more.
    let mut next = 0;
    while next < loaded.rulebooks.len() {
        let rulebook = &loaded.rulebooks[next];
        let wanted: Vec<(String, Option<PathBuf>)> = rulebook
            .spec
            .uses
            .iter()
            .filter(|id| loaded.find(id).is_none())
            .map(|id| (id.value.clone(), rulebook.origin.beside(id)))
            .collect();
        for (id, beside) in wanted {
            match beside {
                Some(path) => loaded.add_path(&path).map_err(not_loaded)?,
                None if shipped(&id) => loaded.add_embedded(&id).map_err(not_loaded)?,
                // The compilation reports it, at its place.
                None => {}
            }
        }
        next += 1;
    }
    Ok(())
}

/// A load that failed, as a failure of usage.
pub fn not_loaded(error: LoadError) -> Failure {
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    Failure::usage(error.to_string(), help)
}

/// The same looks for problems in rulebooks.
pub fn problem_style(style: &report::Style) -> diagnostic::Style {
    diagnostic::Style {
        color: style.color,
        unicode: style.unicode,
        width: style.width,
    }
}

/// A glob over names, in which `*` stands for `/` too.
///
/// # Errors
/// One that is none, as a failure of usage.
pub fn glob(text: &str) -> Result<GlobMatcher, Failure> {
    let glob = Glob::new(text).map_err(|error| {
        let message = format!("`{text}` is no glob: {}", error.kind());
        Failure::usage(message, "`*` stands for any characters, `[?]` for a question mark")
    })?;
    Ok(glob.compile_matcher())
}
