//! The order of rulebooks: a rulebook stands after those that it uses.

use std::collections::BTreeMap;

use crate::diagnostic::{Problem, Problems, meant};
use crate::rulebook::load::LoadedRulebook;

/// Sorts rulebooks so that used ones come first, otherwise as given. Unknown, doubled and circular ones are problems.
pub(super) fn by_use(rulebooks: Vec<LoadedRulebook>, problems: &mut Problems) -> Vec<LoadedRulebook> {
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for (at, rulebook) in rulebooks.iter().enumerate() {
        let id = &rulebook.spec.rulebook;
        if let Some(first) = ids.get(&id.value) {
            let problem = Problem::error(
                "duplicate-rulebook",
                id.place,
                format!("there are two rulebooks `{id}`"),
            );
            problems.push(
                problem
                    .label("this one")
                    .related(rulebooks[*first].spec.rulebook.place, "and this one"),
            );
            continue;
        }
        ids.insert(id.value.clone(), at);
    }
    let mut sorter = Sorter {
        rulebooks: &rulebooks,
        ids: &ids,
        state: vec![State::New; rulebooks.len()],
        order: Vec::new(),
        problems,
    };
    for at in 0..rulebooks.len() {
        sorter.visit(at);
    }
    let order = sorter.order;
    let mut slots: Vec<Option<LoadedRulebook>> = rulebooks.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| slots[at].take()).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

struct Sorter<'a> {
    rulebooks: &'a [LoadedRulebook],
    ids: &'a BTreeMap<String, usize>,
    state: Vec<State>,
    order: Vec<usize>,
    problems: &'a mut Problems,
}

impl Sorter<'_> {
    fn visit(&mut self, at: usize) {
        if self.state[at] != State::New {
            return;
        }
        self.state[at] = State::Open;
        for used in &self.rulebooks[at].spec.uses {
            match self.ids.get(&used.value) {
                Some(&other) if self.state[other] == State::Open => {
                    let problem = Problem::error("circular-use", used.place, "rulebooks use each other in a circle");
                    self.problems.push(
                        problem
                            .label("this closes the circle")
                            .help("move what both need into a third rulebook"),
                    );
                }
                Some(&other) => self.visit(other),
                None => {
                    let nearest = meant(used, self.ids.keys().map(String::as_str));
                    let problem =
                        Problem::error("unknown-rulebook", used.place, format!("there is no rulebook `{used}`"));
                    let help = nearest.unwrap_or_else(|| "put it beside this one, or name it with `-r`".to_owned());
                    self.problems.push(problem.label("not found").help(help));
                }
            }
        }
        self.state[at] = State::Done;
        self.order.push(at);
    }
}
