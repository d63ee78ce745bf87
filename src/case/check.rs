//! What a report says against what a case expects.

use std::collections::BTreeSet;

use crate::report::model::{Finding, Label, Report, RuleVerdict, Verdict};
use crate::rulebook::model::{Rule, RuleId, Ruleset};
use crate::rulebook::spec::ExpectSpec;
use crate::rulebook::text::Text;

use super::{About, Case};

/// A difference between a report and a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What sort of difference it is.
    pub kind: Kind,
    /// The rule that it is about.
    pub rule: Option<String>,
    /// What was expected, and what was found.
    pub message: String,
}

/// The sorts of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The case itself cannot be run.
    Broken,
    /// A rule that should fail does not.
    Miss,
    /// A rule fails that should not.
    FalseAlarm,
    /// A verdict differs in another way.
    WrongVerdict,
    /// A finding says or shows something else than expected.
    WrongFinding,
}

impl Kind {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Broken => "cannot run",
            Kind::Miss => "miss",
            Kind::FalseAlarm => "false alarm",
            Kind::WrongVerdict => "wrong verdict",
            Kind::WrongFinding => "wrong finding",
        }
    }
}

/// All differences between a report and what its case expects of the rules that are wanted.
pub(super) fn compare(
    ruleset: &Ruleset,
    case: &Case,
    report: &Report,
    wanted: &dyn Fn(RuleId) -> bool,
) -> Vec<Mismatch> {
    let checker = Checker {
        ruleset,
        case,
        report,
        wanted,
    };
    let mut found = Vec::new();
    for (verdict, name, about) in case.expected() {
        if !case.rule(name).is_some_and(wanted) {
            continue;
        }
        match about {
            About::Findings(expectations) => found.extend(checker.fails(name, expectations)),
            About::Reason(reason) => found.extend(checker.verdict(name, verdict, Some(reason))),
            About::Nothing => found.extend(checker.verdict(name, verdict, None)),
        }
    }
    found.extend(checker.unexpected());
    found.sort_by(|a, b| (a.kind, &a.rule).cmp(&(b.kind, &b.rule)));
    found
}

struct Checker<'a> {
    ruleset: &'a Ruleset,
    case: &'a Case,
    report: &'a Report,
    wanted: &'a dyn Fn(RuleId) -> bool,
}

impl Checker<'_> {
    /// The verdicts on a rule, one for each subject.
    fn verdicts(&self, name: &str) -> Vec<&RuleVerdict> {
        let Some(rule) = self.case.rule(name).map(|rule| &self.ruleset.rules[rule]) else {
            return Vec::new();
        };
        let rulebook = &self.ruleset.rulebooks[rule.rulebook].id;
        self.report
            .verdicts
            .iter()
            .filter(|v| v.rule == rule.id && v.rulebook == *rulebook)
            .collect()
    }

    fn fails(&self, name: &Text, expectations: &[ExpectSpec]) -> Vec<Mismatch> {
        let verdicts = self.verdicts(name);
        if !verdicts.iter().any(|verdict| verdict.verdict == Verdict::Fail) {
            let message = format!("expected `fail`, found {}", said(&verdicts));
            return vec![Mismatch {
                kind: Kind::Miss,
                rule: Some(name.value.clone()),
                message,
            }];
        }
        let code = self.code(name);
        let findings: Vec<&Finding> = self
            .report
            .findings
            .iter()
            .filter(|finding| Some(&finding.code) == code.as_ref())
            .collect();
        let unmet = expectations
            .iter()
            .filter(|expected| !findings.iter().any(|finding| self.meets(finding, expected)));
        let mismatch = |expected: &ExpectSpec| Mismatch {
            kind: Kind::WrongFinding,
            rule: Some(name.value.clone()),
            message: format!(
                "no finding with {}; found: {}",
                wanted(expected),
                findings.iter().map(|f| self.shown(f)).collect::<Vec<_>>().join(" | ")
            ),
        };
        let unmet = unmet.map(mismatch);
        let alarms = findings
            .iter()
            .filter(|finding| self.is_alarm(finding, expectations))
            .map(|finding| Mismatch {
                kind: Kind::FalseAlarm,
                rule: Some(name.value.clone()),
                message: format!("not expected: {}", self.shown(finding)),
            });
        unmet.chain(alarms).collect()
    }

    /// With `only`, a finding that none of the expectations of its rule describes; where the rule has none, all are expected.
    fn is_alarm(&self, finding: &Finding, expectations: &[ExpectSpec]) -> bool {
        let only = self.case.spec.only == Some(true) && !expectations.is_empty();
        only && !expectations.iter().any(|expected| self.meets(finding, expected))
    }

    fn verdict(&self, name: &Text, expected: Verdict, reason: Option<&Text>) -> Option<Mismatch> {
        let verdicts = self.verdicts(name);
        let rule = Some(name.value.clone());
        if verdicts.is_empty() || verdicts.iter().any(|verdict| verdict.verdict != expected) {
            let failed = verdicts.iter().any(|verdict| verdict.verdict == Verdict::Fail);
            let kind = if failed { Kind::FalseAlarm } else { Kind::WrongVerdict };
            return Some(Mismatch {
                kind,
                rule,
                message: format!("expected `{}`, found {}", word(expected), said(&verdicts)),
            });
        }
        let reason = reason?;
        let given = |verdict: &&RuleVerdict| {
            verdict
                .reason
                .as_deref()
                .is_some_and(|text| text.contains(&reason.value))
        };
        (!verdicts.iter().any(given)).then(|| {
            let message = format!("expected a reason with `{reason}`, found {}", said(&verdicts));
            Mismatch {
                kind: Kind::WrongVerdict,
                rule,
                message,
            }
        })
    }

    /// With `only`, findings of rules that are not expected to fail; without, rules that broke.
    fn unexpected(&self) -> Vec<Mismatch> {
        let mut found = Vec::new();
        for verdict in &self.report.verdicts {
            let alarms = verdict.verdict == Verdict::Fail && self.case.spec.only == Some(true);
            if !alarms && verdict.verdict != Verdict::Error {
                continue;
            }
            let Some(id) = id_of(self.ruleset, verdict).filter(|id| (self.wanted)(*id)) else {
                continue;
            };
            if !self.concerns(id) {
                continue;
            }
            // Where another verdict is expected, that is told already.
            let told = [verdict.verdict, Verdict::Pass, Verdict::Unknown, Verdict::NotApplicable];
            if !told.iter().any(|expected| self.case.expects(*expected, id)) {
                let kind = if alarms { Kind::FalseAlarm } else { Kind::WrongVerdict };
                found.push(Mismatch {
                    kind,
                    rule: Some(format!("{}::{}", verdict.rulebook, verdict.rule)),
                    message: format!("not expected: {}", said(&[verdict])),
                });
            }
        }
        found
    }

    /// Whether a rule is of the case's own rulebook or of one that it uses; what else is loaded has no say in it.
    fn concerns(&self, rule: RuleId) -> bool {
        let rulebooks = &self.ruleset.rulebooks;
        let mut open = vec![self.case.rulebook];
        while let Some(next) = open.pop() {
            if next == self.ruleset.rules[rule].rulebook {
                return true;
            }
            open.extend(&rulebooks[next].uses);
        }
        false
    }

    fn code(&self, name: &str) -> Option<String> {
        let rule = self.case.rule(name)?;
        Some(self.ruleset.rules[rule].code(self.ruleset))
    }

    fn meets(&self, finding: &Finding, expected: &ExpectSpec) -> bool {
        let causes = || self.causes(finding).map(|cause| cause.code.clone());
        let wanted = || expected.causes().filter_map(|name| self.code(name));
        let explained = || causes().collect::<BTreeSet<_>>() == wanted().collect::<BTreeSet<_>>();
        meets(finding, expected) && (expected.explained_by.is_empty() || explained())
    }

    /// The findings that explain a finding.
    fn causes(&self, finding: &Finding) -> impl Iterator<Item = &Finding> {
        let by = |cause: &&Finding| finding.explained_by.contains(&cause.fingerprint);
        self.report.findings.iter().filter(by)
    }

    fn shown(&self, finding: &Finding) -> String {
        let labels: Vec<&str> = finding.labels.iter().map(|label| label.text.as_str()).collect();
        let key = finding.key.as_deref().unwrap_or("-");
        let causes: Vec<&str> = self.causes(finding).map(|cause| cause.code.as_str()).collect();
        let explained = match causes.is_empty() {
            true => String::new(),
            false => format!("; explained by {}", causes.join(", ")),
        };
        format!(
            "{} `{}` [key {key}; labels on {}{explained}]",
            finding.severity.word(),
            finding.message,
            labels.join(", ")
        )
    }
}

/// The rule that a verdict is about.
pub(super) fn id_of(ruleset: &Ruleset, verdict: &RuleVerdict) -> Option<RuleId> {
    let same = |rule: &Rule| rule.id == verdict.rule && ruleset.rulebooks[rule.rulebook].id == verdict.rulebook;
    ruleset.rules.iter().position(same)
}

/// Whether a label of a finding shows a text.
pub(super) fn labelled(finding: &Finding, wanted: &Text) -> bool {
    let shows = |label: &Label| {
        let excerpt = label.excerpt.as_ref().map_or("", |excerpt| excerpt.text.as_str());
        label.text.contains(&wanted.value) || excerpt.contains(&wanted.value)
    };
    finding.labels.iter().any(shows)
}

fn meets(finding: &Finding, expected: &ExpectSpec) -> bool {
    let contains = |text: &str, part: &Option<Text>| part.as_ref().is_none_or(|part| text.contains(&part.value));
    let equals =
        |text: Option<&str>, wanted: &Option<Text>| wanted.as_ref().is_none_or(|wanted| text == Some(&wanted.value));
    contains(&finding.message, &expected.says)
        && expected.at.iter().all(|wanted| labelled(finding, wanted))
        && equals(Some(&finding.subject), &expected.subject)
        && equals(finding.key.as_deref(), &expected.key)
        && expected
            .severity
            .is_none_or(|severity| finding.severity == crate::rulebook::compile::severity(severity))
}

fn wanted(expected: &ExpectSpec) -> String {
    let mut parts = Vec::new();
    let mut part = |word: &str, text: &Option<Text>| parts.extend(text.as_ref().map(|text| format!("{word} `{text}`")));
    part("the words", &expected.says);
    part("the subject", &expected.subject);
    part("the key", &expected.key);
    parts.extend(expected.at.iter().map(|text| format!("a label on `{text}`")));
    parts.extend(
        expected
            .severity
            .map(|severity| format!("the severity `{}`", crate::rulebook::compile::severity(severity).word())),
    );
    let causes: Vec<String> = expected.explained_by.iter().map(|rule| format!("`{rule}`")).collect();
    if !causes.is_empty() {
        parts.push(format!("an explanation by {} alone", causes.join(", ")));
    }
    parts.join(" and ")
}

fn said(verdicts: &[&RuleVerdict]) -> String {
    if verdicts.is_empty() {
        return "no verdict".into();
    }
    let one = |verdict: &&RuleVerdict| match verdict.reason.as_ref().or(verdict.remark.as_ref()) {
        Some(reason) => format!("`{}` ({reason})", word(verdict.verdict)),
        None => format!("`{}`", word(verdict.verdict)),
    };
    verdicts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The word for a verdict, as cases have it.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::NotApplicable => "not-applicable",
        Verdict::Error => "error",
    }
}
