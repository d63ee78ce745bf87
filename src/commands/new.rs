//! `casebook new`: a start for a rulebook, a rule or a case, which compiles and can be run at once. Nothing is ever overwritten.

mod from;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::cli::{LimitArgs, StyleArgs};
use crate::diagnostic::meant;
use crate::report::Style;
use crate::rulebook::load::Loaded;
use crate::rulebook::model::{RuleId, RulebookId, Ruleset, Symbol};

use super::{Exit, Failure};

const RULEBOOK: &str = include_str!("new/rulebook.yaml");
const CASES: &str = include_str!("new/cases.yaml");
const RULE: &str = include_str!("new/rule.yaml");
const CASE: &str = include_str!("new/case.yaml");

/// Write a start for a rulebook, a rule or a case; nothing is overwritten
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Of what
    #[command(subcommand)]
    pub what: What,
}

/// What can be begun
#[derive(Debug, Subcommand)]
pub enum What {
    /// A rulebook with one rule and its cases, which pass
    Rulebook(RulebookArgs),
    /// A rule, in a further file of a rulebook
    Rule(RuleArgs),
    /// A case of a rule; with --from, its evidence is cut out of a bundle
    Case(CaseArgs),
}

/// A new rulebook
#[derive(Debug, Args)]
pub struct RulebookArgs {
    /// Its id, in snake_case: the name of its folder too
    #[arg(value_name = "ID")]
    pub id: String,
    /// Folder to put it into
    #[arg(long = "in", value_name = "FOLDER", default_value = ".")]
    pub within: PathBuf,
}

/// A new rule
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// Its id, in kebab-case: the name of its file too
    #[arg(value_name = "ID")]
    pub id: String,
    /// Folder of the rulebook
    #[arg(long = "in", value_name = "RULEBOOK", default_value = ".")]
    pub within: PathBuf,
    /// Looks
    #[command(flatten)]
    pub style: StyleArgs,
}

/// A new case
#[derive(Debug, Args)]
pub struct CaseArgs {
    /// Its id, in kebab-case: the name of its file too [default: the rule's id with its verdict]
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The rule that it is about
    #[arg(long, value_name = "RULE")]
    pub rule: String,
    /// Folder of the rulebook
    #[arg(long = "in", value_name = "RULEBOOK", default_value = ".")]
    pub within: PathBuf,
    /// Captured evidence, of which the case gets what the rule reads: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(long, value_name = "BUNDLE")]
    pub from: Option<PathBuf>,
    /// Only subjects whose name matches, as kind/name (`*` matches `/` too)
    #[arg(long, value_name = "GLOB", requires = "from")]
    pub subject: Option<String>,
    /// When the evidence was captured, as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "from")]
    pub captured_at: Option<Timestamp>,
    /// Set an input, as name=value or rulebook.name=value; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "from")]
    pub set: Vec<String>,
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
/// What stopped it: a name that is no id, a file that exists, a rulebook with problems.
pub fn run(args: &NewArgs) -> Result<Exit, Failure> {
    match &args.what {
        What::Rulebook(args) => rulebook(args)?,
        What::Rule(args) => rule(args)?,
        What::Case(args) => case(args)?,
    }
    Ok(Exit::Clean)
}

fn rulebook(args: &RulebookArgs) -> Result<(), Failure> {
    let id = snake(&args.id)?;
    let folder = match args.within == Path::new(".") {
        true => PathBuf::from(id),
        false => args.within.join(id),
    };
    if folder.exists() {
        let message = format!("`{}` exists already", folder.display());
        return Err(Failure::usage(
            message,
            "choose another id, or another folder with --in",
        ));
    }
    let name = folder.display().to_string();
    let file = folder.join("rulebook.yaml");
    let cases = folder.join("cases").join(format!("{}.yaml", id.replace('_', "-")));
    write(&file, RULEBOOK.replace("ID", id))?;
    write(&cases, CASES.replace("FOLDER", &name))?;
    told(&[&file, &cases], &format!("try it: casebook test {name}"))
}

fn rule(args: &RuleArgs) -> Result<(), Failure> {
    let id = kebab(&args.id)?;
    let (ruleset, rulebook) = opened(&args.within, &super::style(&args.style))?;
    if ruleset
        .rules
        .iter()
        .any(|rule| rule.rulebook == rulebook && rule.id == id)
    {
        let message = format!("the rulebook has a rule `{id}` already");
        return Err(Failure::usage(message, "choose another id"));
    }
    let probe = probe_of(&ruleset, rulebook).ok_or_else(|| {
        Failure::usage(
            "the rulebook has no probe that a rule could read",
            "declare one under `probes:` first",
        )
    })?;
    let text = RULE
        .replace("ID", id)
        .replace("PROBE", &probe)
        .replace("NAMES", &names(&ruleset, rulebook));
    let file = args.within.join(format!("{id}.yaml"));
    let cases = args.within.join("cases").join(format!("{id}.yaml"));
    [&file, &cases].into_iter().try_for_each(|path| free(path))?;
    write(&file, text)?;
    write(&cases, case_text(&format!("{id}-unknown"), id, &probe))?;
    let name = args.within.display();
    told(
        &[&file, &cases],
        &format!("check it: casebook lint {name}; casebook test {name}"),
    )
}

fn case(args: &CaseArgs) -> Result<(), Failure> {
    let style = super::style(&args.style);
    let (ruleset, rulebook) = opened(&args.within, &style)?;
    let rule = find_rule(&ruleset, rulebook, &args.rule)?;
    if let Some(bundle) = &args.from {
        return from::run(args, ruleset, rulebook, rule, bundle, &style);
    }
    let name = rule_name(&ruleset, rulebook, rule);
    let id = match &args.id {
        Some(id) => kebab(id)?.to_owned(),
        None => format!("{}-unknown", ruleset.rules[rule].id),
    };
    let probe = ruleset.rules[rule]
        .needs
        .first()
        .map(|probe| ruleset.probes[*probe].id.clone());
    let file = args.within.join("cases").join(format!("{id}.yaml"));
    write(&file, case_text(&id, &name, &probe.unwrap_or_default()))?;
    told(
        &[&file],
        &format!("run it: casebook test {} --case {id}", args.within.display()),
    )
}

fn case_text(id: &str, rule: &str, probe: &str) -> String {
    CASE.replace("ID", id).replace("RULE", rule).replace("PROBE", probe)
}

/// A rule as the cases of a rulebook name it.
fn rule_name(ruleset: &Ruleset, rulebook: RulebookId, rule: RuleId) -> String {
    let declared = &ruleset.rules[rule];
    match declared.rulebook == rulebook {
        true => declared.id.clone(),
        false => declared.code(ruleset),
    }
}

/// The rulebook in a folder, compiled with those that it uses.
fn opened(folder: &Path, style: &Style) -> Result<(Ruleset, RulebookId), Failure> {
    if !folder.join("rulebook.yaml").is_file() {
        let message = format!(
            "`{}` is no folder of a rulebook: there is no `rulebook.yaml` in it",
            folder.display()
        );
        return Err(Failure::usage(
            message,
            "name the folder with --in, or begin one with `casebook new rulebook`",
        ));
    }
    // By its path: a folder may be called like a shipped rulebook.
    let mut loaded = Loaded::default();
    loaded.add_path(folder).map_err(super::not_loaded)?;
    let id = loaded
        .rulebooks
        .first()
        .map(|rulebook| rulebook.spec.rulebook.value.clone());
    super::load_used(&mut loaded)?;
    let ruleset = super::compiled(loaded, style)?;
    let found = ruleset
        .rulebooks
        .iter()
        .position(|rulebook| Some(&rulebook.id) == id.as_ref());
    let found = found.ok_or_else(|| Failure::usage("the rulebook could not be read", ""))?;
    Ok((ruleset, found))
}

fn find_rule(ruleset: &Ruleset, rulebook: RulebookId, name: &str) -> Result<RuleId, Failure> {
    let own = |id: &RuleId| ruleset.rules[*id].rulebook == rulebook && ruleset.rules[*id].id == name;
    let any = |id: &RuleId| ruleset.rules[*id].code(ruleset) == name;
    let mut all = 0..ruleset.rules.len();
    let found = all.clone().find(own).or_else(|| all.find(any));
    found.ok_or_else(|| {
        let ids = ruleset
            .rules
            .iter()
            .filter(|rule| rule.rulebook == rulebook)
            .map(|rule| rule.id.as_str());
        let help = meant(name, ids).unwrap_or_else(|| "`casebook list rules` lists them".into());
        Failure::usage(format!("the rulebook has no rule `{name}`"), help)
    })
}

/// A probe for a new rule to read: its own, else one of a used rulebook.
fn probe_of(ruleset: &Ruleset, rulebook: RulebookId) -> Option<String> {
    let own = ruleset.probes.iter().find(|probe| probe.rulebook == rulebook);
    let own = own.map(|probe| probe.id.clone());
    own.or_else(|| {
        let uses = &ruleset.rulebooks[rulebook].uses;
        let used = ruleset.probes.iter().find(|probe| uses.contains(&probe.rulebook))?;
        Some(format!("{}.{}", ruleset.rulebooks[used.rulebook].id, used.id))
    })
}

/// The names that rules of a rulebook see, as comments.
fn names(ruleset: &Ruleset, rulebook: RulebookId) -> String {
    let declared = &ruleset.rulebooks[rulebook];
    let of = |wanted: fn(&Symbol) -> bool| {
        let names = declared.names.iter().filter(|(_, symbol)| wanted(symbol));
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let inputs: Vec<String> = declared.inputs.keys().map(|name| format!("inputs.{name}")).collect();
    let groups = [
        ("probes", of(|symbol| matches!(symbol, Symbol::Probe(_))).join(", ")),
        ("facts", of(|symbol| matches!(symbol, Symbol::Fact(_))).join(", ")),
        ("inputs", inputs.join(", ")),
        (
            "rulebooks",
            of(|symbol| matches!(symbol, Symbol::Rulebook(_))).join(", "),
        ),
    ];
    let lines = groups.iter().filter(|(_, names)| !names.is_empty());
    lines
        .map(|(group, names)| format!("#   {group}: {names}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// An id in snake_case.
fn snake(id: &str) -> Result<&str, Failure> {
    identifier(id, '_').ok_or_else(|| {
        let help = "write it in snake_case: small letters, digits and `_`, as in `my_service`";
        Failure::usage(format!("`{id}` is no id of a rulebook"), help)
    })
}

/// An id in kebab-case.
fn kebab(id: &str) -> Result<&str, Failure> {
    identifier(id, '-').ok_or_else(|| {
        let help = "write it in kebab-case: small letters, digits and `-`, as in `disk-full`";
        Failure::usage(format!("`{id}` is no id of a rule or case"), help)
    })
}

fn identifier(id: &str, gap: char) -> Option<&str> {
    let begins = id.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = id
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == gap);
    (begins && fits && !id.ends_with(gap)).then_some(id)
}

/// That nothing goes by a path yet.
fn free(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        true => Err(exists(path)),
        false => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(
        format!("`{}` exists already", path.display()),
        "choose another id; nothing is overwritten",
    )
}

/// Writes a new file, and the folders above it.
fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::usage(
            format!("cannot write `{}`: {error}", path.display()),
            "name a folder that can be written to",
        ),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes.as_ref()).map_err(failed)
}

/// Tells what was written, and what to do with it.
fn told(files: &[&Path], next: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for file in files {
        writeln!(out, "wrote {}", file.display())?;
    }
    Ok(writeln!(out, "{next}")?)
}
