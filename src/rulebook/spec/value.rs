//! Values that are written as scalars.

use std::borrow::Cow;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::diagnostic::{Place, Problem, quoted};
use crate::rulebook::decode::{Decoder, FromYaml, Map};
use crate::rulebook::text::{Style, Text};
use crate::rulebook::yaml::{Node, Yaml};

/// A scalar with the type that YAML gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// What it is to YAML (core schema)
    pub kind: ScalarKind,
    /// As written
    pub text: Text,
}

/// The type that YAML gives to a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScalarKind {
    /// Nothing, `~` or `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number of 64 bits
    Int(i64),
    /// Any other number
    Float(f64),
    /// Anything else, and all that is quoted
    Text,
}

impl Scalar {
    /// The scalar that a text is.
    pub fn of(text: Text) -> Scalar {
        let kind = if text.is_null() {
            ScalarKind::Null
        } else if text.style == Style::Plain {
            plain(&text)
        } else {
            ScalarKind::Text
        };
        Scalar { kind, text }
    }
}

fn plain(text: &str) -> ScalarKind {
    match text {
        "true" | "True" | "TRUE" => return ScalarKind::Bool(true),
        "false" | "False" | "FALSE" => return ScalarKind::Bool(false),
        _ => {}
    }
    if let Some(number) = int(text) {
        return ScalarKind::Int(number);
    }
    // Rust also reads words such as `inf` and `nan`, which to YAML are texts.
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'))
        && text.chars().any(|c| c.is_ascii_digit());
    match text.parse() {
        Ok(number) if numeric => ScalarKind::Float(number),
        _ => ScalarKind::Text,
    }
}

fn int(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    text.parse().ok()
}

impl FromYaml for Scalar {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Scalar> {
        match &yaml.value {
            Node::Null => Some(Scalar::of(Text {
                value: String::new(),
                place: yaml.head,
                style: Style::Plain,
            })),
            Node::Scalar(text) => Some(Scalar::of(text.clone())),
            _ => {
                decoder.wrong_type(yaml, "a single value", "5");
                None
            }
        }
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// A scalar, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One value
    Scalar(Scalar),
    /// Several
    List {
        /// The list as written
        place: Place,
        /// Its members
        items: Vec<Scalar>,
    },
}

impl Value {
    /// Where it is written.
    pub fn place(&self) -> Place {
        match self {
            Value::Scalar(scalar) => scalar.text.place,
            Value::List { place, .. } => *place,
        }
    }
}

impl FromYaml for Value {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Value> {
        match &yaml.value {
            Node::Sequence(_) => Vec::from_yaml(yaml, decoder).map(|items| Value::List {
                place: yaml.place,
                items,
            }),
            Node::Mapping(_) => {
                decoder.wrong_type(yaml, "a value or a list of values", "[first, second]");
                None
            }
            _ => Scalar::from_yaml(yaml, decoder).map(Value::Scalar),
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let scalar = Scalar::json_schema(generator);
        json_schema!({ "anyOf": [scalar, { "type": "array", "items": scalar }] })
    }
}

/// A span of time, as `30s`, `5m`, `1h30m` or `500ms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The time
    pub value: Duration,
    /// As written
    pub text: Text,
}

impl FromYaml for Period {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Period> {
        let text = decoder.scalar(yaml, "a span of time", "30s")?;
        let parsed = text
            .value
            .parse::<SignedDuration>()
            .ok()
            .and_then(|span| Duration::try_from(span).ok());
        if let Some(value) = parsed {
            return Some(Period {
                value,
                text: text.clone(),
            });
        }
        let problem = Problem::error("bad-period", text.place, format!("{} is no span of time", quoted(text)));
        decoder.report(
            problem
                .label("expected a number with a unit")
                .help("write it as `30s`, `5m`, `1h30m` or `500ms`"),
        );
        None
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]" })
    }
}

/// A number of bytes, as `500KB`, `64MB` or `1GiB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// The number of bytes
    pub bytes: u64,
    /// As written
    pub text: Text,
}

impl FromYaml for Size {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Size> {
        let text = decoder.scalar(yaml, "a number of bytes", "64MB")?;
        if let Some(bytes) = size(text) {
            return Some(Size {
                bytes,
                text: text.clone(),
            });
        }
        let problem = Problem::error(
            "bad-size",
            text.place,
            format!("{} is no number of bytes", quoted(text)),
        );
        decoder.report(
            problem
                .label("expected a number with a unit")
                .help("write it as `500KB`, `64MB` or `1GiB`"),
        );
        None
    }
}

/// The number of bytes that a text such as `500KB` or `1GiB` stands for.
pub fn size(text: &str) -> Option<u64> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[0-9]+ ?([kKMG]i?B|B)?$" })
    }
}

/// The version of this format: 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatVersion;

impl FromYaml for FormatVersion {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<FormatVersion> {
        let text = decoder.scalar(yaml, "the version of this format", "1")?;
        if text.value == "1" {
            return Some(FormatVersion);
        }
        let message = format!("format {} is not known to this casebook", quoted(text));
        let help = "write `casebook: 1`; where a newer format is meant, a newer casebook is needed";
        decoder.report(
            Problem::error("unknown-format", text.place, message)
                .label("only 1 is known")
                .help(help),
        );
        None
    }
}

impl JsonSchema for FormatVersion {
    fn schema_name() -> Cow<'static, str> {
        "FormatVersion".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": 1 })
    }
}

/// Names, each with something that is said of it or with nothing: a mapping, a list, or a single name.
#[derive(Debug, Clone)]
pub struct NamedOrListed<T>(pub Map<Text, Option<T>>);

impl<T> Default for NamedOrListed<T> {
    fn default() -> Self {
        NamedOrListed(Map::new())
    }
}

impl<T> std::ops::Deref for NamedOrListed<T> {
    type Target = Map<Text, Option<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: FromYaml> FromYaml for NamedOrListed<T> {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<NamedOrListed<T>> {
        let names = match &yaml.value {
            Node::Scalar(name) => vec![name.clone()],
            Node::Sequence(_) => Vec::from_yaml(yaml, decoder)?,
            _ => return Map::from_yaml(yaml, decoder).map(NamedOrListed),
        };
        Some(NamedOrListed(names.into_iter().map(|name| (name, None)).collect()))
    }

    fn take(
        fields: &mut crate::rulebook::decode::Fields<'_>,
        key: &str,
        decoder: &mut Decoder,
    ) -> Option<NamedOrListed<T>> {
        <Option<Self> as FromYaml>::take(fields, key, decoder).map(Option::unwrap_or_default)
    }

    fn describe(
        object: &mut crate::rulebook::decode::ObjectSchema,
        key: &str,
        about: &str,
        _: bool,
        generator: &mut SchemaGenerator,
    ) {
        object.property(key, about, generator.subschema_for::<Self>());
    }
}

impl<T: JsonSchema> JsonSchema for NamedOrListed<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("NamedOrListed_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<Option<T>>();
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
                { "type": "object", "additionalProperties": item },
            ]
        })
    }
}
