//! `casebook new case --from BUNDLE`: a case whose evidence is cut out of a bundle, and which holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bundle::{Bundle, ItemFacts};
use crate::case::trim::{self, Aim, Trimmed, TrimmedItem};
use crate::case::{self, Selection};
use crate::commands::run::{given, inputs, open};
use crate::diagnostic;
use crate::report::Style;
use crate::report::model::{Outcome, Verdict};
use crate::rulebook::compile;
use crate::rulebook::model::{RuleId, RulebookId, Ruleset};

use super::{CaseArgs, Failure, free, kebab, opened, rule_name, told, write};

/// Longest text that stands in the file of cases itself.
const INLINE: usize = 8 << 10;
/// Most findings that are expected by their words.
const EXPECTED: usize = 3;

/// Writes the case.
pub(super) fn run(
    args: &CaseArgs,
    mut ruleset: Ruleset,
    rulebook: RulebookId,
    rule: RuleId,
    bundle: &Path,
    style: &Style,
) -> Result<(), Failure> {
    let facts = compile::parts(&mut ruleset, rule).facts.into_keys().collect();
    let name = rule_name(&ruleset, rulebook, rule);
    let bundle = open(bundle, &args.limits)?;
    let ruleset = Arc::new(ruleset);
    let aim = Aim {
        // What the case does not write down must not count.
        inputs: inputs(&ruleset, None, &given(&ruleset, &args.set)?),
        captured_at: args.captured_at.or_else(|| newest(&bundle)),
        ruleset,
        rule,
        facts,
    };
    let only = args.subject.as_deref().map(crate::commands::glob).transpose()?;
    let source = bundle.short_name();
    let trimmed = trim::trim(&aim, bundle, only).map_err(|error| {
        Failure::usage(
            error.to_string(),
            "`casebook explain RULE --on BUNDLE` tells what the rule makes of it",
        )
    })?;
    let draft = Draft {
        aim: &aim,
        rulebook,
        rule: &name,
        id: id(args, &aim, &trimmed)?,
        trimmed: &trimmed,
        folder: args.within.join("cases"),
        set: &args.set,
        source: &source,
    };
    draft.save(&args.within, style)
}

/// When the bundle was captured, where it tells that of its items.
fn newest(bundle: &Bundle) -> Option<jiff::Timestamp> {
    let facts = bundle.files().iter().filter_map(|path| bundle.facts(path));
    facts.filter_map(|facts| facts.captured_at).max()
}

/// The id that was given, else the rule's with its verdict, numbered where there is one of that name.
fn id(args: &CaseArgs, aim: &Aim, trimmed: &Trimmed) -> Result<String, Failure> {
    if let Some(id) = &args.id {
        return kebab(id).map(str::to_owned);
    }
    let verdict = match trimmed.verdict.verdict {
        Verdict::Fail => "fails",
        Verdict::Pass => "passes",
        Verdict::Unknown => "unknown",
        Verdict::NotApplicable => "not-applicable",
        Verdict::Error => "breaks",
    };
    let first = format!("{}-{verdict}", aim.ruleset.rules[aim.rule].id);
    let taken = |id: &String| args.within.join("cases").join(format!("{id}.yaml")).exists();
    let mut ids = std::iter::once(first.clone()).chain((2..).map(|number| format!("{first}-{number}")));
    Ok(ids.find(|id| !taken(id)).unwrap_or(first))
}

/// A case that is about to be written.
struct Draft<'d> {
    aim: &'d Aim,
    rulebook: RulebookId,
    rule: &'d str,
    id: String,
    trimmed: &'d Trimmed,
    folder: PathBuf,
    set: &'d [String],
    source: &'d str,
}

impl Draft<'_> {
    /// Writes the case and tries it; one that does not hold is taken back.
    fn save(&self, rulebook: &Path, style: &Style) -> Result<(), Failure> {
        let file = self.folder.join(format!("{}.yaml", self.id));
        let evidence = self.folder.join("evidence").join(&self.id);
        free(&file)?;
        let (text, files) = self.text();
        if !files.is_empty() {
            free(&evidence)?;
        }
        let mut written: Vec<PathBuf> = Vec::new();
        for (name, bytes) in &files {
            let path = evidence.join(name);
            write(&path, bytes)?;
            written.push(path);
        }
        write(&file, text.as_bytes())?;
        written.insert(0, file);
        if let Err(failure) = self.check(rulebook, style) {
            for path in &written {
                // What was just written is ours; whatever is left of it hurts nobody.
                let _ = fs::remove_file(path);
            }
            return Err(failure);
        }
        let before: usize = self.trimmed.items.iter().map(|item| item.size).sum();
        let after: usize = self.trimmed.items.iter().map(|item| item.bytes.len()).sum();
        let paths: Vec<&Path> = written.iter().map(PathBuf::as_path).collect();
        let verdict = match self.trimmed.verdict.verdict {
            Verdict::Fail => "fails",
            Verdict::Pass => "passes",
            Verdict::Unknown => "is unknown",
            Verdict::NotApplicable => "does not apply",
            Verdict::Error => "breaks",
        };
        let rule = self.rule;
        let next =
            format!("it holds: `{rule}` {verdict} on {after} of {before} bytes; give the case a title of its own");
        told(&paths, &next)
    }

    /// Runs the case as it was written.
    fn check(&self, rulebook: &Path, style: &Style) -> Result<(), Failure> {
        let (ruleset, _) = opened(rulebook, style)?;
        let (mut cases, problems, sources) = case::load(&ruleset).map_err(crate::commands::not_loaded)?;
        if problems.has_errors() {
            let style = crate::commands::problem_style(style);
            return Err(Failure::Rulebook(diagnostic::render(&problems, &sources, &style)));
        }
        cases.retain(|case| case.id == self.id);
        let outcomes = case::run(&Arc::new(ruleset), &cases, &Selection::default());
        let mismatches: Vec<String> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.mismatches)
            .map(|mismatch| mismatch.message.clone())
            .collect();
        match mismatches.is_empty() && !cases.is_empty() {
            true => Ok(()),
            false => {
                let message = format!("the case would not hold: {}", mismatches.join("; "));
                Err(Failure::usage(
                    message,
                    "nothing was written; write the case by hand, with the bundle as its `evidence`",
                ))
            }
        }
    }

    /// The file of the case, and the files of evidence beside it.
    fn text(&self) -> (String, Vec<(String, Vec<u8>)>) {
        let mut files = Vec::new();
        let mut text = String::from("# yaml-language-server: $schema=../cases.schema.json\ncasebook: 1\n\ncases:\n");
        text.push_str(&format!("  {}:\n", self.id));
        text.push_str(&format!(
            "    title: {}\n",
            quoted(&self.aim.ruleset.rules[self.aim.rule].title)
        ));
        text.push_str(&format!(
            "    # From {}, cut down to what the rule reads.\n",
            one_line(self.source)
        ));
        match self.trimmed.items.iter().all(|item| self.is_plain(item)) {
            true => self.items(&mut text, &mut files),
            false => {
                text.push_str(&format!("    evidence: evidence/{}\n", self.id));
                files = self
                    .trimmed
                    .items
                    .iter()
                    .map(|item| (item.path.clone(), item.bytes.clone()))
                    .collect();
            }
        }
        if let Some(at) = self.aim.captured_at {
            text.push_str(&format!("    captured-at: {at}\n"));
        }
        if !self.set.is_empty() {
            text.push_str("    set:\n");
            let set = self.set.iter().filter_map(|setting| setting.split_once('='));
            set.for_each(|(name, value)| text.push_str(&format!("      {name}: {}\n", quoted(value))));
        }
        self.expectation(&mut text);
        (text, files)
    }

    /// Whether an item goes by a name that is no glob, so that a case can give it by its probe.
    fn is_plain(&self, item: &TrimmedItem) -> bool {
        let captured = &self.aim.ruleset.probes[item.probe].captured;
        captured.iter().any(|name| !name.text.contains(['*', '?', '[', '{']))
    }

    fn items(&self, text: &mut String, files: &mut Vec<(String, Vec<u8>)>) {
        if self.trimmed.items.is_empty() {
            return text.push_str("    evidence: {}\n");
        }
        text.push_str("    evidence:\n");
        let mut by_probe: Vec<(usize, Vec<&TrimmedItem>)> = Vec::new();
        for item in &self.trimmed.items {
            match by_probe.iter_mut().find(|(probe, _)| *probe == item.probe) {
                Some((_, items)) => items.push(item),
                None => by_probe.push((item.probe, vec![item])),
            }
        }
        for (probe, items) in by_probe {
            let declared = &self.aim.ruleset.probes[probe];
            let owner = &self.aim.ruleset.rulebooks[declared.rulebook].id;
            let name = if declared.rulebook == self.rulebook {
                declared.id.clone()
            } else {
                format!("{owner}.{}", declared.id)
            };
            match items.as_slice() {
                [item] if self.is_bare(item) => {
                    let content = String::from_utf8_lossy(&item.bytes);
                    text.push_str(&format!("      {name}: {}\n", scalar(&content, 8)));
                }
                items => {
                    text.push_str(&format!("      {name}:\n"));
                    items.iter().for_each(|item| self.item(item, text, files));
                }
            }
        }
    }

    /// Whether an item is its text and nothing else.
    fn is_bare(&self, item: &TrimmedItem) -> bool {
        let facts = ItemFacts {
            path: item.facts.path.clone(),
            ..ItemFacts::default()
        };
        let told = ItemFacts {
            modified: None,
            ..item.facts.clone()
        };
        let plain = described(&facts) == described(&told);
        plain && item.subject.is_empty() && fits(&item.bytes)
    }

    fn item(&self, item: &TrimmedItem, text: &mut String, files: &mut Vec<(String, Vec<u8>)>) {
        let mut lines = described(&item.facts);
        if let (Some(kind), false) = (self.aim.ruleset.probes[item.probe].kind, item.subject.is_empty()) {
            let subject = format!("{}/{}", self.aim.ruleset.kinds[kind].id, item.subject.join("/"));
            lines.insert(0, format!("subject: {}", quoted(&subject)));
        }
        match fits(&item.bytes) {
            true => lines.push(format!("text: {}", scalar(&String::from_utf8_lossy(&item.bytes), 12))),
            false => {
                lines.push(format!(
                    "file: {}",
                    quoted(&format!("evidence/{}/{}", self.id, item.path))
                ));
                files.push((item.path.clone(), item.bytes.clone()));
            }
        }
        for (nth, line) in lines.iter().enumerate() {
            let lead = if nth == 0 { "- " } else { "  " };
            text.push_str(&format!("        {lead}{line}\n"));
        }
    }

    fn expectation(&self, text: &mut String) {
        let (rule, verdict) = (self.rule, &self.trimmed.verdict);
        match verdict.verdict {
            Verdict::Pass => text.push_str(&format!("    pass: [{rule}]\n")),
            Verdict::NotApplicable => text.push_str(&format!("    not-applicable: [{rule}]\n")),
            Verdict::Error => text.push_str(&format!("    error: [{rule}]\n")),
            Verdict::Unknown => {
                let reason = verdict
                    .reason
                    .as_deref()
                    .map_or_else(String::new, |reason| format!(" {}", quoted(reason)));
                text.push_str(&format!("    unknown:\n      {rule}:{reason}\n"));
            }
            Verdict::Fail => {
                text.push_str(&format!("    fail:\n      {rule}:\n"));
                for finding in self.trimmed.findings.iter().take(EXPECTED) {
                    text.push_str(&format!("        - says: {}\n", quoted(&finding.message)));
                    if let Some(key) = &finding.key {
                        text.push_str(&format!("          key: {}\n", quoted(key)));
                    }
                }
            }
        }
    }
}

/// What is known of an item beside its bytes, as keys of a case.
fn described(facts: &ItemFacts) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(outcome) = facts.outcome.filter(|outcome| *outcome != Outcome::Ok) {
        lines.push(format!("outcome: {}", outcome.word()));
    }
    lines.extend(facts.exit.map(|exit| format!("exit: {exit}")));
    lines.extend(facts.http.map(|http| format!("http: {http}")));
    lines.extend(
        facts
            .stderr
            .as_ref()
            .map(|stderr| format!("stderr: {}", quoted(stderr))),
    );
    if facts.truncated {
        lines.push("truncated: true".into());
    }
    lines.extend(facts.captured_at.map(|at| format!("captured-at: {at}")));
    lines
}

/// Whether bytes can stand in the file of cases.
fn fits(bytes: &[u8]) -> bool {
    bytes.len() <= INLINE && std::str::from_utf8(bytes).is_ok()
}

/// A text as a YAML scalar: as a block where it reads well as one, else in quotes.
fn scalar(text: &str, indent: usize) -> String {
    let plain = |c: char| {
        c == '\n' || c == '\t' || !c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    let block = text.len() > 60
        && text.chars().all(plain)
        && text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with('\n');
    if !block {
        return quoted(text);
    }
    let lines = text.lines().map(|line| match line.is_empty() {
        true => String::new(),
        false => format!("{:indent$}{line}", ""),
    });
    // A block that begins with a blank tells how far it is indented.
    let sign = if text.starts_with([' ', '\t']) { "|2" } else { "|" };
    format!("{sign}\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// A text in double quotes, as JSON and YAML both have them.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
