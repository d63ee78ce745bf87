//! The text of an operand, so that what is absent can be called by its name.

/// Which side of a position an operand stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It ends where the operator or the dot begins.
    Before,
    /// It follows the operator.
    After,
}

/// The chain of names, members, indices and calls on one side of the byte `at`, if there is one.
pub(super) fn operand(text: &str, at: usize, side: Side) -> Option<&str> {
    let found = match side {
        Side::Before => before(text.get(..at)?),
        Side::After => {
            let rest = text
                .get(at..)?
                .trim_start_matches(|c: char| c.is_ascii_punctuation() && c != '(' && c != '[');
            after(rest.strip_prefix("in ").unwrap_or(rest).trim_start())
        }
    };
    Some(found.trim()).filter(|found| !found.is_empty())
}

fn before(text: &str) -> &str {
    let text = text.trim_end();
    let text = text.strip_suffix('.').unwrap_or(text);
    let text = text.strip_suffix('?').unwrap_or(text).trim_end();
    let bytes = text.as_bytes();
    let mut start = bytes.len();
    while let Some(byte) = start.checked_sub(1).and_then(|last| bytes.get(last)) {
        start = match byte {
            b')' | b']' => match opening(bytes, start - 1) {
                Some(open) => open,
                None => break,
            },
            b'.' | b'?' | b':' => start - 1,
            byte if is_word(*byte) => start - 1,
            _ => break,
        };
    }
    text.get(start..).unwrap_or_default()
}

fn after(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        end = match byte {
            b'(' | b'[' => match closing(bytes, end) {
                Some(close) => close + 1,
                None => break,
            },
            b'.' | b'?' | b':' => end + 1,
            byte if is_word(*byte) => end + 1,
            _ => break,
        };
    }
    text.get(..end).unwrap_or_default()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The bracket that opens what the one at `close` closes. Brackets in strings are not told apart: this is for messages.
fn opening(bytes: &[u8], close: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..=close).rev() {
        match bytes.get(at)? {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_found_on_both_sides() {
        let find = |text: &'static str, operator: &str, side| operand(text, text.find(operator).unwrap(), side);
        assert_eq!(find("a.b[0].f(x, 1) == c", "==", Side::Before), Some("a.b[0].f(x, 1)"));
        assert_eq!(find("1 + a?.b < 5", "<", Side::Before), Some("a?.b"));
        assert_eq!(find("a.b.missing", "missing", Side::Before), Some("a.b"));
        assert_eq!(find("a.b?.missing", "missing", Side::Before), Some("a.b"));
        assert_eq!(
            find("x == shop.items[1].name || y", "==", Side::After),
            Some("shop.items[1].name")
        );
        assert_eq!(find("x <= m::f(a)", "<=", Side::After), Some("m::f(a)"));
        assert_eq!(find("x in names", "in", Side::After), Some("names"));
        assert_eq!(find("== c", "==", Side::Before), None);
        assert_eq!(find("a) == c", "==", Side::Before), None);
        assert_eq!(find("ü == 1", "==", Side::Before), Some("ü"));
    }
}
