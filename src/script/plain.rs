//! The plain part of the language: names, members, literals, operators and calls of functions that run no script.
//!
//! Rhai spends about a microsecond on such an expression, and a rule asks it for each of its items; from a tree of
//! their own they cost a fraction of that. Only values come from here. What is not plain, and whatever ends in an
//! error, is left to Rhai, which says what is wrong and where: nothing in a script has effects, so that evaluating a
//! part of it twice is harmless.

use rhai::{ASTFlags, Dynamic, Expr, FnCallExpr, ImmutableString};

use super::functions::{self, Native};
use super::tokens::{self, Plainly};
use super::{operators, session, values};

/// An expression of the plain part.
#[derive(Debug)]
pub(super) enum Plain {
    /// A literal.
    Value(Dynamic),
    /// A local name.
    Local(ImmutableString),
    /// A free name, with its namespace before a dot.
    Free(ImmutableString),
    /// A member of an object.
    Member(Box<Plain>, ImmutableString),
    /// A call of a function or an operator.
    Call(Native, Vec<Plain>),
    /// `a && b`.
    And(Vec<Plain>),
    /// `a || b`.
    Or(Vec<Plain>),
}

/// Local names with their values, outermost first.
type Locals<'l> = &'l [(String, Dynamic)];

impl Plain {
    /// An expression, if all of it is plain.
    pub(super) fn of(expr: &Expr) -> Option<Plain> {
        Some(match expr {
            Expr::BoolConstant(value, _) => Plain::Value((*value).into()),
            Expr::IntegerConstant(value, _) => Plain::Value((*value).into()),
            Expr::FloatConstant(value, _) => Plain::Value(Dynamic::from_float(**value)),
            Expr::StringConstant(value, _) => Plain::Value(value.clone().into()),
            Expr::Unit(_) => Plain::Value(Dynamic::UNIT),
            Expr::Variable(name, ..) if name.2.is_empty() => Plain::Local(name.1.clone()),
            Expr::Custom(custom, _) => match tokens::plainly(custom)? {
                Plainly::Read(path) => Plain::Free(path),
                Plainly::Value(value) => Plain::Value(value),
            },
            Expr::And(parts, _) => Plain::And(all_of(parts.iter())?),
            Expr::Or(parts, _) => Plain::Or(all_of(parts.iter())?),
            Expr::FnCall(call, _) => called(call, Vec::new())?,
            // `?.` has the flag of what is negated.
            Expr::Dot(chain, flags, _) if !flags.contains(ASTFlags::NEGATED) => {
                chained(Plain::of(&chain.lhs)?, &chain.rhs)?
            }
            _ => return None,
        })
    }

    /// Its value; none where Rhai has to say why there is none.
    pub(super) fn eval(&self, locals: Locals<'_>) -> Option<Dynamic> {
        match self {
            Plain::Value(value) => Some(value.clone()),
            Plain::Local(name) => local(name, locals).filter(|value| is_light(value)).cloned(),
            Plain::Free(path) => tokens::read(path).ok(),
            Plain::Member(object, name) => match &**object {
                Plain::Local(object) => values::member(local(object, locals)?, name),
                object => values::member(&object.eval(locals)?, name),
            },
            Plain::Call(native, arguments) => call(*native, arguments, locals),
            Plain::And(parts) => decided(parts, false, locals),
            Plain::Or(parts) => decided(parts, true, locals),
        }
    }
}

/// Whether a value is quick to copy. Rhai lends variables to functions, and refuses texts that are too long.
fn is_light(value: &Dynamic) -> bool {
    match value.read_lock::<ImmutableString>() {
        Some(text) => session::check_string(text.len()).is_ok(),
        None => !value.is_array() && !value.is_map(),
    }
}

fn local<'l>(name: &str, locals: Locals<'l>) -> Option<&'l Dynamic> {
    locals
        .iter()
        .rev()
        .find(|(local, _)| local == name)
        .map(|(_, value)| value)
}

/// The first part that is this, or else its opposite.
fn decided(parts: &[Plain], answer: bool, locals: Locals<'_>) -> Option<Dynamic> {
    for part in parts {
        if part.eval(locals)?.as_bool().ok()? == answer {
            return Some(answer.into());
        }
    }
    Some((!answer).into())
}

fn call(native: Native, arguments: &[Plain], locals: Locals<'_>) -> Option<Dynamic> {
    let value = |of: &Plain| of.eval(locals);
    let called = match arguments {
        [only] => native(None, &mut [&mut value(only)?]),
        [first, second] => native(None, &mut [&mut value(first)?, &mut value(second)?]),
        [first, second, third] => native(None, &mut [&mut value(first)?, &mut value(second)?, &mut value(third)?]),
        _ => return None,
    };
    called.ok()
}

fn all_of<'e>(exprs: impl Iterator<Item = &'e Expr>) -> Option<Vec<Plain>> {
    exprs.map(Plain::of).collect()
}

/// A call, of which some arguments are known already.
fn called(call: &FnCallExpr, mut arguments: Vec<Plain>) -> Option<Plain> {
    if call.is_qualified() || call.capture_parent_scope {
        return None;
    }
    arguments.extend(all_of(call.args.iter())?);
    let native = operators::find(&call.name, arguments.len()).or_else(|| {
        let function = functions::find(&call.name, arguments.len())?;
        (!function.mutates).then_some(function.call)
    })?;
    Some(Plain::Call(native, arguments))
}

/// What follows a value after a dot, and after that.
fn chained(object: Plain, after: &Expr) -> Option<Plain> {
    match after {
        Expr::Property(name, _) => Some(Plain::Member(Box::new(object), name.2.clone())),
        Expr::MethodCall(call, _) => called(call, vec![object]),
        Expr::Dot(rest, flags, _) if !flags.contains(ASTFlags::NEGATED) => {
            chained(chained(object, &rest.lhs)?, &rest.rhs)
        }
        _ => None,
    }
}
