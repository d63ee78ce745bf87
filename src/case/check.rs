//! What a report says against what a case expects.

use crate::report::model::{Finding, Label, Report, RuleVerdict, Verdict};
use crate::rulebook::model::{RuleId, Ruleset};
use crate::rulebook::spec::ExpectSpec;
use crate::rulebook::text::Text;

use super::Case;

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

/// The rule that a case means by a name.
pub(super) fn rule(ruleset: &Ruleset, case: &Case, name: &str) -> Option<RuleId> {
    let own = &ruleset.rulebooks[case.rulebook].id;
    let code = if name.contains("::") {
        name.to_owned()
    } else {
        format!("{own}::{name}")
    };
    (0..ruleset.rules.len()).find(|rule| ruleset.rules[*rule].code(ruleset) == code)
}

/// All differences between a report and what its case expects.
pub(super) fn compare(ruleset: &Ruleset, case: &Case, report: &Report) -> Vec<Mismatch> {
    let checker = Checker { ruleset, case, report };
    let mut found = Vec::new();
    for (name, expectations) in case.spec.fail.iter() {
        found.extend(checker.fails(name, expectations.as_deref().unwrap_or_default()));
    }
    for name in &case.spec.pass {
        found.extend(checker.verdict(name, Verdict::Pass, None));
    }
    for (name, reason) in case.spec.unknown.iter() {
        found.extend(checker.verdict(name, Verdict::Unknown, reason.as_ref()));
    }
    for name in &case.spec.not_applicable {
        found.extend(checker.verdict(name, Verdict::NotApplicable, None));
    }
    for name in &case.spec.error {
        found.extend(checker.verdict(name, Verdict::Error, None));
    }
    found.extend(checker.unexpected());
    found.sort_by(|a, b| (a.kind, &a.rule).cmp(&(b.kind, &b.rule)));
    found
}

struct Checker<'a> {
    ruleset: &'a Ruleset,
    case: &'a Case,
    report: &'a Report,
}

impl Checker<'_> {
    /// The verdicts on a rule, one for each subject.
    fn verdicts(&self, name: &str) -> Vec<&RuleVerdict> {
        let Some(rule) = rule(self.ruleset, self.case, name).map(|rule| &self.ruleset.rules[rule]) else {
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
        let code = rule(self.ruleset, self.case, name).map(|rule| self.ruleset.rules[rule].code(self.ruleset));
        let findings: Vec<&Finding> = self
            .report
            .findings
            .iter()
            .filter(|finding| Some(&finding.code) == code.as_ref())
            .collect();
        let unmet = expectations
            .iter()
            .filter(|expected| !findings.iter().any(|finding| meets(finding, expected)));
        let mismatch = |expected: &ExpectSpec| Mismatch {
            kind: Kind::WrongFinding,
            rule: Some(name.value.clone()),
            message: format!(
                "no finding with {}; found: {}",
                wanted(expected),
                findings.iter().map(|f| shown(f)).collect::<Vec<_>>().join(" | ")
            ),
        };
        unmet.map(mismatch).collect()
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
        let expected: Vec<Option<RuleId>> = self
            .case
            .spec
            .fail
            .keys()
            .map(|name| rule(self.ruleset, self.case, name))
            .collect();
        let listed: Vec<Option<RuleId>> = self
            .case
            .spec
            .error
            .iter()
            .map(|name| rule(self.ruleset, self.case, name))
            .collect();
        let mut found = Vec::new();
        for verdict in &self.report.verdicts {
            let name = format!("{}::{}", verdict.rulebook, verdict.rule);
            let id = rule(self.ruleset, self.case, &name);
            let alarm =
                verdict.verdict == Verdict::Fail && self.case.spec.only == Some(true) && !expected.contains(&id);
            let broke = verdict.verdict == Verdict::Error && !listed.contains(&id);
            if alarm || broke {
                let kind = if alarm { Kind::FalseAlarm } else { Kind::WrongVerdict };
                found.push(Mismatch {
                    kind,
                    rule: Some(name),
                    message: format!("not expected: {}", said(&[verdict])),
                });
            }
        }
        found
    }
}

fn meets(finding: &Finding, expected: &ExpectSpec) -> bool {
    let contains = |text: &str, part: &Option<Text>| part.as_ref().is_none_or(|part| text.contains(&part.value));
    let equals =
        |text: Option<&str>, wanted: &Option<Text>| wanted.as_ref().is_none_or(|wanted| text == Some(&wanted.value));
    let shows = |label: &Label, wanted: &Text| {
        let excerpt = label.excerpt.as_ref().map_or("", |excerpt| excerpt.text.as_str());
        label.text.contains(&wanted.value) || excerpt.contains(&wanted.value)
    };
    let labelled = |wanted: &Text| finding.labels.iter().any(|label| shows(label, wanted));
    contains(&finding.message, &expected.says)
        && expected.at.iter().all(labelled)
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
    parts.join(" and ")
}

fn shown(finding: &Finding) -> String {
    let labels: Vec<&str> = finding.labels.iter().map(|label| label.text.as_str()).collect();
    let key = finding.key.as_deref().unwrap_or("-");
    format!(
        "{} `{}` [key {key}; labels on {}]",
        finding.severity.word(),
        finding.message,
        labels.join(", ")
    )
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

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::NotApplicable => "not-applicable",
        Verdict::Error => "error",
    }
}
