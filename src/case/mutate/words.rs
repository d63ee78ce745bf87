//! The words of a script, with the bytes that they stand at: as much of its grammar as mutants need.

use std::ops::Range;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A number.
    Number,
    /// A string in any quotes; code inside of it is no word of its own.
    Text,
    /// A name or a keyword.
    Name,
    /// An operator or another sign.
    Sign,
    /// The parameters of a closure, with their bars.
    Parameters,
}

/// A word of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What it is.
    pub(super) sort: Sort,
    /// Where it stands.
    pub(super) range: Range<usize>,
}

/// Signs of several characters, the longer before those that they begin with.
const SIGNS: &[&str] = &[
    "..=", "<<=", ">>=", "**=", "&&", "||", "==", "!=", "<=", ">=", "=>", "->", "::", "??", "?.", "?[", "..", "#{",
    "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<", ">>", "**",
];

/// Takes a script apart. What cannot be read as a word is a sign of its own, so that nothing is lost.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (sort, length) = match blank(rest) {
            Some(length) => {
                at += length;
                continue;
            }
            None => word(rest, words.last().is_some_and(|last| ends_operand(text, last))),
        };
        words.push(Word {
            sort,
            range: at..at + length,
        });
        at += length;
    }
    words
}

/// Whether an operator may follow: the word before ends a value.
fn ends_operand(text: &str, word: &Word) -> bool {
    let written = text.get(word.range.clone()).unwrap_or_default();
    match word.sort {
        Sort::Number | Sort::Text => true,
        Sort::Name => !matches!(written, "return" | "in" | "if" | "else" | "while" | "let"),
        Sort::Sign => matches!(written, ")" | "]" | "}"),
        Sort::Parameters => false,
    }
}

/// The length of blanks or a comment at the start of a text.
fn blank(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if let Some(inside) = text.strip_prefix("/*") {
        return Some(inside.find("*/").map_or(text.len(), |end| end + 4));
    }
    let blanks = text.len() - text.trim_start().len();
    (blanks > 0).then_some(blanks)
}

fn word(text: &str, after_operand: bool) -> (Sort, usize) {
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '"' | '\'' => (Sort::Text, quoted(text, first)),
        '`' => (Sort::Text, back_ticked(text)),
        '|' if !after_operand => (Sort::Parameters, parameters(text)),
        first if first.is_ascii_digit() => (Sort::Number, number(text)),
        first if first == '_' || first.is_alphabetic() => {
            let end = text.find(|char: char| char != '_' && !char.is_alphanumeric());
            (Sort::Name, end.unwrap_or(text.len()))
        }
        first => {
            let sign = SIGNS.iter().find(|sign| text.starts_with(**sign));
            (Sort::Sign, sign.map_or(first.len_utf8(), |sign| sign.len()))
        }
    }
}

/// The length of a number: `1..5` is two of them.
fn number(text: &str) -> usize {
    let digits = |text: &str| {
        text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
            .unwrap_or(text.len())
    };
    let whole = digits(text);
    match text.get(whole..).and_then(|rest| rest.strip_prefix('.')) {
        Some(rest) if rest.starts_with(|char: char| char.is_ascii_digit()) => whole + 1 + digits(rest),
        _ => whole,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            char if char == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A string with code in it: the braces of the code are counted, and its strings skipped.
fn back_ticked(text: &str) -> usize {
    let (mut at, mut depth) = (1, 0usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        at += match first {
            '`' if depth == 0 => return at + 1,
            '$' if depth == 0 && rest.starts_with("${") => {
                depth = 1;
                2
            }
            '{' if depth > 0 => {
                depth += 1;
                1
            }
            '}' if depth > 0 => {
                depth -= 1;
                1
            }
            '"' | '\'' if depth > 0 => quoted(rest, first),
            '`' => back_ticked(rest),
            first => first.len_utf8(),
        };
    }
    text.len()
}

fn parameters(text: &str) -> usize {
    text.char_indices()
        .skip(1)
        .find(|(_, char)| *char == '|')
        .map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|word| &text[word.range]).collect()
    }

    #[test]
    fn words_are_told_apart() {
        assert_eq!(
            written("a.b<=1.5 && !(x::f(c)) // no\n|| 0..3"),
            [
                "a", ".", "b", "<=", "1.5", "&&", "!", "(", "x", "::", "f", "(", "c", ")", ")", "||", "0", "..", "3"
            ]
        );
        assert_eq!(
            written(r#"xs.some(|a, b| a == "q\"|" || b /* no */ != 'c')"#),
            [
                "xs",
                ".",
                "some",
                "(",
                "|a, b|",
                "a",
                "==",
                r#""q\"|""#,
                "||",
                "b",
                "!=",
                "'c'",
                ")"
            ]
        );
        assert_eq!(
            written("`a ${b + \"}\" + `c`} d` + #{e: ||1}"),
            ["`a ${b + \"}\" + `c`} d`", "+", "#{", "e", ":", "||", "1", "}"]
        );
    }

    #[test]
    fn no_text_is_too_broken() {
        for text in ["\"", "`${", "|a", "/*", "é§", "1.", "'\\"] {
            let words = words(text);
            assert!(
                words.iter().all(|word| text.get(word.range.clone()).is_some()),
                "{text}"
            );
        }
    }
}
