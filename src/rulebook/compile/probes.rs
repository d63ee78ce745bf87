//! Probes: names in bundles, parsers, shapes, clocks; and the ways that other rulebooks add.

use crate::diagnostic::Problem;
use crate::path::Path;
use crate::probe::Action;
use crate::rulebook::model::{Captured, RulebookId, Symbol, Way};
use crate::rulebook::spec::{ItemId, ProbeSpec, RulebookSpec};
use crate::rulebook::text::Text;

use super::Compiler;

impl Compiler {
    pub(super) fn probes(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        for (name, probe) in &spec.probes {
            self.probe(rulebook, name, probe);
        }
    }

    fn probe(&mut self, rulebook: RulebookId, name: &ItemId, spec: &ProbeSpec) {
        let Some(Symbol::Probe(probe)) = self.symbol(rulebook, name) else {
            return;
        };
        let kind = spec.per.as_ref().and_then(|per| self.kind(rulebook, per));
        let mut captured: Vec<Captured> = spec.captured.iter().filter_map(|text| self.captured(text)).collect();
        let mut ways = self.ways(rulebook, spec);
        let shape = spec.shape.as_ref().and_then(|text| self.path(text));
        let clock = spec.clock.iter().filter_map(|text| self.path(text)).collect();
        let parser = spec.parse.as_ref().and_then(|spec| self.parser(rulebook, spec));
        let declared = &mut self.probes[probe];
        // What a later rulebook adds is tried first.
        captured.append(&mut declared.captured);
        ways.append(&mut declared.ways);
        declared.captured = captured;
        declared.ways = ways;
        if name.rulebook().is_none() {
            declared.kind = kind;
            declared.shape = shape;
            declared.clock = clock;
            declared.parser = parser.unwrap_or_default();
            declared.again = spec.again.as_ref().map(|again| again.value);
        } else {
            self.foreign(name, spec);
        }
    }

    /// What only the rulebook that declares a probe may say of it.
    fn foreign(&mut self, name: &ItemId, spec: &ProbeSpec) {
        let owned = [
            (spec.per.is_some(), "per"),
            (spec.shape.is_some(), "shape"),
            (spec.parse.is_some(), "parse"),
            (!spec.clock.is_empty(), "clock"),
        ];
        for (_, key) in owned.iter().filter(|(written, _)| *written) {
            let problem = Problem::error(
                "foreign-probe",
                name.place,
                format!("`{key}` of a used rulebook's probe cannot be changed"),
            );
            self.problems.push(
                problem
                    .label("declared elsewhere")
                    .help(format!("remove `{key}`; ways and captured names may be added")),
            );
        }
    }

    fn captured(&mut self, text: &Text) -> Option<Captured> {
        match Captured::new(text) {
            Ok(captured) => Some(captured),
            Err(error) => {
                let problem = Problem::error("bad-glob", text.place, format!("this is no glob: {}", error.kind()));
                self.problems.push(
                    problem
                        .label("here")
                        .help("`*` stands for any characters of a name, `[?]` for a question mark"),
                );
                None
            }
        }
    }

    pub(super) fn path(&mut self, text: &Text) -> Option<Path> {
        let parsed = self.parsed.get(text.value.as_str()).cloned();
        match parsed.unwrap_or_else(|| Path::parse(text)) {
            Ok(path) => Some(path),
            Err(error) => {
                let range = error
                    .offset
                    .map_or(0..text.value.len(), |at| at..(at + 1).min(text.value.len()));
                let place = text.place_of(&self.sources, range);
                let problem = Problem::error("bad-jsonpath", place, format!("this is no JSONPath: {}", error.message));
                self.problems.push(problem.label("here").maybe_help(error.help));
                None
            }
        }
    }

    fn ways(&mut self, rulebook: RulebookId, spec: &ProbeSpec) -> Vec<Way> {
        let live = spec.live.as_ref();
        let action = live.and_then(|live| Action::compile(live, &mut |text| self.words(rulebook, text, &[])));
        let way = action.map(|action| Way {
            rulebook,
            action,
            timeout: spec.timeout.as_ref().map(|timeout| timeout.value),
            limit: spec.limit.as_ref().map(|limit| limit.bytes),
        });
        way.into_iter().collect()
    }
}
