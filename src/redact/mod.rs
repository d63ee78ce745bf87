//! Redaction: secrets are taken out of evidence before it is written or shown, and a token is left in their place.
//!
//! - What is secret is data: the rules of `redaction.yaml`, of rulebooks and of the user ([`Rules`]). By names (`names`), by patterns, and in
//!   JSON and YAML by JSONPaths (`documents`).
//! - Texts are searched as bytes: whole or cut, of any format, or of none. All patterns take time linear in the text.
//! - Equal secrets of one capture become equal tokens, `REDACTED-0123456789ab`; nobody can guess back from them, since their key is thrown
//!   away ([`Key`]).
//! - What is around a secret stays: JSON stays JSON, YAML stays YAML, and what stood on line 100 stands there still.

mod documents;
mod file;
mod key;
mod names;
mod rules;
mod value;
mod veil;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::document::Document;
use names::{Names, Secret};

pub use key::{Key, holds_token, is_token, may_be};
pub use rules::{Rules, Wrong};
pub use veil::Veil;

/// Finds secrets and exchanges them for tokens.
#[derive(Debug)]
pub struct Redactor {
    /// Reports have none: equal ones are to have equal bytes.
    key: Option<Key>,
    rules: Rules,
    names: Option<Names>,
    except: OnceLock<RegexSet>,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text, with tokens.
    pub bytes: Vec<u8>,
    /// How many secrets were exchanged.
    pub count: u64,
}

impl Redactor {
    /// A redactor with the rules that casebook brings, and more.
    pub fn new(key: Key, more: &Rules) -> Redactor {
        Redactor::with(Some(key), more)
    }

    /// A redactor for reports on evidence that nobody has redacted: all its tokens are `REDACTED`.
    pub fn for_reports(more: &Rules) -> Redactor {
        Redactor::with(None, more)
    }

    /// The redactor for reports that only knows what casebook brings.
    pub fn of_reports() -> &'static Redactor {
        static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::for_reports(&Rules::default()));
        &REDACTOR
    }

    /// Does now what its first search would have to do: to find out by what each pattern is known, and to compile others.
    pub fn warm_up(&self) {
        self.places(b"name: token");
    }

    fn with(key: Option<Key>, more: &Rules) -> Redactor {
        let mut rules = Rules::built_in().clone();
        rules.add(more);
        Redactor {
            key,
            names: Names::new(&rules.names),
            except: OnceLock::new(),
            rules,
        }
    }

    /// What is no secret, whatever its name; compiled when something first looks like one.
    fn except(&self) -> &RegexSet {
        self.except.get_or_init(|| {
            let whole = |except: &String| format!("^(?:{except})$");
            let except: Vec<String> = self.rules.except.iter().map(whole).collect();
            let of_bytes = RegexSetBuilder::new(&except).unicode(false).build();
            of_bytes
                .or_else(|_| RegexSet::new(&except))
                .unwrap_or_else(|_| RegexSet::empty())
        })
    }

    /// The same bytes with tokens in place of secrets; nothing where there are none.
    pub fn redact(&self, bytes: &[u8]) -> Option<Redacted> {
        match utf_16(bytes) {
            Some(text) => self.exchange(text.as_bytes()),
            None => self.exchange(bytes),
        }
    }

    /// The same text with tokens in place of secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.exchange(text.as_bytes()) {
            None => Cow::Borrowed(text),
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted.bytes).into_owned()),
        }
    }

    /// The places of secrets in a text, in their order, none within another.
    pub fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.secrets(bytes).into_iter().map(|secret| secret.range).collect()
    }

    /// The places of secrets that the paths of the rules lead to, in their order.
    pub fn places_in(&self, document: &Document) -> Vec<Range<usize>> {
        let mut secrets = Vec::new();
        documents::find_in(&self.rules.paths, document, &mut secrets);
        let secrets = self.kept(document.text().as_bytes(), secrets);
        secrets.into_iter().map(|secret| secret.range).collect()
    }

    /// What stands in place of a secret.
    fn token(&self, secret: &[u8]) -> Cow<'static, str> {
        match &self.key {
            Some(key) => Cow::Owned(key.token(secret)),
            None => Cow::Borrowed("REDACTED"),
        }
    }

    fn exchange(&self, bytes: &[u8]) -> Option<Redacted> {
        let secrets = self.secrets(bytes);
        if secrets.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut kept = 0;
        for Secret { range, quote } in &secrets {
            let secret = bytes.get(range.clone()).unwrap_or_default();
            out.extend_from_slice(bytes.get(kept..range.start).unwrap_or_default());
            let write = |out: &mut Vec<u8>| quote.iter().for_each(|quote| quote.write(out));
            write(&mut out);
            out.extend_from_slice(self.token(secret).as_bytes());
            write(&mut out);
            // What follows stays on its line.
            out.extend(memchr::memchr_iter(b'\n', secret).map(|_| b'\n'));
            kept = range.end;
        }
        out.extend_from_slice(bytes.get(kept..).unwrap_or_default());
        Some(Redacted {
            bytes: out,
            count: secrets.len() as u64,
        })
    }

    fn secrets(&self, bytes: &[u8]) -> Vec<Secret> {
        let mut secrets = Vec::new();
        if let Some(names) = &self.names {
            names.find(bytes, |secret| secrets.push(secret));
        }
        for pattern in &self.rules.patterns {
            pattern.find(bytes, |range| secrets.push(Secret { range, quote: None }));
        }
        documents::find(&self.rules.paths, bytes, &mut secrets);
        self.kept(bytes, secrets)
    }

    /// Of what may be secrets those that are, in their order, none within another.
    fn kept(&self, bytes: &[u8], secrets: Vec<Secret>) -> Vec<Secret> {
        let mut secrets: Vec<Secret> = secrets
            .into_iter()
            .filter_map(|secret| trimmed(bytes, secret))
            .filter(|secret| self.is_secret(bytes.get(secret.range.clone()).unwrap_or_default()))
            .collect();
        secrets.sort_by_key(|secret| (secret.range.start, std::cmp::Reverse(secret.range.end)));
        merged(secrets)
    }

    fn is_secret(&self, value: &[u8]) -> bool {
        !self.except().is_match(value) && !std::str::from_utf8(value).is_ok_and(holds_token)
    }
}

/// The secret without blanks and line ends around it, cut at whole characters.
fn trimmed(bytes: &[u8], mut secret: Secret) -> Option<Secret> {
    let blank = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
    let escape = |at: usize| bytes.get(at) == Some(&b'\\') && matches!(bytes.get(at + 1), Some(b'n' | b'r' | b't'));
    let Range { start, end } = &mut secret.range;
    while start < end && (blank(*start) || escape(*start)) {
        *start += if blank(*start) { 1 } else { 2 };
    }
    while start < end && (blank(*end - 1) || *end > *start + 1 && escape(*end - 2)) {
        *end -= if blank(*end - 1) { 1 } else { 2 };
    }
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    while *start > 0 && continues(*start) {
        *start -= 1;
    }
    while continues(*end) {
        *end += 1;
    }
    (*start < *end).then_some(secret)
}

/// Secrets that overlap are one.
fn merged(sorted: Vec<Secret>) -> Vec<Secret> {
    let mut merged: Vec<Secret> = Vec::with_capacity(sorted.len());
    for secret in sorted {
        match merged.last_mut() {
            Some(last) if secret.range.start < last.range.end => {
                if secret.range.end > last.range.end {
                    last.range.end = secret.range.end;
                    last.quote = None;
                }
            }
            _ => merged.push(secret),
        }
    }
    merged
}

/// A text of UTF-16, which begins with a mark that nothing else begins with.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let (unit, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests;
