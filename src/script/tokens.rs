//! How the words of a script are read: reserved words as names, free names and forms as look-ups.
//!
//! A form looks like a function call, but is given its argument unevaluated: `known(x)`, `outcome(probe)`. Forms and
//! free names are found by a first parse; for the second one their tokens are exchanged for keys of custom syntax.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use rhai::{CustomExpr, Dynamic, Engine, EvalContext as Context, Expr, Expression, ImmutableString, Position, Token};

use super::compare::Asked;
use super::names::{Probe, Refusal};
use super::problem::{Error, as_unknown, failed, not_known, unknown};
use super::{functions, session, values};

/// The key of a free name.
const READ: &str = "read$";
/// Begins the key of a form.
const FORM: &str = "form$";
/// The key of a variable that is copied.
const COPY: &str = "copy$";
/// The keys of literals that are read in our own way.
const ABSENT: &str = "absent$";
const TRUE: &str = "true$";
const LIST: &str = "list$";
const OBJECT: &str = "object$";
/// The literals that ask something of the other side of a comparison.
const ASKED: [(&str, Asked); 2] = [(ABSENT, Asked::Absence), (TRUE, Asked::Truth)];

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
        about: "How the gathering of a probe's evidence went: an object of `status`, `exit`, `http`, `stderr` and `ended`, \
                which is whether it is there and nothing shows that a part of it is missing. All other use of evidence \
                that was not gathered is unknown.",
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
pub(super) type Tokens = HashMap<(usize, usize), Special>;

/// What the last token was, as far as that matters for the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Last {
    #[default]
    Other,
    Dot,
    Keyword,
}

/// What the parse that runs on this thread exchanges.
#[derive(Debug, Default)]
struct Exchange {
    tokens: Tokens,
    last: Last,
    /// Names of the tokens that were exchanged and not yet taken up by the parser.
    names: VecDeque<ImmutableString>,
}

thread_local! {
    static EXCHANGE: RefCell<Exchange> = RefCell::default();
}

/// Runs a parse that exchanges these tokens.
pub(super) fn exchanging<T>(tokens: &mut Tokens, parse: impl FnOnce() -> T) -> T {
    let exchange = Exchange {
        tokens: std::mem::take(tokens),
        ..Exchange::default()
    };
    EXCHANGE.set(exchange);
    let parsed = parse();
    *tokens = EXCHANGE.take().tokens;
    parsed
}

impl Exchange {
    /// Reads keywords after a dot as the names that they are there.
    fn after_dot(&mut self, token: Token) -> Token {
        let (token, now) = match token {
            Token::Period | Token::Elvis => (token, Last::Dot),
            keyword if self.last == Last::Dot && keyword.is_standard_keyword() => (
                Token::Identifier(Box::new(keyword.literal_syntax().into())),
                Last::Keyword,
            ),
            // The tokenizer takes what follows a keyword for the beginning of an operand.
            Token::UnaryMinus if self.last == Last::Keyword => (Token::Minus, Last::Other),
            Token::UnaryPlus if self.last == Last::Keyword => (Token::Plus, Last::Other),
            token => (token, Last::Other),
        };
        self.last = now;
        token
    }

    fn exchanged(&mut self, position: Position) -> Option<Token> {
        let special = self.tokens.get(&key(position)?)?;
        if let Special::Read(name) | Special::Copy(name) = special {
            self.names.push_back(name.clone());
        }
        Some(special.token())
    }

    fn token(&mut self, token: Token, position: Position) -> Token {
        match self.after_dot(token) {
            // Rhai writes this call itself, where a closure captures variables; a script must not.
            Token::Reserved(word) if *word == "curry" => Token::Identifier(Box::new("currying".into())),
            Token::Reserved(word) if rhai::is_valid_identifier(word.as_str()) && *word != "this" => {
                Token::Identifier(word)
            }
            token @ (Token::Identifier(_)
            | Token::Unit
            | Token::True
            | Token::LeftBracket
            | Token::MapStart
            | Token::Equals) => self.exchanged(position).unwrap_or(token),
            other => other,
        }
    }
}

/// The name of the exchanged token that the parser takes up: it does so in the order of the text.
fn next_name() -> ImmutableString {
    EXCHANGE.with_borrow_mut(|exchange| exchange.names.pop_front().unwrap_or_default())
}

/// A position as a key of an exchange.
pub(super) fn key(position: Position) -> Option<(usize, usize)> {
    Some((position.line()?, position.position()?))
}

/// Sets up how an engine reads tokens.
pub(super) fn install(engine: &mut Engine) {
    #[allow(deprecated)] // Rhai marks it as volatile, not as going away.
    engine.on_parse_token(|token, position, _| EXCHANGE.with_borrow_mut(|exchange| exchange.token(token, position)));
    for form in FORMS {
        let evaluate = form.evaluate;
        engine.register_custom_syntax_with_state_raw(
            format!("{FORM}{}", form.name),
            |symbols, next, _| Ok(call_symbol(symbols, next)),
            false,
            move |context, inputs, _| evaluate(context, inputs),
        );
    }
    install_names(engine);
    install_literals(engine);
}

/// Free names and copies. Their names are states of the custom syntax, so that an engine needs to know none of them.
fn install_names(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw(
        READ,
        |symbols, next, path| {
            if symbols.len() == 1 {
                *path = next_name().into();
            }
            Ok(member_symbol(&text(path), symbols.len() - 1, next))
        },
        false,
        |_, _, path| read(&text(path)),
    );
    engine.register_custom_syntax_with_state_raw(
        COPY,
        |_, _, name| {
            *name = next_name().into();
            Ok(None)
        },
        false,
        |context, _, name| copy(context, &text(name)),
    );
}

/// The name that is the state of a piece of custom syntax.
fn text(state: &Dynamic) -> ImmutableString {
    state
        .read_lock::<ImmutableString>()
        .map_or_else(ImmutableString::default, |text| text.clone())
}

fn install_literals(engine: &mut Engine) {
    for (key, asked) in ASKED {
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

/// What a token is exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Special {
    /// A free name, with its namespace before a dot.
    Read(ImmutableString),
    /// A variable to be copied where it is read.
    Copy(ImmutableString),
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
    fn token(&self) -> Token {
        let key = match self {
            Self::Read(_) => READ.to_owned(),
            Self::Copy(_) => COPY.to_owned(),
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

fn copy(context: &Context<'_, '_, '_, '_, '_, '_>, name: &str) -> Result<Dynamic, Error> {
    let value = context.scope().get(name).map(Dynamic::flatten_clone);
    let value = value.ok_or_else(|| failed(format!("nothing is called `{name}` here")))?;
    values::pay(&value)?;
    Ok(value)
}

/// The next symbol of `a.b.c` after `count` symbols that follow `a`.
fn member_symbol(path: &str, count: usize, next: &str) -> Option<ImmutableString> {
    let member = path.split('.').nth(count / 2 + 1)?;
    match count % 2 {
        0 if next == "?." => Some("?.".into()),
        0 => Some(".".into()),
        _ => Some(member.into()),
    }
}

/// Namespace and name of a free name.
fn parts(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('.') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path),
    }
}

/// A piece of our own syntax that stands for a value.
pub(super) enum Plainly {
    /// A free name, with its namespace before a dot.
    Read(ImmutableString),
    /// A literal.
    Value(Dynamic),
}

/// What a piece of syntax plainly is, if it is no form, list, object or copy.
pub(super) fn plainly(custom: &CustomExpr) -> Option<Plainly> {
    let key = custom.tokens.first()?.as_str();
    if key == READ {
        return Some(Plainly::Read(text(&custom.state)));
    }
    let (_, asked) = ASKED.into_iter().find(|(literal, _)| *literal == key)?;
    Some(Plainly::Value(Dynamic::from(asked)))
}

/// The value of a free name.
pub(super) fn read(path: &str) -> Result<Dynamic, Error> {
    let (namespace, name) = parts(path);
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
    map.insert("ended".into(), probe.ended.into());
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
        Expr::Custom(custom, _) if custom.tokens.first()? == READ => Some(text(&custom.state)),
        _ => None,
    });
    let Some(path) = path else {
        return Err(failed(format!("`{form}` takes the name of a probe")));
    };
    let (namespace, name) = parts(&path);
    let names = session::names().ok_or_else(|| not_known("no evidence is at hand"))?;
    names
        .handle(namespace, name)
        .ok_or_else(|| failed(format!("`{path}` is not a probe")))
}
