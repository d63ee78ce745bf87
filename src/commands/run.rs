//! `casebook run`: judge a bundle.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use globset::{Glob, GlobMatcher};
use jiff::Timestamp;
use rhai::Dynamic;

use crate::bundle::{Bundle, Limits};
use crate::cli::{RulebookArgs, StyleArgs};
use crate::diagnostic::did_you_mean;
use crate::engine::{self, Settings};
use crate::report::model::{Report, Severity, Verdict};
use crate::report::{self, Format};
use crate::rulebook::compile::parse_input;
use crate::rulebook::model::Ruleset;

use super::{Exit, Failure};

/// Judge a folder of captured evidence
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder that holds the captured evidence
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Judge only rules whose id or code matches; may be given several times
    #[arg(long = "rule", value_name = "GLOB")]
    pub rules: Vec<String>,
    /// When the evidence was captured, as 2026-01-31T12:00:00Z; ages are measured against it
    #[arg(long, value_name = "TIME")]
    pub captured_at: Option<Timestamp>,
    /// Folder with an earlier capture of the same, to compare with
    #[arg(long, value_name = "BUNDLE")]
    pub before: Option<PathBuf>,
    /// When the earlier capture was made
    #[arg(long, value_name = "TIME", requires = "before")]
    pub before_captured_at: Option<Timestamp>,
    /// Least severity of findings that makes the exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Warning)]
    pub fail_on: Severity,
    /// Exit with 4 where a rule stayed unknown
    #[arg(long)]
    pub strict: bool,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Terminal, value_name = "FORMAT")]
    pub format: Format,
    /// File to write the report to, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let mut style = super::style(&args.style);
    if args.output.is_some() && args.style.color == crate::cli::Color::Auto {
        style.color = false;
    }
    let ruleset = super::rulebooks(&args.rulebooks, &style)?;
    let before = args.before.as_deref().map(|path| Bundle::open(path, &Limits::default())).transpose();
    let settings = Settings {
        inputs: inputs(&ruleset, &args.rulebooks.set)?,
        captured_at: args.captured_at,
        before: before.map_err(|error| Failure::usage(error.to_string(), error.help()))?,
        before_captured_at: args.before_captured_at,
        rules: rules(&ruleset, &args.rules)?,
    };
    let bundle = Bundle::open(&args.bundle, &Limits::default()).map_err(|error| Failure::usage(error.to_string(), error.help()))?;
    let report = engine::run(ruleset, bundle, settings);
    write(args, &report, &style)?;
    Ok(exit(&report, args.fail_on, args.strict))
}

fn write(args: &RunArgs, report: &Report, style: &report::Style) -> Result<(), Failure> {
    match &args.output {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            report::write(report, args.format, style, &mut out)?;
            out.flush()?;
        }
        Some(path) => {
            let failed = |error: io::Error| {
                Failure::usage(
                    format!("cannot write `{}`: {error}", path.display()),
                    "name a file in a folder that exists",
                )
            };
            let mut out = BufWriter::new(File::create(path).map_err(failed)?);
            report::write(report, args.format, style, &mut out)
                .and_then(|()| out.flush())
                .map_err(failed)?;
        }
    }
    Ok(())
}

/// The exit code for a report.
pub fn exit(report: &Report, fail_on: Severity, strict: bool) -> Exit {
    let found = report
        .findings
        .iter()
        .any(|finding| finding.waived.is_none() && finding.severity >= fail_on);
    let has = |verdict| report.verdicts.iter().any(|v| v.verdict == verdict);
    match () {
        () if found => Exit::Findings,
        () if has(Verdict::Error) || strict && has(Verdict::Unknown) => Exit::Undecided,
        () => Exit::Clean,
    }
}

/// The values of all inputs: the defaults, and what the user has set.
///
/// # Errors
/// A setting that is malformed, names no input, or has a value of the wrong type.
pub fn inputs(ruleset: &Ruleset, set: &[String]) -> Result<Vec<BTreeMap<String, Dynamic>>, Failure> {
    let mut inputs = Settings::defaults(ruleset).inputs;
    for setting in set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(
                format!("`--set {setting}` has no `=`"),
                "write it as --set name=value",
            ));
        };
        assign(ruleset, &mut inputs, name, value)?;
    }
    Ok(inputs)
}

/// Sets an input in each rulebook that has one of this name, or in the one that is named before a dot.
fn assign(ruleset: &Ruleset, inputs: &mut [BTreeMap<String, Dynamic>], name: &str, value: &str) -> Result<(), Failure> {
    let (owner, input) = name
        .split_once('.')
        .map_or((None, name), |(owner, input)| (Some(owner), input));
    let mut found = false;
    for (at, rulebook) in ruleset.rulebooks.iter().enumerate() {
        let Some(declared) = rulebook
            .inputs
            .get(input)
            .filter(|_| owner.is_none_or(|owner| owner == rulebook.id))
        else {
            continue;
        };
        let about = format!("`{}.{input}`: {}", rulebook.id, declared.about);
        let value = parse_input(declared.kind, value).map_err(|message| Failure::usage(message, about))?;
        inputs[at].insert(input.to_owned(), value);
        found = true;
    }
    if found {
        return Ok(());
    }
    let names = ruleset
        .rulebooks
        .iter()
        .flat_map(|rulebook| rulebook.inputs.keys().map(String::as_str));
    let meant = did_you_mean(input, names).map(|name| format!("did you mean `{name}`?"));
    Err(Failure::usage(
        format!("no rulebook of this run has an input `{name}`"),
        meant.unwrap_or("the rulebook's page lists its inputs".into()),
    ))
}

/// Globs over rules, each of which must match one.
fn rules(ruleset: &Ruleset, globs: &[String]) -> Result<Vec<GlobMatcher>, Failure> {
    globs.iter().map(|glob| rule_glob(ruleset, glob)).collect()
}

fn rule_glob(ruleset: &Ruleset, text: &str) -> Result<GlobMatcher, Failure> {
    let glob = Glob::new(text).map_err(|error| {
        Failure::usage(
            format!("`{text}` is no glob: {}", error.kind()),
            "for example: --rule 'route-*'",
        )
    })?;
    let matcher = glob.compile_matcher();
    if ruleset
        .rules
        .iter()
        .any(|rule| matcher.is_match(&rule.id) || matcher.is_match(rule.code(ruleset)))
    {
        return Ok(matcher);
    }
    let meant = did_you_mean(text, ruleset.rules.iter().map(|rule| rule.id.as_str()))
        .map(|name| format!("did you mean `{name}`?"));
    Err(Failure::usage(
        format!("no rule matches `{text}`"),
        meant.unwrap_or("rules are named by their id, or as rulebook::id".into()),
    ))
}
