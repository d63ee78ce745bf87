//! Files of cases.

use std::path::Path;

use crate::diagnostic::{Problem, Problems, Sources, meant};
use crate::rulebook::load::{LoadError, Loaded};
use crate::rulebook::model::Ruleset;

use super::Case;

/// Reads all cases of the rulebooks; problems in them are returned with the files that they stand in.
///
/// # Errors
/// A file that cannot be read.
pub fn load(ruleset: &Ruleset) -> Result<(Vec<Case>, Problems, Sources), LoadError> {
    let (mut cases, mut loaded) = (Vec::new(), Loaded::default());
    for (rulebook, declared) in ruleset.rulebooks.iter().enumerate() {
        for path in &declared.cases {
            let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
            let found = loaded.cases(path)?.into_iter().flat_map(|file| file.cases);
            cases.extend(found.map(|(id, spec)| Case {
                id: id.value.clone(),
                rulebook,
                place: id.place,
                folder: folder.clone(),
                spec,
            }));
        }
    }
    let Loaded {
        sources, mut problems, ..
    } = loaded;
    for case in &cases {
        unknown_rules(ruleset, case, &mut problems);
    }
    problems.sort();
    Ok((cases, problems, sources))
}

/// Rules that a case names and that no rulebook has.
fn unknown_rules(ruleset: &Ruleset, case: &Case, problems: &mut Problems) {
    let spec = &case.spec;
    let named = spec
        .fail
        .keys()
        .chain(spec.unknown.keys())
        .chain(&spec.pass)
        .chain(&spec.not_applicable)
        .chain(&spec.error);
    for name in named {
        if super::check::rule(ruleset, case, name).is_none() {
            let ids = ruleset
                .rules
                .iter()
                .filter(|rule| rule.rulebook == case.rulebook)
                .map(|rule| rule.id.as_str());
            let meant = meant(name, ids);
            let problem = Problem::error("unknown-rule", name.place, format!("there is no rule `{name}`"));
            problems.push(problem.label("not found").maybe_help(meant));
        }
    }
}
