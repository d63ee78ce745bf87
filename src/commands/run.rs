//! `casebook run`: judge bundles.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use globset::{Glob, GlobMatcher};
use rayon::prelude::*;
use rhai::Dynamic;

use crate::bundle::{Bundle, BundleError, Manifest};
use crate::cli::{LimitArgs, RulebookArgs, StyleArgs, TimeArgs};
use crate::diagnostic::meant;
use crate::engine::{self, Settings};
use crate::redact::Redactor;
use crate::report::model::{Report, Severity, Verdict};
use crate::report::{self, Format};
use crate::rulebook::compile::parse_input;
use crate::rulebook::model::{RuleId, Ruleset};

use super::capture::{self, summary};
use super::live::{LiveArgs, Prepared};
use super::progress::Progress;
use super::redact::SecretArgs;
use super::{Exit, Failure};

/// Judge captured evidence, or that of the live system
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Captured evidence: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(value_name = "BUNDLE", required_unless_present = "live", conflicts_with = "live")]
    pub bundles: Vec<PathBuf>,
    /// Capture the evidence that the rules need from the live system, then judge it
    #[arg(long)]
    pub live: bool,
    /// Keep what was captured: a folder, or a .tar.zst, .tar.gz or .tar by its name
    #[arg(long, value_name = "BUNDLE", requires = "live")]
    pub keep: Option<PathBuf>,
    /// Rulebooks and inputs
    #[command(flatten)]
    pub rulebooks: RulebookArgs,
    /// Judge only rules whose id or code matches; may be given several times
    #[arg(long = "rule", value_name = "GLOB")]
    pub rules: Vec<String>,
    /// Times
    #[command(flatten)]
    pub times: TimeArgs,
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
    /// What is secret
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// What live probes may do
    #[command(flatten)]
    pub probes: LiveArgs,
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
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let mut style = super::style(&args.style);
    if args.output.is_some() && args.style.color == crate::cli::Color::Auto {
        style.color = false;
    }
    let several = args.bundles.len() > 1;
    if several && args.format == Format::Json {
        let help = "several reports are written with --format json-lines, one a line";
        return Err(Failure::usage("one JSON document holds one report", help));
    }
    if several && args.times.before.is_some() {
        let help = "compare one bundle at a time";
        return Err(Failure::usage("an earlier capture belongs to one bundle", help));
    }
    if args.live {
        return live(args, &style);
    }
    let loaded = super::load(&args.rulebooks.rulebooks)?;
    warm_up();
    let ruleset = Arc::new(super::compiled(loaded, &style)?);
    let choices = Choices::new(args, &ruleset)?;
    let mut out = output(args.output.as_deref())?;
    let progress = Progress::new(args.bundles.len(), "bundles");
    progress.at(&args.bundles.first().map_or("".into(), |path| path.to_string_lossy()));
    let mut worst = Exit::Clean;
    // Reports are written in the order of the bundles; no more of them are in flight than threads can work at.
    for bundles in args.bundles.chunks(2 * rayon::current_num_threads()) {
        let reports: Vec<_> = bundles
            .par_iter()
            .map(|path| {
                let report = open(path, &args.limits).and_then(|bundle| judged(args, &ruleset, &choices, bundle));
                progress.done();
                report
            })
            .collect();
        for report in reports {
            match report {
                Ok(report) => {
                    progress.aside(|| report::write(&report, args.format, &style, &mut out))?;
                    worst = worst.or(exit(&report, args.fail_on, args.strict));
                }
                Err(failure) if several => {
                    progress.aside(|| super::tell(&failure))?;
                    worst = worst.or(failure.exit());
                }
                Err(failure) => return Err(failure),
            }
        }
        progress.aside(|| out.flush())?;
    }
    Ok(worst)
}

/// Makes the redactor of reports ready while something else is done.
fn warm_up() {
    rayon::spawn(|| Redactor::of_reports().warm_up());
}

/// Captures, then judges what was captured as any bundle.
fn live(args: &RunArgs, style: &report::Style) -> Result<Exit, Failure> {
    let mut prepared = Prepared::new(&args.rulebooks, &args.rules, &args.probes, &args.secrets, style)?;
    // Inputs come from the manifest, as when the bundle is judged again.
    let choices = Choices {
        set: BTreeMap::new(),
        ..Choices::new(args, &prepared.ruleset)?
    };
    let ruleset = Arc::clone(&prepared.ruleset);
    prepared.ask_for_leave(style)?;
    warm_up();
    let mut out = output(args.output.as_deref())?;
    let gathered = prepared.capture(args.keep.as_deref())?;
    gathered.tell()?;
    if gathered.interrupted {
        let kept = args
            .keep
            .as_ref()
            .map_or("nothing that is kept".into(), |path| path.display().to_string());
        writeln!(io::stderr(), "{}", summary(&gathered, &kept))?;
        return Ok(Exit::Interrupted);
    }
    let ended = capture::exit(&gathered);
    let bundle = match (gathered.bytes, &args.keep) {
        (Some(bytes), _) => opened(Bundle::from_bytes("live", bytes, &args.limits.limits()))?,
        (None, Some(path)) => open(path, &args.limits)?,
        (None, None) => Bundle::empty("live"),
    };
    let report = judged(args, &ruleset, &choices, bundle)?;
    report::write(&report, args.format, style, &mut out)?;
    out.flush()?;
    Ok(ended.or(exit(&report, args.fail_on, args.strict)))
}

/// What is chosen once for all bundles.
struct Choices {
    redactor: Option<Arc<Redactor>>,
    set: BTreeMap<String, String>,
    rules: Vec<GlobMatcher>,
}

impl Choices {
    fn new(args: &RunArgs, ruleset: &Ruleset) -> Result<Choices, Failure> {
        Ok(Choices {
            redactor: args.secrets.covering(&ruleset.secrets)?.map(Arc::new),
            set: given(ruleset, &args.rulebooks.set)?,
            rules: rules(ruleset, &args.rules)?,
        })
    }
}

fn judged(args: &RunArgs, ruleset: &Arc<Ruleset>, choices: &Choices, bundle: Bundle) -> Result<Report, Failure> {
    let settings = Settings {
        redactor: choices.redactor.clone(),
        rules: choices.rules.clone(),
        ..settings(ruleset, &bundle, &choices.set, &args.times, &args.limits)?
    };
    let (report, kept) = engine::run_keeping(Arc::clone(ruleset), bundle, settings);
    if args.bundles.len() < 2 {
        // The process ends with this report; the system takes all memory back at once.
        std::mem::forget(kept);
    }
    Ok(report)
}

/// How a bundle is to be judged, as options that several commands share say.
///
/// # Errors
/// Where the earlier capture cannot be opened.
pub(super) fn settings(
    ruleset: &Ruleset,
    bundle: &Bundle,
    set: &BTreeMap<String, String>,
    times: &TimeArgs,
    limits: &LimitArgs,
) -> Result<Settings, Failure> {
    Ok(Settings {
        inputs: inputs(ruleset, bundle.manifest(), set),
        captured_at: times.captured_at,
        before: times.before.as_deref().map(|path| open(path, limits)).transpose()?,
        before_captured_at: times.before_captured_at,
        ..Settings::default()
    })
}

/// Opens a bundle.
///
/// # Errors
/// One that cannot be opened, as a failure of usage.
pub fn open(path: &Path, limits: &LimitArgs) -> Result<Bundle, Failure> {
    opened(Bundle::open(path, &limits.limits()))
}

fn opened(bundle: Result<Bundle, BundleError>) -> Result<Bundle, Failure> {
    bundle.map_err(|error| Failure::usage(error.to_string(), error.help()))
}

/// Where reports go: the file that is named, else standard output.
pub(super) fn output(path: Option<&Path>) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = path else {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    };
    let file = File::create(path).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::usage(message, "name a file in a folder that exists")
    })?;
    Ok(Box::new(BufWriter::new(file)))
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

/// The values of all inputs: the defaults, those that the bundle was captured with, and what the user has set; the last wins.
pub fn inputs(
    ruleset: &Ruleset,
    manifest: Option<&Manifest>,
    set: &BTreeMap<String, String>,
) -> Vec<BTreeMap<String, Dynamic>> {
    let mut inputs = Settings::defaults(ruleset).inputs;
    let captured = manifest.into_iter().flat_map(|manifest| &manifest.inputs);
    let captured = captured.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let set = set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, text) in captured.chain(set) {
        let Some((owner, input)) = name.split_once('.') else {
            continue;
        };
        let Some(at) = ruleset.rulebooks.iter().position(|rulebook| rulebook.id == owner) else {
            continue;
        };
        // What a bundle was captured with may mean nothing to a later rulebook; what the user sets was checked.
        let declared = ruleset.rulebooks[at].inputs.get(input);
        if let Some(value) = declared.and_then(|declared| parse_input(declared.kind, text).ok()) {
            inputs[at].insert(input.to_owned(), value);
        }
    }
    inputs
}

/// What the user has set, as `rulebook.input` and the text of its value.
///
/// # Errors
/// A setting that is malformed, names no input, or has a value of the wrong type.
pub fn given(ruleset: &Ruleset, set: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for setting in set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(
                format!("`--set {setting}` has no `=`"),
                "write it as --set name=value",
            ));
        };
        assign(ruleset, &mut values, name, value)?;
    }
    Ok(values)
}

/// Sets an input in each rulebook that has one of this name, or in the one that is named before a dot.
fn assign(ruleset: &Ruleset, values: &mut BTreeMap<String, String>, name: &str, value: &str) -> Result<(), Failure> {
    let (owner, input) = name
        .split_once('.')
        .map_or((None, name), |(owner, input)| (Some(owner), input));
    let mut found = false;
    for rulebook in &ruleset.rulebooks {
        let Some(declared) = rulebook
            .inputs
            .get(input)
            .filter(|_| owner.is_none_or(|owner| owner == rulebook.id))
        else {
            continue;
        };
        let about = format!("`{}.{input}`: {}", rulebook.id, declared.about);
        let _: Dynamic = parse_input(declared.kind, value).map_err(|message| Failure::usage(message, about))?;
        values.insert(format!("{}.{input}", rulebook.id), value.to_owned());
        found = true;
    }
    if found {
        return Ok(());
    }
    let names = ruleset
        .rulebooks
        .iter()
        .flat_map(|rulebook| rulebook.inputs.keys().map(String::as_str));
    let meant = meant(input, names);
    Err(Failure::usage(
        format!("no rulebook of this run has an input `{name}`"),
        meant.unwrap_or("the rulebook's page lists its inputs".into()),
    ))
}

/// The rules that globs choose; all, without globs.
///
/// # Errors
/// A glob that is none, or that matches no rule.
pub fn chosen(ruleset: &Ruleset, globs: &[String]) -> Result<Vec<RuleId>, Failure> {
    let globs = rules(ruleset, globs)?;
    Ok(Settings {
        rules: globs,
        ..Settings::default()
    }
    .wanted(ruleset))
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
    let meant = meant(text, ruleset.rules.iter().map(|rule| rule.id.as_str()));
    Err(Failure::usage(
        format!("no rule matches `{text}`"),
        meant.unwrap_or("rules are named by their id, or as rulebook::id".into()),
    ))
}
