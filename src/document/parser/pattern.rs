//! Regular expressions that parsers are given, compiled once.

use std::ops::Range;

use regex::Regex;

/// The key of rows that no pattern matches; no group may have this name.
pub(super) const UNMATCHED: &str = "unmatched";

/// A regular expression of a parser (syntax of the `regex` crate, which takes time linear in the text).
#[derive(Debug, Clone)]
pub struct Pattern(pub(super) Regex);

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
    /// Compiles a pattern that only has to match.
    ///
    /// # Errors
    /// The first mistake in the pattern, or that it is too large.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if let Err(error) = regex_syntax::Parser::new().parse(text) {
            return Err(mistake(&error, text));
        }
        let compiled = Regex::new(text).map_err(|error| PatternError {
            message: error.to_string(),
            range: 0..text.len(),
        });
        compiled.map(Self)
    }

    /// Compiles a pattern whose named groups become the keys of a row.
    ///
    /// # Errors
    /// As [`Pattern::new`]; also that no group has a name, or one has the name `unmatched`.
    pub fn with_groups(text: &str) -> Result<Self, PatternError> {
        let pattern = Self::new(text)?;
        let names = || pattern.0.capture_names().flatten();
        let (message, range) = if names().next().is_none() {
            ("no group of it has a name, as in `(?<name>...)`", 0..text.len())
        } else if names().any(|name| name == UNMATCHED) {
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
