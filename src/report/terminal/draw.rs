//! Drawing of snippets, by miette.
//!
//! miette numbers lines one after the other, does not cut lines to the width, and cannot draw a column beyond 65,535.
//! So it gets short lines numbered from 1, already cut around their labels, and the gutter is rewritten to our numbers.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use owo_colors::Style as Ink;

use super::paint::Paint;
use super::snippet::{Line, Mark, Snippet};
use crate::report::Style;
use crate::report::text::{char_width, cut_start, ellipsis, tail, visible, width, wrap};

/// Columns that the words of a label get, where the line has to be cut for them
const LABEL_ROOM: usize = 24;

/// Draws a snippet within the width, with its final line feed
pub(super) fn draw(snippet: &Snippet, style: &Style, paint: &Paint) -> String {
    let digits = snippet
        .lines
        .iter()
        .filter_map(|line| line.number)
        .max()
        .map_or(1, |most| most.to_string().len());
    let columns = style.width.saturating_sub(digits + 4).max(16);
    let picture = Picture::new(snippet, columns, style);
    let handler = GraphicalReportHandler::new_themed(theme(&picture, style, paint))
        .without_cause_chain()
        .without_primary_span_start()
        .with_urls(false)
        .without_syntax_highlighting();
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, &picture).is_err() {
        return format!("  {}\n", snippet.name);
    }
    let mut framed = with_gutter(&drawn, snippet, digits, paint);
    if !snippet.foot.is_empty() {
        let foot = last_steps(&snippet.foot, columns.saturating_sub(4), style.unicode);
        framed.truncate(framed.trim_end().len());
        framed = format!("{framed} {}\n", paint.dim(&visible(&foot, style.unicode)));
    }
    framed
}

/// Puts our line numbers in place of miette's, which count from 1
fn with_gutter(drawn: &str, snippet: &Snippet, digits: usize, paint: &Paint) -> String {
    let own = snippet.lines.len().to_string().len() + 1;
    let mut framed = String::with_capacity(drawn.len() + 64);
    // The first line is that of the message, which has been printed already.
    for line in drawn.lines().skip(1) {
        let Some((gutter, rest)) = line.split_at_checked(own) else {
            continue;
        };
        let counted = gutter.trim().parse::<usize>().ok();
        let number = counted.and_then(|n| snippet.lines.get(n - 1)?.number);
        let number = number.map_or_else(String::new, |number| number.to_string());
        framed.push_str(&paint.dim(&format!(" {number:>digits$}")));
        framed.push_str(rest.trim_end());
        framed.push('\n');
    }
    framed
}

/// The last steps of a path, as many as fit
fn last_steps(path: &str, columns: usize, unicode: bool) -> String {
    if width(path) <= columns {
        return path.to_owned();
    }
    let dots = ellipsis(unicode);
    let end = tail(path, columns.saturating_sub(width(dots)));
    let step = end.find(['.', '[']).map_or(end, |at| &end[at..]);
    format!("{dots}{step}")
}

fn theme(picture: &Picture, style: &Style, paint: &Paint) -> GraphicalTheme {
    let characters = if style.unicode {
        ThemeCharacters::unicode()
    } else {
        ThemeCharacters::ascii()
    };
    let mut styles = ThemeStyles::none();
    styles.link = paint.place();
    styles.highlights = picture.inks.clone();
    GraphicalTheme { characters, styles }
}

/// The snippet as miette sees it: one short source and labels on it
#[derive(Debug)]
struct Picture {
    name: String,
    text: String,
    line_count: usize,
    labels: Vec<LabeledSpan>,
    /// How the labels are painted, in their order
    inks: Vec<Ink>,
}

impl Picture {
    fn new(snippet: &Snippet, columns: usize, style: &Style) -> Picture {
        let indent = common_indent(&snippet.lines);
        let mut text = String::new();
        let mut labels = Vec::new();
        let mut inks = Vec::new();
        for line in &snippet.lines {
            let fitted = fit(line, indent, columns, style.unicode);
            for (mark, room) in fitted.marks.iter().zip(&fitted.rooms) {
                let says = wrap(&visible(&mark.says, style.unicode), *room).join("\n");
                let says = Some(says).filter(|says| !says.is_empty());
                labels.push(LabeledSpan::new(says, text.len() + mark.start, mark.end - mark.start));
                inks.push(mark.ink);
            }
            text.push_str(&fitted.text);
            text.push('\n');
        }
        let name = cut_start(&snippet.name, columns - 2, style.unicode);
        let name = visible(&name, style.unicode).into_owned();
        Picture {
            name,
            text,
            line_count: snippet.lines.len(),
            labels,
            inks,
        }
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Picture {}

impl Diagnostic for Picture {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl SourceCode for Picture {
    /// The whole source, whatever is asked for: it is a window already
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let all = SourceSpan::from(0..self.text.len());
        let name = self.name.clone();
        let contents = MietteSpanContents::new_named(name, self.text.as_bytes(), all, 0, 0, self.line_count);
        Ok(Box::new(contents))
    }
}

/// Blanks that all lines begin with
fn common_indent(lines: &[Line]) -> usize {
    let texts = lines
        .iter()
        .filter(|line| line.text != "…" && !line.text.trim().is_empty());
    texts.map(|line| leading_blanks(&line.text)).min().unwrap_or(0)
}

fn leading_blanks(text: &str) -> usize {
    text.bytes().take_while(|&byte| byte == b' ' || byte == b'\t').count()
}

/// A line cut to the width
struct Fitted {
    text: String,
    /// The marks on it, by place
    marks: Vec<Mark>,
    /// Columns for the words of each mark
    rooms: Vec<usize>,
}

/// Makes a line fit for drawing: without the common indent, with nothing hidden, and cut around its first mark
fn fit(line: &Line, indent: usize, columns: usize, unicode: bool) -> Fitted {
    let (text, mut marks) = shown(line, indent.min(leading_blanks(&line.text)), unicode);
    let window = Window::new(&text, marks.first(), columns, unicode);
    let cut = window.cut(&text, columns, unicode);
    for mark in &mut marks {
        mark.start = cut.offset(mark.start);
        mark.end = cut.offset(mark.end).max(mark.start);
    }
    marks.sort_by_key(|mark| mark.start);
    let room = |mark: &Mark| {
        let middle = (width(&cut.text[..mark.start]) + width(&cut.text[..mark.end])) / 2;
        columns.saturating_sub(middle + 4).max(LABEL_ROOM / 2)
    };
    let rooms = marks.iter().map(room).collect();
    Fitted {
        text: cut.text,
        marks,
        rooms,
    }
}

/// The text from a byte on with nothing hidden, and its marks
fn shown(line: &Line, from: usize, unicode: bool) -> (String, Vec<Mark>) {
    let raw = &line.text[from..];
    let offset_of = |at: usize| visible(&raw[..at.saturating_sub(from)], unicode).len();
    let moved = |mark: &Mark| Mark {
        start: offset_of(mark.start),
        end: offset_of(mark.end),
        ..mark.clone()
    };
    let marks = line.marks.iter().map(moved).collect();
    (visible(raw, unicode).into_owned(), marks)
}

/// Which columns of a line are shown
struct Window {
    from: usize,
    cut_end: bool,
}

impl Window {
    /// Shows the line from its beginning if the mark and its words have room there, else what is around the mark
    fn new(text: &str, mark: Option<&Mark>, columns: usize, unicode: bool) -> Window {
        let total = width(text);
        let Some(mark) = mark else {
            return Window {
                from: 0,
                cut_end: total > columns,
            };
        };
        let dots = width(ellipsis(unicode));
        let (start, end) = (width(&text[..mark.start]), width(&text[..mark.end]));
        let room = width(&mark.says).min(LABEL_ROOM).min(columns / 2) + 4;
        let last = columns.saturating_sub(dots);
        let from = if end - start > last / 2 {
            // Too long to be shown whole with its words: its beginning is, and a little before it.
            let fits = total <= columns && (start + end) / 2 + room <= columns;
            if fits { 0 } else { start.saturating_sub(columns / 5) }
        } else {
            let for_words = ((start + end) / 2 + room).saturating_sub(columns);
            let for_mark = if total > columns { end.saturating_sub(last) } else { 0 };
            for_words.max(for_mark)
        };
        let from = if from == 0 { 0 } else { from.max(dots) };
        Window {
            from,
            cut_end: total - from.min(total) > columns,
        }
    }

    fn cut(&self, text: &str, columns: usize, unicode: bool) -> Cut {
        let dots = ellipsis(unicode);
        let mut cut = Cut {
            text: String::new(),
            skipped: 0,
            before: 0,
            kept: 0,
        };
        let mut column = 0;
        let mut left = columns;
        if self.from > 0 {
            cut.text.push_str(dots);
            left -= width(dots);
        }
        if self.cut_end {
            left -= width(dots);
        }
        cut.before = cut.text.len();
        for c in text.chars() {
            if cut.kept == 0 && column < self.from + if self.from > 0 { width(dots) } else { 0 } {
                column += char_width(c);
                cut.skipped += c.len_utf8();
                continue;
            }
            if char_width(c) > left || cut.kept >= columns * 4 {
                break;
            }
            left -= char_width(c);
            cut.kept += c.len_utf8();
            cut.text.push(c);
        }
        if self.cut_end {
            cut.text.push_str(dots);
        }
        cut
    }
}

/// A cut line, and how to find one's way in it
struct Cut {
    text: String,
    /// Bytes left out at the beginning
    skipped: usize,
    /// Bytes of the mark that stands for them
    before: usize,
    /// Bytes kept
    kept: usize,
}

impl Cut {
    /// Where a byte of the uncut line is; the nearest end for one that was left out
    fn offset(&self, at: usize) -> usize {
        if at < self.skipped {
            return 0;
        }
        let inside = at - self.skipped;
        if inside > self.kept {
            self.text.len()
        } else {
            self.before + inside
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::model::Excerpt;

    proptest! {
        #[test]
        fn drawings_hold_the_width(
            text in "[ a-c日é\u{1b}\t]{0,220}",
            start in 0u32..220,
            len in 0u32..220,
            says in "[a-z ]{0,60}",
            width in 60usize..130,
            unicode: bool,
        ) {
            let excerpt = Excerpt { first_line: 7, text, start, end: start + len, ..Excerpt::default() };
            let place = crate::report::model::RulePlace { file: "a".repeat(200), line: 7, column: 1, excerpt: Some(excerpt) };
            let snippet = Snippet::of_place(&place, &says, Ink::new()).unwrap();
            let style = Style { unicode, width, ..Style::default() };
            let drawn = draw(&snippet, &style, &Paint { color: false });
            for line in drawn.lines() {
                prop_assert!(super::width(line) <= width, "{}", drawn);
            }
        }
    }
}
