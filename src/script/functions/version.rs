//! Versions: three numbers and perhaps a label.

use std::cmp::Ordering;
use std::fmt;

use rhai::Dynamic;

use super::text::keep_place;
use super::{Context, Function};
use crate::script::problem::{Error, not_known};
use crate::script::values;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "version",
    parameters: &["text"],
    about: "The version that a text says: `major.minor.patch`, and a label after a dash. It has `.major`, `.minor`, \
            `.patch`, `.label` and `.release` (the version without its label). A labelled version comes before its \
            release, as in semantic versioning. Unknown if the text is no version.",
    example: r#"version("1.24.9-dev") < version("1.24.9") && version("1.24.9-dev").release == version("1.24.9")"#,
    mutates: false,
    call: version,
}];

/// A version such as `1.24.9-dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    label: String,
}

impl Version {
    /// Reads `major.minor.patch`, perhaps with a label after a dash.
    pub fn parse(text: &str) -> Option<Self> {
        let (release, label) = text.split_once('-').unwrap_or((text, ""));
        if text.ends_with('-') || label.contains(char::is_whitespace) {
            return None;
        }
        let mut parts = release.split('.');
        let mut numbers = [0; 3];
        for number in &mut numbers {
            let part = parts.next()?;
            if part.starts_with('+') {
                return None;
            }
            *number = part.parse().ok()?;
        }
        parts.next().is_none().then(|| Self {
            numbers,
            label: label.to_owned(),
        })
    }

    pub(in crate::script) fn member(&self, name: &str) -> Option<Dynamic> {
        let [major, minor, patch] = self
            .numbers
            .map(|number| Dynamic::from(i64::try_from(number).unwrap_or(i64::MAX)));
        match name {
            "major" => Some(major),
            "minor" => Some(minor),
            "patch" => Some(patch),
            "label" => Some(self.label.clone().into()),
            "release" => Some(Dynamic::from(Self {
                numbers: self.numbers,
                label: String::new(),
            })),
            _ => None,
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| self.label.is_empty().cmp(&other.label.is_empty()))
            .then_with(|| order_labels(&self.label, &other.label))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        if self.label.is_empty() {
            Ok(())
        } else {
            write!(out, "-{}", self.label)
        }
    }
}

/// Semantic Versioning 2.0.0, rule 11: part by part, numbers before words.
fn order_labels(left: &str, right: &str) -> Ordering {
    let (mut lefts, mut rights) = (left.split('.'), right.split('.'));
    loop {
        let order = match (lefts.next(), rights.next()) {
            (None, None) => return left.cmp(right),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn version(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let text = values::text("version", args[0])?;
    Version::parse(&text)
        .map(|version| keep_place(args[0], Dynamic::from(version)))
        .ok_or_else(|| not_known(format!("`{text}` is not a version")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let parse = |text| Version::parse(text).unwrap();
        for text in ["1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1.2.3-", "", "+1.2.3", "1.2.3-a b"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        let rising = [
            "1.2.3-alpha",
            "1.2.3-alpha.1",
            "1.2.3-alpha.2",
            "1.2.3-alpha.10",
            "1.2.3-beta",
            "1.2.3",
            "1.10.0",
        ];
        for pair in rising.windows(2) {
            assert!(parse(pair[0]) < parse(pair[1]), "{pair:?}");
        }
        assert_eq!(parse("1.2.3-dev-5").to_string(), "1.2.3-dev-5");
    }
}
