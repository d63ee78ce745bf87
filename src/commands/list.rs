//! `casebook list`: what the rulebooks hold.

use std::io::{self, BufWriter, Write};

use clap::{Args, ValueEnum};
use globset::GlobMatcher;
use serde::Serialize;

use crate::cli::{PlainFormat, RulebookArgs, StyleArgs};
use crate::report::model::Severity;
use crate::report::{self, Sheet, Tone};
use crate::rulebook::model::{InputKind, RulebookId, Ruleset};

use super::explain::{Needed, needed};
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  casebook list                                 the rulebooks
  casebook list rules --severity error          rules of this severity or a graver one
  casebook list rules 'tls-*' --ref 'X-*'       rules by name, and by what they implement
  casebook list probes                          the evidence that they read, and how it is had";

/// List rulebooks, their rules, probes, inputs or guides
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum, value_name = "WHAT", default_value_t = What::Rulebooks)]
    pub what: What,
    /// Only what goes by a matching name, as id or rulebook::id
    #[arg(value_name = "GLOB")]
    pub name: Option<String>,
    /// Only rules of this severity or a graver one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Only rules that implement a matching entry of a catalogue or tracker
    #[arg(long = "ref", value_name = "GLOB")]
    pub reference: Option<String>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = PlainFormat::Terminal, value_name = "FORMAT")]
    pub format: PlainFormat,
    /// Rulebook to list: the name of a shipped one, or a path; may be given several times [default: all that are shipped]
    #[arg(short, long = "rulebook", value_name = "NAME|PATH")]
    pub rulebooks: Vec<String>,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// What can be listed
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Rulebooks, with the number of what they hold
    Rulebooks,
    /// Rules, with severity, title and refs
    Rules,
    /// Probes, with the names that they go by in bundles and how they are had
    Probes,
    /// Inputs, with type, default and description
    Inputs,
    /// Guides, with their symptoms
    Guides,
}

/// Runs the command.
///
/// # Errors
/// What stopped it.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let rulebooks = RulebookArgs {
        rulebooks: args.rulebooks.clone(),
        set: Vec::new(),
    };
    let ruleset = super::rulebooks(&rulebooks, &style)?;
    if args.what != What::Rules && (args.severity.is_some() || args.reference.is_some()) {
        let help = "for example: casebook list rules --severity error";
        return Err(Failure::usage("`--severity` and `--ref` choose among rules", help));
    }
    let choice = Choice {
        name: args.name.as_deref().map(super::glob).transpose()?,
        reference: args.reference.as_deref().map(super::glob).transpose()?,
        severity: args.severity,
    };
    let mut sheet = Sheet::new(&style);
    let mut out = BufWriter::new(io::stdout().lock());
    let json = match args.what {
        What::Rulebooks => shown(&rulebooks_of(&ruleset, &choice), &mut sheet),
        What::Rules => shown(&rules_of(&ruleset, &choice), &mut sheet),
        What::Probes => shown(&probes_of(&ruleset, &choice), &mut sheet),
        What::Inputs => shown(&inputs_of(&ruleset, &choice), &mut sheet),
        What::Guides => shown(&guides_of(&ruleset, &choice), &mut sheet),
    };
    match args.format {
        PlainFormat::Json => report::write_json(&json, &mut out)?,
        PlainFormat::Terminal => sheet.write(&mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// What is wanted.
struct Choice {
    name: Option<GlobMatcher>,
    reference: Option<GlobMatcher>,
    severity: Option<Severity>,
}

impl Choice {
    fn wants(&self, ruleset: &Ruleset, rulebook: RulebookId, id: &str) -> bool {
        let code = || format!("{}::{id}", ruleset.rulebooks[rulebook].id);
        self.name
            .as_ref()
            .is_none_or(|name| name.is_match(id) || name.is_match(code()))
    }
}

/// Something that is listed in a row.
trait Row<const N: usize>: Serialize {
    const HEADS: [&'static str; N];
    fn cells(&self) -> [String; N];
}

/// Puts rows into a table, and gives them as JSON.
fn shown<const N: usize, R: Row<N>>(rows: &[R], sheet: &mut Sheet) -> serde_json::Value {
    match rows.is_empty() {
        true => sheet.line("nothing matches", Tone::Plain),
        false => sheet.table(0, R::HEADS, &rows.iter().map(R::cells).collect::<Vec<_>>()),
    }
    // Rows are plain texts and numbers: they are always JSON.
    serde_json::to_value(rows).unwrap_or_default()
}

#[derive(Serialize)]
struct RulebookRow {
    id: String,
    version: Option<String>,
    title: String,
    uses: Vec<String>,
    rules: usize,
    probes: usize,
    inputs: usize,
    guides: usize,
}

impl Row<5> for RulebookRow {
    const HEADS: [&'static str; 5] = ["RULEBOOK", "VERSION", "RULES", "GUIDES", "TITLE"];
    fn cells(&self) -> [String; 5] {
        let version = self.version.clone().unwrap_or_default();
        [
            self.id.clone(),
            version,
            self.rules.to_string(),
            self.guides.to_string(),
            self.title.clone(),
        ]
    }
}

fn rulebooks_of(ruleset: &Ruleset, choice: &Choice) -> Vec<RulebookRow> {
    let rulebooks = ruleset.rulebooks.iter().enumerate();
    let wanted = rulebooks.filter(|(_, rulebook)| choice.name.as_ref().is_none_or(|name| name.is_match(&rulebook.id)));
    let row = |(id, rulebook): (RulebookId, &crate::rulebook::model::Rulebook)| RulebookRow {
        id: rulebook.id.clone(),
        version: rulebook.version.clone(),
        title: rulebook.title.clone(),
        uses: rulebook
            .uses
            .iter()
            .map(|used| ruleset.rulebooks[*used].id.clone())
            .collect(),
        rules: ruleset.rules.iter().filter(|rule| rule.rulebook == id).count(),
        probes: ruleset.probes.iter().filter(|probe| probe.rulebook == id).count(),
        inputs: rulebook.inputs.len(),
        guides: ruleset.guides.iter().filter(|guide| guide.rulebook == id).count(),
    };
    wanted.map(row).collect()
}

#[derive(Serialize)]
struct RuleRow {
    code: String,
    severity: &'static str,
    title: String,
    refs: Vec<String>,
    /// The kind of subject that it judges; none: the bundle.
    subject: Option<String>,
}

impl Row<4> for RuleRow {
    const HEADS: [&'static str; 4] = ["RULE", "SEVERITY", "REFS", "TITLE"];
    fn cells(&self) -> [String; 4] {
        [
            self.code.clone(),
            self.severity.to_owned(),
            self.refs.join(", "),
            self.title.clone(),
        ]
    }
}

fn rules_of(ruleset: &Ruleset, choice: &Choice) -> Vec<RuleRow> {
    let implements = |refs: &[String]| {
        let matches = |wanted: &GlobMatcher| refs.iter().any(|entry| wanted.is_match(entry));
        choice.reference.as_ref().is_none_or(matches)
    };
    let wanted = ruleset.rules.iter().filter(|rule| {
        choice.wants(ruleset, rule.rulebook, &rule.id)
            && choice.severity.is_none_or(|least| rule.severity >= least)
            && implements(&rule.refs)
    });
    let row = |rule: &crate::rulebook::model::Rule| RuleRow {
        code: rule.code(ruleset),
        severity: rule.severity.word(),
        title: rule.title.clone(),
        refs: rule.refs.clone(),
        subject: rule.kind.map(|kind| ruleset.kinds[kind].id.clone()),
    };
    wanted.map(row).collect()
}

impl Row<4> for Needed {
    const HEADS: [&'static str; 4] = ["PROBE", "PER", "CAPTURED AS", "LIVE"];
    fn cells(&self) -> [String; 4] {
        let per = self.per.clone().unwrap_or_else(|| "bundle".into());
        let names = self.captured.first().cloned().unwrap_or_default();
        let live = self.live.first().cloned().unwrap_or_else(|| "-".into());
        [self.probe.clone(), per, names, live]
    }
}

fn probes_of(ruleset: &Ruleset, choice: &Choice) -> Vec<Needed> {
    let probes = ruleset.probes.iter().enumerate();
    let wanted = probes.filter(|(_, probe)| choice.wants(ruleset, probe.rulebook, &probe.id));
    wanted.map(|(id, _)| needed(ruleset, id)).collect()
}

#[derive(Serialize)]
struct InputRow {
    input: String,
    is: &'static str,
    default: Option<String>,
    about: String,
}

impl Row<4> for InputRow {
    const HEADS: [&'static str; 4] = ["INPUT", "TYPE", "DEFAULT", "ABOUT"];
    fn cells(&self) -> [String; 4] {
        let default = self.default.clone().unwrap_or_else(|| "-".into());
        [self.input.clone(), self.is.to_owned(), default, self.about.clone()]
    }
}

fn inputs_of(ruleset: &Ruleset, choice: &Choice) -> Vec<InputRow> {
    let mut rows = Vec::new();
    for (id, rulebook) in ruleset.rulebooks.iter().enumerate() {
        for (name, input) in rulebook
            .inputs
            .iter()
            .filter(|(name, _)| choice.wants(ruleset, id, name))
        {
            rows.push(InputRow {
                input: format!("{}.{name}", rulebook.id),
                is: word(input.kind),
                default: input.default.as_ref().map(crate::script::show),
                about: input.about.clone(),
            });
        }
    }
    rows
}

fn word(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Text => "text",
        InputKind::Number => "number",
        InputKind::Int => "int",
        InputKind::Bool => "bool",
        InputKind::Version => "version",
        InputKind::Duration => "duration",
        InputKind::List => "list",
    }
}

#[derive(Serialize)]
struct GuideRow {
    guide: String,
    title: String,
    about: Option<String>,
}

impl Row<2> for GuideRow {
    const HEADS: [&'static str; 2] = ["GUIDE", "SYMPTOM"];
    fn cells(&self) -> [String; 2] {
        [self.guide.clone(), self.title.clone()]
    }
}

fn guides_of(ruleset: &Ruleset, choice: &Choice) -> Vec<GuideRow> {
    let wanted = ruleset
        .guides
        .iter()
        .filter(|guide| choice.wants(ruleset, guide.rulebook, &guide.id));
    let row = |guide: &crate::rulebook::model::Guide| GuideRow {
        guide: guide.code(ruleset),
        title: guide.title.clone(),
        about: guide.about.clone(),
    };
    wanted.map(row).collect()
}
