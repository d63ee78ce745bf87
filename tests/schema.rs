//! The published schemas are those of the types, and an independent validator agrees with the loader on what is right
//! and what is wrong.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use casebook::bundle::Manifest;
use casebook::probe::Plan;
use casebook::report::guide::Walked;
use casebook::report::model::Report;
use casebook::rulebook::load::Loaded;
use casebook::rulebook::spec::{AnyFile, CaseFileSpec};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

const BAD: &str = include_str!("schema/bad.txt");

#[test]
fn report_schema_is_that_of_the_types() {
    check("report", &schema::<Report>());
}

#[test]
fn bundle_schema_is_that_of_the_types() {
    check("bundle", &schema::<Manifest>());
}

#[test]
fn rulebook_schema_is_that_of_the_types() {
    check("rulebook", &schema::<AnyFile>());
}

#[test]
fn cases_schema_is_that_of_the_types() {
    check("cases", &schema::<CaseFileSpec>());
}

#[test]
fn guide_schema_is_that_of_the_types() {
    check("guide", &schema::<Walked>());
}

#[test]
fn plan_schema_is_that_of_the_types() {
    check("plan", &schema::<Plan>());
}

fn schema<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// The path of something of this project.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a schema with its file, or writes the file where `CASEBOOK_UPDATE` is set; the binary prints the same.
fn check(name: &str, generated: &str) {
    let path = here("schemas").join(format!("{name}.schema.json"));
    if std::env::var_os("CASEBOOK_UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "schemas/{name}.schema.json is out of date: run `CASEBOOK_UPDATE=1 cargo test --test schema`"
    );
    let ran = common::run(&["schema", name]);
    assert_eq!((ran.code, ran.stdout == written), (0, true));
}

/// The shipped YAML files that a schema is of: files of rulebooks, and files of their cases.
fn shipped() -> [Vec<PathBuf>; 2] {
    let files = walkdir::WalkDir::new(here("rulebooks")).sort_by_file_name();
    let files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let yaml = files.filter(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"));
    let folder = |path: &Path| path.parent().unwrap().file_name().unwrap().to_owned();
    let evidence = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "evidence");
    let (cases, rulebooks) = yaml
        .filter(|path| !evidence(path))
        .partition(|path| folder(path) == "cases");
    [rulebooks, cases]
}

/// Editors find the schema by the first line.
#[test]
fn every_shipped_file_names_its_schema() {
    let mut without = Vec::new();
    for (files, up, name) in shipped()
        .iter()
        .zip(["../../", "../../../"])
        .zip(["rulebook", "cases"])
        .map(|((f, u), n)| (f, u, n))
    {
        assert!(!files.is_empty());
        let line = format!("# yaml-language-server: $schema={up}schemas/{name}.schema.json");
        let lacks = |path: &&PathBuf| std::fs::read_to_string(path).unwrap().lines().next() != Some(line.as_str());
        without.extend(
            files
                .iter()
                .filter(lacks)
                .map(|path| format!("{}: begin it with `{line}`", path.display())),
        );
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}

/// The independent validator: PyPI `check-jsonschema`, which `.ci/run` installs. Without it the test is skipped, in one printed line.
#[allow(clippy::print_stderr)] // a skip is told on standard error
fn validator() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CASEBOOK_VALIDATOR") {
        return Some(path.into());
    }
    let found = here("target/venv/bin/check-jsonschema");
    if found.is_file() {
        return Some(found);
    }
    eprintln!("skipped: no check-jsonschema here; `.ci/run` installs it");
    None
}

/// The files that the validator refuses, with its words.
fn refused(validator: &Path, schema: &str, files: &[PathBuf]) -> Vec<(String, String)> {
    let schema = here("schemas").join(format!("{schema}.schema.json"));
    let mut command = Command::new(validator);
    command
        .args(["--output-format", "json", "--schemafile"])
        .arg(schema)
        .args(files);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", validator.display()));
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let list = |key: &str| said[key].as_array().cloned().unwrap_or_default();
    let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let errors = list("errors").into_iter().chain(list("parse_errors"));
    errors
        .map(|error| (text(&error, "filename"), text(&error, "message")))
        .collect()
}

#[test]
fn an_independent_validator_accepts_what_is_shipped() {
    let Some(validator) = validator() else { return };
    let [mut rulebooks, cases] = shipped();
    // A file with every construct of the format, its documents apart.
    let folder = tempfile::tempdir().unwrap();
    let excerpt = std::fs::read_to_string(here("tests/rulebook/excerpt.yaml")).unwrap();
    for (nth, document) in excerpt.split("\n---").enumerate() {
        let path = folder.path().join(format!("{nth}.yaml"));
        std::fs::write(&path, document).unwrap();
        rulebooks.push(path);
    }
    assert_eq!(refused(&validator, "rulebook", &rulebooks), []);
    assert_eq!(refused(&validator, "cases", &cases), []);
}

#[test]
fn what_is_wrong_is_refused_by_the_validator_and_by_the_loader() {
    let folder = tempfile::tempdir().unwrap();
    let (mut rulebooks, mut cases) = (Vec::new(), Vec::new());
    for (nth, entry) in BAD.split("\n=== ").skip(1).enumerate() {
        let (title, text) = entry.split_once('\n').unwrap();
        let is_cases = text.contains("\ncases:");
        let path = folder.path().join(format!("{nth} {title}.yaml"));
        std::fs::write(&path, text).unwrap();
        assert!(loader_refuses(&path, is_cases), "the loader accepts {title}:\n{text}");
        if is_cases { &mut cases } else { &mut rulebooks }.push(path);
    }
    assert!(rulebooks.len() + cases.len() >= 30);
    let Some(validator) = validator() else { return };
    for (schema, files) in [("rulebook", rulebooks), ("cases", cases)] {
        let refused: BTreeSet<String> = refused(&validator, schema, &files)
            .into_iter()
            .map(|(file, _)| file)
            .collect();
        let accepted: Vec<&PathBuf> = files
            .iter()
            .filter(|path| !refused.contains(path.to_str().unwrap()))
            .collect();
        assert!(accepted.is_empty(), "the schema accepts {accepted:#?}");
    }
}

fn loader_refuses(path: &Path, is_cases: bool) -> bool {
    let mut loaded = Loaded::default();
    if is_cases {
        loaded.cases(path).unwrap();
    } else {
        loaded.add_path(path).unwrap();
    }
    loaded.problems.has_errors()
}
