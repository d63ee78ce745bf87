//! The report, put together from what was judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::halt::Halt;
use crate::report::excerpt;
use crate::report::model::{
    self, Finding, Item, Report, RulePlace, RuleVerdict, RulebookVersion, Skipped, Summary, Tool, Verdict,
};
use crate::rulebook::model::{Rule, RulebookId};

use super::Sentence;
use super::causes::{self, Ranked};
use super::finding::{gravest, hex};
use super::run::{Context, Run};
use super::subjects::Applies;

/// Puts the report together.
pub(super) fn report(context: &Context, runs: &[Arc<Run>], applies: &Applies, sentences: Vec<Sentence>) -> Report {
    let skipped = skipped(context, &sentences, applies);
    let verdicts: Vec<RuleVerdict> = sentences
        .iter()
        .map(|sentence| verdict(context, applies, sentence))
        .collect();
    let findings = ordered(sentences);
    Report {
        schema: model::Schema::default(),
        tool: Tool::current(),
        bundle: bundle(context, runs),
        rulebooks: rulebooks(context),
        skipped,
        summary: Summary::of(&verdicts),
        findings,
        verdicts,
    }
}

fn ordered(sentences: Vec<Sentence>) -> Vec<Finding> {
    let findings: Vec<Finding> = sentences
        .into_iter()
        .flat_map(|sentence| sentence.drafts)
        .map(|draft| draft.finding)
        .collect();
    let ranked = |finding: &Finding| Ranked {
        severity: finding.severity,
        explained: !finding.is_root(),
        consequences: finding.consequences,
    };
    let order = causes::order(&findings.iter().map(ranked).collect::<Vec<_>>());
    let mut findings: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| findings[index].take()).collect()
}

fn bundle(context: &Context, runs: &[Arc<Run>]) -> model::Bundle {
    let items = items(context, runs);
    let capture = context.capture();
    model::Bundle {
        path: context.bundle.short_name(),
        digest: digest(context, runs),
        captured_at: capture.at.map(|at| at.to_string()),
        captured_at_source: context.time_source(),
        complete: None,
        items,
    }
}

/// What each probe bound to, as far as it was needed.
fn items(context: &Context, runs: &[Arc<Run>]) -> Vec<Item> {
    let probes = 0..context.ruleset.probes.len();
    let mut items = Vec::new();
    for probe in probes {
        let declared = &context.ruleset.probes[probe];
        for run in runs.iter().filter(|run| run.subject.kind == declared.kind) {
            let Some(item) = run.item_read(probe) else { continue };
            let duplicates = item
                .document
                .as_ref()
                .ok()
                .map_or(0, |doc| doc.document.duplicates().len());
            let note = (duplicates > 0)
                .then(|| format!("{duplicates} member names occur again in the same object; the last counts"));
            items.push(Item {
                probe: context.ruleset.probe_code(probe),
                subject: run.label(),
                path: item.path.clone().or_else(|| run.expected_path(probe)),
                outcome: item.outcome,
                detail: item.document.as_ref().err().cloned(),
                ways: run.ways(probe),
                captured_at: context
                    .capture()
                    .at
                    .filter(|_| context.capture().exact && item.path.is_some())
                    .map(|at| at.to_string()),
                truncated: item.truncated,
                duplicate_keys: note,
                redactions: 0,
            });
        }
    }
    items
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
fn skipped(context: &Context, sentences: &[Sentence], applies: &Applies) -> Vec<Skipped> {
    let count = |rulebook: RulebookId| {
        let own = sentences
            .iter()
            .filter(|s| context.ruleset.rules[s.rule].rulebook == rulebook);
        let told: Vec<bool> = own
            .map(|s| {
                s.run
                    .as_ref()
                    .is_some_and(|run| matches!(applies.why(run, rulebook), Ok(false)))
            })
            .collect();
        (!told.is_empty() && told.iter().all(|no| *no)).then_some(told.len())
    };
    let rulebooks = context.ruleset.rulebooks.iter().enumerate();
    let skipped = rulebooks.filter_map(|(id, rulebook)| {
        Some(Skipped {
            rulebook: rulebook.id.clone(),
            title: Some(rulebook.title.clone()),
            when: rulebook.when.as_ref()?.text.value.clone(),
            rules: u32::try_from(count(id)?).unwrap_or(u32::MAX),
        })
    });
    skipped.collect()
}

fn verdict(context: &Context, applies: &Applies, sentence: &Sentence) -> RuleVerdict {
    let rule = &context.ruleset.rules[sentence.rule];
    let mut verdict = RuleVerdict {
        rulebook: context.ruleset.rulebooks[rule.rulebook].id.clone(),
        rule: rule.id.clone(),
        subject: sentence
            .run
            .as_ref()
            .map_or_else(|| kind_name(context, rule), Run::label),
        verdict: Verdict::Unknown,
        severity: None,
        reason: None,
        remark: None,
        missing: Vec::new(),
        items: BTreeMap::new(),
        place: None,
    };
    match (&sentence.run, &sentence.judged) {
        (_, Some(_)) => judged(context, sentence, &mut verdict),
        (None, None) => no_subject(context, rule, &mut verdict),
        (Some(run), None) => not_applied(context, applies.why(run, rule.rulebook), &mut verdict),
    }
    verdict
}

fn judged(context: &Context, sentence: &Sentence, verdict: &mut RuleVerdict) {
    let Some(judged) = &sentence.judged else { return };
    verdict.verdict = judged.verdict;
    verdict.severity = gravest(&sentence.drafts);
    verdict.items.clone_from(&judged.items);
    if let Some(note) = judged.notes.get(&judged.verdict) {
        match judged.verdict {
            Verdict::Pass => verdict.remark = note.text(),
            _ => verdict.reason = note.text(),
        }
        verdict.missing.clone_from(&note.missing);
        verdict.place = note.place.map(|place| rule_place(context, place));
    }
    if let Some(Halt::Broken(failed)) = &sentence.trouble {
        verdict.reason = Some(format!("the words of a finding could not be made: {}", failed.message));
        verdict.place = failed.place.map(|place| rule_place(context, place));
    }
}

fn no_subject(context: &Context, rule: &Rule, verdict: &mut RuleVerdict) {
    verdict.reason = Some(format!("the bundle holds nothing of a {}", kind_name(context, rule)));
    verdict.missing = rule
        .needs
        .iter()
        .map(|probe| context.ruleset.probe_code(*probe))
        .collect();
}

fn not_applied(context: &Context, why: &Result<bool, Halt>, verdict: &mut RuleVerdict) {
    match why {
        Ok(_) => {
            verdict.verdict = Verdict::NotApplicable;
            verdict.reason = Some("its rulebook does not apply here".into());
        }
        Err(Halt::Unknown(unknown)) => {
            verdict.reason = Some(format!("whether its rulebook applies is not known: {}", unknown.reason));
            verdict.missing.clone_from(&unknown.missing);
        }
        Err(Halt::Broken(failed)) => {
            verdict.verdict = Verdict::Error;
            verdict.reason = Some(format!("the `when` of its rulebook broke: {}", failed.message));
            verdict.place = failed.place.map(|place| rule_place(context, place));
        }
    }
}

fn kind_name(context: &Context, rule: &Rule) -> String {
    rule.kind
        .map_or_else(|| "bundle".into(), |kind| context.ruleset.kinds[kind].id.clone())
}

fn rule_place(context: &Context, place: crate::diagnostic::Place) -> RulePlace {
    let sources = &context.ruleset.sources;
    let (line, column) = sources.position(place);
    let file = sources.get(place.file);
    RulePlace {
        file: file.name.clone(),
        line,
        column,
        excerpt: Some(excerpt::cut_text(&file.text, place.range())),
    }
}

/// SHA-256 over the names and hashes of all items that were read, in the order of their names.
fn digest(context: &Context, runs: &[Arc<Run>]) -> String {
    let probes = 0..context.ruleset.probes.len();
    let read = probes.flat_map(|probe| runs.iter().filter_map(move |run| run.own_item(probe)));
    let hashes: BTreeMap<&str, &[u8; 32]> = read
        .filter_map(|item| Some((item.path.as_deref()?, item.sha256.as_ref()?)))
        .collect();
    let mut hash = Sha256::new();
    for (path, sha256) in hashes {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(sha256);
    }
    hex(&hash.finalize())
}
