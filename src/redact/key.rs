//! Tokens: what stands in place of a secret.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use memchr::memmem::Finder;
use sha2::Sha256;

/// What every token begins with.
const PREFIX: &str = "REDACTED-";

/// Hexadecimal digits of a token behind its prefix: 48 bits, so that a million secrets of one capture hardly share one.
const DIGITS: usize = 12;

/// The key of one capture's tokens. It is never stored: without it no guess at a secret can be checked against its token.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    /// Shows nothing of it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key")
    }
}

impl Key {
    /// A key that nobody knows.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn random() -> io::Result<Key> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Key(key))
    }

    /// A known key, for tests: its tokens can be guessed back.
    pub fn known(key: [u8; 32]) -> Key {
        Key(key)
    }

    /// The token of a secret: equal secrets have equal ones.
    pub(super) fn token(&self, secret: &[u8]) -> String {
        let mut token = String::from(PREFIX);
        // HMAC takes keys of any length; without one there would be no token to tell secrets apart by, but no secret either.
        if let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(&self.0) {
            hash.update(&plain(secret));
            let hash = hash.finalize().into_bytes();
            hash.iter()
                .take(DIGITS / 2)
                .for_each(|byte| token.push_str(&format!("{byte:02x}")));
        }
        token
    }
}

/// A secret of several lines without its line ends, so that it is the same however it is indented or escaped.
fn plain(secret: &[u8]) -> Cow<'_, [u8]> {
    if !secret.iter().any(|byte| matches!(byte, b'\n' | b'\\')) {
        return Cow::Borrowed(secret);
    }
    let mut plain = Vec::with_capacity(secret.len());
    let mut escaped = false;
    for &byte in secret {
        match byte {
            b'\\' => escaped = true,
            b'n' | b'r' | b't' if escaped => escaped = false,
            byte if byte.is_ascii_whitespace() => escaped = false,
            byte => {
                escaped = false;
                plain.push(byte);
            }
        }
    }
    Cow::Owned(plain)
}

/// The bytes of the first token in a text.
fn find_token(text: &str) -> Option<std::ops::Range<usize>> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(PREFIX));
    let mut from = 0;
    while let Some(found) = FINDER.find(text.as_bytes().get(from..)?) {
        let start = from + found;
        let end = start + PREFIX.len() + DIGITS;
        let digits = text.as_bytes().get(start + PREFIX.len()..end)?;
        if digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Some(start..end);
        }
        from = start + PREFIX.len();
    }
    None
}

/// Whether a text is a token and nothing else.
pub fn is_token(text: &str) -> bool {
    text.len() == PREFIX.len() + DIGITS && find_token(text).is_some()
}

/// Whether there is a token in a text.
pub fn holds_token(text: &str) -> bool {
    text.len() >= PREFIX.len() + DIGITS && find_token(text).is_some()
}

/// Whether a text with tokens in it may, before they were put there, have been `other`.
pub fn may_be(redacted: &str, other: &str) -> bool {
    let Some(token) = find_token(redacted) else {
        return redacted == other;
    };
    let Some(mut rest) = other.strip_prefix(&redacted[..token.start]) else {
        return false;
    };
    // Each token stands for one character at least.
    let mut after = &redacted[token.end..];
    loop {
        let mut chars = rest.chars();
        if chars.next().is_none() {
            return false;
        }
        rest = chars.as_str();
        let Some(next) = find_token(after) else {
            return rest.ends_with(after);
        };
        let Some(at) = rest.find(&after[..next.start]) else {
            return false;
        };
        rest = &rest[at + next.start..];
        after = &after[next.end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_have_equal_tokens_under_one_key() {
        let (one, other) = (Key::known([1; 32]), Key::known([2; 32]));
        assert_eq!(one.token(b"hunter2"), one.token(b"hunter2"));
        assert_ne!(one.token(b"hunter2"), one.token(b"hunter3"));
        assert_ne!(one.token(b"hunter2"), other.token(b"hunter2"));
        assert!(is_token(&one.token(b"hunter2")));
        assert_ne!(Key::random().unwrap().token(b"x"), Key::random().unwrap().token(b"x"));
    }

    #[test]
    fn indentation_and_escapes_do_not_make_another_secret() {
        let key = Key::known([0; 32]);
        assert_eq!(key.token(b"ab\n  cd\n"), key.token(br"ab\ncd"));
    }

    #[test]
    fn tokens_are_found_in_texts() {
        assert!(holds_token("a REDACTED-0123456789ab b") && !is_token("a REDACTED-0123456789ab b"));
        assert!(!holds_token("REDACTED-0123456789aX") && !holds_token("REDACTED-012345"));
        assert!(holds_token("REDACTED-REDACTED-0123456789ab"));
    }

    #[test]
    fn what_a_redacted_text_was_can_be_narrowed_down() {
        let redacted = "Bearer REDACTED-0123456789ab; x=REDACTED-0123456789ab.";
        assert!(may_be(redacted, "Bearer abc; x=d."));
        for other in [
            "Basic abc; x=d.",
            "Bearer abc",
            "Bearer ; x=d.",
            "Bearer abc; x=.",
            "Bearer a; x=d",
        ] {
            assert!(!may_be(redacted, other), "{other}");
        }
        assert!(may_be("REDACTED-0123456789ab", "x") && !may_be("REDACTED-0123456789ab", ""));
    }
}
