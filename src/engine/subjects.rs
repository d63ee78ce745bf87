//! Which subjects a bundle holds, and which rulebooks apply to them.

use std::sync::Arc;

use super::halt::Halt;
use crate::rulebook::model::{Expr, KindId, RulebookId};

use super::evidence;
use super::run::{Context, Run, Subject};

/// The runs of a bundle: the whole first, then each subject by kind and place.
pub(super) fn find(context: &Arc<Context>, whole: &Arc<Run>) -> Vec<Arc<Run>> {
    let mut runs = vec![Arc::clone(whole)];
    for subject in (0..context.ruleset.kinds.len()).flat_map(|kind| of_kind(context, kind)) {
        let ordinal = runs.len();
        runs.push(Arc::new(Run::new(
            Arc::clone(context),
            subject,
            Some(Arc::clone(whole)),
            ordinal,
        )));
    }
    runs
}

/// The subjects of a kind: those of the first place that any of its evidence lies in.
fn of_kind(context: &Context, kind: KindId) -> Vec<Subject> {
    let places = context.ruleset.kinds[kind].places.iter();
    let mut found = places.map(|place| {
        let folders = place.folders(context.bundle.files()).into_iter();
        let subjects = folders.filter(|matched| has_evidence(context, kind, &matched.folder));
        let subject = |matched: crate::bundle::Matched| Subject {
            kind: Some(kind),
            folder: matched.folder,
            values: matched.values,
        };
        subjects.map(subject).collect::<Vec<_>>()
    });
    found.find(|subjects| !subjects.is_empty()).unwrap_or_default()
}

fn has_evidence(context: &Context, kind: KindId, folder: &str) -> bool {
    let mut probes = context.ruleset.probes.iter().filter(|probe| probe.kind == Some(kind));
    probes.any(|probe| evidence::bind(probe, &context.bundle, folder).is_some())
}

/// For each run and rulebook, what the rulebook's `when` says there.
pub(super) struct Applies(Vec<Vec<Result<bool, Halt>>>);

/// Evaluates the `when` of every rulebook in every run.
pub(super) fn applicable(context: &Context, runs: &[Arc<Run>]) -> Applies {
    let rulebooks = 0..context.ruleset.rulebooks.len();
    let by_rulebook: Vec<Vec<Result<bool, Halt>>> =
        rulebooks.map(|rulebook| answers(context, runs, rulebook)).collect();
    Applies(
        (0..runs.len())
            .map(|run| by_rulebook.iter().map(|answers| answers[run].clone()).collect())
            .collect(),
    )
}

/// What the `when` of a rulebook says in each run: in those of its kind, itself; elsewhere, whether it holds in any of them.
fn answers(context: &Context, runs: &[Arc<Run>], rulebook: RulebookId) -> Vec<Result<bool, Halt>> {
    let declared = &context.ruleset.rulebooks[rulebook];
    let Some(when) = &declared.when else {
        return runs.iter().map(|_| Ok(true)).collect();
    };
    let speaks = |run: &Arc<Run>| run.subject.kind == declared.when_kind;
    let own: Vec<Option<Result<bool, Halt>>> = runs
        .iter()
        .map(|run| speaks(run).then(|| holds(run, rulebook, when)))
        .collect();
    let any = any_of(own.iter().flatten());
    own.into_iter()
        .map(|answer| answer.unwrap_or_else(|| any.clone()))
        .collect()
}

fn holds(run: &Arc<Run>, rulebook: RulebookId, when: &Expr) -> Result<bool, Halt> {
    let value = run.frame(rulebook).eval(when, &[])?;
    value.as_bool().map_err(|kind| {
        Halt::broken(format!("`when` must be true or false, and this is of type {kind}")).at(&when.text)
    })
}

fn any_of<'a>(answers: impl Iterator<Item = &'a Result<bool, Halt>>) -> Result<bool, Halt> {
    let mut undecided = None;
    let mut seen = false;
    for answer in answers {
        seen = true;
        match answer {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(stop) => undecided = undecided.or_else(|| Some(stop.clone())),
        }
    }
    match undecided {
        Some(stop) => Err(stop),
        None if seen => Ok(false),
        None => Err(Halt::unknown(
            "there is nothing in the bundle that its rulebook speaks about",
        )),
    }
}

impl Applies {
    /// What the `when` of a rulebook says in a run.
    pub(super) fn why(&self, run: &Run, rulebook: RulebookId) -> &Result<bool, Halt> {
        &self.0[run.ordinal][rulebook]
    }
}
