//! When the evidence was captured: what somebody says, else a bound, for the capture was not before the newest time that the
//! targets wrote into the evidence.

use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::report::model::TimeSource;
use crate::script::parse_time;

use super::context::Context;
use super::run::{Run, Subject};

/// Settles the time of the capture. For the bound every subject must be read; the run of a lone one is handed back, to be used again.
pub(super) fn settle(context: &Arc<Context>, whole: &Arc<Run>, subjects: &[Subject], said: Option<Timestamp>) -> Option<Arc<Run>> {
    if let Some(at) = said {
        context.set_capture(Some(at), TimeSource::Option);
        return None;
    }
    let lone = match subjects {
        [subject] => Some(Run::of(context, subject, whole)),
        _ => None,
    };
    let newest = match &lone {
        Some(run) => newest(run),
        None => subjects.par_iter().filter_map(|subject| newest(&Run::of(context, subject, whole))).max(),
    };
    match newest.max(self::newest(whole)) {
        Some(at) => context.set_capture(Some(at), TimeSource::Bound),
        None => context.set_capture(None, TimeSource::Unknown),
    }
    lone
}

/// The newest time under the `clock` paths of a run's own evidence.
fn newest(run: &Arc<Run>) -> Option<Timestamp> {
    let probes = run.ruleset().probes.iter().enumerate();
    let own = probes.filter(|(_, probe)| probe.kind == run.subject.kind && !probe.clock.is_empty());
    let times = own.filter_map(|(id, probe)| {
        let document = &run.item(id).document.as_ref().ok()?.document;
        let nodes = probe.clock.iter().flat_map(|path| path.select(document, document.root()));
        nodes.filter_map(|node| parse_time(&document.str(node)?)).max()
    });
    times.max()
}
