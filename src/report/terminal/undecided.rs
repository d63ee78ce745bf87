//! What could not be decided and why; rules that broke; rulebooks that did not apply.

use owo_colors::Style as Ink;

use super::draw::draw;
use super::snippet::Snippet;
use super::{Page, SHOWN, count, enumerate};
use crate::report::model::{Item, Outcome, Report, RuleVerdict, Severity, Skipped, Verdict};
use crate::report::text::cut_end;

/// Reasons that are told before "for 7 other reasons"
const REASONS: usize = 8;
/// Most columns of a reason
const REASON: usize = 300;

/// Verdicts that have one reason
struct Group<'a> {
    first: &'a RuleVerdict,
    rules: Vec<String>,
    subjects: Vec<&'a str>,
}

/// Prints unknowns, errors and skipped rulebooks
pub(super) fn print(page: &mut Page, report: &Report) {
    let of = |verdict| report.verdicts.iter().filter(move |rule| rule.verdict == verdict);
    let (missing, other): (Vec<_>, Vec<_>) = of(Verdict::Unknown).partition(|rule| !lacking(report, rule).is_empty());
    let mut any = false;
    for group in group_by(missing, |rule| lack_key(report, rule)) {
        print_missing(page, report, &group);
        any = true;
    }
    let reasons = group_by(other, |rule| rule.reason.as_deref());
    for group in reasons.iter().take(REASONS) {
        print_unknown(page, group);
        any = true;
    }
    print_further_reasons(page, reasons.get(REASONS..).unwrap_or_default());
    separate(page, any);
    let broken = group_by(of(Verdict::Error), |rule| (&rule.rulebook, &rule.rule, &rule.reason));
    broken.iter().for_each(|group| print_broken(page, group));
    let notes = print_duplicates(page, &report.bundle.items);
    report.skipped.iter().for_each(|skipped| print_skipped(page, skipped));
    separate(page, notes || !report.skipped.is_empty());
}

fn separate(page: &mut Page, after: bool) {
    if after {
        page.blank();
    }
}

fn group_by<'a, K: PartialEq>(
    verdicts: impl IntoIterator<Item = &'a RuleVerdict>,
    key: impl Fn(&'a RuleVerdict) -> K,
) -> Vec<Group<'a>> {
    let mut groups: Vec<(K, Group<'a>)> = Vec::new();
    for verdict in verdicts {
        let key = key(verdict);
        let at = groups.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            groups.push((
                key,
                Group {
                    first: verdict,
                    rules: Vec::new(),
                    subjects: Vec::new(),
                },
            ));
            groups.len() - 1
        });
        let group = &mut groups[at].1;
        let code = format!("{}::{}", verdict.rulebook, verdict.rule);
        if !group.rules.contains(&code) {
            group.rules.push(code);
        }
        if !group.subjects.contains(&verdict.subject.as_str()) {
            group.subjects.push(&verdict.subject);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The probes without whole evidence that a verdict misses, each with its item if there is one
fn lacking<'a>(report: &'a Report, verdict: &'a RuleVerdict) -> Vec<(String, Option<&'a Item>)> {
    let probes = verdict.missing.iter().map(|probe| qualified(probe, &verdict.rulebook));
    let items = probes.map(|probe| (item_of(report, &probe, &verdict.subject), probe));
    let lacking = items.filter(|(item, _)| item.is_none_or(|item| item.outcome != Outcome::Ok || item.truncated));
    lacking.map(|(item, probe)| (probe, item)).collect()
}

fn lack_key(report: &Report, verdict: &RuleVerdict) -> Vec<(String, Option<(Outcome, bool)>)> {
    let state = |item: &Item| (item.outcome, item.truncated);
    lacking(report, verdict)
        .into_iter()
        .map(|(probe, item)| (probe, item.map(state)))
        .collect()
}

fn qualified(probe: &str, rulebook: &str) -> String {
    if probe.contains("::") {
        probe.to_owned()
    } else {
        format!("{rulebook}::{probe}")
    }
}

/// The item of a probe for a subject, else for the bundle, else for any subject
fn item_of<'a>(report: &'a Report, probe: &str, subject: &str) -> Option<&'a Item> {
    let nearness = |item: &&Item| match item.subject.as_str() {
        of if of == subject => 0,
        "bundle" => 1,
        _ => 2,
    };
    report
        .bundle
        .items
        .iter()
        .filter(|item| item.probe == probe)
        .min_by_key(nearness)
}

/// Prints the rules that one lack of evidence leaves undecided, and how to get it
fn print_missing(page: &mut Page, report: &Report, group: &Group<'_>) {
    let lacking = lacking(report, group.first);
    let several = group.subjects.len() > 1;
    let names: Vec<_> = lacking
        .iter()
        .map(|(probe, item)| lack(probe, *item, several))
        .collect();
    let text = format!(
        "{} for want of {}",
        count(group.rules.len(), "rule"),
        names.join(" and ")
    );
    heading(page, &text, group);
    page.paragraph(2, &enumerate(&group.rules, 0), Ink::new());
    let ways = lacking
        .iter()
        .filter_map(|(_, item)| item.and_then(|item| item.ways.first()));
    let ways: Vec<_> = ways.take(SHOWN).map(|way| page.word(way, REASON)).collect();
    for way in ways {
        let label = page.paint.with(page.paint.place(), "to get it:");
        page.line(&format!("  {label} {way}"));
    }
}

/// `stock.json (denied: 403)`
fn lack(probe: &str, item: Option<&Item>, several: bool) -> String {
    let Some(item) = item else { return probe.to_owned() };
    let name = item.path.as_deref().filter(|_| !several).unwrap_or(probe);
    let state = if item.outcome == Outcome::Ok {
        "truncated"
    } else {
        outcome(item.outcome)
    };
    let detail = item.detail.as_deref().filter(|_| !several);
    let detail = detail.map_or_else(String::new, |detail| format!(": {}", cut_end(detail, REASON, true)));
    format!("{name} ({state}{detail})")
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "there",
        Outcome::Absent => "absent",
        Outcome::Empty => "empty",
        Outcome::Denied => "denied",
        Outcome::Unreachable => "unreachable",
        Outcome::TimedOut => "timed out",
        Outcome::Failed => "failed",
        Outcome::NotRun => "not run",
        Outcome::Unparsable => "cannot be parsed",
        Outcome::Alien => "not what was expected",
    }
}

/// `unknown: …  store/paris`, or the number of subjects
fn heading(page: &mut Page, text: &str, group: &Group<'_>) {
    let on = match group.subjects.as_slice() {
        ["bundle"] => String::new(),
        [subject] => format!(", on {}", page.word(subject, REASON)),
        subjects => format!(", on {}", count(subjects.len(), "subject")),
    };
    page.headed("unknown", page.paint.unknown(), &format!("{text}{on}"));
}

fn print_unknown(page: &mut Page, group: &Group<'_>) {
    let reason = group.first.reason.as_deref().unwrap_or("no reason given");
    let reason = cut_end(reason, REASON, page.style.unicode).into_owned();
    if let [rule] = group.rules.as_slice() {
        heading(page, rule, group);
        page.paragraph(2, &reason, Ink::new());
    } else {
        heading(page, &count(group.rules.len(), "rule"), group);
        page.paragraph(2, &reason, Ink::new());
        page.paragraph(2, &enumerate(&group.rules, 0), Ink::new());
    }
}

fn print_further_reasons(page: &mut Page, groups: &[Group<'_>]) {
    if !groups.is_empty() {
        let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
        let text = format!(
            "{} more, for {}",
            count(rules, "rule"),
            count(groups.len(), "other reason")
        );
        page.headed("unknown", page.paint.unknown(), &text);
    }
}

/// Prints a rule that broke, with its place in the rulebook
fn print_broken(page: &mut Page, group: &Group<'_>) {
    let verdict = group.first;
    let ink = page.paint.severity(Severity::Error);
    let subjects: Vec<_> = group
        .subjects
        .iter()
        .map(|subject| page.word(subject, REASON))
        .collect();
    let text = format!("{}  {}", group.rules.join(", "), enumerate(&subjects, 0));
    page.headed("broken rule", ink, &text);
    let reason = verdict.reason.as_deref().unwrap_or("no reason given");
    let reason = cut_end(reason, REASON, page.style.unicode).into_owned();
    page.paragraph(2, &reason, Ink::new().bold());
    if let Some(place) = &verdict.place {
        match Snippet::of_place(place, "", ink).filter(|_| !page.style.narrated) {
            Some(snippet) => {
                let drawn = draw(&snippet, &page.style, &page.paint);
                page.text.push_str(&drawn);
            }
            None => page.paragraph(
                2,
                &format!("at {}:{}:{}", place.file, place.line, place.column),
                Ink::new(),
            ),
        }
    }
    page.blank();
}

/// Prints what is odd about items and decides nothing; says whether there was anything
fn print_duplicates(page: &mut Page, items: &[Item]) -> bool {
    let mut noted = items
        .iter()
        .filter_map(|item| item.path.as_ref().zip(item.duplicate_keys.as_ref()));
    let mut any = false;
    for (path, note) in noted.by_ref().take(SHOWN) {
        page.headed("note", Ink::new(), &format!("{path}: {}", cut_end(note, REASON, true)));
        any = true;
    }
    let more = noted.count();
    if more > 0 {
        page.headed(
            "note",
            Ink::new(),
            &format!("{} with names that occur twice", count(more, "more item")),
        );
    }
    any
}

fn print_skipped(page: &mut Page, skipped: &Skipped) {
    let title = skipped
        .title
        .as_ref()
        .map_or_else(String::new, |title| format!(" ({title})"));
    let rules = count(skipped.rules as usize, "rule");
    let text = format!(
        "{}{title}: does not apply here, {rules}; when: {}",
        skipped.rulebook, skipped.when
    );
    page.headed("skipped", Ink::new(), &text);
}
