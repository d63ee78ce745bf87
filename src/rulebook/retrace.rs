//! Walks the source and the decoded value of a scalar together, to tell where each character of the value was written.
//!
//! The value is the guide: where source and value disagree (which would be an error here or in the parser), the walk
//! gives up rather than point at a wrong place. YAML 1.2.2, chapters 7.3 (flow scalars) and 8.1 (block scalars).

use std::ops::Range;

use super::text::Style;

/// Where one character of the value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Offset of the character in the value
    pub(super) value: usize,
    /// Its bytes in the source
    pub(super) source: Range<usize>,
}

/// A piece for each character of the value, in order; `None` where source and value do not belong together.
///
/// `start` is where the scalar begins in the source: at its quote or first character, in a block after the indentation
/// of the first line that is not blank.
pub(super) fn retrace(source: &str, start: usize, style: Style, value: &str) -> Option<Vec<Piece>> {
    let mut walk = Walk {
        source,
        at: start,
        value,
        reached: 0,
        pieces: Vec::with_capacity(value.len()),
    };
    match style {
        Style::Plain => walk.flow(Style::Plain)?,
        Style::Single | Style::Double => {
            walk.at += 1;
            walk.flow(style)?;
        }
        Style::Literal | Style::Folded => {
            let line = source.get(..start)?.rsplit(['\n', '\r']).next()?;
            walk.block(line.chars().count(), style == Style::Folded)?;
        }
    }
    Some(walk.pieces)
}

struct Walk<'a> {
    source: &'a str,
    at: usize,
    value: &'a str,
    reached: usize,
    pieces: Vec<Piece>,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn next_of_value(&self) -> Option<char> {
        self.value.get(self.reached..)?.chars().next()
    }

    fn done(&self) -> bool {
        self.reached >= self.value.len()
    }

    /// The next character of the value is what is written in this range.
    fn emit(&mut self, source: Range<usize>) -> Option<()> {
        let c = self.next_of_value()?;
        self.pieces.push(Piece {
            value: self.reached,
            source,
        });
        self.reached += c.len_utf8();
        Some(())
    }

    /// The next character of the value is written as itself.
    fn copy(&mut self) -> Option<()> {
        let c = self.rest().chars().next()?;
        if self.next_of_value() != Some(c) {
            return None;
        }
        self.emit(self.at..self.at + c.len_utf8())?;
        self.at += c.len_utf8();
        Some(())
    }

    /// The line break here, if there is one.
    fn line_break(&self) -> Option<Range<usize>> {
        let length = match self.rest().as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return None,
        };
        Some(self.at..self.at + length)
    }

    fn skip(&mut self, most: usize, blank: impl Fn(u8) -> bool) {
        self.at += self.rest().bytes().take(most).take_while(|byte| blank(*byte)).count();
    }

    /// The line breaks from here to the next line with something in it, and there.
    fn line_breaks(&mut self) -> Vec<Range<usize>> {
        let mut breaks = Vec::new();
        while let Some(found) = self.line_break() {
            self.at = found.end;
            breaks.push(found);
            self.skip(usize::MAX, |byte| matches!(byte, b' ' | b'\t'));
        }
        breaks
    }

    fn flow(&mut self, style: Style) -> Option<()> {
        while !self.done() {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            if rest.get(blanks..)?.starts_with(['\n', '\r']) {
                self.at += blanks;
                self.fold()?;
            } else if style == Style::Single && rest.starts_with("''") {
                self.emit(self.at..self.at + 2)?;
                self.at += 2;
            } else if style == Style::Double && rest.starts_with('\\') {
                self.escape()?;
            } else {
                self.copy()?;
            }
        }
        Some(())
    }

    /// One line break is a space; of several, the first is dropped.
    fn fold(&mut self) -> Option<()> {
        let breaks = self.line_breaks();
        match breaks.as_slice() {
            [only] => self.emit(only.clone()),
            [_, more @ ..] => more.iter().try_for_each(|found| self.emit(found.clone())),
            [] => None,
        }
    }

    fn escape(&mut self) -> Option<()> {
        let start = self.at;
        self.at += 1;
        if self.line_break().is_some() {
            // An escaped line break is nothing; empty lines after it count.
            let breaks = self.line_breaks();
            return breaks.into_iter().skip(1).try_for_each(|found| self.emit(found));
        }
        let length = match self.rest().chars().next()? {
            'x' => 3,
            'u' if self.pair() => 11,
            'u' => 5,
            'U' => 9,
            c => c.len_utf8(),
        };
        self.at += length;
        self.emit(start..self.at)
    }

    /// Whether two escapes of UTF-16 begin here that are one character.
    fn pair(&self) -> bool {
        let high = self
            .rest()
            .get(1..5)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        high.is_some_and(|high| (0xd800..0xdc00).contains(&high))
    }

    fn block(&mut self, indent: usize, folded: bool) -> Option<()> {
        // Blank lines at the beginning are in the value, but before the scalar's place.
        while !self.done() && self.next_of_value() == Some('\n') && self.line_break().is_none() {
            self.emit(self.at..self.at)?;
        }
        while !self.done() {
            while !self.done() && !self.rest().is_empty() && self.line_break().is_none() {
                self.copy()?;
            }
            let breaks = self.block_breaks(indent);
            let Some(last) = breaks.last() else {
                // The file ends without the line break that the value has.
                return if self.done() {
                    Some(())
                } else {
                    self.emit(self.at..self.at)
                };
            };
            if folded && breaks.len() == 1 && self.next_of_value() == Some(' ') {
                self.emit(last.clone())?;
                continue;
            }
            let written = self
                .value
                .get(self.reached..)?
                .bytes()
                .take_while(|byte| *byte == b'\n')
                .count();
            let ends = self.reached + written == self.value.len();
            if written == 0 && !ends || written > breaks.len() {
                return None;
            }
            // Folding drops the first of several, the end of the scalar what is left over.
            let dropped = if ends { 0 } else { breaks.len() - written };
            for found in breaks.into_iter().skip(dropped).take(written) {
                self.emit(found)?;
            }
        }
        Some(())
    }

    /// The line breaks from here to the next line that has something beyond the indentation, and there.
    fn block_breaks(&mut self, indent: usize) -> Vec<Range<usize>> {
        let mut breaks = Vec::new();
        while let Some(found) = self.line_break() {
            self.at = found.end;
            breaks.push(found);
            self.skip(indent, |byte| byte == b' ');
        }
        breaks
    }
}
