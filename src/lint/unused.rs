//! What is declared and never used.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{FileId, Place, Problem};
use crate::rulebook::model::{self, Expr, FactSource, Rule, RulebookId, Ruleset, Symbol, Wording};
use crate::rulebook::spec::{ItemId, SnakeId};

use super::{Book, found};

/// `unused-fact`: nothing reads it.
pub(super) fn facts(book: &Book<'_>) -> Vec<Problem> {
    let used = Used::of(book);
    let unused = book.loaded.spec.facts.keys().filter(|id| !used.name(&id.value));
    let problem = |id: &SnakeId| found(id.place, format!("nothing reads the fact `{id}`")).label("never used");
    unused
        .map(|id| problem(id).help("use it in a rule, or remove it"))
        .collect()
}

/// `unused-probe`: nothing reads what it gathers.
pub(super) fn probes(book: &Book<'_>) -> Vec<Problem> {
    let used = Used::of(book);
    // One that tells times is of use by them: the capture was not before.
    let own = book
        .loaded
        .spec
        .probes
        .iter()
        .filter(|(id, probe)| id.rulebook().is_none() && probe.clock.is_empty());
    let unused = own.filter(|(id, _)| !used.name(id.item()));
    let problem =
        |id: &ItemId| found(id.place, format!("nothing reads what the probe `{id}` gathers")).label("never used");
    unused
        .map(|(id, _)| problem(id).help("take a fact from it, or remove it"))
        .collect()
}

/// `unused-input`: setting it changes nothing.
pub(super) fn inputs(book: &Book<'_>) -> Vec<Problem> {
    let sources = &book.ruleset.sources;
    let texts = book.loaded.files.iter().map(|file| sources.get(*file).text.as_str());
    let read: BTreeSet<String> = texts.flat_map(dotted).collect();
    let unused = book
        .loaded
        .spec
        .inputs
        .keys()
        .filter(|id| !read.contains(&format!("inputs.{id}")));
    let problem = |id: &SnakeId| found(id.place, format!("nothing reads the input `{id}`")).label("never used");
    unused
        .map(|id| problem(id).help("read it as `inputs.` and its name, or remove it"))
        .collect()
}

/// Names of a rulebook that something reads.
struct Used {
    names: BTreeSet<String>,
}

impl Used {
    fn of(book: &Book<'_>) -> Used {
        let own = &book.ruleset.rulebooks[book.id];
        let symbols = read(book.ruleset);
        let declared = own
            .names
            .iter()
            .filter(|(_, symbol)| symbols.contains_key(&index(**symbol)));
        let mut names: BTreeSet<String> = declared.map(|(name, _)| name.clone()).collect();
        names.extend(loosely(book));
        names.extend(abroad(book, &own.id));
        Used { names }
    }

    fn name(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// A number that tells symbols apart.
fn index(symbol: Symbol) -> (u8, usize) {
    match symbol {
        Symbol::Probe(probe) => (0, probe),
        Symbol::Fact(fact) => (1, fact),
        Symbol::Rulebook(rulebook) => (2, rulebook),
    }
}

/// All that the scripts, templates and facts of a ruleset read.
fn read(ruleset: &Ruleset) -> BTreeMap<(u8, usize), ()> {
    let mut symbols = Vec::new();
    for fact in &ruleset.facts {
        match &fact.source {
            FactSource::Extract(extract) => symbols.push(extract.from),
            FactSource::Index { of, .. } => symbols.push(*of),
            FactSource::Prefer(sources) => symbols.extend(sources),
            FactSource::Let(_) | FactSource::Over { .. } => {}
        }
    }
    for (rulebook, expr) in scripts(ruleset) {
        let reads = expr.script.reads.iter();
        symbols.extend(reads.filter_map(|read| model::symbol(&ruleset.rulebooks, rulebook, read)));
    }
    for edge in &ruleset.edges {
        let other = if edge.written_by == edge.cause {
            edge.effect
        } else {
            edge.cause
        };
        let names = &ruleset.rulebooks[ruleset.rules[other].rulebook].names;
        let reads = edge.condition.iter().flat_map(|condition| &condition.script.reads);
        symbols.extend(reads.filter_map(|read| names.get(read.name.as_str())));
    }
    symbols.into_iter().map(|symbol| (index(symbol), ())).collect()
}

/// Every script and template, with the rulebook whose names it uses.
fn scripts(ruleset: &Ruleset) -> Vec<(RulebookId, &Expr)> {
    let mut all = Vec::new();
    for (id, rulebook) in ruleset.rulebooks.iter().enumerate() {
        all.extend(rulebook.when.iter().map(|expr| (id, expr)));
    }
    for kind in &ruleset.kinds {
        all.extend(kind.name.iter().chain(&kind.group).map(|expr| (kind.rulebook, expr)));
        for fan in &kind.live {
            let exprs = fan.each.iter().chain(&fan.names);
            all.extend(exprs.map(|(_, expr)| (fan.rulebook, expr)));
        }
    }
    for way in ruleset.probes.iter().flat_map(|probe| &probe.ways) {
        all.extend(way.action.words().into_iter().map(|expr| (way.rulebook, expr)));
    }
    for fact in &ruleset.facts {
        if let FactSource::Let(expr) | FactSource::Over { value: expr, .. } = &fact.source {
            all.push((fact.rulebook, expr));
        }
    }
    for rule in &ruleset.rules {
        all.extend(of_rule(rule).map(|expr| (rule.rulebook, expr)));
    }
    for edge in &ruleset.edges {
        let rulebook = ruleset.rules[edge.written_by].rulebook;
        all.extend(edge.condition.iter().map(|expr| (rulebook, expr)));
    }
    all
}

fn of_rule(rule: &Rule) -> impl Iterator<Item = &Expr> {
    let conditions = rule.decide.iter().map(|clause| &clause.condition);
    let words = rule.decide.iter().map(|clause| &clause.words).chain([&rule.words]);
    let lists = rule.each.iter().map(|(_, list)| list);
    let optional = rule.when.iter().chain(&rule.key).chain(&rule.subject);
    conditions.chain(words.flat_map(of_words)).chain(lists).chain(optional)
}

fn of_words(words: &Wording) -> impl Iterator<Item = &Expr> {
    let labels = words
        .labels
        .iter()
        .flat_map(|label| [&label.at].into_iter().chain(&label.says));
    let commands = words.looks.iter().chain(&words.fixes).flatten();
    labels.chain(commands).chain(&words.says).chain(&words.help)
}

/// Words in the sections that say how subjects are found and what is shown, whether they are names or not.
fn loosely(book: &Book<'_>) -> Vec<String> {
    let spec = &book.loaded.spec;
    let live = spec
        .subjects
        .values()
        .filter_map(|subject| subject.live.as_ref())
        .map(|live| live.place);
    let places = live
        .chain(spec.views.values().map(|view| view.place))
        .chain(spec.guides.values().map(|guide| guide.place));
    let text = |place: Place| book.ruleset.sources.text(place);
    places
        .flat_map(|place| text(place).split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .map(str::to_owned)
        .collect()
}

/// Names that rulebooks read which lie beside, and are no part of this run, or which show them in views and guides.
fn abroad(book: &Book<'_>, id: &str) -> Vec<String> {
    let beside = book.beside.sources.files().map(|(_, file)| file.text.as_str());
    let own: &[FileId] = &book.loaded.files;
    let run = book
        .ruleset
        .sources
        .files()
        .filter(|(file, _)| !own.contains(file))
        .map(|(_, file)| file.text.as_str());
    let names = beside.chain(run).flat_map(dotted);
    names
        .filter_map(|name| name.strip_prefix(id)?.strip_prefix('.').map(str::to_owned))
        .collect()
}

/// The pairs `a.b` of names in a text.
fn dotted(text: &str) -> impl Iterator<Item = String> + '_ {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    runs.flat_map(|run| {
        let names: Vec<&str> = run.split('.').collect();
        names.windows(2).map(|pair| pair.join(".")).collect::<Vec<_>>()
    })
}
