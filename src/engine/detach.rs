//! Values that outlive their evidence: copied out of the documents, with labels cut where they stood.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map};

use crate::document::{Kind, NodeId};
use crate::report::model::Label;
use crate::script::{self, Doc, LEFT_SLOT, Node, Place, Unknown};

use super::finding;
use super::run::Run;

/// Most labels that one value takes along.
const MAX_LABELS: usize = 32;

/// The value of a fact for one subject, as it is left to the whole.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    /// The subject, as reports show it.
    pub(crate) subject: String,
    /// The value, or why there is none.
    pub(crate) value: Result<Dynamic, Unknown>,
    labels: Vec<Label>,
}

impl Left {
    /// Takes a value out of the evidence of a run.
    pub(super) fn new(run: &Arc<Run>, value: Result<Dynamic, Unknown>) -> Left {
        let mut labels = Vec::new();
        let value = value.map(|value| copied(run, &value, &mut Some(&mut labels)));
        Left {
            subject: run.label(),
            value,
            labels,
        }
    }

    /// The same with its labels moved to a common list.
    pub(super) fn moved(&self, labels: &mut Vec<Label>) -> Left {
        let by = labels.len();
        labels.extend(self.labels.iter().cloned());
        let value = self.value.clone().map(|value| shifted(value, by));
        Left {
            subject: self.subject.clone(),
            value,
            labels: Vec::new(),
        }
    }
}

/// A value without its evidence and without places.
pub(super) fn bare(run: &Arc<Run>, value: &Dynamic) -> Dynamic {
    copied(run, value, &mut None)
}

fn copied(run: &Arc<Run>, value: &Dynamic, labels: &mut Option<&mut Vec<Label>>) -> Dynamic {
    let copy = if let Some(node) = value.read_lock::<Node>() {
        object(&node.doc, node.id)
    } else if let Some(items) = value.read_lock::<Array>() {
        Dynamic::from_array(items.iter().map(|item| copied(run, item, labels)).collect())
    } else if let Some(members) = value.read_lock::<Map>() {
        let member = |(key, member): (&rhai::Identifier, &Dynamic)| (key.clone(), copied(run, member, labels));
        Dynamic::from_map(members.iter().map(member).collect())
    } else {
        value.clone()
    };
    script::placed(copy, place(run, value, labels))
}

/// Cuts a label where the value stands, if there is room for one.
fn place(run: &Arc<Run>, value: &Dynamic, labels: &mut Option<&mut Vec<Label>>) -> Option<Place> {
    let labels = labels.as_mut().filter(|labels| labels.len() < MAX_LABELS)?;
    let label = finding::label(run, script::place_of(value)?, None, true)?;
    labels.push(label);
    Some(left_place(labels.len() - 1))
}

fn left_place(index: usize) -> Place {
    Place {
        slot: LEFT_SLOT,
        node: NodeId::from_index(u32::try_from(index).unwrap_or(u32::MAX)),
    }
}

/// An object as a plain map, all the way down.
fn object(doc: &Arc<Doc>, id: NodeId) -> Dynamic {
    let document = &doc.document;
    match document.kind(id) {
        Kind::Object => {
            let member = |child| Some((document.key(child)?.into(), object(doc, child)));
            Dynamic::from_map(document.children(id).filter_map(member).collect())
        }
        Kind::Array => Dynamic::from_array(document.children(id).map(|child| object(doc, child)).collect()),
        _ => script::placed(script::to_dynamic(doc, id), None),
    }
}

fn shifted(value: Dynamic, by: usize) -> Dynamic {
    let place = script::place_of(&value).filter(|place| place.slot == LEFT_SLOT);
    let moved = if value.is_array() {
        Dynamic::from_array(
            value
                .into_array()
                .unwrap_or_default()
                .into_iter()
                .map(|item| shifted(item, by))
                .collect(),
        )
    } else if let Some(members) = value.read_lock::<Map>().map(|members| members.clone()) {
        Dynamic::from_map(
            members
                .into_iter()
                .map(|(key, member)| (key, shifted(member, by)))
                .collect(),
        )
    } else {
        value
    };
    script::placed(moved, place.map(|place| left_place(place.node.index() + by)))
}
