//! Where a value ends, in whatever text it stands.

use std::ops::Range;

/// A quote, perhaps behind backslashes: in JSON within a string each level of nesting adds some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    slashes: usize,
    mark: u8,
}

impl Quote {
    /// The quote at a place.
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<Quote> {
        let slashes = slashes(bytes, at);
        let mark = *bytes.get(at + slashes)?;
        matches!(mark, b'"' | b'\'').then_some(Quote { slashes, mark })
    }

    /// Number of its bytes.
    pub(super) fn len(self) -> usize {
        self.slashes + 1
    }

    pub(super) fn is_single(self) -> bool {
        self.mark == b'\''
    }

    /// The quote as it is written.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.slashes, b'\\');
        out.push(self.mark);
    }

    /// Whether a mark behind so many backslashes closes what this opened.
    ///
    /// Within a string each backslash of its content is written as many times as the quote has bytes, twice.
    fn closes(self, slashes: usize) -> bool {
        self.is_single() && self.slashes == 0
            || slashes >= self.slashes && (slashes - self.slashes).is_multiple_of(2 * self.len())
    }
}

fn slashes(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| **byte == b'\\').count()
}

/// Reads on from a place in a text.
#[derive(Debug, Clone)]
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    pub(super) at: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Reader<'b> {
        Reader { bytes, at }
    }

    /// The next byte.
    pub(super) fn byte(&self) -> Option<u8> {
        self.after(0)
    }

    /// The byte behind the next `count`.
    pub(super) fn after(&self, count: usize) -> Option<u8> {
        self.bytes.get(self.at + count).copied()
    }

    /// Goes over these bytes.
    pub(super) fn skip(&mut self, these: &[u8]) {
        while self.byte().is_some_and(|byte| these.contains(&byte)) {
            self.at += 1;
        }
    }

    /// Goes over blanks, perhaps to a further line.
    pub(super) fn blanks(&mut self, lines: bool) {
        self.skip(if lines { b" \t\r\n" } else { b" \t" });
    }

    /// Goes over the anchor and tag of a YAML value.
    pub(super) fn yaml_properties(&mut self) {
        while matches!(self.byte(), Some(b'&' | b'!')) {
            let word = self.until(|byte| byte <= b' ');
            if !matches!(self.bytes.get(word.end), Some(b' ' | b'\t')) {
                return;
            }
            self.at = word.end;
            self.blanks(false);
        }
    }

    /// The bytes up to one that ends them.
    pub(super) fn until(&self, ends: impl Fn(u8) -> bool) -> Range<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| !ends(**byte)).count();
        self.at..self.at + length
    }

    /// The rest of the line, without a comment and blanks at its end.
    pub(super) fn line(&self) -> Range<usize> {
        let line = self.until(|byte| matches!(byte, b'\n' | b'\r' | 0));
        let text = self.bytes.get(line.clone()).unwrap_or_default();
        let text = memchr::memmem::find(text, b" #").map_or(text, |comment| &text[..comment]);
        line.start..line.start + text.trim_ascii_end().len()
    }

    /// What stands between the quote here and the one that closes it, or the end of the line; behind it reading goes on.
    pub(super) fn quoted(&mut self, quote: Quote) -> Range<usize> {
        let start = self.at + quote.len();
        let mut at = start;
        let end = loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(next) = memchr::memchr3(b'\\', quote.mark, b'\n', rest) else {
                break self.bytes.len();
            };
            at += next;
            let slashes = slashes(self.bytes, at);
            match self.bytes.get(at + slashes) {
                Some(&mark) if mark == quote.mark && quote.closes(slashes) => break at + slashes - quote.slashes,
                Some(b'\n') | None => break at + slashes,
                Some(_) => at += slashes + 1,
            }
        };
        self.at = (end + quote.len()).min(self.bytes.len());
        start..end.max(start)
    }

    /// The strings of the list that begins here, as far as it is one.
    pub(super) fn strings(&mut self) -> Vec<Range<usize>> {
        let mut strings = Vec::new();
        self.at += 1;
        loop {
            self.blanks(true);
            let Some(quote) = Quote::at(self.bytes, self.at) else {
                return strings;
            };
            strings.push(self.quoted(quote));
            self.blanks(true);
            if self.byte() != Some(b',') {
                return strings;
            }
            self.at += 1;
        }
    }

    /// The lines below this one that are indented deeper: a block of YAML.
    pub(super) fn block(&self, indentation: usize) -> Range<usize> {
        let line_end = |from: usize| {
            let rest = self.bytes.get(from..).unwrap_or_default();
            memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |at| from + at)
        };
        let first = line_end(self.at);
        let mut end = first;
        loop {
            let next = line_end((end + 1).min(self.bytes.len()));
            let line = self.bytes.get(end + 1..next).unwrap_or_default();
            let blanks = line.iter().take_while(|byte| **byte == b' ').count();
            if end >= self.bytes.len() || !line.trim_ascii().is_empty() && blanks <= indentation {
                return first..end;
            }
            end = next;
        }
    }
}
