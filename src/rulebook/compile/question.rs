//! Questions: scripts over the names of a rulebook that are no part of it.

use std::mem::take;

use crate::diagnostic::{Place, Problems};
use crate::rulebook::model::{Expr, KindId, RuleId, RulebookId, Ruleset};
use crate::rulebook::text::{Style, Text};
use crate::script::Kind;

use super::Compiler;
use super::scripts::Scope;

/// What the text of a question is called in problems.
const NAME: &str = "query";

/// A question, compiled.
#[derive(Debug)]
pub struct Question {
    /// Whose names it uses.
    pub rulebook: RulebookId,
    /// The script.
    pub expr: Expr,
    /// The kind of subject that its names belong to; none: the bundle.
    pub kind: Option<KindId>,
}

/// Compiles a question over the names of a rulebook; its text becomes one of the ruleset's sources.
///
/// # Errors
/// What is wrong with it.
pub fn question(ruleset: &mut Ruleset, rulebook: RulebookId, text: &str) -> Result<Question, Problems> {
    let (question, problems) = with(ruleset, |compiler| compiler.question(rulebook, text));
    match question {
        Some(question) if !problems.has_errors() => Ok(question),
        _ => Err(problems),
    }
}

/// A script of a rulebook, to be compiled anew with another text.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The rulebook.
    pub rulebook: RulebookId,
    /// The new text, at the place of the old one.
    pub text: Text,
    /// The names of `each` that it sees.
    pub locals: Vec<String>,
    /// The other rule of a condition between rules, with the word for it.
    pub other: Option<(&'static str, RuleId)>,
}

/// Compiles scripts anew; nothing where a new text is no script. The ruleset stays as it is.
pub fn revised(ruleset: &mut Ruleset, revisions: &[Revision]) -> Vec<Option<Expr>> {
    let one = |compiler: &mut Compiler, revision: &Revision| {
        let scope = Scope {
            locals: &revision.locals,
            other: revision.other,
            ..Scope::default()
        };
        let expr = compiler.compiled(revision.rulebook, &revision.text, Kind::Expression, scope);
        expr.filter(|_| !take(&mut compiler.problems).has_errors())
    };
    let all = |compiler: &mut Compiler| revisions.iter().map(|revision| one(compiler, revision)).collect();
    with(ruleset, all).0
}

/// Has a compiler at work on a ruleset; and what problems it met.
fn with<T>(ruleset: &mut Ruleset, work: impl FnOnce(&mut Compiler) -> T) -> (T, Problems) {
    let mut compiler = Compiler {
        sources: take(&mut ruleset.sources),
        rulebooks: take(&mut ruleset.rulebooks),
        kinds: take(&mut ruleset.kinds),
        probes: take(&mut ruleset.probes),
        facts: take(&mut ruleset.facts),
        rules: take(&mut ruleset.rules),
        ..Compiler::default()
    };
    let done = work(&mut compiler);
    ruleset.sources = compiler.sources;
    ruleset.rulebooks = compiler.rulebooks;
    ruleset.kinds = compiler.kinds;
    ruleset.probes = compiler.probes;
    ruleset.facts = compiler.facts;
    ruleset.rules = compiler.rules;
    (done, compiler.problems)
}

impl Compiler {
    fn question(&mut self, rulebook: RulebookId, text: &str) -> Option<Question> {
        let file = self.sources.add(NAME, text);
        let text = Text {
            value: text.to_owned(),
            place: Place::new(file, 0, text.len()),
            style: Style::Plain,
        };
        let expr = self.script(rulebook, &text, &[])?;
        let symbols = self.symbols_of(rulebook, &expr.script);
        let kind = self.common_kind(&symbols, text.place);
        Some(Question { rulebook, expr, kind })
    }
}
