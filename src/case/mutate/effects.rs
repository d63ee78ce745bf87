//! What a change reaches: the facts that may have other values, and the rules that may judge otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rulebook::model::{Expr, FactId, FactSource, ProbeId, Rule, RuleId, RulebookId, Ruleset, Symbol, Wording};
use crate::script::Read;

use super::Owner;

/// What a change reaches.
#[derive(Debug, Clone)]
pub(super) struct Effects {
    /// Facts to be computed again.
    pub(super) facts: Arc<BTreeSet<FactId>>,
    /// Rules to be judged again.
    pub(super) rules: Vec<RuleId>,
}

/// The effects of a change of `owner`.
pub(super) fn of(ruleset: &Ruleset, owner: &Owner) -> Effects {
    let facts = 0..ruleset.facts.len();
    let first: BTreeSet<FactId> = match owner {
        Owner::Fact(fact) => BTreeSet::from([*fact]),
        Owner::Probe(probe) => facts
            .clone()
            .filter(|fact| ruleset.facts[*fact].needs.contains(probe))
            .collect(),
        Owner::Input(rulebook, name) => facts
            .clone()
            .filter(|fact| fact_reads(ruleset, *fact).any(|(by, read)| is_input(by, read, *rulebook, name)))
            .collect(),
        Owner::Rule(_) | Owner::Rulebook(_) | Owner::Edge(_) => BTreeSet::new(),
    };
    let changed = dependents(ruleset, first);
    let rules = (0..ruleset.rules.len()).filter(|rule| reaches(ruleset, owner, &changed, *rule));
    let rules = rules.collect();
    // What lies over all subjects is gathered anew in every run.
    let over = facts.filter(|fact| matches!(ruleset.facts[*fact].source, FactSource::Over { .. }));
    let facts = dependents(ruleset, changed.into_iter().chain(over).collect());
    Effects {
        facts: Arc::new(facts),
        rules,
    }
}

fn reaches(ruleset: &Ruleset, owner: &Owner, changed: &BTreeSet<FactId>, id: RuleId) -> bool {
    let rule = &ruleset.rules[id];
    let own = match owner {
        Owner::Rule(owner) => *owner == id,
        Owner::Rulebook(rulebook) => *rulebook == rule.rulebook,
        Owner::Edge(edge) => {
            let place = ruleset.edges[*edge].place();
            let mut same = ruleset.edges.iter().filter(|edge| edge.place() == place);
            same.any(|edge| edge.cause == id || edge.effect == id)
        }
        Owner::Probe(probe) => rule.needs.contains(probe),
        Owner::Fact(_) | Owner::Input(..) => false,
    };
    let other = |(by, read): (RulebookId, &Read)| match (owner, symbol(ruleset, by, read)) {
        (Owner::Input(rulebook, name), _) if is_input(by, read, *rulebook, name) => true,
        (_, Some(Symbol::Fact(fact))) => changed.contains(&fact),
        _ => false,
    };
    own || rule_reads(ruleset, id).any(other)
}

fn is_input(by: RulebookId, read: &Read, rulebook: RulebookId, name: &str) -> bool {
    by == rulebook && read.namespace.as_deref() == Some("inputs") && read.name == name
}

/// The facts that are or build on some.
fn dependents(ruleset: &Ruleset, mut changed: BTreeSet<FactId>) -> BTreeSet<FactId> {
    loop {
        let builds =
            |fact: &FactId| !changed.contains(fact) && below(ruleset, *fact).any(|below| changed.contains(&below));
        let more: Vec<FactId> = (0..ruleset.facts.len()).filter(builds).collect();
        if more.is_empty() {
            return changed;
        }
        changed.extend(more);
    }
}

/// The facts that a fact is had from.
fn below(ruleset: &Ruleset, fact: FactId) -> impl Iterator<Item = FactId> {
    let named: Vec<Symbol> = match &ruleset.facts[fact].source {
        FactSource::Extract(extract) => vec![extract.from],
        FactSource::Index { of, .. } => vec![*of],
        FactSource::Prefer(sources) => sources.clone(),
        FactSource::Let(_) | FactSource::Over { .. } => Vec::new(),
    };
    let read = fact_reads(ruleset, fact).filter_map(|(by, read)| symbol(ruleset, by, read));
    let facts = named.into_iter().chain(read).filter_map(|symbol| match symbol {
        Symbol::Fact(fact) => Some(fact),
        Symbol::Probe(_) | Symbol::Rulebook(_) => None,
    });
    facts.collect::<Vec<_>>().into_iter()
}

fn fact_reads(ruleset: &Ruleset, fact: FactId) -> impl Iterator<Item = (RulebookId, &Read)> {
    let declared = &ruleset.facts[fact];
    let expr = match &declared.source {
        FactSource::Let(expr) | FactSource::Over { value: expr, .. } => Some(expr),
        _ => None,
    };
    expr.into_iter()
        .flat_map(|expr| &expr.script.reads)
        .map(|read| (declared.rulebook, read))
}

/// What is read for a rule's verdicts and for what cases may expect of its findings.
fn rule_reads(ruleset: &Ruleset, id: RuleId) -> impl Iterator<Item = (RulebookId, &Read)> {
    let rule = &ruleset.rules[id];
    let own = exprs(rule).into_iter().map(|expr| (rule.rulebook, expr));
    let rulebook = &ruleset.rulebooks[rule.rulebook];
    let when = rulebook.when.iter().map(|expr| (rule.rulebook, expr));
    let kind = rule.kind.map(|kind| &ruleset.kinds[kind]);
    let names = kind.into_iter().flat_map(|kind| {
        let words = kind.name.iter().chain(&kind.group);
        words.map(|expr| (kind.rulebook, expr))
    });
    let edges = ruleset
        .edges
        .iter()
        .filter(move |edge| edge.cause == id || edge.effect == id);
    let conditions = edges.filter_map(|edge| Some((ruleset.rules[edge.written_by].rulebook, edge.condition.as_ref()?)));
    own.chain(when)
        .chain(names)
        .chain(conditions)
        .flat_map(|(by, expr)| expr.script.reads.iter().map(move |read| (by, read)))
}

fn exprs(rule: &Rule) -> Vec<&Expr> {
    let mut exprs: Vec<&Expr> = rule.when.iter().chain(&rule.key).chain(&rule.subject).collect();
    exprs.extend(rule.each.iter().map(|(_, list)| list));
    exprs.extend(worded(&rule.words));
    for clause in &rule.decide {
        exprs.push(&clause.condition);
        exprs.extend(worded(&clause.words));
    }
    exprs
}

fn worded(words: &Wording) -> impl Iterator<Item = &Expr> {
    words.says.iter().chain(words.labels.iter().map(|label| &label.at))
}

/// The probes that a script of a rulebook may read, through all facts.
pub(in crate::case) fn probes(ruleset: &Ruleset, rulebook: RulebookId, expr: &Expr) -> BTreeSet<ProbeId> {
    let symbols = expr
        .script
        .reads
        .iter()
        .filter_map(|read| symbol(ruleset, rulebook, read));
    let probes = symbols.flat_map(|symbol| match symbol {
        Symbol::Probe(probe) => vec![probe],
        Symbol::Fact(fact) => ruleset.facts[fact].needs.clone(),
        Symbol::Rulebook(_) => Vec::new(),
    });
    probes.collect()
}

/// What a name in a script of a rulebook stands for. A name of another finding (`cause.`, `effect.`) is looked up as an own one.
fn symbol(ruleset: &Ruleset, rulebook: RulebookId, read: &Read) -> Option<Symbol> {
    let names = &ruleset.rulebooks[rulebook].names;
    match read.namespace.as_deref() {
        None | Some("before" | "cause" | "effect") => names.get(&read.name).copied(),
        Some(namespace) => match names.get(namespace)? {
            Symbol::Rulebook(used) => ruleset.rulebooks[*used].names.get(&read.name).copied(),
            Symbol::Probe(_) | Symbol::Fact(_) => None,
        },
    }
}
