//! `casebook test`: run the cases of rulebooks.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use crate::case::{self, Case, Outcome};
use crate::cli::{RulebookArgs, StyleArgs};
use crate::diagnostic;

use super::{Exit, Failure};

/// Run the cases of rulebooks
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Folders of rulebooks
    #[arg(value_name = "RULEBOOK", required = true)]
    pub paths: Vec<PathBuf>,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// A rulebook or a file of cases with problems.
pub fn run(args: &TestArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let names = args.paths.iter().map(|path| path.display().to_string()).collect();
    let ruleset = super::rulebooks(
        &RulebookArgs {
            rulebooks: names,
            set: Vec::new(),
        },
        &style,
    )?;
    let (cases, problems, sources) = case::load(&ruleset).map_err(super::not_loaded)?;
    if problems.has_errors() {
        return Err(Failure::Rulebook(diagnostic::render(
            &problems,
            &sources,
            &super::problem_style(&style),
        )));
    }
    if cases.is_empty() {
        return Err(Failure::usage(
            "these rulebooks have no cases",
            "cases stand in `cases/*.yaml` of a rulebook's folder",
        ));
    }
    let outcomes = case::run(&ruleset, &cases);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut failed = 0;
    for (case, outcome) in cases
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !outcome.mismatches.is_empty())
    {
        failed += 1;
        let (line, _) = sources.position(case.place);
        print(
            &mut out,
            case,
            &format!("{}:{line}", sources.get(case.place.file).name),
            outcome,
        )?;
    }
    writeln!(out, "{} passed, {failed} failed", cases.len() - failed)?;
    out.flush()?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Case })
}

fn print(out: &mut impl Write, case: &Case, place: &str, outcome: &Outcome) -> io::Result<()> {
    writeln!(out, "case {} ({place})", case.id)?;
    for mismatch in &outcome.mismatches {
        let rule = mismatch.rule.as_deref().unwrap_or("-");
        writeln!(out, "  {}: {rule}: {}", mismatch.kind.words(), mismatch.message)?;
    }
    writeln!(out)
}
