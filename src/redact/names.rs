//! Secrets by their names: `"password": "..."`, `token=...`, `--client-secret ...`, `Cookie: ...`.
//!
//! A name says that its value is secret wherever it stands, in whatever format: nothing is parsed, so that cut, damaged and nested texts
//! (JSON in a string in JSON) are read as well as whole ones. What stands after the name decides where the value begins and ends.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::rules::bytes_regex;
use super::value::{Quote, Reader};

/// A place with a secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Bytes of the secret.
    pub(super) range: Range<usize>,
    /// Quotes that what stands in its place needs: it was a number beside strings.
    pub(super) quote: Option<Quote>,
}

/// The names, as one pattern.
#[derive(Debug)]
pub(super) struct Names(Regex);

impl Names {
    /// Nothing where there are no names.
    pub(super) fn new(names: &[Vec<String>]) -> Option<Names> {
        let mut names: Vec<String> = names
            .iter()
            .map(|words| {
                let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
                words.join("[-_.]?")
            })
            .collect();
        // Of two names that begin alike the longer is to be found.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let any = names.join("|");
        bytes_regex(&format!("(?i){any}"))
            .filter(|_| !names.is_empty())
            .map(Names)
    }

    /// The secrets that have one of the names.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(Secret)) {
        let mut at = 0;
        while let Some(name) = self.0.find_at(bytes, at) {
            let secrets = Named::new(bytes, name.range()).secrets();
            // A name may begin within what only looked like one: `db_pass` in `db_password`.
            at = if secrets.is_empty() {
                name.start() + 1
            } else {
                name.end()
            };
            secrets.into_iter().for_each(&mut found);
        }
    }
}

/// How a name is joined to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// `name: value`
    Colon,
    /// `name=value`
    Equals,
    /// `--name value`, and lists of arguments
    Argument,
}

/// A name in a text.
struct Named<'b> {
    bytes: &'b [u8],
    /// The whole word that ends with the name.
    word: Range<usize>,
    /// The quote behind it.
    quote: Option<Quote>,
}

impl<'b> Named<'b> {
    fn new(bytes: &'b [u8], name: Range<usize>) -> Named<'b> {
        let before = bytes.get(..name.start).unwrap_or_default();
        let longer = before.iter().rev().take_while(|byte| is_word(**byte)).count();
        let after = bytes.get(name.end..).unwrap_or_default();
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let word = name.start - longer..name.end + digits;
        let quote = Quote::at(bytes, word.end);
        Named { bytes, word, quote }
    }

    fn secrets(&self) -> Vec<Secret> {
        let end = self.word.end + self.quote.map_or(0, Quote::len);
        if self.quote.is_none() && self.bytes.get(end).is_some_and(|byte| is_word(*byte)) {
            return Vec::new();
        }
        match self.join(end) {
            Some((join, at)) => self.values(join, at),
            None => self.pair(end),
        }
    }

    fn is_option(&self) -> bool {
        self.bytes.get(self.word.start) == Some(&b'-')
    }

    /// What joins the name to its value, and where that may begin.
    fn join(&self, end: usize) -> Option<(Join, usize)> {
        let mut reader = Reader::new(self.bytes, end);
        if self.quote.is_some() {
            reader.skip(b"]");
            reader.blanks(true);
        } else {
            reader.blanks(false);
        }
        let blank = reader.at > end;
        match (reader.byte()?, reader.after(1)) {
            (b':', Some(b':')) | (b'=', Some(b'=' | b'~')) => None,
            (b':', Some(b'=')) | (b'=', Some(b'>')) => Some((Join::Equals, reader.at + 2)),
            (b':', _) => Some((Join::Colon, reader.at + 1)),
            (b'=', _) => Some((Join::Equals, reader.at + 1)),
            (b',', _) if self.quote.is_some_and(|quote| self.is_option() || quote.is_single()) => {
                reader.at += 1;
                reader.blanks(true);
                Quote::at(self.bytes, reader.at).map(|_| (Join::Argument, reader.at))
            }
            (b'\n' | b'\r' | b'-', _) if self.is_option() => next_item(self.bytes, end).map(|at| (Join::Argument, at)),
            (b'-', _) => None,
            _ if self.is_option() && blank => Some((Join::Argument, reader.at)),
            _ => None,
        }
    }

    fn values(&self, join: Join, at: usize) -> Vec<Secret> {
        let mut reader = Reader::new(self.bytes, at);
        reader.blanks(self.quote.is_some());
        if join == Join::Colon {
            reader.yaml_properties();
        }
        if let Some(at) = holder(self.bytes, reader.at, self.indentation()) {
            return self.values(Join::Colon, at);
        }
        let ranges = match reader.byte() {
            Some(b'[') => reader.strings(),
            Some(b'{') | None => Vec::new(),
            Some(b'|' | b'>') if join == Join::Colon && self.begins_line() => {
                vec![reader.block(self.indentation().unwrap_or(0))]
            }
            _ => match Quote::at(self.bytes, reader.at) {
                Some(quote) => vec![reader.quoted(quote)],
                None => return self.bare(join, &mut reader).into_iter().collect(),
            },
        };
        let secret = |range| self.secret(range, None);
        ranges.into_iter().filter_map(secret).collect()
    }

    /// A value without quotes.
    fn bare(&self, join: Join, reader: &mut Reader<'b>) -> Option<Secret> {
        let until = |reader: &Reader<'b>, ends: &[u8]| reader.until(|byte| byte <= b' ' || ends.contains(&byte));
        let whole = self.begins_line() || self.is_option();
        match join {
            Join::Equals if whole => self.secret(until(reader, b"\"'"), None),
            Join::Equals => self.secret(until(reader, b"&;,\"'<>)]}|\\"), None),
            Join::Argument if reader.byte() == Some(b'-') => None,
            Join::Argument => self.secret(until(reader, b"\"'"), None),
            Join::Colon if self.quote.is_some() => {
                let number = until(reader, b",}])\"'\\");
                let long = number.len() > 3;
                self.secret(number, self.quote).filter(|_| long)
            }
            Join::Colon if self.begins_line() => self.secret(reader.line(), None),
            Join::Colon if self.is_header() => self.secret(reader.until(|byte| b"\n\r\"'\\".contains(&byte)), None),
            Join::Colon => {
                let word = until(reader, b",;}])\"'\\<>");
                let random = self.is_flow() || is_random(self.bytes.get(word.clone()).unwrap_or_default());
                self.secret(word, None).filter(|_| random)
            }
        }
    }

    /// The value beside the name in `{ "name": "...", "value": "..." }`.
    fn pair(&self, end: usize) -> Vec<Secret> {
        static NAME: LazyLock<Option<Regex>> =
            LazyLock::new(|| bytes_regex(r#"(?i)(?:name|key|header)\\*["']?\s*[:=]\s*\\*["']?$"#));
        static VALUE: LazyLock<Option<Regex>> =
            LazyLock::new(|| bytes_regex(r#"^\s*,?\s*\\*["']?(?:(?:raw|string|header)_?)?[Vv]alue\\*["']?\s*[:=]"#));
        let before = self.bytes.get(self.word.start.saturating_sub(40)..self.word.start);
        let after = self.bytes.get(end..self.bytes.len().min(end + 120));
        let (Some(name), Some(value), Some(before), Some(after)) = (NAME.as_ref(), VALUE.as_ref(), before, after)
        else {
            return Vec::new();
        };
        match value.find(after).filter(|_| name.is_match(before)) {
            Some(value) => self.values(Join::Colon, end + value.end()),
            None => Vec::new(),
        }
    }

    /// The secret in a value: of credentials what follows their scheme.
    fn secret(&self, range: Range<usize>, quote: Option<Quote>) -> Option<Secret> {
        let value = self.bytes.get(range.clone())?;
        if value.is_empty() || memchr::memmem::find(value, b"-----BEGIN").is_some() {
            return None;
        }
        let scheme = if self.is_header() { scheme(value) } else { 0 };
        let range = range.start + scheme..range.end;
        Some(Secret { range, quote })
    }

    fn is_header(&self) -> bool {
        let word = self.bytes.get(self.word.clone()).unwrap_or_default();
        let ends = |name: &[u8]| {
            let start = word.len().checked_sub(name.len());
            start.is_some_and(|start| word[start..].eq_ignore_ascii_case(name))
        };
        ends(b"authorization") || ends(b"cookie")
    }

    /// Whether nothing but marks of lists stands before the name on its line.
    fn begins_line(&self) -> bool {
        let before = self.before_on_line();
        let before = before.strip_suffix(b"export ").unwrap_or(before);
        before.iter().all(|byte| b" \t>*<#|+-\"'".contains(byte))
    }

    /// Columns before the name, where only blanks and marks of lists stand there.
    fn indentation(&self) -> Option<usize> {
        self.begins_line().then(|| self.before_on_line().len())
    }

    fn before_on_line(&self) -> &'b [u8] {
        let before = self.bytes.get(..self.word.start).unwrap_or_default();
        let line = memchr::memrchr2(b'\n', 0, before).map_or(0, |at| at + 1);
        before.get(line..).unwrap_or_default()
    }

    /// Whether the name is a key in `{a: b, name: c}`, or begins a quoted text.
    fn is_flow(&self) -> bool {
        let before = self.before_on_line().trim_ascii_end();
        before.last().is_some_and(|byte| b"{,(\"'&?;".contains(byte))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Whether a word among words is more likely a secret than prose: it has letters and digits.
fn is_random(word: &[u8]) -> bool {
    word.len() > 5 && word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic)
}

/// Bytes of the scheme before credentials, such as `Bearer `.
fn scheme(value: &[u8]) -> usize {
    static SCHEME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        bytes_regex(
            r"(?i)^\s*(?:bearer|basic|digest|negotiate|ntlm|token|apikey|hoba|mutual|scram-[a-z0-9-]+|aws4-[a-z0-9-]+|signature) +",
        )
    });
    let found = SCHEME.as_ref().and_then(|scheme| scheme.find(value));
    found.map_or(0, |scheme| scheme.end())
}

/// Where the next item of a YAML list begins, if that is on the next line.
fn next_item(bytes: &[u8], at: usize) -> Option<usize> {
    static ITEM: LazyLock<Option<Regex>> = LazyLock::new(|| bytes_regex(r"^[ \t]*\r?\n[ \t]*- +"));
    let found = ITEM.as_ref()?.find(bytes.get(at..bytes.len().min(at + 200))?)?;
    Some(at + found.end())
}

/// Where the value begins in an object that only holds it, such as `{ "inline_string": "..." }`.
fn holder(bytes: &[u8], at: usize, indentation: Option<usize>) -> Option<usize> {
    static HOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        bytes_regex(
            r#"^(?:\{\s*|\r?\n(?<indentation> +))\\*["']?(?:inline_?(?:string|bytes)|inline(?:String|Bytes)|(?:string_)?value)\\*["']?\s*:"#,
        )
    });
    if !matches!(bytes.get(at)?, b'{' | b'\n' | b'\r') {
        return None;
    }
    let found = HOLDER.as_ref()?.captures(bytes.get(at..bytes.len().min(at + 200))?)?;
    let deeper = |own: usize| found.name("indentation").is_none_or(|there| there.len() > own);
    let whole = found.get(0)?;
    deeper(indentation.unwrap_or(0)).then_some(at + whole.end())
}
