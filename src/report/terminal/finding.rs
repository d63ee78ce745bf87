//! One finding: what is wrong in one line, where it shows, what to do next.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use owo_colors::Style as Ink;

use super::draw::draw;
use super::fold::Group;
use super::snippet::Snippet;
use super::{Page, SHOWN, count, enumerate};
use crate::report::model::{Finding, Label, Report};
use crate::report::text::{command_lines, cut_end, visible, width};

/// Most columns of a message; longer ones hold evidence, which the excerpt shows
const MESSAGE: usize = 600;
/// Most columns of a name
const NAME: usize = 160;

/// Labels with the same words on the same item that are drawn
const ALIKE: usize = 2;

/// Prints a finding and what folds under it
pub(super) fn print(page: &mut Page, report: &Report, group: &Group<'_>) {
    let finding = group.first;
    header(page, finding);
    let message = if finding.message.is_empty() {
        &finding.title
    } else {
        &finding.message
    };
    let message = cut_end(message, MESSAGE, page.style.unicode).into_owned();
    page.paragraph(2, &message, Ink::new().bold());
    same(page, report, group);
    places(page, finding);
    next_steps(page, finding);
    explains(page, finding, &group.consequences);
    page.blank();
}

/// `error shop::no-stock  store/paris`
fn header(page: &mut Page, finding: &Finding) {
    let code = page.word(&finding.code, NAME);
    let subject = page.word(&finding.subject, NAME);
    let severity = page
        .paint
        .with(page.paint.severity(finding.severity), finding.severity.word());
    let together = finding.severity.word().len() + 1 + width(&code) + 2 + width(&subject);
    if together <= page.style.width {
        page.line(&format!("{severity} {code}  {}", page.paint.dim(&subject)));
    } else {
        page.line(&format!("{severity} {code}"));
        page.line(&format!("  {}", page.paint.dim(&subject)));
    }
}

/// The other subjects that have the same finding
fn same(page: &mut Page, report: &Report, group: &Group<'_>) {
    if group.same.is_empty() {
        return;
    }
    let finding = group.first;
    let verdicts = report.verdicts.iter();
    let of_rule = verdicts.filter(|verdict| verdict.rule == finding.rule && verdict.rulebook == finding.rulebook);
    let subjects: BTreeSet<&str> = of_rule.map(|verdict| verdict.subject.as_str()).collect();
    let failing = group.same.len() + 1;
    let of = if subjects.len() >= failing {
        format!(" of {}", subjects.len())
    } else {
        String::new()
    };
    let names: Vec<_> = group
        .same
        .iter()
        .map(|finding| page.word(&finding.subject, NAME))
        .collect();
    let text = format!("on {failing}{of} subjects, the others: {}", enumerate(&names, 0));
    page.paragraph(2, &text, Ink::new());
}

/// Where it shows: drawn, or in a list where a drawing would say the same again
fn places(page: &mut Page, finding: &Finding) {
    let shown = finding.labels.get(..SHOWN).unwrap_or(&finding.labels);
    let (mut drawn, mut listed): (Vec<&Label>, Vec<String>) = (Vec::new(), Vec::new());
    for label in shown {
        let alike = |known: &&&Label| known.says == label.says && known.evidence == label.evidence;
        if drawn.iter().filter(alike).count() < ALIKE {
            drawn.push(label);
        } else {
            let place = format!("{}:{}:{}", label.evidence, label.line, label.column);
            listed.push(page.word(&place, NAME));
        }
    }
    if page.style.narrated {
        drawn.iter().for_each(|label| narrate(page, label));
    } else {
        for snippet in snippets(page, finding, &drawn) {
            let drawn = draw(&snippet, &page.style, &page.paint);
            page.text.push_str(&drawn);
        }
    }
    let omitted = (finding.labels.len() - shown.len()) as u64 + finding.labels_omitted;
    also(page, &listed, omitted as usize);
}

/// `also at a.json:3:7, a.json:9:7 and 4 more`
fn also(page: &mut Page, places: &[String], omitted: usize) {
    match (places, omitted) {
        ([], 0) => {}
        ([], more) => page.line(&format!("  and {}", count(more, "more place"))),
        (places, more) => page.paragraph(2, &format!("also at {}", enumerate(places, more)), Ink::new()),
    }
}

/// The drawings of labels: those on the same or neighbouring lines share one
fn snippets(page: &Page, finding: &Finding, labels: &[&Label]) -> Vec<Snippet> {
    let mut snippets: Vec<Snippet> = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        let ink = if at == 0 {
            page.paint.severity(finding.severity)
        } else {
            page.paint.aside()
        };
        let mut next = Some(Snippet::of_label(label, ink));
        for known in &mut snippets {
            next = next.and_then(|snippet| known.merge(snippet).err());
        }
        snippets.extend(next);
    }
    snippets
}

/// A label in words
fn narrate(page: &mut Page, label: &Label) {
    let mut text = format!("at {}, line {}, column {}", label.evidence, label.line, label.column);
    let cited = label.text.lines().next().unwrap_or_default();
    if !cited.is_empty() {
        text.push_str(&format!(", {}", cut_end(cited, 120, page.style.unicode)));
    }
    if let Some(says) = &label.says {
        text.push_str(&format!(": {says}"));
    }
    page.paragraph(2, &text, Ink::new());
}

/// Help, commands, page
fn next_steps(page: &mut Page, finding: &Finding) {
    let aside = page.paint.place();
    if let Some(help) = &finding.help {
        page.entry("help", aside, help);
    }
    commands(page, "try", aside, &finding.r#try, None);
    let warning = "(changes the system)";
    commands(
        page,
        "fix",
        page.paint.severity(finding.severity),
        &finding.fix,
        Some(warning),
    );
    if let Some(docs) = &finding.docs {
        let shown = visible(docs, page.style.unicode).into_owned();
        let linked = if page.style.links { link(&shown) } else { shown };
        page.entry_lines("docs", aside, &[linked]);
    }
}

/// Commands on lines of their own, to be copied
fn commands(page: &mut Page, label: &str, ink: Ink, commands: &[Vec<String>], note: Option<&str>) {
    let columns = page.style.width.saturating_sub(8);
    let mut lines: Vec<String> = note
        .filter(|_| !commands.is_empty())
        .map(|note| page.paint.dim(note))
        .into_iter()
        .collect();
    lines.extend(commands.iter().flat_map(|argv| command_lines(argv, columns)));
    page.entry_lines(label, ink, &lines);
}

/// A link that can be clicked; the address holds nothing hidden
fn link(address: &str) -> String {
    format!("\u{1b}]8;;{address}\u{1b}\\{address}\u{1b}]8;;\u{1b}\\")
}

/// What folds under the finding
fn explains(page: &mut Page, cause: &Finding, consequences: &[&Finding]) {
    if consequences.is_empty() {
        return;
    }
    let mut by_code: IndexMap<&str, Vec<&Finding>> = IndexMap::new();
    for finding in consequences {
        by_code.entry(&finding.code).or_default().push(finding);
    }
    let names = by_code
        .iter()
        .map(|(code, findings)| on_subjects(page, cause, code, findings));
    let names: Vec<_> = names.collect();
    let text = format!(
        "explains {}: {}",
        count(consequences.len(), "consequence"),
        enumerate(&names, 0)
    );
    page.paragraph(2, &text, Ink::new());
}

/// `shop::no-stock (store/paris, store/rome)`; the subjects are told where they are not that of the cause
fn on_subjects(page: &Page, cause: &Finding, code: &str, findings: &[&Finding]) -> String {
    let code = page.word(code, NAME);
    if findings.iter().all(|finding| finding.subject == cause.subject) {
        return match findings.len() {
            1 => code,
            times => format!("{code} ({times} times)"),
        };
    }
    let mut subjects: Vec<String> = findings
        .iter()
        .map(|finding| page.word(&finding.subject, NAME))
        .collect();
    subjects.dedup();
    let times = if subjects.len() < findings.len() {
        format!(", {} times", findings.len())
    } else {
        String::new()
    };
    let shown = subjects.len().min(3);
    let more = if subjects.len() > shown {
        format!(" and {} more", subjects.len() - shown)
    } else {
        String::new()
    };
    format!("{code} ({}{more}{times})", subjects[..shown].join(", "))
}

/// Prints accepted findings, one line each
pub(super) fn print_waived(page: &mut Page, waived: &[Group<'_>]) {
    for group in waived.iter().take(SHOWN) {
        let Some(waiver) = &group.first.waived else { continue };
        let until = waiver
            .expires
            .as_ref()
            .map_or_else(String::new, |day| format!(", until {day}"));
        let explains = match group.consequences.len() {
            0 => String::new(),
            number => format!("; explains {}", count(number, "consequence")),
        };
        let Finding { code, subject, .. } = group.first;
        let text = format!(
            "{code} ({subject}): {} ({}{until}){explains}",
            waiver.reason, waiver.owner
        );
        page.headed("waived", Ink::new(), &text);
    }
    if waived.len() > SHOWN {
        page.line(&format!("waived: {} more", waived.len() - SHOWN));
    }
    if !waived.is_empty() {
        page.blank();
    }
}
