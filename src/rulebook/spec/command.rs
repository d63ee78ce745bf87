//! Commands: lists of words, never a shell.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Template;
use crate::diagnostic::Problem;
use crate::rulebook::decode::{Decoder, Fields, FromYaml, ObjectSchema};
use crate::rulebook::yaml::{Node, Yaml};

/// One command: the program and its arguments, each a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(Vec<Template>);

impl Deref for Command {
    type Target = [Template];

    fn deref(&self) -> &[Template] {
        &self.0
    }
}

impl FromYaml for Command {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Command> {
        match &yaml.value {
            Node::Sequence(words) if !words.is_empty() => Vec::from_yaml(yaml, decoder).map(Command),
            Node::Scalar(text) => {
                let words = text.split_whitespace().collect::<Vec<_>>().join(", ");
                let problem = Problem::error(
                    "wrong-type",
                    text.place,
                    "a command is a list of words, since no shell splits it",
                );
                decoder.report(
                    problem
                        .label("this is one text")
                        .help(format!("write it as a list: [{words}]")),
                );
                None
            }
            Node::Sequence(_) => {
                let problem = Problem::error("empty-list", yaml.place, "this command has no words");
                decoder.report(
                    problem
                        .label("nothing in it")
                        .help("write it as a list of words: [ls, -l]"),
                );
                None
            }
            _ => {
                decoder.wrong_type(yaml, "a command as a list of words", "[ls, -l]");
                None
            }
        }
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<Template>();
        json_schema!({ "type": "array", "minItems": 1, "items": word })
    }
}

/// Commands: a list of lists of words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands(Vec<Command>);

impl Deref for Commands {
    type Target = [Command];

    fn deref(&self) -> &[Command] {
        &self.0
    }
}

impl FromYaml for Commands {
    fn from_yaml(yaml: &Yaml, decoder: &mut Decoder) -> Option<Commands> {
        if let Node::Sequence(items) = &yaml.value
            && items.len() > 1
            && items.iter().all(|item| matches!(item.value, Node::Scalar(_)))
        {
            let problem = Problem::error("wrong-type", yaml.place, "this is a list of words, not of commands");
            decoder.report(
                problem
                    .label("the words of one command")
                    .help("put it in brackets once more: [[...]]"),
            );
            return None;
        }
        Vec::from_yaml(yaml, decoder).map(Commands)
    }

    fn take(fields: &mut Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Commands> {
        <Option<Commands> as FromYaml>::take(fields, key, decoder).map(Option::unwrap_or_default)
    }

    fn describe(object: &mut ObjectSchema, key: &str, about: &str, _: bool, generator: &mut SchemaGenerator) {
        object.property(key, about, generator.subschema_for::<Self>());
    }
}

impl JsonSchema for Commands {
    fn schema_name() -> Cow<'static, str> {
        "Commands".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let command = generator.subschema_for::<Command>();
        json_schema!({ "type": "array", "items": command })
    }
}
