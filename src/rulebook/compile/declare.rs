//! First pass: every name gets its index, so that it may be used before it is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Place, Problem};
use crate::document::Parser;
use crate::engine::MAX_PROBES;
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::model::{Fact, FactSource, Probe, Rulebook, RulebookId, SubjectKind, Symbol};
use crate::rulebook::spec::{ItemId, ProbeSpec, SubjectSpec};
use crate::script::{Limits, ModuleProblem, ModuleText, Scripts};

use super::Compiler;

/// Names that mean something in every script.
const RESERVED: [&str; 5] = ["inputs", "subject", "before", "effect", "cause"];

impl Compiler {
    pub(super) fn declare(&mut self, id: RulebookId, loaded: &LoadedRulebook) {
        let spec = &loaded.spec;
        self.broken
            .extend(loaded.broken.iter().map(|name| (id, name.value.clone())));
        let uses: Vec<RulebookId> = spec
            .uses
            .iter()
            .filter_map(|used| self.rulebooks.iter().position(|r| r.id == used.value))
            .collect();
        let scripts = Arc::new(self.engine(id, &uses, loaded));
        let inputs = self.inputs(&spec.inputs);
        self.rulebooks.push(Rulebook {
            id: spec.rulebook.value.clone(),
            version: spec.version.as_ref().map(|version| version.value.clone()),
            title: spec.title.value.clone(),
            docs: spec.docs.as_ref().map(|docs| docs.value.clone()),
            digest: loaded.digest.clone(),
            when: None,
            when_kind: None,
            inputs,
            names: BTreeMap::new(),
            uses: uses.clone(),
            scripts,
            modules: loaded
                .modules
                .iter()
                .map(|(name, file)| (format!("{}::{name}", spec.rulebook), *file))
                .collect(),
            cases: loaded.cases.clone(),
            shipped: loaded.is_shipped(),
            environment: spec.environment.iter().map(|name| name.value.clone()).collect(),
        });
        let mut places = BTreeMap::new();
        for (used, name) in uses.iter().zip(&spec.uses) {
            self.name(id, name, name.place, Symbol::Rulebook(*used), &mut places);
        }
        for (name, kind) in &spec.subjects {
            self.declare_subject(id, name, kind);
        }
        for (name, probe) in &spec.probes {
            self.declare_probe(id, name, probe, &mut places);
        }
        for (name, fact) in &spec.facts {
            self.name(id, name, name.place, Symbol::Fact(self.facts.len()), &mut places);
            let partial = fact.partial.is_some();
            let source = FactSource::Prefer(Vec::new());
            self.facts.push(Fact {
                id: name.value.clone(),
                rulebook: id,
                kind: None,
                place: name.place,
                partial,
                source,
                needs: Vec::new(),
            });
        }
    }

    /// Gives `name` a meaning in the scripts of a rulebook.
    fn name(
        &mut self,
        rulebook: RulebookId,
        name: &str,
        place: Place,
        symbol: Symbol,
        places: &mut BTreeMap<String, Place>,
    ) {
        if RESERVED.contains(&name) {
            let problem = Problem::error(
                "reserved-name",
                place,
                format!("`{name}` has a meaning of its own in scripts"),
            );
            self.problems
                .push(problem.label("this name").help("choose another name"));
            return;
        }
        if let Some(first) = places.insert(name.to_owned(), place) {
            let problem = Problem::error(
                "duplicate-name",
                place,
                format!("`{name}` stands for two things in scripts"),
            );
            self.problems.push(
                problem
                    .label("here again")
                    .related(first, "first here")
                    .help("probes, facts and used rulebooks share one namespace"),
            );
            return;
        }
        self.rulebooks[rulebook].names.insert(name.to_owned(), symbol);
    }

    fn declare_subject(&mut self, rulebook: RulebookId, name: &ItemId, _: &SubjectSpec) {
        if name.rulebook().is_some() {
            return;
        }
        self.kind_names
            .insert((rulebook, name.item().to_owned()), self.kinds.len());
        let id = name.item().to_owned();
        self.kinds.push(SubjectKind {
            id,
            rulebook,
            places: Vec::new(),
            name: None,
            group: None,
            live: Vec::new(),
        });
    }

    fn declare_probe(
        &mut self,
        rulebook: RulebookId,
        name: &ItemId,
        _: &ProbeSpec,
        places: &mut BTreeMap<String, Place>,
    ) {
        if name.rulebook().is_some() {
            return;
        }
        if self.probes.len() == MAX_PROBES {
            self.error(
                "too-many-probes",
                name.place,
                format!("a run has at most {MAX_PROBES} probes"),
            );
        }
        self.name(
            rulebook,
            name.item(),
            name.place,
            Symbol::Probe(self.probes.len()),
            places,
        );
        self.probes.push(Probe {
            id: name.item().to_owned(),
            rulebook,
            kind: None,
            captured: Vec::new(),
            parser: Parser::default(),
            shape: None,
            clock: Vec::new(),
            ways: Vec::new(),
            again: None,
        });
    }

    /// The script engine of a rulebook, with its modules and those of the rulebooks that it uses.
    fn engine(&mut self, id: RulebookId, uses: &[RulebookId], loaded: &LoadedRulebook) -> Scripts {
        let mut scripts = Scripts::new(&loaded.spec.rulebook, Limits::default());
        for used in uses {
            let used = &self.rulebooks[*used];
            scripts.use_modules(&used.id, &used.scripts);
        }
        let modules = loaded.modules.iter();
        let texts: Vec<ModuleText> = modules
            .map(|(name, file)| ModuleText {
                name,
                text: &self.sources.get(*file).text,
            })
            .collect();
        scripts.add_modules(&texts);
        if !self.trusted.contains(&id) {
            self.check_modules(&scripts, loaded);
        }
        scripts
    }

    fn check_modules(&mut self, scripts: &Scripts, loaded: &LoadedRulebook) {
        for ModuleProblem { module, problem } in scripts.check_modules().err().unwrap_or_default() {
            let Some((_, file)) = loaded.modules.iter().find(|(name, _)| *name == module) else {
                continue;
            };
            let place = Place::new(*file, problem.start, problem.end);
            let located = Problem::error("script", place, problem.message).label("in this module");
            self.problems.push(located.maybe_help(problem.help));
        }
    }
}
