//! What a bundle holds: its subjects, what each probe bound to, and what is left over.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::bundle::printable;
use crate::engine::{Holder, Inquiry};
use crate::report::model::Outcome;
use crate::rulebook::model::{Probe, ProbeId, Ruleset};

use super::super::progress::Progress;
use super::{Exit, Failure, QueryArgs, count, inquiry, print, print_json};

/// Everything that is listed.
#[derive(Serialize)]
struct Listing {
    bundle: String,
    subjects: Vec<Holding>,
    /// Probes that bound to nothing anywhere.
    idle: Vec<Idle>,
    /// Files that no probe binds.
    unbound: Vec<String>,
    /// What was left out when the bundle was opened.
    skipped: Vec<LeftOut>,
}

/// The bundle as a whole or a subject, and its items.
#[derive(Serialize)]
struct Holding {
    subject: String,
    folder: String,
    items: Vec<Held>,
}

/// What a probe came to.
#[derive(Serialize)]
struct Held {
    #[serde(skip)]
    id: ProbeId,
    probe: String,
    path: Option<String>,
    outcome: Outcome,
    reason: Option<String>,
    truncated: bool,
}

/// A probe that bound to nothing.
#[derive(Serialize)]
struct Idle {
    probe: String,
    /// The kind of subject that has one each.
    per: Option<String>,
    /// The names that it looks for.
    captured: Vec<String>,
}

#[derive(Serialize)]
struct LeftOut {
    path: String,
    reason: String,
}

/// Lists what the bundle holds.
pub(super) fn run(args: &QueryArgs, ruleset: Ruleset) -> Result<Exit, Failure> {
    let (inquiry, progress) = inquiry(args, ruleset)?;
    let listing = listing(&inquiry, &progress);
    drop(progress);
    let any = listing
        .subjects
        .iter()
        .any(|holding| holding.items.iter().any(|held| held.path.is_some()));
    match args.json {
        true => print_json(&listing)?,
        false => print(|out| out.write_all(text(&listing, inquiry.bundle().files().len()).as_bytes()))?,
    }
    Ok(if any { Exit::Clean } else { Exit::Findings })
}

fn listing(inquiry: &Inquiry, progress: &Progress) -> Listing {
    let ruleset = inquiry.ruleset();
    let mut subjects = inquiry.look(|holder| {
        let holding = holding(ruleset, holder);
        progress.done();
        holding
    });
    let bound = |held: &Held| held.path.is_some().then_some(held.id);
    let busy: BTreeSet<ProbeId> = subjects
        .iter()
        .flat_map(|holding| holding.items.iter().filter_map(bound))
        .collect();
    for holding in &mut subjects {
        holding.items.retain(|held| busy.contains(&held.id));
    }
    // The bundle as a whole is no subject: without items there is nothing to say of it.
    subjects.retain(|holding| !holding.folder.is_empty() || !holding.items.is_empty());
    let idle = ruleset.probes.iter().enumerate().filter(|(id, _)| !busy.contains(id));
    let (files, bound) = (inquiry.bundle().files().iter(), inquiry.bound());
    let skipped = inquiry.bundle().skipped().iter();
    Listing {
        bundle: inquiry.bundle().short_name(),
        subjects,
        idle: idle.map(|(id, probe)| unbound_probe(ruleset, id, probe)).collect(),
        unbound: files
            .filter(|file| bound.binary_search(&file.as_str()).is_err())
            .cloned()
            .collect(),
        skipped: skipped
            .map(|left| LeftOut {
                path: left.path.clone(),
                reason: left.reason.clone(),
            })
            .collect(),
    }
}

fn holding(ruleset: &Ruleset, holder: &Holder) -> Holding {
    let held = |(id, _): (ProbeId, Option<&str>)| {
        let found = holder.item(id);
        Held {
            id,
            probe: ruleset.probe_code(id),
            path: found.path.map(str::to_owned),
            outcome: found.outcome,
            reason: found.document.err().map(str::to_owned),
            truncated: found.truncated,
        }
    };
    Holding {
        subject: holder.name(),
        folder: holder.folder().to_owned(),
        items: holder.probes().map(held).collect(),
    }
}

fn unbound_probe(ruleset: &Ruleset, id: ProbeId, probe: &Probe) -> Idle {
    Idle {
        probe: ruleset.probe_code(id),
        per: probe.kind.map(|kind| ruleset.kinds[kind].id.clone()),
        captured: probe.captured.iter().map(|name| name.text.clone()).collect(),
    }
}

fn text(listing: &Listing, files: usize) -> String {
    let subjects = listing
        .subjects
        .iter()
        .filter(|holding| holding.subject != "bundle")
        .count();
    let mut text = format!(
        "{}: {}, {}\n",
        printable(&listing.bundle),
        count(files, "file"),
        count(subjects, "subject")
    );
    for holding in &listing.subjects {
        let _ = match holding.folder.as_str() {
            "" => writeln!(text, "\n{}", printable(&holding.subject)),
            folder => writeln!(text, "\n{} in {}/", printable(&holding.subject), printable(folder)),
        };
        holding.items.iter().for_each(|held| text.push_str(&item(held)));
    }
    let idle = listing.idle.iter().map(|idle| {
        let per = idle
            .per
            .as_ref()
            .map(|kind| format!(" (one per {kind})"))
            .unwrap_or_default();
        match idle.captured.as_slice() {
            [] => format!("{}{per}: never found in bundles", idle.probe),
            names => format!("{}{per}: looks for {}", idle.probe, names.join(", ")),
        }
    });
    section(&mut text, "Probes that bound to nothing", idle);
    let unbound = listing.unbound.iter().cloned();
    section(&mut text, "Files that no probe binds", unbound);
    let skipped = listing
        .skipped
        .iter()
        .map(|left| format!("{}: {}", left.path, left.reason));
    section(&mut text, "Left out", skipped);
    text
}

fn item(held: &Held) -> String {
    let cut = if held.truncated { ", truncated" } else { "" };
    let path = held.path.as_deref().map_or_else(|| "nothing".into(), printable);
    let reason = held
        .reason
        .as_deref()
        .map(|reason| format!(": {}", printable(reason)))
        .unwrap_or_default();
    format!("  {}: {path} ({}{cut}){reason}\n", held.probe, held.outcome.word())
}

fn section(text: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    if lines.len() == 0 {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for line in lines {
        let _ = writeln!(text, "  {}", printable(&line));
    }
}
