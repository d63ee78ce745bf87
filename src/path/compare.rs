//! Comparison of values: RFC 9535, 2.3.5.2.2.

use crate::document::{Document, Kind, Name, NodeId, Number};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What a side of a comparison gives.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    /// The absence of a value.
    Nothing,
    Null,
    Bool(bool),
    Number(Number<'v>),
    String(Cow<'v, str>),
    /// An array or an object.
    Node(NodeId),
}

impl<'v> Value<'v> {
    pub(super) fn of(doc: &'v Document, id: NodeId) -> Self {
        match doc.kind(id) {
            Kind::Null => Self::Null,
            Kind::True => Self::Bool(true),
            Kind::False => Self::Bool(false),
            Kind::Number => doc.number(id).map_or(Self::Nothing, Self::Number),
            Kind::String => doc.str(id).map_or(Self::Nothing, Self::String),
            Kind::Array | Kind::Object => Self::Node(id),
        }
    }
}

pub(super) fn equal(doc: &Document, left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Nothing, Value::Nothing) | (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => order_numbers(*left, *right) == Some(Ordering::Equal),
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Node(left), Value::Node(right)) => left == right || equal_nodes(doc, *left, *right),
        _ => false,
    }
}

/// Only numbers and strings have an order; strings by Unicode scalar values, which is the order of UTF-8's bytes.
pub(super) fn less(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => order_numbers(*left, *right) == Some(Ordering::Less),
        (Value::String(left), Value::String(right)) => left < right,
        _ => false,
    }
}

/// Integers exactly, however long; others as `f64`.
pub(super) fn order_numbers(left: Number<'_>, right: Number<'_>) -> Option<Ordering> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
        (Number::Float(left), Number::Float(right)) => left.partial_cmp(&right),
        _ => match (Digits::of(left), Digits::of(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => float(left).partial_cmp(&float(right)),
        },
    }
}

fn float(number: Number<'_>) -> f64 {
    match number {
        Number::Int(int) => int as f64,
        Number::Float(float) => float,
        Number::Text(text) => text.parse().unwrap_or(f64::NAN),
    }
}

/// An integer as its sign and digits, without leading zeros.
#[derive(Debug, PartialEq, Eq)]
struct Digits<'n> {
    negative: bool,
    digits: Cow<'n, str>,
}

impl<'n> Digits<'n> {
    fn of(number: Number<'n>) -> Option<Self> {
        match number {
            Number::Int(int) => Some(Self {
                negative: int < 0,
                digits: int.unsigned_abs().to_string().into(),
            }),
            Number::Float(_) => None,
            Number::Text(text) => {
                let digits = text.trim_start_matches('-');
                let integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let digits = Cow::Borrowed(digits.trim_start_matches('0'));
                integer.then_some(Self {
                    negative: text.starts_with('-'),
                    digits,
                })
            }
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let size = self
            .digits
            .len()
            .cmp(&other.digits.len())
            .then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Whether two nodes of one document have equal values. Recursion is as deep as the document.
fn equal_nodes(doc: &Document, left: NodeId, right: NodeId) -> bool {
    match (doc.kind(left), doc.kind(right)) {
        (Kind::Array, Kind::Array) => {
            let (mut left, mut right) = (doc.children(left), doc.children(right));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(left), Some(right)) if equal_nodes(doc, left, right) => {}
                    _ => return false,
                }
            }
        }
        (Kind::Object, Kind::Object) => {
            let (left, right) = (members(doc, left), members(doc, right));
            left.len() == right.len()
                && left
                    .iter()
                    .zip(&right)
                    .all(|(left, right)| left.0 == right.0 && equal_nodes(doc, left.1, right.1))
        }
        (Kind::Array | Kind::Object, _) | (_, Kind::Array | Kind::Object) => false,
        _ => equal(doc, &Value::of(doc, left), &Value::of(doc, right)),
    }
}

/// The members of an object by name.
fn members(doc: &Document, object: NodeId) -> Vec<(Name, NodeId)> {
    let mut members: Vec<_> = doc
        .visible_children(object)
        .map(|child| (doc.name_of(child), child))
        .collect();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_compare_exactly_and_others_as_floats() {
        let order = |left, right| order_numbers(left, right).unwrap();
        let (int, float, text) = (Number::Int, Number::Float, Number::Text);
        assert_eq!(
            order(int(9_007_199_254_740_993), int(9_007_199_254_740_992)),
            Ordering::Greater
        );
        assert_eq!(
            order(text("18446744073709551616"), text("18446744073709551615")),
            Ordering::Greater
        );
        assert_eq!(
            order(text("-18446744073709551616"), text("-18446744073709551615")),
            Ordering::Less
        );
        assert_eq!(order(int(i64::MAX), text("9223372036854775808")), Ordering::Less);
        assert_eq!(order(int(i64::MIN), text("-9223372036854775809")), Ordering::Greater);
        assert_eq!(order(int(-1), text("99999999999999999999")), Ordering::Less);
        assert_eq!(order(int(1), float(1.0)), Ordering::Equal);
        assert_eq!(order(float(0.0), float(1e-17)), Ordering::Less);
        assert_eq!(order(text("1e400"), int(5)), Ordering::Greater);
    }
}
