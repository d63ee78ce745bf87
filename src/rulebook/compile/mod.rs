//! From rulebooks as written to rulebooks as evaluated: every name is resolved, every path, pattern and script parsed, and
//! every problem of all rulebooks is reported at once.

mod declare;
mod edges;
mod facts;
mod guides;
mod inputs;
mod live;
mod order;
mod parsers;
mod parts;
mod paths;
mod probes;
mod question;
mod rules;
mod scripts;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Place, Problem, Problems, Sources, meant, quoted};

use super::load::{Loaded, LoadedRulebook, Origin};
use super::model::{Fact, KindId, Probe, ProbeId, Rule, Rulebook, RulebookId, Ruleset, SubjectKind, Symbol};
use super::spec::{ItemId, RulebookSpec};

pub use inputs::parse_input;
pub use parts::{Part, Parts, parts};
pub use question::{Question, Revision, question, revised};
pub use rules::severity;

/// Compiles loaded rulebooks together. Problems of the load itself are among those returned.
///
/// The ruleset is there if no problem is an error.
pub fn compile(loaded: Loaded) -> (Option<Ruleset>, Problems, Sources) {
    let (ruleset, _, problems, sources) = compile_keeping(loaded);
    (ruleset, problems, sources)
}

/// Compiles as [`compile`] does, and keeps the rulebooks as written, in the order of the ruleset.
pub fn compile_keeping(loaded: Loaded) -> Kept {
    compile_trusting(loaded, |_| false)
}

/// Compiles as [`compile`] does, but takes the rulebooks of the binary for right, as tests have shown them to be: their scripts and paths
/// are read when a run first uses them, and most runs use few.
pub fn compile_for_run(loaded: Loaded) -> (Option<Ruleset>, Problems, Sources) {
    let (ruleset, _, problems, sources) = compile_trusting(loaded, |rulebook| rulebook.origin == Origin::Embedded);
    (ruleset, problems, sources)
}

/// A ruleset with the rulebooks that it was compiled from.
type Kept = (Option<Ruleset>, Vec<LoadedRulebook>, Problems, Sources);

fn compile_trusting(loaded: Loaded, trusted: impl Fn(&LoadedRulebook) -> bool) -> Kept {
    let Loaded {
        rulebooks,
        sources,
        problems,
    } = loaded;
    let mut compiler = Compiler {
        sources,
        problems,
        ..Compiler::default()
    };
    let written = order::by_use(rulebooks, &mut compiler.problems);
    compiler.trusted = (0..)
        .zip(&written)
        .filter(|(_, rulebook)| trusted(rulebook))
        .map(|(id, _)| id)
        .collect();
    compiler.all(&written);
    let Compiler {
        sources,
        mut problems,
        rulebooks,
        kinds,
        probes,
        facts,
        rules,
        edges,
        secrets,
        guides,
        ..
    } = compiler;
    problems.sort();
    if problems.has_errors() {
        return (None, written, problems, sources);
    }
    let ruleset = Ruleset {
        rulebooks,
        kinds,
        probes,
        facts,
        rules,
        edges,
        secrets,
        guides,
        sources: sources.clone(),
    };
    (Some(ruleset), written, problems, sources)
}

/// What the compilation has come to.
#[derive(Default)]
struct Compiler {
    sources: Sources,
    problems: Problems,
    rulebooks: Vec<Rulebook>,
    kinds: Vec<SubjectKind>,
    probes: Vec<Probe>,
    facts: Vec<Fact>,
    rules: Vec<Rule>,
    edges: Vec<super::model::Edge>,
    secrets: crate::redact::Rules,
    guides: Vec<super::model::Guide>,
    /// Kinds of subjects by rulebook and name.
    kind_names: BTreeMap<(RulebookId, String), KindId>,
    /// JSONPaths by their text.
    parsed: paths::Parsed,
    /// Rulebooks that are taken for right.
    trusted: BTreeSet<RulebookId>,
    /// Names whose declaration could not be read: to use them is no further problem.
    broken: BTreeSet<(RulebookId, String)>,
}

impl Compiler {
    fn all(&mut self, loaded: &[LoadedRulebook]) {
        self.parsed = paths::parse_all(loaded, &self.trusted);
        for (id, rulebook) in loaded.iter().enumerate() {
            self.declare(id, rulebook);
        }
        for (id, rulebook) in loaded.iter().enumerate() {
            self.subjects(id, &rulebook.spec);
            self.probes(id, &rulebook.spec);
            self.facts(id, &rulebook.spec);
            self.secrets(&rulebook.spec);
        }
        self.fact_kinds();
        self.live(loaded);
        for (id, rulebook) in loaded.iter().enumerate() {
            self.when(id, &rulebook.spec);
            self.rules(id, &rulebook.spec);
        }
        self.edges(loaded);
        for (id, rulebook) in loaded.iter().enumerate() {
            self.guides(id, &rulebook.spec);
        }
    }

    /// What a rulebook takes for secret.
    fn secrets(&mut self, spec: &RulebookSpec) {
        let Some(redact) = &spec.redact else { return };
        let (rules, wrong) = crate::redact::Rules::of(redact);
        for (text, wrong) in wrong {
            self.problems.push(wrong.problem(text, &self.sources));
        }
        self.secrets.add(&rules);
    }

    fn error(&mut self, code: &'static str, place: Place, message: impl Into<String>) {
        self.problems.push(Problem::error(code, place, message));
    }

    /// The symbol that `name` stands for in `rulebook`; a problem where there is none.
    fn symbol(&mut self, rulebook: RulebookId, id: &ItemId) -> Option<Symbol> {
        let owner = match id.rulebook() {
            None => rulebook,
            Some(other) => self.used(rulebook, id, other)?,
        };
        let found = self.rulebooks[owner].names.get(id.item()).copied();
        if found.is_none() && !self.broken.contains(&(owner, id.item().to_owned())) {
            let names = self.rulebooks[owner].names.keys().map(String::as_str);
            let nearest = meant(id.item(), names);
            let problem = Problem::error(
                "unknown-name",
                id.place,
                format!("there is no probe or fact {}", quoted(id)),
            );
            let declare = "declare it under `probes:` or `facts:`".to_owned();
            self.problems
                .push(problem.label("not declared").help(nearest.unwrap_or(declare)));
        }
        found
    }

    /// The used rulebook that an id names before its dot.
    fn used(&mut self, rulebook: RulebookId, id: &ItemId, other: &str) -> Option<RulebookId> {
        match self.rulebooks[rulebook].names.get(other) {
            Some(Symbol::Rulebook(owner)) => Some(*owner),
            _ => {
                let uses = self.rulebooks[rulebook]
                    .uses
                    .iter()
                    .map(|used| self.rulebooks[*used].id.clone())
                    .collect::<Vec<_>>();
                let nearest = meant(other, uses.iter().map(String::as_str));
                let problem = Problem::error(
                    "unknown-rulebook",
                    id.place,
                    format!("this rulebook does not use `{other}`"),
                );
                let add = format!("add `uses: [{other}]`");
                self.problems
                    .push(problem.label("not under `uses`").help(nearest.unwrap_or(add)));
                None
            }
        }
    }

    /// The kind of subject that `id` names; a problem where there is none.
    fn kind(&mut self, rulebook: RulebookId, id: &ItemId) -> Option<KindId> {
        let owner = match id.rulebook() {
            None => rulebook,
            Some(other) => self.used(rulebook, id, other)?,
        };
        let found = self.kind_names.get(&(owner, id.item().to_owned())).copied();
        if found.is_none() && !self.broken.contains(&(owner, id.item().to_owned())) {
            let names = self
                .kind_names
                .keys()
                .filter(|(rulebook, _)| *rulebook == owner)
                .map(|(_, name)| name.as_str());
            let nearest = meant(id.item(), names);
            let problem = Problem::error(
                "unknown-subject",
                id.place,
                format!("there is no kind of subject {}", quoted(id)),
            );
            self.problems.push(
                problem
                    .label("not declared")
                    .help(nearest.unwrap_or("declare it under `subjects:`".into())),
            );
        }
        found
    }

    /// The probes below a symbol.
    fn needs(&self, symbol: Symbol) -> Vec<ProbeId> {
        match symbol {
            Symbol::Probe(probe) => vec![probe],
            Symbol::Fact(fact) => self.facts[fact].needs.clone(),
            Symbol::Rulebook(_) => Vec::new(),
        }
    }

    /// The kind of subject that a symbol belongs to.
    fn kind_of(&self, symbol: Symbol) -> Option<KindId> {
        match symbol {
            Symbol::Probe(probe) => self.probes[probe].kind,
            Symbol::Fact(fact) => self.facts[fact].kind,
            Symbol::Rulebook(_) => None,
        }
    }

    /// The one kind that symbols belong to; a problem at `place` where there are two.
    fn common_kind(&mut self, symbols: &[Symbol], place: Place) -> Option<KindId> {
        let kinds: BTreeSet<KindId> = symbols.iter().filter_map(|symbol| self.kind_of(*symbol)).collect();
        if kinds.len() > 1 {
            let names: Vec<String> = kinds.iter().map(|kind| format!("`{}`", self.kinds[*kind].id)).collect();
            let problem = Problem::error(
                "mixed-subjects",
                place,
                format!("facts of {} meet here", names.join(" and ")),
            );
            self.problems.push(
                problem
                    .label("facts of two kinds")
                    .help("bring them together with a fact `over:` one of the kinds"),
            );
        }
        kinds.into_iter().next()
    }
}
