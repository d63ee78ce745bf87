//! Decoding of texts, lists, maps and optional values.

use std::borrow::Cow;
use std::hash::Hash;
use std::ops::Deref;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Decoder, Fields, Found, FromYaml, ObjectSchema};
use crate::diagnostic::Problem;
use crate::rulebook::text::Text;
use crate::rulebook::yaml::{Node, Yaml};

/// A mapping with free keys, in the order of the file.
pub type Map<K, T> = IndexMap<K, T>;

/// A type that can be the key of a [`Map`].
pub trait Key: JsonSchema + Hash + Eq + Sized {
    /// Reads a key; a report where its syntax is wrong.
    fn from_key(key: &Text, decoder: &mut Decoder) -> Self;
}

impl Key for Text {
    fn from_key(key: &Text, _: &mut Decoder) -> Text {
        key.clone()
    }
}

impl FromYaml for Text {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Text> {
        decoder.scalar(yaml, "a text", "\"some words\"").cloned()
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // What YAML takes for a number or a boolean is read as it is written.
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

impl FromYaml for bool {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<bool> {
        let text = decoder.scalar(yaml, "`true` or `false`", "true")?;
        match text.value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                decoder.wrong_type(yaml, "`true` or `false`", "true");
                None
            }
        }
    }
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl FromYaml for $type {
            fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<$type> {
                let number = decoder.scalar(yaml, "a whole number", "1")?.value.parse().ok();
                if number.is_none() {
                    let wanted = format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX);
                    decoder.wrong_type(yaml, &wanted, "1");
                }
                number
            }
        }
    )* };
}

integers!(u16, i32);

impl<T: FromYaml> FromYaml for Option<T> {
    /// Nothing written is `None`; among the fields of a mapping it is a problem instead.
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Option<T>> {
        match yaml.value {
            Node::Null => Some(None),
            _ => T::from_yaml(yaml, decoder).map(Some),
        }
    }

    fn find(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Found<Option<T>> {
        T::find(fields, key, decoder).map(Some)
    }

    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Option<T>> {
        match T::find(fields, key, decoder) {
            Found::Value(value) => Some(Some(value)),
            // What is broken is reported; without it, the rest can be read on.
            Found::Absent | Found::Broken => Some(None),
        }
    }

    fn keys(key: &str) -> Vec<String> {
        T::keys(key)
    }

    fn describe(object: &mut ObjectSchema, key: &str, about: &str, _: bool, generator: &mut SchemaGenerator) {
        T::describe(object, key, about, false, generator);
    }
}

/// The value of a field that is empty where it is absent or broken.
fn take_or_default<T: FromYaml + Default>(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<T> {
    match T::find(fields, key, decoder) {
        Found::Value(value) => Some(value),
        Found::Absent | Found::Broken => Some(T::default()),
    }
}

impl<T: FromYaml> FromYaml for Vec<T> {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Vec<T>> {
        match &yaml.value {
            Node::Null => Some(Vec::new()),
            Node::Sequence(items) => Some(items.iter().filter_map(|item| T::from_yaml(item, decoder)).collect()),
            _ => {
                decoder.wrong_type(yaml, "a list", "[first, second]");
                None
            }
        }
    }

    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Vec<T>> {
        take_or_default(fields, key, decoder)
    }

    fn describe(object: &mut ObjectSchema, key: &str, about: &str, _: bool, generator: &mut SchemaGenerator) {
        object.property(key, about, generator.subschema_for::<Self>());
    }
}

impl<K: Key, T: FromYaml> FromYaml for Map<K, T> {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Map<K, T>> {
        let entries = match &yaml.value {
            Node::Null => return Some(Map::new()),
            Node::Mapping(entries) => entries,
            _ => {
                decoder.wrong_type(yaml, "a mapping", "{ name: value }");
                return None;
            }
        };
        let mut map = Map::new();
        for (key, yaml) in entries {
            let name = K::from_key(key, decoder);
            match T::from_yaml(yaml, decoder) {
                Some(value) => {
                    map.insert(name, value);
                }
                None => decoder.broken.push(key.clone()),
            }
        }
        Some(map)
    }

    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Map<K, T>> {
        take_or_default(fields, key, decoder)
    }

    fn describe(object: &mut ObjectSchema, key: &str, about: &str, _: bool, generator: &mut SchemaGenerator) {
        object.property(key, about, generator.subschema_for::<Self>());
    }
}

/// A list that may be written without brackets where it has one item; never empty where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T>(Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany(Vec::new())
    }
}

impl<T> FromIterator<T> for OneOrMany<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        OneOrMany(items.into_iter().collect())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: FromYaml> FromYaml for OneOrMany<T> {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<OneOrMany<T>> {
        match &yaml.value {
            Node::Sequence(items) if items.is_empty() => {
                let problem = Problem::error("empty-list", yaml.place, "this list has no items");
                decoder.report(
                    problem
                        .label("nothing in it")
                        .help("name at least one, or remove the key"),
                );
                None
            }
            Node::Sequence(_) => Vec::from_yaml(yaml, decoder).map(OneOrMany),
            _ => T::from_yaml(yaml, decoder).map(|item| OneOrMany(vec![item])),
        }
    }

    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<OneOrMany<T>> {
        take_or_default(fields, key, decoder)
    }

    fn describe(object: &mut ObjectSchema, key: &str, about: &str, _: bool, generator: &mut SchemaGenerator) {
        object.property(key, about, generator.subschema_for::<Self>());
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "minItems": 1, "items": item }] })
    }
}
