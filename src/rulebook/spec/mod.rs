//! What may be written in rulebooks and cases, as written.
//!
//! The doc comments of the fields are the manual: they become the descriptions of the JSON Schemas.

mod case;
mod command;
mod fact;
mod guide;
mod id;
mod input;
mod probe;
mod redact;
mod rule;
mod rulebook;
mod subject;
mod value;
mod view;

pub use case::{CaseFileSpec, CaseSpec, EvidenceSpec, ExpectSpec, ItemSpec, OutcomeSpec};
pub use command::{Command, Commands};
pub use fact::{Extract, FactFields, FactKey, FactKind, FactSpec, Partial, Select};
pub use guide::{GuideSpec, StepSpec, WalkSpec};
pub use id::{ItemId, KebabId, SnakeId};
pub use input::{InputSpec, InputType};
pub use probe::{
    DnsRecord, DnsSpec, HttpSpec, IptablesSpec, JsonLinesSpec, JsonSpec, KeyStyle, KeyValueSpec, LinesSpec, LiveSpec,
    NoOptions, ParserSpec, ProbeSpec, TableSpec, TcpSpec, TlsSpec,
};
pub use redact::{RedactFileSpec, RedactSpec};
pub use rule::{CheckSpec, ClauseSpec, LabelSpec, RuleSpec, Severity, VerdictSpec};
pub use rulebook::{AnyFile, PartSpec, RulebookSpec};
pub use subject::{FanOutSpec, SubjectSpec};
pub use value::{FormatVersion, NamedOrListed, Period, Scalar, ScalarKind, Size, Value, size};
pub use view::ViewSpec;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::text::Text;

/// A Rhai expression; what YAML takes for a number or a boolean is its text.
pub type Script = Text;

/// Words with `${...}` holes, each a Rhai expression.
pub type Template = Text;

/// The JSON Schema of a kind of file, in draft 7, which editors understand.
pub fn schema_of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn schemas_say_what_the_decoder_wants() {
        let schema = schema_of::<RulebookSpec>().to_value();
        assert_eq!(schema["required"], json!(["casebook", "rulebook", "title"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["casebook"]["const"], json!(1));
        let rule = &schema["definitions"]["RuleSpec"];
        assert_eq!(rule["required"], json!(["title", "severity"]));
        assert!(rule["properties"]["explained-by"].is_object() && rule["properties"]["try"].is_object());
        let checks =
            json!([{ "oneOf": [{ "required": ["expect"] }, { "required": ["decide"] }, { "required": ["forbid"] }] }]);
        assert_eq!(rule["allOf"], checks);
        let probe = &schema["definitions"]["ProbeSpec"];
        assert_eq!(probe["allOf"][0]["oneOf"].as_array().map(Vec::len), Some(7));
        let names: Vec<&str> = schema["properties"]["rules"]["patternProperties"]
            .as_object()
            .map(|patterns| patterns.keys().map(String::as_str).collect())
            .unwrap_or_default();
        assert_eq!(names, ["^[a-z][a-z0-9]*(-[a-z0-9]+)*$"]);
    }

    #[test]
    fn every_key_is_described() {
        for schema in [
            schema_of::<RulebookSpec>(),
            schema_of::<PartSpec>(),
            schema_of::<CaseFileSpec>(),
            schema_of::<RedactFileSpec>(),
        ] {
            described(&schema.to_value(), "");
        }
    }

    fn described(schema: &Json, path: &str) {
        let Json::Object(members) = schema else {
            schema
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|item| described(item, path));
            return;
        };
        for (key, value) in members {
            let path = format!("{path}/{key}");
            if key == "properties" {
                for (name, property) in value.as_object().into_iter().flatten() {
                    let about = property["description"].as_str().unwrap_or_default();
                    assert!(!about.is_empty() && !about.ends_with('.'), "{path}/{name}: {about:?}");
                }
            }
            described(value, &path);
        }
    }
}
