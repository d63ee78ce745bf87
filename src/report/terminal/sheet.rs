//! Output for people that is no report: paragraphs and tables, wrapped to the terminal, with nothing hidden in them.

use std::io;

use owo_colors::Style as Ink;

use super::Page;
use crate::report::Style;
use crate::report::text::{visible, visible_lines, width, wrap};

/// Columns between those of a table
const GAP: usize = 2;
/// Most columns of all but the last column of a table
const WIDEST: usize = 48;

/// Least columns of the last column of a table; where there are fewer, it stands below the others
const NARROWEST: usize = 30;

/// How words look
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As they are
    #[default]
    Plain,
    /// A heading
    Strong,
    /// Less important
    Dim,
}

/// Paragraphs and tables for people
pub struct Sheet {
    page: Page,
}

impl Sheet {
    /// An empty sheet
    pub fn new(style: &Style) -> Sheet {
        Sheet { page: Page::new(style) }
    }

    /// Wrapped words with an indent
    pub fn paragraph(&mut self, indent: usize, text: &str, tone: Tone) {
        self.page.paragraph(indent, text, ink(tone));
    }

    /// A wrapped text whose further lines are indented by two more than the first
    pub fn item(&mut self, indent: usize, text: &str, tone: Tone) {
        let text = visible(text, self.page.style.unicode).into_owned();
        let columns = self.page.words().saturating_sub(indent + 2);
        for (at, line) in wrap(&text, columns).iter().enumerate() {
            let line = self.page.paint.with(ink(tone), line);
            let indent = if at == 0 { indent } else { indent + 2 };
            self.page.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// An empty line
    pub fn blank(&mut self) {
        self.page.blank();
    }

    /// A line as it is, cut at the width
    pub fn line(&mut self, text: &str, tone: Tone) {
        let line = self.page.word(text, self.page.style.width);
        let line = self.page.paint.with(ink(tone), &line);
        self.page.line(&line);
    }

    /// A table, with a first line of heads unless all are empty; what is too wide for its last column is wrapped inside it, or
    /// stands below the others
    pub fn table<const N: usize>(&mut self, indent: usize, heads: [&str; N], rows: &[[String; N]]) {
        let unicode = self.page.style.unicode;
        let shown: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| visible_lines(cell, unicode)).collect())
            .collect();
        let widths = widths(&heads, &shown);
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        if heads.iter().any(|head| !head.is_empty()) {
            self.row(indent, &heads, &widths, Tone::Dim);
        }
        for row in &shown {
            self.row(indent, row, &widths, Tone::Plain);
        }
    }

    fn row(&mut self, indent: usize, cells: &[String], widths: &[usize], tone: Tone) {
        let Some((last, first)) = cells.split_last() else {
            return;
        };
        let mut line = " ".repeat(indent);
        let mut column = indent;
        for (cell, columns) in first.iter().zip(widths) {
            line.push_str(cell);
            column += columns + GAP;
            line.push_str(&" ".repeat(column.saturating_sub(width(&line)).max(GAP)));
        }
        let room = self.page.words().saturating_sub(column);
        if room < NARROWEST {
            self.page.line(&self.page.paint.with(ink(tone), &line));
            return self.paragraph(indent + 4, last, tone);
        }
        let lines: Vec<String> = last.lines().flat_map(|line| wrap(line, room)).collect();
        let start = lines.first().map_or("", String::as_str);
        let line = self.page.paint.with(ink(tone), &format!("{line}{start}"));
        self.page.line(&line);
        for rest in lines.iter().skip(1) {
            self.page.line(&format!("{:column$}{rest}", ""));
        }
    }

    /// Writes what was put together
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(mut self, out: &mut dyn io::Write) -> io::Result<()> {
        self.page.flush(out)
    }
}

fn widths<const N: usize>(heads: &[&str; N], rows: &[Vec<String>]) -> Vec<usize> {
    let of = |(at, head): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
        cells.chain([width(head)]).max().unwrap_or_default().min(WIDEST)
    };
    heads.iter().enumerate().map(of).collect()
}

fn ink(tone: Tone) -> Ink {
    match tone {
        Tone::Plain => Ink::new(),
        Tone::Strong => Ink::new().bold(),
        Tone::Dim => Ink::new().dimmed(),
    }
}
