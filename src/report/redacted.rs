//! The words of a report without secrets. Labels are cut through a [`Veil`](crate::redact::Veil) before.

use super::model::{Finding, Item, Label, Report, RuleVerdict};
use crate::redact::Redactor;

impl Report {
    /// Takes secrets out of all words: messages, helps, reasons, commands, and how evidence is had.
    pub fn redact(&mut self, redactor: &Redactor) {
        for text in self.texts() {
            if let Some(redacted) = redactor.redact(text.as_bytes()) {
                *text = String::from_utf8_lossy(&redacted.bytes).into_owned();
            }
        }
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let items = self.bundle.items.iter_mut().flat_map(of_item);
        let findings = self.findings.iter_mut().flat_map(of_finding);
        let verdicts = self.verdicts.iter_mut().flat_map(of_verdict);
        items.chain(findings).chain(verdicts)
    }
}

fn of_item(item: &mut Item) -> impl Iterator<Item = &mut String> {
    let Item {
        subject, detail, ways, ..
    } = item;
    std::iter::once(subject).chain(detail).chain(ways)
}

fn of_finding(finding: &mut Finding) -> impl Iterator<Item = &mut String> {
    let Finding {
        subject,
        key,
        message,
        labels,
        help,
        r#try,
        fix,
        ..
    } = finding;
    let words = [subject, message].into_iter().chain(key).chain(help);
    let commands = r#try.iter_mut().chain(fix).flatten();
    words.chain(commands).chain(labels.iter_mut().flat_map(of_label))
}

fn of_label(label: &mut Label) -> impl Iterator<Item = &mut String> {
    label.says.iter_mut().chain([&mut label.path])
}

fn of_verdict(verdict: &mut RuleVerdict) -> impl Iterator<Item = &mut String> {
    let RuleVerdict {
        subject,
        reason,
        remark,
        ..
    } = verdict;
    std::iter::once(subject).chain(reason).chain(remark)
}
