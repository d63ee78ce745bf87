//! What a script reads, found without parsing it: for scripts that are known to compile, so that those which a run does not evaluate
//! cost it next to nothing.
//!
//! Every word that is no member, call, key or name of the script's own counts as read. Whoever defers a script makes sure that this is
//! what its syntax tree says too: a test does so for all that are shipped.

use std::collections::BTreeSet;
use std::ops::Range;

use rhai::Token;

use super::template::{self, Part};
use super::{Kind, Known, Read};

/// The names that a text seems to read, in its order.
pub(super) fn reads(text: &str, kind: Kind, known: &Known<'_>) -> Vec<Read> {
    let code = match kind {
        Kind::Template => template::split(text).unwrap_or_default(),
        Kind::Expression | Kind::Block => vec![Part::Code(0..text.len())],
    };
    let ranges = code.into_iter().filter_map(|part| match part {
        Part::Code(range) => Some(range),
        Part::Text(_) => None,
    });
    ranges.flat_map(|range| code_reads(text, range, known)).collect()
}

fn code_reads(text: &str, range: Range<usize>, known: &Known<'_>) -> Vec<Read> {
    let words = words(text, range);
    let mut own: BTreeSet<&str> = known.locals.iter().copied().collect();
    own.extend(words.iter().filter(|word| word.binds).map(|word| word.text));
    let mut reads = Vec::new();
    let mut rest = words.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let keyword = Token::lookup_symbol_from_syntax(first.text).is_some();
        if first.member || first.called || first.binds || keyword || own.contains(first.text) {
            continue;
        }
        let mut read = Read {
            namespace: None,
            name: first.text.to_owned(),
            probe: false,
            start: first.start,
            end: first.start + first.text.len(),
        };
        while let Some((next, after)) = rest.split_first().filter(|(next, _)| next.member) {
            let path = match &read.namespace {
                Some(namespace) => format!("{namespace}.{}", read.name),
                None => read.name.clone(),
            };
            if !known.namespaces.contains(&path.as_str()) {
                break;
            }
            read = Read {
                namespace: Some(path),
                name: next.text.to_owned(),
                end: next.start + next.text.len(),
                ..read
            };
            rest = after;
        }
        reads.push(read);
    }
    reads
}

/// A word of a script.
struct Word<'t> {
    text: &'t str,
    start: usize,
    /// Whether it stands after a dot.
    member: bool,
    /// Whether it names a function or module that is called, or a key.
    called: bool,
    /// Whether the script names something of its own so.
    binds: bool,
}

/// The words of a range, those in strings and comments left out; those in what a string interpolates are in.
fn words(text: &str, range: Range<usize>) -> Vec<Word<'_>> {
    let bytes = text.as_bytes();
    let (mut at, end) = (range.start, range.end.min(bytes.len()));
    let (mut words, mut before, mut parameters) = (Vec::<Word<'_>>::new(), b'(', false);
    while let Some(&byte) = bytes.get(at).filter(|_| at < end) {
        let rest = &bytes[at..end];
        let length = match byte {
            b'"' | b'\'' => quoted(rest),
            b'`' => {
                let inside = at + 1..template::back_tick_end(text, at + 1).unwrap_or(end);
                for part in template::split(text.get(inside.clone()).unwrap_or_default()).unwrap_or_default() {
                    if let Part::Code(code) = part {
                        words.extend(self::words(text, inside.start + code.start..inside.start + code.end));
                    }
                }
                inside.len() + 2
            }
            b'/' if rest.starts_with(b"//") => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |close| close + 2),
            b'0'..=b'9' => rest.iter().take_while(|byte| is_word(**byte)).count(),
            byte if is_word(byte) => {
                let length = rest.iter().take_while(|byte| is_word(**byte)).count();
                let after = rest[length..].trim_ascii_start();
                let binder = words
                    .last()
                    .is_some_and(|last| matches!(last.text, "let" | "const" | "for"));
                words.push(Word {
                    text: text.get(at..at + length).unwrap_or_default(),
                    start: at,
                    member: before == b'.',
                    called: after.starts_with(b"(") || after.starts_with(b":"),
                    binds: parameters || binder && before != b'.',
                });
                length
            }
            _ => 1,
        };
        match byte {
            b'|' if parameters => parameters = false,
            b'|' if matches!(before, b'(' | b',' | b'=') && !rest.starts_with(b"||") => parameters = true,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = if is_word(byte) { b'a' } else { byte };
        }
        at += length.max(1);
    }
    words
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The length of a quoted text, quotes included.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 1,
            byte if rest.first() == Some(&byte) => return at + 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}
