//! The operators: like with like, nothing in silence.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{Array, Dynamic, FuncRegistration, ImmutableString, Map, Module, NativeCallContext, RhaiFunc};

use super::compare::{self, Comparison};
use super::functions::time::{Duration, Timestamp};
use super::functions::{Context, Native, list};
use super::index::Index;
use super::node::Node;
use super::operand::Side;
use super::problem::{Error, absent, failed};
use super::redacted::{holds_redacted, is_redacted, may_have_been_same, redacted};
use super::session;
use super::values::{Kind, describe, pay, pay_all, show};

/// The operators, and how many operands each takes.
const OPERATORS: &[(&str, usize, Native)] = &[
    ("==", 2, |_, args| compare::equal(args[0], args[1]).map(Dynamic::from)),
    ("!=", 2, |_, args| {
        compare::equal(args[0], args[1]).map(|equal| (!equal).into())
    }),
    ("<", 2, |_, args| ordered(Comparison::Less, args)),
    ("<=", 2, |_, args| ordered(Comparison::LessOrEqual, args)),
    (">", 2, |_, args| ordered(Comparison::Greater, args)),
    (">=", 2, |_, args| ordered(Comparison::GreaterOrEqual, args)),
    // `a in b` is `contains(b, a)`.
    ("contains", 2, |_, args| contains(args[0], args[1]).map(Dynamic::from)),
    ("+", 2, |_, args| add_values(args[0], args[1])),
    ("-", 2, |_, args| subtract(args[0], args[1])),
    ("*", 2, |_, args| multiply(args[0], args[1])),
    ("/", 2, |_, args| {
        arithmetic("/", args[0], args[1], i64::checked_div, |left, right| left / right)
    }),
    ("%", 2, |_, args| {
        arithmetic("%", args[0], args[1], i64::checked_rem, |left, right| left % right)
    }),
    ("**", 2, |_, args| arithmetic("**", args[0], args[1], power, f64::powf)),
    ("-", 1, |_, args| negate(args[0])),
    ("!", 1, |_, args| not(args[0])),
];

/// The operator of this name that takes so many operands.
pub(super) fn find(name: &str, operands: usize) -> Option<Native> {
    let found = OPERATORS
        .iter()
        .find(|(of, takes, _)| *of == name && *takes == operands);
    found.map(|(_, _, native)| *native)
}

/// Adds a native function for values of these types: Rhai finds it sooner than one for any values.
pub(super) fn register_for(
    module: &mut Module,
    name: &str,
    types: &[TypeId],
    pure: bool,
    native: impl Fn(Context<'_>, &mut [&mut Dynamic]) -> Result<Dynamic, Error> + Send + Sync + 'static,
) {
    let function = RhaiFunc::Method {
        func: Arc::new(
            move |context: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| native(context.as_ref(), args),
        ),
        has_context: true,
        is_pure: pure,
        is_volatile: false,
    };
    FuncRegistration::new(name)
        .in_global_namespace()
        .set_into_module_raw(module, types, function);
}

/// Types for which Rhai should find an operator at once, because it is so common there.
fn common_types(operator: &str) -> Vec<[TypeId; 2]> {
    let text = TypeId::of::<ImmutableString>();
    match operator {
        "contains" => vec![[TypeId::of::<Array>(), text], [TypeId::of::<Index>(), text]],
        "==" | "!=" | "<" | "<=" | ">" | ">=" => [TypeId::of::<i64>(), TypeId::of::<f64>(), TypeId::of::<bool>(), text]
            .map(|of| [of, of])
            .to_vec(),
        _ => Vec::new(),
    }
}

/// Adds all operators to a module.
pub(super) fn add(module: &mut Module) {
    let any = [TypeId::of::<Dynamic>(); 2];
    for (name, operands, native) in OPERATORS {
        for types in common_types(name) {
            register_for(module, name, &types, true, *native);
        }
        register_for(module, name, &any[..*operands], true, *native);
    }
    register_for(module, "+=", &any, false, |context, args| {
        if args[0].is_array() {
            return list::append(context, args);
        }
        *args[0] = add_values(args[0], args[1])?;
        Ok(Dynamic::UNIT)
    });
    // What `=` is exchanged for: see `tokens`.
    register_for(module, "<<=", &any, false, |_, args| {
        pay(args[1])?;
        *args[0] = std::mem::take(args[1]);
        Ok(Dynamic::UNIT)
    });
}

fn ordered(comparison: Comparison, args: &[&mut Dynamic]) -> Result<Dynamic, Error> {
    compare::ordered(comparison, args[0], args[1]).map(Dynamic::from)
}

/// `item in whole`.
fn contains(whole: &Dynamic, item: &Dynamic) -> Result<bool, Error> {
    if let Some(list) = whole.read_lock::<Array>() {
        session::charge(list.len() as u64)?;
        let found = list.iter().any(|candidate| compare::same(candidate, item));
        return match found {
            true => Ok(true),
            false if item.is_unit() => Err(absent_item()),
            false if list.iter().any(|candidate| may_have_been_same(candidate, item)) => Err(redacted()),
            false => Ok(false),
        };
    }
    if whole.is_unit() {
        return Err(absent(Side::After, "; something was looked for in it".into()));
    }
    if item.is_unit() {
        return Err(absent_item());
    }
    if let Some(index) = whole.read_lock::<Index>() {
        return match index.contains(item) {
            false if index.may_contain(item) => Err(redacted()),
            found => Ok(found),
        };
    }
    let text = item.read_lock::<ImmutableString>();
    let text = text.as_ref().map(|text| text.as_str());
    match (Kind::of(whole), text) {
        (Kind::Text, _) if Kind::of(item) == Kind::Text => match whole.to_string().contains(&item.to_string()) {
            false if is_redacted(whole) || holds_redacted(item) => Err(redacted()),
            found => Ok(found),
        },
        (Kind::Map, Some(key)) => Ok(match whole.read_lock::<Node>() {
            Some(node) => node.has(key),
            None => whole.read_lock::<Map>().is_some_and(|map| map.contains_key(key)),
        }),
        _ => contains_number(whole, item),
    }
}

fn contains_number(whole: &Dynamic, item: &Dynamic) -> Result<bool, Error> {
    if let Ok(number) = item.as_int() {
        if let Some(range) = whole.read_lock::<std::ops::Range<i64>>() {
            return Ok(range.contains(&number));
        }
        if let Some(range) = whole.read_lock::<std::ops::RangeInclusive<i64>>() {
            return Ok(range.contains(&number));
        }
    }
    Err(failed(format!("{} cannot be in {}", describe(item), describe(whole))))
}

fn absent_item() -> Error {
    absent(Side::Before, "; it was looked for".into())
}

fn not(value: &Dynamic) -> Result<Dynamic, Error> {
    match value.as_bool() {
        Ok(truth) => Ok((!truth).into()),
        Err(_) => Err(misuse("!", value)),
    }
}

fn negate(value: &Dynamic) -> Result<Dynamic, Error> {
    if let Some(duration) = value.read_lock::<Duration>() {
        return duration.negated().map(Dynamic::from);
    }
    if let Ok(number) = value.as_int() {
        return number
            .checked_neg()
            .map(Dynamic::from)
            .ok_or_else(|| misuse("-", value));
    }
    value
        .as_float()
        .map(|number| (-number).into())
        .map_err(|_| misuse("-", value))
}

fn misuse(operator: &str, value: &Dynamic) -> Error {
    if value.is_unit() {
        absent(Side::After, format!("; `{operator}` was applied to it"))
    } else {
        failed(format!("`{operator}` cannot be applied to {}", describe(value)))
    }
}

fn mismatch(operator: &str, left: &Dynamic, right: &Dynamic) -> Error {
    let applied = || format!("; `{operator}` was applied to it");
    if left.is_unit() {
        return absent(Side::Before, applied());
    }
    if right.is_unit() {
        return absent(Side::After, applied());
    }
    failed(format!(
        "`{operator}` cannot be applied to {} and {}",
        describe(left),
        describe(right)
    ))
}

/// `+` of what Rhai itself does not add: texts with scalars, lists, durations, times, mixed numbers.
pub(super) fn add_values(left: &Dynamic, right: &Dynamic) -> Result<Dynamic, Error> {
    if let Some(duration) = right.read_lock::<Duration>() {
        if let Some(time) = left.read_lock::<Timestamp>() {
            return time.plus(&duration).map(Dynamic::from);
        }
        if let Some(other) = left.read_lock::<Duration>() {
            return other.plus(&duration).map(Dynamic::from);
        }
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Array>(), right.read_lock::<Array>()) {
        pay_all(&left)?;
        pay_all(&right)?;
        return Ok(left.iter().chain(right.iter()).cloned().collect::<Array>().into());
    }
    let (kind, other) = (Kind::of(left), Kind::of(right));
    match (kind, other) {
        (Kind::Number, Kind::Number) => arithmetic("+", left, right, i64::checked_add, |left, right| left + right),
        (Kind::Absent, _) | (_, Kind::Absent) => Err(mismatch("+", left, right)),
        (Kind::Text, _) | (_, Kind::Text) if is_printable(kind) && is_printable(other) => {
            let text = format!("{}{}", show(left), show(right));
            session::check_string(text.len())?;
            session::charge(text.len() as u64 / 16)?;
            Ok(text.into())
        }
        _ => Err(mismatch("+", left, right)),
    }
}

fn is_printable(kind: Kind) -> bool {
    !matches!(kind, Kind::Absent | Kind::List | Kind::Map | Kind::Index | Kind::Other)
}

fn subtract(left: &Dynamic, right: &Dynamic) -> Result<Dynamic, Error> {
    if let Some(time) = left.read_lock::<Timestamp>() {
        if let Some(earlier) = right.read_lock::<Timestamp>() {
            return time.since(&earlier).map(Dynamic::from);
        }
        if let Some(duration) = right.read_lock::<Duration>() {
            return time.plus(&duration.negated()?).map(Dynamic::from);
        }
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Duration>(), right.read_lock::<Duration>()) {
        return left.plus(&right.negated()?).map(Dynamic::from);
    }
    arithmetic("-", left, right, i64::checked_sub, |left, right| left - right)
}

fn multiply(left: &Dynamic, right: &Dynamic) -> Result<Dynamic, Error> {
    for (duration, factor) in [(left, right), (right, left)] {
        if let (Some(duration), Some(factor)) = (duration.read_lock::<Duration>(), as_float(factor)) {
            return duration.times(factor).map(Dynamic::from);
        }
    }
    arithmetic("*", left, right, i64::checked_mul, |left, right| left * right)
}

fn power(base: i64, exponent: i64) -> Option<i64> {
    base.checked_pow(u32::try_from(exponent).ok()?)
}

/// An operator on numbers: exact on integers, in floating point if one side is no integer.
fn arithmetic(
    operator: &str,
    left: &Dynamic,
    right: &Dynamic,
    exact: fn(i64, i64) -> Option<i64>,
    float: fn(f64, f64) -> f64,
) -> Result<Dynamic, Error> {
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        let result = exact(left, right);
        return result
            .map(Dynamic::from)
            .ok_or_else(|| failed(format!("{left} {operator} {right} has no result in 64 bits")));
    }
    match (as_float(left), as_float(right)) {
        (Some(left), Some(right)) => Ok(float(left, right).into()),
        _ => Err(mismatch(operator, left, right)),
    }
}

fn as_float(value: &Dynamic) -> Option<f64> {
    value
        .as_int()
        .map(|number| number as f64)
        .or_else(|_| value.as_float())
        .ok()
}
