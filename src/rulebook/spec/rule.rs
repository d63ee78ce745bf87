//! Rules: what must hold, and what is said where it does not.

use super::{Commands, NamedOrListed, Script, SnakeId, Template};
use crate::rulebook::decode::{Decoder, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// What must hold, and what is said where it does not
    pub struct RuleSpec as "rule" {
        /// What is wrong where it fails, in one line
        pub title: Text,
        /// Why it matters, in the words of a manual
        pub about: Option<Text>,
        /// How grave a failure is
        pub severity: Severity,
        /// Condition without which the rule does not apply; asked once per subject
        pub when: Option<Script>,
        /// Lists to walk, nested from left to right: a name for the item, and the list
        pub each: Map<SnakeId, Script>,
        /// What decides
        pub check: CheckSpec,
        /// What makes a finding the same as another; equal keys are one finding with several labels
        pub key: Option<Script>,
        /// Nearer subject of a finding of the whole, as `kind/name`
        pub subject: Option<Template>,
        /// Evidence to point at: nodes, leaves, probes or lists of them
        pub at: OneOrMany<Script>,
        /// Evidence to point at, with words
        pub labels: OneOrMany<LabelSpec>,
        /// Message of a finding
        pub says: Option<Template>,
        /// What to do about it
        pub help: Option<Template>,
        /// Commands that look further
        pub r#try: Commands,
        /// Commands that change something
        pub fix: Commands,
        /// Entries of a catalogue or tracker that this rule implements
        pub refs: OneOrMany<Text>,
        /// Address of a page about it
        pub docs: Option<Text>,
        /// Rules, or globs of them, whose findings this one explains; each with a condition or with nothing
        pub explains: NamedOrListed<Script>,
        /// Rules, or globs of them, whose findings explain this one; each with a condition or with nothing
        pub explained_by: NamedOrListed<Script>,
    }
    check check_rule
    shape shape_rule
}

choice! {
    /// What decides
    pub enum CheckSpec in parent {
        /// Condition that must hold
        Expect(Script) = "expect",
        /// Clauses of which the first that holds decides
        Decide(Vec<ClauseSpec>) = "decide",
        /// Lists of which each item is a failure
        Forbid(Map<SnakeId, Script>) = "forbid",
    }
}

spec! {
    /// A condition, and the verdict where it holds
    pub struct ClauseSpec as "clause" {
        /// The verdict, with its condition
        pub verdict: VerdictSpec,
        /// Message of a failure, reason of an unknown, remark on a pass
        pub says: Option<Template>,
        /// How grave this failure is, in place of the rule's severity
        pub severity: Option<Severity>,
        /// Evidence to point at, in place of the rule's
        pub at: OneOrMany<Script>,
        /// Evidence to point at with words, in place of the rule's
        pub labels: OneOrMany<LabelSpec>,
        /// What to do about it, in place of the rule's
        pub help: Option<Template>,
        /// Commands that look further, in place of the rule's
        pub r#try: Commands,
        /// Commands that change something, in place of the rule's
        pub fix: Commands,
    }
    check check_clause
    shape shape_clause
}

choice! {
    /// A verdict, with the condition under which it is given
    pub enum VerdictSpec in parent {
        /// Good where this holds
        Pass(Script) = "pass",
        /// A finding where this holds
        Fail(Script) = "fail",
        /// Not to be told where this holds
        Unknown(Script) = "unknown",
        /// No question of this rule where this holds
        NotApplicable(Script) = "not-applicable",
    }
}

impl VerdictSpec {
    /// The condition.
    pub fn condition(&self) -> &Script {
        match self {
            VerdictSpec::Pass(script)
            | VerdictSpec::Fail(script)
            | VerdictSpec::Unknown(script)
            | VerdictSpec::NotApplicable(script) => script,
        }
    }
}

words! {
    /// How grave a failure is
    pub enum Severity as "severity" {
        /// Traffic or data is lost now
        Critical = "critical",
        /// Something does not work
        Error = "error",
        /// Something will not work one day, or works badly
        Warning = "warning",
        /// Worth knowing
        Info = "info",
    }
}

spec! {
    /// A piece of evidence, with words
    pub struct LabelSpec as "label" {
        /// Evidence to point at: a node, a leaf, a probe or a list of them
        pub at: Script,
        /// What is to be seen there
        pub says: Option<Template>,
    }
}

fn check_rule(rule: &RuleSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if yaml.key("each").is_some() {
        decoder.needs(yaml, "rule", "each", "{ row: rows }");
    }
    match &rule.check {
        CheckSpec::Expect(_) => {}
        CheckSpec::Decide(_) => decoder.needs(yaml, "rule", "decide", "[{ pass: \"true\" }]"),
        CheckSpec::Forbid(_) => {
            decoder.needs(yaml, "rule", "forbid", "{ row: rows }");
            let help = "move its lists into `forbid`, which is nested from left to right as well";
            decoder.misplaced(
                yaml.key("each"),
                "`forbid` walks lists by itself, so `each` does not belong here",
                help,
            );
        }
    }
}

fn shape_rule(object: &mut ObjectSchema) {
    ["each", "decide", "forbid"]
        .iter()
        .for_each(|key| object.not_hollow(key));
    object.never_with("forbid", &["each"]);
}

/// Keys of a clause that only failures have.
const OF_FAILURES: [&str; 2] = ["severity", "fix"];

fn check_clause(clause: &ClauseSpec, yaml: &Yaml, decoder: &mut Decoder) {
    let verdict = clause.verdict.key();
    if verdict != "fail" {
        for key in OF_FAILURES {
            let message = format!("`{key}` does not belong to a clause with `{verdict}`");
            decoder.misplaced(yaml.key(key), &message, "only failures have it");
        }
    }
}

fn shape_clause(object: &mut ObjectSchema) {
    OF_FAILURES.iter().for_each(|key| object.only_with(key, &["fail"]));
}
