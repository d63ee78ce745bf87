//! Lists.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Map};

use super::{Context, Function, Native};
use crate::script::closure::{Closure, with_closure, with_list};
use crate::script::compare::{order, same};
use crate::script::index::Key;
use crate::script::operators::add_values;
use crate::script::problem::{Error, failed, not_known};
use crate::script::redacted::{may_have_been_same, redacted};
use crate::script::session::{charge, check_string};
use crate::script::values::{integer, member, pay, pay_all, show, text, whole_text, wrong};

/// A function on a list that leaves it as it is.
const fn pure(
    name: &'static str,
    parameters: &'static [&'static str],
    about: &'static str,
    example: &'static str,
    call: Native,
) -> Function {
    Function {
        name,
        parameters,
        about,
        example,
        mutates: false,
        call,
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    pure(
        "map",
        &["list", "function"],
        "What a function gives for each item.",
        "[1, 2].map(|n| n * 2) == [2, 4]",
        map,
    ),
    pure(
        "filter",
        &["list", "function"],
        "The items for which a function says true.",
        "[1, 2, 3].filter(|n| n > 1) == [2, 3]",
        filter,
    ),
    pure(
        "find",
        &["list", "function"],
        "The first item for which a function says true; `()` if there is none.",
        "[1, 2, 3].find(|n| n > 1) == 2 && [1].find(|n| n > 1) == ()",
        find,
    ),
    pure(
        "some",
        &["list", "function"],
        "Whether a function says true for any item.",
        "[1, 2].some(|n| n > 1)",
        some,
    ),
    pure(
        "all",
        &["list", "function"],
        "Whether a function says true for every item.",
        "[1, 2].all(|n| n > 0) && [].all(|n| n > 0)",
        all,
    ),
    pure(
        "reduce",
        &["list", "function", "start"],
        "Goes through the items with a function of what it gave before and the item.",
        "[1, 2, 3].reduce(|sum, n| sum + n, 0) == 6",
        reduce,
    ),
    pure(
        "flatten",
        &["list"],
        "The items of the lists in a list.",
        "[[1], [2, 3], 4].flatten() == [1, 2, 3, 4]",
        flatten,
    ),
    pure(
        "unique",
        &["list"],
        "The items without those that are the same as an earlier one.",
        "[1, 2, 1].unique() == [1, 2]",
        unique,
    ),
    pure(
        "order",
        &["list", "compare?"],
        "The items in rising order, or as a function of two items says: a negative number if the first comes first.",
        "[2, 3, 1].order() == [1, 2, 3] && [2, 3, 1].order(|a, b| b - a) == [3, 2, 1]",
        ordered,
    ),
    pure(
        "order_by",
        &["list", "key"],
        "The items in rising order of what a function gives for them.",
        r#"["ccc", "a", "bb"].order_by(|t| t.len()) == ["a", "bb", "ccc"]"#,
        order_by,
    ),
    pure(
        "group_by",
        &["list", "key"],
        "The items by what a function gives for them: an object of lists.",
        r#"["ab", "c", "d"].group_by(|t| t.len()) == #{ "1": ["c", "d"], "2": ["ab"] }"#,
        group_by,
    ),
    pure(
        "count_by",
        &["list", "key"],
        "How many items there are by what a function gives for them.",
        r#"["ab", "c", "d"].count_by(|t| t.len()) == #{ "1": 2, "2": 1 }"#,
        count_by,
    ),
    pure(
        "slice",
        &["list", "start", "length?"],
        "Part of a list; a negative start counts from the end.",
        "[1, 2, 3].slice(1) == [2, 3] && [1, 2, 3].slice(-2, 1) == [2]",
        slice,
    ),
    pure(
        "sum",
        &["list"],
        "The sum of numbers or durations; 0 if there are none.",
        "[1, 2.5].sum() == 3.5",
        sum,
    ),
    pure(
        "join",
        &["list", "separator"],
        "The items as one text.",
        r#"[1, "a"].join(", ") == "1, a""#,
        join,
    ),
    pure(
        "differ",
        &["left", "right", "key"],
        "How two lists of objects differ, which belong together by a key: rows of `key`, `left`, `right` and `change` (`added`, `removed`, `changed`).",
        r#"differ([#{ n: 1, v: 1 }], [#{ n: 1, v: 2 }], "n")[0].change == "changed""#,
        differ,
    ),
    Function {
        name: "push",
        parameters: &["list", "item"],
        about: "Adds an item at the end.",
        example: "let a = [1]; a.push(2); a == [1, 2]",
        mutates: true,
        call: push,
    },
    Function {
        name: "append",
        parameters: &["list", "other"],
        about: "Adds the items of another list at the end, as `+=` does.",
        example: "let a = [1]; a.append([2, 3]); a == [1, 2, 3]",
        mutates: true,
        call: append,
    },
    Function {
        name: "insert",
        parameters: &["list", "position", "item"],
        about: "Adds an item before the one at a position.",
        example: "let a = [1, 3]; a.insert(1, 2); a == [1, 2, 3]",
        mutates: true,
        call: insert,
    },
    Function {
        name: "pop",
        parameters: &["list"],
        about: "Takes the last item off a list; `()` if there is none.",
        example: "let a = [1, 2]; a.pop() == 2 && a == [1]",
        mutates: true,
        call: pop,
    },
    Function {
        name: "shift",
        parameters: &["list"],
        about: "Takes the first item off a list; `()` if there is none.",
        example: "let a = [1, 2]; a.shift() == 1 && a == [2]",
        mutates: true,
        call: shift,
    },
    Function {
        name: "reverse",
        parameters: &["list"],
        about: "Turns a list round.",
        example: "let a = [1, 2]; a.reverse(); a == [2, 1]",
        mutates: true,
        call: reverse,
    },
    Function {
        name: "sort",
        parameters: &["list", "compare?"],
        about: "Orders a list itself, as `order` orders a copy.",
        example: "let a = [2, 1]; a.sort(); a == [1, 2]",
        mutates: true,
        call: sort,
    },
];

fn map(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("map", args[0], |list| {
        with_closure(context, "map", args[1], |closure| {
            let mut out = Array::with_capacity(list.len());
            for item in list {
                let value = closure.call([item.clone()])?;
                pay(&value)?;
                out.push(value);
            }
            Ok(out.into())
        })
    })
}

fn filter(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("filter", args[0], |list| {
        with_closure(context, "filter", args[1], |closure| {
            let mut out = Array::new();
            for item in list {
                if closure.test(item)? {
                    pay(item)?;
                    out.push(item.clone());
                }
            }
            Ok(out.into())
        })
    })
}

/// The first item for which the closure says true.
fn first<'l>(list: &'l [Dynamic], closure: &mut Closure<'_>) -> Result<Option<&'l Dynamic>, Error> {
    for item in list {
        if closure.test(item)? {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn find(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("find", args[0], |list| {
        let found = with_closure(context, "find", args[1], |closure| first(list, closure))?;
        Ok(found.cloned().unwrap_or(Dynamic::UNIT))
    })
}

fn some(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("some", args[0], |list| {
        let found = with_closure(context, "some", args[1], |closure| first(list, closure))?;
        Ok(found.is_some().into())
    })
}

/// Also the rows of an index: `index.all(key)`.
fn all(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("all", args[0], |list| {
        with_closure(context, "all", args[1], |closure| {
            for item in list {
                if !closure.test(item)? {
                    return Ok(false.into());
                }
            }
            Ok(true.into())
        })
    })
}

fn reduce(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("reduce", args[0], |list| {
        with_closure(context, "reduce", args[1], |closure| {
            let mut result = args[2].clone();
            for item in list {
                result = closure.call([result, item.clone()])?;
            }
            Ok(result)
        })
    })
}

fn flatten(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("flatten", args[0], |list| {
        pay_all(list)?;
        let mut out = Array::new();
        for item in list {
            match item.read_lock::<Array>() {
                Some(inner) => out.extend(inner.iter().cloned()),
                None => out.push(item.clone()),
            }
        }
        Ok(out.into())
    })
}

fn unique(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("unique", args[0], |list| {
        pay_all(list)?;
        let mut keys = rustc_hash::FxHashSet::default();
        let mut out = Array::new();
        for item in list {
            let is_new = match Key::of(item) {
                Some(key) => keys.insert(key),
                None => {
                    charge(out.len() as u64)?;
                    !out.iter().any(|earlier| same(earlier, item))
                }
            };
            if is_new {
                out.push(item.clone());
            }
        }
        Ok(out.into())
    })
}

fn slice(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let start = integer("slice", args[1])?;
    let length = args.get(2).map_or(Ok(i64::MAX), |length| integer("slice", length))?;
    with_list("slice", args[0], |list| {
        let count = list.len() as i64;
        let start = if start < 0 {
            (count + start).max(0)
        } else {
            start.min(count)
        };
        let end = start.saturating_add(length.max(0)).min(count);
        let part = list.get(start as usize..end as usize).unwrap_or_default();
        pay_all(part)?;
        Ok(part.to_vec().into())
    })
}

fn sum(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("sum", args[0], |list| match list {
        [] => Ok(0_i64.into()),
        [first, rest @ ..] => rest.iter().try_fold(first.clone(), |sum, item| add_values(&sum, item)),
    })
}

fn join(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let separator = text("join", args[1])?;
    with_list("join", args[0], |list| {
        if list.iter().any(Dynamic::is_unit) {
            return Err(not_known("`join` was given an absent value"));
        }
        let items: Vec<String> = list.iter().map(whole_text).collect::<Result<_, _>>()?;
        check_string(items.iter().map(|item| item.len() + separator.len()).sum())?;
        super::text::checked(items.join(&separator))
    })
}

fn ordered(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("order", args[0], |list| {
        pay_all(list)?;
        sorted(context, "order", list, args.get(1)).map(Dynamic::from)
    })
}

fn sort(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let out = with_list("sort", args[0], |list| sorted(context, "sort", list, args.get(1)))?;
    change("sort", args[0], |list| *list = out)
}

fn sorted(
    context: Context<'_>,
    function: &str,
    list: &[Dynamic],
    compare: Option<&&mut Dynamic>,
) -> Result<Array, Error> {
    let Some(compare) = compare else {
        return merge_sort(list.to_vec(), &mut |left, right| {
            order(left, right).map(|order| order.unwrap_or(Ordering::Equal))
        });
    };
    with_closure(context, function, compare, |closure| {
        merge_sort(list.to_vec(), &mut |left, right| {
            let answer = closure.call([left.clone(), right.clone()])?;
            match (answer.as_int(), answer.as_bool()) {
                (Ok(number), _) => Ok(number.cmp(&0)),
                (_, Ok(true)) => Ok(Ordering::Less),
                (_, Ok(false)) => Ok(Ordering::Greater),
                _ => Err(wrong(function, "a function that gives a number", &answer)),
            }
        })
    })
}

fn order_by(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("order_by", args[0], |list| {
        pay_all(list)?;
        let keyed = with_keys(context, "order_by", list, args[1])?;
        let keyed = merge_sort(keyed, &mut |left, right| {
            order(&left.0, &right.0).map(|order| order.unwrap_or(Ordering::Equal))
        })?;
        Ok(keyed.into_iter().map(|(_, item)| item).collect::<Array>().into())
    })
}

/// Sorts stably with a comparison that may fail. Rust's own sort panics where a comparison contradicts itself.
fn merge_sort<T>(
    mut items: Vec<T>,
    compare: &mut dyn FnMut(&T, &T) -> Result<Ordering, Error>,
) -> Result<Vec<T>, Error> {
    if items.len() < 2 {
        return Ok(items);
    }
    let rest = items.split_off(items.len() / 2);
    let mut left = merge_sort(items, compare)?.into_iter().peekable();
    let mut right = merge_sort(rest, compare)?.into_iter().peekable();
    let mut out = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if compare(first, second)?.is_gt() {
            right.next()
        } else {
            left.next()
        };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

fn with_keys(
    context: Context<'_>,
    function: &str,
    list: &[Dynamic],
    key: &Dynamic,
) -> Result<Vec<(Dynamic, Dynamic)>, Error> {
    with_closure(context, function, key, |closure| {
        list.iter()
            .map(|item| Ok((closure.call([item.clone()])?, item.clone())))
            .collect()
    })
}

fn group_by(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("group_by", args[0], |list| {
        pay_all(list)?;
        let mut groups: std::collections::BTreeMap<String, Array> = Default::default();
        for (key, item) in with_keys(context, "group_by", list, args[1])? {
            groups.entry(group_key("group_by", &key)?).or_default().push(item);
        }
        Ok(groups
            .into_iter()
            .map(|(key, items)| (key.into(), items.into()))
            .collect::<Map>()
            .into())
    })
}

fn count_by(context: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    with_list("count_by", args[0], |list| {
        let mut counts: std::collections::BTreeMap<String, i64> = Default::default();
        for (key, _) in with_keys(context, "count_by", list, args[1])? {
            *counts.entry(group_key("count_by", &key)?).or_default() += 1;
        }
        Ok(counts
            .into_iter()
            .map(|(key, count)| (key.into(), count.into()))
            .collect::<Map>()
            .into())
    })
}

fn group_key(function: &str, key: &Dynamic) -> Result<String, Error> {
    if key.is_unit() {
        Err(wrong(function, "a key", key))
    } else {
        Ok(show(key))
    }
}

fn differ(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let key = text("differ", args[2])?;
    with_list("differ", args[0], |left| {
        with_list("differ", args[1], |right| {
            pay_all(left)?;
            pay_all(right)?;
            let mut partners = keyed(right, &key)?;
            let mut rows = Array::new();
            for item in left {
                let name = key_of(item, &key)?;
                let partner = partners
                    .iter_mut()
                    .find(|(other, partner)| partner.is_some() && same(other, &name));
                match partner.and_then(|(_, partner)| partner.take()) {
                    None => rows.push(difference(name, item, &Dynamic::UNIT, "removed")),
                    Some(other) if may_have_been_same(item, other) && !same(item, other) => return Err(redacted()),
                    Some(other) if !same(item, other) => rows.push(difference(name, item, other, "changed")),
                    Some(_) => {}
                }
            }
            for (name, partner) in partners {
                rows.extend(partner.map(|item| difference(name, &Dynamic::UNIT, item, "added")));
            }
            Ok(rows.into())
        })
    })
}

fn keyed<'l>(list: &'l [Dynamic], key: &str) -> Result<Vec<(Dynamic, Option<&'l Dynamic>)>, Error> {
    list.iter().map(|item| Ok((key_of(item, key)?, Some(item)))).collect()
}

fn key_of(item: &Dynamic, key: &str) -> Result<Dynamic, Error> {
    member(item, key).ok_or_else(|| wrong("differ", "objects", item))
}

fn difference(key: Dynamic, left: &Dynamic, right: &Dynamic, change: &str) -> Dynamic {
    let mut row = Map::new();
    row.insert("key".into(), key);
    row.insert("left".into(), left.clone());
    row.insert("right".into(), right.clone());
    row.insert("change".into(), change.into());
    row.into()
}

/// Changes a list in place.
fn change<T: Into<Dynamic>>(
    function: &str,
    list: &mut Dynamic,
    change: impl FnOnce(&mut Array) -> T,
) -> Result<Dynamic, Error> {
    if let Some(mut list) = list.write_lock::<Array>() {
        return Ok(change(&mut list).into());
    }
    Err(wrong(function, "a list", list))
}

fn push(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    pay(args[1])?;
    let item = std::mem::take(args[1]);
    change("push", args[0], |list| list.push(item))
}

pub(in crate::script) fn append(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    pay(args[1])?;
    let items = std::mem::take(args[1]).flatten();
    let items = items
        .try_cast_result::<Array>()
        .map_err(|other| wrong("append", "a list", &other))?;
    change("append", args[0], |list| list.extend(items))
}

fn insert(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    pay(args[2])?;
    let (at, item) = (integer("insert", args[1])?, std::mem::take(args[2]));
    let fits = change("insert", args[0], |list| {
        let at = usize::try_from(at).ok().filter(|at| *at <= list.len());
        at.map(|at| list.insert(at, item)).is_some()
    })?;
    if fits.as_bool() == Ok(true) {
        Ok(Dynamic::UNIT)
    } else {
        Err(failed(format!("`insert` has no position {at}")))
    }
}

fn pop(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    change("pop", args[0], |list| list.pop().unwrap_or(Dynamic::UNIT))
}

fn shift(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    change("shift", args[0], |list| {
        if list.is_empty() { Dynamic::UNIT } else { list.remove(0) }
    })
}

fn reverse(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    change("reverse", args[0], |list| list.reverse())
}
