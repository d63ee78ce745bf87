//! JSON (RFC 8259), strictly.
//!
//! What `serde_json` rejects is rejected, with two exceptions: nesting goes down to [`MAX_DEPTH`] levels, and numbers
//! beyond `f64` are kept as text.

use super::build::{Builder, MAX_DEPTH, Name};
use super::reading::{Parsed, fault, read};
use super::{Document, ParseError, Stored};
use std::borrow::Cow;
use std::ops::Range;

/// How JSON is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Fold lowerCamelCase names to snake_case for look-up.
    pub snake_case_keys: bool,
}

/// Reads one JSON text.
pub fn parse(text: String, options: &Options) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len()).with_json_keys(options.snake_case_keys);
    read(text, builder, |text, build| Parser::new(text, 0, build).document())
}

/// Reads the JSON value that a part of a text consists of; whether there was any.
pub(super) fn fill(text: &str, part: Range<usize>, build: &mut Builder) -> Parsed<bool> {
    let mut parser = Parser::new(text.get(..part.end).unwrap_or_default(), part.start, build);
    parser.skip_space();
    if parser.at == part.end {
        return Ok(false);
    }
    parser.value()?;
    parser.end()?;
    Ok(true)
}

struct Parser<'t, 'b> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    build: &'b mut Builder,
}

/// What may follow a value.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    Array,
    Object,
}

impl<'t, 'b> Parser<'t, 'b> {
    fn new(text: &'t str, at: usize, build: &'b mut Builder) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            build,
        }
    }

    fn document(&mut self) -> Parsed<()> {
        if self.text.starts_with('\u{feff}') {
            return fault(
                0,
                "the text begins with a byte order mark (U+FEFF), which JSON does not allow",
            );
        }
        self.skip_space();
        if self.at == self.bytes.len() {
            return fault(
                self.at,
                if self.at == 0 {
                    "empty"
                } else {
                    "empty: nothing but white space"
                },
            );
        }
        self.value()?;
        self.end()
    }

    fn end(&mut self) -> Parsed<()> {
        self.skip_space();
        match self.bytes.get(self.at) {
            None => Ok(()),
            Some(_) => fault(self.at, "more text after the end of the JSON value"),
        }
    }

    /// The next byte; 0, which JSON never allows there, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Reads one value with all that it holds, without recursion.
    fn value(&mut self) -> Parsed<()> {
        let mut stack: Vec<Within> = Vec::with_capacity(32);
        let mut within = Within::Nothing;
        loop {
            if let Some(inner) = self.value_start()? {
                if stack.len() == MAX_DEPTH {
                    return fault(
                        self.at - 1,
                        format!("arrays and objects are nested more than {MAX_DEPTH} deep"),
                    );
                }
                stack.push(within);
                within = inner;
                if !self.empty(within) {
                    if within == Within::Object {
                        self.member_name()?;
                    }
                    continue;
                }
                within = stack.pop().unwrap_or(Within::Nothing);
            }
            loop {
                if within == Within::Nothing {
                    return Ok(());
                }
                if self.another(within)? {
                    break;
                }
                within = stack.pop().unwrap_or(Within::Nothing);
            }
        }
    }

    /// Reads a scalar, or opens an array or object.
    #[inline]
    fn value_start(&mut self) -> Parsed<Option<Within>> {
        let start = self.at;
        match self.peek() {
            b'"' => {
                let escaped = self.string()?;
                self.build
                    .push(if escaped { Stored::Escaped } else { Stored::Plain }, start, self.at);
            }
            b'{' => {
                self.at += 1;
                self.build.open_object(start);
                return Ok(Some(Within::Object));
            }
            b'[' => {
                self.at += 1;
                self.build.open_array(start);
                return Ok(Some(Within::Array));
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                self.build.push(Stored::Number, start, self.at);
            }
            b't' => self.word("true", Stored::True)?,
            b'f' => self.word("false", Stored::False)?,
            b'n' => self.word("null", Stored::Null)?,
            _ => return self.no_value(),
        }
        Ok(None)
    }

    #[cold]
    fn no_value(&self) -> Parsed<Option<Within>> {
        fault(self.at, format!("expected a value, found {}", self.found()))
    }

    /// Closes the array or object just opened, if nothing is in it.
    #[inline]
    fn empty(&mut self, within: Within) -> bool {
        self.skip_space();
        let close = if within == Within::Object { b'}' } else { b']' };
        let empty = self.peek() == close;
        if empty {
            self.at += 1;
            self.build.close(self.at);
        }
        empty
    }

    /// After a value: whether another follows (its name is read then), or the array or object ends here.
    #[inline]
    fn another(&mut self, within: Within) -> Parsed<bool> {
        self.skip_space();
        let comma = self.at;
        match (self.peek(), within) {
            (b',', Within::Object) => {
                self.at += 1;
                self.skip_space();
                if self.peek() == b'}' {
                    return fault(comma, "a comma before the end of an object");
                }
                self.member_name()?;
                Ok(true)
            }
            (b',', _) => {
                self.at += 1;
                self.skip_space();
                if self.peek() == b']' {
                    return fault(comma, "a comma before the end of an array");
                }
                Ok(true)
            }
            (b'}', Within::Object) | (b']', Within::Array) => {
                self.at += 1;
                self.build.close(self.at);
                Ok(false)
            }
            _ => self.not_closed(within),
        }
    }

    #[cold]
    fn not_closed(&self, within: Within) -> Parsed<bool> {
        let close = if within == Within::Object { '}' } else { ']' };
        fault(self.at, format!("expected `,` or `{close}`, found {}", self.found()))
    }

    /// Reads a member's name and the colon, up to its value.
    #[inline]
    fn member_name(&mut self) -> Parsed<()> {
        let start = self.at;
        if self.peek() != b'"' {
            return fault(
                self.at,
                format!("expected a member's name in double quotes, found {}", self.found()),
            );
        }
        let escaped = self.string()?;
        let name = self
            .build
            .names
            .intern_written(self.text, start + 1, self.at - 1, escaped);
        if name.0 as usize > Name::MAX {
            return fault(start, "the text has too many different names");
        }
        self.build.member(name);
        self.skip_space();
        if self.peek() != b':' {
            return fault(
                self.at,
                format!("expected `:` after the member's name, found {}", self.found()),
            );
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    #[inline]
    fn word(&mut self, word: &str, stored: Stored) -> Parsed<()> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return self.no_value().map(drop);
        }
        self.build.push(stored, self.at, end);
        self.at = end;
        Ok(())
    }

    #[inline]
    fn skip_space(&mut self) {
        if self.peek() > b' ' {
            return;
        }
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
            while word_at(self.bytes, self.at) == Some(SPACES) {
                self.at += 8;
            }
        }
    }

    #[inline]
    fn number(&mut self) -> Parsed<()> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let first = self.peek();
        let digits = self.digits();
        if digits == 0 {
            return fault(self.at, format!("expected a digit, found {}", self.found()));
        }
        if first == b'0' && digits > 1 {
            return fault(start, "a number with a leading zero");
        }
        if self.peek() == b'.' {
            self.at += 1;
            if self.digits() == 0 {
                return fault(
                    self.at,
                    format!("expected a digit after the decimal point, found {}", self.found()),
                );
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return fault(
                    self.at,
                    format!("expected a digit in the exponent, found {}", self.found()),
                );
            }
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    /// Reads a string from its opening quote to behind its closing one; whether it has escapes.
    #[inline]
    fn string(&mut self) -> Parsed<bool> {
        let open = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at = special(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => {
                    return fault(
                        self.at,
                        format!("{} in a string must be written as an escape", self.found()),
                    );
                }
                None => return fault(open, "the string that begins here does not end"),
            }
        }
    }

    /// Reads one escape, a pair of surrogates as one.
    fn escape(&mut self) -> Parsed<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            _ => return fault(self.at, "an escape that JSON does not know"),
        }
        let unit = self.unit(self.at)?;
        let pair = match unit {
            0xD800..=0xDBFF => true,
            0xDC00..=0xDFFF => return fault(self.at, "half of a surrogate pair in an escape"),
            _ => false,
        };
        if pair {
            let second = if self.bytes.get(self.at + 6) == Some(&b'\\') && self.bytes.get(self.at + 7) == Some(&b'u') {
                self.unit(self.at + 6)?
            } else {
                0
            };
            if !matches!(second, 0xDC00..=0xDFFF) {
                return fault(self.at, "half of a surrogate pair in an escape");
            }
        }
        self.at += if pair { 12 } else { 6 };
        Ok(())
    }

    /// The four hexadecimal digits of `\uXXXX` at this byte.
    fn unit(&self, at: usize) -> Parsed<u16> {
        match hex4(self.bytes, at + 2) {
            Some(unit) => Ok(unit),
            None => fault(at, "an escape `\\u` without four hexadecimal digits"),
        }
    }

    /// The next character, for messages.
    fn found(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_owned(),
            Some(char) if char.is_control() => format!("the control character U+{:04X}", char as u32),
            Some(char) => format!("`{char}`"),
        }
    }
}

const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// The first byte from here on that may not stand in a string as it is: a quote, a backslash, a control character.
/// Eight bytes at a time; a false alarm can only come after a true one, so the first is true.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = word_at(bytes, at) {
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGHS;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        at += 1;
    }
    at
}

fn hex4(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |unit: u16, &byte| {
        Some(unit << 4 | (byte as char).to_digit(16)? as u16)
    })
}

/// The string that is written so between quotes; escapes that JSON does not know stay as they are.
pub(super) fn unescape(written: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', written.as_bytes()) else {
        return Cow::Borrowed(written);
    };
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    let mut next = Some(first);
    while let Some(at) = next {
        value.push_str(rest.get(..at).unwrap_or_default());
        let (char, len) = unescape_one(rest.get(at..).unwrap_or_default());
        value.push(char);
        rest = rest.get(at + len..).unwrap_or_default();
        next = memchr::memchr(b'\\', rest.as_bytes());
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// The character that an escape at the start of this text stands for, and the escape's length.
fn unescape_one(text: &str) -> (char, usize) {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(&same @ (b'"' | b'\\' | b'/')) => (same as char, 2),
        Some(b'u') => {
            let units = [hex4(bytes, 2), hex4(bytes, 8)].map(|unit| unit.unwrap_or(0));
            match char::decode_utf16(units).next() {
                Some(Ok(char)) => (char, 6 * char.len_utf16()),
                _ => (char::REPLACEMENT_CHARACTER, 6),
            }
        }
        _ => ('\\', 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Kind, Number};

    fn read(text: &str) -> Document {
        parse(text.to_owned(), &Options::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn reads_every_kind() {
        let doc = read(r#" {"a": [1, -2.5e1, "x\n", null, true, false], "b": {}, "c": []} "#);
        let a = doc.get(doc.root(), "a").unwrap();
        let kinds: Vec<_> = doc.children(a).map(|id| doc.kind(id)).collect();
        assert_eq!(
            kinds,
            [
                Kind::Number,
                Kind::Number,
                Kind::String,
                Kind::Null,
                Kind::True,
                Kind::False
            ]
        );
        assert_eq!(doc.number(doc.at(a, 0).unwrap()), Some(Number::Int(1)));
        assert_eq!(doc.number(doc.at(a, 1).unwrap()), Some(Number::Float(-25.0)));
        assert_eq!(doc.str(doc.at(a, 2).unwrap()).unwrap(), "x\n");
        assert_eq!(doc.raw(a), r#"[1, -2.5e1, "x\n", null, true, false]"#);
        assert_eq!(doc.len(doc.root()), 3);
        assert!(doc.is_empty(doc.get(doc.root(), "b").unwrap()));
        assert_eq!(doc.normalized_path(doc.at(a, 3).unwrap()), "$['a'][3]");
    }

    #[test]
    fn escapes_stand_for_characters() {
        for (written, value) in [
            (r#""\uD83D\uDE00\u00e9x""#, "😀éx"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u0000""#, "\0"),
            (r#""plain""#, "plain"),
        ] {
            let doc = read(written);
            assert_eq!(doc.str(doc.root()).unwrap(), value);
        }
    }

    #[test]
    fn several_values_can_share_a_tape() {
        let text = "{\"aB\": 1}\n {\"aB\": [2]}\n{";
        let mut builder = Builder::new(text.len()).with_json_keys(true);
        builder.open_array(0);
        fill(text, 0..9, &mut builder).unwrap();
        fill(text, 10..23, &mut builder).unwrap();
        let fault = fill(text, 23..text.len(), &mut builder).unwrap_err();
        assert_eq!(fault.at, text.len());
        let doc = builder.finish(text.to_owned());
        let values: Vec<_> = doc.with_key("a_b").iter().map(|&id| doc.raw(id)).collect();
        assert_eq!(values, ["1", "[2]"]);
        assert_eq!(doc.normalized_path(doc.with_key("a_b")[1]), "$[1]['aB']");
    }
}
