//! Regular expressions that rulebooks give.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex};
use regex_syntax::hir::{Class, Hir, HirKind};

/// The key of rows that no pattern matches; no group may have this name.
pub(super) const UNMATCHED: &str = "unmatched";

/// Greatest weight of a pattern that is trusted to stay far below the limit of what may be compiled.
const SURELY_SMALL: usize = 5_000;

/// A regular expression (syntax of the `regex` crate, which takes time linear in the text), checked when it is made and compiled when it is
/// first used: a run uses few of the patterns of its rulebooks.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong with it.
    pub message: String,
    /// Which bytes of it are at fault.
    pub range: Range<usize>,
}

impl Pattern {
    /// A pattern that only has to match.
    ///
    /// # Errors
    /// The first mistake in the pattern, or that it is too large.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        Self::checked(text).map(|(pattern, _)| pattern)
    }

    fn checked(text: &str) -> Result<(Self, Hir), PatternError> {
        let parsed = regex_syntax::Parser::new()
            .parse(text)
            .map_err(|error| mistake(&error, text))?;
        let pattern = Self::trusted(text);
        if weight(&parsed) > SURELY_SMALL {
            let regex = Regex::new(text).map_err(|error| PatternError {
                message: error.to_string(),
                range: 0..text.len(),
            })?;
            // It is the first to be set.
            let _ = pattern.compiled.set(regex);
        }
        Ok((pattern, parsed))
    }

    /// A pattern that is known to be right, of whatever size and for whatever use.
    pub fn trusted(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            compiled: OnceLock::new(),
        }
    }

    /// A pattern whose named groups become the keys of a row.
    ///
    /// # Errors
    /// As [`Pattern::new`]; also that no group has a name, or one has the name `unmatched`.
    pub fn with_groups(text: &str) -> Result<Self, PatternError> {
        let (pattern, parsed) = Self::checked(text)?;
        let mut names = Vec::new();
        add_names(&parsed, &mut names);
        let (message, range) = if names.is_empty() {
            ("no group of it has a name, as in `(?<name>...)`", 0..text.len())
        } else if names.contains(&UNMATCHED) {
            let at = text.find("<unmatched>").map_or(0, |at| at + 1);
            (
                "`unmatched` is the key of rows that no pattern matches",
                at..at + UNMATCHED.len(),
            )
        } else {
            return Ok(pattern);
        };
        let message = message.to_owned();
        Err(PatternError { message, range })
    }

    /// The names of its groups, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.regex().capture_names().flatten()
    }

    /// The groups of the first match in a text.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex().captures(text)
    }

    /// Whether it matches anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex().is_match(text)
    }

    pub(super) fn regex(&self) -> &Regex {
        // Only a large pattern could fail here, and such are compiled when they are made; none may bring the run down.
        let nothing = || Regex::new(r"[^\s\S]").expect("it is a constant");
        self.compiled
            .get_or_init(|| Regex::new(&self.text).unwrap_or_else(|_| nothing()))
    }
}

/// About how much a pattern grows to: its parts, times how often they are repeated.
fn weight(part: &Hir) -> usize {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(1),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            weight(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(weight).fold(1, usize::saturating_add),
    }
}

fn add_names<'h>(part: &'h Hir, names: &mut Vec<&'h str>) {
    match part.kind() {
        HirKind::Capture(capture) => {
            names.extend(capture.name.as_deref());
            add_names(&capture.sub, names);
        }
        HirKind::Repetition(repetition) => add_names(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| add_names(part, names)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn mistake(error: &regex_syntax::Error, text: &str) -> PatternError {
    let (message, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
        other => (other.to_string(), None),
    };
    PatternError {
        message,
        range: span.map_or(0..text.len(), |span| span.start.offset..span.end.offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_located() {
        let error = Pattern::new("^(?<a>x)(y").unwrap_err();
        assert_eq!((error.message.as_str(), error.range), ("unclosed group", 8..9));
        assert_eq!(Pattern::new(r"a\p{Nope}").unwrap_err().range, 1..9);
        assert_eq!(Pattern::new("(?:a{1000}){1000}").unwrap_err().range, 0..17);
        assert_eq!(Pattern::with_groups("(x)").unwrap_err().range, 0..3);
        assert_eq!(Pattern::with_groups("(?<unmatched>x)").unwrap_err().range, 3..12);
        assert!(Pattern::with_groups("(?<a>x)").is_ok());
    }
}
