//! Where a subject lies in a bundle: a path whose `{placeholders}` name it, such as `servers/{zone}/{host}/`.

use indexmap::IndexMap;

use regex::{Captures, Regex};

/// A compiled place.
#[derive(Debug, Clone)]
pub struct PlacePattern {
    text: String,
    regex: Option<Regex>,
    names: Vec<String>,
}

/// What is wrong with a place as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlacePatternError {
    /// What is wrong, in one line.
    pub message: String,
    /// Byte offset in the pattern.
    pub offset: usize,
}

/// A folder that fits a pattern, with the values of its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The folder inside the bundle, without a slash at the end; empty for the bundle itself.
    pub folder: String,
    /// Placeholder to value, in the order of the pattern.
    pub values: IndexMap<String, String>,
}

impl PlacePattern {
    /// Compiles `text`: `.` for the bundle itself, else folders in which `{name}` stands for one path segment or a part of one.
    ///
    /// # Errors
    /// An unclosed, empty or repeated placeholder.
    pub fn parse(text: &str) -> Result<PlacePattern, PlacePatternError> {
        let trimmed = text.trim_end_matches('/');
        if trimmed == "." || trimmed.is_empty() {
            return Ok(PlacePattern {
                text: text.into(),
                regex: None,
                names: Vec::new(),
            });
        }
        let (source, names) = to_regex(trimmed)?;
        let regex = Regex::new(&source).map_err(|e| PlacePatternError {
            message: format!("not a usable place: {e}"),
            offset: 0,
        })?;
        Ok(PlacePattern {
            text: text.into(),
            regex: Some(regex),
            names,
        })
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The placeholders, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The folder that the place is with these values; what has none stays `<name>`.
    pub fn fill(&self, values: &IndexMap<String, String>) -> String {
        let value = |name: &String| values.get(name).cloned().unwrap_or_else(|| format!("<{name}>"));
        let names = self.names.iter();
        let text = self.text.trim_end_matches('/');
        let text = if text == "." { "" } else { text };
        // Placeholders are filled from the left, past the values before them.
        let (mut filled, mut rest) = (String::new(), text);
        for name in names {
            let Some((before, after)) = rest.split_once(&format!("{{{name}}}")) else {
                break;
            };
            filled.push_str(before);
            filled.push_str(&value(name));
            rest = after;
        }
        filled + rest
    }

    /// The folders of `files` that fit, each once, sorted.
    pub fn folders(&self, files: &[String]) -> Vec<Matched> {
        let Some(regex) = &self.regex else {
            return vec![Matched {
                folder: String::new(),
                values: IndexMap::new(),
            }];
        };
        let mut found: Vec<Matched> = Vec::new();
        let mut last = None;
        for file in files {
            // Files come sorted, and so those of one folder together: all but the first are known by its name.
            if last.is_some_and(|last| file.starts_with(last)) {
                continue;
            }
            if let Some(captures) = regex.captures(file) {
                last = captures.get(0).map(|folder| folder.as_str());
                found.extend(self.matched(&captures));
            }
        }
        found.sort_by(|a, b| a.folder.cmp(&b.folder));
        found.dedup();
        found
    }

    fn matched(&self, captures: &Captures<'_>) -> Option<Matched> {
        let value = |name: &String| Some((name.clone(), captures.name(name)?.as_str().to_owned()));
        let folder = captures.get(0)?.as_str().trim_end_matches('/').to_owned();
        Some(Matched {
            folder,
            values: self.names.iter().filter_map(value).collect(),
        })
    }
}

fn to_regex(text: &str) -> Result<(String, Vec<String>), PlacePatternError> {
    let fail = |message: &str, offset| {
        Err(PlacePatternError {
            message: message.into(),
            offset,
        })
    };
    let (mut source, mut names) = (String::from("^"), Vec::new());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let offset = text.len() - rest.len() + open;
        source.push_str(&regex::escape(&rest[..open]));
        let Some(close) = rest[open..].find('}') else {
            return fail("a `{` without its `}`", offset);
        };
        let name = &rest[open + 1..open + close];
        if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            return fail("a placeholder is a word of lower-case letters, digits and `_`", offset);
        }
        if names.iter().any(|n| n == name) {
            return fail("this placeholder stands twice", offset);
        }
        source.push_str(&format!("(?P<{name}>[^/]+)"));
        names.push(name.to_owned());
        rest = &rest[open + close + 1..];
    }
    source.push_str(&regex::escape(rest));
    source.push('/');
    Ok((source, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn the_bundle_itself_is_one_place() {
        let found = PlacePattern::parse(".").unwrap().folders(&files(&["a.json"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].folder, "");
    }

    #[test]
    fn placeholders_name_each_folder_once() {
        let pattern = PlacePattern::parse("servers/{zone}/{host}/").unwrap();
        let found = pattern.folders(&files(&[
            "servers/eu/a/x",
            "servers/eu/a/y",
            "servers/us/b/x",
            "servers/us/z",
            "q/eu/a/x",
        ]));
        let folders: Vec<_> = found.iter().map(|m| m.folder.as_str()).collect();
        assert_eq!(folders, ["servers/eu/a", "servers/us/b"]);
        assert_eq!(found[0].values["zone"], "eu");
        assert_eq!(found[0].values["host"], "a");
    }

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let pattern = PlacePattern::parse("{host}/").unwrap();
        let sorted = files(&["a/x", "a/y", "ab/x", "b/x"]);
        let mixed = files(&["ab/x", "a/y", "b/x", "a/x"]);
        assert_eq!(pattern.folders(&mixed), pattern.folders(&sorted));
        assert_eq!(pattern.folders(&mixed).len(), 3);
    }

    #[test]
    fn placeholders_can_be_parts_of_a_segment_and_the_rest_is_literal() {
        let pattern = PlacePattern::parse("host-{name}.d/v{version}/").unwrap();
        let found = pattern.folders(&files(&[
            "host-a.b.d/v1/x",
            "host-aXd/v1/x",
            "host-ü.d/v2/x",
            "host-.d/v2/x",
        ]));
        let values: Vec<_> = found
            .iter()
            .map(|m| (m.values["name"].as_str(), m.values["version"].as_str()))
            .collect();
        assert_eq!(values, [("a.b", "1"), ("ü", "2")]);
    }

    #[test]
    fn files_of_deeper_folders_name_the_folder_above_once() {
        let pattern = PlacePattern::parse("servers/{host}/").unwrap();
        let found = pattern.folders(&files(&[
            "servers/a/logs/1",
            "servers/a/logs/2",
            "servers/a/x",
            "servers/b",
        ]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].folder, "servers/a");
    }

    /// 100,000 files: were each compared with each, this would take minutes.
    #[test]
    fn two_hundred_subjects_of_five_hundred_files() {
        let names: Vec<String> = (0..200)
            .flat_map(|host| {
                (0..500).map(move |file| format!("servers/zone-{}/host-{host:03}/dump-{file:03}.json", host % 3))
            })
            .collect();
        let pattern = PlacePattern::parse("servers/{zone}/{host}/").unwrap();
        let found = pattern.folders(&names);
        assert_eq!(found.len(), 200);
        assert!(found.is_sorted_by_key(|matched| &matched.folder));
        assert!(
            found
                .iter()
                .all(|m| m.folder == format!("servers/{}/{}", m.values["zone"], m.values["host"]))
        );
    }

    #[test]
    fn mistakes_are_located() {
        assert_eq!(PlacePattern::parse("a/{b").unwrap_err().offset, 2);
        assert_eq!(PlacePattern::parse("{a}/{a}/").unwrap_err().offset, 4);
        assert!(PlacePattern::parse("{}/").is_err());
    }
}
