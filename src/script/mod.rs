//! Scripts: Rhai, with evidence as values, operators that compare like with like, and bounds on what a script spends.
//!
//! A rulebook has one [`Scripts`]; it compiles the modules of the rulebook's `lib/` and then the expressions, blocks
//! and templates of its YAML. Names that a script does not define itself are looked up in [`Names`] when it touches
//! them; what is not known ends the evaluation as [`Stop::Unknown`].

mod closure;
mod compare;
mod compile;
mod engine;
mod functions;
mod index;
mod library;
mod names;
mod node;
mod number;
mod operand;
mod operators;
mod plain;
mod problem;
mod reads;
mod redacted;
mod session;
mod skim;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expr, Expression, ImmutableString, Module, Scope, Shared};

pub use compare::same;
pub use functions::address::Ip;
pub use functions::bounded::{Bound, Bounded};
pub use functions::time::{Duration, Timestamp, parse_time};
pub use functions::version::Version;
pub use index::Index;
pub use library::{ModuleProblem, ModuleText};
pub use names::{Capture, Names, Probe, Refusal, Unknown};
pub use node::{Doc, LEFT_SLOT, NO_SLOT, Node, Place, Values, absent_in, place_of, placed, places_of, to_dynamic};
pub use number::BigNumber;
pub use problem::{ModulePlace, ScriptProblem, Stop};
pub use reads::{Known, Read};
pub use redacted::REDACTED;
pub use session::Limits;
pub use values::{member, show};

use library::{Slot, Used};
use plain::Plain;
use problem::Texts;

/// What a text is to be compiled as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One expression.
    Expression,
    /// Statements, of which the last gives the value.
    Block,
    /// Text with `${expression}` in it.
    Template,
}

/// A script, which any number of threads may evaluate with the [`Scripts`] that it comes from.
#[derive(Debug, Clone)]
pub struct Script {
    /// The free names that it reads, in the order of the text.
    pub reads: Vec<Read>,
    body: Arc<OnceLock<Result<Body, Vec<ScriptProblem>>>>,
    source: Option<Arc<Source>>,
}

/// What a script that was deferred is compiled from.
#[derive(Debug)]
struct Source {
    text: String,
    kind: Kind,
    locals: Vec<String>,
    namespaces: Vec<String>,
}

impl Script {
    fn ready(reads: Vec<Read>, body: Body) -> Self {
        Self {
            reads,
            body: Arc::new(Ok(body).into()),
            source: None,
        }
    }

    fn deferred(reads: Vec<Read>, text: &str, kind: Kind, known: &Known<'_>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let source = Source {
            text: text.to_owned(),
            kind,
            locals: owned(known.locals),
            namespaces: owned(known.namespaces),
        };
        Self {
            reads,
            body: Arc::default(),
            source: Some(Arc::new(source)),
        }
    }

    /// What it is compiled to, by now at the latest.
    fn body(&self, scripts: &Scripts) -> Result<&Body, Stop> {
        let body = self.body.get_or_init(|| match &self.source {
            Some(source) => source.compile(scripts),
            None => Err(Vec::new()),
        });
        body.as_ref().map_err(|problems| {
            let first = problems.first();
            Stop::Failed {
                message: first.map_or_else(String::new, |problem| problem.message.clone()),
                at: first.map(|problem| problem.start),
                in_module: None,
            }
        })
    }
}

impl Source {
    fn compile(&self, scripts: &Scripts) -> Result<Body, Vec<ScriptProblem>> {
        let (locals, namespaces): (Vec<&str>, Vec<&str>) = (
            self.locals.iter().map(String::as_str).collect(),
            self.namespaces.iter().map(String::as_str).collect(),
        );
        let known = Known {
            locals: &locals,
            namespaces: &namespaces,
        };
        scripts.body(&self.text, self.kind, &known).map(|(body, _)| body)
    }
}

/// A part of a template that is filled in.
#[derive(Debug)]
pub enum Part<'s> {
    /// Text as written.
    Text(&'s str),
    /// What stands between `${` and `}`.
    Value {
        /// As written.
        code: &'s str,
        /// The free names in it.
        reads: Vec<&'s Read>,
        /// Its value, or why there is none.
        value: Result<String, Stop>,
    },
}

#[derive(Debug)]
enum Body {
    Code(Code),
    Template(Vec<Piece>),
}

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Code(Code),
}

/// Compiled code: what Rhai evaluates, and where it stands in the script's text.
#[derive(Debug)]
struct Code {
    /// Tells it from all other code of the process.
    id: u64,
    text: Box<str>,
    start: usize,
    expr: Expr,
    /// The same, if it is plain.
    plain: Option<Plain>,
    /// Its closures, and getters for the members that it names.
    closures: Shared<Module>,
    /// The modules that it calls.
    modules: Vec<(ImmutableString, Shared<Module>)>,
    closure_names: BTreeSet<String>,
}

impl Code {
    fn texts<'a>(&'a self, modules: &'a BTreeMap<String, String>) -> Texts<'a> {
        Texts {
            script: &self.text,
            closures: &self.closure_names,
            modules,
        }
    }
}

/// The scripts of one rulebook: an engine, the rulebook's modules and those of the rulebooks that it uses.
pub struct Scripts {
    rulebook: String,
    engine: Engine,
    limits: Limits,
    /// Own modules by name.
    own: BTreeMap<String, Slot>,
    /// Used rulebooks by id.
    used: BTreeMap<String, Used>,
    /// Texts of modules by `rulebook::module`, to turn positions into offsets.
    texts: BTreeMap<String, String>,
}

impl fmt::Debug for Scripts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Scripts")
            .field("rulebook", &self.rulebook)
            .finish_non_exhaustive()
    }
}

impl Scripts {
    /// The scripts of a rulebook, so far without modules.
    pub fn new(rulebook: &str, limits: Limits) -> Self {
        Self {
            rulebook: rulebook.to_owned(),
            engine: engine::build(&limits),
            limits,
            own: BTreeMap::new(),
            used: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }

    /// Evaluates a script; of a template, the text.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn eval(&self, script: &Script, locals: &[(String, Dynamic)], names: &Arc<dyn Names>) -> Result<Dynamic, Stop> {
        let _session = session::enter(Some(Arc::clone(names)), &self.limits);
        match script.body(self)? {
            Body::Code(code) => self.run(code, locals),
            Body::Template(pieces) => self.fill(pieces, locals, show).map(Dynamic::from),
        }
    }

    /// Evaluates a template to its text; of other scripts, the value as text.
    ///
    /// # Errors
    /// Why there is no text.
    pub fn render(
        &self,
        script: &Script,
        locals: &[(String, Dynamic)],
        names: &Arc<dyn Names>,
    ) -> Result<String, Stop> {
        let _session = session::enter(Some(Arc::clone(names)), &self.limits);
        match script.body(self)? {
            Body::Code(code) => self.run(code, locals).map(|value| show(&value)),
            Body::Template(pieces) => self.fill(pieces, locals, show),
        }
    }

    /// Evaluates a template to the text that a report shows.
    ///
    /// # Errors
    /// Why there is no text.
    pub fn tell(&self, script: &Script, locals: &[(String, Dynamic)], names: &Arc<dyn Names>) -> Result<String, Stop> {
        let _session = session::enter(Some(Arc::clone(names)), &self.limits);
        let shown = |value: &Dynamic| names.shown(value);
        match script.body(self)? {
            Body::Code(code) => self.run(code, locals).map(|value| shown(&value)),
            Body::Template(pieces) => self.fill(pieces, locals, shown),
        }
    }

    /// Fills in a template part by part, so that what is not known leaves a hole; another script is one part.
    pub fn parts<'s>(&self, script: &'s Script, locals: &[(String, Dynamic)], names: &Arc<dyn Names>) -> Vec<Part<'s>> {
        let _session = session::enter(Some(Arc::clone(names)), &self.limits);
        let code = |code: &'s Code| {
            let range = code.start..code.start + code.text.len();
            let reads = script.reads.iter().filter(|read| range.contains(&read.start));
            Part::Value {
                code: &code.text,
                reads: reads.collect(),
                value: self.run(code, locals).map(|value| show(&value)),
            }
        };
        match script.body(self) {
            Err(stop) => vec![Part::Value {
                code: "",
                reads: Vec::new(),
                value: Err(stop),
            }],
            Ok(Body::Code(whole)) => vec![code(whole)],
            Ok(Body::Template(pieces)) => {
                let part = |piece: &'s Piece| match piece {
                    Piece::Text(text) => Part::Text(text),
                    Piece::Code(piece) => code(piece),
                };
                pieces.iter().map(part).collect()
            }
        }
    }

    fn fill(
        &self,
        pieces: &[Piece],
        locals: &[(String, Dynamic)],
        show: impl Fn(&Dynamic) -> String,
    ) -> Result<String, Stop> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Code(code) => text.push_str(&show(&self.run(code, locals)?)),
            }
        }
        Ok(text)
    }

    fn run(&self, code: &Code, locals: &[(String, Dynamic)]) -> Result<Dynamic, Stop> {
        let plainly = code.plain.as_ref().and_then(|plain| plain.eval(locals));
        plainly.map_or_else(|| self.run_by_rhai(code, locals), Ok)
    }

    fn run_by_rhai(&self, code: &Code, locals: &[(String, Dynamic)]) -> Result<Dynamic, Stop> {
        let mut scope = Scope::new();
        for (name, value) in locals {
            scope.push_dynamic(name.as_str(), value.clone());
        }
        let mut state = self.engine.new_global_runtime_state();
        state.lib.push(Shared::clone(&code.closures));
        for (name, module) in &code.modules {
            state.push_import(name.clone(), Shared::clone(module));
        }
        let mut caches = session::take_caches(code.id);
        let mut context = EvalContext::new(&self.engine, &mut state, &mut caches, &mut scope, None);
        let value = context.eval_expression_tree(&Expression::from(&code.expr));
        if value.is_ok() {
            session::keep_caches(code.id, caches);
        }
        match value {
            Ok(value) => Ok(value),
            Err(error) => match *error {
                EvalAltResult::Return(value, _) => Ok(value),
                error => Err(problem::stop(&error, code.texts(&self.texts)).shifted(code.start)),
            },
        }
    }
}

/// A function as documentation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The call with its parameters; those that end with `?` may be left out.
    pub signature: String,
    /// What it does, in Markdown.
    pub about: &'static str,
    /// A script that gives true.
    pub example: &'static str,
}

/// Everything that scripts may call.
pub fn functions() -> impl Iterator<Item = Entry> {
    let entry = |name, parameters: &[&str], about, example| Entry {
        name,
        signature: format!("{name}({})", parameters.join(", ")),
        about,
        example,
    };
    let forms = tokens::FORMS
        .iter()
        .map(move |form| entry(form.name, form.parameters, form.about, form.example));
    forms.chain(
        functions::all()
            .map(move |function| entry(function.name, function.parameters, function.about, function.example)),
    )
}
