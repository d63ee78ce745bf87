//! The report as data: what `--format json` prints and what every other format is made from.
//!
//! The structs are published: fields may be added, but none may change its name or meaning within a version.
//! All lists are in their final order, so that equal runs give equal bytes.

use std::collections::BTreeMap;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one run over one bundle found
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Format and version of this report
    pub schema: Schema,
    /// The program that wrote the report
    pub tool: Tool,
    /// The evidence that was judged
    pub bundle: Bundle,
    /// The rulebooks that were run, used ones included, in their order
    pub rulebooks: Vec<RulebookVersion>,
    /// Rulebooks that did not apply, because their `when` was false
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Number of verdicts of each kind (a rule counts once for each subject)
    pub summary: Summary,
    /// Failing instances of rules: causes before their consequences, the gravest first
    pub findings: Vec<Finding>,
    /// The verdict of every rule on every subject, in the rulebooks' order
    pub verdicts: Vec<RuleVerdict>,
}

/// Format and version of a report
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Schema {
    /// The first version
    #[default]
    #[serde(rename = "casebook/report/v1")]
    V1,
}

/// The program that wrote a report
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Name of the program
    pub name: String,
    /// Version of the program
    pub version: String,
}

impl Tool {
    /// This program, in this version
    pub fn current() -> Tool {
        Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The evidence that was judged
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// The bundle's own name; never a path of the machine that evaluated it
    pub path: String,
    /// SHA-256 over the bundle's items, in hexadecimal
    pub digest: String,
    /// When the evidence was captured (RFC 3339, UTC); for the source `bound`, not before this time
    pub captured_at: Option<String>,
    /// How the capture time is known
    pub captured_at_source: TimeSource,
    /// Whether the capture came to its end; null where nothing says so
    pub complete: Option<bool>,
    /// What each probe bound to, in the order of rulebooks, probes and subjects
    #[serde(default)]
    pub items: Vec<Item>,
}

/// How a capture time is known
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeSource {
    /// The bundle's manifest says it
    Manifest,
    /// The user said it, with `--captured-at`
    Option,
    /// The time of the entry in the archive
    Archive,
    /// Only a bound: the newest time that the target wrote into the evidence
    Bound,
    /// Nothing says it
    Unknown,
}

/// What one probe bound to for one subject
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The probe, as `rulebook::probe`
    pub probe: String,
    /// The subject, as `kind/name`, or `bundle`
    pub subject: String,
    /// Path in the bundle; for an item that is not there, the path where it was looked for first
    pub path: Option<String>,
    /// How the gathering went
    pub outcome: Outcome,
    /// More about the outcome: exit code, HTTP status, what the parser said
    pub detail: Option<String>,
    /// Where a live run gets the item, as `plan` prints it, the preferred way first
    #[serde(default)]
    pub ways: Vec<String>,
    /// When this item was captured (RFC 3339, UTC)
    pub captured_at: Option<String>,
    /// Whether a part of the item is missing
    #[serde(default)]
    pub truncated: bool,
    /// A note on member names that occur twice in one object (the last one counts)
    pub duplicate_keys: Option<String>,
    /// Number of values that were redacted
    #[serde(default)]
    pub redactions: u64,
    /// Number of bytes that are part of no character, and were read as `?`
    #[serde(default)]
    pub replaced_bytes: u64,
}

/// How the gathering of an item went
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is there and was read
    Ok,
    /// It is not in the bundle
    Absent,
    /// It is there, without a byte in it
    Empty,
    /// The target refused it
    Denied,
    /// The target could not be reached
    Unreachable,
    /// The target did not answer in time
    TimedOut,
    /// The command or the request failed
    Failed,
    /// The probe was not run
    NotRun,
    /// It is there and is not what its parser reads
    Unparsable,
    /// It was read and lacks the shape that its probe asks for
    Alien,
}

impl Outcome {
    /// The word for it, as reports and scripts have it
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Absent => "absent",
            Outcome::Empty => "empty",
            Outcome::Denied => "denied",
            Outcome::Unreachable => "unreachable",
            Outcome::TimedOut => "timed-out",
            Outcome::Failed => "failed",
            Outcome::NotRun => "not-run",
            Outcome::Unparsable => "unparsable",
            Outcome::Alien => "alien",
        }
    }
}

/// A rulebook that took part
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulebookVersion {
    /// Id of the rulebook
    pub id: String,
    /// Version, as the rulebook says
    pub version: Option<String>,
    /// SHA-256 over the rulebook's files, in hexadecimal
    pub digest: String,
}

/// A rulebook whose `when` was false
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Id of the rulebook
    pub rulebook: String,
    /// Title of the rulebook
    pub title: Option<String>,
    /// The condition, as written
    pub when: String,
    /// Number of its rules that are not applicable for this reason
    pub rules: u32,
}

/// Number of verdicts of each kind
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Rules that hold
    pub pass: u32,
    /// Rules that do not hold
    pub fail: u32,
    /// Rules that could not be decided
    pub unknown: u32,
    /// Rules that have nothing to say here
    pub not_applicable: u32,
    /// Rules that broke
    pub error: u32,
}

impl Summary {
    /// Counts verdicts
    pub fn of(verdicts: &[RuleVerdict]) -> Summary {
        let mut summary = Summary::default();
        for verdict in verdicts {
            *summary.count_mut(verdict.verdict) += 1;
        }
        summary
    }

    /// Number of verdicts altogether
    pub fn total(&self) -> u32 {
        self.pass + self.fail + self.unknown + self.not_applicable + self.error
    }

    fn count_mut(&mut self, verdict: Verdict) -> &mut u32 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Unknown => &mut self.unknown,
            Verdict::NotApplicable => &mut self.not_applicable,
            Verdict::Error => &mut self.error,
        }
    }
}

/// How grave a finding is
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing
    Info,
    /// Degraded or risky
    Warning,
    /// A function is broken
    Error,
    /// What it is about is down, or will be
    Critical,
}

impl Severity {
    /// The word for it, as written in rulebooks
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }
}

/// One failing instance of a rule
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Code of the rule, as `rulebook::rule`
    pub code: String,
    /// Id of the rulebook
    pub rulebook: String,
    /// Id of the rule
    pub rule: String,
    /// Title of the rule
    pub title: String,
    /// Entries of a catalogue or tracker that the rule implements
    #[serde(default)]
    pub refs: Vec<String>,
    /// How grave it is
    pub severity: Severity,
    /// What it is about, as `kind/name`, or `bundle`
    pub subject: String,
    /// What tells it apart from other findings of the rule on the same subject
    pub key: Option<String>,
    /// What is wrong, in a sentence
    pub message: String,
    /// Where it shows, the most telling place first
    pub labels: Vec<Label>,
    /// Number of further places that were left out of `labels`
    #[serde(default)]
    pub labels_omitted: u64,
    /// What to do about it
    pub help: Option<String>,
    /// Commands that look further, as argument lists; an input that is not set stands as `<name>`
    #[serde(default)]
    pub r#try: Vec<Vec<String>>,
    /// Commands that change something, as argument lists; an input that is not set stands as `<name>`
    #[serde(default)]
    pub fix: Vec<Vec<String>>,
    /// Address of a page that tells more
    pub docs: Option<String>,
    /// Fingerprints of the findings that explain this one; a finding without is a root cause
    #[serde(default)]
    pub explained_by: Vec<String>,
    /// Fingerprints of the findings that this one explains directly
    #[serde(default)]
    pub explains: Vec<String>,
    /// Number of findings that this one explains, directly or through others
    #[serde(default)]
    pub consequences: u32,
    /// SHA-256 over code, group of the subject and key, in hexadecimal: the same finding, run after run
    pub fingerprint: String,
    /// Set where somebody has accepted the finding
    pub waived: Option<Waiver>,
}

impl Finding {
    /// Whether no other finding explains this one
    pub fn is_root(&self) -> bool {
        self.explained_by.is_empty()
    }
}

/// One place in the evidence
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Path of the item in the bundle
    pub evidence: String,
    /// The probe that bound it, as `rulebook::probe`
    pub probe: String,
    /// Normalized JSONPath of the node (RFC 9535, section 2.7)
    pub path: String,
    /// First byte of the node, counted in the item as stored (decompressed)
    pub start: u32,
    /// First byte after the node
    pub end: u32,
    /// Line of the first byte, counted from 1
    pub line: u32,
    /// Column of the first byte, in characters, counted from 1
    pub column: u32,
    /// Source text of the node, cut to at most 256 bytes
    pub text: String,
    /// What is to be seen there
    pub says: Option<String>,
    /// The lines around the place, for people
    pub excerpt: Option<Excerpt>,
}

/// Lines around a place, at most 4 KB of them
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Excerpt {
    /// Line number of the first line of `text` in the item; of the place itself where `reformatted`
    pub first_line: u32,
    /// The lines; `…` stands for what was left out at an end of a long line
    pub text: String,
    /// First byte of the place inside `text`
    pub start: u32,
    /// First byte after the place inside `text`
    pub end: u32,
    /// Whether the lines are those of a pretty-printer, not those of the item
    #[serde(default)]
    pub reformatted: bool,
    /// Lines of `text` that stand for lines left out, in order
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// A line of an excerpt that stands for lines left out
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Which line of the text it is, counted from 0; it holds `…` alone
    pub line: u32,
    /// Number of lines that it stands for; null where they are not lines of the item
    pub skipped: Option<u32>,
}

/// Why a finding was accepted, by whom and until when
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// Who accepted it
    pub owner: String,
    /// Why
    pub reason: String,
    /// Last day on which it holds (ISO 8601)
    pub expires: Option<String>,
}

/// The verdict of one rule on one subject
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleVerdict {
    /// Id of the rulebook
    pub rulebook: String,
    /// Id of the rule
    pub rule: String,
    /// What it is about, as `kind/name`, or `bundle`
    pub subject: String,
    /// The verdict
    pub verdict: Verdict,
    /// Severity of the worst finding, on a fail
    pub severity: Option<Severity>,
    /// Why it is unknown or not applicable, or how the rule broke
    pub reason: Option<String>,
    /// What the rule says about a pass
    pub remark: Option<String>,
    /// Probes (`rulebook::probe`) whose evidence would settle an unknown
    #[serde(default)]
    pub missing: Vec<String>,
    /// Number of the rule's items for each verdict, for a rule with `each` or `forbid`
    #[serde(default)]
    pub items: BTreeMap<Verdict, u32>,
    /// Where in the rulebook an error arose
    pub place: Option<RulePlace>,
}

/// The outcome of a rule
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence is there and the rule holds
    Pass,
    /// The evidence is there and the rule does not hold
    Fail,
    /// The evidence does not decide
    Unknown,
    /// The rule has nothing to say here
    NotApplicable,
    /// The rule itself broke
    Error,
}

/// A place in a rulebook
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulePlace {
    /// Name of the file, from the rulebook's directory
    pub file: String,
    /// Line, counted from 1
    pub line: u32,
    /// Column in characters, counted from 1
    pub column: u32,
    /// The lines around the place
    pub excerpt: Option<Excerpt>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(verdict: Verdict) -> RuleVerdict {
        RuleVerdict {
            rulebook: "shop".into(),
            rule: "r".into(),
            subject: "bundle".into(),
            verdict,
            severity: None,
            reason: None,
            remark: None,
            missing: Vec::new(),
            items: BTreeMap::from([(Verdict::NotApplicable, 2), (Verdict::Pass, 1)]),
            place: None,
        }
    }

    #[test]
    fn the_summary_counts_and_is_kebab_case() {
        let summary = Summary::of(&[
            verdict(Verdict::Pass),
            verdict(Verdict::NotApplicable),
            verdict(Verdict::Pass),
        ]);
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(json, r#"{"pass":2,"fail":0,"unknown":0,"not-applicable":1,"error":0}"#);
        assert_eq!(summary.total(), 3);
    }

    #[test]
    fn items_are_counted_under_the_words_for_verdicts() {
        let json = serde_json::to_value(verdict(Verdict::Fail)).unwrap();
        assert_eq!(json["items"].to_string(), r#"{"not-applicable":2,"pass":1}"#);
        let back: RuleVerdict = serde_json::from_value(json).unwrap();
        assert_eq!(back.items[&Verdict::NotApplicable], 2);
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::Critical > Severity::Error);
        assert!(Severity::Error > Severity::Warning);
        assert!(Severity::Warning > Severity::Info);
    }
}
