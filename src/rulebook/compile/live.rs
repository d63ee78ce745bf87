//! Live probes, once all facts are known: what they may read, in which order they can be had, and the names that they get in a bundle.

use std::collections::BTreeSet;

use crate::diagnostic::{Place, Problem, quoted};
use crate::document::Parser;
use crate::probe::Action;
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::model::{Captured, KindId, ProbeId, RulebookId, Symbol, Words};

use super::Compiler;

impl Compiler {
    pub(super) fn live(&mut self, loaded: &[LoadedRulebook]) {
        for (id, rulebook) in loaded.iter().enumerate() {
            for (name, _) in &rulebook.spec.probes {
                if let Some(Symbol::Probe(probe)) = self.symbol_known(id, name) {
                    self.check_ways(id, probe);
                    self.check_order(probe, name.place);
                }
            }
        }
        for kind in 0..self.kinds.len() {
            self.check_fan_outs(kind);
        }
        for probe in 0..self.probes.len() {
            self.name_live_only(probe);
        }
    }

    fn symbol_known(&self, rulebook: RulebookId, id: &crate::rulebook::spec::ItemId) -> Option<Symbol> {
        let owner = match id.rulebook() {
            None => rulebook,
            Some(other) => match self.rulebooks[rulebook].names.get(other)? {
                Symbol::Rulebook(owner) => *owner,
                _ => return None,
            },
        };
        self.rulebooks[owner].names.get(id.item()).copied()
    }

    /// Reports ways that a rulebook tells which read what they cannot.
    fn check_ways(&mut self, rulebook: RulebookId, probe: ProbeId) {
        let kind = self.probes[probe].kind;
        let mut problems = Vec::new();
        for way in self.probes[probe].ways.iter().filter(|way| way.rulebook == rulebook) {
            for words in way.action.words() {
                problems.extend(self.strange(rulebook, kind, words));
            }
            if let Action::Exec(exec) = &way.action {
                problems.extend(exec.argv.first().and_then(|program| self.program(rulebook, program)));
            }
        }
        problems.into_iter().for_each(|problem| self.problems.push(problem));
    }

    /// Words of a probe that read facts of another kind of subject than the probe's.
    fn strange(&self, rulebook: RulebookId, kind: Option<KindId>, words: &Words) -> Option<Problem> {
        let symbols = self.symbols_of(rulebook, &words.script);
        let mut kinds = symbols.iter().filter_map(|symbol| self.kind_of(*symbol));
        let other = kinds.find(|other| Some(*other) != kind)?;
        let message = format!(
            "this reads facts of `{}`, which the probe is not `per`",
            self.kinds[other].id
        );
        let problem = Problem::error("mixed-subjects", words.text.place, message);
        Some(
            problem
                .label("here")
                .help("read facts of the bundle as a whole, or of the probe's own subject"),
        )
    }

    /// A program that evidence would choose.
    fn program(&self, rulebook: RulebookId, program: &Words) -> Option<Problem> {
        let reads = self.symbols_of(rulebook, &program.script);
        let of_subject = program
            .script
            .reads
            .iter()
            .any(|read| read.namespace.as_deref() == Some("subject"));
        let message = "evidence may not choose the program that is run";
        (!reads.is_empty() || of_subject).then(|| {
            let problem = Problem::error("program-from-evidence", program.text.place, message);
            problem
                .label("read from evidence")
                .help("write the program out, or make it an input")
        })
    }

    /// Reports a probe that cannot be had before itself.
    fn check_order(&mut self, probe: ProbeId, place: Place) {
        let mut seen = BTreeSet::new();
        let mut next = self.before(probe);
        while let Some(below) = next.pop() {
            if below == probe {
                let message = format!("{} needs evidence of itself to be had", quoted(&self.probes[probe].id));
                let problem = Problem::error("circular-probe", place, message);
                let help = "let its words, or what lists its subjects, read other evidence";
                self.problems.push(problem.label("part of a circle").help(help));
                return;
            }
            if seen.insert(below) {
                next.extend(self.before(below));
            }
        }
    }

    /// The probes whose evidence must be there before a probe can be run.
    fn before(&self, probe: ProbeId) -> Vec<ProbeId> {
        let declared = &self.probes[probe];
        let ways = declared.ways.iter();
        let words = ways.flat_map(|way| way.action.words().into_iter().map(|words| (way.rulebook, words)));
        let live = declared.kind.into_iter().flat_map(|kind| &self.kinds[kind].live);
        let lists = live.flat_map(|fan| fan.each.iter().chain(&fan.names).map(|(_, expr)| (fan.rulebook, expr)));
        let symbols = words
            .chain(lists)
            .flat_map(|(rulebook, expr)| self.symbols_of(rulebook, &expr.script));
        symbols.flat_map(|symbol| self.needs(symbol)).collect()
    }

    /// Reports lists of subjects that are read from subjects.
    fn check_fan_outs(&mut self, kind: KindId) {
        let mut problems = Vec::new();
        for fan in &self.kinds[kind].live {
            for (_, expr) in fan.each.iter().chain(&fan.names) {
                let symbols = self.symbols_of(fan.rulebook, &expr.script);
                if let Some(of) = symbols.iter().find_map(|symbol| self.kind_of(*symbol)) {
                    let message = format!("this reads facts of one `{}`, and there may be many", self.kinds[of].id);
                    let problem = Problem::error("mixed-subjects", expr.text.place, message);
                    let help = "members are listed from evidence of the whole, or from facts `over:` a kind";
                    problems.push(problem.label("here").help(help));
                }
            }
        }
        problems.into_iter().for_each(|problem| self.problems.push(problem));
    }

    /// Gives a probe that no `captured` names a name in bundles.
    fn name_live_only(&mut self, probe: ProbeId) {
        let declared = &mut self.probes[probe];
        if !declared.captured.is_empty() || declared.ways.is_empty() {
            return;
        }
        let end = match declared.parser {
            Parser::Json(_) => "json",
            Parser::Yaml => "yaml",
            _ => "txt",
        };
        let text = format!("{}.{}.{end}", self.rulebooks[declared.rulebook].id, declared.id);
        declared.captured.push(Captured::plain(text));
    }
}
