//! Text for people: safe to print, wrapped, cut to width, and commands quoted for a shell.

use std::borrow::Cow;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthChar;

/// Whether a terminal would obey or hide this character instead of showing it
///
/// Controls, the marks and overrides of text direction, and what has no width at all.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Makes hidden characters visible; a tab becomes blanks. Without unicode, our sign for cuts becomes dots.
pub(super) fn visible(text: &str, unicode: bool) -> Cow<'_, str> {
    let dots = |c: char| c == '…' && !unicode;
    if !text.contains(|c| is_hidden(c) || dots(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => shown.push_str("    "),
            c if is_hidden(c) => push_symbol(&mut shown, c, unicode),
            c if dots(c) => shown.push_str(ellipsis(false)),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Like [`visible`], and keeps line feeds
pub(super) fn visible_lines(text: &str, unicode: bool) -> String {
    let lines: Vec<_> = text.lines().map(|line| visible(line, unicode)).collect();
    lines.join("\n")
}

fn push_symbol(shown: &mut String, c: char, unicode: bool) {
    match u32::from(c) {
        code @ 0..0x20 if unicode => shown.extend(char::from_u32(0x2400 + code)),
        0x7f if unicode => shown.push('\u{2421}'),
        code @ 0..0x20 => shown.extend(['^', char::from(code as u8 + b'@')]),
        code => shown.push_str(&format!("<U+{code:04X}>")),
    }
}

/// Columns that a character takes
pub(super) fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Columns that a text takes
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The mark for what was left out
pub(super) fn ellipsis(unicode: bool) -> &'static str {
    if unicode { "…" } else { "..." }
}

/// The longest beginning of a text within so many columns (and four times as many characters)
pub(super) fn head(text: &str, columns: usize) -> &str {
    let end = end_within(text.char_indices(), columns);
    end.map_or(text, |at| &text[..at])
}

/// The longest end of a text within so many columns (and four times as many characters)
pub(super) fn tail(text: &str, columns: usize) -> &str {
    let start = end_within(text.char_indices().rev(), columns);
    start.map_or(text, |at| {
        &text[at + text[at..].chars().next().map_or(0, char::len_utf8)..]
    })
}

/// Offset of the first character that no longer fits
fn end_within(chars: impl Iterator<Item = (usize, char)>, columns: usize) -> Option<usize> {
    let mut left = columns;
    for (count, (at, c)) in chars.enumerate() {
        if char_width(c) > left || count >= columns * 4 {
            return Some(at);
        }
        left -= char_width(c);
    }
    None
}

/// Cuts the end off a text that is too wide
pub(super) fn cut_end(text: &str, columns: usize, unicode: bool) -> Cow<'_, str> {
    if head(text, columns).len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mark = ellipsis(unicode);
    Cow::Owned(format!("{}{mark}", head(text, columns.saturating_sub(width(mark)))))
}

/// Cuts the beginning off a text that is too wide
pub(super) fn cut_start(text: &str, columns: usize, unicode: bool) -> Cow<'_, str> {
    if tail(text, columns).len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mark = ellipsis(unicode);
    Cow::Owned(format!("{mark}{}", tail(text, columns.saturating_sub(width(mark)))))
}

/// Wraps a text at blanks; a word that is wider than a line is broken
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let options = Options::new(columns.max(1))
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).into_iter().map(Cow::into_owned).collect()
}

/// An argument list as lines that a shell reads as one command
///
/// A command that is too wide goes on in the next line, after a backslash. Words are never cut.
pub(super) fn command_lines(argv: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in argv.iter().map(|word| shell_word(word)) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) + 2 <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("  {word}"));
            }
            None => lines.push(word),
        }
    }
    lines
}

/// Quotes a word for a POSIX shell where it needs it; `<name>`, which the reader is to fill in, stays as it is
pub fn shell_word(word: &str) -> String {
    if word.contains(is_hidden) {
        return ansi_c_word(word);
    }
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"@%_+=:,./-".contains(&b))
    };
    if !word.is_empty() && plain(&without_placeholders(word)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn without_placeholders(word: &str) -> String {
    let mut rest = word;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else {
            break;
        };
        if name.is_empty()
            || !name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            break;
        }
        kept.push_str(before);
        rest = after;
    }
    kept + rest
}

/// Quotes a word with hidden characters as `$'...'`, so that it can be printed and copied
fn ansi_c_word(word: &str) -> String {
    let mut quoted = String::from("$'");
    for c in word.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    quoted.push_str(&format!("\\x{byte:02x}"));
                }
            }
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(visible("a\u{1b}[31mb\u{7f}\u{202e}c", true), "a␛[31mb␡<U+202E>c");
        assert_eq!(visible("a\u{1b}[31m\u{9b}", false), "a^[[31m<U+009B>");
        assert_eq!(visible("a\tb", true), "a    b");
        assert_eq!(visible_lines("a\r\nb\rc\n", true), "a\nb␍c");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(shell_word("--zone=<zone>"), "--zone=<zone>");
        assert_eq!(shell_word("a <zone> b"), "'a <zone> b'");
        assert_eq!(shell_word("<a;b>"), "'<a;b>'");
        assert_eq!(shell_word("<"), "'<'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word("a\u{1b}\n'"), r"$'a\x1b\n\''");
    }

    #[test]
    fn long_commands_go_on_after_a_backslash() {
        let argv = ["shopctl", "get", "stores", "--all-countries"].map(String::from);
        assert_eq!(command_lines(&argv, 24), ["shopctl get stores \\", "  --all-countries"]);
        assert_eq!(command_lines(&argv, 80), ["shopctl get stores --all-countries"]);
    }

    #[test]
    fn texts_are_cut_to_width() {
        assert_eq!(cut_end("abcdef", 4, true), "abc…");
        assert_eq!(cut_start("abcdef", 4, true), "…def");
        assert_eq!(cut_start("abcdef", 6, false), "abcdef");
        assert_eq!(cut_end("日本語", 5, true), "日本…");
    }

    proptest! {
        #[test]
        fn cutting_and_wrapping_hold_the_width(text in "\\PC*", columns in 1usize..60) {
            prop_assert!(width(head(&text, columns)) <= columns);
            prop_assert!(width(tail(&text, columns)) <= columns);
            prop_assert!(!visible(&text, true).contains(is_hidden));
            wrap(&text, columns);
        }
    }
}
