//! What a script reads, found in its syntax tree before it runs.
//!
//! Rhai resolves local variables while it parses; a variable that it left unresolved is a free name, unless the caller
//! or an enclosing function knows it. Each free name is handed back with the position of its token, so that a second
//! parse can turn it into a look-up (see `tokens`). Thus local variables win, and closures do not capture, and so
//! touch, what they may never need.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, BinaryExpr, Dynamic, Expr, FnCallExpr, FnPtr, Module, OpAssignment, Position, Shared, Stmt};

use super::functions;
use super::tokens::{FORMS, Special};

/// What surrounds a script: which names are not its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Variables that the caller passes, such as those of `each`.
    pub locals: &'a [&'a str],
    /// Names that stand before a dot, such as `inputs` or a used rulebook; `before.other` is one within `before`.
    pub namespaces: &'a [&'a str],
}

/// A free name in a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// What stands before the dot, if that is a namespace.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// Whether the script asks how a probe went, as in `outcome(x)`, and not for a value.
    pub probe: bool,
    /// Where it begins, in bytes of the script's text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A free name as found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) probe: bool,
    /// Position of the first token.
    pub(super) start: Position,
    /// Position of the last token.
    pub(super) last: Position,
}

/// A call by name.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) module: Option<String>,
    pub(super) name: String,
    /// Number of arguments, without what a method is called on.
    pub(super) arguments: usize,
    pub(super) method: bool,
    pub(super) at: Position,
}

/// Something that the script must not say.
#[derive(Debug)]
pub(super) struct Blame {
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
    pub(super) at: Position,
}

/// Everything that the analysis finds.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) reads: Vec<Found>,
    pub(super) calls: Vec<Call>,
    pub(super) specials: Vec<(Position, Special)>,
    /// Variables to be copied before what follows them is called: a closure in there uses them too.
    pub(super) copies: Vec<(Position, String)>,
    pub(super) properties: BTreeSet<String>,
    pub(super) blames: Vec<Blame>,
}

/// Walks a script, into its closures.
pub(super) fn analyse(ast: &AST, known: &Known<'_>) -> Findings {
    let mut analysis = Analysis::new(ast, known);
    let locals = known.locals.iter().map(|name| (*name).to_owned()).collect();
    analysis.walk(&ast.clone_statements_only(), &locals);
    for function in ast.iter_fn_def().filter(|function| !is_closure(&function.name)) {
        let message = format!("the function `{}` cannot be defined here", function.name);
        analysis.blame(
            message,
            Some("functions stand in modules, in `lib/`"),
            function.body.start_position(),
        );
    }
    analysis.findings
}

/// Walks the functions of a module, into their closures.
pub(super) fn analyse_functions(ast: &AST) -> Findings {
    let known = Known::default();
    let mut analysis = Analysis::new(ast, &known);
    let functions = functions_where(ast, |name| !is_closure(name));
    analysis.walk(&functions, &Locals::new());
    analysis.findings
}

/// Whether a function of a syntax tree is a closure.
pub(super) fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// The functions whose names fit, as a tree of their own. (Rhai's own way to do this takes all of them.)
fn functions_where(ast: &AST, fits: impl Fn(&str) -> bool) -> AST {
    let mut module = Module::new();
    for function in ast.iter_fn_def().filter(|function| fits(&function.name)) {
        module.set_script_fn(Shared::clone(function));
    }
    AST::new([], module)
}

type Locals = BTreeSet<String>;

/// A closure seen while walking: its function and the outer variables that it may use.
struct Closure {
    function: String,
    locals: Locals,
}

struct Analysis<'a> {
    ast: &'a AST,
    functions: BTreeSet<&'a str>,
    namespaces: &'a [&'a str],
    findings: Findings,
    closures: Vec<Closure>,
}

impl<'a> Analysis<'a> {
    fn new(ast: &'a AST, known: &Known<'a>) -> Self {
        Self {
            ast,
            functions: ast.iter_fn_def().map(|function| function.name.as_str()).collect(),
            namespaces: known.namespaces,
            findings: Findings::default(),
            closures: Vec::new(),
        }
    }

    fn walk(&mut self, part: &AST, locals: &Locals) {
        part.walk(&mut |path| {
            self.node(path, locals);
            true
        });
        for closure in std::mem::take(&mut self.closures) {
            let body = functions_where(self.ast, |name| name == closure.function);
            self.walk(&body, &closure.locals);
        }
    }

    fn node(&mut self, path: &[ASTNode<'_>], locals: &Locals) {
        match path {
            [outer @ .., ASTNode::Expr(expr)] => self.expression(outer, expr, locals),
            [.., ASTNode::Stmt(statement)] => self.statement(statement, locals),
            _ => {}
        }
    }

    fn statement(&mut self, statement: &Stmt, locals: &Locals) {
        match statement {
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::Assignment(assignment) => self.assignment(&assignment.0, &assignment.1.lhs, locals),
            Stmt::Import(_, at) | Stmt::Export(_, at) => {
                self.blame(
                    "modules are not imported".into(),
                    Some("modules of `lib/` are at hand: `module::function(x)`"),
                    *at,
                );
            }
            Stmt::TryCatch(_, at) => {
                self.blame(
                    "there is no `try`".into(),
                    Some("`known(x)` asks whether something is known"),
                    *at,
                );
            }
            _ => {}
        }
    }

    fn assignment(&mut self, operator: &OpAssignment, target: &Expr, locals: &Locals) {
        self.changed(target, target.start_position(), locals);
        if !operator.is_op_assignment() {
            self.findings.specials.push((operator.position(), Special::Assign));
        }
    }

    /// Blames a change of what comes from evidence.
    fn changed(&mut self, target: &Expr, at: Position, locals: &Locals) {
        if let Some(name) = root(target).and_then(|root| self.free(root, locals)) {
            self.blame(
                format!("`{name}` comes from evidence and cannot be changed"),
                Some("change a copy: `let copy = ...`"),
                at,
            );
        }
    }

    fn expression(&mut self, outer: &[ASTNode<'_>], expr: &Expr, locals: &Locals) {
        match expr {
            Expr::Variable(..) => self.variable(outer, expr, locals),
            Expr::FnCall(call, at) => self.call(call, *at),
            Expr::MethodCall(call, at) => self.method(call, *at),
            Expr::Property(property, _) => drop(self.findings.properties.insert(property.2.to_string())),
            Expr::DynamicConstant(value, _) => self.closure(outer, value, locals),
            Expr::Array(items, at) if !items.iter().all(Expr::is_constant) => {
                self.findings.specials.push((*at, Special::List));
            }
            Expr::Map(members, at) if !members.0.iter().all(|(_, value)| value.is_constant()) => {
                self.findings.specials.push((*at, Special::Object));
            }
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) => self.chain(chain, locals),
            _ => {}
        }
    }

    /// Rhai locks a variable while a chain goes through it, and fails where a closure in the chain uses it too.
    fn chain(&mut self, chain: &BinaryExpr, locals: &Locals) {
        let mutates = first_method(&chain.rhs)
            .is_some_and(|call| functions::all().any(|function| function.mutates && function.name == call.name));
        if mutates {
            self.changed(&chain.lhs, chain.lhs.start_position(), locals);
        } else if let Expr::Variable(variable, _, at) = &chain.lhs
            && variable.2.is_empty()
            && captures(&chain.rhs, &variable.1)
        {
            self.findings.copies.push((*at, variable.1.to_string()));
        }
    }

    fn closure(&mut self, outer: &[ASTNode<'_>], value: &Dynamic, locals: &Locals) {
        let Some(pointer) = value.read_lock::<FnPtr>() else {
            return;
        };
        let captured = match outer {
            [.., ASTNode::Expr(Expr::FnCall(call, _))] if is_capture(call) => call.args.get(1..).unwrap_or_default(),
            _ => &[],
        };
        let locals = captured
            .iter()
            .filter_map(|variable| match variable {
                Expr::Variable(name, ..) if name.0.is_some() || locals.contains(name.1.as_str()) => {
                    Some(name.1.to_string())
                }
                _ => None,
            })
            .collect();
        let function = pointer.fn_name().to_owned();
        self.closures.push(Closure { function, locals });
    }

    fn variable(&mut self, outer: &[ASTNode<'_>], expr: &Expr, locals: &Locals) {
        let Some(first) = self.free(expr, locals) else {
            return;
        };
        if let [.., ASTNode::Expr(Expr::FnCall(call, _))] = outer
            && is_capture(call)
        {
            return;
        }
        let Expr::Variable(.., start) = expr else {
            return;
        };
        let members = members(outer, expr);
        let probe = is_probe_argument(outer, expr);
        let mut found = Found {
            namespace: None,
            name: first,
            probe,
            start: *start,
            last: *start,
        };
        for (name, at) in members {
            let path = match &found.namespace {
                Some(namespace) => format!("{namespace}.{}", found.name),
                None => found.name.clone(),
            };
            if !self.namespaces.contains(&path.as_str()) {
                break;
            }
            found = Found {
                namespace: Some(path),
                name: name.to_owned(),
                probe,
                start: *start,
                last: at,
            };
        }
        self.read(found);
    }

    fn read(&mut self, found: Found) {
        let path = match &found.namespace {
            Some(namespace) => format!("{namespace}.{}", found.name),
            None => found.name.clone(),
        };
        if self.namespaces.contains(&path.as_str()) {
            self.blame(
                format!("`{path}` stands for nothing by itself"),
                Some("write `name.member`"),
                found.start,
            );
        } else {
            self.findings.reads.push(found);
        }
    }

    /// The name, if it is a variable that nothing in the script defines.
    fn free(&self, expr: &Expr, locals: &Locals) -> Option<String> {
        match expr {
            Expr::Variable(variable, ..) => {
                let (index, name, module, _) = &**variable;
                let free = index.is_none()
                    && module.is_empty()
                    && !locals.contains(name.as_str())
                    && !self.functions.contains(name.as_str());
                free.then(|| name.to_string())
            }
            _ => None,
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) {
        if matches!(call.name.as_str(), "==" | "!=") {
            self.findings
                .specials
                .extend(call.args.iter().filter_map(|side| match side {
                    Expr::Unit(at) => Some((*at, Special::Absent)),
                    Expr::BoolConstant(true, at) => Some((*at, Special::True)),
                    _ => None,
                }));
        }
        if call.is_operator_call() || is_capture(call) || matches!(call.name.as_str(), "contains" | "!") {
            return;
        }
        if let Some(form) = FORMS.iter().find(|form| form.name == call.name && !call.is_qualified()) {
            self.findings.specials.push((at, Special::Form(form.name)));
        }
        let module = call.is_qualified().then(|| {
            let path: Vec<&str> = call.namespace.path.iter().map(|part| part.as_str()).collect();
            path.join("::")
        });
        self.findings.calls.push(Call {
            module,
            name: call.name.to_string(),
            arguments: call.args.len(),
            method: false,
            at,
        });
    }

    fn method(&mut self, call: &FnCallExpr, at: Position) {
        self.findings.calls.push(Call {
            module: None,
            name: call.name.to_string(),
            arguments: call.args.len(),
            method: true,
            at,
        });
    }

    fn blame(&mut self, message: String, help: Option<&'static str>, at: Position) {
        self.findings.blames.push(Blame { message, help, at });
    }
}

/// Rhai captures variables for a closure by a call that no text can contain as it is written here.
fn is_capture(call: &FnCallExpr) -> bool {
    call.name == "curry"
}

/// The method that a chain calls first, before or after plain members.
fn first_method(rest: &Expr) -> Option<&FnCallExpr> {
    match rest {
        Expr::MethodCall(call, _) => Some(call),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => match &chain.lhs {
            Expr::Property(..) => first_method(&chain.rhs),
            lhs => first_method(lhs),
        },
        _ => None,
    }
}

/// Whether a closure in an expression uses an outer variable.
fn captures(expr: &Expr, name: &str) -> bool {
    let mut found = false;
    expr.walk(&mut Vec::new(), &mut |path| {
        if let [.., ASTNode::Expr(Expr::FnCall(call, _))] = path
            && is_capture(call)
        {
            found |= call
                .args
                .iter()
                .any(|captured| matches!(captured, Expr::Variable(variable, ..) if variable.1 == name));
        }
        !found
    });
    found
}

/// The variable at the root of a chain of members and indices.
fn root(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        Expr::Variable(..) => Some(expr),
        _ => None,
    }
}

/// The plain members that follow a variable: `a.b.c[0].d` has `b` and `c`.
fn members<'e>(outer: &[ASTNode<'e>], variable: &Expr) -> Vec<(&'e str, Position)> {
    let mut rest = match outer {
        [.., ASTNode::Expr(Expr::Dot(chain, ..))] if std::ptr::eq(&chain.lhs, variable) => Some(&chain.rhs),
        _ => None,
    };
    let mut found = Vec::new();
    while let Some(expr) = rest {
        let (member, next) = match expr {
            Expr::Dot(chain, ..) => (&chain.lhs, Some(&chain.rhs)),
            Expr::Index(chain, ..) => (&chain.lhs, None),
            other => (other, None),
        };
        let Expr::Property(property, at) = member else {
            break;
        };
        found.push((property.2.as_str(), *at));
        rest = next;
    }
    found
}

/// Whether the variable stands where a form wants a probe's name, itself or as the root of `namespace.probe`.
fn is_probe_argument(outer: &[ASTNode<'_>], variable: &Expr) -> bool {
    let (call, argument) = match outer {
        [.., ASTNode::Expr(Expr::FnCall(call, _))] => (call, variable),
        [
            ..,
            ASTNode::Expr(Expr::FnCall(call, _)),
            ASTNode::Expr(chain @ Expr::Dot(..)),
        ] => (call, *chain),
        _ => return false,
    };
    FORMS
        .iter()
        .filter(|form| form.name == call.name && !call.is_qualified())
        .filter_map(|form| form.probe)
        .any(|index| call.args.get(index).is_some_and(|at| std::ptr::eq(at, argument)))
}
