//! `casebook test`: run the cases of rulebooks, and tell how good the cases are.

mod accept;
mod coverage;
mod junit;
mod mutate;
mod text;
mod vacuity;
mod watch;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use globset::{Glob, GlobMatcher};

use crate::case::mutate::{self as mutation, Mutant};
use crate::case::{self, Case, Outcome, Selection};
use crate::cli::{Color, StyleArgs};
use crate::diagnostic::{self, Sources};
use crate::report;
use crate::rulebook::model::Ruleset;
use crate::rulebook::spec::RulebookSpec;

use super::{Exit, Failure};

/// Run the cases of rulebooks
#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    /// Folders of rulebooks [default: those in the current folder, or in `rulebooks`]
    #[arg(value_name = "RULEBOOK")]
    pub paths: Vec<PathBuf>,
    /// Only cases whose id matches
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub case: Option<GlobMatcher>,
    /// Only rules whose id or code matches, and the cases that name them
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub rule: Option<GlobMatcher>,
    /// How the outcome is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// File to write to, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show how cases that fail would hold, and rewrite their expectations so
    #[arg(long)]
    pub accept: bool,
    /// Run again whenever a file of the rulebooks is saved, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Print which verdicts and clauses of each rule have a case
    #[arg(long)]
    pub coverage: bool,
    /// Fail where a rule has no case in which it fails, passes or is unknown
    #[arg(long)]
    pub require_coverage: bool,
    /// Drop, empty and truncate each item of evidence in turn, and fail where a rule passes that did not
    #[arg(long)]
    pub vacuity: bool,
    /// Change the rules in small ways, and list the changes that no case notices
    ///
    /// A comment `# casebook: survives(CODE) reason`, on the line of such a change or above what holds it (a scalar, a fact, a rule, an input),
    /// says why none can. One that is not needed is an error.
    #[arg(long)]
    pub mutate: bool,
    /// With --mutate, fail where cases notice less than this share of the changes of a rulebook
    #[arg(long, value_name = "PERCENT", requires = "mutate")]
    pub min_score: Option<f64>,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// How the outcome of cases is written
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: what went wrong, with the part of the report that shows it
    #[default]
    Text,
    /// JUnit XML, a test for each case; what else is asked for is told on standard error
    Junit,
}

fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    Glob::new(text).map(|glob| glob.compile_matcher())
}

/// Rulebooks and their cases.
struct Tests {
    ruleset: Arc<Ruleset>,
    cases: Vec<Case>,
    /// Changes of the rules, where they are asked for.
    mutants: Vec<Mutant>,
    /// How long it took to make them.
    making: Duration,
    /// The files of the cases.
    sources: Sources,
    selection: Selection,
    style: report::Style,
}

/// Runs the command.
///
/// # Errors
/// A rulebook or a file of cases with problems.
pub fn run(args: &TestArgs) -> Result<Exit, Failure> {
    if args.watch { watch::run(args) } else { once(args) }
}

fn once(args: &TestArgs) -> Result<Exit, Failure> {
    let start = Instant::now();
    let tests = Tests::load(args)?;
    let outcomes = case::run(&tests.ruleset, &tests.cases, &tests.selection);
    if args.accept && accept::rewrite(&tests, &outcomes, &mut io::stdout())? {
        // What was accepted must hold.
        let again = TestArgs {
            accept: false,
            ..args.clone()
        };
        return once(&again);
    }
    let mut out = super::run::output(args.output.as_deref())?;
    let mut exit = match args.format {
        Format::Text => text::print(&tests, &outcomes, &mut out)?,
        Format::Junit => {
            let exit = junit::print(&tests, &outcomes, &mut out)?;
            out.flush()?;
            out = Box::new(io::stderr());
            exit
        }
    };
    if args.coverage || args.require_coverage {
        exit = exit.or(coverage::print(args, &tests, &outcomes, &mut out)?);
    }
    if args.vacuity {
        exit = exit.or(vacuity::print(&tests, &outcomes, &mut out)?);
    }
    if args.mutate {
        exit = exit.or(mutate::print(args, &tests, &outcomes, start, &mut out)?);
    }
    out.flush()?;
    Ok(exit)
}

impl Tests {
    fn load(args: &TestArgs) -> Result<Tests, Failure> {
        let mut style = super::style(&args.style);
        if args.output.is_some() && args.style.color == Color::Auto {
            style.color = false;
        }
        let mut loaded = super::load_named(&names(args)?)?;
        let named: Vec<String> = loaded
            .rulebooks
            .iter()
            .map(|rulebook| rulebook.spec.rulebook.value.clone())
            .collect();
        super::load_used(&mut loaded)?;
        let specs: Vec<RulebookSpec> = loaded.rulebooks.iter().map(|rulebook| rulebook.spec.clone()).collect();
        let mut ruleset = super::compiled(loaded, &style)?;
        let (mut cases, problems, sources) = case::load(&ruleset).map_err(super::not_loaded)?;
        if problems.has_errors() {
            let style = super::problem_style(&style);
            return Err(Failure::Rulebook(diagnostic::render(&problems, &sources, &style)));
        }
        cases.retain(|case| named.contains(&ruleset.rulebooks[case.rulebook].id));
        if cases.is_empty() {
            return Err(Failure::usage(
                "these rulebooks have no cases",
                "cases stand in `cases/*.yaml` of a rulebook's folder",
            ));
        }
        let selection = Selection {
            case: args.case.clone(),
            rule: args.rule.clone(),
        };
        cases.retain(|case| selection.case(&ruleset, case));
        if cases.is_empty() {
            return Err(Failure::usage(
                "no case matches",
                "look at the globs of `--case` and `--rule`; `*` matches any text",
            ));
        }
        let start = Instant::now();
        let mutants = match args.mutate {
            true => mutation::collect(&mut ruleset, &specs[..named.len()], &selection),
            false => Vec::new(),
        };
        Ok(Tests {
            ruleset: Arc::new(ruleset),
            cases,
            mutants,
            making: start.elapsed(),
            sources,
            selection,
            style,
        })
    }

    /// Where a case is written, as `file:line`.
    fn place(&self, case: &Case) -> String {
        let (line, _) = self.sources.position(case.place);
        format!("{}:{line}", self.sources.get(case.place.file).name)
    }
}

/// The rulebooks that the arguments name; without any, those in the current folder or in its `rulebooks`.
fn names(args: &TestArgs) -> Result<Vec<String>, Failure> {
    if !args.paths.is_empty() {
        return Ok(args.paths.iter().map(|path| path.display().to_string()).collect());
    }
    let mut loaded = crate::rulebook::load::Loaded::default();
    let found = [".", "rulebooks"]
        .into_iter()
        .find(|folder| loaded.add_path(Path::new(folder)).is_ok());
    match found {
        Some(folder) => Ok(vec![folder.to_owned()]),
        None => Err(Failure::usage(
            "there is no rulebook in the current folder",
            "name the folder of a rulebook, as in `casebook test rulebooks/shop`",
        )),
    }
}

/// Whether a case went as it should.
fn held(outcome: &Outcome) -> bool {
    outcome.mismatches.is_empty()
}
