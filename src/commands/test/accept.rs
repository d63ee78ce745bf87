//! `casebook test --accept`: what cases expect becomes what is found.

use std::fs;
use std::io::{self, Write};

use crate::case::Outcome;
use crate::case::accept::{self, Rewritten};

use super::super::Failure;
use super::Tests;

/// Shows what changes in the files of cases, and writes them; true where anything does.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn rewrite(tests: &Tests, outcomes: &[Outcome], out: &mut impl Write) -> Result<bool, Failure> {
    let accepted = accept::accepted(&tests.ruleset, &tests.cases, outcomes);
    let files = accept::files(&accepted, &tests.sources);
    let changed = files.iter().filter(|(_, file)| !file.changes.is_empty());
    let mut any = false;
    for (name, file) in changed {
        show(name, file, out)?;
        out.flush()?;
        // The old file stays whole until the new one is.
        let beside = format!("{name}.new");
        let written = fs::write(&beside, &file.text).and_then(|()| fs::rename(&beside, name));
        written.map_err(|error| {
            Failure::usage(
                format!("cannot write `{name}`: {error}"),
                "allow writing to the files of cases",
            )
        })?;
        any = true;
    }
    Ok(any)
}

fn show(name: &str, file: &Rewritten, out: &mut impl Write) -> io::Result<()> {
    for change in &file.changes {
        writeln!(out, "{name}:{} case {}", change.line, change.case)?;
        let same_end = change
            .old
            .iter()
            .rev()
            .zip(change.new.iter().rev())
            .take_while(|(old, new)| old == new);
        let kept = same_end.count();
        let parts = [("-", &change.old), ("+", &change.new)];
        for (sign, lines) in parts {
            for line in lines.iter().take(lines.len() - kept) {
                writeln!(out, "{sign} {line}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
