//! How a rule comes to its verdict: it is judged as always, while somebody watches and notes every answer.

use std::sync::Arc;

use rhai::Array;

use crate::diagnostic::Place;
use crate::report::explain::{Answer, Computed, Explanation, Item, Listed, Named, Question, Source, Spot};
use crate::report::model::Verdict;
use crate::rulebook::compile::{Part, Parts};
use crate::rulebook::model::{Decision, Expr, FactId, FactSource, RuleId, Ruleset, Symbol};
use crate::script;

use super::applies::OfSubjects;
use super::frame::{Frame, Locals};
use super::halt::Halt;
use super::judge::{self, Asked, Watch};
use super::query::{Holder, Inquiry};
use super::run::Run;
use super::{assemble, finding};

/// Items that are told from the first on.
const FIRST: usize = 3;
/// Items of each verdict that are told beside them.
const OF_VERDICT: usize = 3;
/// Places of a value that are told.
const PLACES: usize = 3;
/// How far computed facts are followed down.
const DEEPEST: usize = 3;
/// Most characters of a value.
const SHOWN: usize = 160;

impl Inquiry {
    /// How a rule comes to its verdict on each subject, or on the bundle.
    pub fn explain(&self, rule: RuleId, parts: &Parts) -> Vec<Explanation> {
        let asked = OfSubjects::of(self, rule);
        let of_kind = |holder: &Holder| {
            let run = &holder.run;
            let declared = &run.ruleset().rules[rule];
            (declared.kind == holder.kind()).then(|| explained(run, rule, parts, &asked.answer(run, declared.rulebook)))
        };
        let explained: Vec<Explanation> = self.look(of_kind).into_iter().flatten().collect();
        if explained.is_empty() && self.ruleset().rules[rule].kind.is_some() {
            let nobody = |holder: &Holder| holder.kind().is_none().then(|| without_subject(&holder.run, rule));
            return self.look_at_whole(nobody).into_iter().collect();
        }
        explained
    }
}

fn blank(verdict: crate::report::model::RuleVerdict) -> Explanation {
    Explanation {
        subject: verdict.subject.clone(),
        verdict,
        findings: Vec::new(),
        applies: None,
        when: None,
        each: Vec::new(),
        items: Vec::new(),
        omitted: 0,
    }
}

fn without_subject(whole: &Arc<Run>, rule: RuleId) -> Explanation {
    blank(assemble::no_subject(whole, rule))
}

fn explained(run: &Arc<Run>, id: RuleId, parts: &Parts, applies: &Result<bool, Halt>) -> Explanation {
    let ruleset = run.ruleset();
    let rule = &ruleset.rules[id];
    let mut watcher = Watcher {
        run,
        frame: run.frame(rule.rulebook),
        rule: id,
        parts,
        when: None,
        each: Vec::new(),
        clauses: Vec::new(),
        items: Vec::new(),
        omitted: 0,
    };
    let rulebook = &ruleset.rulebooks[rule.rulebook];
    let condition = rulebook
        .when
        .as_ref()
        .map(|when| watcher.question("when", when, applies, &parts.applies, &Locals::new()));
    let mut explanation = match applies {
        Ok(true) => {
            let judged = judge::judge_watched(run, id, &mut watcher);
            let (drafts, trouble) = finding::drafts(run, id, &judged);
            let verdict = assemble::verdict(run, id, &judged, &drafts, trouble.as_ref());
            let findings = drafts.into_iter().map(|draft| draft.finding.message);
            Explanation {
                findings: findings.collect(),
                ..blank(verdict)
            }
        }
        not => blank(assemble::not_applied(run, id, not)),
    };
    let decided = explanation.verdict.verdict;
    let mut nth = 0;
    watcher.items.retain(|item| {
        nth += 1;
        let keep = nth <= FIRST || item.verdict == decided;
        watcher.omitted += u32::from(!keep);
        keep
    });
    explanation.applies = condition;
    explanation.when = watcher.when;
    explanation.each = watcher.each;
    explanation.items = watcher.items;
    explanation.omitted = watcher.omitted;
    explanation
}

struct Watcher<'w> {
    run: &'w Arc<Run>,
    frame: Arc<Frame>,
    rule: RuleId,
    parts: &'w Parts,
    when: Option<Question>,
    each: Vec<Listed>,
    /// The answers to the clauses of the item at hand.
    clauses: Vec<(usize, Result<bool, Halt>)>,
    items: Vec<Item>,
    omitted: u32,
}

impl Watch for Watcher<'_> {
    fn asked(&mut self, asked: Asked, answer: &Result<bool, Halt>) {
        match asked {
            Asked::Clause(clause) => self.clauses.push((clause, answer.clone())),
            Asked::When => {
                let when = self.run.ruleset().rules[self.rule].when.as_ref();
                self.when = when.map(|when| self.question("when", when, answer, &self.parts.when, &Locals::new()));
            }
        }
    }

    fn listed(&mut self, depth: usize, locals: &Locals, list: &Result<Array, Halt>) {
        let Some((name, expr)) = self.run.ruleset().rules[self.rule].each.get(depth) else {
            return;
        };
        if self.each.len() == depth {
            self.each.push(Listed {
                name: name.clone(),
                list: expr.text.value.clone(),
                at: spot(self.run.ruleset(), expr.text.place),
                items: 0,
                stopped: None,
                names: self.names(self.parts.each.get(depth), locals),
            });
        }
        let Some(listed) = self.each.get_mut(depth) else { return };
        match list {
            Ok(list) => listed.items += u32::try_from(list.len()).unwrap_or(u32::MAX),
            Err(halt) => {
                listed.stopped.get_or_insert_with(|| halt.told(self.run.ruleset()));
            }
        }
    }

    fn decided(&mut self, locals: &Locals, verdict: Verdict, reason: Option<&str>) {
        let clauses = std::mem::take(&mut self.clauses);
        if clauses.is_empty() {
            return;
        }
        let alike = self.items.iter().filter(|item| item.verdict == verdict).count();
        if self.items.len() >= FIRST && alike >= OF_VERDICT {
            self.omitted += 1;
            return;
        }
        let rule = &self.run.ruleset().rules[self.rule];
        let question = |(clause, answer): (usize, Result<bool, Halt>)| {
            let declared = rule.decide.get(clause)?;
            let parts = self.parts.decide.get(clause).map(Vec::as_slice).unwrap_or_default();
            let question = self.question(word(declared.decision), &declared.condition, &answer, parts, locals);
            // What a short form stands for is written nowhere.
            let written = declared.condition.text.place != rule.place;
            Some(if written {
                question
            } else {
                Question {
                    condition: "otherwise".into(),
                    ..question
                }
            })
        };
        let clauses = clauses.into_iter().filter_map(question).collect();
        let named = locals
            .iter()
            .map(|(name, value)| self.valued(name.clone(), Ok(value.clone())));
        let names = named.collect();
        self.items.push(Item {
            names,
            clauses,
            verdict,
            reason: reason.map(str::to_owned),
        });
    }
}

impl Watcher<'_> {
    fn question(
        &self,
        decides: &str,
        condition: &Expr,
        answer: &Result<bool, Halt>,
        parts: &[Part],
        locals: &Locals,
    ) -> Question {
        let ruleset = self.run.ruleset();
        Question {
            decides: decides.to_owned(),
            condition: condition.text.value.clone(),
            at: spot(ruleset, condition.text.place),
            answer: match answer {
                Ok(true) => Answer::True,
                Ok(false) => Answer::False,
                Err(Halt::Unknown(unknown)) => Answer::Unknown(unknown.reason.clone()),
                Err(broken @ Halt::Broken(_)) => Answer::Error(broken.told(ruleset)),
            },
            names: parts
                .iter()
                .map(|part| self.named(&self.frame, part, locals, 0))
                .collect(),
        }
    }

    fn names(&self, parts: Option<&Vec<Part>>, locals: &Locals) -> Vec<Named> {
        let parts = parts.map(Vec::as_slice).unwrap_or_default().iter();
        parts.map(|part| self.named(&self.frame, part, locals, 0)).collect()
    }

    fn named(&self, frame: &Arc<Frame>, part: &Part, locals: &Locals, depth: usize) -> Named {
        let mut named = self.valued(part.expr.text.value.clone(), frame.eval(&part.expr, locals));
        if let Some(Symbol::Fact(fact)) = part.symbol
            && named.places.is_empty()
            && depth < DEEPEST
        {
            self.follow(&mut named, fact, depth);
        }
        named
    }

    /// How a fact is computed, and from what.
    fn follow(&self, named: &mut Named, fact: FactId, depth: usize) {
        let ruleset = self.run.ruleset();
        let declared = &ruleset.facts[fact];
        match &declared.source {
            FactSource::Let(expr) => {
                named.computed = Some(Computed {
                    as_written: expr.text.value.clone(),
                    at: spot(ruleset, expr.text.place),
                });
                let frame = self.run.frame(declared.rulebook);
                let parts = self.parts.facts.get(&fact).map(Vec::as_slice).unwrap_or_default();
                let below = parts
                    .iter()
                    .map(|part| self.named(&frame, part, &Locals::new(), depth + 1));
                named.from = below.collect();
            }
            FactSource::Prefer(sources) => {
                named.from = sources.iter().map(|source| self.source(*source, depth)).collect();
            }
            FactSource::Index { of, .. } => named.from = vec![self.source(*of, depth)],
            FactSource::Extract(_) | FactSource::Over { .. } => {}
        }
    }

    fn source(&self, symbol: Symbol, depth: usize) -> Named {
        let ruleset = self.run.ruleset();
        let name = match symbol {
            Symbol::Fact(fact) => ruleset.facts[fact].id.clone(),
            Symbol::Probe(probe) => ruleset.probes[probe].id.clone(),
            Symbol::Rulebook(rulebook) => ruleset.rulebooks[rulebook].id.clone(),
        };
        let value = self.run.symbol(symbol, &mut super::trace::Trace::default());
        let mut named = self.valued(name, value);
        if let (Symbol::Fact(fact), true) = (symbol, named.places.is_empty() && depth + 1 < DEEPEST) {
            self.follow(&mut named, fact, depth + 1);
        }
        named
    }

    /// A value in words, with its places.
    fn valued(&self, name: String, value: Result<rhai::Dynamic, Halt>) -> Named {
        let mut named = Named {
            name,
            value: None,
            unknown: None,
            places: Vec::new(),
            more_places: 0,
            computed: None,
            from: Vec::new(),
        };
        match value {
            Err(halt) => named.unknown = Some(halt.told(self.run.ruleset())),
            Ok(value) => {
                let places = script::places_of(&value);
                let labels = places
                    .iter()
                    .filter_map(|place| finding::label(self.run, *place, None, false));
                let sources = labels.take(PLACES).map(|label| Source {
                    evidence: label.evidence,
                    line: label.line,
                    column: label.column,
                    path: label.path,
                });
                named.places = sources.collect();
                named.more_places = u32::try_from(places.len() - named.places.len()).unwrap_or(u32::MAX);
                named.value = Some(shown(self.run, &value));
            }
        }
        named
    }
}

/// A value in one line, with texts in quotes and secrets covered.
fn shown(run: &Run, value: &rhai::Dynamic) -> String {
    if value.is_unit() {
        return "(absent)".into();
    }
    let text = run.shown(value);
    let text = run.context.redactor().text(&text);
    let text = if value.is_string() {
        format!("{text:?}")
    } else {
        text.into_owned()
    };
    let count = value.read_lock::<Array>().map(|list| list.len());
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    };
    match count {
        Some(count @ 2..) => format!("{count} items: {cut}"),
        _ => cut,
    }
}

fn spot(ruleset: &Ruleset, place: Place) -> Spot {
    let (line, column) = ruleset.sources.position(place);
    Spot {
        file: ruleset.sources.get(place.file).name.clone(),
        line,
        column,
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Unknown => "unknown",
        Decision::NotApplicable => "not-applicable",
    }
}
