//! A rule explained on a bundle: every condition with its answer, every name with its value and where that comes from.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::case;
use crate::cli::TimeArgs;
use crate::commands::run::{given, open, settings};
use crate::engine::Inquiry;
use crate::report::explain::{Answer, Explanation, Item, Named, Question};
use crate::report::model::Verdict;
use crate::report::{self, Sheet, Style, Tone};
use crate::rulebook::compile;
use crate::rulebook::model::{RuleId, Ruleset};

use super::page::place;
use super::{ExplainArgs, Failure};

/// Subjects that are explained in full.
const SUBJECTS: usize = 4;

#[derive(Serialize)]
struct Explained<'e> {
    schema: &'static str,
    rule: &'e str,
    title: &'e str,
    bundle: &'e str,
    subjects: &'e [Explanation],
}

/// Explains the rule on the bundle.
pub(super) fn run(
    args: &super::ExplainArgs,
    mut ruleset: Ruleset,
    rule: RuleId,
    bundle: &Path,
    style: &Style,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let parts = compile::parts(&mut ruleset, rule);
    let (code, title) = (ruleset.rules[rule].code(&ruleset), ruleset.rules[rule].title.clone());
    let inquiry = inquiry(args, ruleset, rule, bundle)?;
    let mut subjects = inquiry.explain(rule, &parts);
    let rank = |explanation: &Explanation| match explanation.verdict.verdict {
        Verdict::Fail => 0,
        Verdict::Error => 1,
        Verdict::Unknown => 2,
        Verdict::Pass => 3,
        Verdict::NotApplicable => 4,
    };
    subjects.sort_by_key(rank);
    let explained = Explained {
        schema: "casebook/explanation/v1",
        rule: &code,
        title: &title,
        bundle: &inquiry.bundle().short_name(),
        subjects: &subjects,
    };
    match args.format {
        crate::cli::PlainFormat::Json => report::write_json(&explained, out)?,
        crate::cli::PlainFormat::Terminal => write(&explained, style, out)?,
    }
    Ok(())
}

fn inquiry(args: &ExplainArgs, ruleset: Ruleset, rule: RuleId, bundle: &Path) -> Result<Inquiry, Failure> {
    let bundle = open(bundle, &args.limits)?;
    let set = given(&ruleset, &args.rulebooks.set)?;
    let times = TimeArgs {
        captured_at: args.captured_at,
        before: args.before.clone(),
        before_captured_at: args.before_captured_at,
    };
    let settings = settings(&ruleset, &bundle, &set, &times, &args.limits)?;
    // A rule about the bundle has no subjects to choose from.
    let only = args.subject.as_deref().filter(|_| ruleset.rules[rule].kind.is_some());
    let only = only.map(crate::commands::glob).transpose()?;
    Ok(Inquiry::new(Arc::new(ruleset), bundle, settings, only))
}

fn write(explained: &Explained, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = Sheet::new(style);
    sheet.paragraph(0, explained.title, Tone::Strong);
    sheet.line(&format!("{} on {}", explained.rule, explained.bundle), Tone::Dim);
    for subject in explained.subjects.iter().take(SUBJECTS) {
        sheet.blank();
        explanation(&mut sheet, subject);
    }
    if let Some(more @ 1..) = explained.subjects.len().checked_sub(SUBJECTS) {
        sheet.blank();
        sheet.paragraph(
            0,
            &format!("and {more} more subjects: --subject GLOB chooses, --format json tells all"),
            Tone::Dim,
        );
    }
    sheet.write(out)
}

fn explanation(sheet: &mut Sheet, explanation: &Explanation) {
    let verdict = &explanation.verdict;
    sheet.paragraph(
        0,
        &format!("{}: {}", explanation.subject, case::word(verdict.verdict)),
        Tone::Strong,
    );
    let reasons = verdict
        .reason
        .iter()
        .chain(&verdict.remark)
        .chain(&explanation.findings);
    for reason in reasons.take(5) {
        sheet.paragraph(2, reason, Tone::Plain);
    }
    for (word, when) in [
        ("the rulebook applies when", &explanation.applies),
        ("the rule applies when", &explanation.when),
    ] {
        if let Some(question) = when {
            asked(sheet, 2, word, question);
        }
    }
    for listed in &explanation.each {
        let came = match &listed.stopped {
            Some(reason) => format!("not known: {reason}"),
            None => format!("{} item{}", listed.items, if listed.items == 1 { "" } else { "s" }),
        };
        sheet.item(
            2,
            &format!("for each {} in {}: {came}", listed.name, listed.list),
            Tone::Plain,
        );
        sheet.line(&format!("    {}", place(&listed.at)), Tone::Dim);
        listed.names.iter().for_each(|name| named(sheet, 4, name));
    }
    let repeated = !explanation.each.is_empty();
    for (number, item) in (1..).zip(&explanation.items) {
        decided(sheet, repeated.then_some(number), item);
    }
    if explanation.omitted > 0 {
        sheet.paragraph(2, &format!("and {} more items", explanation.omitted), Tone::Dim);
    }
}

fn decided(sheet: &mut Sheet, number: Option<usize>, item: &Item) {
    if number.is_some() {
        sheet.blank();
        let reason = item
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(" ({reason})"));
        sheet.item(
            2,
            &format!("an item: {}{reason}", case::word(item.verdict)),
            Tone::Strong,
        );
        item.names.iter().for_each(|name| named(sheet, 4, name));
    }
    let indent = if number.is_some() { 4 } else { 2 };
    for clause in &item.clauses {
        asked(sheet, indent, &format!("{} if", clause.decides), clause);
    }
}

fn asked(sheet: &mut Sheet, indent: usize, word: &str, question: &Question) {
    let (answer, why) = match &question.answer {
        Answer::True => ("true", None),
        Answer::False => ("false", None),
        Answer::Unknown(reason) => ("unknown", Some(reason)),
        Answer::Error(reason) => ("broken", Some(reason)),
    };
    let condition = question.condition.split_whitespace().collect::<Vec<_>>().join(" ");
    if condition == "otherwise" {
        return sheet.item(indent, &format!("{} {condition}", question.decides), Tone::Plain);
    }
    sheet.item(indent, &format!("{word} {condition}  ->  {answer}"), Tone::Plain);
    if let Some(why) = why {
        sheet.item(indent + 2, why, Tone::Plain);
    }
    sheet.line(&format!("{:1$}{2}", "", indent + 2, place(&question.at)), Tone::Dim);
    question.names.iter().for_each(|name| named(sheet, indent + 2, name));
}

fn named(sheet: &mut Sheet, indent: usize, name: &Named) {
    let value = match (&name.value, &name.unknown) {
        (Some(value), _) => format!("{} = {value}", name.name),
        (None, Some(reason)) => format!("{} is not known: {reason}", name.name),
        (None, None) => name.name.clone(),
    };
    sheet.item(indent, &value, Tone::Plain);
    for source in &name.places {
        let text = format!("{}:{}:{}  {}", source.evidence, source.line, source.column, source.path);
        sheet.item(indent + 2, &text, Tone::Dim);
    }
    if name.more_places > 0 {
        sheet.line(
            &format!("{:1$}and {2} more places", "", indent + 2, name.more_places),
            Tone::Dim,
        );
    }
    if let Some(computed) = &name.computed {
        let text = computed.as_written.split_whitespace().collect::<Vec<_>>().join(" ");
        sheet.item(
            indent + 2,
            &format!("computed: {text} ({})", place(&computed.at)),
            Tone::Dim,
        );
    }
    name.from.iter().for_each(|below| named(sheet, indent + 4, below));
}
