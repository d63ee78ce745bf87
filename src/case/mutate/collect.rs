//! The mutants of rulebooks: every change of what decides, as far as it is still a rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::engine::Variant;
use crate::path::Path;
use crate::rulebook::compile::{Revision, parse_input, revised};
use crate::rulebook::model::{
    Edge, Expr, Fact, FactId, FactSource, InputKind, Rule, RuleId, RulebookId, Ruleset, Symbol,
};
use crate::rulebook::spec::{CheckSpec, Extract, FactKind, FactSpec, RuleSpec, RulebookSpec, Script, Select, Value};
use crate::rulebook::text::Text;

use super::edit::{self, Edit};
use super::effects::{self, Effects};
use super::{Change, Mutant, Owner, path};
use crate::case::Selection;

/// The mutants of all rules of these rulebooks that are selected, in the order of the files.
pub fn collect(ruleset: &mut Ruleset, specs: &[RulebookSpec], selection: &Selection) -> Vec<Mutant> {
    let mut collector = Collector {
        ruleset,
        mutants: Vec::new(),
        open: Vec::new(),
        effects: BTreeMap::new(),
    };
    for spec in specs {
        let found = collector
            .ruleset
            .rulebooks
            .iter()
            .position(|rulebook| rulebook.id == spec.rulebook.value);
        if let Some(rulebook) = found {
            collector.rulebook(rulebook, spec);
        }
    }
    let open = std::mem::take(&mut collector.open);
    let mut mutants = collector.mutants;
    mutants.extend(compiled(ruleset, open));
    let selected = |rule: &RuleId| selection.rule(ruleset, *rule);
    mutants.retain(|mutant| mutant.rules.iter().any(selected));
    mutants.sort_by_key(|mutant| (mutant.place, mutant.change));
    mutants
}

/// A script in a ruleset.
#[derive(Debug, Clone, Copy)]
enum Site {
    RulebookWhen(RulebookId),
    When(RuleId),
    Each(RuleId, usize),
    Clause(RuleId, usize),
    Fact(FactId),
    Edge(usize),
}

struct Collector<'r> {
    ruleset: &'r Ruleset,
    mutants: Vec<Mutant>,
    /// Mutants whose script is still to be compiled.
    open: Vec<(Site, Revision, Mutant)>,
    effects: BTreeMap<Owner, Effects>,
}

/// What a mutant belongs to, and where that is named.
struct Entry {
    owner: Owner,
    place: Place,
}

impl Collector<'_> {
    fn rulebook(&mut self, id: RulebookId, spec: &RulebookSpec) {
        if let Some(when) = &spec.when {
            let entry = Entry {
                owner: Owner::Rulebook(id),
                place: when.place,
            };
            self.scripts(&entry, when, Site::RulebookWhen(id), &[], false);
            let mut variant = self.variant(&entry);
            variant.when = Some((id, None));
            self.ready(
                &entry,
                Change::DropWhen,
                when,
                None,
                "`when` is left out".into(),
                variant,
            );
        }
        for (name, input) in &spec.inputs {
            let entry = Entry {
                owner: Owner::Input(id, name.value.clone()),
                place: name.place,
            };
            if let Some(Value::Scalar(default)) = &input.default {
                self.default(id, &entry, name, &default.text);
            }
        }
        self.shapes(id, spec);
        for (name, fact) in &spec.facts {
            if let Some(&Symbol::Fact(fact_id)) = self.ruleset.rulebooks[id].names.get(name.value.as_str()) {
                let entry = Entry {
                    owner: Owner::Fact(fact_id),
                    place: name.place,
                };
                self.fact(fact_id, &entry, fact);
            }
        }
        for (name, rule) in &spec.rules {
            let own = |declared: &Rule| declared.rulebook == id && declared.id == name.value;
            if let Some(rule_id) = self.ruleset.rules.iter().position(own) {
                let entry = Entry {
                    owner: Owner::Rule(rule_id),
                    place: name.place,
                };
                self.rule(rule_id, &entry, rule);
            }
        }
    }

    /// The shapes of probes.
    fn shapes(&mut self, id: RulebookId, spec: &RulebookSpec) {
        for (name, probe) in &spec.probes {
            let symbol = self.ruleset.rulebooks[id].names.get(name.value.as_str());
            if let (Some(&Symbol::Probe(probe_id)), Some(shape)) = (symbol, &probe.shape) {
                let entry = Entry {
                    owner: Owner::Probe(probe_id),
                    place: name.place,
                };
                let mut variant = self.variant(&entry);
                variant.shapeless = Some(probe_id);
                let told = "the shape is left out".to_owned();
                self.ready(&entry, Change::DropShape, shape, None, told, variant);
            }
        }
    }

    /// A variant that changes nothing yet.
    fn variant(&mut self, entry: &Entry) -> Variant {
        Variant {
            changed: Arc::clone(&self.effects(entry).facts),
            ..Variant::default()
        }
    }

    fn effects(&mut self, entry: &Entry) -> &Effects {
        let ruleset = self.ruleset;
        let effects = self.effects.entry(entry.owner.clone());
        effects.or_insert_with(|| effects::of(ruleset, &entry.owner))
    }

    fn mutant(
        &mut self,
        entry: &Entry,
        change: Change,
        text: &Text,
        edit: Option<&Edit>,
        told: String,
        variant: Variant,
    ) -> Mutant {
        let sources = &self.ruleset.sources;
        let place = edit.map_or(text.place, |edit| text.place_of(sources, edit.range.clone()));
        Mutant {
            owner: entry.owner.clone(),
            change,
            place,
            scalar: text.place,
            entry: entry.place,
            told,
            rules: self.effects(entry).rules.clone(),
            variant,
        }
    }

    fn ready(
        &mut self,
        entry: &Entry,
        change: Change,
        text: &Text,
        edit: Option<&Edit>,
        told: String,
        variant: Variant,
    ) {
        let mutant = self.mutant(entry, change, text, edit, told, variant);
        self.mutants.push(mutant);
    }

    /// The changes of a script; `whole` where it is a condition that can be negated as a whole.
    fn scripts(&mut self, entry: &Entry, text: &Script, site: Site, locals: &[String], whole: bool) {
        for edit in edit::of_script(text, whole) {
            let told = match edit.change {
                Change::Negate => "the condition is negated".into(),
                _ => edit.told(text),
            };
            let variant = self.variant(entry);
            let mutant = self.mutant(entry, edit.change, text, Some(&edit), told, variant);
            let revision = Revision {
                rulebook: rulebook_of(self.ruleset, site),
                text: Text {
                    value: edit.apply(text),
                    ..text.clone()
                },
                locals: locals.to_vec(),
                other: match site {
                    Site::Edge(edge) => Some(self.ruleset.edges[edge].other()),
                    _ => None,
                },
            };
            self.open.push((site, revision, mutant));
        }
    }

    fn default(&mut self, rulebook: RulebookId, entry: &Entry, name: &str, text: &Text) {
        let Some(kind) = self.ruleset.rulebooks[rulebook]
            .inputs
            .get(name)
            .map(|input| input.kind)
        else {
            return;
        };
        let others = match kind {
            InputKind::Int | InputKind::Number => edit::number(text),
            InputKind::Duration => edit::duration(text),
            InputKind::Version => edit::version(text),
            InputKind::Text | InputKind::Bool | InputKind::List => Vec::new(),
        };
        for other in others {
            if let Ok(value) = parse_input(kind, &other) {
                let mut variant = self.variant(entry);
                variant.input = Some((rulebook, name.to_owned(), value));
                let told = format!("`{text}` becomes `{other}`");
                self.ready(entry, Change::ShiftThreshold, text, None, told, variant);
            }
        }
    }

    fn fact(&mut self, id: FactId, entry: &Entry, spec: &FactSpec) {
        match &spec.kind {
            FactKind::From(extract) => self.extract(id, entry, extract),
            FactKind::Let { script, .. } => self.scripts(entry, script, Site::Fact(id), &[], false),
            FactKind::Prefer(sources) if sources.len() > 1 => {
                for (at, source) in sources.iter().enumerate() {
                    let without = |fact: &mut Fact| {
                        if let FactSource::Prefer(symbols) = &mut fact.source {
                            symbols.remove(at);
                        }
                    };
                    let told = format!("the source `{source}` is left out");
                    self.changed_fact(id, entry, Change::DropPath, source, None, told, without);
                }
            }
            FactKind::Prefer(_) | FactKind::Index { .. } | FactKind::Differ { .. } => {}
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn changed_fact(
        &mut self,
        id: FactId,
        entry: &Entry,
        change: Change,
        text: &Text,
        edit: Option<&Edit>,
        told: String,
        alter: impl FnOnce(&mut Fact),
    ) {
        let mut fact = self.ruleset.facts[id].clone();
        alter(&mut fact);
        let mut variant = self.variant(entry);
        variant.fact = Some((id, Arc::new(fact)));
        self.ready(entry, change, text, edit, told, variant);
    }

    fn extract(&mut self, id: FactId, entry: &Entry, spec: &Extract) {
        if let Some(within) = &spec.within {
            for (edit, path) in paths(within) {
                let alter = |extract: &mut crate::rulebook::model::Extract| extract.within = Some(path);
                self.changed_extract(id, entry, within, &edit, alter);
            }
        }
        let (Select::One(texts) | Select::All(texts)) = &spec.select;
        for (at, text) in texts.iter().enumerate() {
            for (edit, path) in paths(text) {
                self.changed_extract(id, entry, text, &edit, |extract| extract.paths[at] = path);
            }
            if texts.len() > 1 {
                let whole = Edit {
                    change: Change::DropPath,
                    range: 0..text.value.len(),
                    with: String::new(),
                };
                self.changed_extract(id, entry, text, &whole, |extract| {
                    extract.paths.remove(at);
                });
            }
        }
    }

    fn changed_extract(
        &mut self,
        id: FactId,
        entry: &Entry,
        text: &Text,
        edit: &Edit,
        alter: impl FnOnce(&mut crate::rulebook::model::Extract),
    ) {
        let alter = |fact: &mut Fact| {
            if let FactSource::Extract(extract) = &mut fact.source {
                alter(extract);
            }
        };
        self.changed_fact(id, entry, edit.change, text, Some(edit), edit.told(text), alter);
    }

    fn rule(&mut self, id: RuleId, entry: &Entry, spec: &RuleSpec) {
        if let Some(when) = &spec.when {
            self.scripts(entry, when, Site::When(id), &[], false);
            let told = "`when` is left out".to_owned();
            self.changed_rule(id, entry, Change::DropWhen, when, told, |rule| rule.when = None);
        }
        let mut locals = Vec::new();
        let forbidden = match &spec.check {
            CheckSpec::Forbid(lists) => Some(lists),
            _ => None,
        };
        for (at, (local, list)) in spec.each.iter().chain(forbidden.into_iter().flatten()).enumerate() {
            self.scripts(entry, list, Site::Each(id, at), &locals, false);
            locals.push(local.value.clone());
        }
        match &spec.check {
            CheckSpec::Expect(condition) => self.scripts(entry, condition, Site::Clause(id, 0), &locals, true),
            CheckSpec::Forbid(lists) => {
                if let Some((_, list)) = lists.first() {
                    self.nothing_forbidden(id, entry, list, &locals);
                }
            }
            CheckSpec::Decide(clauses) => {
                for (at, clause) in clauses.iter().enumerate() {
                    let condition = clause.verdict.condition();
                    self.scripts(entry, condition, Site::Clause(id, at), &locals, true);
                    let told = "the clause is left out".to_owned();
                    self.changed_rule(id, entry, Change::DropClause, condition, told, |rule| {
                        rule.decide.remove(at);
                    });
                }
            }
        }
        self.edges(id, entry, spec, &locals);
    }

    /// The conditions under which a rule explains others, or they it.
    fn edges(&mut self, id: RuleId, entry: &Entry, spec: &RuleSpec, locals: &[String]) {
        let conditions = spec.explains.values().chain(spec.explained_by.values());
        for condition in conditions.flatten() {
            let own = |edge: &Edge| edge.written_by == id && edge.place() == Some(condition.place);
            // What it names may not be part of this run.
            let Some(edge) = self.ruleset.edges.iter().position(own) else {
                continue;
            };
            let entry = Entry {
                owner: Owner::Edge(edge),
                place: entry.place,
            };
            self.scripts(&entry, condition, Site::Edge(edge), locals, true);
            let mut variant = self.variant(&entry);
            variant.edge = Some((condition.place, None));
            let told = "the condition is left out".to_owned();
            self.ready(&entry, Change::DropCondition, condition, None, told, variant);
        }
    }

    /// A `forbid` negated: its list is empty.
    fn nothing_forbidden(&mut self, id: RuleId, entry: &Entry, list: &Text, locals: &[String]) {
        let variant = self.variant(entry);
        let told = "nothing is forbidden".to_owned();
        let mutant = self.mutant(entry, Change::Negate, list, None, told, variant);
        let revision = Revision {
            rulebook: self.ruleset.rules[id].rulebook,
            text: Text {
                value: format!("({}).filter(|item| false)", list.value.trim_end()),
                ..list.clone()
            },
            locals: locals.to_vec(),
            other: None,
        };
        self.open.push((Site::Each(id, 0), revision, mutant));
    }

    fn changed_rule(
        &mut self,
        id: RuleId,
        entry: &Entry,
        change: Change,
        text: &Text,
        told: String,
        alter: impl FnOnce(&mut Rule),
    ) {
        let mut rule = self.ruleset.rules[id].clone();
        alter(&mut rule);
        let mut variant = self.variant(entry);
        variant.rule = Some((id, Arc::new(rule)));
        self.ready(entry, change, text, None, told, variant);
    }
}

/// The changes of a JSONPath that can be read.
fn paths(text: &Text) -> Vec<(Edit, Path)> {
    let edits = path::of_path(text).into_iter();
    edits
        .filter_map(|edit| {
            let path = Path::parse(&edit.apply(text)).ok()?;
            Some((edit, path))
        })
        .collect()
}

fn rulebook_of(ruleset: &Ruleset, site: Site) -> RulebookId {
    match site {
        Site::RulebookWhen(rulebook) => rulebook,
        Site::When(rule) | Site::Each(rule, _) | Site::Clause(rule, _) => ruleset.rules[rule].rulebook,
        Site::Fact(fact) => ruleset.facts[fact].rulebook,
        Site::Edge(edge) => ruleset.rules[ruleset.edges[edge].written_by].rulebook,
    }
}

/// Compiles the scripts of mutants; those that are none any more are left out.
fn compiled(ruleset: &mut Ruleset, open: Vec<(Site, Revision, Mutant)>) -> Vec<Mutant> {
    let revisions: Vec<Revision> = open.iter().map(|(_, revision, _)| revision.clone()).collect();
    let exprs = revised(ruleset, &revisions);
    let open = open.into_iter().zip(exprs);
    open.filter_map(|((site, _, mut mutant), expr)| {
        put(ruleset, site, expr?, &mut mutant.variant);
        Some(mutant)
    })
    .collect()
}

/// Puts a script in the place of another.
fn put(ruleset: &Ruleset, site: Site, expr: Expr, variant: &mut Variant) {
    let changed = |id: RuleId, alter: &dyn Fn(&mut Rule, Expr)| {
        let mut rule = ruleset.rules[id].clone();
        alter(&mut rule, expr.clone());
        Some((id, Arc::new(rule)))
    };
    match site {
        Site::RulebookWhen(rulebook) => variant.when = Some((rulebook, Some(expr))),
        Site::When(id) => variant.rule = changed(id, &|rule, expr| rule.when = Some(expr)),
        Site::Edge(edge) => variant.edge = ruleset.edges[edge].place().map(|place| (place, Some(expr))),
        Site::Each(id, at) => variant.rule = changed(id, &|rule, expr| rule.each[at].1 = expr),
        Site::Clause(id, at) => variant.rule = changed(id, &|rule, expr| rule.decide[at].condition = expr),
        Site::Fact(id) => {
            let mut fact = ruleset.facts[id].clone();
            if let FactSource::Let(old) | FactSource::Over { value: old, .. } = &mut fact.source {
                *old = expr;
            }
            variant.fact = Some((id, Arc::new(fact)));
        }
    }
}
