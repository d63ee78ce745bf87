//! `casebook query`: ask a bundle a question.

mod ask;
mod listing;
mod search;
mod value;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{LimitArgs, RulebookArgs, StyleArgs, TimeArgs};
use crate::engine::Inquiry;
use crate::rulebook::model::Ruleset;

use super::progress::Progress;
use super::run::{given, open, settings};
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  casebook query BUNDLE                                    what the bundle holds
  casebook query BUNDLE '$..name' --probe services         a JSONPath over the items of a probe
  casebook query BUNDLE '$[?search(@, \"error\")]' --file '*.log'
  casebook query BUNDLE 'services.len()' -r my-rulebook    a script over the names of a rulebook

Exit codes: 0 something was found, 1 nothing was, 2 wrong usage or a question that could not be answered.";

/// Ask a bundle what it holds, what a JSONPath finds in it, or what a script says of it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct QueryArgs {
    /// Captured evidence: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// A JSONPath if it begins with `$`, else a script; without it, what the bundle holds
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,
    /// Search the items of this probe, as name or rulebook::name; may be given several times
    #[arg(long = "probe", value_name = "NAME")]
    pub probes: Vec<String>,
    /// Search the files whose path matches, bound by a probe or not (`*` matches `/` too); may be given several times
    #[arg(long = "file", value_name = "GLOB")]
    pub files: Vec<String>,
    /// Only subjects whose name matches, as kind/name or `bundle` (`*` matches `/` too)
    #[arg(long, value_name = "GLOB")]
    pub subject: Option<String>,
    /// Rulebook whose names a script uses [default: the last]
    #[arg(long = "in", value_name = "ID")]
    pub within: Option<String>,
    /// When the evidence was captured, as 2026-01-31T12:00:00Z; ages are measured against it
    #[arg(long, value_name = "TIME")]
    pub captured_at: Option<Timestamp>,
    /// An earlier capture of the same, which a script sees as `before`
    #[arg(long, value_name = "BUNDLE")]
    pub before: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
    /// Limits
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &QueryArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let ruleset = super::rulebooks(&args.rulebooks, &style)?;
    match args.query.as_deref().map(str::trim) {
        Some(path) if path.starts_with('$') => search::run(args, ruleset, path),
        _ if !args.probes.is_empty() || !args.files.is_empty() => {
            let help = "for example: casebook query BUNDLE '$..name' --probe services";
            Err(Failure::usage(
                "`--probe` and `--file` go with a JSONPath, which begins with `$`",
                help,
            ))
        }
        Some(script) => ask::run(args, ruleset, script, &style),
        None => listing::run(args, ruleset),
    }
}

/// The bundle, opened to questions. What is shown of the progress must be gone before an answer is printed.
fn inquiry(args: &QueryArgs, ruleset: Ruleset) -> Result<(Inquiry, Progress), Failure> {
    let progress = Progress::new(0, "subjects");
    progress.at(&args.bundle.to_string_lossy());
    let bundle = open(&args.bundle, &args.limits)?;
    let set = given(&ruleset, &args.rulebooks.set)?;
    let times = TimeArgs {
        captured_at: args.captured_at,
        before: args.before.clone(),
        ..TimeArgs::default()
    };
    let settings = settings(&ruleset, &bundle, &set, &times, &args.limits)?;
    let only = args.subject.as_deref().map(super::glob).transpose()?;
    let inquiry = Inquiry::new(Arc::new(ruleset), bundle, settings, only);
    progress.more(inquiry.parts());
    Ok((inquiry, progress))
}

/// Writes to standard output.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Writes a value as a JSON document.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes a line to standard error.
fn note(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stderr().lock(), "{line}")?)
}

/// `1 item`, `2 items`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// The sign where a text is cut.
fn ellipsis(args: &QueryArgs) -> &'static str {
    if args.style.ascii { "..." } else { "…" }
}

/// A failure of usage about a name, with the nearest of those that there are.
fn unheard_of<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Failure {
    let meant = crate::diagnostic::meant(name, known.clone());
    let all = || format!("there are: {}", known.collect::<Vec<_>>().join(", "));
    Failure::usage(format!("there is no {what} `{name}`"), meant.unwrap_or_else(all))
}
