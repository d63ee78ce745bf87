//! A first look at the text of a query: its words and brackets.
//!
//! It bounds the nesting before a recursive parser sees the text, finds common mistakes with their place and remedy,
//! refuses white space that the grammar of `jsonpath-rust` lets pass, and keeps numbers exact that it would refuse.

use super::PathError;
use std::borrow::Cow;
use std::ops::Range;

/// How deep brackets and parentheses may nest.
const MAX_NESTING: usize = 64;
/// How deep calls of functions may nest: the parser tries each of them several times.
const MAX_CALLS: usize = 6;
/// Digits of the longest integers that the parser reads.
const SAFE_DIGITS: usize = 15;

const FUNCTIONS: [&str; 5] = ["length", "count", "value", "match", "search"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    /// A name, a function, `true`.
    Word,
    Number,
    String,
    Dot,
    DotDot,
    /// Anything else: one character, or one operator of two.
    Sign,
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    range: Range<usize>,
}

/// A query that may be parsed.
#[derive(Debug)]
pub(super) struct Lexed<'t> {
    /// The query, of the same length, with strings in place of long numbers.
    pub(super) text: Cow<'t, str>,
    /// Offsets of the functions called, in order.
    pub(super) calls: Vec<usize>,
    marker: char,
    numbers: Vec<&'t str>,
}

impl<'t> Lexed<'t> {
    /// The long number that a string stands for.
    pub(super) fn number(&self, string: &str) -> Option<&'t str> {
        let index = string.strip_prefix(self.marker)?;
        self.numbers.get(index.parse::<usize>().ok()?).copied()
    }
}

/// Takes a query apart, or says what is wrong with it.
pub(super) fn lex(text: &str) -> Result<Lexed<'_>, PathError> {
    check_start(text)?;
    let tokens = tokens(text)?;
    check_spacing(text, &tokens)?;
    check_nesting(text, &tokens)?;
    let calls = calls(text, &tokens)?;
    check_operators(text, &tokens)?;
    let mut lexed = Lexed {
        text: Cow::Borrowed(text),
        calls,
        marker: '\0',
        numbers: Vec::new(),
    };
    hide_long_numbers(text, &tokens, &mut lexed);
    Ok(lexed)
}

fn check_start(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::new("the path is empty", 0).help("`$` selects the whole document"));
    }
    if !text.starts_with('$') {
        let help = format!("write `$.{}`", text.trim().trim_start_matches('.'));
        return Err(PathError::new("a path begins with `$`", 0).help(help));
    }
    let solid = text.trim_end_matches(is_space).len();
    if solid < text.len() {
        return Err(PathError::new("white space after the end of the path", solid));
    }
    Ok(())
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || !char.is_ascii()
}

fn tokens(text: &str) -> Result<Vec<Token>, PathError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        let after_dot = tokens
            .last()
            .is_some_and(|last| matches!(last.kind, Kind::Dot | Kind::DotDot));
        let (kind, len) = match first {
            '\'' | '"' => (Kind::String, string_len(rest, at)?),
            '.' if rest.starts_with("..") => (Kind::DotDot, 2),
            '.' => (Kind::Dot, 1),
            _ if is_space(first) => (Kind::Space, span_of(rest, is_space)),
            _ if !after_dot && number_len(rest) > 0 => (Kind::Number, number_len(rest)),
            _ if is_word(first) => (Kind::Word, span_of(rest, is_word)),
            _ if ["==", "!=", "<=", ">=", "&&", "||"]
                .iter()
                .any(|sign| rest.starts_with(sign)) =>
            {
                (Kind::Sign, 2)
            }
            _ => (Kind::Sign, first.len_utf8()),
        };
        tokens.push(Token {
            kind,
            range: at..at + len,
        });
        at += len;
    }
    Ok(tokens)
}

fn span_of(text: &str, belongs: fn(char) -> bool) -> usize {
    text.find(|char| !belongs(char)).unwrap_or(text.len())
}

/// The length of the string at the start of this text, quotes included.
fn string_len(text: &str, at: usize) -> Result<usize, PathError> {
    let quote = text.chars().next();
    let mut escaped = false;
    for (offset, char) in text.char_indices().skip(1) {
        match char {
            control if control < ' ' => {
                let message = format!("the control character U+{:04X} in a string", control as u32);
                return Err(PathError::new(message, at + offset).help(format!("write `\\u{:04x}`", control as u32)));
            }
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if Some(char) == quote => return Ok(offset + 1),
            _ => {}
        }
    }
    Err(PathError::new("the string that begins here does not end", at))
}

/// The length of the number at the start of this text; 0 if there is none.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let integer = digits(sign);
    if integer == 0 {
        return 0;
    }
    let mut len = sign + integer;
    if bytes.get(len) == Some(&b'.') && digits(len + 1) > 0 {
        len += 1 + digits(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        if digits(len + 1 + sign) > 0 {
            len += 1 + sign + digits(len + 1 + sign);
        }
    }
    len
}

fn slice<'t>(text: &'t str, token: &Token) -> &'t str {
    text.get(token.range.clone()).unwrap_or_default()
}

fn check_spacing(text: &str, tokens: &[Token]) -> Result<(), PathError> {
    for pair in tokens.windows(2) {
        let [first, second] = pair else { continue };
        let dot = matches!(first.kind, Kind::Dot | Kind::DotDot);
        if dot && second.kind == Kind::Space {
            return Err(PathError::new("white space after a dot", second.range.start));
        }
        if dot && second.kind == Kind::String {
            let help = format!("write `[{}]`", slice(text, second));
            return Err(PathError::new("a quoted name needs brackets", second.range.start).help(help));
        }
    }
    for three in tokens.windows(3) {
        let [first, space, second] = three else { continue };
        let words = |token: &Token| matches!(token.kind, Kind::Word | Kind::Number);
        if space.kind == Kind::Space && words(first) && words(second) {
            return Err(two_words(text, first, second));
        }
    }
    Ok(())
}

fn two_words(text: &str, first: &Token, second: &Token) -> PathError {
    let (one, two) = (slice(text, first), slice(text, second));
    let error = PathError::new(format!("`{two}` cannot follow `{one}`"), second.range.start);
    match two {
        "and" => error.help("write `&&`"),
        "or" => error.help("write `||`"),
        _ => error.help(format!("a name with a space is written `['{one} {two}']`")),
    }
}

fn check_nesting(text: &str, tokens: &[Token]) -> Result<(), PathError> {
    let mut open: Vec<(&str, usize, bool)> = Vec::new();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Sign) {
        let sign = slice(text, token);
        let at = token.range.start;
        match sign {
            "(" | "[" => {
                let call = sign == "(" && index.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(is_name);
                open.push((sign, at, call));
                if open.len() > MAX_NESTING {
                    return Err(PathError::new(
                        format!("brackets are nested more than {MAX_NESTING} deep"),
                        at,
                    ));
                }
                if call && open.iter().filter(|(.., call)| *call).count() > MAX_CALLS {
                    return Err(PathError::new(
                        format!("functions are nested more than {MAX_CALLS} deep"),
                        at,
                    ));
                }
            }
            ")" | "]" => match open.pop() {
                Some(("(", ..)) if sign == ")" => {}
                Some(("[", ..)) if sign == "]" => {}
                Some((other, from, _)) => {
                    return Err(PathError::new(
                        format!("`{sign}` does not close the `{other}` at byte {from}"),
                        at,
                    ));
                }
                None => return Err(PathError::new(format!("`{sign}` closes nothing"), at)),
            },
            _ => {}
        }
    }
    match open.pop() {
        Some((sign, at, _)) => Err(PathError::new(format!("this `{sign}` is never closed"), at)),
        None => Ok(()),
    }
}

fn is_name(token: &Token) -> bool {
    token.kind == Kind::Word
}

/// Where functions are called; each must be one of the RFC's.
fn calls(text: &str, tokens: &[Token]) -> Result<Vec<usize>, PathError> {
    let mut calls = Vec::new();
    for (index, name) in tokens.iter().enumerate().filter(|(_, token)| is_name(token)) {
        let mut after = tokens.iter().skip(index + 1);
        let spaced = tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Space);
        let next = after.find(|token| token.kind != Kind::Space);
        if next.is_none_or(|next| slice(text, next) != "(") {
            continue;
        }
        let (at, called) = (name.range.start, slice(text, name));
        if !FUNCTIONS.contains(&called) {
            let message = format!("JSONPath has no function `{called}`");
            return Err(PathError::new(message, at).help("its functions are length, count, value, match and search"));
        }
        if spaced {
            return Err(PathError::new(
                format!("white space between `{called}` and `(`"),
                name.range.end,
            ));
        }
        calls.push(at);
    }
    Ok(calls)
}

fn check_operators(text: &str, tokens: &[Token]) -> Result<(), PathError> {
    for token in tokens.iter().filter(|token| token.kind == Kind::Sign) {
        let sign = slice(text, token);
        let instead = match sign {
            "=" => {
                "write `==` to compare; for regular expressions there are `match(text, pattern)` and `search(text, pattern)`"
            }
            "&" => "write `&&`",
            "|" => "write `||`",
            "-" => "a minus sign stands directly before a number; a name with a dash is written `['a-b']`",
            "/" => "names with other signs are written `['a/b']`; a regular expression is a string",
            _ => continue,
        };
        return Err(PathError::new(format!("JSONPath has no `{sign}` here"), token.range.start).help(instead));
    }
    Ok(())
}

/// Puts strings in place of numbers whose digits the parser refuses (the RFC limits only indices), where they are
/// compared.
fn hide_long_numbers<'t>(text: &'t str, tokens: &[Token], lexed: &mut Lexed<'t>) {
    let long: Vec<&Token> = tokens
        .iter()
        .enumerate()
        .filter(|(index, token)| is_long(slice(text, token), token) && is_compared(text, tokens, *index))
        .map(|(_, token)| token)
        .collect();
    let lower = text.to_ascii_lowercase();
    let marker = ('\0'..'\u{8}').find(|marker| !lower.contains(&escape(*marker)));
    let (false, Some(marker)) = (long.is_empty(), marker) else {
        return;
    };
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    for token in long {
        hidden.push_str(text.get(at..token.range.start).unwrap_or_default());
        let width = token.range.len() - 2 - escape(marker).len();
        hidden.push_str(&format!("\"{}{:0width$}\"", escape(marker), lexed.numbers.len()));
        lexed.numbers.push(slice(text, token));
        at = token.range.end;
    }
    hidden.push_str(text.get(at..).unwrap_or_default());
    lexed.marker = marker;
    lexed.text = Cow::Owned(hidden);
}

fn escape(marker: char) -> String {
    format!("\\u{:04x}", marker as u32)
}

fn is_long(number: &str, token: &Token) -> bool {
    let digits = number.trim_start_matches('-');
    let integer = span_of(digits, |char| char.is_ascii_digit());
    token.kind == Kind::Number && integer > SAFE_DIGITS && !digits.starts_with('0')
}

/// Whether a comparison stands beside the number, so that it is neither an index nor part of a slice.
fn is_compared(text: &str, tokens: &[Token], index: usize) -> bool {
    let compares = |token: &Token| matches!(slice(text, token), "==" | "!=" | "<" | "<=" | ">" | ">=");
    let solid = |token: &&Token| token.kind != Kind::Space;
    let before = tokens.iter().take(index).rev().find(solid);
    let after = tokens.iter().skip(index + 1).find(solid);
    before.is_some_and(compares) || after.is_some_and(compares)
}
