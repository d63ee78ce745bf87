//! From text to script: parsing, looking up free names, checking calls.

use std::collections::BTreeSet;
use std::ops::Range;

use rhai::{AST, Expr, ParseError, Position, Stmt, StmtBlock};

use crate::diagnostic::meant;

use super::plain::Plain;
use super::problem::{ScriptProblem, message_at, offset, syntax, word_at};
use super::reads::{self, Blame, Call, Findings, Found};
use super::session;
use super::template::{self, Part};
use super::tokens::{self, FORMS, Special, Tokens};
use super::{Body, Code, Kind, Known, Piece, Read, Script, Scripts, engine, skim};

impl Scripts {
    /// Compiles a text.
    ///
    /// # Errors
    /// All problems found: of syntax the first, else everything.
    pub fn compile(&self, text: &str, kind: Kind, known: &Known<'_>) -> Result<Script, Vec<ScriptProblem>> {
        let (body, reads) = self.body(text, kind, known)?;
        Ok(Script::ready(reads, body))
    }

    /// A text that is known to compile, to be compiled when it is first evaluated.
    pub fn defer(&self, text: &str, kind: Kind, known: &Known<'_>) -> Script {
        Script::deferred(skim::reads(text, kind, known), text, kind, known)
    }

    /// What a text is compiled to, and what it reads.
    pub(super) fn body(
        &self,
        text: &str,
        kind: Kind,
        known: &Known<'_>,
    ) -> Result<(Body, Vec<Read>), Vec<ScriptProblem>> {
        let mut reads = Vec::new();
        let body = match kind {
            Kind::Template => Body::Template(self.pieces(text, known, &mut reads)?),
            Kind::Expression | Kind::Block => {
                let code = self.code(text, 0..text.len(), known, &mut reads)?;
                if kind == Kind::Expression {
                    check_expression(&code, text)?;
                }
                Body::Code(code)
            }
        };
        Ok((body, reads))
    }

    fn pieces(&self, text: &str, known: &Known<'_>, reads: &mut Vec<Read>) -> Result<Vec<Piece>, Vec<ScriptProblem>> {
        let parts = template::split(text).map_err(|at| vec![problem("nothing closes this `${`", at)])?;
        let mut problems = Vec::new();
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                Part::Text(range) => pieces.push(Piece::Text(text[range].into())),
                Part::Code(range) => match self.code(text, range, known, reads) {
                    Ok(code) => pieces.push(Piece::Code(code)),
                    Err(found) => problems.extend(found),
                },
            }
        }
        if problems.is_empty() { Ok(pieces) } else { Err(problems) }
    }

    /// Compiles the code in a range of a text; places are bytes of the whole text.
    fn code(
        &self,
        whole: &str,
        range: Range<usize>,
        known: &Known<'_>,
        reads: &mut Vec<Read>,
    ) -> Result<Code, Vec<ScriptProblem>> {
        let (start, text) = (range.start, &whole[range]);
        let Parse {
            ast,
            found,
            members,
            modules,
            problems,
        } = self
            .parse(text, known)
            .map_err(|problem| vec![shifted(problem, start)])?;
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| shifted(problem, start)).collect());
        }
        reads.extend(found.iter().filter_map(|found| located(found, text, start)));
        if ast.statements().is_empty() {
            return Err(vec![problem("an expression is missing", start..start + text.len())]);
        }
        let expr = match ast.statements() {
            [Stmt::Expr(expr)] => (**expr).clone(),
            statements => {
                let block = StmtBlock::new(statements.iter().cloned(), Position::NONE, Position::NONE);
                Expr::Stmt(Box::new(block))
            }
        };
        Ok(Code {
            id: session::next_code(),
            text: text.into(),
            start,
            plain: Plain::of(&expr),
            expr,
            closures: engine::with_getters(ast.shared_lib(), &members),
            modules: modules
                .iter()
                .filter_map(|module| Some((module.as_str().into(), self.module(module)?)))
                .collect(),
            closure_names: ast.iter_fn_def().map(|function| function.name.to_string()).collect(),
        })
    }

    /// Parses until every free name has become a look-up. The second parse is the last, unless two closures are alike:
    /// Rhai keeps only one of such twins, so that the names in the other come to light one parse later.
    fn parse(&self, text: &str, known: &Known<'_>) -> Result<Parse, ScriptProblem> {
        let mut tokens = Tokens::new();
        let mut found = Vec::new();
        loop {
            let ast = self
                .parse_with(text, &mut tokens)
                .map_err(|error| syntax(&error, text))?;
            let findings = reads::analyse(&ast, known);
            let mut problems = self.check_calls(&findings.calls, text, &BTreeSet::new());
            problems.extend(findings.blames.iter().map(|blame| located_blame(blame, text)));
            let more = problems.is_empty() && exchange(&findings, &mut tokens);
            if more {
                found.extend(findings.reads);
                continue;
            }
            found.sort_by_key(|read: &Found| tokens::key(read.start));
            return Ok(Parse {
                ast,
                found,
                members: findings.properties,
                modules: roots(&findings.calls),
                problems,
            });
        }
    }

    fn parse_with(&self, text: &str, tokens: &mut Tokens) -> Result<AST, ParseError> {
        tokens::exchanging(tokens, || self.engine.compile(text))
    }

    /// Parses the text of a module. The findings are those of all parses: some come twice.
    pub(super) fn parse_module(&self, text: &str) -> Result<(AST, Findings), ParseError> {
        let mut tokens = Tokens::new();
        let mut all = Findings::default();
        loop {
            let ast = self.parse_with(text, &mut tokens)?;
            let mut findings = reads::analyse_functions(&ast);
            let more = exchange(&findings, &mut tokens);
            all.reads.append(&mut findings.reads);
            all.calls.append(&mut findings.calls);
            all.blames.append(&mut findings.blames);
            all.properties.append(&mut findings.properties);
            if !more {
                return Ok((ast, all));
            }
        }
    }

    /// Calls of functions that do not exist, or with a wrong number of arguments.
    pub(super) fn check_calls(&self, calls: &[Call], text: &str, own: &Functions) -> Vec<ScriptProblem> {
        let problems = calls.iter().filter_map(|call| {
            let (message, help) = match &call.module {
                Some(module) => self.wrong_qualified(module, call)?,
                None => self.wrong_call(call, own)?,
            };
            let mut problem = message_at(&message, text, call.at);
            problem.help = help;
            if let Some(module) = call
                .module
                .as_deref()
                .filter(|module| self.functions_of(module).is_none())
            {
                // The call stands at the name of the function, and what is wrong is before it.
                let before = text
                    .get(..problem.start)
                    .and_then(|before| before.strip_suffix("::")?.strip_suffix(module));
                let start = before.map_or(problem.start, str::len);
                (problem.start, problem.end) = (start, before.map_or(problem.end, |_| start + module.len()));
            }
            Some(problem)
        });
        problems.collect()
    }

    fn wrong_qualified(&self, module: &str, call: &Call) -> Wrong {
        match self.functions_of(module) {
            Some(Some(functions)) => wrong_function(&format!("{module}::{}", call.name), call, 0, functions),
            // That it does not compile has been said.
            Some(None) => None,
            None => Some((
                format!("there is no module `{module}`"),
                meant(module, self.module_names().iter().map(String::as_str)),
            )),
        }
    }

    fn wrong_call(&self, call: &Call, own: &Functions) -> Wrong {
        let name = &call.name;
        if engine::OFF.contains(&name.as_str()) {
            return Some((format!("`{name}` is not available in rulebooks"), None));
        }
        let is_own = own.iter().any(|(own, _)| own == name);
        if call.method {
            // What it is called on is not known, but the name is. Closures are called by `call`.
            let known = is_own || name == "call";
            return if known {
                None
            } else {
                wrong_function(name, call, 1, engine::native_functions())
            };
        }
        if let Some(form) = FORMS.iter().find(|form| form.name == name) {
            let form = BTreeSet::from([(name.clone(), form.parameters.len())]);
            return wrong_function(name, call, 0, &form);
        }
        wrong_function(name, call, 0, if is_own { own } else { engine::native_functions() })
    }
}

/// A text as parsed for the last time.
struct Parse {
    ast: AST,
    /// Its free names, in the order of the text.
    found: Vec<Found>,
    /// Members that it names.
    members: BTreeSet<String>,
    /// What stands first in the names of modules that it calls.
    modules: BTreeSet<String>,
    problems: Vec<ScriptProblem>,
}

/// Adds what the findings want exchanged; false if there is nothing new.
fn exchange(findings: &Findings, tokens: &mut Tokens) -> bool {
    let before = tokens.len();
    for read in &findings.reads {
        let path = match &read.namespace {
            Some(namespace) => format!("{namespace}.{}", read.name),
            None => read.name.clone(),
        };
        tokens.extend(tokens::key(read.start).map(|key| (key, Special::Read(path.into()))));
    }
    for (at, name) in &findings.copies {
        // A free name is a copy already.
        if let Some(key) = tokens::key(*at) {
            tokens.entry(key).or_insert_with(|| Special::Copy(name.as_str().into()));
        }
    }
    for (at, special) in &findings.specials {
        tokens.extend(tokens::key(*at).map(|key| (key, special.clone())));
    }
    tokens.len() > before
}

/// What stands first in the names of the modules that are called.
pub(super) fn roots(calls: &[Call]) -> BTreeSet<String> {
    let modules = calls.iter().filter_map(|call| call.module.as_deref());
    modules
        .map(|module| module.split("::").next().unwrap_or(module).to_owned())
        .collect()
}

/// What is wrong with a call, and perhaps what was meant.
type Wrong = Option<(String, Option<String>)>;

/// Names and numbers of parameters.
pub(super) type Functions = BTreeSet<(String, usize)>;

/// Checks a call against the functions that there are; `before` arguments stand before its dot.
fn wrong_function(shown: &str, call: &Call, before: usize, functions: &Functions) -> Wrong {
    let arities: Vec<usize> = functions
        .iter()
        .filter(|(name, _)| *name == call.name)
        .map(|(_, arity)| arity.saturating_sub(before))
        .collect();
    if arities.is_empty() {
        let names = functions.iter().map(|(name, _)| name.as_str());
        return Some((format!("there is no function `{shown}`"), meant(&call.name, names)));
    }
    let wanted = arities.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
    let fits = arities.contains(&call.arguments);
    (!fits).then(|| {
        (
            format!("`{shown}` takes {wanted} argument(s), not {}", call.arguments),
            None,
        )
    })
}

impl Script {
    /// Whether its value is surely computed: an operation or a literal, and no piece of evidence.
    pub fn computes(&self) -> bool {
        match self.body.get() {
            Some(Ok(Body::Template(_))) => true,
            Some(Ok(Body::Code(code))) => match &code.expr {
                Expr::FnCall(call, _) => call.is_operator_call() && call.name != "??",
                expr => {
                    expr.is_constant() || matches!(expr, Expr::And(..) | Expr::Or(..) | Expr::InterpolatedString(..))
                }
            },
            _ => false,
        }
    }
}

fn check_expression(code: &Code, text: &str) -> Result<(), Vec<ScriptProblem>> {
    let Expr::Stmt(block) = &code.expr else {
        return Ok(());
    };
    let wrong = match block.statements() {
        [Stmt::Expr(_) | Stmt::FnCall(..) | Stmt::If(..) | Stmt::Switch(..) | Stmt::Block(_)] => return Ok(()),
        [] => return Ok(()),
        [_, second, ..] => message_at(
            "one expression is wanted here, not several statements",
            text,
            second.position(),
        ),
        [statement] => message_at(
            "an expression is wanted here, not a statement",
            text,
            statement.position(),
        ),
    };
    Err(vec![wrong])
}

fn problem(message: &str, at: Range<usize>) -> ScriptProblem {
    ScriptProblem {
        message: message.to_owned(),
        help: None,
        start: at.start,
        end: at.end,
    }
}

pub(super) fn located_blame(blame: &Blame, text: &str) -> ScriptProblem {
    let mut problem = message_at(&blame.message, text, blame.at);
    problem.help = blame.help.map(str::to_owned);
    problem
}

fn shifted(mut problem: ScriptProblem, by: usize) -> ScriptProblem {
    problem.start += by;
    problem.end += by;
    problem
}

fn located(found: &Found, text: &str, by: usize) -> Option<Read> {
    Some(Read {
        namespace: found.namespace.clone(),
        name: found.name.clone(),
        probe: found.probe,
        start: by + offset(text, found.start)?,
        end: by + word_at(text, offset(text, found.last)?).end,
    })
}
