//! Carrying out a plan: probes run in parallel, those that read others' evidence after them, and all that is had goes to the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use globset::GlobMatcher;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use rhai::Dynamic;

use crate::bundle::{self, Bundle, ItemFacts, Manifest, Writer, leaves_bytes, sha256};
use crate::engine::{Member, Prospect};
use crate::redact::Redactor;
use crate::report::model::{Outcome, RulebookVersion};
use crate::rulebook::model::{KindId, ProbeId, Ruleset, Way};

use super::work::{self, Attempt, Done, Task};
use super::{Allowance, Gathered, Step};

/// What a capture is made with.
pub struct Settings {
    /// The rulebooks.
    pub ruleset: Arc<Ruleset>,
    /// What is to be done.
    pub steps: Vec<Step>,
    /// Values of inputs by rulebook.
    pub inputs: Vec<BTreeMap<String, Dynamic>>,
    /// What may be done.
    pub allowance: Allowance,
    /// Variables of the environment that commands see besides the usual ones and those of their rulebook.
    pub environment: Vec<GlobMatcher>,
    /// How much it may take.
    pub bounds: Bounds,
    /// Takes secrets out of all that is kept.
    pub redactor: Redactor,
    /// Set when the user wants an end.
    pub cancelled: Arc<AtomicBool>,
}

/// How much a capture may take.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Longest time for everything.
    pub total: Duration,
    /// Longest time for one probe, where its rulebook says nothing.
    pub each: Duration,
    /// Most bytes of one item, where its rulebook says nothing.
    pub limit: u64,
    /// Most probes at a time.
    pub jobs: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            total: Duration::from_secs(5 * 60),
            each: Duration::from_secs(30),
            limit: 256 << 20,
            jobs: 16,
        }
    }
}

/// What a capture tells while it goes on.
pub enum Event<'e> {
    /// So many probes more are to be run.
    Planned(usize),
    /// A probe begins, as a plan shows it.
    Started(&'e str),
    /// A probe has ended; the item that it was for, and how it went.
    Ended(&'e str, Outcome),
}

/// What a capture came to.
#[derive(Debug)]
pub struct Captured {
    /// What was gathered and what was not.
    pub manifest: Manifest,
    /// What the user should know besides, a line each.
    pub notes: Vec<String>,
    /// What could not be written, a line each.
    pub unwritten: Vec<String>,
}

/// Gathers what `settings` say and hands it to `writer`; `manifest` comes with what is known before. The caller finishes the bundle.
pub fn capture(
    settings: &Settings,
    manifest: Manifest,
    writer: &mut Writer,
    watch: &mut dyn FnMut(Event<'_>),
) -> Captured {
    let read_again = settings
        .steps
        .iter()
        .flat_map(|step| step.after.iter().copied())
        .collect();
    let mut manifest = Manifest {
        complete: false,
        rulebooks: rulebooks(&settings.ruleset),
        ..manifest
    };
    manifest.redact(&settings.redactor);
    let mut capture = Capture {
        settings,
        until: Instant::now() + settings.bounds.total,
        manifest,
        writer,
        watch,
        read_again,
        seen: Vec::new(),
        members: BTreeMap::new(),
        taken: BTreeSet::new(),
        items: BTreeMap::new(),
        firsts: Vec::new(),
        notes: Vec::new(),
        unwritten: Vec::new(),
    };
    let rounds = settings.steps.iter().map(|step| step.round + 1).max().unwrap_or(0);
    for round in 0..rounds {
        capture.note();
        let tasks = capture.tasks(round);
        capture.carry_out(tasks);
    }
    capture.take_again();
    capture.manifest.complete = !capture.is_cut();
    capture.list();
    Captured {
        manifest: capture.manifest,
        notes: capture.notes,
        unwritten: capture.unwritten,
    }
}

/// The rulebooks of a run, for a manifest.
fn rulebooks(ruleset: &Ruleset) -> Vec<RulebookVersion> {
    let version = |rulebook: &crate::rulebook::model::Rulebook| RulebookVersion {
        id: rulebook.id.clone(),
        version: rulebook.version.clone(),
        digest: rulebook.digest.clone(),
    };
    ruleset.rulebooks.iter().map(version).collect()
}

struct Capture<'c> {
    settings: &'c Settings,
    until: Instant,
    manifest: Manifest,
    writer: &'c mut Writer,
    watch: &'c mut dyn FnMut(Event<'_>),
    /// Probes whose evidence words and lists of subjects read.
    read_again: BTreeSet<ProbeId>,
    /// That evidence.
    seen: Vec<(Vec<u8>, ItemFacts)>,
    members: BTreeMap<KindId, Vec<Member>>,
    /// Paths in the bundle that are in use.
    taken: BTreeSet<String>,
    /// What is known of each item, in the order of the plan.
    items: BTreeMap<(usize, usize, bool), ItemFacts>,
    /// First captures of what is taken twice.
    firsts: Vec<(Task, Done)>,
    notes: Vec<String>,
    unwritten: Vec<String>,
}

impl Capture<'_> {
    /// What there is to do in a round, now that the evidence of the rounds before is there.
    fn tasks(&mut self, round: usize) -> Vec<Task> {
        let settings = self.settings;
        let mut so_far = Bundle::empty("live");
        for (bytes, facts) in &self.seen {
            so_far.lay(&facts.path, bytes.clone(), facts.clone());
        }
        let prospect = Prospect::new(Arc::clone(&settings.ruleset), so_far, settings.inputs.clone());
        let mut tasks = Vec::new();
        for (at, step) in settings
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.round == round)
        {
            for (number, member) in self.members_of(step, &prospect).into_iter().enumerate() {
                tasks.extend(self.task((at, number), step, &member, &prospect));
            }
        }
        (self.watch)(Event::Planned(tasks.len()));
        tasks
    }

    fn members_of(&mut self, step: &Step, prospect: &Prospect) -> Vec<Member> {
        let Some(kind) = step.kind else {
            return vec![Member::default()];
        };
        if let Some(members) = self.members.get(&kind) {
            return members.clone();
        }
        let (members, problems) = prospect.members(kind);
        let id = &self.settings.ruleset.kinds[kind].id;
        self.notes.extend(
            problems
                .into_iter()
                .map(|problem| format!("members of `{id}`: {problem}")),
        );
        self.members.insert(kind, members.clone());
        members
    }

    /// One item that is to be had; none where its name is taken.
    fn task(&mut self, order: (usize, usize), step: &Step, member: &Member, prospect: &Prospect) -> Option<Task> {
        let ruleset = &self.settings.ruleset;
        let probe = &ruleset.probes[step.probe];
        let path = match member.folder.as_str() {
            "" => step.file.clone(),
            folder => format!("{folder}/{}", step.file),
        };
        if !self.taken.insert(path.clone()) {
            let code = ruleset.probe_code(step.probe);
            self.notes.push(format!(
                "`{code}` is not gathered: other evidence lies under its name `{path}`"
            ));
            return None;
        }
        let (mut attempts, mut refusals) = (Vec::new(), Vec::new());
        for way in &probe.ways {
            match self.attempt(way, member, prospect) {
                Ok(attempt) => attempts.push(attempt),
                Err(refusal) => refusals.push(refusal),
            }
        }
        refusals.sort_by_key(|refusal| refusal.outcome != Outcome::Denied);
        Some(Task {
            order,
            path,
            probe: step.probe,
            code: ruleset.probe_code(step.probe),
            subject: subject(ruleset, member),
            attempts,
            refusal: refusals.into_iter().next(),
            again: probe.again,
            not_before: None,
        })
    }

    fn attempt(&self, way: &Way, member: &Member, prospect: &Prospect) -> Result<Attempt, Gathered> {
        let settings = self.settings;
        let not_run = |reason: String| Gathered::nothing(Outcome::NotRun, reason);
        if let Some(kind) = member
            .kind
            .filter(|kind| member.listed && !prospect.tells_apart(way, *kind))
        {
            let id = &settings.ruleset.kinds[kind].id;
            return Err(not_run(format!("this way is the same for every `{id}`")));
        }
        let action = prospect.fill(member, way).settled().map_err(not_run)?;
        let rulebook = &settings.ruleset.rulebooks[way.rulebook];
        if !settings.allowance.allows(rulebook.shipped, &action) {
            let reason = format!("not allowed (--allow {}={})", action.kind(), action.target());
            return Err(Gathered::nothing(Outcome::Denied, reason));
        }
        let of_rulebook = rulebook
            .environment
            .iter()
            .filter_map(|glob| globset::Glob::new(glob).ok());
        let environment = of_rulebook
            .map(|glob| glob.compile_matcher())
            .chain(settings.environment.iter().cloned());
        Ok(Attempt {
            permits: settings.allowance.permits(rulebook.shipped, &action),
            environment: environment.collect(),
            timeout: way.timeout.unwrap_or(settings.bounds.each),
            limit: way.limit.unwrap_or(settings.bounds.limit),
            action,
        })
    }

    fn carry_out(&mut self, tasks: Vec<Task>) {
        let bounds = work::Bounds {
            until: self.until,
            jobs: self.settings.bounds.jobs,
            cancelled: Arc::clone(&self.settings.cancelled),
        };
        work::carry_out(tasks, &bounds, &mut |step| match step {
            work::Step::Started(shown) => (self.watch)(Event::Started(shown)),
            work::Step::Ended(task, done) => self.ended(*task, *done),
        });
    }

    fn ended(&mut self, task: Task, done: Done) {
        (self.watch)(Event::Ended(&task.path, done.gathered.outcome));
        let twice = task.again.is_some() && done.gathered.outcome == Outcome::Ok;
        if !twice || task.not_before.is_some() {
            self.keep(&task, done, false);
            return;
        }
        if self.read_again.contains(&task.probe) {
            let (facts, bytes) = self.cleaned(&task, done.clone());
            self.seen.push((bytes, facts));
        }
        self.firsts.push((task, done));
    }

    /// Takes once more what is to be compared; the first capture stands alone where there is no second.
    fn take_again(&mut self) {
        let firsts = std::mem::take(&mut self.firsts);
        let mut kept = BTreeMap::new();
        let mut again = Vec::new();
        for (task, done) in firsts {
            let due = done.began + task.again.unwrap_or_default();
            if due >= self.until {
                self.notes.push(format!(
                    "`{}` was taken once, not twice: the time for all would not suffice",
                    task.path
                ));
                self.keep(&task, done, false);
                continue;
            }
            again.push(Task {
                not_before: Some(due),
                ..task.clone()
            });
            kept.insert(task.order, (task, done));
        }
        (self.watch)(Event::Planned(again.len()));
        let bounds = work::Bounds {
            until: self.until,
            jobs: self.settings.bounds.jobs,
            cancelled: Arc::clone(&self.settings.cancelled),
        };
        work::carry_out(again, &bounds, &mut |step| {
            let work::Step::Ended(task, done) = step else { return };
            let Some((first, earlier)) = kept.remove(&task.order) else {
                return;
            };
            (self.watch)(Event::Ended(&task.path, done.gathered.outcome));
            if done.gathered.outcome == Outcome::NotRun {
                self.notes.push(format!("`{}` was taken once, not twice", task.path));
                self.keep(&first, earlier, false);
            } else {
                self.keep(&first, earlier, true);
                self.keep(&task, *done, false);
            }
        });
    }

    /// Keeps what a probe has given, without its secrets: all that a bundle will hold of it passes here.
    fn keep(&mut self, task: &Task, done: Done, earlier: bool) {
        let (facts, bytes) = self.cleaned(task, done);
        let mut facts = ItemFacts { earlier, ..facts };
        if earlier {
            facts.path = format!("{}/{}", bundle::BEFORE, facts.path);
        }
        if facts.outcome.is_some_and(leaves_bytes) {
            facts.size = Some(bytes.len() as u64);
            facts.sha256 = Some(sha256(&bytes));
            if let Err(error) = self.writer.add(&facts.path, &bytes, facts.captured_at) {
                self.unwritten.push(format!("`{}`: {error}", facts.path));
                lost(&mut facts, format!("it could not be written: {error}"));
            }
        }
        if self.read_again.contains(&task.probe) && task.again.is_none() {
            self.seen.push((bytes, facts.clone()));
        }
        self.items.insert((task.order.0, task.order.1, !earlier), facts);
    }

    /// What a probe has given, without its secrets.
    fn cleaned(&self, task: &Task, done: Done) -> (ItemFacts, Vec<u8>) {
        let mut facts = facts(task, &done);
        facts.redact(&self.settings.redactor);
        match bundle::cleaned(done.gathered.bytes, &self.settings.redactor) {
            Ok((bytes, count)) => {
                facts.redactions += count;
                (facts, bytes)
            }
            Err(why) => {
                lost(
                    &mut facts,
                    format!("left out, since nobody can look for secrets in it: {why}"),
                );
                (facts, Vec::new())
            }
        }
    }

    fn list(&mut self) {
        self.manifest.items = self.items.values().cloned().collect();
    }

    /// Notes how far it has come, for whoever finds the bundle after a crash.
    fn note(&mut self) {
        self.list();
        if let Err(error) = self.writer.note(&self.manifest) {
            self.unwritten.push(format!("the manifest: {error}"));
        }
    }

    /// Whether it was stopped before its end.
    fn is_cut(&self) -> bool {
        self.settings.cancelled.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

/// Notes that the bytes of an item are not kept.
fn lost(facts: &mut ItemFacts, reason: String) {
    facts.outcome = Some(Outcome::Failed);
    facts.reason = Some(reason);
    (facts.size, facts.sha256) = (None, None);
}

/// What is known of an item.
fn facts(task: &Task, done: &Done) -> ItemFacts {
    let gathered = &done.gathered;
    ItemFacts {
        path: task.path.clone(),
        probe: Some(task.code.clone()),
        subject: task.subject.clone(),
        origin: done.origin.clone(),
        captured_at: Some(rounded(done.at)),
        duration_ms: Some(u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX)),
        outcome: Some(gathered.outcome),
        reason: gathered.reason.clone(),
        exit: gathered.exit,
        http: gathered.http,
        stderr: gathered.stderr.clone(),
        truncated: gathered.truncated,
        ..ItemFacts::default()
    }
}

/// To milliseconds, and never before what the target has written.
fn rounded(at: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Ceil);
    at.round(up).unwrap_or(at)
}

/// A subject as manifests name it.
fn subject(ruleset: &Ruleset, member: &Member) -> Option<String> {
    let id = &ruleset.kinds[member.kind?].id;
    let names: Vec<&str> = member.values.values().map(String::as_str).collect();
    Some(match names.as_slice() {
        [] => id.clone(),
        names => format!("{id}/{}", names.join("/")),
    })
}
