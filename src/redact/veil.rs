//! Texts as reports may show them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use super::Redactor;

/// How far around what is shown a text is searched for secrets, in bytes: their names and their beginnings stand before them.
const AROUND: usize = 8 << 10;

/// What stands over a secret, cut or filled up to its length.
const COVER: &[u8] = b"REDACTED";

/// A text whose secrets are covered wherever it is shown: byte for byte, so that every place stays what it is.
#[derive(Debug)]
pub struct Veil<'t> {
    text: &'t str,
    redactor: Option<&'t Redactor>,
    /// Secrets that are known already, in their order.
    known: &'t [Range<usize>],
    searched: RefCell<Searched>,
}

/// A part of the text and the secrets in it.
#[derive(Debug, Default)]
struct Searched {
    part: Range<usize>,
    secrets: Vec<Range<usize>>,
}

impl<'t> Veil<'t> {
    /// Over a text of which some secrets are known already, in their order.
    pub fn new(text: &'t str, redactor: &'t Redactor, known: &'t [Range<usize>]) -> Veil<'t> {
        Veil {
            redactor: Some(redactor),
            known,
            ..Veil::none(text)
        }
    }

    /// Over a text that has no secrets, such as a rulebook.
    pub fn none(text: &'t str) -> Veil<'t> {
        Veil {
            text,
            redactor: None,
            known: &[],
            searched: RefCell::default(),
        }
    }

    /// A part of the text as it may be shown; of another, cut at whole characters.
    pub fn show(&self, part: Range<usize>) -> Cow<'t, str> {
        let part = self.text.floor_char_boundary(part.start)..self.text.floor_char_boundary(part.end);
        let shown = self.text.get(part.clone()).unwrap_or_default();
        let secrets = self.secrets(&part);
        if secrets.is_empty() {
            return Cow::Borrowed(shown);
        }
        let mut bytes = shown.as_bytes().to_vec();
        for secret in secrets {
            let inside = secret.start.max(part.start)..secret.end.min(part.end);
            for at in inside {
                // Line feeds stay, so that lines do.
                if let Some(byte) = bytes.get_mut(at - part.start).filter(|byte| **byte != b'\n') {
                    *byte = cover(secret.len(), at - secret.start);
                }
            }
        }
        Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether there is a secret in a part of the text.
    pub fn hides(&self, part: &Range<usize>) -> bool {
        !self.secrets(part).is_empty()
    }

    /// The secrets that reach into a part, in whole characters.
    fn secrets(&self, part: &Range<usize>) -> Vec<Range<usize>> {
        let Some(redactor) = self.redactor else {
            return Vec::new();
        };
        let mut searched = self.searched.borrow_mut();
        if part.start < searched.part.start || part.end > searched.part.end {
            let from = self.text.floor_char_boundary(part.start.saturating_sub(AROUND));
            let to = self
                .text
                .ceil_char_boundary(part.end.saturating_add(AROUND).min(self.text.len()));
            let found = redactor.places(self.text.get(from..to).unwrap_or_default().as_bytes());
            searched.secrets = found.into_iter().map(|at| at.start + from..at.end + from).collect();
            searched.part = from..to;
        }
        let reaches = |secret: &&Range<usize>| secret.start < part.end && secret.end > part.start;
        let first = self.known.partition_point(|secret| secret.end <= part.start);
        let known = self.known.get(first..).unwrap_or_default();
        let known = known.iter().take_while(|secret| secret.start < part.end);
        searched.secrets.iter().filter(reaches).chain(known).cloned().collect()
    }
}

/// The byte that stands over that at an offset of a secret of this length.
fn cover(length: usize, at: usize) -> u8 {
    let cover = COVER.get(at).filter(|_| length >= COVER.len());
    cover.copied().unwrap_or(b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_in_place() {
        let text = "{\"password\": \"correct horse\", \"user\": \"u\", \"token\": \"abc\"}";
        let veil = Veil::new(text, Redactor::of_reports(), &[]);
        let shown = veil.show(0..text.len());
        assert_eq!(
            shown,
            "{\"password\": \"REDACTED*****\", \"user\": \"u\", \"token\": \"***\"}"
        );
        assert_eq!(veil.show(14..20), "REDACT", "seen whole, shown in part");
        assert_eq!(Veil::none(text).show(14..21), "correct");
        assert!(veil.hides(&(20..21)) && !veil.hides(&(0..10)));
    }

    #[test]
    fn what_is_known_is_covered_too() {
        let text = "a\nlonger\nsecret, é and more";
        let known = vec![2..15, 17..17];
        let veil = Veil::new(text, Redactor::of_reports(), &known);
        assert_eq!(veil.show(0..text.len()), "a\nREDACT\nD*****, é and more");
        assert_eq!(veil.show(17..18), "");
    }

    #[test]
    fn a_name_far_before_a_part_is_seen() {
        let text = format!("password: |\n{}", "  0123456789\n".repeat(100));
        let veil = Veil::new(&text, Redactor::of_reports(), &[]);
        assert!(!veil.show(700..760).contains("012345"));
    }
}
