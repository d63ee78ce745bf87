//! The times that targets wrote into the evidence: the capture was not before the newest of them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::script::functions::time::parse_time;

use super::run::Run;

/// The newest time under the `clock` paths of all evidence.
pub(crate) fn newest(runs: &[Arc<Run>]) -> Option<Timestamp> {
    runs.iter().flat_map(times).max()
}

fn times(run: &Arc<Run>) -> Vec<Timestamp> {
    let probes = run.ruleset().probes.iter().enumerate();
    let own = probes.filter(|(_, probe)| probe.kind == run.subject.kind && !probe.clock.is_empty());
    own.flat_map(|(id, probe)| {
        let document = run.item(id).document.as_ref().ok();
        let nodes = document.into_iter().flat_map(|doc| {
            probe
                .clock
                .iter()
                .flat_map(|path| path.select(&doc.document, doc.document.root()))
        });
        let texts = nodes.filter_map(|node| document?.document.str(node));
        texts.filter_map(|text| parse_time(&text)).collect::<Vec<_>>()
    })
    .collect()
}
