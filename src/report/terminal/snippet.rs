//! Lines of evidence with labels on them: what is to be drawn. How is said in [`super::draw`].

use std::collections::BTreeMap;

use owo_colors::Style as Ink;

use crate::report::model::{Excerpt, Label, RulePlace};

/// Lines that one drawing has at most, where two excerpts could be put together
const LONGEST: usize = 16;

/// What one drawing shows: lines of one item, and the labels on them
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snippet {
    /// What stands in the frame: the item and the true place of the first label
    pub(super) name: String,
    /// What stands below the frame: the path of the first label, or nothing
    pub(super) foot: String,
    /// The lines, at least one
    pub(super) lines: Vec<Line>,
    file: String,
    /// For lines that are not those of the item: the path of the object or list that they show
    holder: Option<String>,
}

/// A line of a drawing
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// None for a line that is not one of the item's
    pub(super) number: Option<u32>,
    /// The line, without its end
    pub(super) text: String,
    /// The labels on it
    pub(super) marks: Vec<Mark>,
}

/// A label on a line
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// First byte, in the line
    pub(super) start: usize,
    /// First byte after it, in the line
    pub(super) end: usize,
    /// The words; may be empty
    pub(super) says: String,
    /// How it is painted
    pub(super) ink: Ink,
}

impl Line {
    /// Adds marks that are not there yet
    fn add(&mut self, marks: &[Mark]) {
        for mark in marks {
            let same = |known: &Mark| (known.start, known.end, &known.says) == (mark.start, mark.end, &mark.says);
            if !self.marks.iter().any(same) {
                self.marks.push(mark.clone());
            }
        }
    }
}

impl Snippet {
    /// The drawing of one label
    pub(super) fn of_label(label: &Label, ink: Ink) -> Snippet {
        let excerpt = label.excerpt.clone().unwrap_or_else(|| bare_excerpt(label));
        let note = if excerpt.reformatted { " (reformatted)" } else { "" };
        let name = format!("{}:{}:{}{note}", label.evidence, label.line, label.column);
        let foot = if label.path.contains("['") {
            short_path(&label.path)
        } else {
            String::new()
        };
        let holder = excerpt.reformatted.then(|| holder_path(&label.path, &excerpt));
        let snippet = Snippet::new(
            name,
            foot,
            &label.evidence,
            &excerpt,
            label.says.as_deref().unwrap_or_default(),
            ink,
        );
        Snippet { holder, ..snippet }
    }

    /// The drawing of a place in a rulebook
    pub(super) fn of_place(place: &RulePlace, says: &str, ink: Ink) -> Option<Snippet> {
        let name = format!("{}:{}:{}", place.file, place.line, place.column);
        let excerpt = place.excerpt.as_ref()?;
        Some(Snippet::new(name, String::new(), &place.file, excerpt, says, ink))
    }

    fn new(name: String, foot: String, file: &str, excerpt: &Excerpt, says: &str, ink: Ink) -> Snippet {
        let mut lines = numbered_lines(excerpt);
        let (start, end) = (excerpt.start as usize, excerpt.end as usize);
        let mut before = 0;
        let last = lines.len() - 1;
        for (at, line) in lines.iter_mut().enumerate() {
            if start <= before + line.text.len() || at == last {
                let start = start.saturating_sub(before).min(line.text.len());
                let end = end.saturating_sub(before).clamp(start, line.text.len());
                let start = line.text.floor_char_boundary(start);
                let end = line.text.ceil_char_boundary(end);
                let start = with_name(&line.text, start, end);
                line.marks.push(Mark {
                    start,
                    end,
                    says: says.to_owned(),
                    ink,
                });
                break;
            }
            before += line.text.len() + 1;
        }
        Snippet {
            name,
            foot,
            lines,
            file: file.to_owned(),
            holder: None,
        }
    }

    /// Puts another drawing of the same lines, or of neighbouring ones, into this one; gives it back where it does not fit
    pub(super) fn merge(&mut self, other: Snippet) -> Result<(), Snippet> {
        if self.file != other.file || self.holder != other.holder {
            return Err(other);
        }
        let merged = if self.holder.is_some() {
            self.merge_equal(&other)
        } else {
            self.merge_near(&other)
        };
        match merged {
            Some(lines) => {
                self.lines = lines;
                Ok(())
            }
            None => Err(other),
        }
    }

    fn merge_equal(&self, other: &Snippet) -> Option<Vec<Line>> {
        let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        (texts(&self.lines) == texts(&other.lines)).then(|| {
            let mut lines = self.lines.clone();
            for (line, more) in lines.iter_mut().zip(&other.lines) {
                line.add(&more.marks);
            }
            lines
        })
    }

    fn merge_near(&self, other: &Snippet) -> Option<Vec<Line>> {
        let (first, last) = self.range()?;
        let (other_first, other_last) = other.range()?;
        if other_first > last.saturating_add(1) || first > other_last.saturating_add(1) {
            return None;
        }
        let mut by_number: BTreeMap<u32, Line> = BTreeMap::new();
        for line in self.lines.iter().chain(&other.lines) {
            let Some(number) = line.number else { continue };
            let known = by_number.entry(number).or_insert_with(|| Line {
                marks: Vec::new(),
                ..line.clone()
            });
            if known.text != line.text {
                return None;
            }
            known.add(&line.marks);
        }
        (by_number.len() <= LONGEST).then(|| with_gaps(by_number))
    }

    fn range(&self) -> Option<(u32, u32)> {
        let numbers = || self.lines.iter().filter_map(|line| line.number);
        numbers().min().zip(numbers().max())
    }
}

/// A bracket that opens a block is marked together with the name before it
fn with_name(line: &str, start: usize, end: usize) -> usize {
    let opens = matches!(&line[start..end], "{" | "[") && line[end..].trim().is_empty();
    if opens {
        line.len() - line.trim_start().len()
    } else {
        start
    }
}

/// Puts a line of its own wherever numbers are missing
fn with_gaps(by_number: BTreeMap<u32, Line>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut next = None;
    for (number, line) in by_number {
        if next.is_some_and(|next| next < number) {
            lines.push(Line {
                number: None,
                text: "…".to_owned(),
                marks: Vec::new(),
            });
        }
        lines.push(line);
        next = number.checked_add(1);
    }
    lines
}

fn numbered_lines(excerpt: &Excerpt) -> Vec<Line> {
    let mut number = excerpt.first_line;
    let texts = excerpt.text.strip_suffix('\n').unwrap_or(&excerpt.text).split('\n');
    let lines = texts.enumerate().map(|(at, text)| {
        let gap = excerpt.gaps.iter().find(|gap| gap.line as usize == at);
        let step = gap.map_or(1, |gap| gap.skipped.unwrap_or(0));
        let own = (gap.is_none() && !excerpt.reformatted).then_some(number);
        number = number.saturating_add(step);
        Line {
            number: own,
            text: text.strip_suffix('\r').unwrap_or(text).to_owned(),
            marks: Vec::new(),
        }
    });
    lines.collect()
}

/// The path of what a reformatted excerpt shows: the node of the label, or what holds it
fn holder_path(path: &str, excerpt: &Excerpt) -> String {
    let place = excerpt
        .text
        .get(excerpt.start as usize..excerpt.end as usize)
        .unwrap_or_default();
    if place.contains('\n') {
        return path.to_owned();
    }
    let last = if path.ends_with("']") {
        path.rfind("['")
    } else {
        path.rfind('[')
    };
    path[..last.unwrap_or(0)].to_owned()
}

/// The text of the label alone, where no lines were cut out
fn bare_excerpt(label: &Label) -> Excerpt {
    let text = label.text.lines().next().unwrap_or_default();
    Excerpt {
        first_line: label.line,
        text: text.to_owned(),
        end: text.len() as u32,
        ..Excerpt::default()
    }
}

/// A normalized path with `.name` for `['name']` where that means the same
pub(super) fn short_path(path: &str) -> String {
    let mut short = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("['") {
        let Some(end) = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) else {
            break;
        };
        let (name, tail) = after.split_at(end);
        let is_name = name.starts_with(|c: char| !c.is_ascii_digit()) && tail.starts_with("']");
        if !is_name {
            // A quoted name may itself hold brackets: take it whole, to where its quote ends.
            let close = end_of_quoted(after);
            short.extend([before, "['", &after[..close]]);
            rest = &after[close..];
            continue;
        }
        short.extend([before, ".", name]);
        rest = &tail[2..];
    }
    short + rest
}

/// Where a quoted name of a normalized path has ended, bracket included
fn end_of_quoted(after: &str) -> usize {
    let mut escaped = false;
    for (at, c) in after.char_indices() {
        match c {
            '\'' if !escaped => return (at + 2).min(after.len()),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    after.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_of_a_path_are_written_with_dots() {
        assert_eq!(
            short_path("$['configs'][4]['route_config']"),
            "$.configs[4].route_config"
        );
        assert_eq!(short_path("$['@type']['a b']['c']"), "$['@type']['a b'].c");
        assert_eq!(short_path(r"$['it\'s[\'x\']']['d']"), r"$['it\'s[\'x\']'].d");
        assert_eq!(short_path("$['"), "$['");
    }
}
