//! The modules of a rulebook's `lib/`, which see only their arguments.

use std::collections::{BTreeMap, BTreeSet};

use rhai::module_resolvers::{DummyModuleResolver, StaticModuleResolver};
use rhai::{AST, ASTFlags, Expr, FnAccess, Ident, Module, Position, Scope, Shared, Stmt};

use super::compile::{Functions, located_blame};
use super::problem::{ScriptProblem, Stop, Texts, message_at, stop, syntax};
use super::reads::{self, Call};
use super::{Scripts, session};

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

/// A compiled module.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    module: Shared<Module>,
    /// Names and numbers of parameters of its functions.
    pub(super) functions: Functions,
}

/// A parsed module that waits for those that it calls.
struct Parsed<'a> {
    source: ModuleText<'a>,
    ast: AST,
    calls: Vec<Call>,
    /// The modules and rulebooks that it names.
    needs: BTreeSet<String>,
}

impl Scripts {
    /// Makes the modules of a used rulebook callable as `rulebook::module::function(x)`.
    pub fn use_modules(&mut self, rulebook: &str, other: &Self) {
        let mut parent = Module::new();
        for (name, compiled) in other.own.iter() {
            parent.set_sub_module(name.as_str(), Shared::clone(&compiled.module));
            self.used.insert(format!("{rulebook}::{name}"), compiled.clone());
        }
        parent.build_index();
        let parent = Shared::new(parent);
        self.engine.register_static_module(rulebook, Shared::clone(&parent));
        self.rulebooks.insert(rulebook.to_owned(), parent);
        self.texts
            .extend(other.texts.iter().map(|(name, text)| (name.clone(), text.clone())));
    }

    /// Compiles the rulebook's own modules, callable as `module::function(x)`.
    ///
    /// # Errors
    /// All problems found in all of them.
    pub fn add_modules(&mut self, modules: &[ModuleText<'_>]) -> Result<(), Vec<ModuleProblem>> {
        let mut problems = Vec::new();
        let mut parsed = Vec::new();
        for source in modules {
            match self.parse_source(*source) {
                Ok(module) => parsed.push(module),
                Err(found) => {
                    self.broken.insert(source.name.to_owned());
                    problems.extend(found);
                }
            }
        }
        for module in modules {
            self.texts.insert(self.module_path(module.name), module.text.to_owned());
        }
        self.build(parsed, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn module_path(&self, name: &str) -> String {
        format!("{}::{name}", self.rulebook)
    }

    /// Parses a module and checks what needs no other module.
    fn parse_source<'a>(&mut self, source: ModuleText<'a>) -> Result<Parsed<'a>, Vec<ModuleProblem>> {
        let text = source.text;
        let blame = |problem| ModuleProblem {
            module: source.name.to_owned(),
            problem,
        };
        let (ast, findings) = self
            .parse_module(text)
            .map_err(|error| vec![blame(syntax(&error, text))])?;
        let mut problems = stray_statements(&ast, text);
        problems.extend(findings.blames.iter().map(|blame| located_blame(blame, text)));
        problems.extend(findings.reads.iter().map(|read| {
            let message = format!("nothing is called `{}` here", read.name);
            let help = "modules see only the arguments of their functions";
            message_at(&message, text, read.start).with_help(help)
        }));
        if !problems.is_empty() {
            return Err(tidy(problems).into_iter().map(blame).collect());
        }
        let modules = findings.calls.iter().filter_map(|call| call.module.as_deref());
        let needs = modules.map(|module| module.split("::").next().unwrap_or(module).to_owned());
        Ok(Parsed {
            source,
            needs: needs.collect(),
            calls: findings.calls,
            ast,
        })
    }

    /// Builds modules, each after those that it calls.
    fn build(&mut self, mut waiting: Vec<Parsed<'_>>, problems: &mut Vec<ModuleProblem>) {
        loop {
            let names: BTreeSet<&str> = waiting.iter().map(|module| module.source.name).collect();
            let ready = waiting
                .iter()
                .position(|module| !module.needs.iter().any(|need| names.contains(need.as_str())));
            let Some(ready) = ready else {
                break;
            };
            let module = waiting.remove(ready);
            problems.extend(self.build_module(&module));
        }
        problems.extend(waiting.iter().map(|module| {
            let message = "this module calls itself by name, or another that calls it";
            let help = "move the shared functions into a module of their own";
            let problem = message_at(message, module.source.text, Position::new(1, 1)).with_help(help);
            ModuleProblem {
                module: module.source.name.to_owned(),
                problem,
            }
        }));
    }

    fn build_module(&mut self, module: &Parsed<'_>) -> Vec<ModuleProblem> {
        let Parsed {
            source,
            ast,
            calls,
            needs,
        } = module;
        let own = functions_of(ast, |_| true);
        let mut problems = self.check_calls(calls, source.text, &own);
        match self.evaluate_module(source, ast, needs) {
            Ok(compiled) => {
                self.engine
                    .register_static_module(source.name, Shared::clone(&compiled));
                self.own.insert(
                    source.name.to_owned(),
                    Compiled {
                        module: compiled,
                        functions: functions_of(ast, |access| access.is_public()),
                    },
                );
            }
            Err(stop) => problems.push(message_at(&stop.to_string(), source.text, Position::new(1, 1))),
        }
        let blame = |problem| ModuleProblem {
            module: source.name.to_owned(),
            problem,
        };
        tidy(problems).into_iter().map(blame).collect()
    }

    /// Runs a module's constants, with the modules that it calls imported: so they are found whoever calls it.
    fn evaluate_module(
        &mut self,
        source: &ModuleText<'_>,
        ast: &AST,
        needs: &BTreeSet<String>,
    ) -> Result<Shared<Module>, Stop> {
        let mut resolver = StaticModuleResolver::new();
        let mut statements = Vec::new();
        for need in needs {
            let own = self.own.get(need).map(|compiled| &compiled.module);
            let Some(found) = own.or_else(|| self.rulebooks.get(need)) else {
                continue;
            };
            resolver.insert(need.as_str(), (**found).clone());
            let name = Ident {
                name: need.into(),
                pos: Position::NONE,
            };
            let path = Expr::StringConstant(need.into(), Position::NONE);
            statements.push(Stmt::Import(Box::new((path, name)), Position::NONE));
        }
        statements.extend(ast.statements().iter().cloned());
        let with_imports = AST::new_with_source(statements, ast.shared_lib().clone(), self.module_path(source.name));
        self.engine.set_module_resolver(resolver);
        let _session = session::enter(None, &self.limits);
        let module = Module::eval_ast_as_new(Scope::new(), &with_imports, &self.engine);
        self.engine.set_module_resolver(DummyModuleResolver::new());
        module.map(Shared::new).map_err(|error| {
            let (closures, modules) = (BTreeSet::new(), BTreeMap::new());
            let texts = Texts {
                script: source.text,
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
