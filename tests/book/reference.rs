//! Pages that are made from the code.

use std::fmt::Write;

use casebook::rulebook::spec::{CaseFileSpec, RulebookSpec};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Says where a page comes from, so that nobody mends it by hand.
pub(crate) const GENERATED: &str = "<!-- Generated from the code: `CASEBOOK_UPDATE=1 cargo test --test book` -->\n\n";

/// The page of the functions for scripts.
pub(crate) fn functions() -> String {
    let mut page = format!("# Functions for scripts\n\n{GENERATED}");
    page += "All are pure: none reads a clock, a file or a network, and none is random. Most can be written both ways: `len(list)` and\n\
             `list.len()`. Each example is run as a test and gives `true`. A parameter that ends with `?` may be left out.\n";
    let mut functions: Vec<_> = casebook::script::functions().collect();
    functions.sort_by_key(|function| function.name);
    for function in functions {
        let example = function.example.trim();
        write!(
            page,
            "\n## {}\n\n`{}`\n\n{}\n\n```rust\n{example}\n```\n",
            function.name, function.signature, function.about
        )
        .unwrap();
    }
    page
}

/// The page of all keys.
pub(crate) fn format() -> String {
    let mut page = format!("# Keys of rulebooks and cases\n\n{GENERATED}");
    page += "Every YAML file of a rulebook begins with `casebook: 1`. A `rulebook.yaml` has the keys of a rulebook, further files beside\n\
             it have its sections (`inputs`, `subjects`, `probes`, `facts`, `rules`, `guides`, `views`), files in `cases/` have cases.\n";
    page += &types::<RulebookSpec>("Rulebook");
    page += &types::<CaseFileSpec>("File of cases");
    page
}

fn types<T: JsonSchema>(title: &str) -> String {
    let schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    let mut text = section(title, &schema);
    let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    for (name, definition) in definitions {
        let name = name.strip_suffix("Spec").unwrap_or(&name);
        text += &section(name, &definition);
    }
    text
}

/// A type that has keys, or is a list of words; other types are told where they are used.
fn section(name: &str, schema: &Value) -> String {
    let about = schema["description"].as_str().unwrap_or_default();
    let mut text = format!("\n## {name}\n\n");
    if !about.is_empty() {
        text += &format!("{about}\n\n");
    }
    let heading = text.len();
    for object in std::iter::once(schema).chain(options(schema)) {
        text += &keys(object);
    }
    text += &words(schema);
    if text.len() > heading { text } else { String::new() }
}

/// The forms that a value may have.
fn options(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array());
    lists.flatten()
}

fn keys(schema: &Value) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        return String::new();
    };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut table = "| key | holds | meaning |\n|---|---|---|\n".to_owned();
    for (key, value) in properties {
        let about = value["description"].as_str().unwrap_or_default().replace('\n', " ");
        let must = if required.iter().any(|name| name == key) {
            " (required)"
        } else {
            ""
        };
        writeln!(
            table,
            "| `{key}`{must} | {} | {} |",
            holds(value),
            about.replace('|', "\\|")
        )
        .unwrap();
    }
    table
}

fn words(schema: &Value) -> String {
    let words: Vec<&Value> = options(schema).filter(|option| option["const"].is_string()).collect();
    if words.is_empty() {
        return String::new();
    }
    let mut table = "| word | meaning |\n|---|---|\n".to_owned();
    for word in words {
        let (word, about) = (
            word["const"].as_str().unwrap(),
            word["description"].as_str().unwrap_or_default(),
        );
        writeln!(table, "| `{word}` | {about} |").unwrap();
    }
    table
}

/// What a key holds, in a few words.
fn holds(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix("Spec").unwrap_or(name);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(only) = schema["allOf"].as_array().filter(|all| all.len() == 1) {
        return holds(&only[0]);
    }
    let forms: Vec<String> = options(schema).map(holds).filter(|form| !form.is_empty()).collect();
    if !forms.is_empty() {
        let mut forms = forms;
        forms.dedup();
        return forms.join(" or ");
    }
    if schema["const"].is_number() {
        return format!("`{}`", schema["const"]);
    }
    if schema["type"].is_array() {
        return "text".to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", holds(&schema["items"])),
        Some("object") => {
            let named = schema["patternProperties"]
                .as_object()
                .and_then(|patterns| patterns.values().next());
            let value = named.unwrap_or(&schema["additionalProperties"]);
            if value.is_object() {
                format!("map to {}", holds(value))
            } else {
                "keys".to_owned()
            }
        }
        Some("string") => "text".to_owned(),
        Some(kind) => kind.to_owned(),
        None => String::new(),
    }
}
