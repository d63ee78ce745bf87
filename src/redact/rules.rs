//! What is secret, as rules: names, patterns, paths, and what is none.

use std::sync::{LazyLock, OnceLock};

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;

use crate::diagnostic::Sources;
use crate::document::{Pattern as Checked, PatternError};
use crate::path::{Path, PathError};
use crate::rulebook::spec::RedactSpec;
use crate::rulebook::text::Text;

/// Most literals of a pattern that a text is searched for before the pattern is tried.
const MOST_LITERALS: usize = 8;

/// The group of a pattern that holds the secret.
const GROUP: &str = "secret";

/// The rules that casebook brings.
const BUILT_IN: &str = include_str!("../../redaction.yaml");

/// Rules by which secrets are found.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Names whose values are secrets: their words.
    pub(super) names: Vec<Vec<String>>,
    /// Patterns of secrets.
    pub(super) patterns: Vec<Pattern>,
    /// Places of secrets in documents.
    pub(super) paths: Vec<Place>,
    /// Patterns of whole values that are no secrets.
    pub(super) except: Vec<String>,
}

/// What is wrong with a rule.
#[derive(Debug)]
pub enum Wrong {
    /// No regular expression.
    Pattern(PatternError),
    /// No JSONPath.
    Path(PathError),
    /// Not a name.
    Name,
}

impl Rules {
    /// The rules that casebook brings.
    pub fn built_in() -> &'static Rules {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            Rules::read("redaction.yaml", BUILT_IN.to_owned(), &mut Sources::default()).unwrap_or_default()
        });
        &RULES
    }

    /// The rules of a section `redact:`, and what is wrong in it.
    pub fn of(spec: &RedactSpec) -> (Rules, Vec<(&Text, Wrong)>) {
        let mut wrong = Vec::new();
        let mut rules = Rules::default();
        for text in &spec.names {
            match words(text) {
                words if words.is_empty() => wrong.push((text, Wrong::Name)),
                words => rules.names.push(words),
            }
        }
        for text in &spec.patterns {
            match Pattern::new(text) {
                Ok(pattern) => rules.patterns.push(pattern),
                Err(error) => wrong.push((text, Wrong::Pattern(error))),
            }
        }
        for text in &spec.paths {
            match Path::parse(text) {
                Ok(path) => rules.paths.push(Place::new(path)),
                Err(error) => wrong.push((text, Wrong::Path(error))),
            }
        }
        for text in &spec.except {
            match Checked::new(text) {
                Ok(_) => rules.except.push(text.value.clone()),
                Err(error) => wrong.push((text, Wrong::Pattern(error))),
            }
        }
        (rules, wrong)
    }

    /// One pattern of the user's.
    ///
    /// # Errors
    /// Where it is no regular expression.
    pub fn pattern(text: &str) -> Result<Rules, PatternError> {
        Ok(Rules {
            patterns: vec![Pattern::new(text)?],
            ..Rules::default()
        })
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty() && self.paths.is_empty() && self.except.is_empty()
    }

    /// Adds the rules of others.
    pub fn add(&mut self, other: &Rules) {
        self.names.extend_from_slice(&other.names);
        self.patterns.extend_from_slice(&other.patterns);
        self.paths.extend_from_slice(&other.paths);
        self.except.extend_from_slice(&other.except);
    }
}

/// A pattern of secrets. It is compiled when a text first has one of the literals that it begins with.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    begins: OnceLock<Vec<Finder<'static>>>,
    compiled: OnceLock<Option<(Regex, usize)>>,
}

impl Pattern {
    /// Checked, and not yet compiled.
    fn new(text: &str) -> Result<Pattern, PatternError> {
        Checked::new(text)?;
        Ok(Pattern {
            text: text.to_owned(),
            begins: OnceLock::new(),
            compiled: OnceLock::new(),
        })
    }

    /// The places of secrets in `bytes`.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(std::ops::Range<usize>)) {
        let nowhere = |finder: &Finder<'_>| finder.find(bytes).is_none();
        let begins = self.begins.get_or_init(|| begins(&self.text));
        if !begins.is_empty() && begins.iter().all(nowhere) {
            return;
        }
        let compiled = self.compiled.get_or_init(|| {
            let regex = bytes_regex(&self.text)?;
            let group = regex.capture_names().position(|name| name == Some(GROUP));
            Some((regex, group.unwrap_or(0)))
        });
        let Some((regex, group)) = compiled else { return };
        if *group == 0 {
            return regex.find_iter(bytes).for_each(|m| found(m.range()));
        }
        for captures in regex.captures_iter(bytes) {
            if let Some(secret) = captures.get(*group) {
                found(secret.range());
            }
        }
    }
}

/// A regular expression over bytes that may be no text. Those of bytes are made many times faster than those of characters, which few need.
pub(super) fn bytes_regex(text: &str) -> Option<Regex> {
    let of_bytes = RegexBuilder::new(text).unicode(false).build();
    of_bytes.or_else(|_| Regex::new(text)).ok()
}

/// Literals one of which every match of a pattern begins with; none where that is not known.
fn begins(text: &str) -> Vec<Finder<'static>> {
    let Ok(hir) = regex_syntax::parse(text) else {
        return Vec::new();
    };
    let mut literals = Extractor::new().extract(&hir);
    literals.minimize_by_preference();
    match literals.literals() {
        Some(literals)
            if literals.len() <= MOST_LITERALS && literals.iter().all(|literal| literal.as_bytes().len() > 2) =>
        {
            let owned = literals
                .iter()
                .map(|literal| Finder::new(literal.as_bytes()).into_owned());
            owned.collect()
        }
        _ => Vec::new(),
    }
}

/// A place of secrets in documents.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: Path,
    /// Its words: a text that lacks one is not parsed.
    pub(super) words: Vec<Finder<'static>>,
}

impl Place {
    fn new(path: Path) -> Place {
        let text = path.text().to_owned();
        let words = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .filter(|word| word.len() > 2);
        let words = words.map(|word| Finder::new(word).into_owned()).collect();
        Place { path, words }
    }

    /// Whether all its words are there.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        self.words.iter().all(|word| word.find(bytes).is_some())
    }
}

/// The words of a name, in small letters: `apiKey`, `api-key` and `API_KEY` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        let begins = c.is_uppercase() && small;
        small = c.is_lowercase() || c.is_ascii_digit();
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_sound() {
        let rules = Rules::read("redaction.yaml", BUILT_IN.to_owned(), &mut Sources::default()).unwrap();
        assert!(
            rules
                .patterns
                .iter()
                .all(|pattern| bytes_regex(&pattern.text).is_some())
        );
        assert!(rules.names.len() > 30 && rules.patterns.len() > 40 && rules.paths.len() > 5);
    }

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in ["apiKey", "api-key", "API_KEY", "Api.Key"] {
            assert_eq!(words(name), ["api", "key"], "{name}");
        }
    }

    #[test]
    fn patterns_know_how_their_matches_begin() {
        assert_eq!(begins(r"\bghp_[a-z]+").len(), 1);
        assert_eq!(begins(r"\b[Bb]earer x").len(), 2);
        assert_eq!(begins(r"\d+:x").len(), 0);
    }
}
