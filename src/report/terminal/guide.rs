//! A walked guide, for people: the steps with their verdicts, what was found and what to do, what is still ahead.

use std::collections::BTreeSet;
use std::io;

use owo_colors::Style as Ink;

use super::fold::{self, Folded, Group};
use super::undecided::Items;
use super::{Page, SHOWN, closing, count, enumerate, finding};
use crate::report::Style;
use crate::report::guide::{Step, Walked};
use crate::report::model::{Finding, Label, RuleVerdict, Severity, Verdict};
use crate::report::text::{command_lines, cut_end, visible};

/// Columns before the numbers of steps
const MARK: usize = 9;
/// Most columns of a remark or reason
const REASON: usize = 400;

/// Writes the walk
pub(in crate::report) fn write(walked: &Walked, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let folded = fold::fold(&walked.report);
    let mut walk = Walk {
        walked,
        folded: &folded,
        items: Items::of(&walked.report.bundle.items),
        shown: BTreeSet::new(),
        page: Page::new(style),
        gap: true,
    };
    walk.head();
    for step in walked.steps.iter().filter(|step| step.walked) {
        walk.step(step);
        walk.page.flush(out)?;
    }
    walk.end();
    walk.page.flush(out)
}

struct Walk<'a> {
    walked: &'a Walked,
    folded: &'a Folded<'a>,
    items: Items<'a>,
    /// Fingerprints of findings that were printed, with what folds under them
    shown: BTreeSet<&'a str>,
    page: Page,
    /// Whether the last line is empty
    gap: bool,
}

impl<'a> Walk<'a> {
    fn head(&mut self) {
        let verdicts = self.walked.steps.iter().flat_map(|step| &step.verdicts);
        let subjects: BTreeSet<&str> = verdicts
            .map(|verdict| verdict.subject.as_str())
            .filter(|name| *name != "bundle")
            .collect();
        let page = &mut self.page;
        page.lone = subjects.len() < 2;
        let head = &self.walked.guide;
        page.paragraph(0, &head.title, Ink::new().bold());
        let on = subjects
            .first()
            .filter(|_| page.lone)
            .map_or_else(String::new, |name| format!("  {name}"));
        page.paragraph(0, &format!("{}{on}", head.code), Ink::new().dimmed());
        if let Some(about) = &head.about {
            page.blank();
            page.paragraph(0, about, Ink::new());
        }
        page.blank();
    }

    /// Column of what stands under the title of a step
    fn indent(&self) -> usize {
        MARK + self.walked.steps.len().to_string().len() + 2
    }

    fn step(&mut self, step: &'a Step) {
        self.gap = false;
        self.title(step);
        let indent = self.indent();
        let about = step.about.iter().chain(&step.says);
        about.for_each(|words| self.page.paragraph(indent, words, Ink::new()));
        self.commands(step);
        for group in grouped(&step.verdicts) {
            self.verdict(step, &group);
        }
        self.hop(step);
        self.looked_at(step);
        if !step.findings.is_empty() {
            self.found(step);
        }
    }

    fn title(&mut self, step: &Step) {
        let page = &mut self.page;
        let (word, ink) = mark(page, step, self.walked);
        let number = format!("{}. ", step.number);
        let indent = MARK + number.len();
        let columns = page.words().saturating_sub(indent);
        let title = visible(&step.title, page.style.unicode).into_owned();
        for (at, line) in crate::report::text::wrap(&title, columns).iter().enumerate() {
            let line = page.paint.with(Ink::new().bold(), line);
            match at {
                0 => {
                    let word = page.paint.with(ink, word) + &*" ".repeat(MARK - word.len());
                    page.line(&format!("{word}{number}{line}"));
                }
                _ => page.line(&format!("{:indent$}{line}", "")),
            }
        }
    }

    fn commands(&mut self, step: &Step) {
        let indent = self.indent();
        let columns = self.page.style.width.saturating_sub(indent + 5);
        let lines: Vec<String> = step
            .r#try
            .iter()
            .flat_map(|argv| command_lines(argv, columns))
            .collect();
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { "try: " } else { "     " };
            let label = self.page.paint.with(self.page.paint.place(), label);
            self.page.line(&format!("{:indent$}{label}{line}", ""));
        }
    }

    /// What is to be said about the rules that came to one verdict for one reason
    fn verdict(&mut self, step: &Step, group: &Alike<'_>) {
        let first = group.first;
        let who = self.who(step, group);
        match first.verdict {
            Verdict::Pass => {
                let remark = first.remark.as_deref();
                remark.into_iter().for_each(|remark| self.said(&who, remark));
            }
            Verdict::Fail => {}
            Verdict::Unknown => self.unknown(&who, first),
            Verdict::NotApplicable => {
                let reason = first.reason.as_deref().unwrap_or("it has nothing to say here");
                self.said(&who, &format!("does not apply: {reason}"));
            }
            Verdict::Error => {
                let place = first.place.as_ref();
                let place = place.map_or_else(String::new, |at| format!(" ({}:{}:{})", at.file, at.line, at.column));
                let reason = first.reason.as_deref().unwrap_or("no reason given");
                self.said(&who, &format!("the rule is broken: {reason}{place}"));
            }
        }
    }

    fn said(&mut self, who: &str, what: &str) {
        let indent = self.indent();
        let what = cut_end(what, REASON, self.page.style.unicode);
        let what = if who.is_empty() {
            what.into_owned()
        } else {
            format!("{who}: {what}")
        };
        self.page.paragraph(indent, &what, Ink::new());
    }

    /// Which rules and subjects, as far as that does not go without saying
    fn who(&self, step: &Step, group: &Alike<'_>) -> String {
        let all_rules: BTreeSet<_> = step
            .verdicts
            .iter()
            .map(|verdict| (&verdict.rulebook, &verdict.rule))
            .collect();
        let rules = if group.rules.len() == all_rules.len() {
            String::new()
        } else {
            enumerate(&group.rules, 0)
        };
        let subjects: Vec<String> = group
            .subjects
            .iter()
            .map(|subject| self.page.word(subject, REASON))
            .collect();
        let on = match subjects.as_slice() {
            _ if self.page.lone => String::new(),
            [subject] if subject == "bundle" => String::new(),
            [subject] => format!("on {subject}"),
            several => format!("on {} subjects", several.len()),
        };
        [rules, on]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn unknown(&mut self, who: &str, verdict: &RuleVerdict) {
        let reason = verdict.reason.as_deref().unwrap_or("no reason given");
        self.said(who, &format!("cannot be told: {reason}"));
        let indent = self.indent();
        for way in self.items.ways(verdict).into_iter().take(SHOWN) {
            let way = self.page.word(way, REASON);
            let label = self.page.paint.with(self.page.paint.place(), "to get it:");
            self.page.line(&format!("{:indent$}{label} {way}", ""));
        }
    }

    /// The places of a hop that found nothing wrong, and what it passed over
    fn hop(&mut self, step: &Step) {
        if step.verdict == Some(Verdict::Fail) {
            return;
        }
        let indent = self.indent();
        let place = |label: &Label| format!("{}:{}:{}", label.evidence, label.line, label.column);
        let at: Vec<String> = step.labels.iter().map(place).collect();
        if !at.is_empty() {
            self.page
                .paragraph(indent, &format!("at {}", enumerate(&at, 0)), Ink::new());
        }
        for label in &step.lost {
            let why = label.says.as_ref().map_or_else(String::new, |says| format!(": {says}"));
            let text = format!("passed over {} ({}){why}", cut_end(&label.text, 60, true), place(label));
            self.page.paragraph(indent, &text, Ink::new());
        }
    }

    /// `checked agent-silent, not-serving in status.json`
    fn looked_at(&mut self, step: &Step) {
        let mut rules: Vec<String> = Vec::new();
        let own = self.walked.guide.code.split("::").next().unwrap_or_default();
        for verdict in step.verdicts.iter().filter(|_| step.labels.is_empty()) {
            let name = name(own, verdict);
            if !rules.contains(&name) {
                rules.push(name);
            }
        }
        let files = enumerate(&step.evidence, 0);
        let text = match (rules.is_empty(), files.is_empty()) {
            (true, _) | (_, true) => return,
            (false, false) => format!("checked {} in {files}", enumerate(&rules, 0)),
        };
        let indent = self.indent();
        self.page.paragraph(indent, &text, Ink::new().dimmed());
    }

    /// The findings of a step, those that explain them first
    fn found(&mut self, step: &'a Step) {
        self.explained(step);
        let own: BTreeSet<&str> = step.findings.iter().map(String::as_str).collect();
        let touched = self
            .folded
            .groups
            .iter()
            .filter(|group| members(group).any(|print| own.contains(print)));
        let (above, new): (Vec<_>, Vec<_>) =
            touched.partition(|group| members(group).all(|print| self.shown.contains(print)));
        let indent = self.indent();
        if !above.is_empty() && step.causes.is_empty() {
            let codes: Vec<String> = above.iter().map(|group| group.first.code.clone()).collect();
            self.page
                .paragraph(indent, &format!("shown above: {}", enumerate(&codes, 0)), Ink::new());
        }
        if !new.is_empty() {
            self.page.blank();
        }
        for group in new {
            self.shown.extend(members(group));
            finding::print(&mut self.page, &self.walked.report, group);
            self.gap = true;
        }
        let waived = self
            .folded
            .waived
            .iter()
            .filter(|group| own.contains(group.first.fingerprint.as_str()));
        for group in waived {
            if let Some(waiver) = &group.first.waived {
                let text = format!("accepted: {} ({})", waiver.reason, waiver.owner);
                self.page.paragraph(indent, &text, Ink::new());
            }
        }
    }

    /// Which findings of a step follow from others, and where those are asked for
    fn explained(&mut self, step: &Step) {
        if step.causes.is_empty() {
            return;
        }
        let indent = self.indent();
        let findings = &self.walked.report.findings;
        let own = findings
            .iter()
            .filter(|finding| step.findings.contains(&finding.fingerprint));
        let consequences: Vec<&Finding> = own.filter(|finding| !finding.is_root()).collect();
        for finding in consequences.iter().take(SHOWN) {
            self.page.paragraph(indent, &finding.message, Ink::new());
        }
        if let Some(more @ 1..) = consequences.len().checked_sub(SHOWN) {
            self.page
                .paragraph(indent, &format!("and {}", count(more, "more finding")), Ink::new());
        }
        let cause = |cause: &crate::report::guide::Cause| match cause.step {
            Some(step) => format!("{} (step {step})", cause.code),
            None => cause.code.clone(),
        };
        let mut causes: Vec<String> = step.causes.iter().map(cause).collect();
        causes.dedup();
        let shown = step
            .causes
            .iter()
            .all(|cause| self.shown.contains(cause.fingerprint.as_str()));
        let word = if shown { "shown above" } else { "look at that first" };
        let text = format!("This follows from {}: {word}.", enumerate(&causes, 0));
        self.page.paragraph(indent, &text, Ink::new().bold());
    }

    fn end(&mut self) {
        self.ahead();
        if !self.gap {
            self.page.blank();
        }
        self.outcome();
        self.elsewhere();
        closing::print_bundle(&mut self.page, &self.walked.report);
    }

    /// The steps that the walk has not come to, in one line
    fn ahead(&mut self) {
        let ahead = self.walked.steps.iter().filter(|step| !step.walked);
        let titles: Vec<String> = ahead.map(|step| format!("{}. {}", step.number, step.title)).collect();
        if titles.is_empty() {
            return;
        }
        self.gap = false;
        let page = &mut self.page;
        let line = format!("still ahead (--all walks on): {}", titles.join(" "));
        let line = page.word(&line, page.words());
        let line = page.paint.dim(&line);
        page.line(&line);
    }

    fn outcome(&mut self) {
        let walked: Vec<&Step> = self.walked.steps.iter().filter(|step| step.walked).collect();
        let undecided: Vec<&Step> = walked.iter().copied().filter(|step| undecided(step)).collect();
        let text = match self.walked.stopped_at {
            Some(at) if walked.iter().any(|step| step.number > at) => {
                format!("First found at step {at} of {}.", self.walked.steps.len())
            }
            Some(at) => format!("Found at step {at} of {}.", self.walked.steps.len()),
            None => format!("Nothing found in {}.", count(walked.len(), "step")),
        };
        self.page.paragraph(0, &text, Ink::new().bold());
        if undecided.is_empty() {
            return;
        }
        let head = match self.walked.stopped_at {
            Some(_) => "If that does not help: what could not be decided on the way:",
            None => "What could not be decided:",
        };
        self.page.paragraph(0, head, Ink::new());
        for step in undecided {
            self.undecided(step);
        }
    }

    /// A step that could not be decided, with what it lacks
    fn undecided(&mut self, step: &Step) {
        let unknown = step.verdicts.iter().filter(|verdict| is_open(verdict));
        let mut wants: Vec<String> = Vec::new();
        for verdict in unknown {
            let lacks = self.items.wants(verdict);
            let reason = verdict.reason.clone().unwrap_or_default();
            for want in if lacks.is_empty() { vec![reason] } else { lacks } {
                if !wants.contains(&want) {
                    wants.push(want);
                }
            }
        }
        let text = format!("- step {}, {}: {}", step.number, step.title, enumerate(&wants, 0));
        self.page.paragraph(2, &cut_end(&text, REASON, true), Ink::new());
    }

    /// What rules that the guide does not ask have found
    fn elsewhere(&mut self) {
        let asked: BTreeSet<&str> = self
            .walked
            .steps
            .iter()
            .flat_map(|step| &step.findings)
            .map(String::as_str)
            .collect();
        let walked_all = self.walked.steps.iter().all(|step| step.walked);
        let other = self.folded.groups.iter().filter(|group| {
            group.first.severity >= Severity::Warning && !members(group).any(|print| asked.contains(print))
        });
        let codes: Vec<String> = other.map(|group| self.page.word(&group.first.code, REASON)).collect();
        if codes.is_empty() || !walked_all && self.walked.stopped_at.is_some() {
            return;
        }
        let text = format!(
            "Beside this walk, `casebook run` reports {}: {}.",
            count(codes.len(), "finding"),
            enumerate(&codes, 0)
        );
        self.page.paragraph(0, &text, Ink::new());
    }
}

/// Fingerprints of everything in a group
fn members<'g, 'a>(group: &'g Group<'a>) -> impl Iterator<Item = &'a str> + 'g {
    let all = std::iter::once(&group.first)
        .chain(&group.same)
        .chain(&group.consequences);
    all.map(|finding| finding.fingerprint.as_str())
}

/// The word before a step
fn mark(page: &Page, step: &Step, walked: &Walked) -> (&'static str, Ink) {
    let findings = walked
        .report
        .findings
        .iter()
        .filter(|finding| step.findings.contains(&finding.fingerprint));
    let gravest = findings.map(|finding| finding.severity).max();
    match step.verdict {
        Some(Verdict::Fail) if gravest == Some(Severity::Info) => ("info", page.paint.severity(Severity::Info)),
        None => ("note", page.paint.place()),
        Some(Verdict::Pass) => ("ok", Ink::new()),
        Some(Verdict::Fail) => ("fails", page.paint.severity(Severity::Error)),
        Some(Verdict::Unknown) => ("unknown", page.paint.unknown()),
        Some(Verdict::NotApplicable) => ("n/a", Ink::new()),
        Some(Verdict::Error) => ("broken", page.paint.severity(Severity::Error)),
    }
}

fn undecided(step: &Step) -> bool {
    step.verdicts.iter().any(is_open)
}

fn is_open(verdict: &RuleVerdict) -> bool {
    matches!(verdict.verdict, Verdict::Unknown | Verdict::Error)
}

/// A rule as a guide of the rulebook `own` names it
fn name(own: &str, verdict: &RuleVerdict) -> String {
    if verdict.rulebook == own {
        verdict.rule.clone()
    } else {
        format!("{}::{}", verdict.rulebook, verdict.rule)
    }
}

/// Verdicts of one sort for one reason
struct Alike<'a> {
    first: &'a RuleVerdict,
    rules: Vec<String>,
    subjects: BTreeSet<&'a str>,
}

fn grouped(verdicts: &[RuleVerdict]) -> Vec<Alike<'_>> {
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for verdict in verdicts {
        let alike = |group: &&mut Alike<'_>| {
            let first = group.first;
            (first.verdict, &first.reason, &first.remark) == (verdict.verdict, &verdict.reason, &verdict.remark)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => {
                if !group.rules.contains(&verdict.rule) {
                    group.rules.push(verdict.rule.clone());
                }
                group.subjects.insert(&verdict.subject);
            }
            None => groups.push(Alike {
                first: verdict,
                rules: vec![verdict.rule.clone()],
                subjects: BTreeSet::from([verdict.subject.as_str()]),
            }),
        }
    }
    groups
}
