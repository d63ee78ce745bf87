//! `casebook capture`: gather evidence of a live system into a bundle.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::cli::{RulebookArgs, StyleArgs};
use crate::report::model::Outcome;

use super::live::{Gathered, LiveArgs, Prepared};
use super::redact::SecretArgs;
use super::{Exit, Failure};

/// Gather the evidence that rules need from the live system, into a bundle
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// Bundle to write: a folder, or a .tar.zst, .tar.gz or .tar by its name
    #[arg(short, long, value_name = "BUNDLE")]
    pub output: PathBuf,
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Gather only what rules need whose id or code matches; may be given several times
    #[arg(long = "rule", value_name = "GLOB")]
    pub rules: Vec<String>,
    /// What probes may do
    #[command(flatten)]
    pub live: LiveArgs,
    /// What is secret
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &CaptureArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let mut prepared = Prepared::new(&args.rulebooks, &args.rules, &args.live, &args.secrets, &style)?;
    prepared.ask_for_leave(&style)?;
    let gathered = prepared.capture(Some(&args.output))?;
    gathered.tell()?;
    writeln!(
        io::stderr(),
        "{}",
        summary(&gathered, &args.output.display().to_string())
    )?;
    Ok(exit(&gathered))
}

/// The exit code of a capture.
pub fn exit(gathered: &Gathered) -> Exit {
    match () {
        () if gathered.interrupted => Exit::Interrupted,
        () if !gathered.captured.unwritten.is_empty() => Exit::Usage,
        () => Exit::Clean,
    }
}

/// How many items were had, and what became of the others, in one line.
pub fn summary(gathered: &Gathered, bundle: &str) -> String {
    let items = &gathered.captured.manifest.items;
    let outcomes = [
        Outcome::Empty,
        Outcome::Absent,
        Outcome::Denied,
        Outcome::Unreachable,
        Outcome::TimedOut,
        Outcome::Failed,
        Outcome::NotRun,
    ];
    let count = |outcome: Outcome| items.iter().filter(|item| item.outcome == Some(outcome)).count();
    let others = outcomes
        .iter()
        .map(|outcome| (outcome.word(), count(*outcome)))
        .filter(|(_, count)| *count > 0);
    let others: String = others.map(|(word, count)| format!(", {count} {word}")).collect();
    let state = if gathered.interrupted { "interrupted: " } else { "" };
    format!(
        "{state}{} of {} items gathered into {bundle}{others}",
        count(Outcome::Ok),
        items.len()
    )
}
