//! Files of cases.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Problem, Problems, Sources, meant};
use crate::rulebook::load::{LoadError, Loaded};
use crate::rulebook::model::{RuleId, Ruleset};
use crate::rulebook::spec::CaseSpec;
use crate::rulebook::text::Text;

use super::Case;

/// Reads all cases of the rulebooks; problems in them are returned with the files that they stand in.
///
/// # Errors
/// A file that cannot be read.
pub fn load(ruleset: &Ruleset) -> Result<(Vec<Case>, Problems, Sources), LoadError> {
    let (mut cases, mut loaded) = (Vec::new(), Loaded::default());
    let codes: BTreeMap<String, RuleId> = ruleset
        .rules
        .iter()
        .enumerate()
        .map(|(id, rule)| (rule.code(ruleset), id))
        .collect();
    for (rulebook, declared) in ruleset.rulebooks.iter().enumerate() {
        for path in &declared.cases {
            let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
            let found = loaded.cases(path)?.into_iter().flat_map(|file| file.cases);
            cases.extend(found.map(|(id, spec)| Case {
                id: id.value.clone(),
                rulebook,
                place: id.place,
                file: path.clone(),
                folder: folder.clone(),
                rules: resolved(&spec, &declared.id, &codes),
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

/// The rules that the names in a case stand for: of its own rulebook, or of that before `::`.
fn resolved(spec: &CaseSpec, own: &str, codes: &BTreeMap<String, RuleId>) -> BTreeMap<String, RuleId> {
    let id = |name: &Text| {
        let code = if name.contains("::") {
            name.value.clone()
        } else {
            format!("{own}::{name}")
        };
        Some((name.value.clone(), *codes.get(&code)?))
    };
    named(spec).filter_map(id).collect()
}

/// The names of rules in a case.
fn named(spec: &CaseSpec) -> impl Iterator<Item = &Text> {
    let expected = spec.fail.values().flatten().flat_map(|expected| expected.iter());
    spec.fail
        .keys()
        .chain(spec.unknown.keys())
        .chain(&spec.pass)
        .chain(&spec.not_applicable)
        .chain(&spec.error)
        .chain(expected.flat_map(|expected| expected.causes()))
}

/// Rules that a case names and that no rulebook has.
fn unknown_rules(ruleset: &Ruleset, case: &Case, problems: &mut Problems) {
    for name in named(&case.spec).filter(|name| case.rule(name).is_none()) {
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
