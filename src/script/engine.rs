//! The Rhai engine: which of its packages are in, which of its habits are off.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

use rhai::{Array, Dynamic, Engine, ImmutableString, Module, OptimizationLevel, Shared};

use super::functions;
use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::Node;
use super::number::BigNumber;
use super::operators::{self, register_for};
use super::operand::Side;
use super::problem::{Error, absent, failed, not_known};
use super::session::{self, Limits};
use super::tokens::{self, Exchange};
use super::values;

/// Functions of the packages that scripts must not call, or that ours replace.
pub(super) const OFF: &[&str] = &[
    "print",
    "debug",
    "eval",
    "sleep",
    "exit",
    "Fn",
    "curry",
    "is_def_var",
    "is_def_fn",
    "is_shared",
];

/// An engine without modules; and what its next parse exchanges.
pub(super) fn build(limits: &Limits) -> (Engine, Exchange) {
    let mut engine = Engine::new_raw();
    engine.register_global_module(library());
    engine.set_fast_operators(false);
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_call_levels(limits.calls);
    engine.set_max_expr_depths(limits.nesting, limits.nesting);
    engine.on_progress(|_| session::tick());
    #[allow(deprecated)] // Rhai marks it as volatile, not as going away.
    engine.on_var(|name, _, context| check_variable(context.scope().get(name)));
    let exchange = tokens::install(&mut engine);
    (engine, exchange)
}

/// Refuses to read a text that has become too long: nothing else sees what an interpolated string makes.
fn check_variable(value: Option<&Dynamic>) -> Result<Option<Dynamic>, Error> {
    if let Some(text) = value.and_then(|value| value.read_lock::<ImmutableString>()) {
        session::check_string(text.len())?;
    }
    Ok(None)
}

/// All native functions, in one module that every engine shares: Rhai asks module after module for each call.
fn library() -> Shared<Module> {
    static LIBRARY: OnceLock<Shared<Module>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let mut module = Module::new();
        module.set_iterable::<Array>();
        module.set_iterable::<Range<i64>>();
        module.set_iterable::<RangeInclusive<i64>>();
        module.set_iter_result(TypeId::of::<()>(), |_| {
            Box::new(std::iter::once(Err(not_known("an absent list was gone through"))))
        });
        operators::add(&mut module);
        functions::add(&mut module);
        add_members(&mut module);
        module.set_custom_type::<Node>("an object");
        module.set_custom_type::<Index>("an index");
        module.set_custom_type::<Version>("a version");
        module.set_custom_type::<Duration>("a duration");
        module.set_custom_type::<Timestamp>("a time");
        module.set_custom_type::<Ip>("an address");
        module.set_custom_type::<BigNumber>("a number");
        module.build_index();
        module.into()
    });
    Shared::clone(library)
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
        Ok(index.first(key).unwrap_or(Dynamic::UNIT))
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

/// Makes a member that scripts name quick to reach: Rhai tries getters first, and says at length that there is none.
pub(super) fn add_getter(engine: &mut Engine, name: &str) {
    let member: ImmutableString = name.into();
    engine.register_get(name, move |node: &mut Node| node.get(&member));
    let member: ImmutableString = name.into();
    engine.register_get(name, move |_: &mut ()| -> Result<Dynamic, Error> {
        Err(member_of_absent(&member))
    });
}

/// Names and numbers of parameters of all native functions.
pub(super) fn native_functions(engine: &Engine) -> &'static BTreeSet<(String, usize)> {
    static FUNCTIONS: OnceLock<BTreeSet<(String, usize)>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let found = engine.collect_fn_metadata(
            None,
            |info| Some((info.metadata.name.to_string(), info.metadata.num_params)),
            true,
        );
        found
            .into_iter()
            .filter(|(name, _)| !name.contains('$'))
            .chain([("type_of".into(), 1)])
            .collect()
    })
}
