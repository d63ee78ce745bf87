//! Objects, and what all that holds something has in common.

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::{Context, Function};
use crate::script::index::Index;
use crate::script::node::{Node, to_dynamic};
use crate::script::problem::Error;
use crate::script::redacted::{is_redacted, redacted};
use crate::script::session::charge;
use crate::script::values::{pay, wrong};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "len",
        parameters: &["value"],
        about: "How many items a list, members an object, rows an index or characters a text has.",
        example: r#"[1, 2].len() == 2 && #{ a: 1 }.len() == 1 && "äb".len() == 2"#,
        mutates: false,
        call: |_, args| length("len", args[0]).map(Dynamic::from),
    },
    Function {
        name: "is_empty",
        parameters: &["value"],
        about: "Whether a list, an object, an index or a text has nothing in it.",
        example: r#"[].is_empty() && "".is_empty() && !#{ a: 1 }.is_empty()"#,
        mutates: false,
        call: |_, args| Ok((length("is_empty", args[0])? == 0).into()),
    },
    Function {
        name: "keys",
        parameters: &["object"],
        about: "The names of an object's members, or the keys of an index.",
        example: r#"#{ a: 1, b: 2 }.keys() == ["a", "b"]"#,
        mutates: false,
        call: keys,
    },
    Function {
        name: "values",
        parameters: &["object"],
        about: "The values of an object's members.",
        example: "#{ a: 1, b: 2 }.values() == [1, 2]",
        mutates: false,
        call: values,
    },
    Function {
        name: "merge",
        parameters: &["object", "other"],
        about: "An object with the members of two; where both have one, that of the other.",
        example: "merge(#{ a: 1, b: 1 }, #{ b: 2 }) == #{ a: 1, b: 2 }",
        mutates: false,
        call: merge,
    },
    Function {
        name: "rows",
        parameters: &["index", "key"],
        about: "All rows of an index that have a key; `index[key]` is the first.",
        example: "true",
        mutates: false,
        call: rows,
    },
];

fn length(function: &str, value: &Dynamic) -> Result<i64, Error> {
    let length = if let Some(text) = value.read_lock::<ImmutableString>() {
        if is_redacted(value) {
            return Err(redacted());
        }
        text.chars().count()
    } else if let Some(list) = value.read_lock::<Array>() {
        list.len()
    } else if let Some(node) = value.read_lock::<Node>() {
        node.doc.document.len(node.id)
    } else if let Some(map) = value.read_lock::<Map>() {
        map.len()
    } else if let Some(index) = value.read_lock::<Index>() {
        index.len()
    } else {
        return Err(wrong(function, "a list, an object or a text", value));
    };
    Ok(length as i64)
}

fn keys(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = &*args[0];
    let keys: Array = if let Some(node) = value.read_lock::<Node>() {
        let document = &node.doc.document;
        let keys = document.children(node.id).filter_map(|member| document.key(member));
        keys.map(|key| ImmutableString::from(key).into()).collect()
    } else if let Some(map) = value.read_lock::<Map>() {
        map.keys()
            .map(|key| ImmutableString::from(key.as_str()).into())
            .collect()
    } else if let Some(index) = value.read_lock::<Index>() {
        index.keys().to_vec()
    } else {
        return Err(wrong("keys", "an object", value));
    };
    charge(keys.len() as u64)?;
    Ok(keys.into())
}

fn values(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = &*args[0];
    let values: Array = if let Some(node) = value.read_lock::<Node>() {
        let members = node.doc.document.children(node.id);
        members.map(|member| to_dynamic(&node.doc, member)).collect()
    } else if let Some(map) = value.read_lock::<Map>() {
        map.values().cloned().collect()
    } else {
        return Err(wrong("values", "an object", value));
    };
    let values = Dynamic::from(values);
    pay(&values)?;
    Ok(values)
}

fn merge(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let mut merged = members(args[0])?;
    merged.extend(members(args[1])?);
    let merged = Dynamic::from(merged);
    pay(&merged)?;
    Ok(merged)
}

/// The members of an object, each once.
fn members(value: &Dynamic) -> Result<Map, Error> {
    if let Some(map) = value.read_lock::<Map>() {
        return Ok(map.clone());
    }
    let Some(node) = value.read_lock::<Node>() else {
        return Err(wrong("merge", "an object", value));
    };
    let document = &node.doc.document;
    let members = document
        .children(node.id)
        .filter_map(|member| Some((document.key(member)?.into(), member)));
    Ok(members
        .map(|(key, member)| (key, to_dynamic(&node.doc, member)))
        .collect())
}

fn rows(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let Some(index) = args[0].read_lock::<Index>() else {
        return Err(wrong("rows", "an index", args[0]));
    };
    if index.may_contain(args[1]) {
        return Err(redacted());
    }
    let rows = Dynamic::from(index.all(args[1]));
    pay(&rows)?;
    Ok(rows)
}
