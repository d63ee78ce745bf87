//! What could not be decided and why; rules that broke; rulebooks that did not apply.

use std::collections::BTreeMap;
use std::hash::Hash;

use indexmap::{IndexMap, IndexSet};
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
    rules: IndexSet<String>,
    subjects: IndexSet<&'a str>,
}

/// Prints unknowns, errors and skipped rulebooks
pub(super) fn print(page: &mut Page, report: &Report) {
    let items = Items::of(&report.bundle.items);
    let of = |verdict| report.verdicts.iter().filter(move |rule| rule.verdict == verdict);
    let unknown = of(Verdict::Unknown).map(|rule| (rule, items.lack(rule)));
    let (missing, other): (Vec<_>, Vec<_>) = unknown.partition(|(_, lack)| !lack.is_empty());
    let missing = group_by(missing);
    missing.iter().for_each(|group| print_missing(page, &items, group));
    let reasons = group_by(other.into_iter().map(|(rule, _)| (rule, &rule.reason)));
    reasons
        .iter()
        .take(REASONS)
        .for_each(|group| print_unknown(page, group));
    print_further_reasons(page, reasons.get(REASONS..).unwrap_or_default());
    separate(page, !missing.is_empty() || !reasons.is_empty());
    let broken = group_by(of(Verdict::Error).map(|rule| (rule, (&rule.rulebook, &rule.rule, &rule.reason))));
    broken.iter().for_each(|group| print_broken(page, group));
    let noted = print_duplicates(page, &report.bundle.items);
    report.skipped.iter().for_each(|skipped| print_skipped(page, skipped));
    separate(page, noted || !report.skipped.is_empty());
}

fn separate(page: &mut Page, after: bool) {
    if after {
        page.blank();
    }
}

/// Puts together the verdicts that have the same key, in the order in which the keys come
fn group_by<'a, K: Eq + Hash>(verdicts: impl IntoIterator<Item = (&'a RuleVerdict, K)>) -> Vec<Group<'a>> {
    let mut groups: IndexMap<K, Group<'a>> = IndexMap::new();
    for (verdict, key) in verdicts {
        let new = || Group {
            first: verdict,
            rules: IndexSet::new(),
            subjects: IndexSet::new(),
        };
        let group = groups.entry(key).or_insert_with(new);
        group.rules.insert(format!("{}::{}", verdict.rulebook, verdict.rule));
        group.subjects.insert(&verdict.subject);
    }
    groups.into_values().collect()
}

/// The items of a bundle by probe and subject
pub(super) struct Items<'a> {
    by_subject: BTreeMap<(&'a str, &'a str), &'a Item>,
    by_probe: BTreeMap<&'a str, &'a Item>,
}

impl<'a> Items<'a> {
    /// Those of a report
    pub(super) fn of(items: &'a [Item]) -> Items<'a> {
        let mut all = Items {
            by_subject: BTreeMap::new(),
            by_probe: BTreeMap::new(),
        };
        for item in items {
            all.by_subject.entry((&item.probe, &item.subject)).or_insert(item);
            all.by_probe.entry(&item.probe).or_insert(item);
        }
        all
    }

    /// The item of a probe for a subject, else for the bundle, else for any subject
    fn get(&self, probe: &str, subject: &str) -> Option<&'a Item> {
        let of_subject = self
            .by_subject
            .get(&(probe, subject))
            .or_else(|| self.by_subject.get(&(probe, "bundle")));
        of_subject.or_else(|| self.by_probe.get(probe)).copied()
    }

    /// How to get the evidence that a verdict misses, the preferred way of each
    pub(super) fn ways(&self, verdict: &RuleVerdict) -> Vec<&'a str> {
        let lacks = self.lack(verdict);
        let items = lacks.iter().filter_map(|lack| self.get(&lack.probe, &verdict.subject));
        items.filter_map(|item| item.ways.first()).map(String::as_str).collect()
    }

    /// What evidence a verdict misses, in words
    pub(super) fn wants(&self, verdict: &RuleVerdict) -> Vec<String> {
        let lacks = self.lack(verdict);
        let words = lacks.iter().map(|lack| {
            let item = self.get(&lack.probe, &verdict.subject);
            let name = item.and_then(|item| item.path.clone());
            let state = item.map_or_else(String::new, |item| format!(" ({})", word(item)));
            format!("{}{state}", name.unwrap_or_else(|| lack.probe.clone()))
        });
        words.collect()
    }

    /// The probes without whole evidence that a verdict misses, and how things are with them
    fn lack(&self, verdict: &RuleVerdict) -> Vec<Lack> {
        let probes = verdict.missing.iter().map(|probe| qualified(probe, &verdict.rulebook));
        let states = probes.map(|probe| (self.get(&probe, &verdict.subject).map(state), probe));
        let lacking = states.filter(|(state, _)| *state != Some((Outcome::Ok, false)));
        lacking.map(|(state, probe)| Lack { probe, state }).collect()
    }
}

/// Evidence that is not there, or not whole
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Lack {
    probe: String,
    /// Outcome, and whether it is truncated; none where nothing is known of it
    state: Option<(Outcome, bool)>,
}

fn state(item: &Item) -> (Outcome, bool) {
    (item.outcome, item.truncated)
}

fn qualified(probe: &str, rulebook: &str) -> String {
    if probe.contains("::") {
        probe.to_owned()
    } else {
        format!("{rulebook}::{probe}")
    }
}

/// Prints the rules that one lack of evidence leaves undecided, and how to get it
fn print_missing(page: &mut Page, items: &Items<'_>, group: &Group<'_>) {
    let several = group.subjects.len() > 1;
    let lacks = items.lack(group.first);
    let found = |lack: &Lack| items.get(&lack.probe, &group.first.subject);
    let names: Vec<_> = lacks
        .iter()
        .map(|lack| describe(&lack.probe, found(lack), several))
        .collect();
    let rules = rules(group);
    let who = if let [rule] = rules.as_slice() {
        rule.clone()
    } else {
        count(rules.len(), "rule")
    };
    heading(page, &format!("{who} for want of {}", names.join(" and ")), group);
    if rules.len() > 1 {
        page.paragraph(2, &enumerate(&rules, 0), Ink::new());
    }
    for item in lacks.iter().filter_map(found).take(SHOWN) {
        if let Some(way) = item.ways.first() {
            let label = page.paint.with(page.paint.place(), "to get it:");
            let way = page.word(way, REASON);
            page.line(&format!("  {label} {way}"));
        }
    }
}

fn rules(group: &Group<'_>) -> Vec<String> {
    group.rules.iter().cloned().collect()
}

/// `stock.json (denied: 403)`; that something absent is not in the bundle goes without saying
fn describe(probe: &str, item: Option<&Item>, several: bool) -> String {
    let Some(item) = item else { return probe.to_owned() };
    let name = item.path.as_deref().filter(|_| !several).unwrap_or(probe);
    let state = word(item);
    let detail = item
        .detail
        .as_deref()
        .filter(|detail| !several && !tells_absence(item, detail));
    let detail = detail.map_or_else(String::new, |detail| format!(": {}", cut_end(detail, REASON, true)));
    format!("{name} ({state}{detail})")
}

fn tells_absence(item: &Item, detail: &str) -> bool {
    item.outcome == Outcome::Absent && detail.starts_with("no `")
}

/// What is wrong with an item, in a word
fn word(item: &Item) -> &'static str {
    match item.outcome {
        Outcome::Ok => "truncated",
        other => outcome(other),
    }
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

/// `unknown: …, on store/paris`, or the number of subjects
fn heading(page: &mut Page, text: &str, group: &Group<'_>) {
    let on = match (group.subjects.first(), group.subjects.len()) {
        (Some(&"bundle"), 1) => String::new(),
        (_, 1) if page.lone => String::new(),
        (Some(subject), 1) => format!(", on {}", page.word(subject, REASON)),
        (_, several) => format!(", on {}", count(several, "subject")),
    };
    page.headed("unknown", page.paint.unknown(), &format!("{text}{on}"));
}

fn print_unknown(page: &mut Page, group: &Group<'_>) {
    let reason = group.first.reason.as_deref().unwrap_or("no reason given");
    let reason = cut_end(reason, REASON, page.style.unicode).into_owned();
    let rules = rules(group);
    if let [rule] = rules.as_slice() {
        heading(page, rule, group);
        page.paragraph(2, &reason, Ink::new());
    } else {
        heading(page, &count(rules.len(), "rule"), group);
        page.paragraph(2, &reason, Ink::new());
        page.paragraph(2, &enumerate(&rules, 0), Ink::new());
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
    let text = format!("{}  {}", rules(group).join(", "), enumerate(&subjects, 0));
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
