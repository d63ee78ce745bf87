//! The names in the conditions of a rule, each as an expression of its own, so that its value can be shown beside the condition's.

use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Range;

use crate::rulebook::model::{Expr, FactId, FactSource, RuleId, RulebookId, Ruleset, Symbol};
use crate::rulebook::text::{Style, Text};
use crate::script::{Kind, Known, Read};

use super::Compiler;
use super::scripts::Scope;

/// A name in a script, with the members that are read of it: `server.status.state`.
#[derive(Debug)]
pub struct Part {
    /// The expression.
    pub expr: Expr,
    /// The fact or probe that the name stands for; none: an input, the subject, a name of `each`.
    pub symbol: Option<Symbol>,
    /// Whether it is the fact or probe itself, and not a member of it.
    pub whole: bool,
}

/// The names in the conditions of a rule.
#[derive(Debug, Default)]
pub struct Parts {
    /// Those of the condition under which its rulebook applies.
    pub applies: Vec<Part>,
    /// Those of its own.
    pub when: Vec<Part>,
    /// Those of each list that it goes through.
    pub each: Vec<Vec<Part>>,
    /// Those of each of its clauses.
    pub decide: Vec<Vec<Part>>,
    /// Those of the facts below, as far as they are computed.
    pub facts: BTreeMap<FactId, Vec<Part>>,
}

/// Takes the conditions of a rule apart.
pub fn parts(ruleset: &mut Ruleset, rule: RuleId) -> Parts {
    let mut compiler = Compiler {
        sources: take(&mut ruleset.sources),
        rulebooks: take(&mut ruleset.rulebooks),
        ..Compiler::default()
    };
    let parts = compiler.parts_of_rule(ruleset, rule);
    ruleset.sources = compiler.sources;
    ruleset.rulebooks = compiler.rulebooks;
    parts
}

impl Compiler {
    fn parts_of_rule(&mut self, ruleset: &Ruleset, id: RuleId) -> Parts {
        let rule = &ruleset.rules[id];
        let rulebook = rule.rulebook;
        let mut locals: Vec<String> = Vec::new();
        let mut parts = Parts::default();
        if let Some(when) = self.rulebooks[rulebook].when.as_ref().map(|when| when.text.clone()) {
            parts.applies = self.parts(rulebook, &when, &locals);
        }
        if let Some(when) = &rule.when {
            parts.when = self.parts(rulebook, &when.text, &locals);
        }
        for (name, list) in &rule.each {
            parts.each.push(self.parts(rulebook, &list.text, &locals));
            locals.push(name.clone());
        }
        for clause in &rule.decide {
            parts.decide.push(self.parts(rulebook, &clause.condition.text, &locals));
        }
        self.facts_below(ruleset, &mut parts);
        parts
    }

    fn facts_below(&mut self, ruleset: &Ruleset, parts: &mut Parts) {
        let lists = parts.each.iter().chain(&parts.decide);
        let all = lists.flatten().chain(&parts.when).chain(&parts.applies);
        let mut open: Vec<FactId> = all.filter_map(|part| fact(part.symbol)).collect();
        while let Some(id) = open.pop() {
            if parts.facts.contains_key(&id) {
                continue;
            }
            let declared = &ruleset.facts[id];
            let own = match &declared.source {
                FactSource::Let(expr) => self.parts(declared.rulebook, &expr.text, &[]),
                FactSource::Prefer(sources) => {
                    open.extend(sources.iter().filter_map(|source| fact(Some(*source))));
                    Vec::new()
                }
                FactSource::Index { of, .. } => {
                    open.extend(fact(Some(*of)));
                    Vec::new()
                }
                FactSource::Extract(extract) => {
                    open.extend(fact(Some(extract.from)));
                    Vec::new()
                }
                FactSource::Over { value, .. } => self.parts(declared.rulebook, &value.text, &[]),
            };
            open.extend(own.iter().filter_map(|part| fact(part.symbol)));
            parts.facts.insert(id, own);
        }
    }

    /// The names in a text, each once, in the order in which they stand there.
    fn parts(&mut self, rulebook: RulebookId, text: &Text, locals: &[String]) -> Vec<Part> {
        let scope = Scope::of(locals);
        let namespaces = self.namespaces(rulebook, scope);
        let known = Known {
            locals: &[],
            namespaces: &namespaces.iter().map(String::as_str).collect::<Vec<_>>(),
        };
        // Without locals, their names are found like all others.
        let Ok(script) = self.rulebooks[rulebook].scripts.compile(text, Kind::Expression, &known) else {
            return Vec::new();
        };
        let mut parts: Vec<Part> = Vec::new();
        for read in &script.reads {
            let range = reach(text, read);
            let words = text.value.get(range.clone()).unwrap_or_default().to_owned();
            let value = if read.probe { format!("outcome({words})") } else { words };
            if parts.iter().any(|part| part.expr.text.value == value) {
                continue;
            }
            let slice = Text {
                place: text.place_of(&self.sources, range.clone()),
                style: Style::Plain,
                value,
            };
            let local = read.namespace.is_none() && locals.contains(&read.name);
            let symbol = if local { None } else { self.symbol_of(rulebook, read) };
            let whole = range.end == read.end && !read.probe;
            parts.extend(
                self.script(rulebook, &slice, locals)
                    .map(|expr| Part { expr, symbol, whole }),
            );
        }
        parts
    }

    fn symbol_of(&self, rulebook: RulebookId, read: &Read) -> Option<Symbol> {
        let names = &self.rulebooks[rulebook].names;
        match read.namespace.as_deref() {
            None => names.get(read.name.as_str()).copied(),
            Some(namespace) => match names.get(namespace)? {
                Symbol::Rulebook(used) => self.rulebooks[*used].names.get(read.name.as_str()).copied(),
                _ => None,
            },
        }
    }
}

fn fact(symbol: Option<Symbol>) -> Option<FactId> {
    match symbol? {
        Symbol::Fact(fact) => Some(fact),
        _ => None,
    }
}

/// How far a name reaches with the members that are read of it; methods are no members.
fn reach(text: &str, read: &Read) -> Range<usize> {
    let mut end = read.end;
    while let Some(member) = text.get(end..).and_then(|rest| rest.strip_prefix('.')) {
        let length = member.len()
            - member
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
                .len();
        let called = member.get(length..).is_some_and(|rest| rest.starts_with('('));
        if length == 0 || called || read.probe {
            break;
        }
        end += 1 + length;
    }
    read.start..end
}
