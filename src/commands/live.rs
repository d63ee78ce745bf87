//! What the commands that deal with live systems share: their options, the plan, leave to do it, and the capture itself.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use globset::Glob;
use jiff::SignedDuration;

use crate::bundle::{self, Manifest, Writer};
use crate::cli::{RulebookArgs, bytes};
use crate::probe::{self, Allowance, Bounds, Captured, Event, Plan, Settings, Status, Step, With};
use crate::redact::Redactor;
use crate::report;
use crate::rulebook::model::{ProbeId, Ruleset};

use super::plan::text;
use super::progress::Progress;
use super::redact::{SecretArgs, unwritable};
use super::run::{chosen, given, inputs};
use super::{Failure, rulebooks};

/// What live probes may do and take
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Live options")]
pub struct LiveArgs {
    /// Allow probes of rulebooks that are not shipped: exec=PROGRAM, http=HOST:PORT, file=GLOB, tcp=, dns=, tls=HOST:PORT; also where redirects
    /// may lead
    #[arg(long, value_name = "KIND=WHAT")]
    pub allow: Vec<String>,
    /// Let commands see this variable of the environment, or those that a glob matches
    #[arg(long, value_name = "NAME")]
    pub env: Vec<String>,
    /// Longest time for all probes together [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub total_time: Option<Duration>,
    /// Longest time for one probe, where its rulebook says nothing [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub probe_time: Option<Duration>,
    /// Most bytes of one item, where its rulebook says nothing [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub probe_limit: Option<u64>,
    /// Most probes at a time [default: 16]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

fn period(text: &str) -> Result<Duration, String> {
    let span = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero())
        .ok_or_else(|| "a time is a number with a unit, such as 30s or 5m".into())
}

impl LiveArgs {
    fn bounds(&self) -> Bounds {
        let usual = Bounds::default();
        Bounds {
            total: self.total_time.unwrap_or(usual.total),
            each: self.probe_time.unwrap_or(usual.each),
            limit: self.probe_limit.unwrap_or(usual.limit),
            jobs: self.jobs.map_or(usual.jobs, usize::from),
        }
    }

    fn allowance(&self) -> Result<Allowance, Failure> {
        let help = "write --allow exec=PROGRAM, http=HOST:PORT, file=GLOB, tcp=HOST:PORT, dns=NAME or tls=HOST:PORT";
        Allowance::parse(&self.allow).map_err(|message| Failure::usage(message, help))
    }
}

/// What is to be done on a live system, read off the rulebooks.
pub struct Prepared {
    /// The rulebooks.
    pub ruleset: Arc<Ruleset>,
    steps: (Vec<Step>, Vec<ProbeId>),
    inputs: Vec<std::collections::BTreeMap<String, rhai::Dynamic>>,
    manifest: Manifest,
    allowance: Allowance,
    bounds: Bounds,
    env: Vec<String>,
    redactor: Redactor,
}

impl Prepared {
    /// Reads the rulebooks.
    ///
    /// # Errors
    /// Rulebooks that cannot be used, settings and options that mean nothing.
    pub fn new(
        args: &RulebookArgs,
        rules: &[String],
        live: &LiveArgs,
        secrets: &SecretArgs,
        style: &report::Style,
    ) -> Result<Prepared, Failure> {
        let ruleset = Arc::new(rulebooks(args, style)?);
        let set = given(&ruleset, &args.set)?;
        let rules = chosen(&ruleset, rules)?;
        let mut manifest = Manifest::new("live");
        manifest.inputs = set
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        Ok(Prepared {
            steps: probe::steps(&ruleset, &rules),
            inputs: inputs(&ruleset, None, &set),
            manifest,
            allowance: live.allowance()?,
            bounds: live.bounds(),
            env: live.env.clone(),
            redactor: secrets.redactor(&ruleset.secrets)?,
            ruleset,
        })
    }

    /// The plan.
    pub fn plan(&self) -> Plan {
        let with = With {
            inputs: &self.inputs,
            allowance: &self.allowance,
            bounds: &self.bounds,
        };
        let mut plan = probe::plan(&self.ruleset, &self.steps, &with);
        plan.environment.extend(self.env.iter().cloned());
        plan
    }

    /// Asks the user for leave to do what is not allowed yet, where there is a terminal to ask at.
    ///
    /// # Errors
    /// Those of standard error.
    pub fn ask_for_leave(&mut self, style: &report::Style) -> io::Result<()> {
        let mut plan = self.plan();
        for item in &mut plan.items {
            item.ways.retain(|way| way.status == Status::Denied);
        }
        plan.items.retain(|item| !item.ways.is_empty());
        plan.captured_only.clear();
        if plan.items.is_empty() || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        let mut err = io::stderr().lock();
        write!(
            err,
            "These rulebooks are not shipped with casebook. They want to:\n\n{}\n",
            text(&plan, style)
        )?;
        write!(err, "Do all of this? [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            self.allowance.allow_planned();
        }
        Ok(())
    }

    /// Gathers everything into a bundle at `path`, or in memory.
    ///
    /// # Errors
    /// A bundle that cannot be written.
    pub fn capture(self, path: Option<&Path>) -> Result<Gathered, Failure> {
        let writer = match path {
            None => Ok(Writer::in_memory()),
            Some(path) => Writer::create(path),
        };
        let mut writer = writer.map_err(|error| unwritable(path.unwrap_or(Path::new("")), &error))?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        // Where the signal cannot be caught, it ends the program as ever.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        let environment = self
            .env
            .iter()
            .map(|text| Glob::new(text).map(|glob| glob.compile_matcher()));
        let environment = environment.collect::<Result<_, _>>();
        let environment =
            environment.map_err(|error| Failure::usage(error.to_string(), "for example: --env 'APP_*'"))?;
        let settings = Settings {
            ruleset: self.ruleset,
            steps: self.steps.0,
            inputs: self.inputs,
            allowance: self.allowance,
            environment,
            bounds: self.bounds,
            redactor: self.redactor,
            cancelled: Arc::clone(&cancelled),
        };
        let manifest = Manifest {
            name: path.map_or_else(|| "live".into(), bundle::name_of),
            ..self.manifest
        };
        let progress = Progress::new(0, "probes");
        let captured = probe::capture(&settings, manifest, &mut writer, &mut |event| match event {
            Event::Planned(more) => progress.more(more),
            Event::Started(action) => progress.at(action),
            Event::Ended(..) => progress.done(),
        });
        drop(progress);
        let finished = writer.finish(&captured.manifest);
        let bytes = finished.map_err(|error| unfinished(path, &error))?;
        Ok(Gathered {
            captured,
            bytes,
            interrupted: cancelled.load(Ordering::Relaxed),
        })
    }
}

/// A capture that has ended.
pub struct Gathered {
    /// What it came to.
    pub captured: Captured,
    /// The bundle, where it is in memory.
    pub bytes: Option<Vec<u8>>,
    /// Whether the user has ended it.
    pub interrupted: bool,
}

impl Gathered {
    /// Tells on standard error what went wrong with the capture itself.
    ///
    /// # Errors
    /// Those of standard error.
    pub fn tell(&self) -> io::Result<()> {
        let mut err = io::stderr().lock();
        for note in &self.captured.notes {
            writeln!(err, "note: {}", bundle::printable(note))?;
        }
        for problem in &self.captured.unwritten {
            writeln!(err, "error: cannot write {}", bundle::printable(problem))?;
        }
        Ok(())
    }
}

fn unfinished(path: Option<&Path>, error: &io::Error) -> Failure {
    let name = path.map_or_else(|| "the bundle".into(), |path| format!("`{}`", path.display()));
    let help = "what was gathered before is still there; of an archive, under its name with `.partial` at the end";
    Failure::usage(format!("{name} could not be written to its end: {error}"), help)
}
