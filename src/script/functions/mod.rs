//! The functions that rulebooks may call, one file per theme. All are pure: no clock, no input or output, no chance.

pub(super) mod address;
pub(super) mod bounded;
mod evidence;
pub(super) mod list;
mod number;
mod object;
mod text;
pub(super) mod time;
pub(super) mod version;

use std::any::TypeId;

use rhai::{Dynamic, Module, NativeCallContext};

use super::operators::register_for;
use super::problem::{Error, nameless};

/// A function: what it is called, what it does, and what runs.
pub(super) struct Function {
    /// Its name.
    pub(super) name: &'static str,
    /// Names of its parameters; those that end with `?` may be left out.
    pub(super) parameters: &'static [&'static str],
    /// What it does, in Markdown.
    pub(super) about: &'static str,
    /// A script that gives true.
    pub(super) example: &'static str,
    /// Whether it changes its first argument.
    pub(super) mutates: bool,
    /// What runs.
    pub(super) call: Native,
}

/// What a function is called from: Rhai, in which alone a closure can run.
pub(super) type Context<'c> = Option<&'c NativeCallContext<'c>>;

/// The native code of a function.
pub(super) type Native = fn(Context<'_>, &mut [&mut Dynamic]) -> Result<Dynamic, Error>;

impl Function {
    /// The numbers of arguments that it takes.
    pub(super) fn arities(&self) -> std::ops::RangeInclusive<usize> {
        let optional = self.parameters.iter().filter(|name| name.ends_with('?')).count();
        self.parameters.len() - optional..=self.parameters.len()
    }
}

/// All functions, by theme.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    let themes = [
        evidence::FUNCTIONS,
        object::FUNCTIONS,
        list::FUNCTIONS,
        text::FUNCTIONS,
        number::FUNCTIONS,
        version::FUNCTIONS,
        time::FUNCTIONS,
        address::FUNCTIONS,
    ];
    themes.into_iter().flatten()
}

/// The function of this name that takes so many arguments.
pub(super) fn find(name: &str, arguments: usize) -> Option<&'static Function> {
    all().find(|function| function.name == name && function.arities().contains(&arguments))
}

/// Adds all functions to a module.
pub(super) fn add(module: &mut Module) {
    for function in all() {
        for arity in function.arities() {
            let call = function.call;
            let types = vec![TypeId::of::<Dynamic>(); arity];
            register_for(
                module,
                function.name,
                &types,
                !function.mutates,
                move |context, args| call(context, args).map_err(nameless),
            );
        }
    }
}
