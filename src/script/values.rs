//! Words for values, and the checks that functions make of their arguments.

use std::any::TypeId;
use std::fmt::{self, Write};

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::Node;
use super::number::BigNumber;
use super::problem::{Error, failed, not_known};
use super::redacted::{is_redacted, redacted};
use super::session;

/// Longest piece of a value in a message, in characters.
const SHOWN: usize = 40;
/// How much of a value a template shows, in bytes.
const LONGEST_SHOWN: usize = 1 << 16;
/// Depth of lists and objects in each other.
const DEEPEST: usize = 128;

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
            Self::Other => "a function or a range",
        }
    }
}

/// A value as text, as templates show it: of an absent value nothing, of a long list or object the beginning.
pub fn show(value: &Dynamic) -> String {
    let mut out = Cut::new(LONGEST_SHOWN);
    if write_value(&mut out, value).is_err() {
        out.text.push_str("...");
    }
    out.text
}

/// The whole value as text.
///
/// # Errors
/// Failed if it is longer than a string may be.
pub(super) fn whole_text(value: &Dynamic) -> Result<String, Error> {
    let mut out = Cut::new(session::longest_string());
    match write_value(&mut out, value) {
        Ok(()) => Ok(out.text),
        Err(_) => Err(session::too_long()),
    }
}

/// A text that may grow to a limit.
struct Cut {
    text: String,
    limit: usize,
}

impl Cut {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }
}

impl fmt::Write for Cut {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.limit - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

fn write_value(out: &mut Cut, value: &Dynamic) -> fmt::Result {
    macro_rules! own {
        ($($of:ty),*) => {
            $(if let Some(own) = value.read_lock::<$of>() {
                return write!(out, "{}", *own);
            })*
        };
    }
    own!(ImmutableString, Node, Version, Duration, Timestamp, Ip, BigNumber);
    if let Some(list) = value.read_lock::<Array>() {
        return write_all(out, ["[", "]"], list.iter().map(|item| (None, item)));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return write_all(
            out,
            ["{", "}"],
            map.iter().map(|(key, value)| (Some(key.as_str()), value)),
        );
    }
    if let Ok(number) = value.as_float() {
        return write!(out, "{number}");
    }
    match value.read_lock::<Index>() {
        Some(index) => write!(out, "an index of {} rows", index.len()),
        None => write!(out, "{value}"),
    }
}

fn write_all<'v>(
    out: &mut Cut,
    [open, close]: [&str; 2],
    items: impl Iterator<Item = (Option<&'v str>, &'v Dynamic)>,
) -> fmt::Result {
    let mut gap = open;
    for (key, item) in items {
        out.write_str(gap)?;
        gap = ", ";
        if let Some(key) = key {
            write!(out, "{key:?}: ")?;
        }
        match item.read_lock::<ImmutableString>() {
            Some(text) => write!(out, "{:?}", text.as_str())?,
            None if item.is_unit() => out.write_str("()")?,
            None => write_value(out, item)?,
        }
    }
    if gap == open {
        out.write_str(open)?;
    }
    out.write_str(close)
}

/// A value for a message: its kind and the beginning of it.
pub(super) fn describe(value: &Dynamic) -> String {
    let kind = Kind::of(value);
    match kind {
        Kind::Absent | Kind::Index | Kind::Other => kind.words().to_owned(),
        Kind::List => format!("a list of {}", value.read_lock::<Array>().map_or(0, |list| list.len())),
        Kind::Text => format!("the text {:?}", shortened(&shown(value))),
        _ => {
            let words = kind.words();
            let noun = words.split_once(' ').map_or(words, |(_, noun)| noun);
            format!("the {noun} {}", shortened(&shown(value)))
        }
    }
}

/// A value as the report may show it.
fn shown(value: &Dynamic) -> String {
    session::names().map_or_else(|| show(value), |names| names.shown(value))
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
    } else if is_redacted(value) {
        redacted()
    } else {
        failed(format!("`{function}` takes {wanted}, not {}", describe(value)))
    }
}

/// An argument that must be a text.
pub(super) fn text(function: &str, value: &Dynamic) -> Result<ImmutableString, Error> {
    match value.read_lock::<ImmutableString>() {
        Some(_) if is_redacted(value) => Err(redacted()),
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

/// A member of an object: an absence if it has none, nothing if the value is no object.
pub fn member(object: &Dynamic, name: &str) -> Option<Dynamic> {
    if let Some(node) = object.read_lock::<Node>() {
        return Some(node.get(name));
    }
    let map = object.read_lock::<Map>()?;
    Some(map.get(name).cloned().unwrap_or(Dynamic::UNIT))
}

/// Pays for a value that is copied or kept: roughly its memory, in units of 16 bytes.
///
/// # Errors
/// Failed if the operations are used up, or if the value is nested so deep that no evidence is.
pub(super) fn pay(value: &Dynamic) -> Result<(), Error> {
    session::charge(cells(value, 0)?)
}

/// Pays for the items of a list.
pub(super) fn pay_all(list: &[Dynamic]) -> Result<(), Error> {
    let mut sum = 0;
    for item in list {
        sum += cells(item, 1)?;
    }
    session::charge(sum)
}

fn cells(value: &Dynamic, depth: usize) -> Result<u64, Error> {
    if depth > DEEPEST {
        return Err(failed(format!(
            "the script made a value more than {DEEPEST} levels deep"
        )));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(1 + text.len() as u64 / 16);
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().try_fold(4, |sum, item| Ok(sum + cells(item, depth + 1)?));
    }
    match value.read_lock::<Map>() {
        // Even the smallest map has room for eleven members.
        Some(map) => map
            .values()
            .try_fold(30, |sum, member| Ok(sum + 2 + cells(member, depth + 1)?)),
        None if value.is_variant() => Ok(4),
        None => Ok(1),
    }
}

/// An argument of one of our own kinds.
pub(super) fn own<T: rhai::Variant + Clone>(function: &str, wanted: &str, value: &Dynamic) -> Result<T, Error> {
    match value.read_lock::<T>() {
        Some(own) => Ok(own.clone()),
        None => Err(wrong(function, wanted, value)),
    }
}
