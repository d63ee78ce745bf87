//! Comments that silence a lint: `# casebook: allow(code) reason`.

use crate::diagnostic::{FileId, Place, Problem, Problems, Sources, meant, quoted};
use crate::rulebook::yaml;

use super::{Book, LINTS, lint};

/// How such a comment is written.
const EXAMPLE: &str = "write it as `# casebook: allow(code) reason`";

/// The allowances in the files of a rulebook, and what is wrong with them.
pub(super) struct Allowances {
    list: Vec<Allowance>,
    problems: Problems,
}

/// One code that a comment allows.
struct Allowance {
    code: &'static str,
    place: Place,
    /// The line, from 1, of what it is about.
    line: u32,
    /// Whether the scalar that begins on this line goes on below it.
    block: bool,
    used: bool,
}

/// Problems of allowances are found while they are read and used, not by a search of their own.
pub(super) fn nothing(_: &Book<'_>) -> Vec<Problem> {
    Vec::new()
}

/// Reads the allowances in the files of a rulebook.
pub(super) fn read(book: &Book<'_>) -> Allowances {
    let mut allowances = Allowances {
        list: Vec::new(),
        problems: Problems::default(),
    };
    let modules: Vec<FileId> = book.loaded.modules.iter().map(|(_, file)| *file).collect();
    for file in book.loaded.files.iter().filter(|file| !modules.contains(file)) {
        for comment in yaml::comments(*file, &book.ruleset.sources) {
            allowances.comment(comment, &book.ruleset.sources);
        }
    }
    allowances
}

impl Allowances {
    /// Whether a problem is allowed.
    pub(super) fn cover(&mut self, problem: &Problem, sources: &Sources) -> bool {
        let (line, _) = sources.position(problem.place);
        let covers = |allowance: &&mut Allowance| {
            let lines = allowance.line..=allowance.line + u32::from(allowance.block);
            allowance.code == problem.code && allowance.place.file == problem.place.file && lines.contains(&line)
        };
        let mut covered = false;
        for allowance in self.list.iter_mut().filter(covers) {
            allowance.used = true;
            covered = true;
        }
        covered
    }

    /// What is wrong with the comments themselves. Without cases, nothing can be told of allowances of what only cases show.
    pub(super) fn finish(mut self, with_cases: bool) -> Problems {
        let told = |allowance: &&Allowance| with_cases || lint(allowance.code).is_some_and(|lint| !lint.of_cases);
        for allowance in self.list.iter().filter(|allowance| !allowance.used).filter(told) {
            let message = format!("nothing here is `{}`", allowance.code);
            let problem = Problem::warning("unused-allowance", allowance.place, message);
            self.problems.push(
                problem
                    .label("allowed, but not found")
                    .help("remove it, or move it to the line above what it is about"),
            );
        }
        self.problems
    }

    fn comment(&mut self, comment: Place, sources: &Sources) {
        let text = sources.text(comment);
        let body = text.trim_start_matches('#').trim_start();
        let Some(rest) = body.strip_prefix("casebook:") else {
            return;
        };
        let rest = rest.trim_start();
        // Why no case notices a change of a rule: `casebook test --mutate` reads and checks it.
        if rest.starts_with("survives") {
            return;
        }
        let parts = rest.strip_prefix("allow(").and_then(|rest| rest.split_once(')'));
        let Some((codes, reason)) = parts else {
            return self.bad(
                comment,
                "this comment to casebook cannot be read",
                "not understood",
                EXAMPLE.into(),
            );
        };
        if reason.trim().is_empty() {
            self.bad(
                comment,
                "this allowance gives no reason",
                "why is it right here?",
                EXAMPLE.into(),
            );
        }
        let (line, block) = target(comment, sources);
        let mut at = text.len() - rest.len() + "allow(".len();
        for written in codes.split(',') {
            let start = comment.range().start + at + (written.len() - written.trim_start().len());
            let place = Place::new(comment.file, start, start + written.trim().len());
            self.code(
                written.trim(),
                Allowance {
                    code: "",
                    place,
                    line,
                    block,
                    used: false,
                },
            );
            at += written.len() + 1;
        }
    }

    fn code(&mut self, code: &str, allowance: Allowance) {
        match lint(code) {
            Some(lint) => self.list.push(Allowance {
                code: lint.code,
                ..allowance
            }),
            None => {
                let help = meant(code, LINTS.iter().map(|lint| lint.code));
                let help =
                    help.unwrap_or_else(|| "the codes are those that stand before what `casebook lint` says".into());
                self.bad(
                    allowance.place,
                    format!("there is no lint {}", quoted(code)),
                    "unknown code",
                    help,
                );
            }
        }
    }

    fn bad(&mut self, place: Place, message: impl Into<String>, label: &str, help: String) {
        self.problems.push(
            Problem::warning("bad-allowance", place, message)
                .label(label)
                .help(help),
        );
    }
}

/// The line that a comment is about: its own, where something stands before it, else the next that is not a comment; and
/// whether that line ends with the header of a block scalar.
fn target(comment: Place, sources: &Sources) -> (u32, bool) {
    let (own, _) = sources.position(comment);
    let text = &sources.get(comment.file).text;
    let begin = text
        .get(..comment.range().start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let mut lines = (own..).zip(text.get(begin..).unwrap_or_default().lines());
    let is_thing = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (number, line) = lines.find(|(_, line)| is_thing(line)).unwrap_or((own, ""));
    let end = line
        .trim_end()
        .trim_end_matches(|c: char| matches!(c, '-' | '+') || c.is_ascii_digit());
    (number, end.ends_with(['|', '>']))
}
