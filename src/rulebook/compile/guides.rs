//! Guides: the rules of their steps resolved, their words and scripts compiled.

use indexmap::IndexMap;

use crate::diagnostic::Problem;
use crate::rulebook::model::{Advice, Guide, Hops, Input, RuleId, RulebookId, Step, Walk};
use crate::rulebook::spec::{GuideSpec, KebabId, RulebookSpec, StepSpec, WalkSpec};
use crate::rulebook::text::Text;
use crate::script::Kind;

use super::Compiler;
use super::edges::is_glob;
use super::scripts::Scope;

impl Compiler {
    pub(super) fn guides(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        for (name, guide) in &spec.guides {
            let guide = self.guide(rulebook, name, guide);
            self.guides.extend(guide);
        }
    }

    fn guide(&mut self, rulebook: RulebookId, name: &KebabId, spec: &GuideSpec) -> Option<Guide> {
        self.guide_inputs(rulebook, spec);
        let inputs = self.inputs(&spec.inputs);
        let walk = match &spec.walk {
            WalkSpec::Steps(steps) => {
                Walk::Steps(steps.iter().map(|step| self.step(rulebook, step, &inputs)).collect())
            }
            WalkSpec::Hops(script) => Walk::Hops(self.hops(rulebook, script, &inputs)?),
        };
        Some(Guide {
            id: name.value.clone(),
            rulebook,
            title: spec.title.as_ref().unwrap_or(name).value.clone(),
            about: spec.about.as_ref().map(|about| about.value.clone()),
            inputs,
            walk,
        })
    }

    /// An input of a guide may not be called like one of its rulebook: it is set by its name alone.
    fn guide_inputs(&mut self, rulebook: RulebookId, spec: &GuideSpec) {
        for name in spec.inputs.keys() {
            let Some(first) = self.rulebooks[rulebook].inputs.get(name.value.as_str()) else {
                continue;
            };
            let message = format!("the rulebook has an input `{name}` already");
            let problem = Problem::error("duplicate-name", name.place, message).label("here again");
            let problem = problem.related(first.place, "first here");
            self.problems
                .push(problem.help("use that of the rulebook, or choose another name"));
        }
    }

    fn step(&mut self, rulebook: RulebookId, spec: &StepSpec, inputs: &IndexMap<String, Input>) -> Step {
        let mut rules = Vec::new();
        for name in spec.rules.iter() {
            let found = self.rules_of_step(rulebook, name);
            rules.extend(
                found
                    .into_iter()
                    .filter(|rule| !rules.contains(rule))
                    .collect::<Vec<_>>(),
            );
        }
        let commands = spec.r#try.iter();
        let commands: Vec<Vec<Advice>> = commands
            .map(|words| {
                words
                    .iter()
                    .filter_map(|word| self.advice(rulebook, word, inputs))
                    .collect()
            })
            .collect();
        Step {
            title: spec.title.value.clone(),
            about: spec.about.as_ref().map(|about| about.value.clone()),
            rules,
            says: spec.says.as_ref().and_then(|says| self.advice(rulebook, says, inputs)),
            looks: commands,
        }
    }

    /// The rules that a step names; a problem where there are none.
    fn rules_of_step(&mut self, rulebook: RulebookId, name: &Text) -> Vec<RuleId> {
        let glob = is_glob(name);
        let found = self.matching(rulebook, name, glob);
        let owner = name.split_once("::").map(|(owner, _)| owner);
        match owner.filter(|owner| !self.uses(rulebook, owner)) {
            Some(owner) => self.unused_rulebook(name, owner),
            None if found.is_empty() => self.unknown_rule(rulebook, name, glob),
            None => {}
        }
        found
    }

    fn uses(&self, rulebook: RulebookId, other: &str) -> bool {
        let used = self.rulebooks[rulebook].uses.iter().chain([&rulebook]);
        used.into_iter().any(|used| self.rulebooks[*used].id == other)
    }

    fn unused_rulebook(&mut self, name: &Text, owner: &str) {
        let message = format!("this rulebook does not use `{owner}`");
        let problem = Problem::error("unknown-rulebook", name.place, message).label("not under `uses`");
        self.problems.push(problem.help(format!("add `uses: [{owner}]`")));
    }

    fn advice(&mut self, rulebook: RulebookId, text: &Text, inputs: &IndexMap<String, Input>) -> Option<Advice> {
        let words = self.compiled(rulebook, text, Kind::Template, scope(inputs))?;
        let symbols = self.symbols_of(rulebook, &words.script);
        let kind = self.common_kind(&symbols, text.place);
        Some(Advice { words, kind })
    }

    fn hops(&mut self, rulebook: RulebookId, text: &Text, inputs: &IndexMap<String, Input>) -> Option<Hops> {
        let script = self.compiled(rulebook, text, Kind::Block, scope(inputs))?;
        let symbols = self.symbols_of(rulebook, &script.script);
        let kind = self.common_kind(&symbols, text.place);
        Some(Hops { script, kind })
    }
}

fn scope(inputs: &IndexMap<String, Input>) -> Scope<'_> {
    Scope {
        inputs: Some(inputs),
        ..Scope::default()
    }
}
