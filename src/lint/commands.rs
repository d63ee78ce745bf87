//! Commands under `try`, which must only look.

use crate::diagnostic::Problem;
use crate::rulebook::spec::{CheckSpec, Command, Template};

use super::{Book, found};

/// Words of commands that change something, one a line; one that ends with `-` stands for all that begin so.
const CHANGING: &str = include_str!("changing.txt");

/// `try-changes-something`: it belongs under `fix`.
pub(super) fn changing(book: &Book<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, spec, _) in book.rules() {
        let clauses = match &spec.check {
            CheckSpec::Decide(clauses) => clauses.as_slice(),
            CheckSpec::Expect(_) | CheckSpec::Forbid(_) => &[],
        };
        let commands = clauses
            .iter()
            .flat_map(|clause| clause.r#try.iter())
            .chain(spec.r#try.iter());
        for (word, verb) in commands.filter_map(verb) {
            let problem = found(
                word.place,
                format!("`{verb}` changes something, and stands under `try`"),
            );
            problems.push(
                problem
                    .label("changes something")
                    .help("move the command to `fix:`; under `try` stands what only looks"),
            );
        }
    }
    problems
}

/// The word of a command that changes something.
fn verb(command: &Command) -> Option<(&Template, &str)> {
    // One argument may be a command line of its own, for a shell or for another machine.
    let words = command.iter().flat_map(|word| {
        word.split(|c: char| c.is_whitespace() || c == '=')
            .map(move |part| (word, part))
    });
    words
        .filter(|(word, _)| !word.contains("${"))
        .find(|(_, part)| changes(part))
}

fn changes(word: &str) -> bool {
    let verbs = CHANGING
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    verbs
        .into_iter()
        .any(|verb| word == verb || (verb.ends_with('-') && word.starts_with(verb)))
}
