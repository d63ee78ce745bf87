//! Kinds of subjects, and the places that other rulebooks add to them.

use crate::bundle::PlacePattern;
use crate::diagnostic::Problem;
use crate::rulebook::model::{FanOut, KindId, RulebookId};
use crate::rulebook::spec::{FanOutSpec, ItemId, RulebookSpec, SubjectSpec};
use crate::rulebook::text::Text;

use super::Compiler;

impl Compiler {
    pub(super) fn subjects(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        for (name, subject) in &spec.subjects {
            self.subject(rulebook, name, subject);
        }
    }

    fn subject(&mut self, rulebook: RulebookId, name: &ItemId, spec: &SubjectSpec) {
        let Some(kind) = self.kind(rulebook, name) else { return };
        let mut places: Vec<PlacePattern> = spec.captured.iter().filter_map(|text| self.place(text)).collect();
        let words = |compiler: &mut Compiler, text: &Option<Text>| {
            text.as_ref().and_then(|text| compiler.words(rulebook, text, &[]))
        };
        let mut live = self
            .fan_out(rulebook, kind, spec, &places)
            .into_iter()
            .collect::<Vec<_>>();
        let (own_name, group) = (words(self, &spec.name), words(self, &spec.group));
        let declared = &mut self.kinds[kind];
        // What a later rulebook adds is tried first.
        places.append(&mut declared.places);
        declared.places = places;
        live.append(&mut declared.live);
        declared.live = live;
        declared.name = own_name.or(declared.name.take());
        declared.group = group.or(declared.group.take());
    }

    /// How members are found live: the lists, and a place whose placeholders are those that are given values.
    fn fan_out(
        &mut self,
        rulebook: RulebookId,
        kind: KindId,
        spec: &SubjectSpec,
        own: &[PlacePattern],
    ) -> Option<FanOut> {
        let live = spec.live.as_ref()?;
        let (mut locals, mut each) = (Vec::new(), Vec::new());
        for (local, text) in &live.each {
            each.extend(
                self.script(rulebook, text, &locals)
                    .map(|list| (local.value.clone(), list)),
            );
            locals.push(local.value.clone());
        }
        let names = live.names.iter();
        let names = names.filter_map(|(name, text)| Some((name.value.clone(), self.script(rulebook, text, &locals)?)));
        let names: Vec<_> = names.collect();
        let fits = |place: &&PlacePattern| {
            place.names().len() == live.names.len()
                && place.names().iter().all(|name| live.names.contains_key(name.as_str()))
        };
        let place = own.iter().chain(&self.kinds[kind].places).find(fits).cloned();
        if place.is_none() {
            self.no_place(live);
        }
        Some(FanOut {
            rulebook,
            place: place?,
            each,
            names,
        })
    }

    fn no_place(&mut self, live: &FanOutSpec) {
        let Some((first, _)) = live.names.iter().next() else {
            return;
        };
        let names: Vec<String> = live.names.keys().map(|name| format!("{{{name}}}")).collect();
        let problem = Problem::error(
            "no-place",
            first.place,
            format!("no place in `captured` has just the placeholders {}", names.join(", ")),
        );
        let help = format!("add a place to `captured`, such as `{}/`", names.join("/"));
        self.problems.push(problem.label("named here").help(help));
    }

    fn place(&mut self, text: &Text) -> Option<PlacePattern> {
        match PlacePattern::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let place = text.place_of(&self.sources, error.offset..text.value.len());
                let problem = Problem::error(
                    "bad-place",
                    place,
                    format!("this place cannot be read: {}", error.message),
                );
                self.problems.push(
                    problem
                        .label("here")
                        .help("for example: `servers/{zone}/{host}/`, or `.` for the bundle itself"),
                );
                None
            }
        }
    }
}
