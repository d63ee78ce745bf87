//! The functions that rulebooks may call, one file per theme. All are pure: no clock, no input or output, no chance.

pub mod address;
pub mod bounded;
mod evidence;
pub(super) mod list;
mod number;
mod object;
mod text;
pub mod time;
pub mod version;

use rhai::{Dynamic, Module, NativeCallContext};

use super::operators::register;
use super::problem::Error;

/// A function: what it is called, what it does, and what runs.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Names of its parameters; those that end with `?` may be left out.
    pub parameters: &'static [&'static str],
    /// What it does, in Markdown.
    pub about: &'static str,
    /// A script that gives true.
    pub example: &'static str,
    /// Whether it changes its first argument.
    pub mutates: bool,
    call: Native,
}

/// The native code of a function.
pub(super) type Native = fn(&NativeCallContext<'_>, &mut [&mut Dynamic]) -> Result<Dynamic, Error>;

impl Function {
    /// The call as documentation shows it.
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.parameters.join(", "))
    }

    /// The numbers of arguments that it takes.
    pub fn arities(&self) -> std::ops::RangeInclusive<usize> {
        let optional = self.parameters.iter().filter(|name| name.ends_with('?')).count();
        self.parameters.len() - optional..=self.parameters.len()
    }
}

/// All functions, by theme.
pub fn all() -> impl Iterator<Item = &'static Function> {
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

/// Adds all functions to a module.
pub(super) fn add(module: &mut Module) {
    for function in all() {
        for arity in function.arities() {
            register(module, function.name, arity, !function.mutates, function.call);
        }
    }
}
