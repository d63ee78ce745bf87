//! `casebook explain`: what a rule asks, of what, and why it came to its verdict on a bundle.

mod on;
mod page;
mod rule;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use globset::Glob;
use jiff::Timestamp;

use crate::case;
use crate::cli::{LimitArgs, PlainFormat, RulebookArgs, StyleArgs};
use crate::diagnostic::meant;
use crate::report::{self, Sheet, Style, Tone};
use crate::rulebook::model::{RuleId, Ruleset};

pub(super) use rule::{Needed, needed};

use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  casebook explain no-backend                      what a rule asks, and which evidence it needs
  casebook explain 'mesh::no-*'                    the rules that match
  casebook explain no-backend --on BUNDLE          why it fails there, or why it does not";

/// Show what a rule asks and of what; on a bundle, why it came to its verdict
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// The rule, as id or rulebook::id, or a glob
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Captured evidence to explain the verdict on: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(long, value_name = "BUNDLE")]
    pub on: Option<PathBuf>,
    /// Only subjects whose name matches, as kind/name (`*` matches `/` too)
    #[arg(long, value_name = "GLOB", requires = "on")]
    pub subject: Option<String>,
    /// When the evidence was captured, as 2026-01-31T12:00:00Z; ages are measured against it
    #[arg(long, value_name = "TIME", requires = "on")]
    pub captured_at: Option<Timestamp>,
    /// An earlier capture of the same, to compare with
    #[arg(long, value_name = "BUNDLE", requires = "on")]
    pub before: Option<PathBuf>,
    /// When the earlier capture was made
    #[arg(long, value_name = "TIME", requires = "before")]
    pub before_captured_at: Option<Timestamp>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = PlainFormat::Terminal, value_name = "FORMAT")]
    pub format: PlainFormat,
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Limits
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let ruleset = super::rulebooks(&args.rulebooks, &style)?;
    let rules = matching(&ruleset, &args.rule)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match (rules.as_slice(), &args.on) {
        ([rule], Some(bundle)) => on::run(args, ruleset, *rule, bundle, &style, &mut out)?,
        ([rule], None) => described(args, ruleset, *rule, &style, &mut out)?,
        (_, Some(_)) => {
            let codes: Vec<String> = rules.iter().map(|rule| ruleset.rules[*rule].code(&ruleset)).collect();
            let message = format!("`{}` matches {} rules", args.rule, codes.len());
            return Err(Failure::usage(message, format!("explain one of {}", codes.join(", "))));
        }
        (_, None) => several(args, ruleset, &rules, &style, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// The rules that go by a name or match a glob.
fn matching(ruleset: &Ruleset, text: &str) -> Result<Vec<RuleId>, Failure> {
    let glob = Glob::new(text).map_err(|error| {
        let message = format!("`{text}` is no glob: {}", error.kind());
        Failure::usage(message, "for example: casebook explain 'no-*'")
    })?;
    let matcher = glob.compile_matcher();
    let rules = ruleset.rules.iter().enumerate();
    let found = rules.filter(|(_, rule)| matcher.is_match(&rule.id) || matcher.is_match(rule.code(ruleset)));
    let found: Vec<RuleId> = found.map(|(id, _)| id).collect();
    if found.is_empty() {
        let meant = meant(text, ruleset.rules.iter().map(|rule| rule.id.as_str()));
        let help = meant.unwrap_or_else(|| "`casebook list rules` lists them".into());
        return Err(Failure::usage(format!("there is no rule `{text}`"), help));
    }
    Ok(found)
}

fn described(
    args: &ExplainArgs,
    mut ruleset: Ruleset,
    rule: RuleId,
    style: &Style,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let described = describe(&mut ruleset, &[rule])?;
    let Some(described) = described.first() else {
        return Ok(());
    };
    match args.format {
        PlainFormat::Json => report::write_json(described, out)?,
        PlainFormat::Terminal => page::write(described, style, out)?,
    }
    Ok(())
}

fn describe(ruleset: &mut Ruleset, rules: &[RuleId]) -> Result<Vec<rule::Described>, Failure> {
    let parts: Vec<_> = rules
        .iter()
        .map(|rule| crate::rulebook::compile::parts(ruleset, *rule))
        .collect();
    let (cases, _, sources) = case::load(ruleset).map_err(super::not_loaded)?;
    let described = rules.iter().zip(&parts);
    Ok(described
        .map(|(rule, parts)| rule::Described::of(ruleset, *rule, parts, &cases, &sources))
        .collect())
}

fn several(
    args: &ExplainArgs,
    mut ruleset: Ruleset,
    rules: &[RuleId],
    style: &Style,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if args.format == PlainFormat::Json {
        return Ok(report::write_json(&describe(&mut ruleset, rules)?, out)?);
    }
    let line = |rule: &RuleId| {
        let rule = &ruleset.rules[*rule];
        [rule.code(&ruleset), rule.severity.word().to_owned(), rule.title.clone()]
    };
    let lines: Vec<[String; 3]> = rules.iter().map(line).collect();
    let mut sheet = Sheet::new(style);
    sheet.table(0, ["RULE", "SEVERITY", "TITLE"], &lines);
    sheet.blank();
    sheet.paragraph(0, "name one of them to have it explained", Tone::Dim);
    Ok(sheet.write(out)?)
}
