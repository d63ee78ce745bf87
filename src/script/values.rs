//! Words for values, and the checks that functions make of their arguments.

use std::any::TypeId;

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::Node;
use super::number::BigNumber;
use super::problem::{Error, failed, not_known};

/// Longest piece of a value in a message, in characters.
const SHOWN: usize = 40;

/// What a value is, as far as comparing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Absent,
    Bool,
    Number,
    Text,
    List,
    Map,
    Version,
    Duration,
    Timestamp,
    Ip,
    Index,
    Other,
}

impl Kind {
    pub(super) fn of(value: &Dynamic) -> Self {
        if value.is_string() || value.is_char() {
            Self::Text
        } else if value.is_int() || value.is_float() {
            Self::Number
        } else if value.is_bool() {
            Self::Bool
        } else if value.is_unit() {
            Self::Absent
        } else {
            Self::of_type(value.type_id())
        }
    }

    fn of_type(id: TypeId) -> Self {
        let kinds = [
            (TypeId::of::<Node>(), Self::Map),
            (TypeId::of::<Map>(), Self::Map),
            (TypeId::of::<Array>(), Self::List),
            (TypeId::of::<Index>(), Self::Index),
            (TypeId::of::<Version>(), Self::Version),
            (TypeId::of::<Duration>(), Self::Duration),
            (TypeId::of::<Timestamp>(), Self::Timestamp),
            (TypeId::of::<Ip>(), Self::Ip),
            (TypeId::of::<BigNumber>(), Self::Number),
        ];
        let found = kinds.iter().find(|(of, _)| *of == id);
        found.map_or(Self::Other, |(_, kind)| *kind)
    }

    /// The kind with its article.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Absent => "an absent value",
            Self::Bool => "a truth value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Map => "an object",
            Self::Version => "a version",
            Self::Duration => "a duration",
            Self::Timestamp => "a time",
            Self::Ip => "an address",
            Self::Index => "an index",
            Self::Other => "a function",
        }
    }
}

/// A value as text: how templates and `+` show it. An absent value is nothing.
pub fn show(value: &Dynamic) -> String {
    macro_rules! own {
        ($($of:ty),*) => {
            $(if let Some(own) = value.read_lock::<$of>() {
                return own.to_string();
            })*
        };
    }
    own!(ImmutableString, Node, Version, Duration, Timestamp, Ip, BigNumber);
    if let Some(list) = value.read_lock::<Array>() {
        let items: Vec<String> = list.iter().map(show_inside).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let members: Vec<String> = map
            .iter()
            .map(|(key, value)| format!("{:?}: {}", key.as_str(), show_inside(value)))
            .collect();
        return format!("{{{}}}", members.join(", "));
    }
    match value.read_lock::<Index>() {
        Some(index) => format!("index of {} rows", index.len()),
        None => value.to_string(),
    }
}

/// A value within a list or object: texts are quoted.
fn show_inside(value: &Dynamic) -> String {
    match value.read_lock::<ImmutableString>() {
        Some(text) => format!("{:?}", text.as_str()),
        None if value.is_unit() => "()".to_owned(),
        None => show(value),
    }
}

/// A value for a message: its kind and the beginning of it.
pub(super) fn describe(value: &Dynamic) -> String {
    let kind = Kind::of(value);
    match kind {
        Kind::Absent | Kind::Index | Kind::Other => kind.words().to_owned(),
        Kind::List => format!("a list of {}", value.read_lock::<Array>().map_or(0, |list| list.len())),
        Kind::Text => format!("the text {:?}", shortened(&show(value))),
        _ => {
            let words = kind.words();
            let noun = words.split_once(' ').map_or(words, |(_, noun)| noun);
            format!("the {noun} {}", shortened(&show(value)))
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The error for an argument of the wrong kind: unknown if it is absent, else failed.
pub(super) fn wrong(function: &str, wanted: &str, value: &Dynamic) -> Error {
    if value.is_unit() {
        not_known(format!("`{function}` was given an absent value"))
    } else {
        failed(format!("`{function}` takes {wanted}, not {}", describe(value)))
    }
}

/// An argument that must be a text.
pub(super) fn text(function: &str, value: &Dynamic) -> Result<ImmutableString, Error> {
    match value.read_lock::<ImmutableString>() {
        Some(text) => Ok(text.clone()),
        None => match value.as_char() {
            Ok(letter) => Ok(letter.to_string().into()),
            Err(_) => Err(wrong(function, "a text", value)),
        },
    }
}

/// An argument that must be an integer.
pub(super) fn integer(function: &str, value: &Dynamic) -> Result<i64, Error> {
    value.as_int().map_err(|_| wrong(function, "an integer", value))
}

/// An argument that must be a number, as floating-point number.
pub(super) fn number(function: &str, value: &Dynamic) -> Result<f64, Error> {
    if let Ok(number) = value.as_int() {
        Ok(number as f64)
    } else if let Ok(number) = value.as_float() {
        Ok(number)
    } else if let Some(number) = value.read_lock::<BigNumber>() {
        Ok(number.to_f64())
    } else {
        Err(wrong(function, "a number", value))
    }
}

/// What `look` finds in a value that is a list.
pub(super) fn list_or<T>(value: &Dynamic, look: impl FnOnce(&[Dynamic]) -> T) -> Option<T> {
    value.read_lock::<Array>().map(|list| look(&list))
}

/// A member of an object.
pub(super) fn member(function: &str, object: &Dynamic, name: &str) -> Result<Dynamic, Error> {
    if let Some(node) = object.read_lock::<Node>() {
        return Ok(node.get(name));
    }
    match object.read_lock::<Map>() {
        Some(map) => Ok(map.get(name).cloned().unwrap_or(Dynamic::UNIT)),
        None => Err(wrong(function, "objects", object)),
    }
}

/// What a value weighs in operations: roughly its memory, in units of 16 bytes.
pub(super) fn cells(value: &Dynamic) -> u64 {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return 1 + text.len() as u64 / 16;
    }
    if let Some(list) = value.read_lock::<Array>() {
        return 4 + cells_of(&list);
    }
    match value.read_lock::<Map>() {
        Some(map) => 4 + map.values().map(|member| 4 + cells(member)).sum::<u64>(),
        None if value.is_variant() => 4,
        None => 1,
    }
}

/// What the items of a list weigh.
pub(super) fn cells_of(list: &[Dynamic]) -> u64 {
    list.iter().map(cells).sum()
}

/// An argument of one of our own kinds.
pub(super) fn own<T: rhai::Variant + Clone>(function: &str, wanted: &str, value: &Dynamic) -> Result<T, Error> {
    match value.read_lock::<T>() {
        Some(own) => Ok(own.clone()),
        None => Err(wrong(function, wanted, value)),
    }
}
