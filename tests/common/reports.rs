//! Reports made by hand.

#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;

use casebook::document::{Document, NodeId, json};
use casebook::redact::Veil;
use casebook::report::excerpt;
use casebook::report::model::*;
use casebook::report::{Format, Style, write};

/// A parsed text
pub(crate) fn document(text: &str) -> Document {
    json::parse(text.to_owned(), &json::Options::default()).unwrap()
}

/// The node below the root that these names and indices lead to
pub(crate) fn node(doc: &Document, path: &[&str]) -> NodeId {
    path.iter().fold(doc.root(), |at, step| match step.parse() {
        Ok(index) => doc.at(at, index).unwrap(),
        Err(_) => doc.get(at, step).unwrap(),
    })
}

/// A label on evidence that has no secrets
pub(crate) fn label(doc: &Document, id: NodeId, evidence: &str, probe: &str, says: Option<String>) -> Label {
    excerpt::label(doc, id, evidence, probe, says, &Veil::none(doc.text()))
}

/// A finding without any extras
pub(crate) fn finding(code: &str, severity: Severity, subject: &str, message: &str, labels: Vec<Label>) -> Finding {
    let (rulebook, rule) = code.split_once("::").unwrap();
    Finding {
        code: code.into(),
        rulebook: rulebook.into(),
        rule: rule.into(),
        title: "A title".into(),
        refs: vec![],
        severity,
        subject: subject.into(),
        key: None,
        message: message.into(),
        labels,
        labels_omitted: 0,
        help: None,
        r#try: vec![],
        fix: vec![],
        docs: None,
        explained_by: vec![],
        explains: vec![],
        consequences: 0,
        fingerprint: format!("{code} {subject}"),
        waived: None,
    }
}

/// A verdict without any extras
pub(crate) fn verdict(code: &str, subject: &str, verdict: Verdict) -> RuleVerdict {
    let (rulebook, rule) = code.split_once("::").unwrap();
    RuleVerdict {
        rulebook: rulebook.into(),
        rule: rule.into(),
        subject: subject.into(),
        verdict,
        severity: None,
        reason: None,
        remark: None,
        missing: vec![],
        items: BTreeMap::new(),
        place: None,
    }
}

/// An item of one proxy
pub(crate) fn item(probe: &str, path: &str, outcome: Outcome) -> Item {
    Item {
        probe: probe.into(),
        subject: "proxy/default/productpage-v1".into(),
        path: Some(path.into()),
        outcome,
        detail: None,
        ways: vec![format!("GET http://127.0.0.1:15000/{probe}")],
        captured_at: None,
        truncated: false,
        duplicate_keys: None,
        redactions: 0,
        replaced_bytes: 0,
    }
}

/// An argument list
pub(crate) fn words(command: &str) -> Vec<String> {
    command.split(' ').map(String::from).collect()
}

/// A report in which nothing was checked
pub(crate) fn empty_report() -> Report {
    Report {
        schema: Schema::V1,
        tool: Tool {
            name: "casebook".into(),
            version: "0.0.0".into(),
        },
        bundle: Bundle {
            path: "customer.tar.gz".into(),
            digest: "d".repeat(64),
            captured_at: Some("2026-08-01T10:20:00Z".into()),
            captured_at_source: TimeSource::Manifest,
            complete: Some(true),
            items: vec![],
        },
        rulebooks: vec![RulebookVersion {
            id: "mesh".into(),
            version: Some("0.3.0".into()),
            digest: "e".repeat(64),
        }],
        skipped: vec![],
        summary: Summary::default(),
        findings: vec![],
        verdicts: vec![],
    }
}

/// What a terminal shows
pub(crate) fn print(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write(report, Format::Terminal, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A terminal without colours
pub(crate) fn unicode(width: usize) -> Style {
    Style {
        unicode: true,
        width,
        ..Style::default()
    }
}
