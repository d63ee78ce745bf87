//! Inputs: typed values with defaults.

use indexmap::IndexMap;
use rhai::Dynamic;

use crate::diagnostic::Problem;
use crate::rulebook::decode::Map;
use crate::rulebook::model::{Input, InputKind};
use crate::rulebook::spec::{InputSpec, InputType, Scalar, SnakeId, Value};
use crate::script::{Duration, Version};

use super::Compiler;

impl Compiler {
    pub(super) fn inputs(&mut self, specs: &Map<SnakeId, InputSpec>) -> IndexMap<String, Input> {
        specs
            .iter()
            .map(|(name, spec)| (name.value.clone(), self.input(name, spec)))
            .collect()
    }

    fn input(&mut self, name: &SnakeId, spec: &InputSpec) -> Input {
        let kind = match spec.is {
            InputType::Text => InputKind::Text,
            InputType::Number => InputKind::Number,
            InputType::Int => InputKind::Int,
            InputType::Bool => InputKind::Bool,
            InputType::Version => InputKind::Version,
            InputType::Duration => InputKind::Duration,
            InputType::List => InputKind::List,
        };
        let about = spec.about.as_ref().map(|about| about.value.clone()).unwrap_or_default();
        let default = spec.default.as_ref().and_then(|value| self.default(kind, value));
        Input {
            about,
            kind,
            default,
            place: name.place,
        }
    }

    fn default(&mut self, kind: InputKind, value: &Value) -> Option<Dynamic> {
        let parsed = match value {
            Value::Scalar(scalar) => parse_input(kind, &scalar.text),
            Value::List { items, .. } if kind == InputKind::List => Ok(texts(items)),
            Value::List { .. } => Err("a list is a value of inputs that are of type `list`".into()),
        };
        match parsed {
            Ok(value) => Some(value),
            Err(message) => {
                let problem = Problem::error("bad-default", value.place(), message);
                self.problems.push(problem.label("this default"));
                None
            }
        }
    }
}

fn texts(items: &[Scalar]) -> Dynamic {
    items
        .iter()
        .map(|item| Dynamic::from(item.text.value.clone()))
        .collect::<rhai::Array>()
        .into()
}

/// The value of an input that a user has written as `text`.
///
/// # Errors
/// What is wrong with it, and how such a value is written.
pub fn parse_input(kind: InputKind, text: &str) -> Result<Dynamic, String> {
    match kind {
        InputKind::Text => Ok(Dynamic::from(text.to_owned())),
        InputKind::Int => text
            .parse::<i64>()
            .map(Dynamic::from)
            .map_err(|_| format!("`{text}` is not a whole number, such as 5")),
        InputKind::Number => number(text).ok_or_else(|| format!("`{text}` is not a number, such as 0.5")),
        InputKind::Bool => text
            .parse::<bool>()
            .map(Dynamic::from)
            .map_err(|_| format!("`{text}` is neither `true` nor `false`")),
        InputKind::Version => Version::parse(text)
            .map(Dynamic::from)
            .ok_or_else(|| format!("`{text}` is not a version, such as 1.25.0")),
        InputKind::Duration => Duration::parse(text)
            .map(Dynamic::from)
            .ok_or_else(|| format!("`{text}` is not a length of time, such as 30s or 5m")),
        InputKind::List => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(parts
                .map(|part| Dynamic::from(part.to_owned()))
                .collect::<rhai::Array>()
                .into())
        }
    }
}

fn number(text: &str) -> Option<Dynamic> {
    match text.parse::<i64>() {
        Ok(int) => Some(Dynamic::from(int)),
        Err(_) => text
            .parse::<f64>()
            .ok()
            .filter(|float| float.is_finite())
            .map(Dynamic::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_type() {
        assert_eq!(parse_input(InputKind::Int, "5").unwrap().as_int().unwrap(), 5);
        assert_eq!(parse_input(InputKind::Number, "0.5").unwrap().as_float().unwrap(), 0.5);
        assert!(parse_input(InputKind::Bool, "yes").is_err());
        assert!(parse_input(InputKind::Number, "inf").is_err());
        assert_eq!(
            parse_input(InputKind::List, "a, b,")
                .unwrap()
                .into_array()
                .unwrap()
                .len(),
            2
        );
    }
}
