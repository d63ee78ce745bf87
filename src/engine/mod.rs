//! Evaluation: from rulebooks and a bundle to verdicts and findings, root causes first.
//!
//! Pure but for reading the bundle's files when they are first asked for: equal evidence gives an equal report, whatever
//! the number of threads.

mod applies;
mod assemble;
mod causes;
mod clock;
mod context;
mod detach;
mod essence;
mod evidence;
mod examine;
mod explain;
mod extract;
mod finding;
mod frame;
mod guide;
mod halt;
mod judge;
mod live;
mod query;
mod relate;
mod run;
mod subjects;
mod trace;
mod trial;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobMatcher;
use jiff::Timestamp;
use rayon::prelude::*;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::redact::Redactor;
use crate::report::model::Report;
use crate::rulebook::model::{RuleId, Ruleset};

use context::{Context, Earlier};
use examine::Examined;
use run::{Run, Subject};

pub use essence::{Essence, ItemRead};
pub use guide::{Guided, WalkError, Way};
pub use live::{Member, Prospect};
pub use query::{Answer, Broken, Found, Holder, Inquiry};
pub use trace::MAX_PROBES;
pub use trial::{Trial, Variant};
pub use witness::Tried;

/// What a user may choose about a run.
#[derive(Debug, Default)]
pub struct Settings {
    /// Values of inputs by rulebook index and name, defaults included.
    pub inputs: Vec<BTreeMap<String, Dynamic>>,
    /// When the evidence was captured, where the user says so.
    pub captured_at: Option<Timestamp>,
    /// An earlier capture of the same subjects.
    pub before: Option<Bundle>,
    /// When that was, where the user says so.
    pub before_captured_at: Option<Timestamp>,
    /// What covers secrets in the report; by default one that knows what casebook brings, and what the rulebooks say.
    pub redactor: Option<Arc<Redactor>>,
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

    /// The rules that are wanted.
    pub fn wanted(&self, ruleset: &Ruleset) -> Vec<RuleId> {
        (0..ruleset.rules.len())
            .filter(|&rule| self.wants(ruleset, rule))
            .collect()
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

/// Evaluates the rulebooks on a bundle.
///
/// The subjects are examined in parallel, each loaded, judged and let go; then the bundle as a whole, which sees what they left.
pub fn run(ruleset: Arc<Ruleset>, bundle: Bundle, settings: Settings) -> Report {
    run_keeping(ruleset, bundle, settings).0
}

/// Evaluates as [`run`] does, and hands over what is still held of the evidence: to let go of much takes time, which a process that ends
/// anyway need not spend.
pub fn run_keeping(ruleset: Arc<Ruleset>, bundle: Bundle, settings: Settings) -> (Report, Kept) {
    let all = examine(ruleset, bundle, settings);
    (assemble::report(&all.context, all.examined), all.kept)
}

/// All subjects and the whole, examined.
struct All {
    context: Arc<Context>,
    subjects: Vec<Subject>,
    /// The whole first, then the subjects in their order.
    examined: Vec<Examined>,
    kept: Kept,
}

fn examine(ruleset: Arc<Ruleset>, mut bundle: Bundle, settings: Settings) -> All {
    let wanted = settings.wanted(&ruleset);
    let earlier = bundle.take_earlier();
    let earlier = settings.before.or(earlier);
    let earlier = earlier.map(|bundle| Earlier::new(&ruleset, bundle, &settings.inputs, settings.before_captured_at));
    let mut context = Context::new(ruleset, bundle, settings.inputs, earlier);
    context.redactor = settings.redactor;
    let context = Arc::new(context);
    let whole = Run::of_whole(&context);
    let subjects = subjects::find(&context);
    let lone = clock::settle(&context, &whole, &subjects, settings.captured_at);
    let examine = |subject: &Subject| {
        let run = lone.clone().unwrap_or_else(|| Run::of(&context, subject, &whole));
        examine::subject(&run, &wanted)
    };
    let mut examined: Vec<Examined> = subjects.par_iter().map(examine).collect();
    context.leave(examined.iter().flat_map(|subject| &subject.left));
    // A rule on a subject that compares it with all subjects can be judged only now that they were gone through.
    let again = context.asked_early();
    let whole = if again { Run::of_whole(&context) } else { whole };
    if again {
        let examine = |subject: &Subject| examine::subject(&Run::of(&context, subject, &whole), &wanted);
        examined = subjects.par_iter().map(examine).collect();
    }
    examined.insert(0, examine::whole(&whole, &examined, &wanted));
    All {
        context,
        subjects,
        examined,
        kept: Kept { whole, _lone: lone },
    }
}

/// Evidence that is still held after a run.
#[derive(Debug)]
pub struct Kept {
    whole: Arc<Run>,
    _lone: Option<Arc<Run>>,
}
