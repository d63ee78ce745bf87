//! Which rules explain which: names and globs resolved, written circles reported, circles that globs close cut.

use globset::GlobBuilder;

use crate::diagnostic::{Place, Problem, did_you_mean};
use crate::rulebook::load::LoadedRulebook;
use crate::rulebook::model::{Edge, RuleId, RulebookId};
use crate::rulebook::spec::{NamedOrListed, Script};
use crate::rulebook::text::Text;
use crate::script::Kind;

use super::Compiler;
use super::scripts::Scope;

/// An edge as written: which rule names which, in which role.
struct Written<'s> {
    owner: RuleId,
    other: RuleId,
    /// Whether the owner is the cause.
    explains: bool,
    glob: bool,
    place: Place,
    condition: Option<&'s Text>,
}

impl Compiler {
    pub(super) fn edges(&mut self, loaded: &[LoadedRulebook]) {
        let mut written = Vec::new();
        let rules = loaded.iter().flat_map(|rulebook| rulebook.spec.rules.values());
        for (owner, rule) in rules.enumerate() {
            self.targets(owner, &rule.explains, true, &mut written);
            self.targets(owner, &rule.explained_by, false, &mut written);
        }
        // What is named goes before what only a glob matches: of a circle, the glob's edge is cut.
        written.sort_by_key(|edge| edge.glob);
        let mut reached = vec![Vec::new(); self.rules.len()];
        for edge in written {
            self.lay(edge, &mut reached);
        }
    }

    fn targets<'s>(
        &mut self,
        owner: RuleId,
        named: &'s NamedOrListed<Script>,
        explains: bool,
        written: &mut Vec<Written<'s>>,
    ) {
        for (name, condition) in named.iter() {
            let glob = is_glob(name);
            let all = self.matching(self.rules[owner].rulebook, name, glob).into_iter();
            let found: Vec<RuleId> = all.filter(|rule| *rule != owner || !glob).collect();
            if found.is_empty() {
                self.unknown_rule(self.rules[owner].rulebook, name, glob);
            }
            let condition = condition.as_ref();
            written.extend(found.into_iter().map(|other| Written {
                owner,
                other,
                explains,
                glob,
                place: name.place,
                condition,
            }));
        }
    }

    /// The rules that a name or glob stands for: of this rulebook, or of that before `::`.
    pub(super) fn matching(&self, rulebook: RulebookId, name: &Text, glob: bool) -> Vec<RuleId> {
        let own = self.rulebooks[rulebook].id.as_str();
        let (owner, id) = name.split_once("::").unwrap_or((own, name));
        let owner_of = |rule: &RuleId| self.rulebooks[self.rules[*rule].rulebook].id.as_str();
        let rules = 0..self.rules.len();
        if !glob {
            let named = |rule: &RuleId| self.rules[*rule].id == id && owner_of(rule) == owner;
            return rules.filter(named).collect();
        }
        match GlobBuilder::new(&format!("{owner}::{id}")).build() {
            Ok(glob) => {
                let matcher = glob.compile_matcher();
                let code = |rule: &RuleId| format!("{}::{}", owner_of(rule), self.rules[*rule].id);
                rules.filter(|rule| matcher.is_match(code(rule))).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// A problem: no rule is called so.
    pub(super) fn unknown_rule(&mut self, rulebook: RulebookId, name: &Text, glob: bool) {
        let own = self.rulebooks[rulebook].id.as_str();
        let (owner, id) = name.split_once("::").unwrap_or((own, name));
        let Some(owner_id) = self.rulebooks.iter().position(|rulebook| rulebook.id == owner) else {
            return; // A rulebook that is not part of this run.
        };
        if self.broken.contains(&(owner_id, id.to_owned())) {
            return;
        }
        let what = if glob { "no rule matches" } else { "there is no rule" };
        let rules = self.rules.iter().filter(|rule| rule.rulebook == owner_id);
        let meant = did_you_mean(id, rules.map(|rule| rule.id.as_str()));
        let prefix = name.value.strip_suffix(id).unwrap_or_default();
        let help = meant.map(|meant| format!("did you mean `{prefix}{meant}`?"));
        let problem = Problem::error("unknown-rule", name.place, format!("{what} `{name}`"));
        self.problems.push(problem.label("not found").maybe_help(help));
    }

    fn lay(&mut self, written: Written, effects: &mut [Vec<RuleId>]) {
        let (cause, effect) = if written.explains {
            (written.owner, written.other)
        } else {
            (written.other, written.owner)
        };
        if cause == effect || path_between(effect, cause, effects) {
            if !written.glob {
                let problem = Problem::error("circular-cause", written.place, "rules explain each other in a circle");
                self.problems.push(
                    problem
                        .label("this closes the circle")
                        .help("decide which of them is the cause"),
                );
            }
            return;
        }
        let role = if written.explains { "effect" } else { "cause" };
        let condition = match written.condition.map(|text| self.edge_condition(&written, role, text)) {
            Some(None) => return,
            Some(condition) => condition,
            None => None,
        };
        effects[cause].push(effect);
        self.edges.push(Edge {
            cause,
            effect,
            condition,
            written_by: written.owner,
        });
    }

    fn edge_condition(
        &mut self,
        written: &Written,
        role: &'static str,
        text: &Text,
    ) -> Option<crate::rulebook::model::Expr> {
        let owner = &self.rules[written.owner];
        let locals: Vec<String> = owner.each.iter().map(|(name, _)| name.clone()).collect();
        let scope = Scope {
            locals: &locals,
            other: Some((role, written.other)),
            ..Scope::default()
        };
        self.compiled(owner.rulebook, text, Kind::Expression, scope)
    }
}

/// Whether a name stands for all that match it.
pub(super) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

fn path_between(from: RuleId, to: RuleId, effects: &[Vec<RuleId>]) -> bool {
    let mut seen = vec![false; effects.len()];
    let mut open = vec![from];
    while let Some(rule) = open.pop() {
        if rule == to {
            return true;
        }
        if !std::mem::replace(&mut seen[rule], true) {
            open.extend_from_slice(&effects[rule]);
        }
    }
    false
}
