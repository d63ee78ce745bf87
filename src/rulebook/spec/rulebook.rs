//! Whole files.

use super::probe::check_probe;
use super::subject::check_subject;
use super::{
    FactSpec, FormatVersion, GuideSpec, InputSpec, ItemId, KebabId, ProbeSpec, RuleSpec, Script, SnakeId, SubjectSpec,
    ViewSpec,
};
use crate::diagnostic::{Problem, quoted};
use crate::rulebook::decode::{Decoder, Map, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// A rulebook: evidence to gather, facts to extract, rules that must hold
    pub struct RulebookSpec as "rulebook" {
        /// Version of this format: 1
        pub casebook: FormatVersion,
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
    check check_rulebook
}

spec! {
    /// A further file of a rulebook, beside its `rulebook.yaml`
    pub struct PartSpec as "further file of a rulebook" {
        /// Version of this format: 1
        pub casebook: FormatVersion,
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
    check check_part
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
