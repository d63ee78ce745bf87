//! `casebook lint`: check rulebooks.

use std::io::{self, Write};

use clap::Args;

use crate::cli::{PathsArgs, StyleArgs};
use crate::diagnostic;
use crate::rulebook::compile;

use super::{Exit, Failure};

/// Check rulebooks, and report every problem in them
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Rulebooks
    #[command(flatten)]
    pub paths: PathsArgs,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// A rulebook that cannot be found.
pub fn run(args: &LintArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let names: Vec<String> = args.paths.paths.iter().map(|path| path.display().to_string()).collect();
    let loaded = super::load(&names)?;
    let (ruleset, problems, sources) = compile::compile(loaded);
    let mut out = io::stdout().lock();
    write!(
        out,
        "{}",
        diagnostic::render(&problems, &sources, &super::problem_style(&style))
    )?;
    match ruleset {
        None => Ok(Exit::Rulebook),
        Some(ruleset) => {
            for rulebook in &ruleset.rulebooks {
                let rules = ruleset
                    .rules
                    .iter()
                    .filter(|rule| ruleset.rulebooks[rule.rulebook].id == rulebook.id)
                    .count();
                writeln!(out, "{}: {rules} rules, no errors", rulebook.id)?;
            }
            Ok(Exit::Clean)
        }
    }
}
