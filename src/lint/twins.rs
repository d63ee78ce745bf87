//! Rules that ask the same.

use std::collections::HashMap;

use crate::diagnostic::{Place, Problem};
use crate::rulebook::model::{Expr, Rule};

use super::{Book, found};

/// `same-predicate`: two rules that fail together, always.
pub(super) fn rules(book: &Book<'_>) -> Vec<Problem> {
    let mut first: HashMap<String, (&str, Place)> = HashMap::new();
    let mut problems = Vec::new();
    for (id, _, rule) in book.rules() {
        match first.get(&predicate(rule)) {
            Some((other, place)) => {
                let message = format!("the rule `{id}` asks the same as `{other}`");
                let problem = found(id.place, message)
                    .label("the second")
                    .related(*place, "the first");
                problems.push(problem.help("keep one of them, or let their conditions differ"));
            }
            None => {
                first.insert(predicate(rule), (id.value.as_str(), id.place));
            }
        }
    }
    problems
}

/// Everything that decides, with one blank between words.
fn predicate(rule: &Rule) -> String {
    let flat = |expr: &Expr| expr.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = vec![format!("{} {:?}", rule.forbid, rule.when.as_ref().map(flat))];
    parts.extend(rule.each.iter().map(|(name, list)| format!("{name}: {}", flat(list))));
    parts.extend(
        rule.decide
            .iter()
            .map(|clause| format!("{:?} {}", clause.decision, flat(&clause.condition))),
    );
    parts.join("\n")
}
