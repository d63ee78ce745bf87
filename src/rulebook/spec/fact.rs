//! Facts: named extractions and derived values.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{ItemId, Script, Value};
use crate::diagnostic::{Place, Problem};
use crate::rulebook::decode::{Decoder, FromYaml, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

/// A fact as written, its kind told apart.
#[derive(Debug, Clone)]
pub struct FactSpec {
    /// What it tells
    pub about: Option<Text>,
    /// How it is had
    pub kind: FactKind,
    /// Whether truncated evidence suffices
    pub partial: Option<Partial>,
    /// Where it is written
    pub place: Place,
}

/// How a fact is had.
#[derive(Debug, Clone)]
pub enum FactKind {
    /// From a document
    From(Extract),
    /// A script over other facts
    Let {
        /// The script
        script: Script,
        /// Kind of subject over which it is listed
        over: Option<ItemId>,
    },
    /// A hash index of a list
    Index {
        /// The list
        list: ItemId,
        /// Key of its rows
        by: Text,
    },
    /// The first of several facts that is known
    Prefer(OneOrMany<ItemId>),
    /// Two lists compared
    Differ {
        /// One list
        left: ItemId,
        /// The other
        right: ItemId,
        /// Key by which their rows belong together
        by: Text,
    },
}

/// An extraction from a document.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The probe whose document it is
    pub from: ItemId,
    /// What is taken
    pub select: Select,
    /// What must be there, and is `$` to the paths
    pub within: Option<Text>,
    /// Whether the first of several nodes will do
    pub first: bool,
    /// Value where good evidence has no such node
    pub default: Option<Value>,
    /// Regular expression to apply to each text
    pub capture: Option<Text>,
}

spec! {
    /// A named extraction from a document, or a value derived from other facts
    pub struct FactFields as "fact" {
        /// What it tells
        pub about: Option<Text>,
        /// How it is had
        pub kind: FactKey,
        /// What is taken from a document
        pub select: Option<Select>,
        /// JSONPath that must match, else the fact is unknown; `$` of the other paths is its node
        pub within: Option<Text>,
        /// Take the first where several nodes match
        pub first: Option<bool>,
        /// Value where good evidence has no such node; `null` is the absent value
        pub default: Option<Value>,
        /// Regular expression for each text; named groups become keys, what does not match is dropped
        pub capture: Option<Text>,
        /// Key of the rows of an index or a comparison
        pub by: Option<Text>,
        /// Kind of subject over which `let` is listed, as rows of subject and value
        pub over: Option<ItemId>,
        /// `ok` where the newest part of truncated evidence suffices for a pass and a fail; without it, neither rests on what was cut off
        pub partial: Option<Partial>,
    }
    shape shape_fact
}

choice! {
    /// How a fact is had
    pub enum FactKey in parent {
        /// Probe whose document it is taken from, with `one` or `all`
        From(ItemId) = "from",
        /// Script over other facts
        Let(Script) = "let",
        /// List fact to index, with `by`
        Index(ItemId) = "index",
        /// Facts of which the first that is known counts
        Prefer(OneOrMany<ItemId>) = "prefer",
        /// Two list facts to compare, with `by`
        Differ(Vec<ItemId>) = "differ",
    }
}

choice! {
    /// What is taken from a document
    pub enum Select in parent {
        /// JSONPath of exactly one node; of a list of paths, the union
        One(OneOrMany<Text>) = "one",
        /// JSONPath of any number of nodes; of a list of paths, the union
        All(OneOrMany<Text>) = "all",
    }
}

words! {
    /// Whether truncated evidence suffices
    pub enum Partial as "word for `partial`" {
        /// It does
        Ok = "ok",
    }
}

/// Keys that belong to some kinds of facts only.
const MODIFIERS: &[(&str, &[&str])] = &[
    ("one", &["from"]),
    ("all", &["from"]),
    ("within", &["from"]),
    ("first", &["from"]),
    ("default", &["from"]),
    ("capture", &["from"]),
    ("by", &["index", "differ"]),
    ("over", &["let"]),
];

fn shape_fact(object: &mut ObjectSchema) {
    for (modifier, kinds) in MODIFIERS {
        object.only_with(modifier, kinds);
    }
    object.only_with("from", Select::KEYS);
    object.only_with("index", &["by"]);
    object.only_with("differ", &["by"]);
    object.never_with("all", &["first", "default"]);
}

impl FromYaml for FactSpec {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<FactSpec> {
        let fields = FactFields::from_yaml(yaml, decoder)?;
        fields.check_modifiers(yaml, decoder);
        let (about, partial, place) = (fields.about.clone(), fields.partial, fields.place);
        let kind = fields.kind(yaml, decoder)?;
        Some(FactSpec {
            about,
            kind,
            partial,
            place,
        })
    }
}

impl FactFields {
    fn check_modifiers(&self, yaml: &Yaml, decoder: &mut Decoder) {
        let kind = self.kind.key();
        for (modifier, kinds) in MODIFIERS.iter().filter(|(_, kinds)| !kinds.contains(&kind)) {
            let Some(key) = yaml.key(modifier) else { continue };
            let message = format!("`{modifier}` does not belong to a fact with `{kind}`");
            let mut problem = Problem::error("misplaced-key", key.place, message).label("not here");
            if let Some(kind) = yaml.key(kind) {
                problem = problem.related(kind.place, "the fact is of this kind");
            }
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            decoder.report(problem.help(format!("`{modifier}` goes with {}", kinds.join(" or "))));
        }
        if let Some(Select::All(_)) = self.select {
            let help = "it goes with `one`; a list that may be empty needs neither";
            decoder.misplaced(yaml.key("first"), "`all` takes every node, so there is no first", help);
            decoder.misplaced(
                yaml.key("default"),
                "`all` gives an empty list where nothing matches",
                help,
            );
        }
    }

    fn kind(self, yaml: &Yaml, decoder: &mut Decoder) -> Option<FactKind> {
        Some(match self.kind {
            FactKey::From(from) => FactKind::From(Extract {
                from,
                select: needed(self.select, Select::KEYS, yaml, decoder)?,
                within: self.within,
                first: self.first.unwrap_or(false),
                default: self.default,
                capture: self.capture,
            }),
            FactKey::Let(script) => FactKind::Let {
                script,
                over: self.over,
            },
            FactKey::Index(list) => FactKind::Index {
                list,
                by: needed(self.by, &["by"], yaml, decoder)?,
            },
            FactKey::Prefer(facts) => FactKind::Prefer(facts),
            FactKey::Differ(lists) => {
                let by = needed(self.by, &["by"], yaml, decoder);
                let [left, right] = pair(lists, yaml, decoder)?;
                FactKind::Differ { left, right, by: by? }
            }
        })
    }
}

/// A value that this kind of fact must have; a report where none of its keys is written.
fn needed<T>(value: Option<T>, keys: &[&str], yaml: &Yaml, decoder: &mut Decoder) -> Option<T> {
    if value.is_none() && keys.iter().all(|key| yaml.key(key).is_none()) {
        let keys = keys
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(" or ");
        let problem = Problem::error("missing-key", yaml.head, format!("this fact has no {keys}"));
        decoder.report(problem.label("needed here").help(format!("add {keys}")));
    }
    value
}

fn pair(lists: Vec<ItemId>, yaml: &Yaml, decoder: &mut Decoder) -> Option<[ItemId; 2]> {
    lists
        .try_into()
        .map_err(|lists: Vec<ItemId>| {
            let message = format!("`differ` compares two lists, not {}", lists.len());
            decoder.misplaced(yaml.key("differ"), &message, "write `differ: [one_list, other_list]`");
        })
        .ok()
}

impl JsonSchema for FactSpec {
    fn schema_name() -> Cow<'static, str> {
        "FactSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        FactFields::json_schema(generator)
    }
}
