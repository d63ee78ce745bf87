//! Words of a probe, filled in: which part is whose, so that a value stays the argument that it was meant to be.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Action, Exec, Http, ReadFile};

/// A word of a probe, filled in as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as written, or computed from nothing.
    Text(String),
    /// What the user has set.
    Input(String),
    /// What evidence tells, or a subject's name.
    Evidence(String),
    /// Not known.
    Hole {
        /// What is missing, in short.
        name: String,
        /// Why.
        reason: String,
        /// Whether other evidence may fill it.
        later: bool,
    },
}

/// What stays as it is where evidence becomes a part of a URL.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

impl Word {
    /// The word, with what is missing as `<name>`.
    pub fn pattern(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) | Piece::Input(text) | Piece::Evidence(text) => text.clone(),
            Piece::Hole { name, .. } => format!("<{name}>"),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// What is missing, as name and reason, and whether other evidence may fill it.
    pub fn holes(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole { name, reason, later } => Some((name.as_str(), reason.as_str(), *later)),
            _ => None,
        })
    }

    /// The word, or why it is not known; `value` takes evidence in.
    fn text(&self, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) | Piece::Input(text) => Ok(text.clone()),
            Piece::Evidence(text) => value(text),
            Piece::Hole { reason, .. } => Err(reason.clone()),
        };
        self.pieces.iter().map(piece).collect()
    }

    fn plain(&self) -> Result<String, String> {
        self.text(|value| Ok(value.to_owned()))
    }
}

impl Action<Word> {
    /// The action with its words as they are so far.
    pub fn pattern(&self) -> Action<String> {
        let pattern = self.map(|word| Ok::<_, std::convert::Infallible>(word.pattern()));
        match pattern {
            Ok(pattern) => pattern,
        }
    }

    /// The action that can be done.
    ///
    /// # Errors
    /// What is missing, or a value that would be more than the argument that it was meant to be.
    pub fn settled(&self) -> Result<Action<String>, String> {
        Ok(match self {
            Action::Http(http) => Action::Http(url(http)?),
            Action::Exec(exec) => Action::Exec(command(exec)?),
            Action::File(file) => Action::File(path(file)?),
            other => other.map(Word::plain)?,
        })
    }
}

/// Evidence is part of a host, a segment or a value, and never more.
fn url(http: &Http<Word>) -> Result<Http<String>, String> {
    let headers = http
        .headers
        .iter()
        .map(|(name, value)| Ok((name.clone(), value.plain()?)));
    Ok(Http {
        url: http
            .url
            .text(|value| Ok(utf8_percent_encode(value, IN_URL).to_string()))?,
        headers: headers.collect::<Result<_, String>>()?,
    })
}

/// A value never becomes an option.
fn command(exec: &Exec<Word>) -> Result<Exec<String>, String> {
    let word = |word: &Word| {
        let text = word.plain()?;
        match word.pieces.first() {
            Some(Piece::Input(_) | Piece::Evidence(_)) if text.starts_with('-') => Err(format!(
                "the value `{text}` begins with `-` and would be taken for an option"
            )),
            _ => Ok(text),
        }
    };
    Ok(Exec {
        argv: exec.argv.iter().map(word).collect::<Result<_, _>>()?,
    })
}

/// Evidence is a name in a path, and never a way to elsewhere.
fn path(file: &ReadFile<Word>) -> Result<ReadFile<String>, String> {
    let path = file.path.text(
        |value| match value.contains(['/', '*', '?', '[', '{']) || value.starts_with("..") {
            true => Err(format!("the value `{value}` is no single name of a file")),
            false => Ok(value.to_owned()),
        },
    )?;
    Ok(ReadFile { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(pieces: &[Piece]) -> Word {
        Word {
            pieces: pieces.to_vec(),
        }
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn evidence(text: &str) -> Piece {
        Piece::Evidence(text.to_owned())
    }

    #[test]
    fn evidence_is_never_more_than_one_part_of_a_url() {
        let url = |value| {
            let url = word(&[text("http://"), evidence(value), text(":80/x")]);
            let headers = Vec::new();
            match Action::Http(Http { url, headers }).settled().unwrap() {
                Action::Http(http) => http.url,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(url("10.0.0.1"), "http://10.0.0.1:80/x");
        assert_eq!(url("b/x?y#z@c"), "http://b%2Fx%3Fy%23z%40c:80/x");
    }

    #[test]
    fn values_never_become_options_and_options_may_have_values() {
        let argv = |second: Word| {
            Action::Exec(Exec {
                argv: vec![word(&[text("ls")]), second],
            })
            .settled()
        };
        assert!(argv(word(&[evidence("-rf")])).is_err());
        assert!(argv(word(&[Piece::Input("--config=x".into())])).is_err());
        assert!(argv(word(&[text("--zone="), evidence("-x")])).is_ok());
        assert!(argv(word(&[text("-l")])).is_ok());
    }

    #[test]
    fn evidence_names_no_other_folder() {
        let read = |value| {
            Action::File(ReadFile {
                path: word(&[text("/proc/"), evidence(value), text("/status")]),
            })
            .settled()
        };
        assert!(read("17").is_ok());
        for value in ["../etc", "a/b", "*"] {
            assert!(read(value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_missing_is_a_hole_in_the_pattern_and_an_error_after_it() {
        let hole = Piece::Hole {
            name: "zone".into(),
            reason: "the input `zone` is not set".into(),
            later: false,
        };
        let action = Action::Exec(Exec {
            argv: vec![word(&[text("ls")]), word(&[text("--zone="), hole])],
        });
        assert_eq!(action.pattern().show(), "ls --zone=<zone>");
        assert_eq!(action.settled().unwrap_err(), "the input `zone` is not set");
    }
}
