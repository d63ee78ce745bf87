//! A rule explained, for people.

use std::io;

use crate::report::explain::Spot;
use crate::report::{Sheet, Style, Tone};

use super::rule::{Described, Needed, Related};

/// Writes the page of a rule.
pub(super) fn write(rule: &Described, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = Sheet::new(style);
    let subject = rule
        .subject
        .as_ref()
        .map_or_else(String::new, |kind| format!(", about a {kind}"));
    sheet.paragraph(0, &rule.title, Tone::Strong);
    sheet.line(
        &format!("{}  {}{subject}  {}", rule.code, rule.severity, place(&rule.at)),
        Tone::Dim,
    );
    if let Some(about) = &rule.about {
        sheet.blank();
        sheet.paragraph(0, about, Tone::Plain);
    }
    asks(&mut sheet, rule);
    heading(&mut sheet, "evidence");
    rule.evidence.iter().for_each(|needed| evidence(&mut sheet, needed));
    facts(&mut sheet, rule);
    inputs(&mut sheet, rule);
    related(&mut sheet, "explains", &rule.explains, &rule.code);
    related(&mut sheet, "explained by", &rule.explained_by, &rule.code);
    cases(&mut sheet, rule);
    for (label, words) in [("guides", &rule.guides), ("refs", &rule.refs)] {
        if !words.is_empty() {
            heading(&mut sheet, label);
            sheet.paragraph(2, &words.join(", "), Tone::Plain);
        }
    }
    if let Some(docs) = &rule.docs {
        heading(&mut sheet, "docs");
        sheet.paragraph(2, docs, Tone::Plain);
    }
    sheet.write(out)
}

fn heading(sheet: &mut Sheet, text: &str) {
    sheet.blank();
    sheet.line(text, Tone::Strong);
}

/// `file:line`, as short as it is clear
pub(super) fn place(at: &Spot) -> String {
    format!("{}:{}", at.file, at.line)
}

fn asks(sheet: &mut Sheet, rule: &Described) {
    heading(sheet, "asks, in this order; the first that holds decides");
    let row = |ask: &super::rule::Condition| [ask.role.clone(), format!("line {}", ask.at.line), ask.text.clone()];
    let rows: Vec<[String; 3]> = rule.asks.iter().map(row).collect();
    sheet.table(2, ["", "", ""], &rows);
}

fn evidence(sheet: &mut Sheet, needed: &Needed) {
    let per = needed
        .per
        .as_ref()
        .map_or_else(String::new, |kind| format!(", one per {kind}"));
    sheet.paragraph(2, &format!("{}{per}", needed.probe), Tone::Plain);
    let lines = [
        ("captured as", needed.captured.join(", ")),
        ("live", needed.live.join(", or ")),
    ];
    for (label, text) in lines {
        if !text.is_empty() {
            sheet.item(4, &format!("{label}: {text}"), Tone::Dim);
        }
    }
}

fn facts(sheet: &mut Sheet, rule: &Described) {
    if rule.facts.is_empty() {
        return;
    }
    heading(sheet, "facts");
    for fact in &rule.facts {
        let name = fact.fact.split("::").last().unwrap_or_default();
        sheet.item(2, &format!("{name}: {}", fact.how.replace('\n', " ")), Tone::Plain);
        sheet.line(&format!("    {}", place(&fact.at)), Tone::Dim);
    }
}

fn inputs(sheet: &mut Sheet, rule: &Described) {
    if rule.inputs.is_empty() {
        return;
    }
    heading(sheet, "inputs");
    for input in &rule.inputs {
        let default = input
            .default
            .as_ref()
            .map_or_else(|| "not set".into(), |value| format!("{value} unless set"));
        sheet.item(2, &format!("{}: {} ({default})", input.input, input.about), Tone::Plain);
    }
}

fn related(sheet: &mut Sheet, label: &str, related: &[Related], own: &str) {
    if related.is_empty() {
        return;
    }
    heading(sheet, label);
    for related in related {
        let condition = related
            .condition
            .as_ref()
            .map_or_else(String::new, |text| format!(", if {text}"));
        let says = if related.says == own { "" } else { " (it says so)" };
        sheet.item(2, &format!("{}{condition}{says}", related.rule), Tone::Plain);
    }
}

fn cases(sheet: &mut Sheet, rule: &Described) {
    heading(sheet, "cases");
    if rule.cases.is_empty() {
        let text = "none here; those of a shipped rulebook stand in its folder: name that with -r";
        return sheet.paragraph(2, text, Tone::Dim);
    }
    let row = |case: &super::rule::Covered| [case.verdict.to_owned(), case.case.clone(), place(&case.at)];
    let mut rows: Vec<[String; 3]> = rule.cases.iter().map(row).collect();
    rows.sort();
    sheet.table(2, ["VERDICT", "CASE", "AT"], &rows);
}
