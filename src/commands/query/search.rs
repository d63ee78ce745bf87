//! A JSONPath over the items of a bundle.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use serde::Serialize;
use serde_json::Value;

use crate::bundle::printable;
use crate::document::{Document, NodeId};
use crate::engine::{Found, Holder, Inquiry};
use crate::path::Path;
use crate::rulebook::model::{ProbeId, Ruleset};

use super::super::glob;
use super::{Exit, Failure, QueryArgs, count, ellipsis, inquiry, note, print, print_json, unheard_of, value};

/// Most nodes that a path may look at in one item: some ten times those of an item of 100 MB.
const MAX_STEPS: u64 = 50_000_000;

/// A node that the path selects.
#[derive(Serialize)]
struct Match {
    evidence: String,
    probe: Option<String>,
    subject: String,
    path: String,
    start: u32,
    end: u32,
    line: u32,
    column: u32,
    value: Value,
    #[serde(skip)]
    shown: String,
}

/// What came of one item.
struct Searched {
    matches: Vec<Match>,
    trouble: Option<Trouble>,
}

/// Why an item was not searched.
enum Trouble {
    /// It cannot be used.
    Unusable(String),
    /// It would have taken more than [`MAX_STEPS`].
    TooLong(String),
}

/// What is searched, and how it is shown.
struct Search<'a> {
    path: Path,
    probes: Option<Vec<ProbeId>>,
    files: Vec<GlobMatcher>,
    args: &'a QueryArgs,
}

/// Searches the bundle.
pub(super) fn run(args: &QueryArgs, ruleset: Ruleset, path: &str) -> Result<Exit, Failure> {
    let search = Search {
        path: parsed(path)?,
        probes: probes(&ruleset, &args.probes)?,
        files: args.files.iter().map(|text| glob(text)).collect::<Result<_, _>>()?,
        args,
    };
    let (inquiry, progress) = inquiry(args, ruleset)?;
    let look = |holder: &Holder| {
        let searched = search.holder(inquiry.ruleset(), holder);
        progress.done();
        searched
    };
    let mut searched: Vec<Searched> = inquiry.look(look).into_iter().flatten().collect();
    searched.extend(search.strays(&inquiry));
    drop(progress);
    told(args, &searched)
}

fn parsed(text: &str) -> Result<Path, Failure> {
    let path = Path::parse(text).map_err(|error| {
        let at = error
            .offset
            .map(|at| text.get(..at).map_or(at, |before| before.chars().count()) + 1);
        let at = at.map(|at| format!(" (character {at})")).unwrap_or_default();
        let message = format!("`{}` is no JSONPath: {}{at}", printable(text), error.message);
        Failure::usage(
            message,
            error
                .help
                .unwrap_or_else(|| "JSONPath as in RFC 9535, such as `$.items[*].name`".into()),
        )
    })?;
    match path.bad_patterns().into_iter().next() {
        None => Ok(path),
        Some((pattern, why)) => {
            let message = format!(
                "`{}` is no regular expression: {}",
                printable(&pattern),
                value::line(&why, "...")
            );
            Err(Failure::usage(message, "it would match nothing"))
        }
    }
}

/// The probes of these names, as `name` or `rulebook::name`; without names, no choice.
fn probes(ruleset: &Ruleset, names: &[String]) -> Result<Option<Vec<ProbeId>>, Failure> {
    let mut chosen = Vec::new();
    for name in names {
        let probes = ruleset.probes.iter().enumerate();
        let before = chosen.len();
        chosen.extend(
            probes
                .filter(|(id, probe)| probe.id == *name || ruleset.probe_code(*id) == *name)
                .map(|(id, _)| id),
        );
        if chosen.len() == before {
            return Err(unheard_of(
                "probe",
                name,
                ruleset.probes.iter().map(|probe| probe.id.as_str()),
            ));
        }
    }
    Ok((!names.is_empty()).then_some(chosen))
}

impl Search<'_> {
    fn wants_file(&self, path: &str) -> bool {
        self.files.iter().any(|glob| glob.is_match(path))
    }

    /// Whether an item that a probe binds is searched.
    fn wants(&self, probe: ProbeId, path: &str) -> bool {
        let chosen = self.probes.as_ref().is_some_and(|probes| probes.contains(&probe));
        let all = self.probes.is_none() && self.files.is_empty();
        all || chosen || self.wants_file(path)
    }

    /// The items of the whole or a subject.
    fn holder(&self, ruleset: &Ruleset, holder: &Holder) -> Vec<Searched> {
        let wanted = holder
            .probes()
            .filter(|(probe, path)| path.is_some_and(|path| self.wants(*probe, path)));
        let wanted: Vec<ProbeId> = wanted.map(|(probe, _)| probe).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let name = holder.name();
        let item = |probe: &ProbeId| self.item(&holder.item(*probe), Some(ruleset.probe_code(*probe)), &name);
        wanted.iter().map(item).collect()
    }

    /// Files that no probe binds, where they are asked for.
    fn strays(&self, inquiry: &Inquiry) -> Vec<Searched> {
        if self.files.is_empty() || !inquiry.wants("bundle") {
            return Vec::new();
        }
        let bound = inquiry.bound();
        let files = inquiry.bundle().files().iter();
        let strays = files.filter(|file| self.wants_file(file) && bound.binary_search(&file.as_str()).is_err());
        strays
            .map(|file| inquiry.guess(file, |found| self.item(found, None, "bundle")))
            .collect()
    }

    fn item(&self, found: &Found<'_>, probe: Option<String>, subject: &str) -> Searched {
        let document = match found.document {
            Ok(document) => document,
            Err(reason) => return Searched::failed(Trouble::Unusable(reason.to_owned())),
        };
        let path = found.path.unwrap_or_default();
        let Some(nodes) = self.path.select_within(document, document.root(), MAX_STEPS) else {
            return Searched::failed(Trouble::TooLong(path.to_owned()));
        };
        let node = |id: NodeId| self.found(document, id, path, probe.as_deref(), subject);
        Searched {
            matches: nodes.into_iter().map(node).collect(),
            trouble: None,
        }
    }

    fn found(&self, document: &Document, id: NodeId, path: &str, probe: Option<&str>, subject: &str) -> Match {
        let span = document.span(id);
        let position = document.position(span.start);
        let json = self.args.json;
        Match {
            evidence: path.to_owned(),
            probe: probe.map(str::to_owned),
            subject: subject.to_owned(),
            path: if json {
                document.normalized_path(id)
            } else {
                String::new()
            },
            start: span.start,
            end: span.end,
            line: position.line,
            column: position.column,
            value: if json {
                value::of_node(document, id)
            } else {
                Value::Null
            },
            shown: if json {
                String::new()
            } else {
                value::line(document.raw(id), ellipsis(self.args))
            },
        }
    }
}

impl Searched {
    fn failed(trouble: Trouble) -> Searched {
        Searched {
            matches: Vec::new(),
            trouble: Some(trouble),
        }
    }
}

/// Prints what was found; a place that two probes read alike is told once.
fn told(args: &QueryArgs, searched: &[Searched]) -> Result<Exit, Failure> {
    let mut seen = BTreeSet::new();
    let all = searched.iter().flat_map(|searched| &searched.matches);
    let matches: Vec<&Match> = all
        .filter(|found| seen.insert((&found.evidence, found.start, found.end)))
        .collect();
    match args.json {
        true => print_json(&matches)?,
        false => print(|out| {
            matches.iter().try_for_each(|found| {
                writeln!(
                    out,
                    "{}:{}:{}: {}",
                    printable(&found.evidence),
                    found.line,
                    found.column,
                    found.shown
                )
            })
        })?,
    }
    let mut too_long = false;
    for trouble in searched.iter().filter_map(|searched| searched.trouble.as_ref()) {
        match trouble {
            Trouble::Unusable(reason) => note(&format!("not searched: {}", printable(reason)))?,
            Trouble::TooLong(path) => {
                too_long = true;
                note(&format!(
                    "gave up: the path looks at more than {MAX_STEPS} nodes of `{}`",
                    printable(path)
                ))?;
            }
        }
    }
    let hit = searched.iter().filter(|searched| !searched.matches.is_empty()).count();
    note(&format!(
        "{} in {hit} of {}",
        matches_of(matches.len()),
        count(searched.len(), "item")
    ))?;
    Ok(match () {
        () if too_long => Exit::Usage,
        () if matches.is_empty() => Exit::Findings,
        () => Exit::Clean,
    })
}

fn matches_of(number: usize) -> String {
    format!("{number} {}", if number == 1 { "match" } else { "matches" })
}
