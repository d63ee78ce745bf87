//! Facts: nodes picked out of evidence, and values derived from other facts.

use std::sync::Arc;

use regex::Captures;
use rhai::{Array, Dynamic, Map};

use crate::document::{NodeId, Pattern};
use crate::path::Path;
use crate::redact::is_token;
use crate::rulebook::model::{Count, Extract, FactId, FactSource, ProbeId, Symbol};
use crate::script::{self, Doc, Index, Node, Place, Unknown};

use super::detach::Left;
use super::halt::Halt;
use super::run::Run;
use super::trace::Trace;
use super::witness::Tried;

/// Nodes whose texts are fetched at once.
const FETCHED: usize = 64;

/// The value of a fact.
///
/// # Errors
/// An unknown, or what broke.
pub(crate) fn value(run: &Arc<Run>, fact: FactId, trace: &mut Trace) -> Result<Dynamic, Halt> {
    let declared = run.context.fact(fact);
    match &declared.source {
        FactSource::Extract(extract) => extracted(run, extract, trace),
        FactSource::Let(expr) => {
            let frame = run.frame(declared.rulebook);
            let value = frame.eval(expr, &[]);
            trace.merge(&frame.take_trace());
            value
        }
        FactSource::Index { of, by } => {
            let rows = list(run.symbol(*of, trace)?)?;
            Ok(Dynamic::from(Index::new(
                rows.into_iter().filter_map(|row| Some((member(&row, by)?, row))),
            )))
        }
        FactSource::Prefer(sources) => prefer(run, sources, trace),
        FactSource::Over { kind, .. } => over(run, fact, &run.ruleset().kinds[*kind].id, trace),
    }
}

fn unknown(reason: impl Into<String>) -> Halt {
    Halt::Unknown(Unknown {
        reason: reason.into(),
        missing: Vec::new(),
    })
}

/// A row of subject and value for each subject of which the value is known.
///
/// # Errors
/// An unknown while the subjects are still gone through, or in an earlier capture.
fn over(run: &Arc<Run>, fact: FactId, kind: &str, trace: &mut Trace) -> Result<Dynamic, Halt> {
    let Some(left) = run.context.left(fact) else {
        return Err(unknown(
            "what lies over all subjects can neither build on another such fact nor be had of an earlier capture",
        ));
    };
    let known: Vec<_> = left
        .iter()
        .filter_map(|left| Some((left, left.value.as_ref().ok()?)))
        .collect();
    if known.len() < left.len() {
        trace.partial = Some(format!(
            "of {} subjects of kind `{kind}` only {} are known",
            left.len(),
            known.len()
        ));
    }
    if !known.is_empty() {
        run.ruleset().facts[fact]
            .needs
            .iter()
            .for_each(|probe| trace.reads.insert(*probe));
    }
    let row = |(left, value): (&Left, &Dynamic)| {
        let members = [
            ("subject", Dynamic::from(left.subject.clone())),
            ("value", value.clone()),
        ];
        script::placed(
            Dynamic::from_map(members.into_iter().map(|(key, value)| (key.into(), value)).collect()),
            script::place_of(value),
        )
    };
    Ok(known.into_iter().map(row).collect::<Array>().into())
}

fn list(value: Dynamic) -> Result<Array, Halt> {
    value
        .into_array()
        .map_err(|kind| Halt::broken(format!("a list is wanted here, not a {kind}")))
}

/// A member of a row, be it evidence or made by a script.
fn member(row: &Dynamic, name: &str) -> Option<Dynamic> {
    if let Some(node) = row.read_lock::<Node>() {
        return Some(node.get(name));
    }
    row.read_lock::<Map>().and_then(|map| map.get(name).cloned())
}

/// The first source that is known; else all their reasons.
fn prefer(run: &Arc<Run>, sources: &[Symbol], trace: &mut Trace) -> Result<Dynamic, Halt> {
    let (mut reasons, mut missing) = (Vec::new(), Vec::new());
    for &source in sources {
        match run.symbol(source, trace) {
            Err(Halt::Unknown(unknown)) => {
                if !reasons.contains(&unknown.reason) {
                    reasons.push(unknown.reason);
                }
                missing.extend(unknown.missing);
            }
            known_or_broken => return known_or_broken,
        }
    }
    missing.sort();
    missing.dedup();
    Err(Halt::Unknown(Unknown {
        reason: reasons.join("; "),
        missing,
    }))
}

/// A document and the nodes in it that paths start from.
struct Roots {
    doc: Arc<Doc>,
    nodes: Vec<NodeId>,
}

fn extracted(run: &Arc<Run>, extract: &Extract, trace: &mut Trace) -> Result<Dynamic, Halt> {
    let mut paths = extract.within.iter().chain(&extract.paths);
    if let Some(problem) = paths.find_map(Path::problem) {
        return Err(Halt::broken(problem.message.as_str()));
    }
    let source = roots(run, extract.from, trace)?;
    let within = match &extract.within {
        None => source,
        Some(path) => narrowed(run, source, path)?,
    };
    let doc = &within.doc;
    let mut nodes: Vec<NodeId> = Vec::new();
    for (path, &root) in extract
        .paths
        .iter()
        .flat_map(|p| within.nodes.iter().map(move |n| (p, n)))
    {
        nodes.extend(path.select(&doc.document, root));
    }
    if extract.paths.len() > 1 || within.nodes.len() > 1 {
        nodes.sort();
        nodes.dedup();
    }
    match extract.count {
        _ if needs_taken_out(extract, doc, &nodes) => Err(unknown(script::REDACTED)),
        Count::All => Ok(all(extract, doc, &nodes, within.nodes.first().copied())),
        Count::One | Count::First => one(run, extract, doc, &nodes),
    }
}

/// What the parts of an extraction find; `None` where its evidence is not known.
pub(super) fn tried(run: &Arc<Run>, extract: &Extract, trace: &mut Trace) -> Option<Tried> {
    let source = roots(run, extract.from, trace).ok()?;
    let within = match &extract.within {
        None => Ok(source),
        Some(path) => narrowed(run, source, path),
    };
    let Ok(Roots { doc, nodes }) = within else {
        return Some(Tried {
            within: false,
            paths: vec![false; extract.paths.len()],
            captured: false,
        });
    };
    let found = |path: &Path| {
        nodes
            .iter()
            .flat_map(|root| path.select(&doc.document, *root))
            .collect::<Vec<_>>()
    };
    let found: Vec<Vec<NodeId>> = extract.paths.iter().map(found).collect();
    let mut all = found.iter().flatten();
    Some(Tried {
        within: true,
        paths: found.iter().map(|nodes| !nodes.is_empty()).collect(),
        captured: all.any(|node| captured(extract.capture.as_ref(), &doc, *node).is_some()),
    })
}

fn roots(run: &Arc<Run>, from: Symbol, trace: &mut Trace) -> Result<Roots, Halt> {
    if let Symbol::Probe(probe) = from {
        let doc = run.evidence(probe, trace)?;
        let root = doc.document.root();
        return Ok(Roots { doc, nodes: vec![root] });
    }
    let value = run.symbol(from, trace)?;
    // An object knows its document, that of an earlier capture too, to which no place leads.
    if let Some(node) = value.read_lock::<Node>() {
        return Ok(Roots {
            doc: Arc::clone(&node.doc),
            nodes: vec![node.id],
        });
    }
    let place = script::places_of(&value).into_iter().next();
    let found = place.and_then(|place| {
        Some(Roots {
            doc: Arc::clone(run.document(place.slot)?),
            nodes: vec![place.node],
        })
    });
    found.ok_or_else(|| Halt::broken("`from` names a fact that is no node of any evidence"))
}

fn narrowed(run: &Run, source: Roots, within: &Path) -> Result<Roots, Halt> {
    let Roots { doc, nodes } = source;
    let nodes: Vec<NodeId> = nodes
        .iter()
        .flat_map(|root| within.select(&doc.document, *root))
        .collect();
    if nodes.is_empty() {
        return Err(unknown(format!(
            "nothing in {} matches `{}`",
            item_name(run, &doc),
            within.text()
        )));
    }
    Ok(Roots { doc, nodes })
}

fn item_name(run: &Run, doc: &Doc) -> String {
    let path = run
        .item_read(ProbeId::from(doc.slot))
        .and_then(|item| item.path.as_deref());
    path.map_or_else(|| "the evidence".into(), |path| format!("`{path}`"))
}

/// Whether a pattern is to be found in what was taken out of the evidence.
fn needs_taken_out(extract: &Extract, doc: &Doc, nodes: &[NodeId]) -> bool {
    let taken_out = |node: &NodeId| doc.document.str(*node).is_some_and(|text| is_token(&text));
    extract.capture.is_some() && nodes.iter().any(taken_out)
}

fn all(extract: &Extract, doc: &Arc<Doc>, nodes: &[NodeId], within: Option<NodeId>) -> Dynamic {
    // Room for exactly these: lists are held as long as their evidence.
    let mut values = Array::with_capacity(nodes.len());
    let mut made = script::Values::default();
    for nodes in nodes.chunks(FETCHED) {
        doc.document.fetch(nodes);
        values.extend(nodes.iter().filter_map(|node| match &extract.capture {
            None => Some(made.of(doc, *node)),
            pattern => captured(pattern.as_ref(), doc, *node),
        }));
    }
    let place = within.filter(|_| extract.within.is_some() || values.is_empty());
    let list = Dynamic::from_array(values);
    match place {
        Some(node) => tagged(list, doc, node),
        None => list,
    }
}

fn one(run: &Run, extract: &Extract, doc: &Arc<Doc>, nodes: &[NodeId]) -> Result<Dynamic, Halt> {
    let mut values = nodes
        .iter()
        .filter_map(|node| captured(extract.capture.as_ref(), doc, *node));
    let paths = || extract.paths.iter().map(Path::text).collect::<Vec<_>>().join("`, `");
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if extract.count == Count::First => Ok(value),
        (Some(_), Some(_)) => Err(unknown(format!(
            "several places in {} match `{}`",
            item_name(run, doc),
            paths()
        ))),
        (None, _) => match &extract.default {
            Some(value) => Ok(tagged(value.clone(), doc, doc.document.root())),
            None if nodes.is_empty() => Err(unknown(format!(
                "nothing in {} matches `{}`",
                item_name(run, doc),
                paths()
            ))),
            None => Err(unknown(format!(
                "what `{}` finds in {} has an unknown form",
                paths(),
                item_name(run, doc)
            ))),
        },
    }
}

/// The value of a node; with a pattern, what the pattern captures of it, if it matches.
fn captured(capture: Option<&Pattern>, doc: &Arc<Doc>, node: NodeId) -> Option<Dynamic> {
    let Some(regex) = capture else {
        return Some(script::to_dynamic(doc, node));
    };
    let text = doc.document.str(node).unwrap_or_else(|| doc.document.raw(node).into());
    let captures = regex.captures(&text)?;
    let value = match regex.names().next() {
        Some(_) => Dynamic::from_map(row(regex, &captures, doc, node)),
        None => group(doc, node, captures.get(1).or_else(|| captures.get(0))?.as_str()),
    };
    Some(tagged(value, doc, node))
}

/// A value that remembers a node as its place.
fn tagged(value: Dynamic, doc: &Doc, node: NodeId) -> Dynamic {
    script::placed(value, Some(Place { slot: doc.slot, node }))
}

fn group(doc: &Arc<Doc>, node: NodeId, text: &str) -> Dynamic {
    tagged(Dynamic::from(text.to_owned()), doc, node)
}

/// The members of a row and the named groups, of which the latter win.
fn row(regex: &Pattern, captures: &Captures, doc: &Arc<Doc>, node: NodeId) -> Map {
    let document = &doc.document;
    let member = |child| Some((document.key(child)?.into(), script::to_dynamic(doc, child)));
    let mut row: Map = document.children(node).filter_map(member).collect();
    for name in regex.names() {
        let value = captures
            .name(name)
            .map_or(Dynamic::UNIT, |found| group(doc, node, found.as_str()));
        row.insert(name.into(), value);
    }
    row
}
