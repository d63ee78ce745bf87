//! Regular expressions of `match` and `search`: I-Regexp (RFC 9485), read leniently.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take: patterns come from rulebooks and from evidence.
const MAX_BYTES: usize = 1 << 20;

/// A pattern with what it was compiled to. What cannot be read matches nothing.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    whole: bool,
    compiled: OnceLock<Result<Regex, String>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.whole == other.whole
    }
}

impl Pattern {
    /// A pattern, compiled when first used, that must match the whole text, or any part of it.
    pub(super) fn new(text: &str, whole: bool) -> Self {
        Self {
            text: text.to_owned(),
            whole,
            compiled: OnceLock::new(),
        }
    }

    fn compiled(&self) -> &Result<Regex, String> {
        self.compiled.get_or_init(|| compile(&self.text, self.whole))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Why it cannot be read.
    pub(super) fn problem(&self) -> Option<&str> {
        self.compiled().as_ref().err().map(String::as_str)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.compiled().as_ref().is_ok_and(|regex| regex.is_match(text))
    }
}

fn compile(text: &str, whole: bool) -> Result<Regex, String> {
    let translated = translate(text);
    // First alone: `a)|(b` must not become valid by what is put around it.
    let alone = build(&translated)?;
    if whole {
        build(&format!(r"\A(?:{translated})\z"))
    } else {
        Ok(alone)
    }
}

fn build(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_BYTES)
        .nest_limit(64)
        .build()
        .map_err(|error| error.to_string())
}

/// RFC 9485, 5.4: a dot outside a class matches no line break. In classes, what the `regex` crate would take for an
/// operation on sets is escaped.
fn translate(text: &str) -> String {
    let mut regex = String::with_capacity(text.len() + 16);
    let mut in_class = false;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                regex.push('\\');
                regex.extend(chars.next());
                continue;
            }
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                regex.push_str(r"[^\n\r]");
                continue;
            }
            '&' | '~' | '[' if in_class => regex.push('\\'),
            _ => {}
        }
        regex.push(char);
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, whole: bool, text: &str) -> bool {
        Pattern::new(pattern, whole).matches(text)
    }

    #[test]
    fn a_dot_is_no_line_break() {
        assert!(!matches("a.b", true, "a\nb") && !matches("a.b", false, "a\rb"));
        assert!(matches("a.b", true, "a\u{2028}b") && matches(r"a\.b", true, "a.b") && matches("a[.]b", true, "a.b"));
        assert!(!matches("a[.]b", true, "axb"));
    }

    #[test]
    fn the_whole_text_or_a_part() {
        assert!(matches("b|ab", true, "ab") && !matches("b", true, "ab") && matches("b", false, "abc"));
        assert!(!matches("a", true, "a\n"));
    }

    #[test]
    fn classes_know_no_set_operations() {
        assert!(matches("[a&&b]", true, "&") && matches("[a&&b]", true, "a"));
        assert!(matches("[~~]", true, "~"));
    }

    #[test]
    fn what_cannot_be_read_matches_nothing_and_says_why() {
        for pattern in ["a)|(b", "(", "[", "a{99999}{99999}", "(?=a)"] {
            let pattern = Pattern::new(pattern, true);
            assert!(
                pattern.problem().is_some() && !pattern.matches("a"),
                "{}",
                pattern.text()
            );
        }
    }
}
