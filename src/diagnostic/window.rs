//! The lines around the labels of one problem, fit for a terminal.
//!
//! miette gets a copy of what it shows and no more: it panics on columns above 65,535, and prints control characters
//! as they are.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::{FileId, Place, Sources};

/// Lines shown before and after a label.
pub(super) const CONTEXT: usize = 1;

/// Longest part of a line that is shown, and how much of it comes before a label, in characters.
const LONGEST: usize = 240;
const LEAD: usize = 80;

/// Part of a source file, made harmless; its other lines are empty.
#[derive(Debug)]
pub(super) struct Window {
    name: String,
    text: String,
    first_line: usize,
    /// Start of each label in `text`, with its line and column in the file, from 0
    starts: Vec<(usize, usize, usize)>,
}

impl Window {
    /// The window that shows these places of a file, and the places as labels in it, the first as the primary one.
    ///
    /// A place of several lines is shown as its first.
    pub(super) fn of(sources: &Sources, file: FileId, places: &[(Place, &str)]) -> (Window, Vec<LabeledSpan>) {
        let source = sources.get(file);
        let marks: Vec<Mark> = places.iter().map(|(place, _)| Mark::of(sources, *place)).collect();
        let first_line = marks
            .iter()
            .map(|mark| mark.line)
            .min()
            .unwrap_or(0)
            .saturating_sub(CONTEXT);
        let last_line = marks.iter().map(|mark| mark.line).max().unwrap_or(0) + CONTEXT;
        let mut window = Window {
            name: visible(&source.name),
            text: String::new(),
            first_line,
            starts: Vec::new(),
        };
        let mut spans = vec![(0, 0); marks.len()];
        for (number, line) in source.text.split('\n').enumerate().take(last_line + 1).skip(first_line) {
            if marks.iter().any(|mark| mark.line.abs_diff(number) <= CONTEXT) {
                window.add_line(line.strip_suffix('\r').unwrap_or(line), number, &marks, &mut spans);
            }
            window.text.push('\n');
        }
        let starts = spans
            .iter()
            .zip(&marks)
            .map(|((start, _), mark)| (*start, mark.line, mark.column));
        window.starts = starts.collect();
        let labels = places
            .iter()
            .zip(spans)
            .enumerate()
            .map(|(at, ((_, words), (start, end)))| {
                let words = Some(visible(words)).filter(|words| !words.is_empty());
                let span = SourceSpan::from((start, end - start));
                match at {
                    0 => LabeledSpan::new_primary_with_span(words, span),
                    _ => LabeledSpan::new_with_span(words, span),
                }
            });
        (window, labels.collect())
    }

    /// Appends a line, cut where it is long, and notes where the marks on it have come to lie.
    fn add_line(&mut self, line: &str, number: usize, marks: &[Mark], spans: &mut [(usize, usize)]) {
        let here = |mark: &&Mark| mark.line == number;
        let (mut skip, mut most) = (0, usize::MAX);
        if line.chars().nth(LONGEST).is_some() {
            let column = marks.iter().find(here).map_or(0, |mark| mark.column);
            (skip, most) = (column.saturating_sub(LEAD), LONGEST);
        }
        if skip > 0 {
            self.text.push('…');
        }
        let mut ends = vec![(self.text.len(), self.text.len()); marks.len()];
        let shown = line.char_indices().enumerate().skip(skip).take(most);
        for (_, (offset, c)) in shown {
            let from = self.text.len();
            self.text.push(shown_as(c));
            for (mark, end) in marks.iter().zip(&mut ends).filter(|(mark, _)| here(mark)) {
                if offset < mark.start {
                    *end = (self.text.len(), self.text.len());
                } else if offset < mark.end {
                    *end = (end.0.min(from), self.text.len());
                }
            }
        }
        if line.chars().nth(skip.saturating_add(most)).is_some() {
            self.text.push('…');
        }
        for ((_, span), end) in marks.iter().zip(spans).zip(ends).filter(|((mark, _), _)| here(mark)) {
            *span = end;
        }
    }
}

/// A place as a part of one line.
struct Mark {
    line: usize,
    /// In characters
    column: usize,
    /// Bytes within the line
    start: usize,
    end: usize,
}

impl Mark {
    fn of(sources: &Sources, place: Place) -> Mark {
        let (line, column) = sources.position(place);
        let text = &sources.get(place.file).text;
        let start = place.range().start.min(text.len());
        let line_start = text
            .as_bytes()
            .iter()
            .take(start)
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let line_end =
            memchr::memchr(b'\n', text.as_bytes().get(start..).unwrap_or_default()).map_or(text.len(), |at| start + at);
        Mark {
            line: line as usize - 1,
            column: column as usize - 1,
            start: start - line_start,
            end: place.range().end.min(line_end) - line_start,
        }
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        let (mut line, mut column) = (self.first_line + inner.line(), inner.column());
        if let Some((_, true_line, true_column)) = self
            .starts
            .iter()
            .find(|(start, ..)| before == 0 && *start == span.offset())
        {
            (line, column) = (*true_line, *true_column);
        }
        let (data, span, count) = (inner.data(), *inner.span(), inner.line_count());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data,
            span,
            line,
            column,
            count,
        )))
    }
}

/// A text with its control characters made visible, line breaks excepted.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { shown_as(c) }).collect()
}

/// What stands for a character that a terminal would act upon, or that would reorder what is beside it.
fn shown_as(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}
