//! Cases: a rulebook's own tests. Evidence goes in, verdicts come out, and both are compared.

mod check;
mod evidence;
mod load;

use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use crate::diagnostic::Place;
use crate::engine;
use crate::report::model::Report;
use crate::rulebook::model::{RulebookId, Ruleset};
use crate::rulebook::spec::CaseSpec;

pub use check::{Kind, Mismatch};
pub use load::load;

/// A case, ready to run.
#[derive(Debug)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// The rulebook that it tests.
    pub rulebook: RulebookId,
    /// Where it is written.
    pub place: Place,
    /// The folder that its paths start from.
    pub folder: PathBuf,
    /// As written.
    pub spec: CaseSpec,
}

/// How a case went.
#[derive(Debug)]
pub struct Outcome {
    /// What differs from what is expected; nothing where the case passes.
    pub mismatches: Vec<Mismatch>,
    /// The report over its evidence, where that could be had.
    pub report: Option<Report>,
}

/// Runs cases in parallel; the outcomes are in the order of the cases.
pub fn run(ruleset: &Arc<Ruleset>, cases: &[Case]) -> Vec<Outcome> {
    cases.par_iter().map(|case| run_one(ruleset, case)).collect()
}

fn run_one(ruleset: &Arc<Ruleset>, case: &Case) -> Outcome {
    let settings = evidence::settings(ruleset, case);
    let bundle = evidence::bundle(ruleset, case);
    match settings.and_then(|settings| Ok((settings, bundle?))) {
        Err(broken) => Outcome {
            mismatches: vec![broken],
            report: None,
        },
        Ok((settings, bundle)) => {
            let report = engine::run(Arc::clone(ruleset), bundle, settings);
            Outcome {
                mismatches: check::compare(ruleset, case, &report),
                report: Some(report),
            }
        }
    }
}
