//! When the evidence was captured: what somebody says, else a bound, for the capture was not before the newest time that the
//! targets wrote into the evidence.

use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::document::Document;
use crate::report::model::TimeSource;
use crate::rulebook::model::{Probe, ProbeId};
use crate::script::parse_time;

use super::context::Context;
use super::run::{Run, Subject};

/// Settles the time of the capture. For the bound every subject must be read; the run of a lone one is handed back, to be used again.
pub(super) fn settle(
    context: &Arc<Context>,
    whole: &Arc<Run>,
    subjects: &[Subject],
    said: Option<Timestamp>,
) -> Option<Arc<Run>> {
    if let Some(at) = said {
        context.set_capture(Some(at), TimeSource::Option);
        return None;
    }
    if all_told(context) {
        context.set_capture(None, TimeSource::Unknown);
        return None;
    }
    let lone = match subjects {
        [subject] => Some(Run::of(context, subject, whole)),
        _ => None,
    };
    let of_subjects = match &lone {
        Some(run) => {
            read_ahead(run);
            of_run(run)
        }
        None => {
            let times = subjects
                .par_iter()
                .filter_map(|subject| of_run(&Run::of(context, subject, whole)));
            times.max()
        }
    };
    read_ahead(whole);
    match of_subjects.max(of_run(whole)) {
        Some(at) => context.set_capture(Some(at), TimeSource::Bound),
        None => context.set_capture(None, TimeSource::Unknown),
    }
    lone
}

/// Whether the bundle tells the time of each of its items, so that no bound is needed.
fn all_told(context: &Context) -> bool {
    let told = |file: &String| {
        context
            .bundle
            .facts(file)
            .is_some_and(|facts| facts.captured_at.is_some())
    };
    let files = context.bundle.files();
    !files.is_empty() && files.iter().all(told)
}

/// The newest time in a run's own evidence.
fn of_run(run: &Arc<Run>) -> Option<Timestamp> {
    clocks(run)
        .filter_map(|(id, probe)| newest(probe, &run.item(id).document.as_ref().ok()?.document))
        .max()
}

/// Reads the evidence that tells times, several items at once.
fn read_ahead(run: &Arc<Run>) {
    clocks(run).par_bridge().for_each(|(id, _)| {
        run.item(id);
    });
}

/// A run's own probes that tell times.
fn clocks(run: &Run) -> impl Iterator<Item = (ProbeId, &Probe)> {
    let probes = run.ruleset().probes.iter().enumerate();
    probes.filter(|(_, probe)| probe.kind == run.subject.kind && !probe.clock.is_empty())
}

/// The newest time under the `clock` paths of a document.
fn newest(probe: &Probe, document: &Document) -> Option<Timestamp> {
    let nodes = probe
        .clock
        .iter()
        .flat_map(|path| path.select(document, document.root()));
    nodes.filter_map(|node| parse_time(&document.str(node)?)).max()
}
