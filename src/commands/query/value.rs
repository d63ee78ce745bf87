//! Values as `query` prints them: in one short line, and as JSON.

use rhai::{Array, Dynamic, Map};
use serde_json::Value;

use crate::bundle::printable;
use crate::document::{Document, Kind, NodeId};
use crate::script::{self, Node};

/// Most characters of a value in a line.
const SHOWN: usize = 200;

/// A text in one line that a terminal can show: white space between words becomes one blank, the end is cut off.
pub(super) fn line(text: &str, ellipsis: &str) -> String {
    let (mut shown, mut chars, mut blank) = (String::new(), 0, false);
    for c in text.trim().chars() {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if chars + usize::from(blank) >= SHOWN {
            shown.push_str(ellipsis);
            break;
        }
        if std::mem::take(&mut blank) {
            shown.push(' ');
            chars += 1;
        }
        shown.push(c);
        chars += 1;
    }
    printable(&shown).into_owned()
}

/// A node as JSON. A number that JSON's readers may not hold is its text.
pub(super) fn of_node(document: &Document, id: NodeId) -> Value {
    match document.kind(id) {
        Kind::Null => Value::Null,
        Kind::False => Value::Bool(false),
        Kind::True => Value::Bool(true),
        Kind::Number => {
            let raw = document.raw(id);
            serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_owned()))
        }
        Kind::String => document
            .str(id)
            .map_or(Value::Null, |text| Value::String(text.into_owned())),
        Kind::Array => document.children(id).map(|item| of_node(document, item)).collect(),
        Kind::Object => {
            let member = |child| {
                let key = document.written_key(child).unwrap_or_default().into_owned();
                (key, of_node(document, child))
            };
            document.visible_children(id).map(member).collect()
        }
    }
}

/// A script's value as JSON; what JSON has no form for, such as a version, is its text.
pub(super) fn of_script(value: &Dynamic) -> Value {
    if let Some(node) = value.read_lock::<Node>() {
        return of_node(&node.doc.document, node.id);
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(of_script).collect();
    }
    if let Some(members) = value.read_lock::<Map>() {
        return members
            .iter()
            .map(|(key, member)| (key.to_string(), of_script(member)))
            .collect();
    }
    match (value.as_int(), value.as_float(), value.as_bool()) {
        (Ok(number), ..) => number.into(),
        (_, Ok(number), _) => number.into(),
        (.., Ok(truth)) => truth.into(),
        _ if value.is_unit() => Value::Null,
        _ => script::show(value).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_obeys_no_control() {
        assert_eq!(line("  {\n  \"a\":\t1 }\n", "…"), "{ \"a\": 1 }");
        assert_eq!(line("a\u{1b}[31m\u{202e}b", "…"), "a\\u{1b}[31m\\u{202e}b");
        let long = line(&"月".repeat(500), "…");
        assert_eq!(long.chars().count(), SHOWN + 1);
        assert_eq!(line(&"x".repeat(SHOWN), "…").len(), SHOWN);
    }
}
