//! A rule as data: what it asks, of what, and what surrounds it.

use serde::Serialize;

use crate::case::{self, Case};
use crate::diagnostic::{Place, Sources};
use crate::report::explain::Spot;
use crate::rulebook::compile::Parts;
use crate::rulebook::model::{
    Count, Decision, Extract, Fact, FactSource, Guide, Probe, Rule, RuleId, Ruleset, Symbol, Walk, Way, Words,
};

/// Everything about a rule.
#[derive(Serialize)]
pub(super) struct Described {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) about: Option<String>,
    pub(super) severity: &'static str,
    /// The kind of subject that it judges; none: the bundle.
    pub(super) subject: Option<String>,
    pub(super) at: Spot,
    pub(super) refs: Vec<String>,
    pub(super) docs: Option<String>,
    /// The conditions in the order in which they are asked.
    pub(super) asks: Vec<Condition>,
    pub(super) evidence: Vec<Needed>,
    pub(super) facts: Vec<Told>,
    pub(super) explains: Vec<Related>,
    pub(super) explained_by: Vec<Related>,
    pub(super) guides: Vec<String>,
    pub(super) cases: Vec<Covered>,
    /// The inputs that its conditions read, with their values where the user sets none.
    pub(super) inputs: Vec<Set>,
}

#[derive(Serialize)]
pub(super) struct Condition {
    /// `applies`, `when`, `each NAME`, or what the clause decides.
    pub(super) role: String,
    pub(super) text: String,
    pub(super) at: Spot,
}

#[derive(Serialize)]
pub(in crate::commands) struct Needed {
    pub(in crate::commands) probe: String,
    pub(in crate::commands) per: Option<String>,
    /// The names that it goes by in a bundle.
    pub(in crate::commands) captured: Vec<String>,
    /// How it is had live.
    pub(in crate::commands) live: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Told {
    pub(super) fact: String,
    pub(super) how: String,
    pub(super) at: Spot,
}

#[derive(Serialize)]
pub(super) struct Related {
    pub(super) rule: String,
    pub(super) condition: Option<String>,
    /// The rule that says so.
    pub(super) says: String,
}

#[derive(Serialize)]
pub(super) struct Covered {
    pub(super) case: String,
    pub(super) verdict: &'static str,
    pub(super) at: Spot,
}

#[derive(Serialize)]
pub(super) struct Set {
    pub(super) input: String,
    pub(super) about: String,
    pub(super) default: Option<String>,
}

impl Described {
    /// Puts together what is known about a rule.
    pub(super) fn of(ruleset: &Ruleset, id: RuleId, parts: &Parts, cases: &[Case], files: &Sources) -> Described {
        let rule = &ruleset.rules[id];
        let rulebook = &ruleset.rulebooks[rule.rulebook];
        let needed = rule.needs.iter().map(|probe| needed(ruleset, *probe));
        let told = parts.facts.keys().map(|fact| told(ruleset, &ruleset.facts[*fact]));
        Described {
            code: rule.code(ruleset),
            title: rule.title.clone(),
            about: rule.about.clone(),
            severity: rule.severity.word(),
            subject: rule.kind.map(|kind| ruleset.kinds[kind].id.clone()),
            at: spot(&ruleset.sources, rule.place),
            refs: rule.refs.clone(),
            docs: rule.docs.clone().or_else(|| rulebook.docs.clone()),
            asks: asks(ruleset, rule),
            evidence: needed.collect(),
            facts: told.collect(),
            explains: related(ruleset, |edge| (edge.cause == id).then_some(edge.effect)),
            explained_by: related(ruleset, |edge| (edge.effect == id).then_some(edge.cause)),
            guides: ruleset
                .guides
                .iter()
                .filter(|guide| asks_for(guide, id))
                .map(|guide| guide.code(ruleset))
                .collect(),
            cases: covered(id, cases, files),
            inputs: inputs(ruleset, rule),
        }
    }
}

pub(super) fn spot(sources: &Sources, place: Place) -> Spot {
    let (line, column) = sources.position(place);
    Spot {
        file: sources.get(place.file).name.clone(),
        line,
        column,
    }
}

fn asks(ruleset: &Ruleset, rule: &Rule) -> Vec<Condition> {
    let condition = |role: String, text: &crate::rulebook::text::Text| Condition {
        role,
        text: text.value.trim_end().to_owned(),
        at: spot(&ruleset.sources, text.place),
    };
    let rulebook = ruleset.rulebooks[rule.rulebook].when.iter();
    let mut asks: Vec<Condition> = rulebook
        .map(|when| condition("rulebook when".into(), &when.text))
        .collect();
    asks.extend(rule.when.iter().map(|when| condition("when".into(), &when.text)));
    let word = if rule.forbid { "forbid" } else { "each" };
    asks.extend(
        rule.each
            .iter()
            .map(|(name, list)| condition(format!("{word} {name}"), &list.text)),
    );
    // What short forms stand for is written nowhere.
    let written = rule
        .decide
        .iter()
        .filter(|clause| clause.condition.text.place != rule.place);
    asks.extend(written.map(|clause| condition(word_of(clause.decision).into(), &clause.condition.text)));
    if rule
        .decide
        .iter()
        .any(|clause| clause.condition.text.place == rule.place)
        && !rule.forbid
    {
        let mut otherwise = condition("fail".into(), &rule.decide[0].condition.text);
        otherwise.text = "otherwise".into();
        asks.push(otherwise);
    }
    asks
}

fn word_of(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Unknown => "unknown",
        Decision::NotApplicable => "not-applicable",
    }
}

/// What a probe binds to, and how it is had.
pub(in crate::commands) fn needed(ruleset: &Ruleset, probe: usize) -> Needed {
    let declared: &Probe = &ruleset.probes[probe];
    Needed {
        probe: ruleset.probe_code(probe),
        per: declared.kind.map(|kind| ruleset.kinds[kind].id.clone()),
        captured: declared.captured.iter().map(|captured| captured.text.clone()).collect(),
        live: declared.ways.iter().map(way).collect(),
    }
}

/// A way as written, inputs as `<name>`.
fn way(way: &Way) -> String {
    let written = |words: &Words| words.text.value.replace("${inputs.", "<").replace('}', ">");
    let shown = way
        .action
        .map(|words| Ok::<_, std::convert::Infallible>(written(words)));
    match shown {
        Ok(action) => action.show(),
    }
}

fn told(ruleset: &Ruleset, fact: &Fact) -> Told {
    Told {
        fact: format!("{}::{}", ruleset.rulebooks[fact.rulebook].id, fact.id),
        how: how(ruleset, fact),
        at: spot(&ruleset.sources, fact.place),
    }
}

fn how(ruleset: &Ruleset, fact: &Fact) -> String {
    let name = |symbol: &Symbol| match symbol {
        Symbol::Probe(probe) => ruleset.probes[*probe].id.clone(),
        Symbol::Fact(fact) => ruleset.facts[*fact].id.clone(),
        Symbol::Rulebook(rulebook) => ruleset.rulebooks[*rulebook].id.clone(),
    };
    match &fact.source {
        FactSource::Extract(extract) => extracted(&name(&extract.from), extract),
        FactSource::Let(expr) => expr.text.value.trim_end().to_owned(),
        FactSource::Index { of, by } => format!("{} by {by}", name(of)),
        FactSource::Prefer(sources) => {
            let sources: Vec<String> = sources.iter().map(name).collect();
            format!("the first that is known of {}", sources.join(", "))
        }
        FactSource::Over { kind, value } => format!("over all {}s: {}", ruleset.kinds[*kind].id, value.text.value),
    }
}

fn extracted(from: &str, extract: &Extract) -> String {
    let count = match extract.count {
        Count::One => "one",
        Count::First => "the first",
        Count::All => "all",
    };
    let paths: Vec<&str> = extract.paths.iter().map(|path| path.text()).collect();
    let within = extract
        .within
        .as_ref()
        .map_or_else(String::new, |path| format!(" within {}", path.text()));
    format!("{count} of {} in {from}{within}", paths.join(", "))
}

fn related(ruleset: &Ruleset, other: impl Fn(&crate::rulebook::model::Edge) -> Option<RuleId>) -> Vec<Related> {
    let related = |edge| {
        let edge: &crate::rulebook::model::Edge = edge;
        Some(Related {
            rule: ruleset.rules[other(edge)?].code(ruleset),
            condition: edge.condition.as_ref().map(|condition| condition.text.value.clone()),
            says: ruleset.rules[edge.written_by].code(ruleset),
        })
    };
    ruleset.edges.iter().filter_map(related).collect()
}

fn asks_for(guide: &Guide, rule: RuleId) -> bool {
    match &guide.walk {
        Walk::Steps(steps) => steps.iter().any(|step| step.rules.contains(&rule)),
        Walk::Hops(_) => false,
    }
}

fn covered(rule: RuleId, cases: &[Case], files: &Sources) -> Vec<Covered> {
    let mut covered = Vec::new();
    for case in cases {
        for (verdict, name, _) in case.expected() {
            if case.rule(name) == Some(rule) {
                covered.push(Covered {
                    case: case.id.clone(),
                    verdict: case::word(verdict),
                    at: spot(files, case.place),
                });
            }
        }
    }
    covered
}

fn inputs(ruleset: &Ruleset, rule: &Rule) -> Vec<Set> {
    let scripts = rule.when.iter().chain(rule.each.iter().map(|(_, list)| list));
    let scripts = scripts.chain(rule.decide.iter().map(|clause| &clause.condition));
    let mut names: Vec<&str> = Vec::new();
    for read in scripts.flat_map(|expr| &expr.script.reads) {
        if read.namespace.as_deref() == Some("inputs") && !names.contains(&read.name.as_str()) {
            names.push(&read.name);
        }
    }
    let declared = &ruleset.rulebooks[rule.rulebook].inputs;
    let set = |name: &str| {
        let input = declared.get(name)?;
        Some(Set {
            input: name.to_owned(),
            about: input.about.clone(),
            default: input.default.as_ref().map(crate::script::show),
        })
    };
    names.into_iter().filter_map(set).collect()
}
