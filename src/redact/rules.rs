//! What is secret, as rules: names, patterns, paths, and what is none.

use std::sync::{LazyLock, OnceLock};

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use crate::diagnostic::Sources;
use crate::document::{Pattern as Checked, PatternError};
use crate::path::{Path, PathError};
use crate::rulebook::spec::{RedactFileSpec, RedactSpec};
use crate::rulebook::text::Text;

/// Most literals of a pattern that a text is searched for before the pattern is tried.
const MOST_LITERALS: usize = 40;

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
            // Their sizes are known to be right, which a test sees to.
            let spec = RedactFileSpec::read("redaction.yaml", BUILT_IN.to_owned(), &mut Sources::default());
            spec.map(|(spec, _)| Rules::checked(&spec.redact, |_| Ok(())).0)
                .unwrap_or_default()
        });
        &RULES
    }

    /// The rules of a section `redact:`, and what is wrong in it.
    pub fn of(spec: &RedactSpec) -> (Rules, Vec<(&Text, Wrong)>) {
        Rules::checked(spec, |text| Checked::new(text).map(drop))
    }

    /// The rules of a section, each pattern checked so.
    pub(super) fn checked(
        spec: &RedactSpec,
        check: fn(&str) -> Result<(), PatternError>,
    ) -> (Rules, Vec<(&Text, Wrong)>) {
        let mut wrong = Vec::new();
        let mut rules = Rules::default();
        for text in &spec.names {
            match words(text) {
                words if words.is_empty() => wrong.push((text, Wrong::Name)),
                words => rules.names.push(words),
            }
        }
        for text in &spec.patterns {
            match check(text) {
                Ok(()) => rules.patterns.push(Pattern::of(text)),
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
            match check(text) {
                Ok(()) => rules.except.push(text.value.clone()),
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
        Checked::new(text)?;
        Ok(Rules {
            patterns: vec![Pattern::of(text)],
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

/// A pattern of secrets, known to be right. It is compiled when a text first has what every match of it has.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    signs: OnceLock<Vec<Finder<'static>>>,
    compiled: OnceLock<Option<(Regex, usize)>>,
}

impl Pattern {
    fn of(text: &str) -> Pattern {
        Pattern {
            text: text.to_owned(),
            signs: OnceLock::new(),
            compiled: OnceLock::new(),
        }
    }

    /// The places of secrets in `bytes`.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(std::ops::Range<usize>)) {
        let nowhere = |finder: &Finder<'_>| finder.find(bytes).is_none();
        let signs = self.signs.get_or_init(|| signs(&self.text));
        if !signs.is_empty() && signs.iter().all(nowhere) {
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

/// Texts one of which stands in every match of a pattern; none where that is not known.
fn signs(text: &str) -> Vec<Finder<'static>> {
    let Ok(hir) = regex_syntax::parse(text) else {
        return Vec::new();
    };
    let literals = literals(&hir).unwrap_or_default();
    literals
        .iter()
        .map(|literal| Finder::new(literal).into_owned())
        .collect()
}

/// The most telling literals one of which every match has in it: those whose shortest is longest.
fn literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let within = match hir.kind() {
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        HirKind::Alternation(parts) => {
            let of_all: Option<Vec<Vec<Vec<u8>>>> = parts.iter().map(literals).collect();
            of_all
                .map(|of_all| of_all.concat())
                .filter(|texts| texts.len() <= MOST_LITERALS)
        }
        // What may stand before them does not matter.
        HirKind::Concat(parts) => {
            let tails = (1..parts.len()).filter_map(|from| begins(&Hir::concat(parts[from..].to_vec())));
            let each = parts.iter().filter_map(literals);
            tails.chain(each).max_by_key(|texts| shortest(texts))
        }
        _ => None,
    };
    let known = [begins(hir), within].into_iter().flatten();
    known.max_by_key(|texts| shortest(texts))
}

/// The literals one of which every match begins with.
fn begins(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let found = Extractor::new().extract(hir);
    let texts = found.literals()?.iter().map(|literal| literal.as_bytes().to_vec());
    let texts: Vec<Vec<u8>> = texts.collect();
    (shortest(&texts) > 0 && texts.len() <= MOST_LITERALS).then_some(texts)
}

/// The length of the shortest, 0 where there is none.
fn shortest(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
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
        assert!(rules.patterns.iter().all(|pattern| !signs(&pattern.text).is_empty()));
        assert!(rules.names.len() > 30 && rules.patterns.len() > 40 && rules.paths.len() > 5);
    }

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in ["apiKey", "api-key", "API_KEY", "Api.Key"] {
            assert_eq!(words(name), ["api", "key"], "{name}");
        }
    }

    #[test]
    fn patterns_know_what_their_matches_have() {
        let known = |text| -> Vec<Vec<u8>> { signs(text).iter().map(|sign| sign.needle().to_vec()).collect() };
        assert_eq!(known(r"\bghp_[a-z]+"), [b"ghp_"]);
        assert_eq!(known(r"\b[Bb]earer x").len(), 2);
        assert_eq!(known(r"[a-z]{1,9}://(?<secret>(?:[^@]+-key)+)@"), [b"-key"]);
        assert_eq!(known(r"\d+(?:://)?(?:a|bc)"), [&b"a"[..], b"bc"]);
        assert_eq!(
            known(r"(?:^|\s)(?:-u|--user)[ =](\S+)"),
            [&b"-u "[..], b"-u=", b"--user ", b"--user="]
        );
        assert_eq!(known(r"\b[A-Z]+(?:LONGER|OTHER)x*"), [&b"LONGER"[..], b"OTHER"]);
        assert_eq!(known(r"\d+(?:://)?(?:a|[a-z]+)"), Vec::<Vec<u8>>::new());
    }
}
