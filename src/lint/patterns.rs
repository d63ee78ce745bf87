//! Regular expressions that match nothing, whatever the text.
//!
//! A pattern is walked with all contexts that can stand around a position: what kind of character is behind it, and which
//! kinds may come next. Where no context is left at the end, no text matches.

use std::collections::BTreeSet;

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::diagnostic::Problem;
use crate::rulebook::spec::{FactKind, ParserSpec};
use crate::rulebook::text::Text;

use super::{Book, found};

/// `impossible-pattern`: a pattern that no text matches.
pub(super) fn impossible(book: &Book<'_>) -> Vec<Problem> {
    let spec = &book.loaded.spec;
    let mut patterns: Vec<&Text> = Vec::new();
    for fact in spec.facts.values() {
        if let FactKind::From(extract) = &fact.kind {
            patterns.extend(&extract.capture);
        }
    }
    for probe in spec.probes.values() {
        match &probe.parse {
            Some(ParserSpec::Lines(lines)) => patterns.extend(lines.record.iter().chain(&lines.fields)),
            Some(ParserSpec::Table(table)) => patterns.extend(&table.header),
            _ => {}
        }
    }
    let never = patterns
        .into_iter()
        .filter(|text| Parser::new().parse(text).is_ok_and(|hir| !can_match(&hir)));
    let problem = |text: &Text| found(text.place, "no text matches this regular expression").label("matches nothing");
    let help = "look for what excludes itself, as text after `$` or before `^`, or an empty class";
    never.map(|text| problem(text).help(help)).collect()
}

/// Kinds of characters, as far as anchors tell them apart; one bit each.
const EDGE: u8 = 1;
const LINE_FEED: u8 = 2;
const CARRIAGE_RETURN: u8 = 4;
const WORD: u8 = 8;
const OTHER: u8 = 16;
const ANY: u8 = EDGE | LINE_FEED | CARRIAGE_RETURN | WORD | OTHER;
const KINDS: [u8; 5] = [EDGE, LINE_FEED, CARRIAGE_RETURN, WORD, OTHER];

/// What surrounds a position: the kind of the character behind it, and the kinds that may be ahead.
type Context = (u8, u8);

fn can_match(pattern: &Hir) -> bool {
    let anywhere = KINDS.iter().map(|behind| (*behind, ANY)).collect();
    !after(pattern, &anywhere).is_empty()
}

/// The contexts at the end of a part, where these are those at its beginning.
fn after(part: &Hir, before: &BTreeSet<Context>) -> BTreeSet<Context> {
    match part.kind() {
        HirKind::Empty => before.clone(),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            text.chars().fold(before.clone(), |before, c| over(kind(c), &before))
        }
        HirKind::Class(class) => over(kinds(class), before),
        HirKind::Look(look) => before.iter().filter_map(|context| seen(*look, *context)).collect(),
        HirKind::Capture(capture) => after(&capture.sub, before),
        HirKind::Concat(parts) => parts.iter().fold(before.clone(), |before, part| after(part, &before)),
        HirKind::Alternation(parts) => parts.iter().flat_map(|part| after(part, before)).collect(),
        HirKind::Repetition(repetition) => {
            // There are few contexts, so that more rounds than this find none that is new.
            let least = repetition.min.min(64);
            let mut reached = (0..least).fold(before.clone(), |before, _| after(&repetition.sub, &before));
            let more = repetition.max.map_or(64, |max| (max - repetition.min).min(64));
            for _ in 0..more {
                let next = after(&repetition.sub, &reached);
                if next.is_subset(&reached) {
                    break;
                }
                reached.extend(next);
            }
            reached
        }
    }
}

/// The contexts after a character of one of these kinds.
fn over(kinds: u8, before: &BTreeSet<Context>) -> BTreeSet<Context> {
    let ahead = before.iter().fold(0, |all, (_, ahead)| all | ahead);
    let passed = KINDS.iter().filter(|kind| *kind & kinds & ahead & !EDGE != 0);
    passed.map(|kind| (*kind, ANY)).collect()
}

fn kind(c: char) -> u8 {
    match c {
        '\n' => LINE_FEED,
        '\r' => CARRIAGE_RETURN,
        c if c == '_' || c.is_alphanumeric() => WORD,
        _ => OTHER,
    }
}

fn kinds(class: &Class) -> u8 {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect(),
    };
    // A range of more than this holds characters of both kinds; a few are looked at one by one.
    let of_range = |(start, end): (char, char)| {
        let wide = u32::from(end) - u32::from(start) > 256;
        let all = (start..=end).take(257).fold(0, |all, c| all | kind(c));
        if wide { all | WORD | OTHER } else { all }
    };
    ranges.into_iter().fold(0, |all, range| all | of_range(range))
}

/// The context where an anchor holds; none where it cannot.
fn seen(look: Look, (behind, ahead): Context) -> Option<Context> {
    let ahead = match look {
        Look::Start => ahead * u8::from(behind == EDGE),
        Look::End => ahead & EDGE,
        Look::StartLF => ahead * u8::from(behind & (EDGE | LINE_FEED) != 0),
        Look::EndLF => ahead & (EDGE | LINE_FEED),
        Look::StartCRLF => ahead * u8::from(behind & (EDGE | LINE_FEED | CARRIAGE_RETURN) != 0),
        Look::EndCRLF => ahead & (EDGE | LINE_FEED | CARRIAGE_RETURN),
        Look::WordAscii | Look::WordUnicode => ahead & if behind == WORD { !WORD } else { WORD },
        Look::WordAsciiNegate | Look::WordUnicodeNegate => ahead & if behind == WORD { WORD } else { !WORD },
        Look::WordStartAscii | Look::WordStartUnicode => ahead & if behind == WORD { 0 } else { WORD },
        Look::WordEndAscii | Look::WordEndUnicode => ahead & if behind == WORD { !WORD } else { 0 },
        Look::WordStartHalfAscii | Look::WordStartHalfUnicode => ahead * u8::from(behind != WORD),
        Look::WordEndHalfAscii | Look::WordEndHalfUnicode => ahead & !WORD,
    };
    (ahead != 0).then_some((behind, ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_exclude_themselves_match_nothing() {
        for (pattern, possible) in [
            ("$a", false),
            ("a^b", false),
            (r"\b\B", false),
            (r"a\bb", false),
            (r"a\b b", true),
            (r"[^\s\S]", false),
            ("(?m)$a", false),
            ("(?m)$\\na", true),
            ("(?m)a$\\n^b", true),
            (r"a\z.", false),
            ("^$", true),
            ("(^a|b$)", true),
            ("(?:a^)*b", true),
            ("(?:a^)+b", false),
            ("(?:x$)?y", true),
            (r"\bü\b", true),
            (r"ü\bü", false),
            ("a{3}$", true),
            ("", true),
            (r"^(?<name>[^:]+): (?<value>.*)$", true),
        ] {
            let hir = Parser::new().parse(pattern).expect("a pattern");
            assert_eq!(can_match(&hir), possible, "{pattern}");
        }
    }

    proptest::proptest! {
        /// Whatever matches some text is not called impossible.
        #[test]
        fn what_matches_is_possible(pattern in r#"([ab]|\^|\$|\\b|\\B|\\n|\(\?m\)|[|*?+]|\[ab\]){1,10}"#, text in "[ab \n]{0,6}") {
            if let Ok(regex) = regex::Regex::new(&pattern)
                && regex.is_match(&text)
            {
                let hir = Parser::new().parse(&pattern).expect("it is one");
                proptest::prop_assert!(can_match(&hir), "{} matches {:?}", pattern, text);
            }
        }
    }
}
