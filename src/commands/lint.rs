//! `casebook lint`: check rulebooks.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;

use crate::case;
use crate::cli::{PathsArgs, StyleArgs};
use crate::diagnostic::{self, Level, Problems, Sources, meant};
use crate::lint::{self, LINTS};
use crate::rulebook::compile;
use crate::rulebook::load::{Loaded, LoadedRulebook};
use crate::rulebook::model::{RulebookId, Ruleset};

use super::{Exit, Failure};

/// Check rulebooks, and report every problem in them
///
/// Errors end with exit code 3. Warnings tell what is likely a mistake; `--strict` lets them end with 3 too. A comment
/// silences a warning: `# casebook: allow(code) reason`, on the line of what it is about or above it.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Rulebooks
    #[command(flatten)]
    pub paths: PathsArgs,
    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,
    /// Print what a warning is about, and what to do about it
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "strict"])]
    pub explain: Option<String>,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// A rulebook that cannot be found, or a code to explain that there is not.
pub fn run(args: &LintArgs) -> Result<Exit, Failure> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let style = super::problem_style(&super::style(&args.style));
    let names: Vec<String> = args.paths.paths.iter().map(|path| path.display().to_string()).collect();
    let mut loaded = super::load_named(&names)?;
    let ids: BTreeSet<String> = loaded
        .rulebooks
        .iter()
        .map(|rulebook| rulebook.spec.rulebook.value.clone())
        .collect();
    super::load_used(&mut loaded)?;
    let beside = loaded.beside();
    let (ruleset, written, mut problems, sources) = compile::compile_keeping(loaded);
    let mut out = io::stdout().lock();
    let Some(ruleset) = ruleset.map(Arc::new) else {
        write!(out, "{}", diagnostic::render(&problems, &sources, &style))?;
        return Ok(Exit::Rulebook);
    };
    let (of_cases, case_sources) = examine(&ruleset, &written, &ids, &beside, &mut problems)?;
    write!(out, "{}", diagnostic::render(&problems, &sources, &style))?;
    write!(out, "{}", diagnostic::render(&of_cases, &case_sources, &style))?;
    for (id, written) in written
        .iter()
        .enumerate()
        .filter(|(_, written)| ids.contains(&written.spec.rulebook.value))
    {
        writeln!(out, "{}", summary(&ruleset, id, written, &problems))?;
    }
    let failed = of_cases.has_errors() || (args.strict && !problems.is_empty());
    Ok(if failed { Exit::Rulebook } else { Exit::Clean })
}

/// Adds what the lints find to the problems; those of the files of cases are returned, with their sources.
fn examine(
    ruleset: &Arc<Ruleset>,
    written: &[LoadedRulebook],
    ids: &BTreeSet<String>,
    beside: &Loaded,
    problems: &mut Problems,
) -> Result<(Problems, Sources), Failure> {
    let (cases, of_cases, sources) = case::load(ruleset).map_err(super::not_loaded)?;
    problems.extend(lint::examine(ruleset, written, &cases, ids, beside));
    Ok((of_cases, sources))
}

/// One line about a rulebook.
fn summary(ruleset: &Ruleset, id: RulebookId, written: &LoadedRulebook, problems: &Problems) -> String {
    let rules = ruleset.rules.iter().filter(|rule| rule.rulebook == id).count();
    let own = problems
        .iter()
        .filter(|problem| written.files.contains(&problem.place.file));
    let warnings = own.filter(|problem| problem.level == Level::Warning).count();
    let warnings = if warnings == 0 {
        String::new()
    } else {
        format!(", {}", counted(warnings, "warning"))
    };
    format!(
        "{}: {}, no errors{warnings}",
        written.spec.rulebook,
        counted(rules, "rule")
    )
}

fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Prints the page of a lint.
fn explain(code: &str) -> Result<Exit, Failure> {
    let Some(lint) = lint::lint(code) else {
        let codes = LINTS.iter().map(|lint| lint.code);
        let list = || format!("the codes are {}", codes.clone().collect::<Vec<_>>().join(", "));
        let help = meant(code, codes.clone()).unwrap_or_else(list);
        return Err(Failure::usage(format!("there is no page about `{code}`"), help));
    };
    io::stdout().lock().write_all(lint.page.as_bytes())?;
    Ok(Exit::Clean)
}
