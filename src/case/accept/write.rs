//! Writing expectations into the text of a file of cases.

use std::ops::Range;

use crate::diagnostic::{FileId, Place, Problems, Sources};
use crate::report::model::Verdict;
use crate::rulebook::compile::severity;
use crate::rulebook::decode::OneOrMany;
use crate::rulebook::spec::{CaseSpec, ExpectSpec};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::{self, Yaml};

use super::Accepted;
use crate::case::word;

/// Widest line that is written.
const WIDTH: usize = 140;

/// The keys of expectations, in the order in which they are written where they are new.
const KEYS: [Verdict; 5] = [
    Verdict::Fail,
    Verdict::Pass,
    Verdict::Unknown,
    Verdict::NotApplicable,
    Verdict::Error,
];

/// A file of cases with its expectations written anew.
#[derive(Debug)]
pub struct Rewritten {
    /// Its text.
    pub text: String,
    /// What is changed, from the top down.
    pub changes: Vec<Change>,
}

/// A part of a file that is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The id of the case.
    pub case: String,
    /// The first line, counted from 1.
    pub line: u32,
    /// The lines as they were.
    pub old: Vec<String>,
    /// The lines as they are.
    pub new: Vec<String>,
}

/// Bytes to be exchanged.
struct Edit {
    range: Range<usize>,
    with: String,
}

/// Writes the expectations of some cases of a file anew.
pub fn rewrite(file: FileId, sources: &Sources, accepted: &[&Accepted<'_>]) -> Rewritten {
    let old = &sources.get(file).text;
    let documents = yaml::parse(file, sources, &mut Problems::default());
    let cases = documents.iter().find_map(|document| document.get("cases"));
    let (mut text, mut changes) = (old.clone(), Vec::new());
    // From the bottom up, so that places above stay true.
    for accepted in accepted.iter().rev() {
        let Some((_, case)) = cases.and_then(|cases| cases.entry(&accepted.case.id)) else {
            continue;
        };
        let place = Layout::of(old, case);
        let mut edits = edits(old, case, &place, &accepted.case.spec, &accepted.spec);
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start));
        let (Some(first), Some(last)) = (edits.last(), edits.first()) else {
            continue;
        };
        let lines = whole_lines(old, first.range.start..last.range.end);
        let mut part = old.get(lines.clone()).unwrap_or_default().to_owned();
        for edit in &edits {
            part.replace_range(edit.range.start - lines.start..edit.range.end - lines.start, &edit.with);
        }
        let before = old.get(..lines.start).unwrap_or_default();
        changes.push(Change {
            case: accepted.case.id.clone(),
            line: u32::try_from(before.lines().count() + 1).unwrap_or(u32::MAX),
            old: old
                .get(lines.clone())
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            new: part.lines().map(str::to_owned).collect(),
        });
        text.replace_range(lines, &part);
    }
    changes.reverse();
    Rewritten { text, changes }
}

/// The range widened to whole lines.
fn whole_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text
        .get(..range.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let ends = range.end > start && text.get(..range.end).is_some_and(|before| before.ends_with('\n'));
    let rest = text.get(range.end..).unwrap_or_default();
    let end = if ends {
        range.end
    } else {
        rest.find('\n').map_or(text.len(), |at| range.end + at + 1)
    };
    start..end
}

/// How a case is laid out.
struct Layout {
    /// In braces, on one line or several.
    flow: bool,
    /// What its keys are indented by.
    indent: String,
}

impl Layout {
    fn of(text: &str, case: &Yaml) -> Layout {
        let flow = text
            .get(case.place.range())
            .is_some_and(|written| written.starts_with('{'));
        let start = case
            .entries()
            .first()
            .map_or(case.place.range().start, |(key, _)| key.place.range().start);
        let line = text
            .get(..start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let indent = text.get(line..start).unwrap_or_default();
        Layout {
            flow,
            indent: indent.chars().take_while(|char| *char == ' ').collect(),
        }
    }
}

fn edits(text: &str, case: &Yaml, layout: &Layout, old: &CaseSpec, new: &CaseSpec) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut added = Vec::new();
    for key in KEYS {
        let (before, after) = (rendered(old, key, layout), rendered(new, key, layout));
        if before == after {
            continue;
        }
        match (case.entry(word(key)), after) {
            (Some((name, value)), Some(with)) => edits.push(Edit {
                range: name.place.range().start..end(text, name.place, value.place),
                with,
            }),
            (Some((name, value)), None) => {
                let entry = name.place.range().start..end(text, name.place, value.place);
                edits.push(removed(text, entry, layout));
            }
            (None, Some(with)) => added.push(with),
            (None, None) => {}
        }
    }
    edits.extend(inserted(text, case, layout, &added));
    edits
}

/// Where an entry ends. A key without a value ends with its colon.
fn end(text: &str, key: Place, value: Place) -> usize {
    let end = value.range().end.max(key.range().end);
    let colon = text.get(end..).is_some_and(|rest| rest.starts_with(':'));
    end + usize::from(colon)
}

/// An entry taken away, with its line or its comma.
fn removed(text: &str, entry: Range<usize>, layout: &Layout) -> Edit {
    let rest = text.get(entry.end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let mut with = String::new();
    let range = if layout.flow {
        let comma = rest
            .strip_prefix(',')
            .map(|rest| 1 + rest.len() - rest.trim_start().len());
        let before = text.get(..entry.start).unwrap_or_default();
        match comma {
            Some(length) => entry.start..entry.end + length,
            None => before.trim_end().trim_end_matches(',').len()..entry.end,
        }
    } else {
        // A comment at the end of the line is kept.
        if line.trim_start().starts_with('#') {
            with = format!("{}{}\n", layout.indent, line.trim_start());
        }
        whole_lines(text, entry)
    };
    Edit { range, with }
}

/// New entries, after the last expectation that is there, else after the last key.
fn inserted(text: &str, case: &Yaml, layout: &Layout, added: &[String]) -> Option<Edit> {
    let last = case.entries().last()?;
    let expectation = |name: &str| KEYS.iter().any(|key| word(*key) == name);
    let after = case
        .entries()
        .iter()
        .rev()
        .find(|(key, _)| expectation(key))
        .unwrap_or(last);
    let end = end(text, after.0.place, after.1.place);
    if added.is_empty() {
        return None;
    }
    let (at, with) = if layout.flow {
        (end, added.iter().map(|entry| format!(", {entry}")).collect())
    } else {
        let line = whole_lines(text, end..end);
        let broken = text.get(line.clone()).is_some_and(|line| line.ends_with('\n'));
        let lines = added
            .iter()
            .map(|entry| format!("{}{entry}\n", layout.indent))
            .collect::<String>();
        (line.end, if broken { lines } else { format!("\n{lines}") })
    };
    Some(Edit { range: at..at, with })
}

/// The entry of a key; nothing where it would hold nothing.
fn rendered(spec: &CaseSpec, key: Verdict, layout: &Layout) -> Option<String> {
    let entries: Vec<(String, Option<String>)> = match key {
        Verdict::Fail => spec
            .fail
            .iter()
            .map(|(name, expected)| (scalar(name), expected.as_ref().map(findings)))
            .collect(),
        Verdict::Unknown => spec
            .unknown
            .iter()
            .map(|(name, reason)| (scalar(name), reason.as_ref().map(|reason| scalar(reason))))
            .collect(),
        Verdict::Pass => names(&spec.pass),
        Verdict::NotApplicable => names(&spec.not_applicable),
        Verdict::Error => names(&spec.error),
    };
    if entries.is_empty() {
        return None;
    }
    let key = word(key);
    let plain = entries.iter().all(|(_, about)| about.is_none());
    let (open, close) = if plain { ('[', ']') } else { ('{', '}') };
    let space = if plain { "" } else { " " };
    let entry = |(name, about): &(String, Option<String>)| match about {
        Some(about) => format!("{name}: {about}"),
        None if plain => name.clone(),
        None => format!("{name}:"),
    };
    let entries: Vec<String> = entries.iter().map(entry).collect();
    let line = format!("{key}: {open}{space}{}{space}{close}", entries.join(", "));
    if layout.flow || (plain && layout.indent.len() + line.len() <= WIDTH) {
        return Some(line);
    }
    let dash = if plain { "- " } else { "" };
    let lines = entries
        .iter()
        .map(|entry| format!("\n{}  {dash}{entry}", layout.indent));
    Some(format!("{key}:{}", lines.collect::<String>()))
}

fn names(list: &OneOrMany<Text>) -> Vec<(String, Option<String>)> {
    list.iter().map(|name| (scalar(name), None)).collect()
}

fn findings(expected: &OneOrMany<ExpectSpec>) -> String {
    match &expected[..] {
        [one] => finding(one),
        several => format!("[{}]", several.iter().map(finding).collect::<Vec<_>>().join(", ")),
    }
}

fn finding(expected: &ExpectSpec) -> String {
    let mut parts = Vec::new();
    let mut part = |key: &str, value: Option<String>| parts.extend(value.map(|value| format!("{key}: {value}")));
    part("says", expected.says.as_ref().map(|says| scalar(says)));
    part(
        "severity",
        expected.severity.map(|word| severity(word).word().to_owned()),
    );
    part("subject", expected.subject.as_ref().map(|subject| scalar(subject)));
    part("key", expected.key.as_ref().map(|key| scalar(key)));
    part("at", listed(&expected.at));
    part("explained-by", listed(&expected.explained_by));
    format!("{{ {} }}", parts.join(", "))
}

fn listed(texts: &OneOrMany<Text>) -> Option<String> {
    let texts: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    match &texts[..] {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// A text as a YAML scalar that may stand anywhere.
fn scalar(text: &str) -> String {
    let safe = |char: char| char.is_ascii_alphanumeric() || " _./-".contains(char);
    let plain = text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(|char| safe(char) || char == ':')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    match () {
        () if plain => text.to_owned(),
        () if text.chars().any(char::is_control) => serde_json::to_string(text).unwrap_or_default(),
        () => format!("'{}'", text.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_quoted_where_they_must_be() {
        for (text, written) in [
            ("a rule-name", "a rule-name"),
            ("shop::rule", "shop::rule"),
            ("it's", "'it''s'"),
            ("11", "'11'"),
            ("a: b", "'a: b'"),
            ("True", "'True'"),
            ("a\nb", "\"a\\nb\""),
            ("", "''"),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
