//! Which probes a live run needs, why, and in which order: read off the rulebooks, before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use crate::rulebook::model::{Captured, Expr, FanOut, KindId, ProbeId, RuleId, RulebookId, Ruleset, Wording};

/// One probe that is to be run, once for each of its subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The probe.
    pub probe: ProbeId,
    /// Its kind of subject; none: the bundle as a whole.
    pub kind: Option<KindId>,
    /// The rules that need it, some perhaps only to find out how to get at other evidence.
    pub rules: Vec<RuleId>,
    /// The probes whose evidence its words or the list of its subjects read.
    pub after: Vec<ProbeId>,
    /// The round in which it runs: after all that it reads.
    pub round: usize,
    /// The name that its evidence gets in the subject's folder.
    pub file: String,
}

/// The probes that rules need, in order; and those of them that can only be captured by other means.
pub fn steps(ruleset: &Ruleset, rules: &[RuleId]) -> (Vec<Step>, Vec<ProbeId>) {
    let mut reasons: BTreeMap<ProbeId, BTreeSet<RuleId>> = BTreeMap::new();
    for &rule in rules {
        let mut next = needed_by(ruleset, rule);
        while let Some(probe) = next.pop() {
            if reasons.entry(probe).or_default().insert(rule) {
                next.extend(before(ruleset, probe));
            }
        }
    }
    let is_live = |probe: &ProbeId| !ruleset.probes[*probe].ways.is_empty();
    let captured_only = reasons.keys().copied().filter(|probe| !is_live(probe)).collect();
    let mut rounds = BTreeMap::new();
    let step = |(probe, rules): (ProbeId, BTreeSet<RuleId>)| {
        Some(Step {
            probe,
            kind: ruleset.probes[probe].kind,
            rules: rules.into_iter().collect(),
            after: before(ruleset, probe),
            round: round(ruleset, probe, &mut rounds),
            file: ruleset.probes[probe].captured.iter().find_map(file_name)?,
        })
    };
    let live = reasons.into_iter().filter(|(probe, _)| is_live(probe));
    let mut steps: Vec<Step> = live.filter_map(step).collect();
    steps.sort_by_key(|step| (step.round, step.kind, step.probe));
    (steps, captured_only)
}

/// The probes that the verdict and the words of a rule may read.
fn needed_by(ruleset: &Ruleset, id: RuleId) -> Vec<ProbeId> {
    let rule = &ruleset.rules[id];
    let mut needs = rule.needs.clone();
    let mut read = |rulebook: RulebookId, expr: &Expr| needs.extend(ruleset.needs_of(rulebook, &expr.script));
    let words = std::iter::once(&rule.words).chain(rule.decide.iter().map(|clause| &clause.words));
    for expr in words.flat_map(exprs).chain(&rule.subject) {
        read(rule.rulebook, expr);
    }
    if let Some(when) = &ruleset.rulebooks[rule.rulebook].when {
        read(rule.rulebook, when);
    }
    for edge in ruleset
        .edges
        .iter()
        .filter(|edge| edge.cause == id || edge.effect == id)
    {
        if let Some(expr) = &edge.condition {
            read(ruleset.rules[edge.written_by].rulebook, expr);
        }
    }
    if let Some(kind) = rule.kind.map(|kind| &ruleset.kinds[kind]) {
        for expr in kind.name.iter().chain(&kind.group) {
            read(kind.rulebook, expr);
        }
    }
    needs
}

/// All scripts of some words.
fn exprs(words: &Wording) -> impl Iterator<Item = &Expr> {
    let labels = words
        .labels
        .iter()
        .flat_map(|label| std::iter::once(&label.at).chain(&label.says));
    let commands = words.looks.iter().chain(&words.fixes).flatten();
    words.says.iter().chain(&words.help).chain(labels).chain(commands)
}

/// The probes whose evidence must be there before a probe can be run.
fn before(ruleset: &Ruleset, probe: ProbeId) -> Vec<ProbeId> {
    let declared = &ruleset.probes[probe];
    let mut below = BTreeSet::new();
    for way in &declared.ways {
        for words in way.action.words() {
            below.extend(ruleset.needs_of(way.rulebook, &words.script));
        }
    }
    for fan in declared.kind.into_iter().flat_map(|kind| &ruleset.kinds[kind].live) {
        below.extend(fan_exprs(fan).flat_map(|expr| ruleset.needs_of(fan.rulebook, &expr.script)));
    }
    below.into_iter().collect()
}

fn fan_exprs(fan: &FanOut) -> impl Iterator<Item = &Expr> {
    fan.each.iter().chain(&fan.names).map(|(_, expr)| expr)
}

/// The round of a probe. Rulebooks have no circles of probes: their compilation refuses them.
fn round(ruleset: &Ruleset, probe: ProbeId, known: &mut BTreeMap<ProbeId, usize>) -> usize {
    if let Some(round) = known.get(&probe) {
        return *round;
    }
    known.insert(probe, 0);
    let below = before(ruleset, probe).into_iter();
    let round = below.map(|below| 1 + round(ruleset, below, known)).max().unwrap_or(0);
    known.insert(probe, round);
    round
}

/// A file name that evidence can be found by again: the captured name, or what comes nearest to a glob.
fn file_name(captured: &Captured) -> Option<String> {
    let name = plain(&captured.text);
    let usable = !name.is_empty() && !name.ends_with('/') && captured.matches(&name);
    usable.then_some(name)
}

/// A name that a glob matches, if it is a simple one.
fn plain(glob: &str) -> String {
    let (mut name, mut rest) = (String::new(), glob);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '*' => after.strip_prefix("*/").unwrap_or(after),
            '?' => {
                name.push('_');
                after
            }
            '[' => {
                let (class, after) = after.split_once(']').unwrap_or((after, ""));
                name.push(
                    class
                        .chars()
                        .next()
                        .filter(|first| !"!^".contains(*first))
                        .unwrap_or('_'),
                );
                after
            }
            '{' => {
                let (choice, after) = after.split_once('}').unwrap_or((after, ""));
                name.push_str(choice.split(',').next().unwrap_or_default());
                after
            }
            '\\' => {
                name.extend(after.chars().next());
                after
                    .get(after.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or_default()
            }
            c => {
                name.push(c);
                after
            }
        };
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_near_to_their_globs() {
        for (glob, expected) in [
            ("a.json", "a.json"),
            ("dump[?]*", "dump?"),
            ("log-?.txt", "log-_.txt"),
            ("**/x.{log,txt}", "x.log"),
            ("logs/*.log", "logs/.log"),
            ("[!a]b", "_b"),
            ("a\\*b", "a*b"),
        ] {
            let matcher = globset::GlobBuilder::new(glob).literal_separator(true).build().unwrap();
            assert_eq!(plain(glob), expected);
            assert!(matcher.compile_matcher().is_match(expected), "{glob}");
        }
    }
}
