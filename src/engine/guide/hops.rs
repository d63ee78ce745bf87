//! Computed walks: a script gives the hops, of which the first that fails is a finding.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map};

use crate::report::guide::{Step, Walked};
use crate::report::model::{Finding, Label, Severity, Verdict};
use crate::rulebook::model::{Guide, Hops};
use crate::script;

use super::super::run::Run;
use super::super::trace::Trace;
use super::super::{assemble, finding, halt::Halt};
use super::{Guided, WalkError, Way};

/// Most places that a hop shows of each sort.
const MAX_PLACES: usize = 5;

/// Walks the hops of one subject, or of the bundle.
pub(super) fn walk(guided: &Guided, guide: &Guide, hops: &Hops, way: &Way) -> Result<Walked, WalkError> {
    let kind = hops.kind.map_or("", |kind| guided.ruleset().kinds[kind].id.as_str());
    let walker = match guided.runs(hops.kind, way).as_slice() {
        [run] => Walker {
            run: Arc::clone(run),
            guide,
        },
        [] => {
            let whole = Walker {
                run: Arc::clone(&guided.whole),
                guide,
            };
            let nothing = Halt::unknown(format!("the bundle holds nothing of a {kind}"));
            return Ok(guided.walked(guide, vec![whole.stopped(1, nothing)], None));
        }
        [first, rest @ ..] => {
            return Err(WalkError::Several {
                kind: kind.to_owned(),
                count: rest.len() + 1,
                one: first.label(),
            });
        }
    };
    let mut steps = walker.steps(hops);
    let found = steps.iter().position(|step| step.verdict == Some(Verdict::Fail));
    let finding = found.and_then(|at| steps.get_mut(at)).map(|step| walker.finding(step));
    let stopped_at = found.and_then(|at| steps.get(at)).map(|step| step.number);
    let stopped_at = stopped_at.filter(|_| Severity::Error >= way.stop);
    if let (Some(last), false) = (stopped_at, way.all) {
        let ahead = steps.iter_mut().filter(|step| step.number > last);
        ahead.for_each(|step| *step = Step::ahead(step.number, std::mem::take(&mut step.title), None));
    }
    let mut walked = guided.walked(guide, steps, stopped_at);
    walked.report.findings.splice(0..0, finding);
    Ok(walked)
}

struct Walker<'g> {
    run: Arc<Run>,
    guide: &'g Guide,
}

impl Walker<'_> {
    fn steps(&self, hops: &Hops) -> Vec<Step> {
        let frame = self.run.frame(self.guide.rulebook);
        let list = frame.eval(&hops.script, &[]).and_then(|value| {
            value.into_array().map_err(|kind| {
                Halt::broken(format!("`hops` gives a list of hops, and this is of type {kind}")).at(&hops.script.text)
            })
        });
        let trace = frame.take_trace();
        match list {
            Err(halt) => vec![self.stopped(1, halt)],
            Ok(list) if list.is_empty() => vec![self.stopped(1, Halt::unknown("nothing was looked at"))],
            Ok(list) => self.hops(list, hops, &trace),
        }
    }

    fn hops(&self, list: Array, hops: &Hops, trace: &Trace) -> Vec<Step> {
        let step = |(hop, number): (Dynamic, u32)| match self.hop(number, hop, trace) {
            Ok(step) => step,
            Err(message) => self.stopped(number, Halt::broken(message).at(&hops.script.text)),
        };
        list.into_iter().zip(1..).map(step).collect()
    }

    fn hop(&self, number: u32, hop: Dynamic, trace: &Trace) -> Result<Step, String> {
        let hop: Map = hop
            .try_cast()
            .ok_or_else(|| format!("hop {number} is no `#{{ title, at, says, verdict }}`"))?;
        let text = |name: &str| hop.get(name).filter(|value| !value.is_unit()).map(script::show);
        let title = text("title").ok_or_else(|| format!("hop {number} has no `title`"))?;
        let (verdict, says) = guarded(verdict(number, text("verdict"))?, text("says"), trace);
        let labels: Vec<Label> = hop.get("at").map(|at| self.labels(at, None)).unwrap_or_default();
        let lost = hop.get("lost").map(|lost| self.lost(lost)).unwrap_or_default();
        let mut step = self.step(number, title, verdict, says);
        step.evidence = evidence(labels.iter().chain(&lost));
        step.labels = labels;
        step.lost = lost;
        step.says = text("help").filter(|_| verdict != Verdict::Pass).into_iter().collect();
        Ok(step)
    }

    /// A hop that was decided, or not, for this reason.
    fn step(&self, number: u32, title: String, verdict: Verdict, says: Option<String>) -> Step {
        let (rulebook, rule) = (self.guide.rulebook, self.guide.id.clone());
        let mut told = assemble::verdict_of(self.run.ruleset(), rulebook, rule, self.run.label());
        told.verdict = verdict;
        match verdict {
            Verdict::Pass => told.remark = says,
            _ => told.reason = says,
        }
        Step {
            walked: true,
            verdict: Some(verdict),
            verdicts: vec![told],
            ..Step::ahead(number, title, None)
        }
    }

    /// The walk as far as it could not go.
    fn stopped(&self, number: u32, halt: Halt) -> Step {
        let title = self.guide.title.clone();
        let ruleset = self.run.ruleset();
        let verdict = match &halt {
            Halt::Unknown(_) => Verdict::Unknown,
            Halt::Broken(_) => Verdict::Error,
        };
        let mut step = self.step(number, title, verdict, Some(halt.told(ruleset)));
        if let (Halt::Unknown(unknown), Some(told)) = (halt, step.verdicts.first_mut()) {
            told.missing = unknown.missing;
        }
        step
    }

    fn labels(&self, at: &Dynamic, says: Option<&str>) -> Vec<Label> {
        let places = script::places_of(at).into_iter().take(MAX_PLACES);
        places
            .filter_map(|place| finding::label(&self.run, place, says, true))
            .collect()
    }

    /// What was passed over: a list of `#{ at, says }`.
    fn lost(&self, lost: &Dynamic) -> Vec<Label> {
        let Some(lost) = lost.read_lock::<Array>() else {
            return Vec::new();
        };
        let label = |lost: &Dynamic| {
            let lost = lost.read_lock::<Map>()?;
            let says = lost.get("says").map(script::show);
            self.labels(lost.get("at")?, says.as_deref()).into_iter().next()
        };
        lost.iter().filter_map(label).take(MAX_PLACES).collect()
    }

    /// The finding that a failing hop is; the hop refers to it.
    fn finding(&self, step: &mut Step) -> Finding {
        let ruleset = self.run.ruleset();
        let code = self.guide.code(ruleset);
        let subject = self.run.label();
        let group = self.run.identity().group.clone();
        let fingerprint = finding::fingerprint(&code, group.as_ref().unwrap_or(&subject), Some(&step.title));
        step.findings.push(fingerprint.clone());
        let rulebook = &ruleset.rulebooks[self.guide.rulebook];
        let reason = step.verdicts.first().and_then(|verdict| verdict.reason.clone());
        let help = Some(step.says.join("\n")).filter(|help| !help.is_empty());
        step.says.clear();
        Finding {
            code,
            rulebook: rulebook.id.clone(),
            rule: self.guide.id.clone(),
            title: step.title.clone(),
            refs: Vec::new(),
            severity: Severity::Error,
            subject,
            key: Some(step.title.clone()),
            message: reason.unwrap_or_else(|| step.title.clone()),
            labels: step.labels.iter().chain(&step.lost).cloned().collect(),
            labels_omitted: 0,
            help,
            r#try: Vec::new(),
            fix: Vec::new(),
            docs: rulebook.docs.clone(),
            explained_by: Vec::new(),
            explains: Vec::new(),
            consequences: 0,
            fingerprint,
            waived: None,
        }
    }
}

fn verdict(number: u32, word: Option<String>) -> Result<Verdict, String> {
    match word.as_deref() {
        Some("pass") => Ok(Verdict::Pass),
        Some("fail") => Ok(Verdict::Fail),
        Some("unknown") => Ok(Verdict::Unknown),
        Some("not-applicable") => Ok(Verdict::NotApplicable),
        Some(word) => Err(format!(
            "the verdict of hop {number} is `{word}`, and is one of `pass`, `fail`, `unknown`, `not-applicable`"
        )),
        None => Err(format!("hop {number} has no `verdict`")),
    }
}

/// A verdict as it stands, or unknown where it cannot rest on what was read.
fn guarded(verdict: Verdict, says: Option<String>, trace: &Trace) -> (Verdict, Option<String>) {
    match trace.objection(verdict) {
        Some(reason) => (Verdict::Unknown, Some(reason)),
        None => (verdict, says),
    }
}

fn evidence<'l>(labels: impl Iterator<Item = &'l Label>) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for label in labels {
        if !files.contains(&label.evidence) {
            files.push(label.evidence.clone());
        }
    }
    files
}
