//! The Rhai engine: which of its packages are in, which of its habits are off.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Array, Dynamic, Engine, ImmutableString, Module, OptimizationLevel, Shared};

use super::functions;
use super::functions::address::Ip;
use super::functions::time::{Duration, Timestamp};
use super::functions::version::Version;
use super::index::Index;
use super::node::{Node, to_dynamic};
use super::number::BigNumber;
use super::operators::{self, register, register_for};
use super::problem::{Error, failed, not_known};
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
    let exchange = tokens::install(&mut engine);
    (engine, exchange)
}

/// All native functions, in one module that every engine shares: Rhai asks module after module for each call.
fn library() -> Shared<Module> {
    static LIBRARY: OnceLock<Shared<Module>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let mut module = Module::new();
        ArithmeticPackage::init(&mut module);
        LogicPackage::init(&mut module);
        BasicMathPackage::init(&mut module);
        BasicStringPackage::init(&mut module);
        MoreStringPackage::init(&mut module);
        BasicIteratorPackage::init(&mut module);
        BasicArrayPackage::init(&mut module);
        BasicMapPackage::init(&mut module);
        BasicFnPackage::init(&mut module);
        module.register_lazy_functions();
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
        for name in ["to_string", "to_debug"] {
            register(&mut module, name, 1, |_, args| Ok(values::show(args[0]).into()));
        }
        module.build_index();
        module.into()
    });
    Shared::clone(library)
}

/// Members and indices of our own types.
fn add_members(module: &mut Module) {
    let text = TypeId::of::<ImmutableString>();
    let any = TypeId::of::<Dynamic>();
    register_for(module, "index$get$", &[TypeId::of::<Node>(), text], |_, args| {
        let name = values::text("[]", args[1])?;
        let node: Node = values::own("[]", "an object", args[0])?;
        Ok(node.get(&name))
    });
    register_for(module, "index$get$", &[TypeId::of::<Index>(), any], |_, args| {
        let index: Index = values::own("[]", "an index", args[0])?;
        Ok(index.first(args[1]).unwrap_or(Dynamic::UNIT))
    });
    register_for(module, "index$get$", &[TypeId::of::<Version>(), text], |_, args| {
        let name = values::text("[]", args[1])?;
        let version: Version = values::own("[]", "a version", args[0])?;
        version
            .member(&name)
            .ok_or_else(|| failed(format!("a version has no `{name}`")))
    });
    register_for(module, "index$get$", &[TypeId::of::<()>(), any], |_, args| {
        Err(member_of_absent(&args[1].to_string()))
    });
    register_for(module, "keys", &[TypeId::of::<Node>()], |_, args| {
        let node: Node = values::own("keys", "an object", args[0])?;
        let document = &node.doc.document;
        let keys = document.children(node.id).filter_map(|member| document.key(member));
        Ok(keys
            .map(|key| ImmutableString::from(key).into())
            .collect::<Array>()
            .into())
    });
    register_for(module, "values", &[TypeId::of::<Node>()], |_, args| {
        let node: Node = values::own("values", "an object", args[0])?;
        let members = node.doc.document.children(node.id);
        Ok(members
            .map(|member| to_dynamic(&node.doc, member))
            .collect::<Array>()
            .into())
    });
    register_for(module, "len", &[TypeId::of::<Node>()], |_, args| {
        let node: Node = values::own("len", "an object", args[0])?;
        Ok((node.doc.document.len(node.id) as i64).into())
    });
    register_for(module, "len", &[TypeId::of::<Index>()], |_, args| {
        let index: Index = values::own("len", "an index", args[0])?;
        Ok((index.len() as i64).into())
    });
    register_for(module, "keys", &[TypeId::of::<Index>()], |_, args| {
        let index: Index = values::own("keys", "an index", args[0])?;
        Ok(index.keys().to_vec().into())
    });
    register_for(module, "all", &[TypeId::of::<Index>(), any], |_, args| {
        let index: Index = values::own("all", "an index", args[0])?;
        Ok(index.all(args[1]).into())
    });
}

fn member_of_absent(name: &str) -> Error {
    not_known(format!("`{name}` was asked of an absent value"))
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
