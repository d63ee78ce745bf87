//! Facts: what they are taken from or derived from, the order that this gives, and the kind of subject that they belong to.

use rhai::Dynamic;

use crate::diagnostic::Problem;
use crate::document::Pattern;
use crate::rulebook::model::{Count, Extract, FactId, FactSource, RulebookId, Symbol};
use crate::rulebook::spec::{self, FactKind, FactSpec, RulebookSpec, Scalar, ScalarKind, Select, Value};
use crate::rulebook::text::Text;

use super::Compiler;

impl Compiler {
    pub(super) fn facts(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        for (name, fact) in &spec.facts {
            let Some(&Symbol::Fact(id)) = self.rulebooks[rulebook].names.get(name.value.as_str()) else {
                continue;
            };
            if let Some(source) = self.source(rulebook, fact) {
                self.facts[id].source = source;
            }
        }
    }

    fn source(&mut self, rulebook: RulebookId, fact: &FactSpec) -> Option<FactSource> {
        Some(match &fact.kind {
            FactKind::From(extract) => FactSource::Extract(self.extract(rulebook, extract)?),
            FactKind::Let { script, over: None } => FactSource::Let(self.script(rulebook, script, &[])?),
            FactKind::Let {
                script,
                over: Some(over),
            } => {
                let kind = self.kind(rulebook, over);
                FactSource::Over {
                    kind: kind?,
                    value: self.script(rulebook, script, &[])?,
                }
            }
            FactKind::Index { list, by } => FactSource::Index {
                of: self.symbol(rulebook, list)?,
                by: by.value.clone(),
            },
            FactKind::Prefer(sources) => {
                let symbols: Vec<Option<Symbol>> = sources.iter().map(|source| self.symbol(rulebook, source)).collect();
                FactSource::Prefer(symbols.into_iter().flatten().collect())
            }
            FactKind::Differ { left, right, by } => {
                // Both must be declared; what compares them is the function of that name.
                self.symbol(rulebook, left)?;
                self.symbol(rulebook, right)?;
                let value = format!("differ({left}, {right}, {:?})", by.value);
                FactSource::Let(self.script(rulebook, &Text { value, ..by.clone() }, &[])?)
            }
        })
    }

    fn extract(&mut self, rulebook: RulebookId, spec: &spec::Extract) -> Option<Extract> {
        let from = self.symbol(rulebook, &spec.from);
        let within = spec.within.as_ref().map(|text| self.path(text));
        let (texts, one) = match &spec.select {
            Select::One(texts) => (texts, true),
            Select::All(texts) => (texts, false),
        };
        let paths: Vec<_> = texts.iter().map(|text| self.path(text)).collect();
        let capture = spec
            .capture
            .as_ref()
            .map(|text| self.pattern(rulebook, text, Pattern::new));
        let count = match (one, spec.first) {
            (false, _) => Count::All,
            (true, true) => Count::First,
            (true, false) => Count::One,
        };
        Some(Extract {
            from: from?,
            within: within.map_or(Some(None), |path| path.map(Some))?,
            paths: paths.into_iter().collect::<Option<_>>()?,
            count,
            default: spec.default.as_ref().map(value),
            capture: capture.map_or(Some(None), |pattern| pattern.map(Some))?,
        })
    }

    /// Finds circles among facts, then gives every fact its kind of subject and the probes below it.
    pub(super) fn fact_kinds(&mut self) {
        let mut states = vec![State::New; self.facts.len()];
        for fact in 0..self.facts.len() {
            self.settle(fact, &mut states, &mut Vec::new());
        }
    }

    fn settle(&mut self, fact: FactId, states: &mut [State], open: &mut Vec<FactId>) {
        match states[fact] {
            State::Done => return,
            State::Open => return self.circle(fact, open),
            State::New => states[fact] = State::Open,
        }
        open.push(fact);
        let sources = self.read_by(fact);
        for source in &sources {
            if let Symbol::Fact(below) = source {
                self.settle(*below, states, open);
            }
        }
        open.pop();
        states[fact] = State::Done;
        let mut needs: Vec<_> = sources.iter().flat_map(|source| self.needs(*source)).collect();
        needs.sort_unstable();
        needs.dedup();
        self.facts[fact].needs = needs;
        if !matches!(self.facts[fact].source, FactSource::Over { .. }) {
            let place = self.facts[fact].place;
            self.facts[fact].kind = self.common_kind(&sources, place);
        }
    }

    fn circle(&mut self, fact: FactId, open: &[FactId]) {
        let place = self.facts[fact].place;
        let from = open.iter().position(|other| *other == fact).unwrap_or(0);
        let names: Vec<&str> = open[from..]
            .iter()
            .chain([&fact])
            .map(|fact| self.facts[*fact].id.as_str())
            .collect();
        let problem = Problem::error(
            "circular-fact",
            place,
            format!("facts depend on each other in a circle: {}", names.join(" → ")),
        );
        self.problems.push(
            problem
                .label("part of the circle")
                .help("derive one of them from evidence instead"),
        );
    }

    fn read_by(&self, fact: FactId) -> Vec<Symbol> {
        let declared = &self.facts[fact];
        match &declared.source {
            FactSource::Extract(extract) => vec![extract.from],
            FactSource::Let(expr) | FactSource::Over { value: expr, .. } => {
                self.symbols_of(declared.rulebook, &expr.script)
            }
            FactSource::Index { of, .. } => vec![*of],
            FactSource::Prefer(sources) => sources.clone(),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// A value as YAML types it.
fn value(value: &Value) -> Dynamic {
    match value {
        Value::Scalar(scalar) => typed(scalar),
        Value::List { items, .. } => items.iter().map(typed).collect::<rhai::Array>().into(),
    }
}

fn typed(scalar: &Scalar) -> Dynamic {
    match scalar.kind {
        ScalarKind::Null => Dynamic::UNIT,
        ScalarKind::Bool(value) => value.into(),
        ScalarKind::Int(value) => value.into(),
        ScalarKind::Float(value) => value.into(),
        ScalarKind::Text => scalar.text.value.clone().into(),
    }
}
