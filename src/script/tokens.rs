//! How the words of a script are read: reserved words as names, free names and forms as look-ups.
//!
//! A form looks like a function call, but is given its argument unevaluated: `known(x)`, `outcome(probe)`. Forms and
//! free names are found by a first parse; for the second one their tokens are exchanged for keys of custom syntax.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Dynamic, Engine, EvalContext as Context, Expr, Expression, ImmutableString, Position, Token};

use super::compare::Asked;
use super::names::{Probe, Refusal};
use super::problem::{Error, as_unknown, failed, not_known, unknown};
use super::{functions, session, values};

/// Begins the key of a free name.
const READ: &str = "read$";
/// Begins the key of a form.
const FORM: &str = "form$";
/// The keys of literals that are read in our own way.
const ABSENT: &str = "absent$";
const TRUE: &str = "true$";
const LIST: &str = "list$";
const OBJECT: &str = "object$";

/// Something that is written like a function call and sees its arguments unevaluated.
pub(super) struct Form {
    pub(super) name: &'static str,
    /// Numbers of arguments.
    pub(super) arguments: std::ops::RangeInclusive<usize>,
    /// The argument that must name a probe.
    pub(super) probe: Option<usize>,
    evaluate: fn(&mut Context<'_, '_, '_, '_, '_, '_>, &[Expression<'_>]) -> Result<Dynamic, Error>,
}

/// All forms.
pub(super) const FORMS: &[Form] = &[
    Form {
        name: "known",
        arguments: 1..=1,
        probe: None,
        evaluate: known,
    },
    Form {
        name: "outcome",
        arguments: 1..=1,
        probe: Some(0),
        evaluate: outcome,
    },
    Form {
        name: "captured_at",
        arguments: 1..=1,
        probe: Some(0),
        evaluate: captured_at,
    },
    Form {
        name: "age",
        arguments: 2..=2,
        probe: Some(1),
        evaluate: age,
    },
];

/// Tokens to exchange, by line and position.
pub(super) type Tokens = HashMap<(usize, usize), Token>;

/// What an engine's next parse exchanges.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    tokens: Arc<Mutex<Tokens>>,
    /// Whether the last token was a dot: then even a keyword is a name.
    dot: Arc<AtomicBool>,
}

impl Exchange {
    /// Sets what the next parse exchanges.
    pub(super) fn set(&self, tokens: Tokens) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
        self.dot.store(false, Ordering::Relaxed);
    }

    /// Whether the token follows a dot.
    fn after_dot(&self, token: &Token) -> bool {
        self.dot.swap(matches!(token, Token::Period | Token::Elvis), Ordering::Relaxed)
    }

    fn get(&self, position: Position) -> Option<Token> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&key(position)?).cloned()
    }
}

/// A position as a key of an exchange.
pub(super) fn key(position: Position) -> Option<(usize, usize)> {
    Some((position.line()?, position.position()?))
}

/// Sets up how an engine reads tokens.
pub(super) fn install(engine: &mut Engine) -> Exchange {
    let exchange = Exchange::default();
    let tokens = exchange.clone();
    #[allow(deprecated)] // Rhai marks it as volatile, not as going away.
    engine.on_parse_token(move |token, position, _| match token {
        keyword if tokens.after_dot(&keyword) && keyword.is_standard_keyword() => {
            Token::Identifier(Box::new(keyword.literal_syntax().into()))
        }
        Token::Reserved(word) if rhai::is_valid_identifier(word.as_str()) && *word != "this" => Token::Identifier(word),
        Token::Identifier(_) | Token::Unit | Token::True | Token::LeftBracket | Token::MapStart | Token::Equals => {
            tokens.get(position).unwrap_or(token)
        }
        other => other,
    });
    for form in FORMS {
        let evaluate = form.evaluate;
        engine.register_custom_syntax_with_state_raw(
            format!("{FORM}{}", form.name),
            |symbols, next, _| Ok(call_symbol(symbols, next)),
            false,
            move |context, inputs, _| evaluate(context, inputs),
        );
    }
    install_literals(engine);
    exchange
}

fn install_literals(engine: &mut Engine) {
    for (key, asked) in [(ABSENT, Asked::Absence), (TRUE, Asked::Truth)] {
        engine.register_custom_syntax_with_state_raw(
            key,
            |_, _, _| Ok(None),
            false,
            move |_, _, _| Ok(Dynamic::from(asked)),
        );
    }
    engine.register_custom_syntax_with_state_raw(
        LIST,
        |symbols, next, _| Ok(list_symbol(symbols, next)),
        false,
        |context, inputs, _| list(context, inputs),
    );
    engine.register_custom_syntax_with_state_raw(
        OBJECT,
        |symbols, next, _| Ok(object_symbol(symbols, next)),
        false,
        |context, inputs, _| object(context, inputs),
    );
}

/// The next symbol of `[a, b]` after those read so far; the first stands for `[`.
fn list_symbol(symbols: &[ImmutableString], next: &str) -> Option<ImmutableString> {
    let symbol = match symbols.last()?.as_str() {
        "]" => return None,
        "$expr$" if next == "," => ",",
        "$expr$" => "]",
        _ if next == "]" => "]",
        _ => "$expr$",
    };
    Some(symbol.into())
}

/// The next symbol of `#{ a: b, "c": d }` after those read so far; the first stands for `#{`.
fn object_symbol(symbols: &[ImmutableString], next: &str) -> Option<ImmutableString> {
    if symbols.last()? == "}" {
        return None;
    }
    let symbol = match (symbols.len() - 1) % 4 {
        0 if next == "}" => "}",
        0 => "$token$",
        1 => ":",
        2 => "$expr$",
        _ if next == "," => ",",
        _ => "}",
    };
    Some(symbol.into())
}

/// A list, paid for: unlike Rhai's own, it cannot double what it is made of for nothing.
fn list(context: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let mut list = rhai::Array::with_capacity(inputs.len());
    for input in inputs {
        let item = context.eval_expression_tree(input)?.flatten();
        session::charge(values::cells(&item))?;
        list.push(item);
    }
    Ok(list.into())
}

/// An object, paid for. Names and values take turns.
fn object(context: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let mut object = rhai::Map::new();
    for pair in inputs.chunks_exact(2) {
        let name = pair[0].get_string_value().unwrap_or_default();
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let value = context.eval_expression_tree(&pair[1])?.flatten();
        session::charge(4 + values::cells(&value))?;
        object.insert(quoted.unwrap_or(name).into(), value);
    }
    Ok(object.into())
}

/// The next symbol of `name(a, b)` after those read so far.
fn call_symbol(symbols: &[ImmutableString], next: &str) -> Option<ImmutableString> {
    match symbols.last()?.as_str() {
        ")" | "()" => None,
        "(" | "," => Some("$expr$".into()),
        "$expr$" if next == "," => Some(",".into()),
        "$expr$" => Some(")".into()),
        _ => Some("(".into()),
    }
}

/// A token that is exchanged for one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// The name of a form.
    Form(&'static str),
    /// `()` in a comparison.
    Absent,
    /// `true` in a comparison.
    True,
    /// `[` of a list.
    List,
    /// `#{` of an object.
    Object,
    /// `=` of an assignment.
    Assign,
}

impl Special {
    pub(super) fn token(self) -> Token {
        let key = match self {
            Self::Form(name) => format!("{FORM}{name}"),
            Self::Absent => ABSENT.to_owned(),
            Self::True => TRUE.to_owned(),
            Self::List => LIST.to_owned(),
            Self::Object => OBJECT.to_owned(),
            Self::Assign => return Token::LeftShiftAssign,
        };
        Token::Custom(Box::new(key.into()))
    }
}

/// Registers a free name and gives the token that stands for it.
pub(super) fn read_token(engine: &mut Engine, namespace: Option<&str>, name: &str) -> Token {
    let path = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}.{name}"));
    let key = format!("{READ}{path}");
    let members: Vec<ImmutableString> = path.split('.').skip(1).map(ImmutableString::from).collect();
    let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
    engine.register_custom_syntax_with_state_raw(
        key.as_str(),
        move |symbols, next, _| Ok(member_symbol(&members, symbols.len() - 1, next)),
        false,
        move |_, _, _| read(namespace.as_deref(), &name),
    );
    Token::Custom(Box::new(key.into()))
}

/// The next symbol of `a.b.c` after `count` symbols that follow `a`.
fn member_symbol(members: &[ImmutableString], count: usize, next: &str) -> Option<ImmutableString> {
    let member = members.get(count / 2)?;
    match count % 2 {
        0 if next == "?." => Some("?.".into()),
        0 => Some(".".into()),
        _ => Some(member.clone()),
    }
}

fn read(namespace: Option<&str>, name: &str) -> Result<Dynamic, Error> {
    let Some(names) = session::names() else {
        return Err(failed(format!("nothing is called `{name}` here")));
    };
    let value = match namespace {
        Some(namespace) => names.member(namespace, name),
        None => names.value(name),
    };
    value.map_err(|refusal| match refusal {
        Refusal::Unknown(reason) => unknown(reason),
        Refusal::Failed(message) => failed(message),
    })
}

/// `known(x)`: whether `x` can be evaluated without touching what is not known.
fn known(context: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let [expression] = inputs else {
        return Err(failed("`known` takes one argument"));
    };
    match context.eval_expression_tree(expression) {
        Ok(_) => Ok(Dynamic::TRUE),
        Err(error) if as_unknown(&error).is_some() => Ok(Dynamic::FALSE),
        Err(error) => Err(error),
    }
}

/// `outcome(probe)`: how the gathering went.
fn outcome(_: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let probe = probe("outcome", inputs.first())?;
    let optional = |number: Option<i64>| number.map_or(Dynamic::UNIT, Dynamic::from);
    let mut map = rhai::Map::new();
    map.insert("status".into(), probe.status.into());
    map.insert("exit".into(), optional(probe.exit));
    map.insert("http".into(), optional(probe.http));
    map.insert("stderr".into(), probe.stderr.unwrap_or_default().into());
    Ok(map.into())
}

fn captured_at(_: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let probe = probe("captured_at", inputs.first())?;
    functions::time::captured_at(probe.captured)
}

fn age(context: &mut Context<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let [time, name] = inputs else {
        return Err(failed("`age` takes a time and a probe"));
    };
    let time = context.eval_expression_tree(time)?;
    functions::time::age(&time, probe("age", Some(name))?.captured)
}

/// The probe that an argument names.
fn probe(form: &str, argument: Option<&Expression<'_>>) -> Result<Probe, Error> {
    let path = argument.and_then(|argument| match &**argument {
        Expr::Custom(custom, _) => custom.tokens.first()?.strip_prefix(READ),
        _ => None,
    });
    let Some(path) = path else {
        return Err(failed(format!("`{form}` takes the name of a probe")));
    };
    let (namespace, name) = match path.rsplit_once('.') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path),
    };
    let names = session::names().ok_or_else(|| not_known("no evidence is at hand"))?;
    names
        .handle(namespace, name)
        .ok_or_else(|| failed(format!("`{path}` is not a probe")))
}
