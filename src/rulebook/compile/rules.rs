//! Rules: conditions, words and labels.

use crate::diagnostic::Problem;
use crate::report::model::Severity;
use crate::rulebook::decode::OneOrMany;
use crate::rulebook::model::{Clause, Decision, Expr, Label, Rule, RulebookId, Symbol, Wording, Words};
use crate::rulebook::spec::{
    self, CheckSpec, ClauseSpec, Command, KebabId, LabelSpec, RuleSpec, RulebookSpec, Script, VerdictSpec,
};
use crate::rulebook::text::{Style, Text};
use crate::script::Kind;

use super::Compiler;
use super::scripts::Scope;

impl Compiler {
    /// The condition under which a rulebook applies.
    pub(super) fn when(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        let Some(text) = &spec.when else { return };
        let Some(when) = self.script(rulebook, text, &[]) else {
            return;
        };
        let symbols = self.symbols_of(rulebook, &when.script);
        self.rulebooks[rulebook].when_kind = self.common_kind(&symbols, text.place);
        self.rulebooks[rulebook].when = Some(when);
    }

    pub(super) fn rules(&mut self, rulebook: RulebookId, spec: &RulebookSpec) {
        for (name, rule) in &spec.rules {
            let rule = self.rule(rulebook, name, rule);
            self.rules.push(rule);
        }
    }

    fn rule(&mut self, rulebook: RulebookId, name: &KebabId, spec: &RuleSpec) -> Rule {
        let mut locals = Vec::new();
        let when = spec.when.as_ref().and_then(|text| self.script(rulebook, text, &locals));
        let (lists, forbid) = match &spec.check {
            CheckSpec::Forbid(lists) => (spec.each.iter().chain(lists).collect::<Vec<_>>(), true),
            _ => (spec.each.iter().collect(), false),
        };
        let mut each = Vec::new();
        for (local, text) in lists {
            if let Some(list) = self.script(rulebook, text, &locals) {
                each.push((local.value.clone(), list));
            }
            locals.push(local.value.clone());
        }
        let decide = self.decide(rulebook, name, &spec.check, &locals);
        let parts = Parts {
            says: &spec.says,
            at: &spec.at,
            labels: &spec.labels,
            help: &spec.help,
            looks: &spec.r#try,
            fixes: &spec.fix,
        };
        let mut rule = Rule {
            id: name.value.clone(),
            rulebook,
            place: name.place,
            title: spec.title.value.clone(),
            about: spec.about.as_ref().map(|about| about.value.clone()),
            severity: severity(spec.severity),
            kind: None,
            when,
            each,
            forbid,
            decide,
            key: spec.key.as_ref().and_then(|text| self.script(rulebook, text, &locals)),
            subject: spec
                .subject
                .as_ref()
                .and_then(|text| self.words(rulebook, text, &locals)),
            words: self.wording(rulebook, &parts, &locals),
            docs: spec.docs.as_ref().map(|docs| docs.value.clone()),
            refs: spec.refs.iter().map(|entry| entry.value.clone()).collect(),
            needs: Vec::new(),
        };
        self.settle_rule(&mut rule);
        rule
    }

    /// The kind of subject that a rule judges, and the probes that it may read.
    fn settle_rule(&mut self, rule: &mut Rule) {
        let mut symbols: Vec<Symbol> = Vec::new();
        let scripts = rule
            .when
            .iter()
            .chain(rule.each.iter().map(|(_, list)| list))
            .chain(rule.decide.iter().map(|clause| &clause.condition));
        for expr in scripts.chain(rule.key.iter()) {
            symbols.extend(self.symbols_of(rule.rulebook, &expr.script));
        }
        rule.kind = self.common_kind(&symbols, rule.place);
        rule.needs = symbols.iter().flat_map(|symbol| self.needs(*symbol)).collect();
        rule.needs.sort_unstable();
        rule.needs.dedup();
        if symbols.is_empty() && !self.problems.has_errors() {
            let problem = Problem::error(
                "rule-without-evidence",
                rule.place,
                format!("the rule `{}` looks at nothing", rule.id),
            );
            self.problems.push(
                problem
                    .label("no probe or fact in its conditions")
                    .help("name a fact or probe in `expect`, `decide` or `each`"),
            );
        }
    }

    fn decide(&mut self, rulebook: RulebookId, name: &KebabId, check: &CheckSpec, locals: &[String]) -> Vec<Clause> {
        match check {
            CheckSpec::Expect(text) => {
                let pass = self
                    .script(rulebook, text, locals)
                    .map(|condition| clause(Decision::Pass, condition));
                pass.into_iter().chain(self.always(rulebook, name)).collect()
            }
            CheckSpec::Forbid(_) => self.always(rulebook, name).into_iter().collect(),
            CheckSpec::Decide(clauses) => clauses
                .iter()
                .filter_map(|spec| self.clause(rulebook, spec, locals))
                .collect(),
        }
    }

    /// `fail: true`, which short forms stand for.
    fn always(&mut self, rulebook: RulebookId, name: &KebabId) -> Option<Clause> {
        let text = Text {
            value: "true".into(),
            place: name.place,
            style: Style::Plain,
        };
        let condition = self.compiled(rulebook, &text, Kind::Expression, Scope::default())?;
        Some(clause(Decision::Fail, condition))
    }

    fn clause(&mut self, rulebook: RulebookId, spec: &ClauseSpec, locals: &[String]) -> Option<Clause> {
        let decision = match &spec.verdict {
            VerdictSpec::Pass(_) => Decision::Pass,
            VerdictSpec::Fail(_) => Decision::Fail,
            VerdictSpec::Unknown(_) => Decision::Unknown,
            VerdictSpec::NotApplicable(_) => Decision::NotApplicable,
        };
        let condition = self.script(rulebook, spec.verdict.condition(), locals);
        let parts = Parts {
            says: &spec.says,
            at: &spec.at,
            labels: &spec.labels,
            help: &spec.help,
            looks: &spec.r#try,
            fixes: &spec.fix,
        };
        let words = self.wording(rulebook, &parts, locals);
        Some(Clause {
            decision,
            condition: condition?,
            severity: spec.severity.map(severity),
            words,
        })
    }

    fn wording(&mut self, rulebook: RulebookId, parts: &Parts, locals: &[String]) -> Wording {
        let at = parts.at.iter().filter_map(|text| {
            Some(Label {
                at: self.script(rulebook, text, locals)?,
                says: None,
            })
        });
        let mut labels: Vec<Label> = at.collect();
        labels.extend(
            parts
                .labels
                .iter()
                .filter_map(|spec| self.label(rulebook, spec, locals)),
        );
        Wording {
            says: parts.says.as_ref().and_then(|text| self.words(rulebook, text, locals)),
            labels,
            help: parts.help.as_ref().and_then(|text| self.words(rulebook, text, locals)),
            looks: self.commands(rulebook, parts.looks, locals),
            fixes: self.commands(rulebook, parts.fixes, locals),
        }
    }

    fn label(&mut self, rulebook: RulebookId, spec: &LabelSpec, locals: &[String]) -> Option<Label> {
        let at = self.script(rulebook, &spec.at, locals);
        let says = spec.says.as_ref().and_then(|text| self.words(rulebook, text, locals));
        Some(Label { at: at?, says })
    }

    fn commands(&mut self, rulebook: RulebookId, commands: &[Command], locals: &[String]) -> Vec<Vec<Words>> {
        commands
            .iter()
            .map(|command| {
                command
                    .iter()
                    .filter_map(|word| self.words(rulebook, word, locals))
                    .collect()
            })
            .collect()
    }
}

/// The words of a rule or clause, as written.
struct Parts<'a> {
    says: &'a Option<Text>,
    at: &'a OneOrMany<Script>,
    labels: &'a OneOrMany<LabelSpec>,
    help: &'a Option<Text>,
    looks: &'a [Command],
    fixes: &'a [Command],
}

fn clause(decision: Decision, condition: Expr) -> Clause {
    Clause {
        decision,
        condition,
        severity: None,
        words: Wording::default(),
    }
}

/// The severity that a word of a rulebook stands for.
pub fn severity(spec: spec::Severity) -> Severity {
    match spec {
        spec::Severity::Critical => Severity::Critical,
        spec::Severity::Error => Severity::Error,
        spec::Severity::Warning => Severity::Warning,
        spec::Severity::Info => Severity::Info,
    }
}
