//! Texts with `${expression}` in them.

use std::ops::Range;

/// A part of a template, as bytes of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that stays as it is.
    Text(Range<usize>),
    /// What stands between `${` and `}`.
    Code(Range<usize>),
}

/// Takes a template apart; the error is the place of a `${` that nothing closes.
pub(super) fn split(text: &str) -> Result<Vec<Part>, Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        let code = open + 2;
        let end = code_end(text, code).ok_or(open..code)?;
        if open > at {
            parts.push(Part::Text(at..open));
        }
        parts.push(Part::Code(code..end));
        at = end + 1;
    }
    if at < text.len() {
        parts.push(Part::Text(at..text.len()));
    }
    Ok(parts)
}

/// The place of the `}` that closes the code which begins at `start`.
fn code_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match bytes.get(at)? {
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'{' => depth += 1,
            quote @ (b'"' | b'\'') => at = quoted_end(bytes, at + 1, *quote)?,
            b'`' => at = back_tick_end(text, at + 1)?,
            b'/' if bytes.get(at + 1) == Some(&b'/') => at += text[at..].find('\n')?,
            b'/' if bytes.get(at + 1) == Some(&b'*') => at += text[at..].find("*/")? + 1,
            _ => {}
        }
        at += 1;
    }
}

/// The closing quote of a string whose inside begins at `at`.
fn quoted_end(bytes: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'\\' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// The closing back-tick of a string whose inside begins at `at`; such strings have code of their own in them.
pub(super) fn back_tick_end(text: &str, mut at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    loop {
        match bytes.get(at)? {
            b'`' if bytes.get(at + 1) == Some(&b'`') => at += 1,
            b'`' => return Some(at),
            b'$' if bytes.get(at + 1) == Some(&b'{') => at = code_end(text, at + 2)?,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let parts = split(text).unwrap();
        let shown = parts.into_iter().map(|part| match part {
            Part::Text(range) => format!("text {}", &text[range]),
            Part::Code(range) => format!("code {}", &text[range]),
        });
        shown.collect()
    }

    #[test]
    fn templates_are_split_at_their_code() {
        assert_eq!(parts("plain"), ["text plain"]);
        assert_eq!(parts(""), [""; 0]);
        assert_eq!(parts("a ${b} c${d}"), ["text a ", "code b", "text  c", "code d"]);
        assert_eq!(parts("${#{a: 1}.a}"), ["code #{a: 1}.a"]);
        assert_eq!(parts(r#"${"}" + '}'}"#), [r#"code "}" + '}'"#]);
        assert_eq!(parts(r#"${"\"}"}"#), [r#"code "\"}""#]);
        assert_eq!(parts("${`x ${y} ``}`}!"), ["code `x ${y} ``}`", "text !"]);
        assert_eq!(parts("${a /* } */}"), ["code a /* } */"]);
        assert_eq!(parts("$5 {x} $"), ["text $5 {x} $"]);
        assert_eq!(parts("é${ö}ü"), ["text é", "code ö", "text ü"]);
    }

    #[test]
    fn open_code_is_found() {
        for text in ["x ${a", "x ${\"}", "x ${`}", "x ${{}", "x ${a // }"] {
            assert_eq!(split(text), Err(2..4), "{text}");
        }
    }
}
