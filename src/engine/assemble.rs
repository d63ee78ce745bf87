//! The report, put together from what was examined.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::report::excerpt;
use crate::report::model::{
    self, Finding, Item, Report, RulePlace, RuleVerdict, RulebookVersion, Skipped, Summary, TimeSource, Tool, Verdict,
};
use crate::rulebook::model::{Rule, RuleId, RulebookId, Ruleset};

use super::causes::{self, Ranked};
use super::context::Context;
use super::examine::Examined;
use super::finding::{Draft, gravest, hex};
use super::halt::{Broken, Halt};
use super::judge::Judged;
use super::relate;
use super::run::Run;

/// Puts the report together; the whole comes first among the examined.
pub(super) fn report(context: &Context, examined: Vec<Examined>) -> Report {
    let skipped = skipped(context, &examined);
    let bundle = bundle(context, &examined);
    let across = relate::across(context, &examined);
    let (mut verdicts, mut findings, mut edges) = (Vec::new(), Vec::new(), across);
    for (ordinal, subject) in examined.into_iter().enumerate() {
        let by = findings.len();
        edges.extend(
            subject
                .edges
                .into_iter()
                .map(|(cause, effect)| (cause + by, effect + by)),
        );
        findings.extend(subject.drafts.into_iter().map(|draft| (draft.rule, draft.finding)));
        verdicts.extend(
            subject
                .verdicts
                .into_iter()
                .map(|(rule, verdict)| (rule, ordinal, verdict)),
        );
    }
    verdicts.sort_by_key(|(rule, ordinal, _)| (*rule, *ordinal));
    let verdicts: Vec<RuleVerdict> = verdicts.into_iter().map(|(_, _, verdict)| verdict).collect();
    let mut report = Report {
        schema: model::Schema::default(),
        tool: Tool::current(),
        bundle,
        rulebooks: rulebooks(context),
        skipped,
        summary: Summary::of(&verdicts),
        findings: ordered(findings, &edges),
        verdicts,
    };
    report.redact(context.redactor());
    report
}

/// Notes in every finding what it explains and is explained by, and puts root causes first.
fn ordered(findings: Vec<(RuleId, Finding)>, edges: &relate::Edges) -> Vec<Finding> {
    let (rules, mut findings): (Vec<RuleId>, Vec<Finding>) = findings.into_iter().unzip();
    let consequences = causes::consequences(findings.len(), edges);
    for &(cause, effect) in edges {
        let (explains, explained_by) = (
            findings[effect].fingerprint.clone(),
            findings[cause].fingerprint.clone(),
        );
        findings[cause].explains.push(explains);
        findings[effect].explained_by.push(explained_by);
    }
    let mut ranked = Vec::new();
    for ((finding, consequences), rule) in findings.iter_mut().zip(consequences).zip(rules) {
        finding.consequences = consequences;
        ranked.push(Ranked {
            severity: finding.severity,
            explained: !finding.is_root(),
            consequences,
            rule,
        });
    }
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    causes::order(&ranked)
        .into_iter()
        .filter_map(|at| slots[at].take())
        .collect()
}

fn bundle(context: &Context, examined: &[Examined]) -> model::Bundle {
    let mut items: Vec<_> = examined.iter().flat_map(|subject| &subject.items).collect();
    items.sort_by_key(|(probe, _)| *probe);
    let (captured_at, captured_at_source) = captured(context, examined);
    model::Bundle {
        path: context.bundle.short_name(),
        digest: digest(examined),
        captured_at: captured_at.map(|at| at.to_string()),
        captured_at_source,
        complete: context.bundle.complete(),
        items: items.into_iter().map(|(_, item)| item.clone()).collect(),
    }
}

/// When the bundle was captured, and how that is known: the newest time that holds for an item of it.
fn captured(context: &Context, examined: &[Examined]) -> (Option<Timestamp>, TimeSource) {
    let told = examined
        .iter()
        .filter_map(|subject| subject.captured)
        .max_by_key(|(at, _)| *at);
    let known = (context.capture().at, context.time_source());
    told.map_or(known, |(at, source)| (Some(at), source))
}

/// SHA-256 over the names and hashes of all items that were read, in the order of their names.
fn digest(examined: &[Examined]) -> String {
    let hashes: BTreeMap<&str, &[u8; 32]> = examined
        .iter()
        .flat_map(|subject| &subject.hashes)
        .map(|(path, hash)| (path.as_str(), hash))
        .collect();
    let mut hash = Sha256::new();
    for (path, sha256) in hashes {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(sha256);
    }
    hex(&hash.finalize())
}

/// What the probes of a run came to, as far as they were needed.
pub(super) fn items(run: &Arc<Run>) -> Vec<(crate::rulebook::model::ProbeId, Item)> {
    let context = &run.context;
    let item = |(probe, item): (usize, &super::evidence::Item)| {
        let duplicates = item
            .document
            .as_ref()
            .ok()
            .map_or(0, |doc| doc.document.duplicates().len());
        let captured = item.capture(context.capture());
        let note = (duplicates > 0)
            .then(|| format!("{duplicates} member names occur again in the same object; the last counts"));
        let item = Item {
            probe: context.ruleset.probe_code(probe),
            subject: run.label(),
            path: item.path.clone().or_else(|| run.expected_path(probe)),
            outcome: item.outcome,
            detail: item.document.as_ref().err().or(item.remark.as_ref()).cloned(),
            ways: run.ways(probe),
            captured_at: captured
                .at
                .filter(|_| captured.exact && item.path.is_some())
                .map(|at| at.to_string()),
            truncated: item.truncated,
            duplicate_keys: note,
            redactions: item.redactions,
            replaced_bytes: item.replaced,
        };
        (probe, item)
    };
    run.own_items().map(item).collect()
}

fn rulebooks(context: &Context) -> Vec<RulebookVersion> {
    let version = |rulebook: &crate::rulebook::model::Rulebook| RulebookVersion {
        id: rulebook.id.clone(),
        version: rulebook.version.clone(),
        digest: rulebook.digest.clone(),
    };
    context.ruleset.rulebooks.iter().map(version).collect()
}

/// Rulebooks whose `when` is false wherever their rules were to be judged.
fn skipped(context: &Context, examined: &[Examined]) -> Vec<Skipped> {
    let rulebooks = context.ruleset.rulebooks.iter().enumerate();
    let skipped = rulebooks.filter_map(|(id, rulebook)| {
        Some(Skipped {
            rulebook: rulebook.id.clone(),
            title: Some(rulebook.title.clone()),
            when: rulebook.when.as_ref()?.text.value.clone(),
            rules: u32::try_from(unapplied(context, examined, id)?).unwrap_or(u32::MAX),
        })
    });
    skipped.collect()
}

/// How many verdicts on a rulebook's rules there are, if it applies to none of their subjects.
fn unapplied(context: &Context, examined: &[Examined], rulebook: RulebookId) -> Option<usize> {
    let mut count = 0;
    for subject in examined {
        let own = subject
            .verdicts
            .iter()
            .filter(|(rule, _)| context.ruleset.rules[*rule].rulebook == rulebook)
            .count();
        if own > 0 && !matches!(subject.answers[rulebook], Ok(false)) {
            return None;
        }
        count += own;
    }
    (count > 0).then_some(count)
}

fn blank(ruleset: &Ruleset, rule: RuleId, subject: String) -> RuleVerdict {
    let rule = &ruleset.rules[rule];
    verdict_of(ruleset, rule.rulebook, rule.id.clone(), subject)
}

/// The verdict on what goes by this id in a rulebook, unknown so far.
pub(super) fn verdict_of(ruleset: &Ruleset, rulebook: RulebookId, rule: String, subject: String) -> RuleVerdict {
    RuleVerdict {
        rulebook: ruleset.rulebooks[rulebook].id.clone(),
        rule,
        subject,
        verdict: Verdict::Unknown,
        severity: None,
        reason: None,
        remark: None,
        missing: Vec::new(),
        items: BTreeMap::new(),
        place: None,
    }
}

/// The verdict on a rule that was judged; `trouble` is what went wrong with the words of its findings.
pub(super) fn verdict(
    run: &Arc<Run>,
    rule: RuleId,
    judged: &Judged,
    drafts: &[Draft],
    trouble: Option<&Halt>,
) -> RuleVerdict {
    let mut verdict = blank(run.ruleset(), rule, run.label());
    verdict.verdict = judged.verdict;
    verdict.severity = gravest(drafts);
    verdict.items.clone_from(&judged.items);
    if let Some(note) = judged.notes.get(&judged.verdict) {
        match judged.verdict {
            Verdict::Pass => verdict.remark = note.text(),
            _ => verdict.reason = note.text(),
        }
        verdict.missing.clone_from(&note.missing);
        verdict.place = note.place.map(|place| rule_place(run.ruleset(), place));
    }
    if let Some(Halt::Broken(Broken { message, place })) = trouble {
        verdict.reason = Some(format!("the words of a finding could not be made: {message}"));
        verdict.place = place.map(|place| rule_place(run.ruleset(), place));
    }
    verdict
}

/// The verdict on a rule of a kind that has no subject in the bundle.
pub(super) fn no_subject(whole: &Arc<Run>, id: RuleId) -> RuleVerdict {
    let ruleset = whole.ruleset();
    let rule = &ruleset.rules[id];
    let kind = kind_name(ruleset, rule);
    let mut verdict = blank(ruleset, id, kind.clone());
    verdict.reason = Some(format!("the bundle holds nothing of a {kind}"));
    verdict.missing = rule.needs.iter().map(|probe| ruleset.probe_code(*probe)).collect();
    verdict
}

/// The verdict on a rule whose rulebook does not apply, or of which that is not known.
pub(super) fn not_applied(run: &Arc<Run>, rule: RuleId, why: &Result<bool, Halt>) -> RuleVerdict {
    let mut verdict = blank(run.ruleset(), rule, run.label());
    match why {
        Ok(_) => {
            verdict.verdict = Verdict::NotApplicable;
            verdict.reason = Some("its rulebook does not apply here".into());
        }
        Err(Halt::Unknown(unknown)) => {
            verdict.reason = Some(format!("whether its rulebook applies is not known: {}", unknown.reason));
            verdict.missing.clone_from(&unknown.missing);
        }
        Err(Halt::Broken(broken)) => {
            verdict.verdict = Verdict::Error;
            verdict.reason = Some(format!("the `when` of its rulebook broke: {}", broken.message));
            verdict.place = broken.place.map(|place| rule_place(run.ruleset(), place));
        }
    }
    verdict
}

fn kind_name(ruleset: &Ruleset, rule: &Rule) -> String {
    rule.kind
        .map_or_else(|| "bundle".into(), |kind| ruleset.kinds[kind].id.clone())
}

fn rule_place(ruleset: &Ruleset, place: crate::diagnostic::Place) -> RulePlace {
    let sources = &ruleset.sources;
    let (line, column) = sources.position(place);
    let file = sources.get(place.file);
    let excerpt = Some(excerpt::cut_text(&file.text, place.range()));
    RulePlace {
        file: file.name.clone(),
        line,
        column,
        excerpt,
    }
}
