//! The Rhai engine: which of its packages are in, which of its habits are off.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

use rhai::{Array, Dynamic, Engine, FuncInfo, ImmutableString, Module, OptimizationLevel, Shared};

use super::compile::Functions;
use super::functions;
use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::Node;
use super::number::BigNumber;
use super::operand::Side;
use super::operators::{self, register_for};
use super::problem::{Error, absent, failed, not_known};
use super::redacted::redacted;
use super::session::{self, Limits};
use super::tokens;
use super::values;

/// What Rhai offers even without its packages and scripts must not call.
pub(super) const OFF: &[&str] = &[
    "print",
    "debug",
    "eval",
    "sleep",
    "exit",
    "Fn",
    "is_def_var",
    "is_def_fn",
    "is_shared",
];

/// An engine without modules.
pub(super) fn build(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(Shared::clone(&library().module));
    engine.set_fast_operators(false);
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_call_levels(limits.calls);
    engine.set_max_expr_depths(limits.nesting, limits.nesting);
    engine.on_progress(|_| session::tick());
    #[allow(deprecated)] // Rhai marks it as volatile, not as going away.
    engine.on_var(|name, _, context| check_variable(context.scope().get(name)));
    tokens::install(&mut engine);
    engine
}

/// Refuses to read a text that has become too long: nothing else sees what an interpolated string makes.
fn check_variable(value: Option<&Dynamic>) -> Result<Option<Dynamic>, Error> {
    if let Some(text) = value.and_then(|value| value.read_lock::<ImmutableString>()) {
        session::check_string(text.len())?;
    }
    Ok(None)
}

/// What all engines share.
struct Library {
    /// All native functions, in one module: Rhai asks module after module for each call.
    module: Shared<Module>,
    functions: Functions,
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut module = Module::new();
        add_types(&mut module);
        operators::add(&mut module);
        functions::add(&mut module);
        add_members(&mut module);
        module.build_index();
        let module = Shared::new(module);
        let functions = functions_in(&module);
        Library { module, functions }
    })
}

fn functions_in(module: &Shared<Module>) -> Functions {
    let mut engine = Engine::new_raw();
    engine.register_global_module(Shared::clone(module));
    let signature = |info: FuncInfo<'_>| Some((info.metadata.name.to_string(), info.metadata.num_params));
    let found = engine.collect_fn_metadata(None, signature, true);
    let named = found
        .into_iter()
        .filter(|(name, _)| name.starts_with(|c: char| c.is_alphabetic()) && !name.contains('$'));
    named.chain([("type_of".to_owned(), 1)]).collect()
}

/// Names and numbers of parameters of all native functions.
pub(super) fn native_functions() -> &'static Functions {
    &library().functions
}

/// What can be gone through, and what types are called.
fn add_types(module: &mut Module) {
    module.set_iterable::<Array>();
    module.set_iterable::<Range<i64>>();
    module.set_iterable::<RangeInclusive<i64>>();
    module.set_iter_result(TypeId::of::<()>(), |_| {
        Box::new(std::iter::once(Err(not_known("an absent list was gone through"))))
    });
    module.set_custom_type::<Node>("object");
    module.set_custom_type::<Index>("index");
    module.set_custom_type::<Version>("version");
    module.set_custom_type::<Duration>("duration");
    module.set_custom_type::<Timestamp>("time");
    module.set_custom_type::<Ip>("address");
    module.set_custom_type::<BigNumber>("number");
}

/// Members and indices of our own types.
fn add_members(module: &mut Module) {
    let text = TypeId::of::<ImmutableString>();
    let any = TypeId::of::<Dynamic>();
    add_index(module, [TypeId::of::<Node>(), text], |whole, name| {
        let name = values::text("[]", name)?;
        Ok(values::own::<Node>("[]", "an object", whole)?.get(&name))
    });
    add_index(module, [TypeId::of::<Index>(), any], |whole, key| {
        let index: Index = values::own("[]", "an index", whole)?;
        match index.first(key) {
            Some(row) => Ok(row),
            None if index.may_contain(key) => Err(redacted()),
            None => Ok(Dynamic::UNIT),
        }
    });
    add_index(module, [TypeId::of::<Version>(), text], |whole, name| {
        let version: Version = values::own("[]", "a version", whole)?;
        let member = version.member(&values::text("[]", name)?);
        member.ok_or_else(|| failed(format!("a version has no `{name}`")))
    });
    add_index(module, [TypeId::of::<()>(), any], |_, key| {
        Err(member_of_absent(&key.to_string()))
    });
}

fn add_index(module: &mut Module, types: [TypeId; 2], get: fn(&Dynamic, &Dynamic) -> Result<Dynamic, Error>) {
    register_for(module, "index$get$", &types, true, move |_, args| get(args[0], args[1]));
}

fn member_of_absent(name: &str) -> Error {
    absent(Side::Before, format!(", so it has no `{name}`"))
}

/// The functions of a syntax tree, and getters that make the members which it names quick to reach: Rhai tries getters first, and says at
/// length that there is none.
pub(super) fn with_getters(functions: &Shared<Module>, members: &BTreeSet<String>) -> Shared<Module> {
    if members.is_empty() {
        return Shared::clone(functions);
    }
    let mut module = (**functions).clone();
    for name in members {
        let member: ImmutableString = name.into();
        module.set_getter_fn(name, move |node: &mut Node| Ok(node.get(&member)));
        let member: ImmutableString = name.into();
        module.set_getter_fn(name, move |_: &mut ()| -> Result<Dynamic, Error> {
            Err(member_of_absent(&member))
        });
    }
    Shared::new(module)
}
