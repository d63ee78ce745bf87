//! The report for people at a terminal: root causes first, then what could not be decided, then one line of counts.

mod closing;
mod draw;
mod finding;
mod fold;
pub(super) mod guide;
mod paint;
pub(super) mod sheet;
mod snippet;
mod undecided;

use std::io;

use owo_colors::Style as Ink;

use super::Style;
use super::model::Report;
use super::text::{cut_end, visible, visible_lines, wrap};
use paint::Paint;

/// Widest lines of words: longer ones are hard to read, however wide the terminal is
const WIDEST_WORDS: usize = 110;
/// Things of one kind that are named before "and 7 more"
const SHOWN: usize = 5;

/// Writes the report
pub(super) fn write(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    write_body(report, style, out)?;
    let mut page = Page::new(style);
    closing::print(&mut page, report, &fold::fold(report));
    page.flush(out)
}

/// Writes the findings and what could not be decided, without the counts
pub(super) fn write_body(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let folded = fold::fold(report);
    let mut page = Page::new(style);
    let subjects = report.verdicts.iter().map(|verdict| verdict.subject.as_str());
    let mut subjects = subjects.filter(|subject| *subject != "bundle");
    let first = subjects.next();
    page.lone = subjects.all(|subject| Some(subject) == first);
    for group in &folded.groups {
        finding::print(&mut page, report, group);
        page.flush(out)?;
    }
    finding::print_waived(&mut page, &folded.waived);
    undecided::print(&mut page, report);
    page.flush(out)
}

/// Lines to be written, and what the terminal can show
struct Page {
    style: Style,
    paint: Paint,
    text: String,
    /// Whether the report is about one subject, whose name then need not be repeated
    lone: bool,
}

impl Page {
    fn new(style: &Style) -> Page {
        let style = Style {
            width: style.width.clamp(40, 400),
            ..*style
        };
        Page {
            style,
            paint: Paint { color: style.color },
            text: String::new(),
            lone: false,
        }
    }

    fn flush(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Text from a report on one line, of at most so many columns, with nothing hidden
    fn word(&self, text: &str, columns: usize) -> String {
        visible(&cut_end(text, columns, self.style.unicode), self.style.unicode).into_owned()
    }

    /// Words under a label (`help:`), wrapped beside it
    fn entry(&mut self, label: &str, ink: Ink, text: &str) {
        let text = visible_lines(text, self.style.unicode);
        let columns = self.words().saturating_sub(8);
        let lines: Vec<_> = text.lines().flat_map(|line| wrap(line, columns)).collect();
        self.entry_lines(label, ink, &lines);
    }

    /// Finished lines under a label
    fn entry_lines(&mut self, label: &str, ink: Ink, lines: &[String]) {
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 {
                self.paint.with(ink, &format!("{label:>6}:"))
            } else {
                " ".repeat(7)
            };
            self.line(&format!("{label} {line}"));
        }
    }

    /// Wrapped words with an indent
    fn paragraph(&mut self, indent: usize, text: &str, ink: Ink) {
        for line in visible_lines(text, self.style.unicode).lines() {
            for line in wrap(line, self.words().saturating_sub(indent)) {
                let line = self.paint.with(ink, &line);
                self.line(&format!("{:indent$}{line}", ""));
            }
        }
    }

    /// A wrapped line that begins with a coloured word
    fn headed(&mut self, head: &str, ink: Ink, text: &str) {
        let text = visible(text, self.style.unicode).into_owned();
        let lines = wrap(&format!("{head}: {text}"), self.words().saturating_sub(2));
        for (at, line) in lines.iter().enumerate() {
            match line.strip_prefix(head).filter(|_| at == 0) {
                Some(rest) => self.line(&format!("{}{rest}", self.paint.with(ink, head))),
                None => self.line(&format!("  {line}")),
            }
        }
    }

    /// Columns for words
    fn words(&self) -> usize {
        self.style.width.min(WIDEST_WORDS)
    }
}

/// `a, b, c and 4 more`; `omitted` were not even listed
fn enumerate(names: &[String], omitted: usize) -> String {
    let shown = names
        .get(..SHOWN)
        .filter(|_| names.len() > SHOWN + 1 || omitted > 0)
        .unwrap_or(names);
    let more = names.len() - shown.len() + omitted;
    let listed = shown.join(", ");
    if more == 0 {
        listed
    } else {
        format!("{listed} and {more} more")
    }
}

/// `1 rule`, `2 rules`
fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}
