//! The last line: how many of what, of which bundle, captured when.

use owo_colors::Style as Ink;

use super::fold::Folded;
use super::{Page, count};
use crate::report::model::{Bundle, Finding, Report, Severity, TimeSource};
use crate::report::text::width;

/// Most columns of the bundle's name
const NAME: usize = 100;

/// Most columns of what is said about the capture time
const CAPTURE: usize = 200;

/// Prints the counts: in one line with the bundle's name if that fits, else alone in the last line
pub(super) fn print(page: &mut Page, report: &Report, folded: &Folded<'_>) {
    let name = page.word(&report.bundle.path, NAME);
    let counts = counts(report, folded);
    let capture = page.word(&capture(&report.bundle), CAPTURE);
    let ink = folded
        .groups
        .iter()
        .map(|group| group.first.severity)
        .max()
        .map(|worst| page.paint.severity(worst));
    let painted = page.paint.with(ink.unwrap_or(Ink::new().bold()), &counts);
    if width(&name) + width(&counts) + width(&capture) + 4 <= page.words() {
        page.line(&format!("{name}: {painted}; {capture}"));
    } else {
        page.paragraph(0, &format!("{name}: {capture}"), Ink::new());
        page.line(&painted);
    }
}

/// Prints the bundle's name and when it was captured
pub(super) fn print_bundle(page: &mut Page, report: &Report) {
    let name = page.word(&report.bundle.path, NAME);
    let capture = page.word(&capture(&report.bundle), CAPTURE);
    page.paragraph(0, &format!("{name}: {capture}"), Ink::new());
}

fn counts(report: &Report, folded: &Folded<'_>) -> String {
    let summary = &report.summary;
    if summary.total() == 0 && report.findings.is_empty() {
        return "nothing was checked".to_owned();
    }
    let mut parts = vec![findings(folded)];
    let mut part = |number: u32, text: &str| {
        if number > 0 {
            parts.push(format!("{number} {text}"));
        }
    };
    part(
        folded.consequences as u32,
        if folded.consequences == 1 {
            "consequence"
        } else {
            "consequences"
        },
    );
    part(folded.waived.len() as u32, "waived");
    part(
        summary.error,
        if summary.error == 1 {
            "rule broke"
        } else {
            "rules broke"
        },
    );
    part(summary.unknown, "unknown");
    part(summary.pass, "passed");
    part(summary.not_applicable, "not applicable");
    parts.join(", ")
}

/// `2 findings (1 error, 1 warning)`
fn findings(folded: &Folded<'_>) -> String {
    let shown: Vec<&Finding> = folded
        .groups
        .iter()
        .flat_map(|group| std::iter::once(group.first).chain(group.same.iter().copied()))
        .collect();
    if shown.is_empty() {
        return "no findings".to_owned();
    }
    let of = |severity| shown.iter().filter(|finding| finding.severity == severity).count();
    let words = [
        (Severity::Critical, "critical"),
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
    ];
    let words = words.into_iter().chain([(Severity::Info, "info")]);
    let counted = words.map(|(severity, word)| match (of(severity), severity) {
        (0, _) => String::new(),
        (number, Severity::Error | Severity::Warning) => count(number, word),
        (number, _) => format!("{number} {word}"),
    });
    let by_severity: Vec<_> = counted.filter(|part| !part.is_empty()).collect();
    format!("{} ({})", count(shown.len(), "finding"), by_severity.join(", "))
}

fn capture(bundle: &Bundle) -> String {
    let time = bundle.captured_at.as_deref().unwrap_or("?");
    let when = match bundle.captured_at_source {
        TimeSource::Manifest => format!("captured at {time} (from its manifest)"),
        TimeSource::Option => format!("captured at {time} (from --captured-at)"),
        TimeSource::Archive => format!("captured at {time} (from the archive)"),
        TimeSource::Bound => format!("capture time unknown: not before {time} (newest time in the evidence)"),
        TimeSource::Unknown => "capture time unknown".to_owned(),
    };
    let broken_off = if bundle.complete == Some(false) {
        "; the capture was broken off"
    } else {
        ""
    };
    format!("{when}{broken_off}")
}
