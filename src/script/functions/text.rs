//! Texts.

use std::cell::RefCell;

use globset::GlobBuilder;
use regex::Regex;
use rhai::{Array, Dynamic, ImmutableString, Map};
use rustc_hash::FxHashMap;

use super::{Context, Function};
use crate::script::node::{place_of, placed};
use crate::script::problem::{Error, failed};
use crate::script::session::{charge, check_string};
use crate::script::values::{integer, list_or, text, whole_text};

/// How many patterns a thread keeps compiled.
const KEPT: usize = 256;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "starts_with",
        parameters: &["text", "part"],
        about: "Whether a text begins with another.",
        example: r#""abc".starts_with("ab")"#,
        mutates: false,
        call: starts_with,
    },
    Function {
        name: "ends_with",
        parameters: &["text", "part"],
        about: "Whether a text ends with another.",
        example: r#""abc".ends_with("bc")"#,
        mutates: false,
        call: ends_with,
    },
    Function {
        name: "to_upper",
        parameters: &["text"],
        about: "The text in capital letters.",
        example: r#""a1".to_upper() == "A1""#,
        mutates: false,
        call: to_upper,
    },
    Function {
        name: "to_lower",
        parameters: &["text"],
        about: "The text in small letters.",
        example: r#""A1".to_lower() == "a1""#,
        mutates: false,
        call: to_lower,
    },
    Function {
        name: "trim",
        parameters: &["text"],
        about: "The text without white space around it. The text itself stays as it is.",
        example: r#"" a ".trim() == "a""#,
        mutates: false,
        call: trim,
    },
    Function {
        name: "replaced",
        parameters: &["text", "part", "by"],
        about: "The text with every occurrence of a part replaced. The text itself stays as it is.",
        example: r#""a-b-c".replaced("-", "") == "abc""#,
        mutates: false,
        call: replaced,
    },
    Function {
        name: "split",
        parameters: &["text", "separator?"],
        about: "The parts of a text between separators, or between white space.",
        example: r#""a:b".split(":") == ["a", "b"] && " a  b ".split() == ["a", "b"]"#,
        mutates: false,
        call: split,
    },
    Function {
        name: "sub_string",
        parameters: &["text", "start", "length?"],
        about: "Part of a text, in characters; a negative start counts from the end.",
        example: r#""abcd".sub_string(1, 2) == "bc" && "abcd".sub_string(-2) == "cd""#,
        mutates: false,
        call: sub_string,
    },
    Function {
        name: "index_of",
        parameters: &["whole", "part"],
        about: "Where a part begins in a text, in characters, or an item stands in a list; -1 if nowhere.",
        example: r#""abc".index_of("c") == 2 && [5, 6].index_of(7) == -1"#,
        mutates: false,
        call: index_of,
    },
    Function {
        name: "to_string",
        parameters: &["value"],
        about: "A value as text, as templates show it.",
        example: r#"(5).to_string() == "5""#,
        mutates: false,
        call: to_string,
    },
    Function {
        name: "matches",
        parameters: &["text", "regex"],
        about: "Whether a regular expression (of Rust's `regex`) matches anywhere in a text.",
        example: r#"matches("abc-12", `-\d+$`) && !matches("abc", "^b")"#,
        mutates: false,
        call: matches,
    },
    Function {
        name: "capture",
        parameters: &["text", "regex"],
        about: "What the first group of a regular expression captured; with named groups an object of them; without groups the match. `()` if nothing matches. The result remembers the place of the text.",
        example: r#"capture("v1.2", `v(\d+)`) == "1" && capture("a=b", `(?<key>\w)=(?<value>\w)`).value == "b" && capture("x", `\d`) == ()"#,
        mutates: false,
        call: capture,
    },
    Function {
        name: "capture_all",
        parameters: &["text", "regex"],
        about: "As `capture`, for every match: a list.",
        example: r#"capture_all("a1 b2", `[a-z](\d)`) == ["1", "2"]"#,
        mutates: false,
        call: capture_all,
    },
    Function {
        name: "glob",
        parameters: &["pattern", "text"],
        about: "Whether a text is as a pattern says: `*` stands for any characters, `?` for one, `{a,b}` for either.",
        example: r#"glob("*.local", "web.local") && !glob("*.local", "local")"#,
        mutates: false,
        call: glob,
    },
];

/// A text as a value, if it is not too long.
pub(in crate::script) fn checked(text: String) -> Result<Dynamic, Error> {
    check_string(text.len())?;
    charge(text.len() as u64 / 16)?;
    Ok(text.into())
}

/// The result, remembering the place of what it was read from.
pub(super) fn keep_place(from: &Dynamic, result: Dynamic) -> Dynamic {
    placed(result, place_of(from))
}

thread_local! {
    static REGEXES: RefCell<FxHashMap<ImmutableString, Regex>> = RefCell::default();
    static GLOBS: RefCell<FxHashMap<ImmutableString, globset::GlobMatcher>> = RefCell::default();
}

/// The compiled pattern: compiling costs more than most matches.
fn cached<T: Clone>(
    cache: &RefCell<FxHashMap<ImmutableString, T>>,
    pattern: &ImmutableString,
    compile: impl FnOnce(&str) -> Result<T, Error>,
) -> Result<T, Error> {
    if let Some(found) = cache.borrow().get(pattern) {
        return Ok(found.clone());
    }
    let compiled = compile(pattern)?;
    let mut cache = cache.borrow_mut();
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(pattern.clone(), compiled.clone());
    Ok(compiled)
}

fn regex(function: &str, pattern: &Dynamic) -> Result<Regex, Error> {
    let pattern = text(function, pattern)?;
    REGEXES.with(|cache| {
        cached(cache, &pattern, |pattern| {
            Regex::new(pattern).map_err(|error| failed(format!("`{pattern}` is not a regular expression: {error}")))
        })
    })
}

fn starts_with(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(text("starts_with", args[0])?
        .starts_with(text("starts_with", args[1])?.as_str())
        .into())
}

fn ends_with(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(text("ends_with", args[0])?
        .ends_with(text("ends_with", args[1])?.as_str())
        .into())
}

fn to_upper(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(text("to_upper", args[0])?.to_uppercase().into())
}

fn to_lower(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(text("to_lower", args[0])?.to_lowercase().into())
}

fn trim(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let trimmed: ImmutableString = text("trim", args[0])?.trim().into();
    Ok(keep_place(args[0], trimmed.into()))
}

fn replaced(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let [whole, part, by] = [0, 1, 2].map(|index| text("replaced", args[index]));
    let (whole, part, by) = (whole?, part?, by?);
    let found = whole.matches(part.as_str()).count();
    // The result may be far longer than what it is made of: look before making it.
    check_string(whole.len().saturating_add(found.saturating_mul(by.len())))?;
    checked(whole.replace(part.as_str(), &by))
}

fn split(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let whole = text("split", args[0])?;
    let parts: Array = match args.get(1) {
        Some(separator) => whole.split(text("split", separator)?.as_str()).map(piece).collect(),
        None => whole.split_whitespace().map(piece).collect(),
    };
    charge(parts.len() as u64)?;
    Ok(parts.into())
}

fn piece(text: &str) -> Dynamic {
    ImmutableString::from(text).into()
}

fn sub_string(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (whole, start) = (text("sub_string", args[0])?, integer("sub_string", args[1])?);
    let length = args
        .get(2)
        .map_or(Ok(i64::MAX), |length| integer("sub_string", length))?;
    let start = if start < 0 {
        (whole.chars().count() as i64).saturating_add(start).max(0)
    } else {
        start
    };
    let part: String = whole
        .chars()
        .skip(start as usize)
        .take(length.max(0) as usize)
        .collect();
    Ok(part.into())
}

fn index_of(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    if let Some(index) = list_or(args[0], |list| {
        list.iter().position(|item| crate::script::compare::same(item, args[1]))
    }) {
        return Ok(index.map_or(-1, |index| index as i64).into());
    }
    let (whole, part) = (text("index_of", args[0])?, text("index_of", args[1])?);
    let at = whole.find(part.as_str()).and_then(|at| whole.get(..at));
    Ok(at.map_or(-1, |before| before.chars().count() as i64).into())
}

fn to_string(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    checked(whole_text(args[0])?)
}

fn matches(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let regex = regex("matches", args[1])?;
    Ok(regex.is_match(&text("matches", args[0])?).into())
}

fn capture(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (regex, whole) = (regex("capture", args[1])?, text("capture", args[0])?);
    let found = regex
        .captures(&whole)
        .map_or(Dynamic::UNIT, |captures| groups(&regex, &captures, args[0]));
    Ok(keep_place(args[0], found))
}

fn capture_all(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (regex, whole) = (regex("capture_all", args[1])?, text("capture_all", args[0])?);
    let mut found = Array::new();
    for captures in regex.captures_iter(&whole) {
        charge(1)?;
        found.push(keep_place(args[0], groups(&regex, &captures, args[0])));
    }
    Ok(found.into())
}

fn groups(regex: &Regex, captures: &regex::Captures<'_>, from: &Dynamic) -> Dynamic {
    let group =
        |found: Option<regex::Match<'_>>| found.map_or(Dynamic::UNIT, |found| keep_place(from, piece(found.as_str())));
    let named: Map = regex
        .capture_names()
        .flatten()
        .map(|name| (name.into(), group(captures.name(name))))
        .collect();
    if named.is_empty() {
        let first = if captures.len() > 1 { 1 } else { 0 };
        return group(captures.get(first));
    }
    named.into()
}

fn glob(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (pattern, whole) = (text("glob", args[0])?, text("glob", args[1])?);
    let matcher = GLOBS.with(|cache| {
        cached(cache, &pattern, |pattern| {
            let glob = GlobBuilder::new(pattern).literal_separator(false).build();
            glob.map(|glob| glob.compile_matcher())
                .map_err(|error| failed(format!("`{pattern}` is not a pattern: {}", error.kind())))
        })
    })?;
    Ok(matcher.is_match(whole.as_str()).into())
}
