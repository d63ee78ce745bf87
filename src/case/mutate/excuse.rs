//! Excuses: comments in a rulebook that say why no case can notice a mutant.
//!
//! `# casebook: survives(code, code) reason` speaks of what is written on its line. On a line of its own it speaks of the next line, and of all
//! that the scalar, the fact, the rule or the input which begins there holds.

use crate::diagnostic::{Place, Sources};
use crate::rulebook::yaml;

use super::{Change, Mutant};

/// Begins an excuse.
const MARK: &str = "# casebook: survives";

/// Why no case notices some mutants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excuse {
    /// Where it is written.
    pub place: Place,
    /// The sorts of changes that it speaks of, or what cannot be understood of it.
    pub changes: Result<Vec<Change>, String>,
    /// The reason.
    pub reason: String,
    /// The line that it speaks of, counted from 1.
    line: u32,
}

impl Excuse {
    /// Whether it speaks of a mutant.
    pub fn covers(&self, sources: &Sources, mutant: &Mutant) -> bool {
        let known = self
            .changes
            .as_ref()
            .is_ok_and(|changes| changes.contains(&mutant.change));
        known && mutant.place.file == self.place.file && self.lines(sources, mutant).contains(&self.line)
    }

    /// The lines on which something begins that a mutant is part of.
    fn lines(&self, sources: &Sources, mutant: &Mutant) -> [u32; 4] {
        let line = |place: Place| sources.position(place).0;
        let scalar = line(mutant.scalar);
        // A block scalar begins with the header on the line before.
        let file = &sources.get(mutant.scalar.file).text;
        let before = file.get(..mutant.scalar.range().start).unwrap_or_default().trim_end();
        let block = before.ends_with(['|', '>', '-', '+']) && !before.ends_with(" -");
        let header = if block { scalar.saturating_sub(1) } else { scalar };
        [line(mutant.place), scalar, header, line(mutant.entry)]
    }
}

/// The excuses in the YAML files among the sources.
pub fn excuses(sources: &Sources) -> Vec<Excuse> {
    let files = sources
        .files()
        .filter(|(_, file)| file.name.ends_with(".yaml") || file.name.ends_with(".yml"));
    let comments = files.flat_map(|(id, _)| yaml::comments(id, sources));
    comments.filter_map(|comment| excuse(comment, sources)).collect()
}

fn excuse(comment: Place, sources: &Sources) -> Option<Excuse> {
    let written = sources.text(comment).strip_prefix(MARK)?;
    let (changes, reason) = understood(written.trim_end());
    let text = &sources.get(comment.file).text;
    let begin = text.get(..comment.range().start)?.rfind('\n').map_or(0, |at| at + 1);
    let (own, _) = sources.position(comment);
    // Alone on its line, it is about the next line that holds more than a comment.
    let mut lines = (own..).zip(text.get(begin..)?.lines());
    let holds = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let line = lines.find(|(_, line)| holds(line)).map_or(own, |(line, _)| line);
    Some(Excuse {
        place: comment,
        changes,
        reason,
        line,
    })
}

/// The changes in brackets and the reason after them.
fn understood(text: &str) -> (Result<Vec<Change>, String>, String) {
    let form = || "write `# casebook: survives(code) reason`".to_owned();
    let Some((codes, reason)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return (Err(form()), String::new());
    };
    let reason = reason.trim().to_owned();
    if reason.is_empty() {
        return (Err("a reason is missing after the bracket".into()), reason);
    }
    let change = |code: &str| {
        let code = code.trim();
        let known = || Change::ALL.map(Change::code).join(", ");
        let found = Change::ALL.into_iter().find(|change| change.code() == code);
        found.ok_or_else(|| format!("there is no mutant of the sort `{code}`; there are: {}", known()))
    };
    (codes.split(',').map(change).collect(), reason)
}
