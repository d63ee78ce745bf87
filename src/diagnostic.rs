//! Located problems in rulebooks, waivers and cases, and how they are printed.
//!
//! A stage collects every [`Problem`] that it meets into [`Problems`] and goes on; the caller prints them all at once.

mod render;
mod window;

use std::cmp::Ordering;
use std::fmt;

pub use render::{Style, render, report};

/// A text file that problems can point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Name as it is shown: a path as the user gave it, or a name inside the binary
    pub name: String,
    /// The whole text, without a byte order mark
    pub text: String,
}

/// Number of a file in its [`Sources`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u16);

/// A range of bytes in a source file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file
    pub file: FileId,
    /// First byte
    pub start: u32,
    /// One past the last byte
    pub end: u32,
}

impl Place {
    /// The place from byte `start` up to byte `end`; offsets beyond 4 GiB stick to that limit.
    pub fn new(file: FileId, start: usize, end: usize) -> Place {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Place {
            file,
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }

    /// The range of bytes.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The files that a load has read; places refer to them.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

static NO_FILE: SourceFile = SourceFile {
    name: String::new(),
    text: String::new(),
};

impl Sources {
    /// Keeps a file. Of more than 65,535 files the last share one number, so loaders set a lower limit.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u16::try_from(self.files.len()).unwrap_or(u16::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    /// The file with this number; an empty one for a number of other sources.
    pub fn get(&self, id: FileId) -> &SourceFile {
        self.files.get(usize::from(id.0)).unwrap_or(&NO_FILE)
    }

    /// The text at a place; empty where the place is none of this file.
    pub fn text(&self, place: Place) -> &str {
        self.get(place.file).text.get(place.range()).unwrap_or_default()
    }

    /// Line and column of the start of a place, both from 1, the column in characters.
    pub fn position(&self, place: Place) -> (u32, u32) {
        let text = &self.get(place.file).text;
        let mut start = (place.start as usize).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = text.get(..start).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }

    /// All files, in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(at, file)| (FileId(u16::try_from(at).unwrap_or(u16::MAX)), file))
    }
}

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The rulebook cannot be used
    Error,
    /// The rulebook works, but something in it is likely a mistake
    Warning,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Error => "error",
            Level::Warning => "warning",
        })
    }
}

/// Something that is wrong at a place in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kebab-case name of this sort of problem
    pub code: &'static str,
    /// How grave it is
    pub level: Level,
    /// What is wrong, in one line
    pub message: String,
    /// Where
    pub place: Place,
    /// What is at that place, in a few words
    pub label: String,
    /// Further places that belong to it, such as the first of two definitions
    pub related: Vec<(Place, String)>,
    /// What to write instead
    pub help: Option<String>,
}

impl Problem {
    /// An error at a place.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Problem {
        Problem {
            code,
            level: Level::Error,
            message: message.into(),
            place,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Problem {
        Problem {
            level: Level::Warning,
            ..Problem::error(code, place, message)
        }
    }

    /// Says what is at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Says what to write instead, where that is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Problem {
        self.help = help.or(self.help);
        self
    }

    /// Points at a further place.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Problem {
        self.related.push((place, label.into()));
        self
    }
}

/// The problems that a stage has met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Adds the problems of another stage.
    pub fn extend(&mut self, others: Problems) {
        self.list.extend(others.list);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.level == Level::Error)
    }

    /// The problems, in the order in which they were met or sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Sorts by file and position; what is met twice is kept once.
    pub fn sort(&mut self) {
        self.list.sort_by(by_place);
        self.list.dedup();
    }
}

fn by_place(a: &Problem, b: &Problem) -> Ordering {
    a.place
        .cmp(&b.place)
        .then_with(|| a.code.cmp(b.code))
        .then_with(|| a.message.cmp(&b.message))
}

/// The candidate that `word` was most likely meant to be, if one is near enough.
///
/// Near is a third of the letters wrong (Damerau-Levenshtein), or a beginning of at least three letters.
pub fn did_you_mean<'a, I>(word: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let folded = fold(word);
    let allowed = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The same as help for people.
pub fn meant<'a, I>(word: &str, candidates: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
{
    did_you_mean(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

fn fold(word: &str) -> String {
    // Longer words are no misspellings of ours, and the distance is quadratic.
    word.chars()
        .take(80)
        .collect::<String>()
        .to_lowercase()
        .replace(['_', ' ', '.'], "-")
}

fn distance(word: &str, candidate: &str) -> usize {
    let candidate = fold(candidate);
    let begins = word.chars().count() >= 3 && candidate.starts_with(word);
    let begins = begins || (candidate.chars().count() >= 3 && word.starts_with(&candidate));
    match strsim::damerau_levenshtein(word, &candidate) {
        far if begins => far.min(1),
        far => far,
    }
}

/// A word of a file in backquotes, fit to stand in a message: short, on one line.
pub fn quoted(word: &str) -> String {
    const LONGEST: usize = 60;
    let flat = word.replace(['\n', '\r', '\t'], " ");
    match flat.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("`{}…`", flat.get(..cut).unwrap_or_default()),
        None => format!("`{flat}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style {
        color: false,
        unicode: true,
        width: 100,
    };

    fn at(sources: &mut Sources, text: &str, word: &str) -> Place {
        let start = text.find(word).expect("the word is in the text");
        let file = sources.add("some/file.yaml", text);
        Place::new(file, start, start + word.len())
    }

    #[test]
    fn positions_count_from_one_in_characters() {
        let mut sources = Sources::default();
        let place = at(&mut sources, "é: 月\nñé: x\n", "x");
        assert_eq!(sources.position(place), (2, 5));
        assert_eq!(sources.text(place), "x");
        let end = Place::new(place.file, 999, 1000);
        assert_eq!(sources.position(end), (3, 1));
    }

    #[test]
    fn misspellings_are_found_and_others_left_alone() {
        let keys = ["expect", "decide", "forbid", "explained-by", "severity", "help"];
        for (word, meant) in [
            ("expcet", Some("expect")),
            ("explained_by", Some("explained-by")),
            ("Severity", Some("severity")),
            ("sever", Some("severity")),
            ("halp", Some("help")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, keys), meant, "{word}");
        }
        assert_eq!(did_you_mean(&"x".repeat(1_000_000), keys), None);
    }

    #[test]
    fn control_characters_are_shown_and_never_printed() {
        let mut sources = Sources::default();
        let place = at(&mut sources, "a: b\nk: \u{1b}[31m\u{202e}x\r\nc: d\n", "x");
        let mut problems = Problems::default();
        problems.push(
            Problem::error("some-code", place, "a \u{1b}]0;title\u{7} message")
                .label("la\u{9b}bel")
                .help("he\u{8}lp"),
        );
        let text = render(&problems, &sources, &STYLE);
        assert!(text.contains("␛[31m\u{fffd}x"), "{text}");
        assert!(text.contains("[some/file.yaml:2:10]"), "{text}");
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'),
            "{text:?}"
        );
    }

    #[test]
    fn long_lines_and_far_labels_are_cut() {
        let mut sources = Sources::default();
        let text = format!(
            "first: 1\n{}\nk: {}HERE{}\n",
            "x: y\n".repeat(50_000),
            "é".repeat(90_000),
            "ñ".repeat(90_000)
        );
        let place = at(&mut sources, &text, "HERE");
        let first = Place::new(place.file, 0, 5);
        let mut problems = Problems::default();
        problems.push(
            Problem::error("some-code", place, "message")
                .label("label")
                .related(first, "first"),
        );
        let shown = render(&problems, &sources, &STYLE);
        assert!(shown.contains("[some/file.yaml:50003:90004]"), "{shown}");
        assert!(shown.contains("HERE") && shown.contains("first: 1"), "{shown}");
        assert!(shown.len() < 4000, "{}", shown.len());
    }

    #[test]
    fn places_outside_of_the_text_do_no_harm() {
        let mut sources = Sources::default();
        let file = sources.add("é.yaml", "é: 1");
        let mut problems = Problems::default();
        for (start, end) in [(0, 0), (1, 1), (1, 3), (5, 5), (4, 99), (99, 100)] {
            problems.push(Problem::warning("some-code", Place::new(file, start, end), "message").label("label"));
        }
        assert_eq!(render(&problems, &sources, &STYLE).matches("some-code").count(), 6);
        let empty = Sources::default();
        assert_eq!(render(&problems, &empty, &STYLE).matches("some-code").count(), 6);
    }

    #[test]
    fn ascii_and_colour_are_the_callers() {
        let mut sources = Sources::default();
        let place = at(&mut sources, "a: b", "b");
        let mut problems = Problems::default();
        problems.push(
            Problem::error("some-code", place, "message")
                .label("label")
                .help("help"),
        );
        assert!(
            render(
                &problems,
                &sources,
                &Style {
                    unicode: false,
                    ..STYLE
                }
            )
            .is_ascii()
        );
        assert!(render(&problems, &sources, &Style { color: true, ..STYLE }).contains('\u{1b}'));
        assert!(!render(&problems, &sources, &STYLE).contains('\u{1b}'));
    }

    #[test]
    fn of_very_many_problems_some_are_printed() {
        let mut sources = Sources::default();
        let place = at(&mut sources, "a: b", "b");
        let mut problems = Problems::default();
        for number in 0..150 {
            problems.push(Problem::error("some-code", place, format!("message {number}")));
        }
        let text = render(&problems, &sources, &STYLE);
        assert!(
            text.matches("some-code").count() == 100 && text.ends_with("and 50 more\n"),
            "{text}"
        );
    }
}
