//! Whole files.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map as Object, Value, json};

use super::probe::check_probe;
use super::subject::check_subject;
use super::{
    FactSpec, FormatVersion, GuideSpec, InputSpec, ItemId, KebabId, ProbeSpec, RedactSpec, RuleSpec, Script, SnakeId,
    SubjectSpec, ViewSpec,
};
use crate::diagnostic::{Problem, quoted};
use crate::rulebook::decode::{Decoder, Map, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

/// Declares a file of a rulebook: what only it has, and the sections that each file may have.
macro_rules! file {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $what:literal { $($own:tt)* }
        check $check:ident
    ) => {
        spec! {
            $(#[doc = $doc])*
            pub struct $name as $what {
                /// Version of this format: 1
                pub casebook: FormatVersion,
                $($own)*
                /// Values that the user may set
                pub inputs: Map<SnakeId, InputSpec>,
                /// Kinds of things that probes and rules speak about; places for those of a used rulebook
                pub subjects: Map<ItemId, SubjectSpec>,
                /// How items of evidence are had; further ways to those of a used rulebook
                pub probes: Map<ItemId, ProbeSpec>,
                /// Named extractions and derived values
                pub facts: Map<SnakeId, FactSpec>,
                /// What must hold
                pub rules: Map<KebabId, RuleSpec>,
                /// Ordered walks for one symptom each
                pub guides: Map<KebabId, GuideSpec>,
                /// Tables computed from evidence
                pub views: Map<KebabId, ViewSpec>,
            }
            check $check
        }
    };
}

file! {
    /// A rulebook: evidence to gather, facts to extract, rules that must hold
    pub struct RulebookSpec as "rulebook" {
        /// Id, under which other rulebooks use it
        pub rulebook: SnakeId,
        /// Version of the rulebook
        pub version: Option<Text>,
        /// What it is about, in one line
        pub title: Text,
        /// What it is about, at length
        pub about: Option<Text>,
        /// Address of a page about it
        pub docs: Option<Text>,
        /// Rulebooks whose probes and facts it uses
        pub uses: OneOrMany<SnakeId>,
        /// Condition without which none of its rules applies; asked once per subject
        pub when: Option<Script>,
        /// What is secret in its evidence, beside what always is
        pub redact: Option<RedactSpec>,
        /// Variables of the environment that its commands need besides the usual ones, as globs such as `APP_*`
        pub environment: OneOrMany<Text>,
    }
    check check_rulebook
}

file! {
    /// A further file of a rulebook, beside its `rulebook.yaml`
    pub struct PartSpec as "further file of a rulebook" {}
    check check_part
}

/// The schema of any file of a rulebook: all keys of the main file, of which those that only it has stand together.
#[derive(Debug)]
pub struct AnyFile;

impl JsonSchema for AnyFile {
    fn schema_name() -> Cow<'static, str> {
        "Rulebook".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RulebookSpec::json_schema(generator);
        let part = PartSpec::json_schema(generator);
        let required = |schema: &Schema| schema.get("required").cloned().unwrap_or_default();
        let keys = |schema: &Schema| {
            schema
                .get("properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let of_part = keys(&part);
        let heads = keys(&schema).into_iter().filter(|(key, _)| !of_part.contains_key(key));
        let together: Object<String, Value> = heads.map(|(key, _)| (key, required(&schema))).collect();
        schema.insert("dependencies".to_owned(), json!(together));
        schema.insert("required".to_owned(), required(&part));
        schema
    }
}

fn check_rulebook(spec: &RulebookSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if let Some(version) = spec.version.as_ref().filter(|version| !is_version(version)) {
        let problem = Problem::error(
            "bad-version",
            version.place,
            format!("{} is no version", quoted(version)),
        );
        decoder.report(problem.label("expected three numbers").help("write it as `0.1.0`"));
    }
    check_items(&spec.subjects, &spec.probes, yaml, decoder);
}

fn check_part(spec: &PartSpec, yaml: &Yaml, decoder: &mut Decoder) {
    check_items(&spec.subjects, &spec.probes, yaml, decoder);
}

/// Checks what an item alone cannot tell: whether it is of this rulebook or adds to one of another.
fn check_items(
    subjects: &Map<ItemId, SubjectSpec>,
    probes: &Map<ItemId, ProbeSpec>,
    yaml: &Yaml,
    decoder: &mut Decoder,
) {
    let entries = |section: &str| yaml.get(section).map(Yaml::entries).unwrap_or_default();
    for (key, subject) in entries("subjects") {
        if let Some((id, _)) = subjects.get_key_value(key.value.as_str()) {
            check_subject(id, subject, decoder);
        }
    }
    for (key, probe) in entries("probes") {
        if let Some((id, _)) = probes.get_key_value(key.value.as_str()) {
            check_probe(id, probe, decoder);
        }
    }
}

fn is_version(text: &str) -> bool {
    let (numbers, label) = text.split_once(['-', '+']).unwrap_or((text, "0"));
    let numbers: Vec<&str> = numbers.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| number.parse::<u64>().is_ok())
        && !label.is_empty()
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
}
