//! A hash index over the rows of a list, for `index:` facts.

use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString};
use rustc_hash::FxHashMap;

use super::redacted::{holds_redacted, may_have_been_same};

/// A value that rows can be found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Text(ImmutableString),
    Int(i64),
    Bool(bool),
}

impl Key {
    pub(super) fn of(value: &Dynamic) -> Option<Self> {
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Some(Self::Text(text.clone()));
        }
        match (value.as_int(), value.as_bool()) {
            (Ok(number), _) => Some(Self::Int(number)),
            (_, Ok(truth)) => Some(Self::Bool(truth)),
            _ => value.as_char().ok().map(|letter| Self::Text(letter.to_string().into())),
        }
    }
}

#[derive(Debug)]
struct Table {
    rows: Array,
    by_key: FxHashMap<Key, Vec<u32>>,
    keys: Vec<Dynamic>,
    /// Those of the keys that something was taken out of.
    redacted: Vec<Dynamic>,
}

/// Rows by a key of theirs: `name in index`, `index[name]`, `index.all(name)`.
#[derive(Debug, Clone)]
pub struct Index(Arc<Table>);

impl Index {
    /// Builds an index of pairs of key and row. Rows whose key is no text, integer or truth value are left out.
    pub fn new(pairs: impl IntoIterator<Item = (Dynamic, Dynamic)>) -> Self {
        let mut table = Table {
            rows: Array::new(),
            by_key: FxHashMap::default(),
            keys: Vec::new(),
            redacted: Vec::new(),
        };
        for (key, row) in pairs {
            let Some(hashed) = Key::of(&key) else {
                continue;
            };
            let rows = table.by_key.entry(hashed).or_default();
            if rows.is_empty() {
                if holds_redacted(&key) {
                    table.redacted.push(key.clone());
                }
                table.keys.push(key);
            }
            rows.push(table.rows.len() as u32);
            table.rows.push(row);
        }
        Self(Arc::new(table))
    }

    /// Whether a row has this key.
    pub fn contains(&self, key: &Dynamic) -> bool {
        Key::of(key).is_some_and(|key| self.0.by_key.contains_key(&key))
    }

    /// Whether a row may have had this key before something was taken out of the evidence.
    pub(super) fn may_contain(&self, key: &Dynamic) -> bool {
        let redacted = holds_redacted(key) && !self.0.keys.is_empty();
        redacted || self.0.redacted.iter().any(|other| may_have_been_same(other, key))
    }

    /// The first row with this key.
    pub fn first(&self, key: &Dynamic) -> Option<Dynamic> {
        self.rows(key).next()
    }

    /// All rows with this key.
    pub fn all(&self, key: &Dynamic) -> Array {
        self.rows(key).collect()
    }

    /// The keys, in the order of their first rows.
    pub fn keys(&self) -> &[Dynamic] {
        &self.0.keys
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn rows(&self, key: &Dynamic) -> impl Iterator<Item = Dynamic> + '_ {
        let found = Key::of(key).and_then(|key| self.0.by_key.get(&key));
        found
            .into_iter()
            .flatten()
            .filter_map(|row| self.0.rows.get(*row as usize).cloned())
    }
}
