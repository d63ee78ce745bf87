//! Values that were taken out of the evidence: where a script must stop, and what can be said all the same.
//!
//! In place of a secret stands a token (`redact`). Two equal tokens of one capture stand for equal secrets; two others may do so, since captures have keys
//! of their own. What stands around a token is evidence as any other: it may tell that a value cannot have been another.

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::node::Node;
use super::problem::{Error, not_known};
use super::values::Kind;
use crate::redact::{holds_token, is_token, may_be};

/// The reason for all that stays unknown because of a redaction.
pub const REDACTED: &str = "redacted: what was taken out of the evidence would have to be known";

/// The error of a script that needs what was taken out.
pub(super) fn redacted() -> Error {
    not_known(REDACTED)
}

/// Whether a value is a token and nothing else.
pub(super) fn is_redacted(value: &Dynamic) -> bool {
    value.read_lock::<ImmutableString>().is_some_and(|text| is_token(&text))
}

/// Whether there is a token in a value, at any depth.
pub(super) fn holds_redacted(value: &Dynamic) -> bool {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return holds_token(&text);
    }
    if let Some(node) = value.read_lock::<Node>() {
        return holds_token(node.raw());
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().any(holds_redacted);
    }
    let map = value.read_lock::<Map>();
    map.is_some_and(|map| map.values().any(holds_redacted))
}

/// Whether two values that are not the same may have been before something was taken out of one of them.
pub(super) fn may_have_been_same(left: &Dynamic, right: &Dynamic) -> bool {
    let (left_text, right_text) = (
        left.read_lock::<ImmutableString>(),
        right.read_lock::<ImmutableString>(),
    );
    if let (Some(left), Some(right)) = (&left_text, &right_text) {
        return match (holds_token(left), holds_token(right)) {
            (false, false) => false,
            (true, true) => true,
            (true, false) => may_be(left, right),
            (false, true) => may_be(right, left),
        };
    }
    match (Kind::of(left), Kind::of(right)) {
        // A number may have become a text.
        (Kind::Text, Kind::Number) => is_redacted(left),
        (Kind::Number, Kind::Text) => is_redacted(right),
        (Kind::List, Kind::List) | (Kind::Map, Kind::Map) => holds_redacted(left) || holds_redacted(right),
        _ => false,
    }
}
