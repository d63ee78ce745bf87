//! A walked guide as data: what `casebook guide --format json` prints and what the terminal shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Label, Report, RuleVerdict, Verdict};

/// A guide, walked over one bundle
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Walked {
    /// Format and version of this document
    pub schema: Schema,
    /// The guide
    pub guide: Head,
    /// Its steps, in order
    pub steps: Vec<Step>,
    /// Number of the step at which the walk ended because something was found; null where it came to its end
    pub stopped_at: Option<u32>,
    /// The report over all rules; a failing hop of a computed walk is among its findings
    pub report: Report,
}

/// Format and version of a walked guide
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Schema {
    /// The first version
    #[default]
    #[serde(rename = "casebook/guide/v1")]
    V1,
}

/// What a guide is about
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// Code of the guide, as `rulebook::guide`
    pub code: String,
    /// The symptom
    pub title: String,
    /// When to take it
    pub about: Option<String>,
}

/// A step of a walk
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number, counted from 1
    pub number: u32,
    /// The question that it answers
    pub title: String,
    /// What it is about
    pub about: Option<String>,
    /// Whether the walk came here; if not, nothing of what follows is given
    pub walked: bool,
    /// The worst verdict of its rules; null for a step that is advice alone
    pub verdict: Option<Verdict>,
    /// Advice in words
    #[serde(default)]
    pub says: Vec<String>,
    /// Commands that look further, as argument lists; an input that is not set stands as `<name>`
    #[serde(default)]
    pub r#try: Vec<Vec<String>>,
    /// The verdicts of its rules on all subjects
    #[serde(default)]
    pub verdicts: Vec<RuleVerdict>,
    /// Paths of the evidence that its rules read
    #[serde(default)]
    pub evidence: Vec<String>,
    /// The places of a hop
    #[serde(default)]
    pub labels: Vec<Label>,
    /// What a hop passed over, and why
    #[serde(default)]
    pub lost: Vec<Label>,
    /// Fingerprints of the findings of its rules
    #[serde(default)]
    pub findings: Vec<String>,
    /// Root causes of these findings, where other rules found them
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// A finding that explains those of a step
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Its fingerprint
    pub fingerprint: String,
    /// Code of its rule
    pub code: String,
    /// Number of the step that asks for it, where one does
    pub step: Option<u32>,
}

impl Step {
    /// A step that the walk has not come to.
    pub fn ahead(number: u32, title: String, about: Option<String>) -> Step {
        Step {
            number,
            title,
            about,
            ..Step::default()
        }
    }
}

/// The worst of several verdicts: fail, error, unknown, pass, not-applicable; none of none.
pub fn worst(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Fail => 4,
        Verdict::Error => 3,
        Verdict::Unknown => 2,
        Verdict::Pass => 1,
        Verdict::NotApplicable => 0,
    };
    verdicts.max_by_key(rank)
}
