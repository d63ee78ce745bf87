//! JSON Schemas of the declared types.

use std::borrow::Cow;

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

/// The schema of a mapping with fixed keys, while it is built.
#[derive(Debug, Default)]
pub struct ObjectSchema {
    about: String,
    properties: Map<String, Value>,
    required: Vec<String>,
    choices: Vec<Value>,
    short: bool,
}

impl ObjectSchema {
    /// A mapping that is described by these words.
    pub fn new(about: &str) -> ObjectSchema {
        ObjectSchema {
            about: about.to_owned(),
            ..ObjectSchema::default()
        }
    }

    /// Requires a key.
    pub fn require(&mut self, key: &str) {
        self.required.push(key.to_owned());
    }

    /// Adds a key and what it holds.
    pub fn property(&mut self, key: &str, about: &str, schema: Schema) {
        self.properties
            .insert(key.to_owned(), described(about, schema).to_value());
    }

    /// Demands that exactly one of these keys is there, or at most one.
    pub fn one_of(&mut self, keys: &[&str], required: bool) {
        let with = |key: &&str| json!({ "required": [key] });
        let mut options: Vec<Value> = keys.iter().map(with).collect();
        if !required {
            options.push(json!({ "not": { "anyOf": keys.iter().map(with).collect::<Vec<_>>() } }));
        }
        self.choices.push(json!({ "oneOf": options }));
    }

    /// Allows the value of one key to stand alone in place of the mapping.
    pub fn short_for(&mut self, _: &str) {
        self.short = true;
    }

    /// The finished schema.
    pub fn finish(self) -> Schema {
        let mut schema = json_schema!({
            "type": "object",
            "description": self.about,
            "properties": self.properties,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), json!(self.required));
        }
        if !self.choices.is_empty() {
            schema.insert("allOf".to_owned(), json!(self.choices));
        }
        match self.short {
            true => json_schema!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, schema] }),
            false => schema,
        }
    }
}

/// A schema with a description of its own; a reference is wrapped, since draft 7 ignores what stands beside one.
fn described(about: &str, mut schema: Schema) -> Schema {
    if schema.get("$ref").is_some() {
        schema = json_schema!({ "allOf": [schema] });
    }
    if !about.is_empty() {
        schema.insert("description".to_owned(), json!(about));
    }
    schema
}

/// The schema of a mapping with exactly one of some keys, or of the bare word where that suffices.
pub fn one_key_of(about: &str, options: Vec<(&str, String, Schema)>) -> Schema {
    let words: Vec<&str> = options.iter().map(|(key, ..)| *key).collect();
    let mut object = ObjectSchema::new(about);
    for (key, about, schema) in &options {
        object.property(key, about, schema.clone());
    }
    object.one_of(&words, true);
    json_schema!({ "description": about, "oneOf": [{ "enum": words }, object.finish()] })
}

/// The schema of a closed list of words.
pub fn closed_words(about: &str, words: &[(&str, &str)]) -> Schema {
    let options: Vec<Value> = words
        .iter()
        .map(|(word, about)| json!({ "const": word, "description": about }))
        .collect();
    json_schema!({ "description": about, "oneOf": options })
}

/// How a field is written in YAML: `explained_by` and `r#try` as `explained-by` and `try`.
pub fn key_of(field: &'static str) -> Cow<'static, str> {
    let field = field.strip_prefix("r#").unwrap_or(field);
    if field.contains('_') {
        field.replace('_', "-").into()
    } else {
        field.into()
    }
}

/// The lines of a doc comment as running text.
pub fn prose(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join("\n").trim().to_owned()
}
