//! Decoding of keys and words of which one is chosen.

use super::{Decoder, Fields, Found};
use crate::diagnostic::{Problem, meant, quoted};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::{Node, Yaml};

/// Reads what is under one key.
type Read<T> = fn(&str, &Yaml, &mut Decoder) -> Option<T>;

/// The one key of `keys` that stands among the fields of a mapping; several are a problem that points at all.
pub fn among<T>(fields: &mut Fields<'_>, keys: &[&str], read: Read<T>, decoder: &mut Decoder) -> Found<T> {
    let mut written = keys
        .iter()
        .filter_map(|key| fields.take_entry(key))
        .collect::<Vec<_>>()
        .into_iter();
    let Some((key, yaml)) = written.next() else {
        return Found::Absent;
    };
    let value = read(key, yaml, decoder);
    let mut conflict: Option<Problem> = None;
    for (other, yaml) in written {
        // Read for its own problems.
        read(other, yaml, decoder);
        let problem = conflict.unwrap_or_else(|| {
            let message = format!("`{}` and `{}` exclude each other", key.value, other.value);
            Problem::error("conflicting-keys", other.place, message)
                .label("a second one")
                .related(key.place, "the first one")
                .help(format!("keep one of {}", list(keys)))
        });
        conflict = Some(if problem.place == other.place {
            problem
        } else {
            problem.related(other.place, "another")
        });
    }
    match conflict {
        Some(problem) => {
            decoder.report(problem);
            Found::Broken
        }
        None => Found::of(value),
    }
}

/// The one key of a mapping that holds nothing else, or the bare word for a key whose value may be empty.
pub fn alone<T>(yaml: &Yaml, keys: &[&str], read: Read<T>, decoder: &mut Decoder) -> Option<T> {
    match &yaml.value {
        Node::Scalar(word) => {
            known(word, keys, decoder)?;
            let nothing = Yaml {
                place: word.place,
                head: word.place,
                value: Node::Null,
            };
            read(word, &nothing, decoder)
        }
        Node::Mapping(entries) if !entries.is_empty() => {
            let (key, value) = entries.first()?;
            for (other, _) in entries.iter().skip(1) {
                let problem = Problem::error("conflicting-keys", other.place, "only one key can stand here");
                let problem = problem.label("a second one").related(key.place, "the first one");
                decoder.report(problem.help(format!("indent options by one level more; the keys are {}", list(keys))));
            }
            known(key, keys, decoder)?;
            read(key, value, decoder)
        }
        _ => {
            let wanted = format!("one of {}", list(keys));
            decoder.wrong_type(yaml, &wanted, keys.first().copied().unwrap_or_default());
            None
        }
    }
}

/// The word of a closed list; `what` names the list in messages: "severity".
pub fn word<'y>(yaml: &'y Yaml, what: &str, words: &[&str], decoder: &mut Decoder) -> Option<&'y str> {
    let example = words.first().copied().unwrap_or_default();
    let text = decoder.scalar(yaml, &format!("one of {}", list(words)), example)?;
    if words.contains(&text.value.as_str()) {
        return Some(text);
    }
    let message = format!("{} is no {what}", quoted(text));
    decoder.report(unknown("unknown-word", text, message, words));
    None
}

fn known(key: &Text, keys: &[&str], decoder: &mut Decoder) -> Option<()> {
    if keys.contains(&key.value.as_str()) {
        return Some(());
    }
    let message = format!("{} is not known here", quoted(key));
    decoder.report(unknown("unknown-key", key, message, keys));
    None
}

fn unknown(code: &'static str, word: &Text, message: String, known: &[&str]) -> Problem {
    let meant = meant(word, known.iter().copied()).map(|meant| meant + " ");
    let help = format!("{}It is one of {}", meant.unwrap_or_default(), list(known));
    Problem::error(code, word.place, message).label("unknown").help(help)
}

pub(super) fn list<S: AsRef<str>>(words: &[S]) -> String {
    words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}
