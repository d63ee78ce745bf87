//! Names of things, and their syntax.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::diagnostic::{Problem, quoted};
use crate::rulebook::decode::{Decoder, FromYaml, Key};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

/// Declares a name with a syntax of its own.
macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident, $wanted:literal, $pattern:literal, $valid:path, $mend:path) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(Text);

        impl Deref for $name {
            type Target = Text;

            fn deref(&self) -> &Text {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Key for $name {
            fn from_key(key: &Text, decoder: &mut Decoder) -> $name {
                if !$valid(key) {
                    report(key, $wanted, &$mend(key), decoder);
                }
                $name(key.clone())
            }
        }

        impl FromYaml for $name {
            fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<$name> {
                let text = decoder.scalar(yaml, concat!("a name in ", $wanted), "name")?;
                Some($name::from_key(text, decoder))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

id!(
    /// A name that scripts use: a rulebook, an input, a subject, a probe, a fact.
    SnakeId, "snake_case", "^[a-z][a-z0-9_]*$", is_snake, snake
);
id!(
    /// A name that scripts do not use: a rule, a guide, a view.
    KebabId, "kebab-case", "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", is_kebab, kebab
);
id!(
    /// A probe, fact or subject, of another rulebook where that is named before a dot.
    ItemId, "snake_case, perhaps after a rulebook and a dot", "^([a-z][a-z0-9_]*\\.)?[a-z][a-z0-9_]*$", is_item, item
);

impl ItemId {
    /// The rulebook that is named, if one is.
    pub fn rulebook(&self) -> Option<&str> {
        self.0.split_once('.').map(|(rulebook, _)| rulebook)
    }

    /// The name within its rulebook.
    pub fn item(&self) -> &str {
        self.0.split_once('.').map_or(self.0.value.as_str(), |(_, item)| item)
    }
}

fn report(key: &Text, wanted: &str, mended: &str, decoder: &mut Decoder) {
    let problem = Problem::error("bad-name", key.place, format!("{} is not in {wanted}", quoted(key)));
    let help = match mended {
        "" => "use letters a-z and digits, beginning with a letter".to_owned(),
        mended => format!("write `{mended}`"),
    };
    decoder.report(problem.label("this name").help(help));
}

fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_kebab(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn is_item(name: &str) -> bool {
    name.split_once('.').map_or_else(
        || is_snake(name),
        |(rulebook, item)| is_snake(rulebook) && is_snake(item),
    )
}

fn snake(name: &str) -> String {
    words(name).join("_")
}

fn kebab(name: &str) -> String {
    words(name).join("-")
}

fn item(name: &str) -> String {
    match name.split_once('.') {
        Some((rulebook, item)) if name.is_ascii() => format!("{}.{}", snake(rulebook), snake(item)),
        _ => snake(name),
    }
}

/// The words of a name in any case, in lower case, the first beginning with a letter; none where it has other letters.
fn words(name: &str) -> Vec<String> {
    if !name.is_ascii() {
        return Vec::new();
    }
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let camel = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if camel || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    let words = words.into_iter().filter(|word| !word.is_empty());
    words
        .skip_while(|word| !word.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}
