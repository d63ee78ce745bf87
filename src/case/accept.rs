//! Accepting what is: the expectations of cases are rewritten to what their reports say. Only the keys of a case that change are written
//! anew; everything else of its file stays byte for byte.

mod write;

use crate::rulebook::decode::OneOrMany;
use crate::rulebook::spec::{CaseSpec, ExpectSpec, Severity};
use crate::rulebook::text::{Style, Text};

use crate::diagnostic::Sources;
use crate::report::model::{self, Finding, Report, RuleVerdict, Verdict};
use crate::rulebook::model::Ruleset;

use super::{Case, Kind, Outcome, check};

pub use write::{Change, Rewritten, rewrite};

/// A case whose expectations are to be written anew.
#[derive(Debug)]
pub struct Accepted<'c> {
    /// The case.
    pub case: &'c Case,
    /// Its expectations as they should be.
    pub spec: CaseSpec,
}

/// The expectations that each failing case should have. Cases that cannot be run are left out.
pub fn accepted<'c>(ruleset: &Ruleset, cases: &'c [Case], outcomes: &[Outcome]) -> Vec<Accepted<'c>> {
    let failing = cases
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| !outcome.mismatches.is_empty());
    let one = |(case, outcome): (&'c Case, &Outcome)| {
        let report = outcome.report.as_ref()?;
        let mut adapted = Adapter {
            ruleset,
            case,
            report,
            spec: case.spec.clone(),
        };
        for mismatch in &outcome.mismatches {
            if let Some(rule) = mismatch.rule.as_deref().filter(|_| mismatch.kind != Kind::Broken) {
                adapted.rule(rule);
            }
        }
        Some(Accepted {
            case,
            spec: adapted.spec,
        })
    };
    failing.filter_map(one).collect()
}

/// Rewrites the files of cases: each file's name, its new text and what is changed in it.
pub fn files<'s>(accepted: &[Accepted<'_>], sources: &'s Sources) -> Vec<(&'s str, Rewritten)> {
    let of_file = |(id, file): (crate::diagnostic::FileId, &'s crate::diagnostic::SourceFile)| {
        let own: Vec<&Accepted<'_>> = accepted
            .iter()
            .filter(|accepted| accepted.case.place.file == id)
            .collect();
        (!own.is_empty()).then(|| (file.name.as_str(), rewrite(id, sources, &own)))
    };
    sources.files().filter_map(of_file).collect()
}

struct Adapter<'a> {
    ruleset: &'a Ruleset,
    case: &'a Case,
    report: &'a Report,
    spec: CaseSpec,
}

impl Adapter<'_> {
    /// Makes the case expect what the report says of a rule.
    fn rule(&mut self, name: &str) {
        let own = format!("{}::", self.ruleset.rulebooks[self.case.rulebook].id);
        let short = name.strip_prefix(&own).unwrap_or(name);
        let code = if short.contains("::") {
            short.to_owned()
        } else {
            format!("{own}{short}")
        };
        let verdicts: Vec<&RuleVerdict> = self
            .report
            .verdicts
            .iter()
            .filter(|verdict| format!("{}::{}", verdict.rulebook, verdict.rule) == code)
            .collect();
        let Some(verdict) = common(&verdicts) else { return };
        let findings: Vec<&Finding> = self
            .report
            .findings
            .iter()
            .filter(|finding| finding.code == code)
            .collect();
        let expected = self.take(short, &code);
        let name = text(short);
        match verdict {
            Verdict::Fail => {
                let expected = expected.map(|expected| self.refitted(&expected, &findings));
                self.spec.fail.0.insert(name, expected);
            }
            Verdict::Unknown => {
                let reason = verdicts.iter().find_map(|verdict| verdict.reason.as_deref());
                self.spec.unknown.0.insert(name, reason.map(text));
            }
            Verdict::Pass => push(&mut self.spec.pass, name),
            Verdict::NotApplicable => push(&mut self.spec.not_applicable, name),
            Verdict::Error => push(&mut self.spec.error, name),
        }
    }

    /// Takes a rule out of all expectations; what was expected of its findings.
    fn take(&mut self, short: &str, code: &str) -> Option<OneOrMany<ExpectSpec>> {
        let same = |name: &Text| name.value == short || name.value == code;
        for list in [&mut self.spec.pass, &mut self.spec.not_applicable, &mut self.spec.error] {
            *list = list.iter().filter(|name| !same(name)).cloned().collect();
        }
        self.spec.unknown.0.retain(|name, _| !same(name));
        let expected = self.spec.fail.iter().find(|(name, _)| same(name));
        let expected = expected.and_then(|(_, expected)| expected.clone());
        self.spec.fail.0.retain(|name, _| !same(name));
        expected
    }

    /// The expectations, each true of the finding that comes nearest.
    fn refitted(&self, expected: &[ExpectSpec], findings: &[&Finding]) -> OneOrMany<ExpectSpec> {
        let fitted = expected.iter().map(|expected| {
            let nearest = findings
                .iter()
                .rev()
                .max_by_key(|finding| self.nearness(expected, finding));
            nearest.map_or_else(|| expected.clone(), |finding| self.refit(expected, finding))
        });
        fitted.collect()
    }

    /// How much of an expectation is true of a finding.
    fn nearness(&self, expected: &ExpectSpec, finding: &Finding) -> usize {
        let labels = expected
            .at
            .iter()
            .filter(|wanted| check::labelled(finding, wanted))
            .count();
        let others = [
            expected
                .says
                .as_ref()
                .is_some_and(|says| finding.message.contains(&says.value)),
            expected
                .subject
                .as_ref()
                .is_some_and(|subject| subject.value == finding.subject),
            expected
                .key
                .as_ref()
                .is_some_and(|key| finding.key.as_ref() == Some(&key.value)),
        ];
        labels + others.into_iter().filter(|holds| *holds).count()
    }

    fn refit(&self, expected: &ExpectSpec, finding: &Finding) -> ExpectSpec {
        let mut fitted = expected.clone();
        if fitted
            .says
            .as_ref()
            .is_some_and(|says| !finding.message.contains(&says.value))
        {
            fitted.says = Some(text(&finding.message));
        }
        if !fitted.at.iter().all(|wanted| check::labelled(finding, wanted)) {
            let first = finding.labels.first().map(|label| text(&label.text));
            let shown = fitted
                .at
                .iter()
                .filter(|wanted| check::labelled(finding, wanted))
                .cloned();
            fitted.at = shown.collect();
            if fitted.at.is_empty() {
                fitted.at = first.into_iter().collect();
            }
        }
        fitted.subject = fitted.subject.map(|_| text(&finding.subject));
        fitted.key = fitted.key.and(finding.key.as_deref().map(text));
        fitted.severity = fitted.severity.map(|_| severity(finding.severity));
        if !fitted.explained_by.is_empty() {
            fitted.explained_by = self.causes(finding);
        }
        fitted
    }

    /// The rules whose findings explain this one, as a case names them.
    fn causes(&self, finding: &Finding) -> OneOrMany<Text> {
        let own = format!("{}::", self.ruleset.rulebooks[self.case.rulebook].id);
        let by = |cause: &&Finding| finding.explained_by.contains(&cause.fingerprint);
        let causes = self.report.findings.iter().filter(by);
        let mut names: Vec<Text> = Vec::new();
        for cause in causes {
            let name = text(cause.code.strip_prefix(&own).unwrap_or(&cause.code));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push(text(ExpectSpec::NONE));
        }
        names.into_iter().collect()
    }
}

/// The verdict that a case can expect: a fail if there is one, else that of all subjects.
fn common(verdicts: &[&RuleVerdict]) -> Option<Verdict> {
    let first = verdicts.first()?.verdict;
    match () {
        () if verdicts.iter().any(|verdict| verdict.verdict == Verdict::Fail) => Some(Verdict::Fail),
        () if verdicts.iter().all(|verdict| verdict.verdict == first) => Some(first),
        () => None,
    }
}

fn push(list: &mut OneOrMany<Text>, name: Text) {
    *list = list.iter().cloned().chain([name]).collect();
}

/// A text that stands nowhere yet.
fn text(value: &str) -> Text {
    Text {
        value: value.to_owned(),
        place: crate::diagnostic::Place::default(),
        style: Style::Plain,
    }
}

fn severity(severity: model::Severity) -> Severity {
    match severity {
        model::Severity::Critical => Severity::Critical,
        model::Severity::Error => Severity::Error,
        model::Severity::Warning => Severity::Warning,
        model::Severity::Info => Severity::Info,
    }
}
