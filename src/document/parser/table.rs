//! `table`: columns under a header, as an array of rows.
//!
//! A row is an object whose keys are the names in the header; all values are strings, without the blanks around. An
//! empty cell, or one that the row does not reach, is not there. The last column takes the rest of the line. Colour
//! codes (escape sequences of terminals) belong to no value; the span of a cell with codes inside still covers them.
//!
//! ```text
//! NAME     STATE    LAST SEEN     NOTE
//! web-1    up       2 minutes     serves  all
//! db-1              1 hour
//! ```
//! ```json
//! [
//!   {"NAME": "web-1", "STATE": "up", "LAST SEEN": "2 minutes", "NOTE": "serves  all"},
//!   {"NAME": "db-1", "LAST SEEN": "1 hour"}
//! ]
//! ```
//!
//! The header is the first line that is not blank, or the first that the pattern `header` matches; the table ends at a
//! blank line. Text that follows makes the whole unreadable, unless `header` has singled the table out. How cells are
//! told apart:
//!
//! 1. Tabs separate, if the header has any.
//! 2. Names are separated by two or more blanks; by a single one too, if no row has a word across it, and rows have
//!    words on both sides of it. Where no row has a word across the beginning of a column, lines are cut there.
//! 3. Else, where a header has no single blanks, two or more blanks separate cells.
//! 4. Else words are cells, as in lists of processes: `PID COMMAND` are two columns, and a date such as
//!    `Sun Nov 22 11:28:05 2026` is one word.
//!
//! In the last two cases, where empty cells cannot be told, a row with fewer cells than the header makes the text
//! unreadable. Then `columns` helps, which gives the names; a line that `header` matches is skipped. Tabs separate, if
//! the first row has any, else two or more blanks, if these give every row as many cells as there are names, else
//! blanks; rows may be shorter. A column without a name, left of the first, has the empty key.

mod line;

use std::ops::Range;

use memchr::{memchr, memchr2};
use unicode_width::UnicodeWidthChar;

use self::line::Line;
use super::pattern::Pattern;
use super::text::{is_blank, lines_from, room, slice, solid_lines, trimmed};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, Name, ParseError};

/// Most columns of a table.
const MOST_COLUMNS: usize = 4096;

/// What separates cells.
const BLANKS: [char; 2] = [' ', '\t'];

/// Length of a date as `Sun Nov 22 11:28:05 2026`.
const DATE: usize = 24;

/// How a table is taken apart.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// What the header line matches; where it is not set, the first line is the header.
    pub header: Option<Pattern>,
    /// Names of the columns, instead of those in the header.
    pub columns: Vec<String>,
}

pub(super) fn parse(text: String, options: &TableOptions) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        let (header, body) = begin(text, options)?;
        let rows = Rows {
            text,
            body: body..end(text, body, options)?,
        };
        let columns = match header.filter(|_| options.columns.is_empty()) {
            Some(header) => Columns::under(&header, &rows)?,
            None => Columns::named(&options.columns, &rows)?,
        };
        columns.emit(&rows, build)
    })
}

/// The header, if the text has one, and where the rows begin.
fn begin<'t>(text: &'t str, options: &TableOptions) -> Parsed<(Option<Line<'t>>, usize)> {
    for range in solid_lines(text) {
        let line = Line::new(text, range);
        let feed = memchr(b'\n', text.as_bytes().get(line.range.end..).unwrap_or_default());
        match &options.header {
            Some(header) if !header.is_match(&line.text) => {}
            None if !options.columns.is_empty() => return Ok((None, line.range.start)),
            _ => {
                let next = feed.map_or(text.len(), |feed| line.range.end + feed + 1);
                return Ok((Some(line), next));
            }
        }
    }
    match options.header {
        Some(_) => fault(0, "no line of the text matches the pattern of the header"),
        None => Ok((None, text.len())),
    }
}

/// Where the rows end that begin here.
fn end(text: &str, body: usize, options: &TableOptions) -> Parsed<usize> {
    let mut end = None;
    for line in lines_from(text, body) {
        let blank = is_blank(slice(text, &line));
        match end {
            None if blank => end = Some(line.start),
            Some(_) if !blank && options.header.is_none() => {
                return fault(line.start, "more text after the blank line that ends the table");
            }
            _ => {}
        }
    }
    Ok(end.unwrap_or(text.len()))
}

/// The lines below the header.
struct Rows<'t> {
    text: &'t str,
    body: Range<usize>,
}

impl<'t> Rows<'t> {
    fn iter(&self) -> impl Iterator<Item = Line<'t>> + '_ {
        let text = self.text.get(..self.body.end).unwrap_or_default();
        lines_from(text, self.body.start).map(|line| Line::new(self.text, line))
    }
}

/// How a row is taken apart.
#[derive(Debug, PartialEq)]
enum Layout {
    /// At tabs; several together are one where the header has empty names.
    Tabs { runs: bool },
    /// At these columns.
    Cut { starts: Vec<usize>, measure: Measure },
    /// At so many blanks or more.
    Blanks(usize),
}

/// What the columns of a line count.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    Characters,
    /// Cells of a terminal, of which wide characters take two
    Cells,
}

impl Measure {
    fn width(self, char: char) -> usize {
        match self {
            Measure::Characters => 1,
            Measure::Cells => char.width().unwrap_or(0),
        }
    }

    /// Where the words of a header begin; what is left of the first belongs to its column.
    fn starts(self, header: &str, words: &[Range<usize>]) -> Vec<usize> {
        let (mut at, mut column) = (0, 0);
        let mut starts = Vec::with_capacity(words.len());
        for word in words {
            column += slice(header, &(at..word.start))
                .chars()
                .map(|char| self.width(char))
                .sum::<usize>();
            at = word.start;
            starts.push(if starts.is_empty() { 0 } else { column });
        }
        starts
    }

    /// The parts of a row that begin at these columns, as far as it reaches.
    fn cells(self, row: &str, starts: &[usize]) -> Vec<Range<usize>> {
        let mut cells: Vec<Range<usize>> = Vec::new();
        let mut starts = starts.iter().peekable();
        let mut column = 0;
        for (at, char) in row.char_indices() {
            while starts.next_if(|start| **start <= column).is_some() {
                if let Some(last) = cells.last_mut() {
                    last.end = at;
                }
                cells.push(at..row.len());
            }
            column += self.width(char);
        }
        cells
    }
}

struct Columns {
    names: Vec<String>,
    layout: Layout,
    /// How rows must be, where nothing else tells which of their cells are empty.
    strict: Option<Strict>,
}

/// What the first name of a header demands of rows that blanks take apart.
#[derive(Debug, Clone, Copy)]
struct Strict {
    /// Characters before the name, which the first cell must reach beyond.
    first: usize,
}

impl Strict {
    fn check(self, row: &Line<'_>, cells: &[Range<usize>], columns: usize) -> Parsed<()> {
        let first = cells.first().map_or(0, |cell| cell.end);
        let fault_is = if cells.len() < columns {
            format!("this row has {} cells, the header {columns} columns", cells.len())
        } else if slice(&row.text, &(0..first)).chars().count() <= self.first {
            "the first cell of this row ends before the first name of the header begins".to_owned()
        } else {
            return Ok(());
        };
        fault(row.range.start, fault_is + "; name the columns with `columns`")
    }
}

impl Columns {
    fn named(names: &[String], rows: &Rows<'_>) -> Parsed<Self> {
        let runs = |line: Line<'_>| split(&line.text, 2, usize::MAX).len() == names.len();
        let layout = match rows.iter().next() {
            Some(first) if first.text.contains('\t') => Layout::Tabs { runs: false },
            _ if rows.iter().all(runs) => Layout::Blanks(2),
            _ => Layout::Blanks(1),
        };
        let names = names.to_vec();
        let strict = None;
        Ok(Self { names, layout, strict })
    }

    fn under(header: &Line<'_>, rows: &Rows<'_>) -> Parsed<Self> {
        let text = header.text.as_ref();
        let words = split(text, 1, usize::MAX);
        if words.len() > MOST_COLUMNS {
            return fault(
                header.range.start,
                format!("the header has more than {MOST_COLUMNS} columns"),
            );
        }
        if text.contains('\t') {
            return Ok(Self::tabs(text));
        }
        let found = cut(text, &words, Measure::Characters, rows);
        let wide = if rows.text.is_ascii() {
            None
        } else {
            cut(text, &words, Measure::Cells, rows)
        };
        let best = found.into_iter().chain(wide).min_by_key(|cut| odd_cells(&cut.1, rows));
        let (names, layout) = best.unwrap_or_else(|| {
            let single = split(text, 2, usize::MAX).len() < words.len();
            (words.clone(), Layout::Blanks(if single { 1 } else { 2 }))
        });
        let names = names.into_iter().map(|range| slice(text, &range).to_owned()).collect();
        let first = words.first().map_or(0, |word| word.start);
        let mut columns = Self {
            names,
            strict: matches!(layout, Layout::Blanks(_)).then_some(Strict { first }),
            layout,
        };
        columns.add_nameless(first, rows);
        Ok(columns)
    }

    fn tabs(header: &str) -> Self {
        let cells = || header.split('\t').map(str::trim);
        let runs = cells().rev().skip_while(|name| name.is_empty()).any(str::is_empty);
        let names = cells().filter(|name| !runs || !name.is_empty()).map(str::to_owned);
        Self {
            names: names.collect(),
            layout: Layout::Tabs { runs },
            strict: None,
        }
    }

    /// Adds a column without a name on the left, if every row has words before the first name begins.
    fn add_nameless(&mut self, first: usize, rows: &Rows<'_>) {
        let nameless = |line: Line<'_>| {
            let (mut before, mut column) = (false, ' ');
            for char in line.text.chars().take(first) {
                column = char;
                before |= char != ' ';
            }
            before && column == ' '
        };
        if first == 0 || rows.iter().next().is_none() || !rows.iter().all(nameless) {
            return;
        }
        self.names.insert(0, String::new());
        self.strict = self.strict.map(|_| Strict { first: 0 });
        if let Layout::Cut { starts, .. } = &mut self.layout {
            if let Some(start) = starts.first_mut() {
                *start = first;
            }
            starts.insert(0, 0);
        }
    }

    fn emit(&self, rows: &Rows<'_>, build: &mut Builder) -> Parsed<()> {
        let names: Vec<Name> = self.names.iter().map(|name| build.name(name)).collect();
        build.open_array(rows.body.start);
        for line in rows.iter() {
            room(build, line.range.start)?;
            let cells = self.cells(&line.text);
            if let Some(strict) = self.strict {
                strict.check(&line, &cells, names.len())?;
            }
            let whole = trimmed(rows.text, line.range.clone());
            build.open_object(whole.start);
            for (name, cell) in names.iter().zip(cells) {
                let cell = trimmed(&line.text, cell);
                if !cell.is_empty() {
                    build.member(*name);
                    line.push(cell, build);
                }
            }
            build.close(whole.end);
        }
        build.close(rows.body.end);
        Ok(())
    }

    /// The cells of a row, in the order of the columns.
    fn cells(&self, row: &str) -> Vec<Range<usize>> {
        let most = self.names.len();
        match &self.layout {
            Layout::Tabs { runs } => at_tabs(row, *runs, most),
            Layout::Cut { starts, measure } => measure.cells(row, starts),
            Layout::Blanks(blanks) => split(row, *blanks, most),
        }
    }
}

/// The names of a header, and how rows are cut below them.
type Cut = (Vec<Range<usize>>, Layout);

/// How rows can be cut below a header; nothing if one has a word across the beginning of a column.
fn cut(header: &str, words: &[Range<usize>], measure: Measure, rows: &Rows<'_>) -> Option<Cut> {
    let starts: Vec<usize> = measure.starts(header, words);
    let mut borders: Vec<Border> = words.iter().map(|word| Border::before(header, word.start)).collect();
    for line in rows.iter() {
        let row = line.text.as_ref();
        let mut cells = measure.cells(row, &starts);
        // The column at whose left the row ends has its say too.
        cells.push(row.len()..row.len());
        for (border, pair) in borders.iter_mut().skip(1).zip(cells.windows(2)) {
            let [before, cell] = pair else { continue };
            let (before, cell) = (slice(row, before), slice(row, cell));
            let across = !cell.is_empty() && !before.ends_with(BLANKS);
            if across && matches!(border, Border::Sure) {
                return None;
            }
            border.look(across, !is_blank(before), !is_blank(cell));
        }
    }
    let (mut names, mut columns): (Vec<Range<usize>>, Vec<usize>) = Default::default();
    for ((word, border), start) in words.iter().zip(borders).zip(starts) {
        let part = !border.separates();
        match names.last_mut().filter(|_| part) {
            Some(name) => name.end = word.end,
            None => {
                names.push(word.clone());
                columns.push(start);
            }
        }
    }
    Some((
        names,
        Layout::Cut {
            starts: columns,
            measure,
        },
    ))
}

/// How many cells do not begin just below their names, or have a gap inside: signs of a wrong measure.
fn odd_cells(layout: &Layout, rows: &Rows<'_>) -> usize {
    let Layout::Cut { starts, measure } = layout else {
        return 0;
    };
    let odd = |line: Line<'_>| {
        let cells = measure.cells(&line.text, starts);
        let odd = cells.iter().enumerate().filter(|(at, cell)| {
            let cell = slice(&line.text, cell).trim_end_matches(BLANKS);
            cell.starts_with(BLANKS) || at + 1 < starts.len() && cell.contains("  ")
        });
        odd.count()
    };
    rows.iter().map(odd).sum()
}

/// Whether a column begins with a word of the header.
#[derive(Debug, Clone, Copy)]
enum Border {
    /// Two blanks or more are before it.
    Sure,
    /// One blank is before it: what rows have below.
    Single { both: bool, left: bool, right: bool },
    /// A row has a word across it.
    No,
}

impl Border {
    fn before(header: &str, start: usize) -> Self {
        let before = header.get(..start).unwrap_or_default();
        let single = before
            .strip_suffix(' ')
            .is_some_and(|before| !before.is_empty() && !before.ends_with(' '));
        if single {
            Border::Single {
                both: false,
                left: false,
                right: false,
            }
        } else {
            Border::Sure
        }
    }

    /// Takes in what a row has on both sides.
    fn look(&mut self, across: bool, before: bool, behind: bool) {
        match self {
            Border::Single { .. } if across => *self = Border::No,
            Border::Single { both, left, right } => {
                *both |= before && behind;
                *left |= before && !behind;
                *right |= behind && !before;
            }
            _ => {}
        }
    }

    /// Below a name with a blank inside, short cells stand on the left alone; none stands on the right alone.
    fn separates(self) -> bool {
        match self {
            Border::Sure => true,
            Border::Single { both, left, right } => both && (right || !left),
            Border::No => false,
        }
    }
}

/// The cells of a row that tabs separate.
fn at_tabs(row: &str, runs: bool, most: usize) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut start = 0;
    while cells.len() + 1 < most {
        let Some(len) = row.get(start..).and_then(|rest| rest.find('\t')) else {
            break;
        };
        cells.push(start..start + len);
        start += len + 1;
        if runs {
            let rest = row.get(start..).unwrap_or_default();
            start += rest.len() - rest.trim_start_matches('\t').len();
        }
    }
    cells.push(start..row.len());
    cells
}

/// The cells of a row that so many blanks separate; the last of the most that there may be takes the rest.
fn split(row: &str, blanks: usize, most: usize) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut at = 0;
    while cells.len() < most {
        let rest = row.get(at..).unwrap_or_default();
        let start = at + rest.len() - rest.trim_start_matches(BLANKS).len();
        let Some(rest) = row.get(start..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let last = cells.len() + 1 == most;
        let len = if last {
            rest.trim_end_matches(BLANKS).len()
        } else {
            cell_len(rest, blanks)
        };
        cells.push(start..start + len);
        at = if last { row.len() } else { start + len };
    }
    cells
}

/// The length of the cell that a text begins with.
fn cell_len(text: &str, blanks: usize) -> usize {
    if blanks == 1 && begins_with_date(text) {
        return DATE;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b' ', b'\t', rest)) {
        at += found;
        let rest = text.get(at..).unwrap_or_default();
        let run = rest.len() - rest.trim_start_matches(BLANKS).len();
        if run >= blanks || run == rest.len() || rest.get(..run).is_some_and(|run| run.contains('\t')) {
            return at;
        }
        at += run;
    }
    text.len()
}

/// Whether a text begins with a date and time as C's `ctime` writes them.
fn begins_with_date(text: &str) -> bool {
    const SHAPE: &[u8; DATE] = b"Aaa Aaa _0 00:00:00 0000";
    let bytes = text.as_bytes();
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'0' => byte.is_ascii_digit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        other => byte == other,
    };
    bytes.len() >= DATE
        && bytes.iter().zip(SHAPE).all(fits)
        && !matches!(bytes.get(DATE), Some(next) if !next.is_ascii_whitespace())
}

#[cfg(test)]
mod tests;
