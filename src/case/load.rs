//! Files of cases.

use std::path::Path;

use crate::diagnostic::{FileId, Problem, Problems, Sources};
use crate::rulebook::decode::{Decoder, FromYaml};
use crate::rulebook::model::Ruleset;
use crate::rulebook::spec::{CaseFileSpec, CaseSpec};
use crate::rulebook::text::Text;
use crate::rulebook::yaml;

use super::Case;

/// Reads all cases of the rulebooks; problems in them are returned with the files that they stand in.
pub fn load(ruleset: &Ruleset) -> (Vec<Case>, Problems, Sources) {
    let (mut cases, mut problems, mut sources) = (Vec::new(), Problems::default(), Sources::default());
    for (rulebook, declared) in ruleset.rulebooks.iter().enumerate() {
        for path in &declared.cases {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    let file = sources.add(path.display().to_string(), text);
                    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
                    let found = decode(&sources, file, &mut problems).into_iter();
                    cases.extend(found.map(|(id, spec)| Case { id: id.value.clone(), rulebook, place: id.place, folder: folder.clone(), spec }));
                }
                Err(error) => {
                    let file = sources.add(path.display().to_string(), "");
                    let place = crate::diagnostic::Place::new(file, 0, 0);
                    problems.push(Problem::error("unreadable", place, format!("cannot read this file of cases: {error}")));
                }
            }
        }
    }
    for case in &cases {
        unknown_rules(ruleset, case, &mut problems);
    }
    problems.sort();
    (cases, problems, sources)
}

fn decode(sources: &Sources, file: FileId, problems: &mut Problems) -> Vec<(Text, CaseSpec)> {
    let mut decoder = Decoder::default();
    let documents = yaml::parse(sources, file, &mut decoder.problems);
    let mut cases = Vec::new();
    for document in &documents {
        if let Some(found) = CaseFileSpec::from_yaml(document, &mut decoder) {
            cases.extend(found.cases.into_iter().map(|(id, spec)| ((*id).clone(), spec)));
        }
    }
    problems.extend(decoder.problems);
    cases
}

/// Rules that a case names and that no rulebook has.
fn unknown_rules(ruleset: &Ruleset, case: &Case, problems: &mut Problems) {
    let spec = &case.spec;
    let named = spec.fail.keys().chain(spec.unknown.keys()).chain(&spec.pass).chain(&spec.not_applicable).chain(&spec.error);
    for name in named {
        if super::check::rule(ruleset, case, name).is_none() {
            let ids = ruleset.rules.iter().filter(|rule| rule.rulebook == case.rulebook).map(|rule| rule.id.as_str());
            let meant = crate::diagnostic::did_you_mean(name, ids).map(|id| format!("did you mean `{id}`?"));
            let problem = Problem::error("unknown-rule", name.place, format!("there is no rule `{name}`"));
            problems.push(problem.label("not found").maybe_help(meant));
        }
    }
}
