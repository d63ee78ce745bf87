//! `casebook redact`: write a bundle anew, without its secrets.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::bundle::{self, RedactedItem, Writer};
use crate::cli::LimitArgs;
use crate::diagnostic::{self, Sources};
use crate::redact::{Key, Redactor, Rules};

use super::{Exit, Failure};

/// Write a bundle anew, with tokens in place of its secrets
#[derive(Debug, Args)]
pub struct RedactArgs {
    /// Bundle: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Where to write it: a folder, or an archive if the name ends in .tar, .tar.gz, .tar.zst or .zip
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Rulebook whose `redact:` says what is secret: the name of a shipped one, or a path; may be given several times
    #[arg(short, long = "rulebook", value_name = "NAME|PATH")]
    pub rulebooks: Vec<String>,
    /// What else is secret
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// Limits
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What is secret, beside what always is
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretArgs {
    /// Take out what this regular expression matches, or its group `secret`; may be given several times
    #[arg(long = "redact", value_name = "REGEX")]
    pub patterns: Vec<String>,
    /// Take out what this file says: `casebook: 1` and a section `redact:`; may be given several times
    #[arg(long = "redact-file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl SecretArgs {
    /// The redactor of one capture: it knows what casebook brings, `more`, and what the user says.
    ///
    /// # Errors
    /// A pattern that is none, a file that cannot be read or has problems, no random numbers.
    pub fn redactor(&self, more: &Rules) -> Result<Redactor, Failure> {
        let key = Key::random().map_err(|error| {
            let message = format!("there are no random numbers: {error}");
            Failure::usage(message, "without them secrets could be guessed back from their tokens")
        })?;
        Ok(Redactor::new(key, &self.rules(more)?))
    }

    /// The redactor of reports, where the user says something.
    ///
    /// # Errors
    /// A pattern that is none, a file that cannot be read or has problems.
    pub fn covering(&self, more: &Rules) -> Result<Option<Redactor>, Failure> {
        if self.patterns.is_empty() && self.files.is_empty() {
            return Ok(None);
        }
        Ok(Some(Redactor::for_reports(&self.rules(more)?)))
    }

    fn rules(&self, more: &Rules) -> Result<Rules, Failure> {
        let mut rules = more.clone();
        for pattern in &self.patterns {
            let wrong = |error| {
                let message = format!("`--redact {pattern}` is no regular expression: {error}");
                Failure::usage(message, "the syntax is that of RE2")
            };
            rules.add(&Rules::pattern(pattern).map_err(wrong)?);
        }
        for file in &self.files {
            rules.add(&read(file)?);
        }
        Ok(rules)
    }
}

fn read(file: &Path) -> Result<Rules, Failure> {
    let shown = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}"), "name a YAML file"))?;
    let mut sources = Sources::default();
    Rules::read(&shown, text, &mut sources).map_err(|problems| {
        Failure::Rulebook(diagnostic::render(
            &problems,
            &sources,
            &super::problem_style(&crate::report::Style::default()),
        ))
    })
}

/// Runs the command.
///
/// # Errors
/// A bundle that cannot be opened, a place that cannot be written to, what is wrong with the rules.
pub fn run(args: &RedactArgs) -> Result<Exit, Failure> {
    let mut more = Rules::default();
    if !args.rulebooks.is_empty() {
        let rulebooks = crate::cli::RulebookArgs {
            rulebooks: args.rulebooks.clone(),
            set: Vec::new(),
        };
        more = super::rulebooks(&rulebooks, &crate::report::Style::default())?
            .secrets
            .clone();
    }
    let redactor = args.secrets.redactor(&more)?;
    let bundle = super::run::open(&args.bundle, &args.limits)?;
    let writer = Writer::create(&args.output).map_err(|error| unwritable(&args.output, &error))?;
    let items = bundle::redact(&bundle, &redactor, writer).map_err(|error| unwritable(&args.output, &error))?;
    write!(io::stdout().lock(), "{}", text(&items, bundle.skipped().len()))?;
    Ok(Exit::Clean)
}

/// A bundle that cannot be written.
pub fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(message, "nothing is overwritten: name what does not exist yet"),
        _ => Failure::usage(message, "name a place that can be written to"),
    }
}

/// A line for each item that had a secret or was left out, and a line of counts.
fn text(items: &[RedactedItem], skipped: usize) -> String {
    let mut text = String::new();
    for item in items {
        let path = bundle::printable(&item.path);
        match &item.left_out {
            Some(why) => text.push_str(&format!("{path}: left out: {why}\n")),
            None if item.count > 0 => text.push_str(&format!("{path}: {}\n", counted(item.count, "secret"))),
            None => {}
        }
    }
    let secrets = items.iter().map(|item| item.count).sum();
    let with = items.iter().filter(|item| item.count > 0).count() as u64;
    let left_out = items.iter().filter(|item| item.left_out.is_some()).count() + skipped;
    text.push_str(&format!(
        "{}: {} taken out of {with}, {left_out} left out\n",
        counted(items.len() as u64, "item"),
        counted(secrets, "secret")
    ));
    text
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
