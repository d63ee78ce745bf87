//! `casebook plan`: what a live run would do. Nothing runs.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::Args;

use crate::bundle::printable;
use crate::cli::{RulebookArgs, StyleArgs};
use crate::probe::{Plan, PlannedItem, PlannedWay, Status};
use crate::report;

use super::live::{LiveArgs, Prepared};
use super::redact::SecretArgs;
use super::{Exit, Failure};

/// Show everything that a live run would run, fetch, read or connect to, and for which rules; nothing is done
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Only what rules need whose id or code matches; may be given several times
    #[arg(long = "rule", value_name = "GLOB")]
    pub rules: Vec<String>,
    /// Print the plan as JSON (`schemas/plan.schema.json`)
    #[arg(long)]
    pub json: bool,
    /// What probes may do
    #[command(flatten)]
    pub live: LiveArgs,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let plan = Prepared::new(&args.rulebooks, &args.rules, &args.live, &SecretArgs::default(), &style)?.plan();
    let shown = match args.json {
        true => serde_json::to_string_pretty(&plan).map_err(io::Error::from)? + "\n",
        false => text(&plan, &style),
    };
    io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(Exit::Clean)
}

/// A plan for people.
pub fn text(plan: &Plan, style: &report::Style) -> String {
    let mut text = String::new();
    for item in &plan.items {
        text.push_str(&paragraph(item, style.width));
        text.push('\n');
    }
    if !plan.captured_only.is_empty() {
        let probes = plan.captured_only.join(", ");
        let _ = writeln!(
            text,
            "Not to be had live; bundles may hold it:\n{}\n",
            wrapped(&probes, style.width)
        );
    }
    let commands = plan
        .items
        .iter()
        .flat_map(|item| &item.ways)
        .any(|way| way.kind == "exec");
    if commands {
        let names = plan.environment.join(" ");
        let _ = writeln!(
            text,
            "Commands see LANG=C and, where they are set:\n{}\n",
            wrapped(&names, style.width)
        );
    }
    let listed = if plan.items.iter().any(|item| item.listed) {
        ", some of them once for each subject"
    } else {
        ""
    };
    let _ = writeln!(text, "{} items{listed}; nothing was done", plan.items.len());
    text
}

fn paragraph(item: &PlannedItem, width: usize) -> String {
    let mut text = String::new();
    let mut alternative = false;
    for way in &item.ways {
        let _ = writeln!(
            text,
            "{}{}",
            if alternative { "or " } else { "" },
            printable(&line(way))
        );
        for hole in way.holes.iter().filter(|_| way.status == Status::Later) {
            let name = hole.split(':').next().unwrap_or_default();
            let _ = writeln!(text, "  <{}> comes from other evidence", printable(name));
        }
        alternative = true;
    }
    if item.ways.is_empty() {
        let _ = writeln!(text, "no live way");
    }
    let per = item.per.as_ref().map(|kind| match item.listed {
        true => format!(", for each {kind} that evidence lists"),
        false => format!(", for the one {kind} there is"),
    });
    let again = item.again_ms.map(|ms| format!(", once more after {} s", ms / 1000));
    let _ = writeln!(
        text,
        "  as {} ({}{}{})",
        printable(&item.path),
        item.probe,
        per.unwrap_or_default(),
        again.unwrap_or_default()
    );
    if !item.after.is_empty() {
        let _ = writeln!(text, "  after {}", item.after.join(", "));
    }
    let rules = format!("for {}", item.rules.join(", "));
    let _ = writeln!(text, "{}", wrapped(&rules, width));
    text
}

fn line(way: &PlannedWay) -> String {
    let why = way.reason.as_ref().map(|reason| format!("   [not done: {reason}]"));
    let further = match way.environment.as_slice() {
        globs if way.kind == "exec" && !globs.is_empty() => format!("   [sees {}]", globs.join(" ")),
        _ => String::new(),
    };
    format!("{}{further}{}", way.action, why.unwrap_or_default())
}

fn wrapped(text: &str, width: usize) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent("  ")
        .subsequent_indent("    ");
    textwrap::fill(text, options)
}
