//! Numbers.

use std::cmp::Ordering;

use rhai::Dynamic;

use super::text::keep_place;
use super::{Context, Function};
use crate::script::closure::with_list;
use crate::script::compare::order;
use crate::script::number::BigNumber;
use crate::script::problem::{Error, failed, not_known};
use crate::script::values::{integer, number, text, wrong};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "int",
        parameters: &["value"],
        about: "The integer that a text or a number says; fractions are cut off. Unknown if a text says none. It remembers the place of the text.",
        example: r#"int("42") == 42 && int(-1.9) == -1"#,
        mutates: false,
        call: int,
    },
    Function {
        name: "float",
        parameters: &["value"],
        about: "The number that a text or an integer says, with a fraction. Unknown if a text says none.",
        example: r#"float("1.5") == 1.5 && float(2) == 2.0"#,
        mutates: false,
        call: float,
    },
    Function {
        name: "percent",
        parameters: &["part", "whole"],
        about: "How many percent a part is of a whole. Unknown if the whole is nothing.",
        example: "percent(1, 4) == 25",
        mutates: false,
        call: percent,
    },
    Function {
        name: "round",
        parameters: &["number", "digits?"],
        about: "The number rounded to an integer, or to some digits after the point.",
        example: "round(2.5) == 3 && round(1.256, 2) == 1.26",
        mutates: false,
        call: round,
    },
    Function {
        name: "floor",
        parameters: &["number"],
        about: "The largest integer that is not above a number.",
        example: "floor(-1.5) == -2",
        mutates: false,
        call: |_, args| whole("floor", args[0], f64::floor),
    },
    Function {
        name: "ceil",
        parameters: &["number"],
        about: "The smallest integer that is not below a number.",
        example: "ceil(1.2) == 2",
        mutates: false,
        call: |_, args| whole("ceil", args[0], f64::ceil),
    },
    Function {
        name: "abs",
        parameters: &["number"],
        about: "The number without its sign.",
        example: "abs(-3) == 3 && abs(-0.5) == 0.5",
        mutates: false,
        call: abs,
    },
    Function {
        name: "min",
        parameters: &["list_or_value", "other?"],
        about: "The least of a list or of two values of a kind; `()` of an empty list.",
        example: "min([3, 1, 2]) == 1 && min(2, 1) == 1",
        mutates: false,
        call: |_, args| extreme("min", Ordering::Less, args),
    },
    Function {
        name: "max",
        parameters: &["list_or_value", "other?"],
        about: "The greatest of a list or of two values of a kind; `()` of an empty list.",
        example: r#"max([3, 1, 2]) == 3 && max("a", "b") == "b""#,
        mutates: false,
        call: |_, args| extreme("max", Ordering::Greater, args),
    },
];

fn int(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = &*args[0];
    if value.is_int() || value.read_lock::<BigNumber>().is_some() {
        return Ok(value.clone());
    }
    if value.is_float() {
        return whole("int", value, f64::trunc).map(|result| keep_place(value, result));
    }
    let written = text("int", value)?;
    let parsed = written.trim().parse::<i64>();
    parsed
        .map(|number| keep_place(value, number.into()))
        .map_err(|_| not_known(format!("`{written}` is not an integer")))
}

fn float(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = &*args[0];
    if !value.is_string() {
        return number("float", value).map(|number| keep_place(value, number.into()));
    }
    let written = text("float", value)?;
    let parsed = written.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    parsed
        .map(|number| keep_place(value, number.into()))
        .ok_or_else(|| not_known(format!("`{written}` is not a number")))
}

fn percent(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (part, whole) = (number("percent", args[0])?, number("percent", args[1])?);
    if whole == 0.0 {
        return Err(not_known("a percentage of nothing"));
    }
    Ok((part * 100.0 / whole).into())
}

fn round(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let Some(digits) = args.get(1) else {
        return whole("round", args[0], f64::round);
    };
    let digits = i32::try_from(integer("round", digits)?)
        .unwrap_or(i32::MAX)
        .clamp(0, 15);
    let scale = 10f64.powi(digits);
    Ok(((number("round", args[0])? * scale).round() / scale).into())
}

fn whole(function: &str, value: &Dynamic, cut: fn(f64) -> f64) -> Result<Dynamic, Error> {
    if value.is_int() {
        return Ok(value.clone());
    }
    let cut = cut(number(function, value)?);
    if cut.is_nan() || cut.abs() >= i64::MAX as f64 {
        return Err(failed(format!("`{function}` has no result in 64 bits")));
    }
    Ok((cut as i64).into())
}

fn abs(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    match args[0].as_int() {
        Ok(number) => number
            .checked_abs()
            .map(Dynamic::from)
            .ok_or_else(|| failed("`abs` has no result in 64 bits")),
        Err(_) => Ok(number("abs", args[0])?.abs().into()),
    }
}

fn extreme(function: &str, wanted: Ordering, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    if let [left, right] = args {
        return better(wanted, left, right).cloned();
    }
    with_list(function, args[0], |list| {
        let Some((first, rest)) = list.split_first() else {
            return Ok(Dynamic::UNIT);
        };
        if first.is_unit() {
            return Err(wrong(function, "values", first));
        }
        rest.iter()
            .try_fold(first, |best, item| better(wanted, best, item))
            .cloned()
    })
}

fn better<'v>(wanted: Ordering, best: &'v Dynamic, item: &'v Dynamic) -> Result<&'v Dynamic, Error> {
    Ok(if order(item, best)? == Some(wanted) { item } else { best })
}
