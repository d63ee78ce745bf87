//! What is wrong with a script, and why an evaluation stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rhai::{Dynamic, EvalAltResult, ParseError, Position};

use super::names::Unknown;
use super::operand::{Side, operand};

/// What native functions raise.
pub(super) type Error = Box<EvalAltResult>;

/// Something wrong with the text of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptProblem {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where it begins, in bytes of the script's text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl ScriptProblem {
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The script touched something that is not known.
    Unknown(Unknown),
    /// The script is wrong, or spent more than it may.
    Failed {
        /// What happened.
        message: String,
        /// Where, in bytes of the script's text.
        at: Option<usize>,
        /// Where in a module, if it happened there; `at` is then the call.
        in_module: Option<ModulePlace>,
    },
}

impl Stop {
    /// Moves a place in code to the text that the code stands in.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        if let Self::Failed { at: Some(at), .. } = &mut self {
            *at += by;
        }
        self
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => out.write_str(&unknown.reason),
            Self::Failed { message, .. } => out.write_str(message),
        }
    }
}

/// A place in the text of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePlace {
    /// The module, as `rulebook::module`.
    pub module: String,
    /// Bytes from the start of its text.
    pub at: usize,
}

/// The error that ends an evaluation as unknown.
pub(super) fn unknown(unknown: Unknown) -> Error {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(unknown), Position::NONE))
}

/// The error that ends an evaluation as unknown for a reason that no probe would remove.
pub(super) fn not_known(reason: impl Into<String>) -> Error {
    unknown(Unknown::new(reason))
}

/// The error that ends an evaluation as failed.
pub(super) fn failed(message: impl Into<String>) -> Error {
    Box::new(EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE))
}

/// An operand that is absent: its text is known only when the script's is at hand.
#[derive(Debug, Clone)]
struct Absent {
    side: Side,
    then: String,
}

/// The error for an operand that is absent; `then` goes on after `x is absent`.
pub(super) fn absent(side: Side, then: String) -> Error {
    Box::new(EvalAltResult::ErrorRuntime(
        Dynamic::from(Absent { side, then }),
        Position::NONE,
    ))
}

/// The error without the wish to call what is absent by its name: in a function it has none.
pub(super) fn nameless(error: Error) -> Error {
    match &*error {
        EvalAltResult::ErrorRuntime(value, _) if value.read_lock::<Absent>().is_some() => {
            as_unknown(&error).map_or(error, unknown)
        }
        _ => error,
    }
}

/// The unknown that an error carries, if it is one.
pub(super) fn as_unknown(error: &EvalAltResult) -> Option<Unknown> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => {
            if let Some(absent) = value.read_lock::<Absent>() {
                return Some(Unknown::new(format!("a value is absent{}", absent.then)));
            }
            value.read_lock::<Unknown>().map(|unknown| unknown.clone())
        }
        EvalAltResult::ErrorMismatchDataType(wanted, actual, _) if actual == "()" => {
            let wanted = type_words(wanted);
            Some(Unknown::new(format!(
                "an absent value was used where {wanted} is needed"
            )))
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let (name, types) = signature_parts(signature);
            let absent = types.contains(&"()");
            absent.then(|| Unknown::new(format!("`{name}` was given an absent value")))
        }
        _ => None,
    }
}

/// The texts that an error may have arisen in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// The script's own.
    pub(super) script: &'a str,
    /// Names of the script's closures.
    pub(super) closures: &'a BTreeSet<String>,
    /// Those of modules, by name.
    pub(super) modules: &'a BTreeMap<String, String>,
}

/// Maps an evaluation's error.
pub(super) fn stop(error: &EvalAltResult, texts: Texts<'_>) -> Stop {
    let (at, in_module) = locate(error, texts);
    if let Some(mut unknown) = as_unknown(error) {
        let place = match &in_module {
            Some(place) => texts.modules.get(&place.module).map(|text| (text.as_str(), place.at)),
            None => at.map(|at| (texts.script, at)),
        };
        unknown.reason = place.and_then(|place| named(error, place)).unwrap_or(unknown.reason);
        return Stop::Unknown(unknown);
    }
    Stop::Failed {
        message: message(error.unwrap_inner()),
        at,
        in_module,
    }
}

/// What is absent, by its name in the text.
fn named(error: &EvalAltResult, (text, at): (&str, usize)) -> Option<String> {
    let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner() else {
        return None;
    };
    let absent = value.read_lock::<Absent>()?;
    let operand = operand(text, at, absent.side)?;
    Some(format!("`{operand}` is absent{}", absent.then))
}

/// The innermost position in the script, and that in a module if the error arose there.
fn locate(error: &EvalAltResult, texts: Texts<'_>) -> (Option<usize>, Option<ModulePlace>) {
    let (mut module, mut at, mut in_module) = (None, None, None);
    let mut next = Some(error);
    while let Some(error) = next {
        let position = error.position();
        match &module {
            None => {
                in_module = None;
                at = offset(texts.script, position).or(at);
            }
            Some(module) => {
                let found = texts.modules.get(module).and_then(|text| offset(text, position));
                in_module = found
                    .map(|at| ModulePlace {
                        module: String::clone(module),
                        at,
                    })
                    .or(in_module);
            }
        }
        next = match error {
            EvalAltResult::ErrorInFunctionCall(name, source, inner, _) => {
                // Rhai names the module of a call from outside only; what that calls is in the same module, unless it
                // is a closure that the script has passed.
                if texts.closures.contains(name) {
                    module = None;
                } else if !source.is_empty() {
                    module = Some(source.clone());
                }
                Some(inner)
            }
            _ => None,
        };
    }
    (at, in_module)
}

fn message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(value, _) if value.is_string() => value.to_string(),
        EvalAltResult::ErrorRuntime(value, _) => format!("the script raised {value}"),
        EvalAltResult::ErrorTerminated(reason, _) => reason.to_string(),
        EvalAltResult::ErrorStackOverflow(_) => "the script's functions call each other too deep".into(),
        EvalAltResult::ErrorMismatchDataType(wanted, actual, _) => {
            format!(
                "{} was given where {} is needed",
                type_words(actual),
                type_words(wanted)
            )
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let (name, types) = signature_parts(signature);
            let given: Vec<&str> = types.into_iter().map(type_words).collect();
            match given.as_slice() {
                [] => format!("there is no function `{name}` without arguments"),
                given => format!("`{name}` cannot be applied to {}", given.join(" and ")),
            }
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("nothing is called `{name}` here"),
        EvalAltResult::ErrorArrayBounds(0, index, _) => format!("item {index} of an empty list"),
        EvalAltResult::ErrorArrayBounds(length, index, _) => format!("item {index} of a list of {length}"),
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            format!("`{name}` would change what cannot be changed")
        }
        EvalAltResult::ErrorDotExpr(text, _) => member_message(text),
        EvalAltResult::ErrorIndexingType(types, _) => format!("there is no indexing like {types}"),
        EvalAltResult::ErrorFor(_) => "only lists and ranges can be gone through; of an object, its `keys()`".into(),
        EvalAltResult::ErrorDataRace(..) => {
            "a variable is used within the function that goes through it; give it a second name with `let`".into()
        }
        other => without_position(other.to_string()),
    }
}

/// Rhai says: `Unknown property 'x' - a getter is not registered for type 'y'`.
fn member_message(text: &str) -> String {
    let quoted: Vec<&str> = text.split('\'').collect();
    match quoted.as_slice() {
        [_, member, _, of, ..] => format!("{} has no member `{member}`", type_words(of)),
        _ => text.to_owned(),
    }
}

/// Name and types of `name (type, type)`.
fn signature_parts(signature: &str) -> (&str, Vec<&str>) {
    let Some((name, types)) = signature.split_once(" (") else {
        return (signature, Vec::new());
    };
    let types = types.strip_suffix(')').unwrap_or(types);
    (name, types.split(", ").filter(|of| !of.is_empty()).collect())
}

fn type_words(name: &str) -> &str {
    match name {
        "()" => "an absent value",
        "bool" => "true or false",
        "i64" => "an integer",
        "f64" => "a number",
        "string" | "&str | ImmutableString | String" => "a text",
        "char" => "a character",
        "array" => "a list",
        "map" | "object" => "an object",
        "index" => "an index",
        "version" => "a version",
        "duration" => "a duration",
        "time" => "a time",
        "address" => "an address",
        "number" => "a number",
        "Fn" => "a function",
        other => other,
    }
}

/// Rhai appends ` (line 1, position 5)`; positions are told apart from messages here.
fn without_position(mut message: String) -> String {
    if let Some(start) = message.rfind(" (line ")
        && message.ends_with(')')
    {
        message.truncate(start);
    }
    message
}

/// The byte offset of a position, which counts lines and characters from 1.
pub(super) fn offset(text: &str, position: Position) -> Option<usize> {
    let line = position.line()?;
    let column = position.position().unwrap_or(1).max(1) - 1;
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..)?;
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    Some(start + within)
}

/// The name or number that begins at an offset, or the one character there.
pub(super) fn word_at(text: &str, start: usize) -> std::ops::Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    let word = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let length = if word > 0 {
        word
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    start..start + length
}

/// A problem with the word at a position.
pub(super) fn message_at(message: &str, text: &str, position: Position) -> ScriptProblem {
    let start = offset(text, position).unwrap_or(text.len());
    let range = word_at(text, start);
    ScriptProblem {
        message: message.to_owned(),
        help: None,
        start: range.start,
        end: range.end,
    }
}

/// A syntax error, located.
pub(super) fn syntax(error: &ParseError, text: &str) -> ScriptProblem {
    message_at(&without_position(error.to_string()), text, error.position())
}
