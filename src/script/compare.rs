//! Comparing like with like. Rhai's own operators call unlike kinds unequal and unordered, in silence.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::{Node, to_dynamic};
use super::number::BigNumber;
use super::operand::Side;
use super::problem::{Error, absent, failed};
use super::redacted::{holds_redacted, is_redacted, may_have_been_same, redacted};
use super::values::{Kind, describe};
use crate::document::{Document, Kind as NodeKind, NodeId};

/// What a literal in a comparison asks, which absence may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// `x == ()`: is it absent?
    Absence,
    /// `x == true`: is it there, and true?
    Truth,
}

/// A comparison that orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// `a < b` and its kin.
///
/// # Errors
/// Unknown if a side is absent or bounded only; failed if the sides are of unlike kinds or have no order.
pub(super) fn ordered(comparison: Comparison, left: &Dynamic, right: &Dynamic) -> Result<bool, Error> {
    if let Some(decided) = bounded(left, right, comparison) {
        return decided;
    }
    if is_redacted(left) || is_redacted(right) {
        return Err(redacted());
    }
    let order = order(left, right)?;
    Ok(order.is_some_and(|order| comparison.holds(order)))
}

/// The order of two values of one kind; none for what is not a number.
pub(super) fn order(left: &Dynamic, right: &Dynamic) -> Result<Option<Ordering>, Error> {
    let kind = same_kind(left, right)?;
    match kind {
        Kind::Number => Ok(order_numbers(left, right)),
        Kind::Text if holds_redacted(left) || holds_redacted(right) => Err(redacted()),
        Kind::Text => Ok(Some(with_texts(left, right, |left, right| left.cmp(right)))),
        Kind::Version => Ok(order_own::<Version>(left, right)),
        Kind::Ip => Ok(order_own::<Ip>(left, right)),
        Kind::Duration | Kind::Timestamp => {
            let is = |comparison| bounded(left, right, comparison).unwrap_or(Ok(false));
            Ok(Some(if is(Comparison::Less)? {
                Ordering::Less
            } else if is(Comparison::Greater)? {
                Ordering::Greater
            } else {
                Ordering::Equal
            }))
        }
        _ => Err(failed(format!(
            "{} and {} have no order",
            describe(left),
            describe(right)
        ))),
    }
}

/// `a == b` of two values of one kind.
///
/// # Errors
/// Unknown if a side is absent; failed if the sides are of unlike kinds.
pub(super) fn equal(left: &Dynamic, right: &Dynamic) -> Result<bool, Error> {
    if let Some(answer) = asked(left, right).or_else(|| asked(right, left)) {
        return answer;
    }
    if let Err(unlike) = same_kind(left, right) {
        return Err(if may_have_been_same(left, right) {
            redacted()
        } else {
            unlike
        });
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Duration>(), right.read_lock::<Duration>()) {
        return left.equal(&right);
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Timestamp>(), right.read_lock::<Timestamp>()) {
        return left.equal(&right);
    }
    match same(left, right) {
        true => Ok(true),
        false if may_have_been_same(left, right) => Err(redacted()),
        false => Ok(false),
    }
}

/// A comparison of durations or of times, of which perhaps only bounds are known.
fn bounded(left: &Dynamic, right: &Dynamic, comparison: Comparison) -> Option<Result<bool, Error>> {
    if let (Some(left), Some(right)) = (left.read_lock::<Duration>(), right.read_lock::<Duration>()) {
        return Some(left.compare(comparison, &right));
    }
    let (left, right) = (left.read_lock::<Timestamp>()?, right.read_lock::<Timestamp>()?);
    Some(left.compare(comparison, &right))
}

/// The answer to a question that one side asks of the other.
fn asked(value: &Dynamic, question: &Dynamic) -> Option<Result<bool, Error>> {
    let question = question.is_variant().then(|| question.read_lock::<Asked>())??;
    Some(match *question {
        Asked::Absence => Ok(value.is_unit()),
        Asked::Truth if value.is_unit() => Ok(false),
        Asked::Truth => match value.as_bool() {
            Ok(truth) => Ok(truth),
            Err(_) => same_kind(value, &Dynamic::TRUE).map(|_| false),
        },
    })
}

fn same_kind(left: &Dynamic, right: &Dynamic) -> Result<Kind, Error> {
    let (kind, other) = (Kind::of(left), Kind::of(right));
    if kind == Kind::Absent {
        return Err(absent(
            Side::Before,
            format!("; it was compared with {}", describe(right)),
        ));
    }
    if other == Kind::Absent {
        return Err(absent(
            Side::After,
            format!("; it was compared with {}", describe(left)),
        ));
    }
    if kind != other {
        return Err(failed(format!(
            "{} cannot be compared with {}",
            describe(left),
            describe(right)
        )));
    }
    Ok(kind)
}

/// Whether two values are the same: unlike kinds are not, absent values are. This is how items of lists are compared.
pub fn same(left: &Dynamic, right: &Dynamic) -> bool {
    let kind = Kind::of(left);
    if kind != Kind::of(right) {
        return false;
    }
    match kind {
        Kind::Absent => true,
        Kind::Bool => left.as_bool().ok() == right.as_bool().ok(),
        Kind::Number => order_numbers(left, right) == Some(Ordering::Equal),
        Kind::Text => with_texts(left, right, |left, right| left == right),
        Kind::List => match (left.read_lock::<Array>(), right.read_lock::<Array>()) {
            (Some(left), Some(right)) => same_lists(&left, &right),
            _ => false,
        },
        Kind::Map => same_maps(left, right),
        Kind::Version => equal_own::<Version>(left, right),
        Kind::Ip => equal_own::<Ip>(left, right),
        Kind::Duration => equal_own::<Duration>(left, right),
        Kind::Timestamp => equal_own::<Timestamp>(left, right),
        Kind::Index => match (left.read_lock::<Index>(), right.read_lock::<Index>()) {
            (Some(left), Some(right)) => left.same(&right),
            _ => false,
        },
        Kind::Other => false,
    }
}

fn same_lists(left: &[Dynamic], right: &[Dynamic]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
}

fn same_maps(left: &Dynamic, right: &Dynamic) -> bool {
    match (left.read_lock::<Node>(), right.read_lock::<Node>()) {
        (Some(left), Some(right)) => same_nodes(&left, &right),
        (Some(node), None) => right.read_lock::<Map>().is_some_and(|map| node_is_map(&node, &map)),
        (None, Some(node)) => left.read_lock::<Map>().is_some_and(|map| node_is_map(&node, &map)),
        (None, None) => match (left.read_lock::<Map>(), right.read_lock::<Map>()) {
            (Some(left), Some(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
            }
            _ => false,
        },
    }
}

fn node_is_map(node: &Node, map: &Map) -> bool {
    let document = &node.doc.document;
    document.len(node.id) == map.len()
        && map.iter().all(|(key, value)| {
            document
                .get(node.id, key)
                .is_some_and(|member| same(&to_dynamic(&node.doc, member), value))
        })
}

fn same_nodes(left: &Node, right: &Node) -> bool {
    let (here, there) = (&left.doc.document, &right.doc.document);
    (std::ptr::eq(here, there) && left.id == right.id) || same_trees(here, left.id, there, right.id)
}

/// Structural equality of two subtrees; the order of members does not count.
fn same_trees(here: &Document, left: NodeId, there: &Document, right: NodeId) -> bool {
    let kind = here.kind(left);
    if kind != there.kind(right) {
        return false;
    }
    match kind {
        NodeKind::Null | NodeKind::True | NodeKind::False => true,
        NodeKind::Number => here.number(left) == there.number(right),
        NodeKind::String => here.str(left) == there.str(right),
        NodeKind::Array => {
            here.len(left) == there.len(right)
                && here
                    .children(left)
                    .zip(there.children(right))
                    .all(|(left, right)| same_trees(here, left, there, right))
        }
        NodeKind::Object => {
            here.len(left) == there.len(right)
                && here.children(left).all(|member| {
                    let other = here.key(member).and_then(|key| there.get(right, key));
                    other.is_some_and(|other| same_trees(here, member, there, other))
                })
        }
    }
}

fn order_own<T: Ord + Clone + 'static>(left: &Dynamic, right: &Dynamic) -> Option<Ordering> {
    Some((*left.read_lock::<T>()?).cmp(&*right.read_lock::<T>()?))
}

fn equal_own<T: PartialEq + Clone + 'static>(left: &Dynamic, right: &Dynamic) -> bool {
    matches!((left.read_lock::<T>(), right.read_lock::<T>()), (Some(left), Some(right)) if *left == *right)
}

fn with_texts<T>(left: &Dynamic, right: &Dynamic, compare: impl Fn(&str, &str) -> T) -> T {
    match (
        left.read_lock::<ImmutableString>(),
        right.read_lock::<ImmutableString>(),
    ) {
        (Some(left), Some(right)) => compare(&left, &right),
        // One of them is a single character.
        _ => compare(&left.to_string(), &right.to_string()),
    }
}

fn order_numbers(left: &Dynamic, right: &Dynamic) -> Option<Ordering> {
    match (left.as_int(), right.as_int()) {
        (Ok(left), Ok(right)) => return Some(left.cmp(&right)),
        (Ok(left), Err(_)) => {
            if let Some(right) = right.read_lock::<BigNumber>() {
                return Some(right.order_int(left).reverse());
            }
            return order_int_float(left, right.as_float().ok()?);
        }
        (Err(_), Ok(right)) => {
            if let Some(left) = left.read_lock::<BigNumber>() {
                return Some(left.order_int(right));
            }
            return order_int_float(right, left.as_float().ok()?).map(Ordering::reverse);
        }
        (Err(_), Err(_)) => {}
    }
    match (left.read_lock::<BigNumber>(), right.read_lock::<BigNumber>()) {
        (Some(left), Some(right)) => Some(left.order(&right)),
        (Some(left), None) => left.to_f64().partial_cmp(&right.as_float().ok()?),
        (None, Some(right)) => left.as_float().ok()?.partial_cmp(&right.to_f64()),
        (None, None) => left.as_float().ok()?.partial_cmp(&right.as_float().ok()?),
    }
}

/// Exact, where turning the integer into a float would round it.
fn order_int_float(int: i64, float: f64) -> Option<Ordering> {
    /// 2^63, the first float above every `i64`.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    let order = int.cmp(&(whole as i64));
    Some(order.then(whole.partial_cmp(&float)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_compare_exactly() {
        assert_eq!(order_int_float(i64::MAX, i64::MAX as f64), Some(Ordering::Less));
        assert_eq!(
            order_int_float(9_007_199_254_740_993, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(order_int_float(1, 1.5), Some(Ordering::Less));
        assert_eq!(order_int_float(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_int_float(0, f64::NAN), None);
    }
}
