//! What the parsers of line-oriented texts share.
//!
//! A line ends before a line feed; carriage returns before that belong to no line. A byte order mark at the beginning
//! belongs to nothing.

use std::ops::Range;

use memchr::memchr;

use crate::document::reading::{Parsed, fault};
use crate::document::{Builder, Span};

/// Where the text begins: behind its byte order mark, if it has one.
pub(super) fn body(text: &str) -> usize {
    if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    }
}

/// The lines of a text, as ranges without what ends them.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    lines_from(text, body(text))
}

/// The lines of a text from the beginning of one of them on.
pub(super) fn lines_from(text: &str, start: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = start;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(next..).filter(|rest| !rest.is_empty())?;
        let start = next;
        let len = memchr(b'\n', rest).unwrap_or(rest.len());
        next += len + 1;
        let line = text.get(start..start + len).unwrap_or_default();
        Some(start..start + line.trim_end_matches('\r').len())
    })
}

/// The lines of a text that are not blank.
pub(super) fn solid_lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    lines(text).filter(|line| !is_blank(slice(text, line)))
}

/// Whether there is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

pub(super) fn slice<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    text.get(range.clone()).unwrap_or_default()
}

/// The range without the white space around.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = slice(text, &range);
    let start = range.start + (part.len() - part.trim_ascii_start().len());
    start..start + part.trim_ascii().len()
}

pub(super) fn span(range: &Range<usize>) -> Span {
    Span {
        start: range.start as u32,
        end: range.end as u32,
    }
}

/// Pushes a string that may go over several lines, which a line feed separates in its value.
pub(super) fn push_lines(build: &mut Builder, text: &str, range: &Range<usize>) {
    let part = slice(text, range);
    if part.contains("\r\n") {
        build.computed_string(part.replace("\r\n", "\n"), span(range));
    } else {
        build.cell(span(range));
    }
}

/// Whether a text is a number as JSON writes them.
pub(super) fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(unsigned);
    let mut rest = unsigned.get(whole..).unwrap_or_default();
    let mut valid = whole == 1 || whole > 1 && !unsigned.starts_with('0');
    if let Some(fraction) = rest.strip_prefix('.') {
        valid &= digits(fraction) > 0;
        rest = fraction.get(digits(fraction)..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        valid &= digits(exponent) > 0;
        rest = exponent.get(digits(exponent)..).unwrap_or_default();
    }
    valid && rest.is_empty()
}

/// Checks that the tape has room for a further row.
pub(super) fn room(build: &Builder, at: usize) -> Parsed<()> {
    if build.is_full() {
        return fault(at, "the text has too many rows or names");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_json_writes_them() {
        for number in ["0", "-0", "10", "1.5", "-1.50e+07", "1E3", "0.1e-1"] {
            assert!(is_json_number(number), "{number}");
        }
        for other in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1 ", "0x1", "1_0", "NaN", "--1", "1.5.2",
        ] {
            assert!(!is_json_number(other), "{other}");
        }
    }

    #[test]
    fn lines_end_before_carriage_returns() {
        let text = "\u{feff}a\r\n\n b \0\rc\r\r\n\nlast";
        let found: Vec<_> = lines(text).map(|line| slice(text, &line)).collect();
        assert_eq!(found, ["a", "", " b \0\rc", "", "last"]);
        assert_eq!(solid_lines(text).count(), 3);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("\n").count(), 1);
        assert_eq!(trimmed(" a b\t", 0..5), 1..4);
        assert!(trimmed("   ", 0..3).is_empty());
    }
}
