//! Kinds of subjects, and the places that other rulebooks add to them.

use crate::bundle::PlacePattern;
use crate::diagnostic::Problem;
use crate::rulebook::model::RulebookId;
use crate::rulebook::spec::{ItemId, RulebookSpec, SubjectSpec};
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
        let (own_name, group) = (words(self, &spec.name), words(self, &spec.group));
        let declared = &mut self.kinds[kind];
        // What a later rulebook adds is tried first.
        places.append(&mut declared.places);
        declared.places = places;
        declared.name = own_name.or(declared.name.take());
        declared.group = group.or(declared.group.take());
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
