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
    conditions: Vec<Value>,
    dependencies: Map<String, Value>,
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
        self.conditions.push(json!({ "oneOf": options }));
    }

    /// Demands that at least one of these keys is there.
    pub fn any_of(&mut self, keys: &[&str]) {
        self.conditions.push(any_of(keys));
    }

    /// Demands that a key stands only beside one of these.
    pub fn only_with(&mut self, key: &str, others: &[&str]) {
        self.where_there(key, any_of(others));
    }

    /// Demands that a key stands beside none of these.
    pub fn never_with(&mut self, key: &str, others: &[&str]) {
        self.where_there(key, json!({ "not": any_of(others) }));
    }

    fn where_there(&mut self, key: &str, demand: Value) {
        let all = self.dependencies.entry(key).or_insert_with(|| json!({ "allOf": [] }));
        if let Some(Value::Array(demands)) = all.get_mut("allOf") {
            demands.push(demand);
        }
    }

    /// Demands that something is in a list or mapping, where it is written.
    pub fn not_hollow(&mut self, key: &str) {
        if let Some(Value::Object(property)) = self.properties.get_mut(key) {
            let list = property.get("type") == Some(&json!("array"));
            property.insert(if list { "minItems" } else { "minProperties" }.to_owned(), json!(1));
        }
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
        if !self.conditions.is_empty() {
            schema.insert("allOf".to_owned(), json!(self.conditions));
        }
        if !self.dependencies.is_empty() {
            schema.insert("dependencies".to_owned(), json!(self.dependencies));
        }
        match self.short {
            true => json_schema!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, schema] }),
            false => schema,
        }
    }
}

/// That at least one of these keys is there.
fn any_of(keys: &[&str]) -> Value {
    json!({ "anyOf": keys.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() })
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

/// The schema of a mapping with exactly one of some keys, or of the bare word of one whose value may be empty.
pub fn one_key_of(about: &str, options: Vec<(&str, String, Schema)>, definitions: &Map<String, Value>) -> Schema {
    let may_be_empty = |schema: &Schema| {
        let name = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| path.rsplit('/').next());
        let definition = name.and_then(|name| definitions.get(name));
        definition.is_some_and(|definition| definition.get("required").is_none())
    };
    let bare = options.iter().filter(|(.., schema)| may_be_empty(schema));
    let bare: Vec<(&str, &str)> = bare.map(|(key, about, _)| (*key, about.as_str())).collect();
    let keys: Vec<&str> = options.iter().map(|(key, ..)| *key).collect();
    let mut object = ObjectSchema::new(about);
    object.one_of(&keys, true);
    for (key, about, schema) in options.iter().cloned() {
        object.property(key, &about, schema);
    }
    json_schema!({ "description": about, "oneOf": [closed_words(about, &bare), object.finish()] })
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
