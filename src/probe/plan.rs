//! A plan for people and programs: everything that a live run would do, with what is not known yet as holes.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::Bundle;
use crate::engine::{Member, Prospect};
use crate::rulebook::model::{KindId, ProbeId, Ruleset, Way};

use super::{Allowance, Bounds, ENVIRONMENT, Step, Word};

/// Everything that a live run would do; nothing else is run, read or connected to
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plan {
    /// Format and version of this plan
    pub schema: Schema,
    /// What would be gathered, in this order; items of one round at the same time
    pub items: Vec<PlannedItem>,
    /// Probes (`rulebook::probe`) that rules need and that no live run can have
    pub captured_only: Vec<String>,
    /// Variables of the environment that every command sees, where they are set; `LANG` is always `C`
    pub environment: Vec<String>,
}

/// Format and version of a plan
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub enum Schema {
    /// The first version
    #[default]
    #[serde(rename = "casebook/plan/v1")]
    V1,
}

/// One item, or one for each subject
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedItem {
    /// The probe, as `rulebook::probe`
    pub probe: String,
    /// The kind of subject that has one each; null for the bundle as a whole
    pub per: Option<String>,
    /// Path that it gets in the bundle; what names the subject is a hole such as `<pod>`
    pub path: String,
    /// Whether evidence lists the subjects, so that there may be any number of items
    pub listed: bool,
    /// Probes whose evidence must be there first
    pub after: Vec<String>,
    /// Rules (`rulebook::rule`) that need it, some perhaps only to find out how to get at other evidence
    pub rules: Vec<String>,
    /// Milliseconds after which it is taken once more
    pub again_ms: Option<u64>,
    /// Ways to it: the first that gives evidence is the last to be gone
    pub ways: Vec<PlannedWay>,
}

/// One way to an item
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedWay {
    /// What it is: `http`, `exec`, `file`, `tcp`, `dns` or `tls`
    pub kind: String,
    /// What is done, with holes such as `<zone>` where something is not known yet
    pub action: String,
    /// The words of the rulebook, filled in: of a command its argument list
    pub words: Vec<String>,
    /// The program, `host:port` or file that `--allow` would name
    pub target: String,
    /// The rulebook that tells it
    pub rulebook: String,
    /// Whether it would be gone
    pub status: Status,
    /// Why it would not
    pub reason: Option<String>,
    /// What is not known yet, as `name: reason`
    pub holes: Vec<String>,
    /// Longest time that it may take, in milliseconds
    pub timeout_ms: u64,
    /// Most bytes that are kept of it
    pub limit: u64,
    /// Variables that a command sees beside the usual ones, as globs
    pub environment: Vec<String>,
}

/// Whether a way would be gone
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is gone as it stands
    Ready,
    /// It is gone once other evidence has filled its holes
    Later,
    /// Something is missing that no evidence gives, such as an input
    Missing,
    /// It is not allowed
    Denied,
}

/// Describes what the steps come to, before anything is done.
pub fn plan(ruleset: &Arc<Ruleset>, steps: &(Vec<Step>, Vec<ProbeId>), with: &With<'_>) -> Plan {
    let nothing = Bundle::empty("plan");
    let prospect = Prospect::new(Arc::clone(ruleset), nothing, with.inputs.to_vec());
    let planner = Planner {
        ruleset,
        prospect,
        with,
    };
    let (steps, captured_only) = steps;
    Plan {
        schema: Schema::V1,
        items: steps.iter().flat_map(|step| planner.items(step)).collect(),
        captured_only: captured_only.iter().map(|probe| ruleset.probe_code(*probe)).collect(),
        environment: ENVIRONMENT.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// What a plan is made with.
pub struct With<'w> {
    /// Values of inputs by rulebook.
    pub inputs: &'w [std::collections::BTreeMap<String, rhai::Dynamic>],
    /// What may be done.
    pub allowance: &'w Allowance,
    /// How much it may take.
    pub bounds: &'w Bounds,
}

struct Planner<'p> {
    ruleset: &'p Ruleset,
    prospect: Prospect,
    with: &'p With<'p>,
}

impl Planner<'_> {
    /// The items of a step: one for each way in which its subjects may be found.
    fn items(&self, step: &Step) -> Vec<PlannedItem> {
        let members = step
            .kind
            .map_or_else(|| vec![Member::default()], |kind| self.members(kind));
        members.iter().map(|member| self.item(step, member)).collect()
    }

    fn members(&self, kind: KindId) -> Vec<Member> {
        let declared = &self.ruleset.kinds[kind];
        let listed = declared.live.iter().map(|fan| Member {
            kind: Some(kind),
            folder: fan.place.fill(&IndexMap::new()),
            listed: true,
            ..Member::default()
        });
        let lone = declared.places.iter().find(|place| place.names().is_empty());
        let lone = lone.map(|place| Member {
            kind: Some(kind),
            folder: place.fill(&IndexMap::new()),
            ..Member::default()
        });
        listed.chain(lone).collect()
    }

    fn item(&self, step: &Step, member: &Member) -> PlannedItem {
        let probe = &self.ruleset.probes[step.probe];
        let code = |probe: &ProbeId| self.ruleset.probe_code(*probe);
        let apart = |way: &&Way| {
            let listed = member.kind.filter(|_| member.listed);
            listed.is_none_or(|kind| self.prospect.tells_apart(way, kind))
        };
        PlannedItem {
            probe: code(&step.probe),
            per: step.kind.map(|kind| self.ruleset.kinds[kind].id.clone()),
            path: match member.folder.as_str() {
                "" => step.file.clone(),
                folder => format!("{folder}/{}", step.file),
            },
            listed: member.listed,
            after: step.after.iter().map(code).collect(),
            rules: step
                .rules
                .iter()
                .map(|rule| self.ruleset.rules[*rule].code(self.ruleset))
                .collect(),
            again_ms: probe.again.map(millis),
            ways: probe
                .ways
                .iter()
                .filter(apart)
                .map(|way| self.way(way, member))
                .collect(),
        }
    }

    fn way(&self, way: &Way, member: &Member) -> PlannedWay {
        let filled = self.prospect.fill(member, way);
        let rulebook = &self.ruleset.rulebooks[way.rulebook];
        let pattern = filled.pattern();
        let holes: Vec<_> = filled.words().into_iter().flat_map(Word::holes).collect();
        let missing = holes.iter().find(|(.., later)| !later);
        let (status, reason) = match (filled.settled(), missing) {
            _ if !self.with.allowance.allows(rulebook.shipped, &pattern) => (
                Status::Denied,
                Some(format!("needs --allow {}={}", pattern.kind(), pattern.target())),
            ),
            (_, Some((_, reason, _))) => (Status::Missing, Some((*reason).to_owned())),
            (Err(_), None) if !holes.is_empty() => (Status::Later, None),
            (Err(reason), None) => (Status::Missing, Some(reason)),
            (Ok(_), None) => (Status::Ready, None),
        };
        PlannedWay {
            kind: pattern.kind().to_owned(),
            action: pattern.show(),
            words: pattern.words().into_iter().cloned().collect(),
            target: pattern.target(),
            rulebook: rulebook.id.clone(),
            status,
            reason,
            holes: holes
                .iter()
                .map(|(name, reason, _)| format!("{name}: {reason}"))
                .collect(),
            timeout_ms: millis(way.timeout.unwrap_or(self.with.bounds.each)),
            limit: way.limit.unwrap_or(self.with.bounds.limit),
            environment: rulebook.environment.clone(),
        }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
