//! Evidence: where a value stands, what is not known.

use std::sync::Arc;

use rhai::Dynamic;

use super::{Context, Function};
use crate::document::json;
use crate::script::node::{Doc, NO_SLOT, Node, place_of, to_dynamic};
use crate::script::problem::{Error, not_known};
use crate::script::session::{self, charge};
use crate::script::values::{describe, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "unknown",
        parameters: &["reason"],
        about: "Ends the evaluation: what is asked cannot be known, for this reason.",
        example: r#"!known(unknown("the log was cut off"))"#,
        mutates: false,
        call: unknown,
    },
    Function {
        name: "line",
        parameters: &["value"],
        about: "The line of its evidence on which a value stands, from 1. Unknown if the value remembers no place.",
        example: r#"line(parse_json("{\n\"a\": {}}").a) == 2"#,
        mutates: false,
        call: line,
    },
    Function {
        name: "parse_json",
        parameters: &["text"],
        about: "What a text in JSON says. Unknown if it is not JSON.",
        example: r#"parse_json(`{"a": [1, 2]}`).a == [1, 2]"#,
        mutates: false,
        call: parse_json,
    },
];

fn unknown(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Err(not_known(text("unknown", args[0])?.as_str()))
}

fn line(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    if let Some(node) = args[0].read_lock::<Node>() {
        return Ok(i64::from(node.line()).into());
    }
    let line = place_of(args[0]).and_then(|place| {
        let doc = session::names()?.doc(place.slot)?;
        Some(Node { doc, id: place.node }.line())
    });
    line.map(|line| i64::from(line).into())
        .ok_or_else(|| not_known(format!("it is not known on which line {} stands", describe(args[0]))))
}

fn parse_json(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let text = text("parse_json", args[0])?;
    charge(text.len() as u64 / 8)?;
    let document = json::parse(text.to_string(), &json::Options::default())
        .map_err(|error| not_known(format!("a text is not JSON: {error}")))?;
    let root = document.root();
    Ok(to_dynamic(
        &Arc::new(Doc {
            slot: NO_SLOT,
            document,
        }),
        root,
    ))
}
