//! Scripts and templates: compiled, their free names checked, their problems mapped to the YAML they stand in.

use std::ops::Range;

use indexmap::IndexMap;

use crate::diagnostic::{Problem, meant, quoted};
use crate::rulebook::model::{self, Expr, Input, RuleId, RulebookId, Symbol, Words};
use crate::rulebook::text::Text;
use crate::script::{Kind, Known, Read, Script, ScriptProblem};

use super::Compiler;

/// The names that scripts may use besides those of their rulebook.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    /// Names of `each`.
    pub(super) locals: &'a [String],
    /// The other rule of a condition between rules, with the word for it.
    pub(super) other: Option<(&'static str, RuleId)>,
    /// Inputs besides those of the rulebook.
    pub(super) inputs: Option<&'a IndexMap<String, Input>>,
}

impl<'a> Scope<'a> {
    /// Only names of `each`.
    pub(super) fn of(locals: &'a [String]) -> Scope<'a> {
        Scope {
            locals,
            ..Scope::default()
        }
    }
}

impl Compiler {
    /// Compiles an expression.
    pub(super) fn script(&mut self, rulebook: RulebookId, text: &Text, locals: &[String]) -> Option<Expr> {
        self.compiled(rulebook, text, Kind::Expression, Scope::of(locals))
    }

    /// Compiles a text with `${...}` in it.
    pub(super) fn words(&mut self, rulebook: RulebookId, text: &Text, locals: &[String]) -> Option<Words> {
        self.compiled(rulebook, text, Kind::Template, Scope::of(locals))
    }

    pub(super) fn compiled(&mut self, rulebook: RulebookId, text: &Text, kind: Kind, scope: Scope) -> Option<Expr> {
        let locals: Vec<&str> = scope.locals.iter().map(String::as_str).collect();
        let namespaces = self.namespaces(rulebook, scope);
        let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        let known = Known {
            locals: &locals,
            namespaces: &namespaces,
        };
        let scripts = &self.rulebooks[rulebook].scripts;
        if self.trusted.contains(&rulebook) {
            return Some(Expr {
                script: scripts.defer(text, kind, &known),
                text: text.clone(),
            });
        }
        match scripts.compile(text, kind, &known) {
            Ok(script) => {
                for read in &script.reads {
                    self.check_read(rulebook, text, read, scope);
                }
                Some(Expr {
                    script,
                    text: text.clone(),
                })
            }
            Err(problems) => {
                for problem in problems {
                    self.script_problem(text, problem);
                }
                None
            }
        }
    }

    fn script_problem(&mut self, text: &Text, problem: ScriptProblem) {
        let place = text.place_of(&self.sources, problem.start..problem.end);
        let located = Problem::error("script", place, problem.message).label("here");
        self.problems.push(located.maybe_help(problem.help));
    }

    /// What may stand before a dot.
    pub(super) fn namespaces(&self, rulebook: RulebookId, scope: Scope) -> Vec<String> {
        let used = self.rulebooks[rulebook]
            .uses
            .iter()
            .map(|used| self.rulebooks[*used].id.clone());
        let fixed = ["inputs", "subject", "before"]
            .into_iter()
            .chain(scope.other.map(|(role, _)| role));
        used.chain(fixed.map(str::to_owned)).collect()
    }

    fn check_read(&mut self, rulebook: RulebookId, text: &Text, read: &Read, scope: Scope) {
        let (range, name) = (read.start..read.end, read.name.as_str());
        match read.namespace.as_deref() {
            None => self.check_name(rulebook, text, range, name, scope.locals),
            Some("inputs") => self.check_input(rulebook, text, range, name, scope.inputs),
            Some("subject") => {}
            Some("before") => self.check_name(rulebook, text, range, name, &[]),
            Some(role) if scope.other.is_some_and(|(word, _)| word == role) => {
                self.check_other(text, range, name, scope)
            }
            Some(used) => {
                if let Some(&Symbol::Rulebook(used)) = self.rulebooks[rulebook].names.get(used) {
                    self.check_name(used, text, range, name, &[]);
                }
            }
        }
    }

    fn check_input(
        &mut self,
        rulebook: RulebookId,
        text: &Text,
        range: Range<usize>,
        name: &str,
        more: Option<&IndexMap<String, Input>>,
    ) {
        let inputs = self.rulebooks[rulebook]
            .inputs
            .keys()
            .chain(more.into_iter().flat_map(IndexMap::keys));
        let mut names = inputs.map(String::as_str);
        if names.clone().any(|input| input == name) || self.broken.contains(&(rulebook, name.to_owned())) {
            return;
        }
        let help = meant(name, &mut names);
        let problem = Problem::error(
            "unknown-input",
            text.place_of(&self.sources, range),
            format!("there is no input {}", quoted(name)),
        );
        self.problems.push(
            problem
                .label("not declared")
                .help(help.unwrap_or_else(|| format!("declare `{name}` under `inputs:`"))),
        );
    }

    fn check_name(&mut self, rulebook: RulebookId, text: &Text, range: Range<usize>, name: &str, locals: &[String]) {
        let names = &self.rulebooks[rulebook].names;
        if names.contains_key(name) || self.broken.contains(&(rulebook, name.to_owned())) {
            return;
        }
        let known = names.keys().chain(locals).map(String::as_str);
        let reserved = ["inputs", "subject"].into_iter();
        let help = meant(name, known.chain(reserved));
        let problem = Problem::error(
            "unknown-name",
            text.place_of(&self.sources, range),
            format!("{} is not known here", quoted(name)),
        );
        let declare = format!("declare a probe or fact `{name}`, or name an item of `each` so");
        self.problems.push(
            problem
                .label("no probe, fact or local name")
                .help(help.unwrap_or(declare)),
        );
    }

    /// A name of the other rule of a condition between rules.
    fn check_other(&mut self, text: &Text, range: Range<usize>, name: &str, scope: Scope) {
        let Some((_, other)) = scope.other else { return };
        let rule = &self.rules[other];
        let locals: Vec<String> = rule.each.iter().map(|(local, _)| local.clone()).collect();
        if !locals.iter().any(|local| local == name) {
            self.check_name(rule.rulebook, text, range, name, &locals);
        }
    }

    /// The probes and facts that a script of `rulebook` reads.
    pub(super) fn symbols_of(&self, rulebook: RulebookId, script: &Script) -> Vec<Symbol> {
        model::symbols_of(&self.rulebooks, rulebook, script)
    }
}
