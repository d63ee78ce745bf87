//! The shipped rulebooks: no problem in them, and all their cases hold.

mod common;

use casebook::rulebook::compile;
use casebook::rulebook::load::{Loaded, embedded};
use casebook::rulebook::model::Edge;
use common::run;

#[test]
fn the_shipped_rulebooks_have_no_problem() {
    let ran = run(&["lint"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("envoy: "), "{}", ran.stdout);
}

#[test]
fn the_shipped_rulebooks_have_no_warning() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rulebooks")).expect("rulebooks") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let ran = run(&["lint", "--strict", path.to_str().expect("a path")]);
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn all_cases_of_the_shipped_rulebooks_hold() {
    let ran = run(&["test", "rulebooks"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// A run takes them for right, and reads their scripts when it first evaluates them: until then it must know of each script what it reads.
#[test]
fn what_a_run_takes_for_right_is_what_a_check_finds() {
    let load = || {
        let mut loaded = Loaded::default();
        embedded()
            .try_for_each(|id| loaded.add_embedded(id))
            .expect("they are shipped");
        loaded
    };
    let (checked, problems, _) = compile::compile(load());
    let checked = checked.unwrap_or_else(|| panic!("{problems:?}"));
    let trusted = compile::compile_for_run(load())
        .0
        .expect("there is nothing to be found");
    for (checked, trusted) in checked.facts.iter().zip(&trusted.facts) {
        let name = &checked.id;
        assert_eq!((checked.kind, &checked.needs), (trusted.kind, &trusted.needs), "{name}");
    }
    for (checked, trusted) in checked.rules.iter().zip(&trusted.rules) {
        let name = &checked.id;
        assert_eq!((checked.kind, &checked.needs), (trusted.kind, &trusted.needs), "{name}");
    }
    for (checked, trusted) in checked.edges.iter().zip(&trusted.edges) {
        assert_eq!(reads(checked), reads(trusted), "{checked:?}");
    }
    for (checked, trusted) in checked.rulebooks.iter().zip(&trusted.rulebooks) {
        assert_eq!(checked.when_kind, trusted.when_kind, "{}", checked.id);
    }
}

/// The names that an edge's condition reads.
fn reads(edge: &Edge) -> Vec<(Option<&str>, &str)> {
    let reads = edge.condition.iter().flat_map(|condition| &condition.script.reads);
    reads
        .map(|read| (read.namespace.as_deref(), read.name.as_str()))
        .collect()
}
