//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::bundle::Limits;
use crate::commands::{capture, explain, guide, lint, list, new, plan, query, redact, run, schema, test, verify};
use crate::rulebook::spec::size;

/// Run rulebooks over captured evidence; diagnostics point at the exact bytes
#[derive(Debug, Parser)]
#[command(name = "casebook", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    nothing found
  1    findings at or above --fail-on
  2    wrong usage, or a bundle that cannot be read
  3    a rulebook that does not compile
  4    a rule broke, or (with --strict) a rule stayed unknown
  5    a case failed
  70   a bug in casebook
  130  interrupted";

/// The commands
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge captured evidence, or that of the live system
    Run(run::RunArgs),
    /// Show what a rule asks and of what; on a bundle, why it came to its verdict
    Explain(explain::ExplainArgs),
    /// List rulebooks, their rules, probes, inputs or guides
    List(list::ListArgs),
    /// Walk through the rules for a symptom, and stop at the first cause
    Guide(guide::GuideArgs),
    /// Show what a live run would do, and for which rules; nothing is done
    Plan(plan::PlanArgs),
    /// Gather the evidence that rules need from the live system, into a bundle
    Capture(capture::CaptureArgs),
    /// Write a start for a rulebook, a rule or a case; nothing is overwritten
    New(new::NewArgs),
    /// Check rulebooks, and report every problem in them
    Lint(lint::LintArgs),
    /// Run the cases of rulebooks
    Test(test::TestArgs),
    /// Ask a bundle what it holds, what a JSONPath finds in it, or what a script says of it
    Query(query::QueryArgs),
    /// Write a bundle anew, with tokens in place of its secrets
    Redact(redact::RedactArgs),
    /// Compare a bundle with its manifest
    Verify(verify::VerifyArgs),
    /// Print a JSON Schema
    Schema(schema::SchemaArgs),
}

/// How output looks
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output options")]
pub struct StyleArgs {
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Columns to wrap at; those of the terminal, else 100
    #[arg(long, value_name = "COLUMNS")]
    pub width: Option<u16>,
}

/// When to use colour
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Format of what is no report
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlainFormat {
    /// For people
    Terminal,
    /// One JSON document
    Json,
}

/// When evidence was captured, and what to compare it with
#[derive(Debug, Clone, Default, Args)]
pub struct TimeArgs {
    /// When the evidence was captured, as 2026-01-31T12:00:00Z; ages are measured against it
    #[arg(long, value_name = "TIME")]
    pub captured_at: Option<Timestamp>,
    /// An earlier capture of the same, to compare with
    #[arg(long, value_name = "BUNDLE")]
    pub before: Option<PathBuf>,
    /// When the earlier capture was made
    #[arg(long, value_name = "TIME", requires = "before")]
    pub before_captured_at: Option<Timestamp>,
}

/// How much a bundle may hold, so that hostile or mistaken input ends in a message
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Most bytes of one item, unpacked, as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_item: Option<u64>,
    /// Most bytes that an archive may unpack to
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_unpacked: Option<u64>,
    /// Most files and folders of a bundle
    #[arg(long, value_name = "COUNT")]
    pub max_members: Option<usize>,
    /// Most times its own size that an archive may unpack to
    #[arg(long, value_name = "TIMES")]
    pub max_ratio: Option<u64>,
}

impl LimitArgs {
    /// The bounds that they set, the others as they are by default.
    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            item: self.max_item.unwrap_or(usual.item),
            unpacked: self.max_unpacked.unwrap_or(usual.unpacked),
            members: self.max_members.unwrap_or(usual.members),
            ratio: self.max_ratio.unwrap_or(usual.ratio),
            ..usual
        }
    }
}

/// A number of bytes, perhaps with a unit.
pub fn bytes(text: &str) -> Result<u64, String> {
    size(text).ok_or_else(|| "a size is a number with a unit, such as 512MiB or 4GiB".into())
}

/// Which rulebooks, with which inputs
#[derive(Debug, Clone, Args)]
pub struct RulebookArgs {
    /// Rulebook to use: the name of a shipped one, or a path; may be given several times [default: all that are shipped]
    #[arg(short, long = "rulebook", value_name = "NAME|PATH")]
    pub rulebooks: Vec<String>,
    /// Set an input, as name=value or rulebook.name=value; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// Paths of rulebooks
#[derive(Debug, Clone, Args)]
pub struct PathsArgs {
    /// Folders or files of rulebooks, or names of shipped ones [default: all that are shipped]
    #[arg(value_name = "RULEBOOK")]
    pub paths: Vec<PathBuf>,
}
