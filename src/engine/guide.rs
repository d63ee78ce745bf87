//! Guides walked over a bundle: every rule is judged as in any run, and the steps of a guide are read off the report.

mod hops;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobMatcher;

use crate::bundle::Bundle;
use crate::report::guide::{Cause, Head, Schema, Step, Walked, worst};
use crate::report::model::{Finding, Report, RuleVerdict, Severity};
use crate::rulebook::model::{Advice, Guide, GuideId, KindId, RuleId, Ruleset, Walk};

use super::context::Context;
use super::examine::Examined;
use super::halt::Halt;
use super::run::{Run, Subject};
use super::{Settings, assemble};

/// Most subjects whose own words of advice are told apart.
const MAX_SAID: usize = 3;

/// How a guide is walked.
#[derive(Debug)]
pub struct Way {
    /// The guide.
    pub guide: GuideId,
    /// Only subjects whose name matches, beside the bundle as a whole.
    pub only: Option<GlobMatcher>,
    /// Least severity of findings that end the walk.
    pub stop: Severity,
    /// Whether to walk on after that.
    pub all: bool,
}

/// Why a guide cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A computed walk is about one subject, and the bundle holds several.
    #[error("this walk is about one `{kind}`, and the bundle holds {count}")]
    Several {
        /// The kind of subject.
        kind: String,
        /// How many there are.
        count: usize,
        /// The name of one of them.
        one: String,
    },
}

/// A bundle that was judged, for guides to be walked over it.
#[derive(Debug)]
pub struct Guided {
    context: Arc<Context>,
    whole: Arc<Run>,
    subjects: Vec<Subject>,
    report: Report,
    /// The files that each rule read on each subject.
    read: BTreeMap<(RuleId, String), Vec<String>>,
}

impl Guided {
    /// Judges a bundle by all rules.
    pub fn new(ruleset: Arc<Ruleset>, bundle: Bundle, settings: Settings) -> Guided {
        let all = super::examine(ruleset, bundle, settings);
        let read = files_read(&all.examined);
        Guided {
            report: assemble::report(&all.context, all.examined),
            context: all.context,
            whole: all.kept.whole,
            subjects: all.subjects,
            read,
        }
    }

    /// The rulebooks.
    pub fn ruleset(&self) -> &Ruleset {
        &self.context.ruleset
    }

    /// Walks a guide.
    ///
    /// # Errors
    /// [`WalkError`].
    pub fn walk(&self, way: &Way) -> Result<Walked, WalkError> {
        let guide = &self.ruleset().guides[way.guide];
        match &guide.walk {
            Walk::Steps(_) => Ok(self.walk_steps(guide, way)),
            Walk::Hops(hops) => hops::walk(self, guide, hops, way),
        }
    }

    fn walked(&self, guide: &Guide, steps: Vec<Step>, stopped_at: Option<u32>) -> Walked {
        Walked {
            schema: Schema::default(),
            guide: Head {
                code: guide.code(self.ruleset()),
                title: guide.title.clone(),
                about: guide.about.clone(),
            },
            steps,
            stopped_at,
            report: self.report.clone(),
        }
    }

    fn walk_steps(&self, guide: &Guide, way: &Way) -> Walked {
        let Walk::Steps(declared) = &guide.walk else {
            return self.walked(guide, Vec::new(), None);
        };
        let (mut steps, mut stopped_at) = (Vec::new(), None);
        for (step, number) in declared.iter().zip(1..) {
            let ahead = Step::ahead(number, step.title.clone(), step.about.clone());
            if stopped_at.is_some() && !way.all {
                steps.push(ahead);
                continue;
            }
            let step = self.step(guide, step, ahead, way);
            if stopped_at.is_none() && self.stops(&step, way.stop) {
                stopped_at = Some(number);
            }
            steps.push(step);
        }
        self.walked(guide, steps, stopped_at)
    }

    fn step(&self, guide: &Guide, declared: &crate::rulebook::model::Step, ahead: Step, way: &Way) -> Step {
        let verdicts = self.verdicts(&declared.rules, way);
        let says = declared.says.iter().flat_map(|says| self.said(guide, says, way));
        let looks = declared.looks.iter().filter_map(|words| self.command(guide, words));
        let findings = self.findings(&declared.rules, way);
        Step {
            walked: true,
            verdict: worst(verdicts.iter().map(|(_, verdict)| verdict.verdict)),
            says: says.collect(),
            r#try: looks.collect(),
            evidence: self.evidence(&verdicts),
            causes: self.causes(guide, &declared.rules, &findings),
            findings: findings.iter().map(|finding| finding.fingerprint.clone()).collect(),
            verdicts: verdicts.into_iter().map(|(_, verdict)| verdict.clone()).collect(),
            ..ahead
        }
    }

    /// Whether a subject of this name is wanted; the bundle always is.
    fn wants(way: &Way, name: &str) -> bool {
        name == "bundle" || way.only.as_ref().is_none_or(|only| only.is_match(name))
    }

    fn verdicts(&self, rules: &[RuleId], way: &Way) -> Vec<(RuleId, &RuleVerdict)> {
        let of_rule = |id: &RuleId| {
            let (id, rule) = (*id, &self.ruleset().rules[*id]);
            let rulebook = &self.ruleset().rulebooks[rule.rulebook].id;
            let own = self.report.verdicts.iter();
            let own = own.filter(move |verdict| verdict.rule == rule.id && verdict.rulebook == *rulebook);
            own.filter(|verdict| Guided::wants(way, &verdict.subject))
                .map(move |verdict| (id, verdict))
        };
        rules.iter().flat_map(of_rule).collect()
    }

    fn findings(&self, rules: &[RuleId], way: &Way) -> Vec<&Finding> {
        let codes: Vec<String> = self.codes(rules);
        let findings = self.report.findings.iter();
        let own = findings.filter(|finding| codes.contains(&finding.code));
        own.filter(|finding| Guided::wants(way, &finding.subject)).collect()
    }

    fn codes(&self, rules: &[RuleId]) -> Vec<String> {
        let code = |rule: &RuleId| self.ruleset().rules[*rule].code(self.ruleset());
        rules.iter().map(code).collect()
    }

    fn evidence(&self, verdicts: &[(RuleId, &RuleVerdict)]) -> Vec<String> {
        let mut files = Vec::new();
        for (rule, verdict) in verdicts {
            for file in self.read.get(&(*rule, verdict.subject.clone())).into_iter().flatten() {
                if !files.contains(file) {
                    files.push(file.clone());
                }
            }
        }
        files
    }

    /// The root causes of findings, as far as other rules than the step's found them.
    fn causes(&self, guide: &Guide, own: &[RuleId], findings: &[&Finding]) -> Vec<Cause> {
        let (own, mut open) = (self.codes(own), findings.to_vec());
        let (mut seen, mut causes) = (std::collections::BTreeSet::new(), Vec::new());
        while let Some(finding) = open.pop() {
            if !seen.insert(finding.fingerprint.as_str()) {
                continue;
            }
            if finding.is_root() && !own.contains(&finding.code) {
                causes.push(Cause {
                    fingerprint: finding.fingerprint.clone(),
                    code: finding.code.clone(),
                    step: self.step_of(guide, &finding.code),
                });
            }
            let by = |other: &&Finding| finding.explained_by.contains(&other.fingerprint);
            open.extend(self.report.findings.iter().filter(by));
        }
        causes.sort_by(|a, b| (&a.code, &a.fingerprint).cmp(&(&b.code, &b.fingerprint)));
        causes
    }

    /// The number of the step that asks a rule.
    fn step_of(&self, guide: &Guide, code: &str) -> Option<u32> {
        let Walk::Steps(steps) = &guide.walk else { return None };
        let asks = |rules: &[RuleId]| self.codes(rules).iter().any(|asked| asked == code);
        let mut numbered = steps.iter().zip(1..);
        numbered.find(|(step, _)| asks(&step.rules)).map(|(_, number)| number)
    }

    /// Whether a walk ends at a step: one of its findings, or of their causes, is grave enough and not accepted.
    fn stops(&self, step: &Step, least: Severity) -> bool {
        let causes = step.causes.iter().map(|cause| &cause.fingerprint);
        let mut all = step.findings.iter().chain(causes);
        all.any(|fingerprint| {
            let grave = |finding: &&Finding| finding.waived.is_none() && finding.severity >= least;
            let mut findings = self.report.findings.iter().filter(grave);
            findings.any(|finding| finding.fingerprint == *fingerprint)
        })
    }

    /// The subjects of a kind that are wanted, or the whole.
    fn runs(&self, kind: Option<KindId>, way: &Way) -> Vec<Arc<Run>> {
        if kind.is_none() {
            return vec![Arc::clone(&self.whole)];
        }
        let subjects = self.subjects.iter().filter(|subject| subject.kind == kind);
        let runs = subjects.map(|subject| Run::of(&self.context, subject, &self.whole));
        runs.filter(|run| way.only.is_none() || Guided::wants(way, &run.label()))
            .collect()
    }

    /// Advice as it reads here: once where it reads the same for all subjects.
    fn said(&self, guide: &Guide, says: &Advice, way: &Way) -> Vec<String> {
        let mut said: Vec<(String, String)> = Vec::new();
        for run in self.runs(says.kind, way) {
            let words = run.frame(guide.rulebook).with_holes().told(&says.words, &[]);
            let words = words.unwrap_or_else(|halt| match halt {
                Halt::Unknown(unknown) => format!("(what is to be said here is not known: {})", unknown.reason),
                broken @ Halt::Broken(_) => format!("(broken: {})", broken.told(self.ruleset())),
            });
            if !said.iter().any(|(_, known)| *known == words) && said.len() < MAX_SAID {
                said.push((run.label(), words));
            }
        }
        match said.as_slice() {
            [_] => said.into_iter().map(|(_, words)| words).collect(),
            _ => said
                .iter()
                .map(|(subject, words)| format!("{subject}: {words}"))
                .collect(),
        }
    }

    /// A command of a step; none where a word of it is not known.
    fn command(&self, guide: &Guide, words: &[Advice]) -> Option<Vec<String>> {
        let word = |word: &Advice| {
            let first = match word.kind {
                None => Some(Arc::clone(&self.whole)),
                kind => {
                    let mut subjects = self.subjects.iter().filter(|subject| subject.kind == kind);
                    subjects
                        .next()
                        .map(|subject| Run::of(&self.context, subject, &self.whole))
                }
            };
            first?.frame(guide.rulebook).with_holes().told(&word.words, &[]).ok()
        };
        words.iter().map(word).collect()
    }
}

/// The files that each rule read on each subject, by the names that reports give the subjects.
fn files_read(examined: &[Examined]) -> BTreeMap<(RuleId, String), Vec<String>> {
    let whole = examined.first().map(|whole| whole.items.as_slice()).unwrap_or_default();
    let mut read = BTreeMap::new();
    for subject in examined {
        let items = || subject.items.iter().chain(whole);
        let path = |probe: usize| items().find(|(id, _)| *id == probe)?.1.path.clone();
        for ((rule, probes), (_, verdict)) in subject.reads.iter().zip(&subject.verdicts) {
            let files = probes.iter().filter_map(path).collect();
            read.insert((*rule, verdict.subject.clone()), files);
        }
    }
    read
}
