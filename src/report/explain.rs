//! Why a rule came to its verdict: every condition with its answer, every name in it with its value and where that comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{RuleVerdict, Verdict};

/// How a rule came to its verdict on one subject
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The subject, as `kind/name`, or `bundle`
    pub subject: String,
    /// The verdict
    pub verdict: RuleVerdict,
    /// Messages of its findings
    pub findings: Vec<String>,
    /// The condition under which the rulebook applies
    pub applies: Option<Question>,
    /// The condition under which the rule applies
    pub when: Option<Question>,
    /// The lists that the rule goes through
    pub each: Vec<Listed>,
    /// Some of the items: the first, and those that decided
    pub items: Vec<Item>,
    /// Number of further items
    pub omitted: u32,
}

/// A condition, and what it came to
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// What it decides where it holds: `when`, or a verdict
    pub decides: String,
    /// The condition, as written; `otherwise` where a short form decides what is left
    pub condition: String,
    /// Where it is written
    pub at: Spot,
    /// What it came to
    pub answer: Answer,
    /// The names in it
    pub names: Vec<Named>,
}

/// What a condition came to
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It holds
    True,
    /// It does not hold
    False,
    /// It is not known, for this reason
    Unknown(String),
    /// It broke, in this way
    Error(String),
}

/// A list that a rule goes through
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// The name of its items
    pub name: String,
    /// The list, as written
    pub list: String,
    /// Where it is written
    pub at: Spot,
    /// Number of items, of all lists where it stands inside another
    pub items: u32,
    /// Why it could not be gone through
    pub stopped: Option<String>,
    /// The names in it, as they were when it was first asked for
    pub names: Vec<Named>,
}

/// An item, or all there is of a rule that goes through no list
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The items of the lists
    pub names: Vec<Named>,
    /// The clauses that were asked; the last of them decided
    pub clauses: Vec<Question>,
    /// The verdict
    pub verdict: Verdict,
    /// Why, where there is something to say
    pub reason: Option<String>,
}

/// A name, its value and where that comes from
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// The name as written, with the members that are read of it
    pub name: String,
    /// The value in one line, cut
    pub value: Option<String>,
    /// Why it has no value
    pub unknown: Option<String>,
    /// Places in the evidence that the value comes from, or that lack it
    pub places: Vec<Source>,
    /// Number of further places
    pub more_places: u32,
    /// How it is computed, for a fact whose value has no place of its own
    pub computed: Option<Computed>,
    /// The names that it is computed from
    #[serde(default)]
    pub from: Vec<Named>,
}

/// A place in the evidence
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Path of the item in the bundle
    pub evidence: String,
    /// Line, counted from 1
    pub line: u32,
    /// Column in characters, counted from 1
    pub column: u32,
    /// Normalized JSONPath (RFC 9535, section 2.7)
    pub path: String,
}

/// How a fact is computed
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Computed {
    /// As written
    pub as_written: String,
    /// Where it is written
    pub at: Spot,
}

/// A place in a rulebook
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spot {
    /// Name of the file
    pub file: String,
    /// Line, counted from 1
    pub line: u32,
    /// Column in characters, counted from 1
    pub column: u32,
}
