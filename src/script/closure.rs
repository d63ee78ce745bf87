//! Calling a script's closures from native functions.

use rhai::{Array, Caches, Dynamic, EvalAltResult, EvalContext, FnPtr, Scope};

use super::functions::Context;
use super::problem::{Error, failed};
use super::values::{self, wrong};

/// Calls a function of a script by name.
type Call<'c> = dyn FnMut(&str, &mut [&mut Dynamic]) -> Result<Dynamic, Error> + 'c;

/// A closure that is called many times over: Rhai's own way makes a new state, with nothing resolved, for every call.
pub(super) struct Closure<'c> {
    function: &'c str,
    pointer: &'c FnPtr,
    call: &'c mut Call<'c>,
}

impl Closure<'_> {
    /// Calls it.
    pub(super) fn call<const N: usize>(&mut self, arguments: [Dynamic; N]) -> Result<Dynamic, Error> {
        let mut values: Vec<Dynamic> = self.pointer.curry().iter().cloned().chain(arguments).collect();
        let mut arguments: Vec<&mut Dynamic> = values.iter_mut().collect();
        (self.call)(self.pointer.fn_name(), &mut arguments).map_err(|error| match &*error {
            EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(self.pointer.fn_name()) => {
                failed(format!(
                    "the function given to `{}` must take {N} argument(s)",
                    self.function
                ))
            }
            _ => error,
        })
    }

    /// Calls it and wants true or false.
    pub(super) fn test(&mut self, item: &Dynamic) -> Result<bool, Error> {
        let answer = self.call([item.clone()])?;
        answer
            .as_bool()
            .map_err(|_| wrong(self.function, "a function that says true or false", &answer))
    }
}

/// Runs `body` with the closure that an argument is.
pub(super) fn with_closure<T>(
    context: Context<'_>,
    function: &str,
    argument: &Dynamic,
    body: impl FnOnce(&mut Closure<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let context = context.ok_or_else(|| failed("a function was called out of context"))?;
    let pointer: FnPtr = values::own(function, "a function", argument)?;
    let mut state = context.global_runtime_state().clone();
    state.level += 1;
    let (mut caches, mut scope) = (Caches::new(), Scope::new());
    let mut context = EvalContext::new(context.engine(), &mut state, &mut caches, &mut scope, None);
    let mut call = |name: &str, arguments: &mut [&mut Dynamic]| context.call_fn_raw(name, false, false, arguments);
    body(&mut Closure {
        function,
        pointer: &pointer,
        call: &mut call,
    })
}

/// Runs `body` with the items of an argument that must be a list.
///
/// A variable that a closure has captured lies behind a lock, which must not be held while another closure runs.
pub(super) fn with_list<T>(
    function: &str,
    argument: &Dynamic,
    body: impl FnOnce(&[Dynamic]) -> Result<T, Error>,
) -> Result<T, Error> {
    if argument.is_shared() {
        return with_list(function, &argument.flatten_clone(), body);
    }
    match argument.read_lock::<Array>() {
        Some(list) => body(&list),
        None => Err(wrong(function, "a list", argument)),
    }
}
