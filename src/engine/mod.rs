//! Evaluation: from rulebooks and a bundle to verdicts and findings, root causes first.
//!
//! Pure but for reading the bundle's files when they are first asked for: equal evidence gives an equal report, whatever
//! the number of threads.

mod assemble;
mod causes;
mod clock;
mod evidence;
mod extract;
mod finding;
mod frame;
mod halt;
mod judge;
mod relate;
mod run;
mod subjects;
mod trace;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use globset::GlobMatcher;
use jiff::Timestamp;
use rayon::prelude::*;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::report::model::Report;
use crate::rulebook::model::{RuleId, Ruleset};

use finding::Draft;
use judge::Judged;
use run::{Context, Run};

pub use trace::MAX_PROBES;

/// What a user may choose about a run.
#[derive(Debug, Default)]
pub struct Settings {
    /// Values of inputs by rulebook index and name, defaults included.
    pub inputs: Vec<BTreeMap<String, Dynamic>>,
    /// When the evidence was captured, where the user says so.
    pub captured_at: Option<Timestamp>,
    /// Only rules whose id or code matches one of these; none: all.
    pub rules: Vec<GlobMatcher>,
}

impl Settings {
    /// All rules, with inputs at their defaults and nothing known of the capture time.
    pub fn defaults(ruleset: &Ruleset) -> Settings {
        let inputs = ruleset.rulebooks.iter().map(|rulebook| {
            let values = rulebook
                .inputs
                .iter()
                .filter_map(|(name, input)| Some((name.clone(), input.default.clone()?)));
            values.collect()
        });
        Settings {
            inputs: inputs.collect(),
            ..Settings::default()
        }
    }

    /// Whether a rule is wanted.
    fn wants(&self, ruleset: &Ruleset, rule: RuleId) -> bool {
        let declared = &ruleset.rules[rule];
        let code = declared.code(ruleset);
        self.rules.is_empty()
            || self
                .rules
                .iter()
                .any(|glob| glob.is_match(&declared.id) || glob.is_match(&code))
    }
}

/// A rule judged on one subject, or on none because there is none of its kind.
struct Sentence {
    rule: RuleId,
    run: Option<Arc<Run>>,
    judged: Option<Judged>,
    drafts: Vec<Draft>,
    trouble: Option<halt::Halt>,
}

/// Evaluates the rulebooks on a bundle.
pub fn run(ruleset: Arc<Ruleset>, bundle: Bundle, settings: &Settings) -> Report {
    let wanted: Vec<RuleId> = (0..ruleset.rules.len())
        .filter(|&rule| settings.wants(&ruleset, rule))
        .collect();
    let context = Arc::new(Context {
        ruleset,
        bundle,
        inputs: settings.inputs.clone(),
        capture: OnceLock::new(),
    });
    let whole = Arc::new(Run::new(Arc::clone(&context), run::Subject::default(), None, 0));
    let runs = subjects::find(&context, &whole);
    context.set_capture(settings.captured_at, &runs);
    let applies = subjects::applicable(&context, &runs);
    let mut sentences = judge_all(&context, &runs, &applies, &wanted);
    relate::relate(&context, &mut sentences);
    assemble::report(&context, &runs, &applies, sentences)
}

/// All wanted rules on all their subjects, in the order of rules, then of subjects.
fn judge_all(context: &Context, runs: &[Arc<Run>], applies: &subjects::Applies, wanted: &[RuleId]) -> Vec<Sentence> {
    let pairs: Vec<(RuleId, Option<&Arc<Run>>)> = wanted
        .iter()
        .flat_map(|&rule| subjects_of(context, runs, rule))
        .collect();
    let judge = |(rule, run): (RuleId, Option<&Arc<Run>>)| {
        let rulebook = context.ruleset.rules[rule].rulebook;
        let judged = run
            .filter(|run| matches!(applies.why(run, rulebook), Ok(true)))
            .map(|run| judge::judge(run, rule));
        let (drafts, trouble) = match (run, &judged) {
            (Some(run), Some(judged)) => finding::drafts(run, rule, judged),
            _ => (Vec::new(), None),
        };
        Sentence {
            rule,
            run: run.cloned(),
            judged,
            drafts,
            trouble,
        }
    };
    pairs.into_par_iter().map(judge).collect()
}

/// A rule with each subject of its kind; with none where there is no such subject.
fn subjects_of<'r>(context: &Context, runs: &'r [Arc<Run>], rule: RuleId) -> Vec<(RuleId, Option<&'r Arc<Run>>)> {
    let kind = context.ruleset.rules[rule].kind;
    let mut pairs: Vec<_> = runs
        .iter()
        .filter(|run| run.subject.kind == kind)
        .map(|run| (rule, Some(run)))
        .collect();
    if pairs.is_empty() {
        pairs.push((rule, None));
    }
    pairs
}
