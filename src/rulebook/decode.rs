//! YAML trees to typed specs, every problem reported.
//!
//! `spec!`, `choice!` and `words!` declare what may be written: each declaration gives the Rust type, its
//! decoder and its JSON Schema, so that the three cannot disagree. Doc comments become the schema's descriptions.

mod common;
mod fields;
#[macro_use]
mod macros;
mod choices;
mod schema;

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator};

pub use choices::{alone, among, word};
pub use common::{Key, Map, OneOrMany};
pub use fields::{Fields, in_full};
pub use schema::{ObjectSchema, closed_words, key_of, one_key_of, prose};

use super::text::Text;
use super::yaml::{Node, Yaml};
use crate::diagnostic::{Problem, Problems, quoted};

/// Collects what a decoding meets.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The problems so far
    pub problems: Problems,
    /// Keys of maps whose values could not be read: names that are declared all the same
    pub broken: Vec<Text>,
}

impl Decoder {
    /// Adds what another has met.
    pub fn add(&mut self, other: Decoder) {
        self.problems.extend(other.problems);
        self.broken.extend(other.broken);
    }

    /// Reports a problem.
    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Reports a value that is of the wrong type; `wanted` reads like "a list of texts", `example` is YAML.
    pub fn wrong_type(&mut self, yaml: &Yaml, wanted: &str, example: &str) {
        if matches!(yaml.value, Node::Unusable) {
            return;
        }
        let found = found(yaml);
        let problem = Problem::error("wrong-type", yaml.place, format!("expected {wanted}, found {found}"));
        self.report(
            problem
                .label(format!("this is {found}"))
                .help(format!("for example: {example}")),
        );
    }

    /// Reports a key that holds nothing.
    pub fn empty(&mut self, yaml: &Yaml, wanted: &str) {
        let problem = Problem::error("empty-value", yaml.head, "there is no value here");
        self.report(
            problem
                .label(format!("expected {wanted}"))
                .help("write a value, or remove the key"),
        );
    }

    /// Reports a key that does not belong where it is written.
    pub fn misplaced(&mut self, key: Option<&Text>, message: &str, help: &str) {
        let Some(key) = key else { return };
        self.report(
            Problem::error("misplaced-key", key.place, message)
                .label("not here")
                .help(help),
        );
    }

    /// Reports a mapping that lacks a key, or has nothing under it.
    pub fn needs(&mut self, yaml: &Yaml, what: &str, key: &str, example: &str) {
        let problem = match yaml.entry(key) {
            Some((_, value)) if !value.is_hollow() => return,
            Some((found, _)) => {
                Problem::error("empty-list", found.place, format!("there is nothing in `{key}`")).label("nothing in it")
            }
            None => {
                Problem::error("missing-key", yaml.head, format!("this {what} has no `{key}`")).label("needed here")
            }
        };
        self.report(problem.help(format!("for example: {key}: {example}")));
    }

    /// The scalar that a node is, or a report of what it is instead.
    pub fn scalar<'y>(&mut self, yaml: &'y Yaml, wanted: &str, example: &str) -> Option<&'y Text> {
        match &yaml.value {
            Node::Scalar(text) => Some(text),
            Node::Null => {
                self.empty(yaml, wanted);
                None
            }
            _ => {
                self.wrong_type(yaml, wanted, example);
                None
            }
        }
    }
}

fn found(yaml: &Yaml) -> Cow<'static, str> {
    match &yaml.value {
        Node::Null | Node::Unusable => "nothing".into(),
        Node::Sequence(_) => "a list".into(),
        Node::Mapping(_) => "a mapping".into(),
        Node::Scalar(text) => quoted(text).into(),
    }
}

/// How the search for a field went.
#[derive(Debug)]
pub enum Found<T> {
    /// It is not written
    Absent,
    /// It is written, but cannot be read; that is reported already
    Broken,
    /// It is written
    Value(T),
}

impl<T> Found<T> {
    /// Found, where `value` is what a decoder made of a field that is written.
    pub fn of(value: Option<T>) -> Found<T> {
        value.map_or(Found::Broken, Found::Value)
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Found::Absent => Found::Absent,
            Found::Broken => Found::Broken,
            Found::Value(value) => Found::Value(change(value)),
        }
    }
}

/// A type that can be written in YAML.
pub trait FromYaml: JsonSchema + Sized {
    /// Reads a node. `None` after a report of why that is not possible.
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Self>;

    /// Looks for the value among the fields of a mapping.
    fn find(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Found<Self> {
        match fields.take(key) {
            Some(yaml) => Found::of(Self::from_yaml(yaml, decoder)),
            None => Found::Absent,
        }
    }

    /// Takes the value from the fields of a mapping, with a note where it is missing.
    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Self> {
        match Self::find(fields, key, decoder) {
            Found::Value(value) => Some(value),
            Found::Broken => None,
            Found::Absent => {
                fields.missing(Self::keys(key));
                None
            }
        }
    }

    /// The keys under which a field of this type is written, where the field is called `key`.
    fn keys(key: &str) -> Vec<String> {
        vec![key.to_owned()]
    }

    /// Adds a field of this type to the schema of a mapping; `required` is false where it stands in an `Option`.
    fn describe(object: &mut ObjectSchema, key: &str, about: &str, required: bool, generator: &mut SchemaGenerator) {
        if required {
            object.require(key);
        }
        object.property(key, about, generator.subschema_for::<Self>());
    }
}
