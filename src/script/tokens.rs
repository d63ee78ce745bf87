//! How the words of a script are read: reserved words as names, free names and forms as look-ups.
//!
//! A form looks like a function call, but is given its argument unevaluated: `known(x)`, `outcome(probe)`. Forms and
//! free names are found by a first parse; for the second one their tokens are exchanged for keys of custom syntax.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
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
/// Begins the key of a variable that is copied.
const COPY: &str = "copy$";
/// The keys of literals that are read in our own way.
const ABSENT: &str = "absent$";
const TRUE: &str = "true$";
const LIST: &str = "list$";
const OBJECT: &str = "object$";

/// Something that is written like a function call and sees its arguments unevaluated.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [&'static str],
    pub(super) about: &'static str,
    pub(super) example: &'static str,
    /// The argument that must name a probe.
    pub(super) probe: Option<usize>,
    evaluate: fn(&mut Context<'_, '_, '_, '_, '_, '_>, &[Expression<'_>]) -> Result<Dynamic, Error>,
}

/// All forms.
pub(super) const FORMS: &[Form] = &[
    Form {
        name: "known",
        parameters: &["expression"],
        about: "Whether an expression can be evaluated without touching what is not known. An absent value is known.",
        example: "known(1 + 1) && !known(1 + #{}.absent)",
        probe: None,
        evaluate: known,
    },
    Form {
        name: "outcome",
        parameters: &["probe"],
        about: "How the gathering of a probe's evidence went: an object of `status`, `exit`, `http` and `stderr`. All \
                other use of evidence that was not gathered is unknown.",
        example: r#"outcome(pods).status == "ok""#,
        probe: Some(0),
        evaluate: outcome,
    },
    Form {
        name: "captured_at",
        parameters: &["probe"],
        about: "The time at which a probe's evidence was captured. Unknown if nothing is known of it; where only a \
                bound is known, comparisons that the bound does not decide are unknown.",
        example: r#"captured_at(pods) >= timestamp("2026-01-01T00:00:00Z")"#,
        probe: Some(0),
        evaluate: captured_at,
    },
    Form {
        name: "age",
        parameters: &["time", "probe"],
        about: "How long before the capture of a probe's evidence a time was: a duration, with bounds as those of \
                `captured_at`.",
        example: r#"age(timestamp("2026-01-01T00:00:00Z"), pods) > duration("1h")"#,
        probe: Some(1),
        evaluate: age,
    },
];

/// Tokens to exchange, by line and position.
pub(super) type Tokens = HashMap<(usize, usize), Token>;

/// What the last token was, as far as that matters for the next one.
const OTHER: u8 = 0;
const DOT: u8 = 1;
const KEYWORD: u8 = 2;

/// What an engine's next parse exchanges.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    tokens: Arc<Mutex<Tokens>>,
    last: Arc<AtomicU8>,
}

impl Exchange {
    /// Sets what the next parse exchanges.
    pub(super) fn set(&self, tokens: Tokens) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
        self.last.store(OTHER, Ordering::Relaxed);
    }

    /// Reads keywords after a dot as the names that they are there.
    fn after_dot(&self, token: Token) -> Token {
        let last = self.last.load(Ordering::Relaxed);
        let (token, now) = match token {
            Token::Period | Token::Elvis => (token, DOT),
            keyword if last == DOT && keyword.is_standard_keyword() => {
                (Token::Identifier(Box::new(keyword.literal_syntax().into())), KEYWORD)
            }
            // The tokenizer takes what follows a keyword for the beginning of an operand.
            Token::UnaryMinus if last == KEYWORD => (Token::Minus, OTHER),
            Token::UnaryPlus if last == KEYWORD => (Token::Plus, OTHER),
            token => (token, OTHER),
        };
        self.last.store(now, Ordering::Relaxed);
        token
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
    engine.on_parse_token(move |token, position, _| match tokens.after_dot(token) {
        // Rhai writes this call itself, where a closure captures variables; a script must not.
        Token::Reserved(word) if *word == "curry" => Token::Identifier(Box::new("currying".into())),
        Token::Reserved(word) if rhai::is_valid_identifier(word.as_str()) && *word != "this" => Token::Identifier(word),
        token @ (Token::Identifier(_)
        | Token::Unit
        | Token::True
        | Token::LeftBracket
        | Token::MapStart
        | Token::Equals) => tokens.get(position).unwrap_or(token),
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
        values::pay(&item).map_err(|error| placed(error, input))?;
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
        values::pay(&value).map_err(|error| placed(error, &pair[1]))?;
        object.insert(quoted.unwrap_or(name).into(), value);
    }
    Ok(object.into())
}

/// The error, at an expression.
fn placed(mut error: Error, at: &Expression<'_>) -> Error {
    error.set_position(at.position());
    error
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

/// Registers a variable to be copied where it is read, and gives the token that stands for it.
pub(super) fn copy_token(engine: &mut Engine, name: &str) -> Token {
    let (key, name) = (format!("{COPY}{name}"), name.to_owned());
    engine.register_custom_syntax_with_state_raw(
        key.as_str(),
        |_, _, _| Ok(None),
        false,
        move |context, _, _| {
            let value = context.scope().get(&name).map(Dynamic::flatten_clone);
            let value = value.ok_or_else(|| failed(format!("nothing is called `{name}` here")))?;
            values::pay(&value)?;
            Ok(value)
        },
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
    let value = value.map_err(|refusal| match refusal {
        Refusal::Unknown(reason) => unknown(reason),
        Refusal::Failed(message) => failed(message),
    })?;
    // The value is a copy: cheap, unless it is a long list.
    session::charge(values::list_or(&value, |list| list.len() as u64).unwrap_or(0))?;
    Ok(value)
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
