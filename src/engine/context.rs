//! What all runs over one bundle share.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::report::model::{Label, TimeSource};
use crate::rulebook::model::{FactId, Ruleset};
use crate::script::Capture;

use super::detach::Left;
use super::examine::Examined;
use super::run::{Run, Subject};
use super::{clock, subjects};

/// Input values by rulebook.
pub(crate) type Inputs = Vec<BTreeMap<String, Dynamic>>;

/// The values of facts over subjects, and the labels that were cut for them.
type AllLeft = (BTreeMap<FactId, Vec<Left>>, Vec<Label>);

/// An earlier capture, seen as `before.`.
#[derive(Debug)]
pub(crate) struct Earlier {
    whole: Arc<Run>,
    subjects: Vec<Subject>,
}

impl Earlier {
    /// Opens an earlier capture to comparison.
    pub(super) fn new(ruleset: &Arc<Ruleset>, bundle: Bundle, inputs: &Inputs, said: Option<Timestamp>) -> Earlier {
        let context = Arc::new(Context {
            detached: true,
            ..Context::new(Arc::clone(ruleset), bundle, inputs.clone(), None)
        });
        let whole = Run::of_whole(&context);
        let subjects = subjects::find(&context);
        clock::settle(&context, &whole, &subjects, said);
        Earlier { whole, subjects }
    }

    /// The same subject in the earlier capture: that with the same placeholders, else the only one of its kind.
    pub(super) fn run(&self, subject: &Subject) -> Option<Arc<Run>> {
        if subject.kind.is_none() {
            return Some(Arc::clone(&self.whole));
        }
        let mut same = self
            .subjects
            .iter()
            .filter(|other| other.kind == subject.kind && other.values == subject.values);
        let found = same.next().filter(|_| same.next().is_none())?;
        Some(Run::of(&self.whole.context, found, &self.whole))
    }
}

/// The rulebooks, the bundle, the values that the user set, and what examined subjects have left.
#[derive(Debug)]
pub(crate) struct Context {
    /// The rulebooks.
    pub(crate) ruleset: Arc<Ruleset>,
    /// The evidence.
    pub(crate) bundle: Bundle,
    /// Input values, by rulebook; one without a value is not there.
    pub(crate) inputs: Inputs,
    /// An earlier capture.
    pub(crate) earlier: Option<Earlier>,
    /// Whether places in this evidence lead nowhere: labels point into the later capture only.
    pub(crate) detached: bool,
    /// When the evidence was captured, and how that is known.
    capture: OnceLock<(Capture, TimeSource)>,
    /// Values of facts over subjects, and the labels that point into evidence which is gone.
    left: OnceLock<AllLeft>,
}

impl Context {
    /// The context of a run.
    pub(super) fn new(ruleset: Arc<Ruleset>, bundle: Bundle, inputs: Inputs, earlier: Option<Earlier>) -> Context {
        let (capture, left) = (OnceLock::new(), OnceLock::new());
        Context {
            ruleset,
            bundle,
            inputs,
            earlier,
            detached: false,
            capture,
            left,
        }
    }

    /// What is known about the time of the capture.
    pub(crate) fn capture(&self) -> Capture {
        self.capture.get().map(|(capture, _)| *capture).unwrap_or_default()
    }

    /// Where the time of the capture comes from.
    pub(crate) fn time_source(&self) -> TimeSource {
        self.capture.get().map_or(TimeSource::Unknown, |(_, source)| *source)
    }

    /// Settles the time of the capture; the first who says it is right.
    pub(super) fn set_capture(&self, at: Option<Timestamp>, source: TimeSource) {
        let exact = !matches!(source, TimeSource::Bound | TimeSource::Unknown);
        // A second call changes nothing.
        let _ = self.capture.set((Capture { at, exact }, source));
    }

    /// Keeps what the examined subjects leave to the whole.
    pub(super) fn leave(&self, examined: &[Examined]) {
        let (mut values, mut labels) = (BTreeMap::<FactId, Vec<Left>>::new(), Vec::new());
        for subject in examined {
            for (fact, left) in &subject.left {
                values.entry(*fact).or_default().push(left.moved(&mut labels));
            }
        }
        let _ = self.left.set((values, labels));
    }

    /// The values of a fact over subjects, in the order of the subjects.
    pub(super) fn left(&self, fact: FactId) -> &[Left] {
        self.left
            .get()
            .and_then(|(values, _)| values.get(&fact))
            .map_or(&[], Vec::as_slice)
    }

    /// A label that was cut out of evidence which is gone.
    pub(super) fn label(&self, index: usize) -> Option<&Label> {
        self.left.get().and_then(|(_, labels)| labels.get(index))
    }
}
