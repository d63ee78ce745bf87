//! What rules say they explain.

use crate::diagnostic::Problem;
use crate::rulebook::load::embedded;
use crate::rulebook::text::Text;

use super::{Book, found};

/// `unknown-target`: a rule of a rulebook that is nowhere to be found. Rules that a known rulebook does not have are errors.
pub(super) fn rulebooks(book: &Book<'_>) -> Vec<Problem> {
    let known = |id: &str| {
        let run = book.ruleset.rulebooks.iter().any(|rulebook| rulebook.id == id);
        run || embedded().any(|shipped| shipped == id) || book.beside.find(id).is_some()
    };
    let names = book
        .rules()
        .flat_map(|(_, spec, _)| spec.explains.keys().chain(spec.explained_by.keys()));
    let foreign = names.filter_map(|name| Some((name, name.split_once("::")?.0)));
    let unknown = foreign.filter(|(_, id)| !id.contains(['*', '?', '[', '{']) && !known(id));
    let problem = |(name, id): (&Text, &str)| {
        let message = format!("no rulebook `{id}` is shipped, or lies beside this one");
        found(name.place, message)
            .label("never found")
            .help("correct the name, or give the rulebook with its path")
    };
    unknown.map(problem).collect()
}
