//! The modules of a rulebook's `lib/`, which see only their arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rhai::module_resolvers::StaticModuleResolver;
use rhai::{AST, ASTFlags, Expr, FnAccess, Ident, Module, Position, Scope, Shared, Stmt};

use super::compile::{Functions, located_blame, roots};
use super::problem::{ScriptProblem, Stop, Texts, message_at, stop, syntax};
use super::reads::{self, Call};
use super::{Scripts, engine, session};

/// A module as a rulebook has it.
#[derive(Debug, Clone, Copy)]
pub struct ModuleText<'a> {
    /// Its name: `routes` for `lib/routes.rhai`.
    pub name: &'a str,
    /// The text of its file.
    pub text: &'a str,
}

/// Something wrong with a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleProblem {
    /// The module's name.
    pub module: String,
    /// What is wrong; places are bytes of the module's text.
    pub problem: ScriptProblem,
}

/// A module of a rulebook: parsed and compiled when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Slot {
    text: String,
    parsed: OnceLock<Result<Parsed, Vec<ScriptProblem>>>,
    compiled: OnceLock<(Option<Compiled>, Vec<ScriptProblem>)>,
}

/// A compiled module.
#[derive(Debug)]
pub(super) struct Compiled {
    module: Shared<Module>,
    /// Names and numbers of parameters of its functions.
    functions: Functions,
}

/// A parsed module.
#[derive(Debug)]
struct Parsed {
    ast: AST,
    calls: Vec<Call>,
    /// Members that it names.
    members: BTreeSet<String>,
    /// The modules and rulebooks that it names.
    needs: BTreeSet<String>,
}

/// A used rulebook, whose modules are parts of one.
#[derive(Debug)]
pub(super) struct Used {
    scripts: Arc<Scripts>,
    parent: OnceLock<Shared<Module>>,
}

impl Scripts {
    /// Makes the modules of a used rulebook callable as `rulebook::module::function(x)`.
    pub fn use_modules(&mut self, rulebook: &str, other: &Arc<Self>) {
        let (scripts, parent) = (Arc::clone(other), OnceLock::new());
        self.used.insert(rulebook.to_owned(), Used { scripts, parent });
        self.texts
            .extend(other.texts.iter().map(|(name, text)| (name.clone(), text.clone())));
    }

    /// Takes the rulebook's own modules, callable as `module::function(x)`. Each is compiled when it is first called.
    pub fn add_modules(&mut self, modules: &[ModuleText<'_>]) {
        for ModuleText { name, text } in modules {
            self.texts.insert(self.module_path(name), (*text).to_owned());
            let slot = Slot {
                text: (*text).to_owned(),
                ..Slot::default()
            };
            self.own.insert((*name).to_owned(), slot);
        }
    }

    /// Compiles all of the rulebook's own modules.
    ///
    /// # Errors
    /// All problems found in all of them.
    pub fn check_modules(&self) -> Result<(), Vec<ModuleProblem>> {
        // Parsing is most of the work, and needs no other module.
        self.own.par_iter().for_each(|(_, slot)| {
            let _ = self.parsed(slot);
        });
        let problems = self.own.iter().flat_map(|(name, slot)| {
            let found = self.compiled(name, slot).1.iter();
            found.map(|problem| ModuleProblem {
                module: name.clone(),
                problem: problem.clone(),
            })
        });
        let problems: Vec<ModuleProblem> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The module that a name stands for which is first in a path: one of the rulebook's own, or all of a used one's.
    pub(super) fn module(&self, name: &str) -> Option<Shared<Module>> {
        if let Some(slot) = self.own.get(name) {
            let (compiled, _) = self.compiled(name, slot);
            return compiled.as_ref().map(|compiled| Shared::clone(&compiled.module));
        }
        let used = self.used.get(name)?;
        let parent = used.parent.get_or_init(|| Shared::new(used.scripts.together()));
        Some(Shared::clone(parent))
    }

    /// All own modules as parts of one.
    fn together(&self) -> Module {
        let mut parent = Module::new();
        for name in self.own.keys() {
            if let Some(module) = self.module(name) {
                parent.set_sub_module(name.as_str(), module);
            }
        }
        parent.build_index();
        parent
    }

    /// The functions of a module by its path; nothing within where it does not compile, nothing at all where it is not there.
    pub(super) fn functions_of(&self, path: &str) -> Option<Option<&Functions>> {
        let (scripts, name) = match path.split_once("::") {
            Some((rulebook, name)) => (&*self.used.get(rulebook)?.scripts, name),
            None => (self, path),
        };
        let (compiled, _) = scripts.compiled(name, scripts.own.get(name)?);
        Some(compiled.as_ref().map(|compiled| &compiled.functions))
    }

    /// Paths of all modules that may be called.
    pub(super) fn module_names(&self) -> Vec<String> {
        let used = self.used.iter().flat_map(|(rulebook, used)| {
            let names = used.scripts.own.keys();
            names.map(move |name| format!("{rulebook}::{name}"))
        });
        self.own.keys().cloned().chain(used).collect()
    }

    fn module_path(&self, name: &str) -> String {
        format!("{}::{name}", self.rulebook)
    }

    fn parsed<'s>(&self, slot: &'s Slot) -> Result<&'s Parsed, &'s Vec<ScriptProblem>> {
        slot.parsed.get_or_init(|| self.parse_source(&slot.text)).as_ref()
    }

    fn compiled<'s>(&self, name: &str, slot: &'s Slot) -> &'s (Option<Compiled>, Vec<ScriptProblem>) {
        slot.compiled.get_or_init(|| self.build_module(name, slot))
    }

    /// Parses a module and checks what needs no other module.
    fn parse_source(&self, text: &str) -> Result<Parsed, Vec<ScriptProblem>> {
        let (ast, findings) = self.parse_module(text).map_err(|error| vec![syntax(&error, text)])?;
        let mut problems = stray_statements(&ast, text);
        problems.extend(findings.blames.iter().map(|blame| located_blame(blame, text)));
        problems.extend(findings.reads.iter().map(|read| {
            let message = format!("nothing is called `{}` here", read.name);
            let help = "modules see only the arguments of their functions";
            message_at(&message, text, read.start).with_help(help)
        }));
        if !problems.is_empty() {
            return Err(tidy(problems));
        }
        Ok(Parsed {
            ast,
            needs: roots(&findings.calls),
            calls: findings.calls,
            members: findings.properties,
        })
    }

    /// Whether a module calls itself by name, or another that does; `open` are those on the way to it, `settled` those that do not.
    fn goes_round<'s>(&'s self, name: &'s str, open: &mut Vec<&'s str>, settled: &mut BTreeSet<&'s str>) -> bool {
        let Some(slot) = self.own.get(name) else { return false };
        let Ok(parsed) = self.parsed(slot) else { return false };
        if open.contains(&name) {
            return true;
        }
        if !settled.insert(name) {
            return false;
        }
        open.push(name);
        let round = parsed.needs.iter().any(|need| self.goes_round(need, open, settled));
        open.pop();
        round
    }

    /// Builds a module, after those that it calls.
    fn build_module(&self, name: &str, slot: &Slot) -> (Option<Compiled>, Vec<ScriptProblem>) {
        let text = slot.text.as_str();
        let parsed = match self.parsed(slot) {
            Ok(parsed) => parsed,
            Err(problems) => return (None, problems.clone()),
        };
        if self.goes_round(name, &mut Vec::new(), &mut BTreeSet::new()) {
            let message = "this module calls itself by name, or another that calls it";
            let help = "move the shared functions into a module of their own";
            let problem = message_at(message, text, Position::new(1, 1)).with_help(help);
            return (None, vec![problem]);
        }
        let own = functions_of(&parsed.ast, |_| true);
        let mut problems = self.check_calls(&parsed.calls, text, &own);
        let compiled = match self.evaluate_module(name, text, parsed) {
            Ok(module) => Some(Compiled {
                module,
                functions: functions_of(&parsed.ast, |access| access.is_public()),
            }),
            Err(stop) => {
                problems.push(message_at(&stop.to_string(), text, Position::new(1, 1)));
                None
            }
        };
        (compiled, tidy(problems))
    }

    /// Runs a module's constants, with the modules that it calls imported: so they are found whoever calls it.
    fn evaluate_module(&self, name: &str, text: &str, parsed: &Parsed) -> Result<Shared<Module>, Stop> {
        let mut resolver = StaticModuleResolver::new();
        let mut statements = Vec::new();
        for need in &parsed.needs {
            let Some(found) = self.module(need) else {
                continue;
            };
            resolver.insert(need.as_str(), (*found).clone());
            let name = Ident {
                name: need.into(),
                pos: Position::NONE,
            };
            let path = Expr::StringConstant(need.into(), Position::NONE);
            statements.push(Stmt::Import(Box::new((path, name)), Position::NONE));
        }
        statements.extend(parsed.ast.statements().iter().cloned());
        let functions = engine::with_getters(parsed.ast.shared_lib(), &parsed.members);
        let with_imports = AST::new_with_source(statements, functions, self.module_path(name));
        let mut engine = engine::build(&self.limits);
        engine.set_module_resolver(resolver);
        let _session = session::enter(None, &self.limits);
        let module = Module::eval_ast_as_new(Scope::new(), &with_imports, &engine);
        module.map(Shared::new).map_err(|error| {
            let (closures, modules) = (BTreeSet::new(), BTreeMap::new());
            let texts = Texts {
                script: text,
                closures: &closures,
                modules: &modules,
            };
            stop(&error, texts)
        })
    }
}

fn stray_statements(ast: &AST, text: &str) -> Vec<ScriptProblem> {
    let strays = ast.statements().iter().filter(|statement| match statement {
        Stmt::Noop(_) => false,
        Stmt::Var(_, options, _) => !options.contains(ASTFlags::CONSTANT),
        _ => true,
    });
    strays
        .map(|stray| {
            let message = "a module has nothing but functions and constants";
            message_at(message, text, stray.position()).with_help("put it into a function")
        })
        .collect()
}

fn functions_of(ast: &AST, wanted: impl Fn(FnAccess) -> bool) -> Functions {
    ast.iter_fn_def()
        .filter(|function| !reads::is_closure(&function.name) && wanted(function.access))
        .map(|function| (function.name.to_string(), function.params.len()))
        .collect()
}

/// Problems in the order of the text, each once: a module is looked at after each parse.
fn tidy(mut problems: Vec<ScriptProblem>) -> Vec<ScriptProblem> {
    problems.sort_by(|left, right| (left.start, &left.message).cmp(&(right.start, &right.message)));
    problems.dedup();
    problems
}
