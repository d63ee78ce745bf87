//! Lines without the escape sequences of terminals.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::super::text::{slice, span};
use crate::document::Builder;

/// A line without escape sequences.
pub(super) struct Line<'t> {
    pub(super) range: Range<usize>,
    pub(super) text: Cow<'t, str>,
    /// From which bytes of the text on how many bytes in all were left out.
    skipped: Vec<(usize, usize)>,
}

impl<'t> Line<'t> {
    pub(super) fn new(text: &'t str, range: Range<usize>) -> Self {
        let written = slice(text, &range);
        let mut line = Self {
            range,
            text: Cow::Borrowed(written),
            skipped: Vec::new(),
        };
        if written.contains('\x1b') {
            line.strip(written);
        }
        line
    }

    fn strip(&mut self, written: &str) {
        let mut text = String::with_capacity(written.len());
        let mut at = 0;
        while let Some(rest) = written.get(at..).filter(|rest| !rest.is_empty()) {
            let len = rest.find('\x1b').unwrap_or(rest.len());
            text.push_str(rest.get(..len).unwrap_or_default());
            at += len + rest.get(len..).map_or(0, escape_len);
            self.skipped.push((text.len(), at - text.len()));
        }
        self.text = Cow::Owned(text);
    }

    /// Where a part of the text stands in the whole text as written.
    fn origin(&self, part: &Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let before = self.skipped.partition_point(|(from, _)| *from <= at);
            let skipped = before.checked_sub(1).and_then(|last| self.skipped.get(last));
            self.range.start + at + skipped.map_or(0, |(_, skipped)| *skipped)
        };
        place(part.start)..part.end.checked_sub(1).map_or(0, |last| place(last) + 1)
    }

    pub(super) fn push(&self, part: Range<usize>, build: &mut Builder) {
        let origin = self.origin(&part);
        if origin.len() == part.len() {
            build.cell(span(&origin));
        } else {
            build.computed_string(slice(&self.text, &part), span(&origin));
        }
    }
}

/// The length of the escape sequence that a text begins with; 0 for an empty text.
fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, allowed: std::ops::RangeInclusive<u8>| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| allowed.contains(byte)).count()
    };
    match bytes.get(1) {
        Some(b'[') => {
            let end = run(run(2, 0x30..=0x3F), 0x20..=0x2F);
            end + usize::from(matches!(bytes.get(end), Some(0x40..=0x7E)))
        }
        Some(b']') => {
            let inside = bytes.get(2..).unwrap_or_default();
            match memchr2(0x07, 0x1B, inside).map(|at| inside.get(at..).unwrap_or_default()) {
                Some([0x07, rest @ ..] | [0x1B, b'\\', rest @ ..]) => bytes.len() - rest.len(),
                _ => 2,
            }
        }
        Some(0x40..=0x5F) => 2,
        _ => bytes.len().min(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_escape_sequences() {
        for (text, len) in [
            ("\x1b", 1),
            ("\x1b[", 2),
            ("\x1b[1;3", 5),
            ("\x1b[1m", 4),
            ("\x1b]0;x", 2),
            ("\x1bé", 1),
            ("\x1bMx", 2),
        ] {
            assert_eq!(escape_len(text), len, "{text:?}");
        }
    }
}
