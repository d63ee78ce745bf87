//! Cases: a rulebook's own tests.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{FormatVersion, ItemId, KebabId, NamedOrListed, Severity, Value};
use crate::diagnostic::{Place, Problem};
use crate::rulebook::decode::{Decoder, FromYaml, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::{Node, Yaml};

spec! {
    /// A file of cases
    pub struct CaseFileSpec as "file of cases" {
        /// Version of this format: 1
        pub casebook: FormatVersion,
        /// The cases
        pub cases: Map<KebabId, CaseSpec>,
    }
}

spec! {
    /// Evidence in, verdicts out
    pub struct CaseSpec as "case" {
        /// What it shows
        pub title: Option<Text>,
        /// Why it is as it is
        pub about: Option<Text>,
        /// The evidence: path of a folder, an archive or a single file, relative to this file; or items by probe
        pub evidence: Option<EvidenceSpec>,
        /// Path of a bundle over which the items of `evidence` are laid
        pub bundle: Option<Text>,
        /// An earlier capture, written like `evidence`
        pub before: Option<EvidenceSpec>,
        /// Time of the capture
        pub captured_at: Option<Text>,
        /// Values of inputs
        pub set: Map<ItemId, Value>,
        /// Rules that fail, each with what is expected of its findings or with nothing
        pub fail: NamedOrListed<OneOrMany<ExpectSpec>>,
        /// Rules that pass
        pub pass: OneOrMany<Text>,
        /// Rules that cannot tell, each with a part of the reason or with nothing
        pub unknown: NamedOrListed<Text>,
        /// Rules that do not apply
        pub not_applicable: OneOrMany<Text>,
        /// Rules that break
        pub error: OneOrMany<Text>,
        /// No other rule may fail: any further finding is a false alarm
        pub only: Option<bool>,
    }
    check check_case
    shape shape_case
}

/// The evidence of a case.
#[derive(Debug, Clone)]
pub enum EvidenceSpec {
    /// Path of a directory, an archive or a single file, relative to the file of cases
    Path(Text),
    /// Items by probe
    Items {
        /// Where they are written
        place: Place,
        /// The items of each probe, one for each subject
        items: Map<ItemId, OneOrMany<ItemSpec>>,
    },
}

impl FromYaml for EvidenceSpec {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<EvidenceSpec> {
        match &yaml.value {
            Node::Scalar(path) => Some(EvidenceSpec::Path(path.clone())),
            Node::Mapping(_) => Map::from_yaml(yaml, decoder).map(|items| EvidenceSpec::Items {
                place: yaml.place,
                items,
            }),
            _ => {
                decoder.wrong_type(
                    yaml,
                    "a path, or a mapping of probes to their items",
                    "{ server_info: \"{}\" }",
                );
                None
            }
        }
    }
}

impl JsonSchema for EvidenceSpec {
    fn schema_name() -> Cow<'static, str> {
        "EvidenceSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<Map<ItemId, OneOrMany<ItemSpec>>>();
        json_schema!({ "anyOf": [{ "type": "string" }, items] })
    }
}

spec! {
    /// An item of evidence that a case gives
    pub struct ItemSpec as "item of evidence" or "text" {
        /// Its text, written here
        pub text: Option<Text>,
        /// Path of a file that holds it, relative to the file of cases
        pub file: Option<Text>,
        /// How the gathering went; `ok` where it is not given
        pub outcome: Option<OutcomeSpec>,
        /// Exit code of the command
        pub exit: Option<i32>,
        /// HTTP status
        pub http: Option<u16>,
        /// What the command wrote to its standard error
        pub stderr: Option<Text>,
        /// Whether its end was cut off
        pub truncated: Option<bool>,
        /// Time of its capture
        pub captured_at: Option<Text>,
        /// Subject that it belongs to, as `kind/name`
        pub subject: Option<Text>,
    }
    check check_item
    shape shape_item
}

words! {
    /// How the gathering of an item went
    pub enum OutcomeSpec as "outcome" {
        /// It is there
        Ok = "ok",
        /// It does not exist
        Absent = "absent",
        /// It has no content
        Empty = "empty",
        /// Access was refused
        Denied = "denied",
        /// The target did not answer
        Unreachable = "unreachable",
        /// It took too long
        TimedOut = "timed-out",
        /// It went wrong in another way
        Failed = "failed",
        /// It was not tried
        NotRun = "not-run",
    }
}

spec! {
    /// What is expected of a finding
    pub struct ExpectSpec as "expectation" {
        /// Part of its message
        pub says: Option<Text>,
        /// Text that its labels point at
        pub at: OneOrMany<Text>,
        /// Its subject
        pub subject: Option<Text>,
        /// Its key
        pub key: Option<Text>,
        /// Its severity
        pub severity: Option<Severity>,
        /// All rules whose findings explain it, or `none`
        pub explained_by: OneOrMany<Text>,
    }
    check check_expectation
}

impl ExpectSpec {
    /// In place of rules: nothing explains the finding.
    pub const NONE: &'static str = "none";

    /// The rules whose findings explain it, as a case names them; nothing where they do not matter, or where it has no cause.
    pub fn causes(&self) -> impl Iterator<Item = &Text> {
        self.explained_by.iter().filter(|name| name.value != Self::NONE)
    }
}

/// Keys of which a case has at least one.
const VERDICTS: &[&str] = &["fail", "pass", "unknown", "not-applicable", "error", "only"];

/// Keys of which an item has at least one.
const CONTENT: &[&str] = &["text", "file", "outcome"];

fn shape_case(object: &mut ObjectSchema) {
    object.any_of(&["evidence", "bundle"]);
    object.any_of(VERDICTS);
}

fn shape_item(object: &mut ObjectSchema) {
    object.any_of(CONTENT);
    object.never_with("text", &["file"]);
}

fn check_expectation(expected: &ExpectSpec, _: &Yaml, decoder: &mut Decoder) {
    let none = expected.explained_by.iter().find(|name| name.value == ExpectSpec::NONE);
    if let (Some(none), Some(cause)) = (none, expected.causes().next()) {
        let problem = Problem::error("conflicting-keys", none.place, format!("`{cause}` explains it already"));
        decoder.report(problem.label("nothing does").help("keep `none` or the rules"));
    }
}

fn check_case(case: &CaseSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if case.evidence.is_none() && case.bundle.is_none() && yaml.key("evidence").or(yaml.key("bundle")).is_none() {
        let problem = Problem::error("missing-key", yaml.head, "this case has no evidence");
        decoder.report(
            problem
                .label("needed here")
                .help("add `evidence:`, a path or items by probe; `evidence: {}` is none"),
        );
    }
    if let (Some(EvidenceSpec::Path(path)), Some(_)) = (&case.evidence, &case.bundle) {
        let problem = Problem::error("conflicting-keys", path.place, "`bundle` names a bundle already");
        decoder.report(
            problem
                .label("another one")
                .help("give items by probe here, or remove `bundle`"),
        );
    }
    if VERDICTS.iter().all(|key| yaml.key(key).is_none()) {
        let problem = Problem::error("missing-key", yaml.head, "this case expects nothing");
        decoder.report(
            problem
                .label("needed here")
                .help("add one of `fail`, `pass`, `unknown`, `not-applicable`, `error`"),
        );
    }
}

fn check_item(item: &ItemSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if let (Some(_), Some(file)) = (&item.text, &item.file) {
        let problem = Problem::error("conflicting-keys", file.place, "`text` gives the content already");
        decoder.report(problem.label("another one").help("keep one of `text` and `file`"));
    }
    if CONTENT.iter().all(|key| yaml.key(key).is_none()) {
        let problem = Problem::error("missing-key", yaml.head, "this item has no content");
        decoder.report(
            problem
                .label("needed here")
                .help("add `text`, `file`, or an `outcome` such as `absent`"),
        );
    }
}
