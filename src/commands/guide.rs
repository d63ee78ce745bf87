//! `casebook guide`: walk through the rules for one symptom, in the order in which a colleague would.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::{LimitArgs, PlainFormat, RulebookArgs, StyleArgs, TimeArgs};
use crate::diagnostic::meant;
use crate::engine::{Guided, WalkError, Way};
use crate::report::guide::Walked;
use crate::report::model::{Severity, Verdict};
use crate::report::{self, Sheet, Style, Tone};
use crate::rulebook::model::{Guide, GuideId, Ruleset, Walk};

use super::run::{given, open, settings};
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  casebook guide                              the symptoms that there are guides for
  casebook guide not-reachable                the steps of a guide
  casebook guide not-reachable BUNDLE         the walk: what was looked at, and what to do at the first cause
  casebook guide BUNDLE                       where each guide would end";

/// Walk through the rules for a symptom, and stop at the first cause
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GuideArgs {
    /// The guide, as id or rulebook::id, and captured evidence: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(value_names = ["ID", "BUNDLE"], num_args = 0..=2)]
    pub what: Vec<String>,
    /// Walk on after the first cause
    #[arg(long)]
    pub all: bool,
    /// Only subjects whose name matches, as kind/name (`*` matches `/` too)
    #[arg(long, value_name = "GLOB")]
    pub subject: Option<String>,
    /// Times
    #[command(flatten)]
    pub times: TimeArgs,
    /// Least severity of findings that end the walk and make the exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Warning)]
    pub fail_on: Severity,
    /// Exit with 4 where a step stayed unknown
    #[arg(long)]
    pub strict: bool,
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
pub fn run(args: &GuideArgs) -> Result<Exit, Failure> {
    let style = super::style(&args.style);
    let ruleset = super::rulebooks(&args.rulebooks, &style)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match args.what.as_slice() {
        [] => listed(args, &ruleset, &style, &mut out)?,
        [one] => match find(&ruleset, one) {
            Ok(guide) => outlined(args, &ruleset, guide, &style, &mut out)?,
            Err(_) if Path::new(one).exists() => all_walked(args, ruleset, Path::new(one), &style, &mut out)?,
            Err(failure) => return Err(failure),
        },
        [id, bundle, ..] => {
            let guide = find(&ruleset, id)?;
            walked(args, ruleset, guide, Path::new(bundle), &style, &mut out)?
        }
    };
    out.flush()?;
    Ok(exit)
}

/// The guide of this name.
fn find(ruleset: &Ruleset, name: &str) -> Result<GuideId, Failure> {
    let all = || ruleset.guides.iter().enumerate();
    let found: Vec<GuideId> = all()
        .filter(|(_, guide)| guide.id == name || guide.code(ruleset) == name)
        .map(|(id, _)| id)
        .collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let ids: Vec<&str> = all().map(|(_, guide)| guide.id.as_str()).collect();
            let help = meant(name, ids.iter().copied());
            let help = help.unwrap_or_else(|| "`casebook guide` lists those that there are".into());
            Err(Failure::usage(format!("there is no guide `{name}`"), help))
        }
        several => {
            let codes: Vec<String> = several
                .iter()
                .map(|guide| ruleset.guides[*guide].code(ruleset))
                .collect();
            let message = format!("several rulebooks have a guide `{name}`");
            Err(Failure::usage(message, format!("name one of {}", codes.join(", "))))
        }
    }
}

/// A guide in a list.
#[derive(Serialize)]
struct Listed<'r> {
    id: &'r str,
    rulebook: &'r str,
    title: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

impl<'r> Listed<'r> {
    fn of(ruleset: &'r Ruleset, guide: &'r Guide) -> Listed<'r> {
        Listed {
            id: &guide.id,
            rulebook: &ruleset.rulebooks[guide.rulebook].id,
            title: &guide.title,
            outcome: None,
        }
    }
}

fn listed(args: &GuideArgs, ruleset: &Ruleset, style: &Style, out: &mut impl Write) -> Result<Exit, Failure> {
    let guides: Vec<Listed> = ruleset.guides.iter().map(|guide| Listed::of(ruleset, guide)).collect();
    if args.format == PlainFormat::Json {
        report::write_json(&guides, out)?;
        return Ok(Exit::Clean);
    }
    let mut sheet = Sheet::new(style);
    let row = |guide: &Listed| [guide.id, guide.rulebook, guide.title].map(str::to_owned);
    match guides.is_empty() {
        true => sheet.line("these rulebooks have no guides", Tone::Plain),
        false => sheet.table(
            0,
            ["GUIDE", "RULEBOOK", "SYMPTOM"],
            &guides.iter().map(row).collect::<Vec<_>>(),
        ),
    }
    Ok(sheet.write(out).map(|()| Exit::Clean)?)
}

/// The steps of a guide, without evidence.
fn outlined(
    args: &GuideArgs,
    ruleset: &Ruleset,
    guide: GuideId,
    style: &Style,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let guide = &ruleset.guides[guide];
    let steps: &[_] = match &guide.walk {
        Walk::Steps(steps) => steps,
        Walk::Hops(_) => &[],
    };
    if args.format == PlainFormat::Json {
        let codes =
            |rules: &[usize]| -> Vec<String> { rules.iter().map(|rule| ruleset.rules[*rule].code(ruleset)).collect() };
        let steps: Vec<_> = steps
            .iter()
            .map(|step| serde_json::json!({ "title": step.title, "about": step.about, "rules": codes(&step.rules) }))
            .collect();
        let outline = serde_json::json!({ "guide": guide.code(ruleset), "title": guide.title, "about": guide.about, "steps": steps });
        report::write_json(&outline, out)?;
        return Ok(Exit::Clean);
    }
    let mut sheet = Sheet::new(style);
    sheet.paragraph(0, &guide.title, Tone::Strong);
    sheet.line(&guide.code(ruleset), Tone::Dim);
    if let Some(about) = &guide.about {
        sheet.blank();
        sheet.paragraph(0, about, Tone::Plain);
    }
    sheet.blank();
    for (step, number) in steps.iter().zip(1..) {
        sheet.item(2, &format!("{number}. {}", step.title), Tone::Plain);
        let rules: Vec<String> = step
            .rules
            .iter()
            .map(|rule| ruleset.rules[*rule].code(ruleset))
            .collect();
        sheet.paragraph(5, &rules.join(", "), Tone::Dim);
    }
    for (name, input) in &guide.inputs {
        sheet.item(2, &format!("--set {name}=...: {}", input.about), Tone::Plain);
    }
    sheet.blank();
    sheet.paragraph(
        0,
        &format!("to walk it: casebook guide {} BUNDLE", guide.id),
        Tone::Plain,
    );
    Ok(sheet.write(out).map(|()| Exit::Clean)?)
}

/// Judges a bundle for guides to be walked over it; the inputs of the guide join those of its rulebook.
fn guided(args: &GuideArgs, mut ruleset: Ruleset, guide: Option<GuideId>, bundle: &Path) -> Result<Guided, Failure> {
    if let Some(guide) = guide.and_then(|guide| ruleset.guides.get(guide)) {
        ruleset.rulebooks[guide.rulebook].inputs.extend(guide.inputs.clone());
    }
    let bundle = open(bundle, &args.limits)?;
    let set = given(&ruleset, &args.rulebooks.set)?;
    let settings = settings(&ruleset, &bundle, &set, &args.times, &args.limits)?;
    Ok(Guided::new(Arc::new(ruleset), bundle, settings))
}

fn way(args: &GuideArgs, guide: GuideId) -> Result<Way, Failure> {
    Ok(Way {
        guide,
        only: args.subject.as_deref().map(super::glob).transpose()?,
        stop: args.fail_on,
        all: args.all,
    })
}

fn walked(
    args: &GuideArgs,
    ruleset: Ruleset,
    guide: GuideId,
    bundle: &Path,
    style: &Style,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let guided = guided(args, ruleset, Some(guide), bundle)?;
    let walked = guided.walk(&way(args, guide)?).map_err(not_walked)?;
    match args.format {
        PlainFormat::Json => report::write_json(&walked, out)?,
        PlainFormat::Terminal => report::write_walk(&walked, style, out)?,
    }
    Ok(exit(args, &walked))
}

fn not_walked(error: WalkError) -> Failure {
    let WalkError::Several { one, .. } = &error;
    let help = format!("name one of them, for example --subject '{one}'");
    Failure::usage(error.to_string(), help)
}

/// The exit code for a walk: as that of a run, over what the walk came past.
fn exit(args: &GuideArgs, walked: &Walked) -> Exit {
    let has = |wanted| {
        let steps = walked.steps.iter().flat_map(|step| &step.verdicts);
        steps.into_iter().any(|verdict| verdict.verdict == wanted)
    };
    match () {
        () if walked.stopped_at.is_some() => Exit::Findings,
        () if has(Verdict::Error) || args.strict && has(Verdict::Unknown) => Exit::Undecided,
        () => Exit::Clean,
    }
}

/// Where each guide would end.
fn all_walked(
    args: &GuideArgs,
    ruleset: Ruleset,
    bundle: &Path,
    style: &Style,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let guided = guided(args, ruleset, None, bundle)?;
    let ruleset = guided.ruleset();
    let (mut all, mut worst) = (Vec::new(), Exit::Clean);
    for (id, guide) in ruleset.guides.iter().enumerate() {
        // A computed walk is a question of its own, which the user has to ask.
        if let (Walk::Steps(_), Ok(walked)) = (&guide.walk, guided.walk(&way(args, id)?)) {
            worst = worst.or(exit(args, &walked));
            let outcome = Some(outcome(&walked));
            all.push(Listed {
                outcome,
                ..Listed::of(ruleset, guide)
            });
        }
    }
    if args.format == PlainFormat::Json {
        report::write_json(&all, out)?;
        return Ok(worst);
    }
    let mut sheet = Sheet::new(style);
    let row = |guide: &Listed| [guide.id, guide.outcome.as_deref().unwrap_or_default()].map(str::to_owned);
    sheet.table(0, ["GUIDE", "OUTCOME"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(sheet.write(out).map(|()| worst)?)
}

/// `fails at step 3: Is the port open?`
fn outcome(walked: &Walked) -> String {
    let of = |wanted: Verdict| walked.steps.iter().filter(|step| step.verdict == Some(wanted)).count();
    let at = walked
        .stopped_at
        .and_then(|at| walked.steps.iter().find(|step| step.number == at));
    match (at, of(Verdict::Unknown) + of(Verdict::Error), of(Verdict::Pass)) {
        (Some(step), _, _) => format!("fails at step {}: {}", step.number, step.title),
        (None, 0, 0) => "does not apply".into(),
        (None, 0, _) => "nothing found".into(),
        (None, open, passed) => format!("nothing found; {passed} ok, {open} could not be decided"),
    }
}
