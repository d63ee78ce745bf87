//! The published schemas are those of the types.

#![allow(clippy::unwrap_used)]

use casebook::bundle::Manifest;
use casebook::report::model::Report;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

#[test]
fn report_schema_is_that_of_the_types() {
    check("report.schema.json", &schema::<Report>());
}

#[test]
fn bundle_schema_is_that_of_the_types() {
    check("bundle.schema.json", &schema::<Manifest>());
}

fn schema<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// Compares a schema with its file, or writes the file where `CASEBOOK_UPDATE` is set
fn check(name: &str, generated: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(name);
    if std::env::var_os("CASEBOOK_UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "schemas/{name} is out of date: run `CASEBOOK_UPDATE=1 cargo test --test schema`"
    );
}
