//! One rule on one subject: its conditions in order, for every item it is repeated for, and the guards over its verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rhai::{Array, Dynamic};

use crate::report::model::{Severity, Verdict};
use crate::rulebook::model::{Clause, Decision, Expr, Rule, RuleId, Ruleset};
use crate::script::Unknown;

use super::frame::{Frame, Locals};
use super::halt::Halt;
use super::run::Run;
use super::trace::{ProbeSet, Trace};

/// Most different reasons that are kept for one verdict.
const MAX_REASONS: usize = 3;

/// Most failing items of one finding that labels are made for; further ones are counted.
pub(super) const MAX_LABELLED: usize = 5;

/// What a rule came to on a subject.
#[derive(Debug)]
pub(super) struct Judged {
    /// The worst verdict of its items.
    pub(super) verdict: Verdict,
    /// Number of items by verdict, for a rule that is repeated.
    pub(super) items: BTreeMap<Verdict, u32>,
    /// What is to be said about each verdict.
    pub(super) notes: BTreeMap<Verdict, Note>,
    /// The failing items, by key.
    pub(super) failures: IndexMap<Option<String>, Failure>,
    /// The frame that its words are made in.
    pub(super) frame: Arc<Frame>,
    /// Probes whose evidence was known and was read.
    pub(super) reads: ProbeSet,
}

/// The reasons for a verdict.
#[derive(Debug, Default)]
pub(super) struct Note {
    /// Different reasons, at most [`MAX_REASONS`].
    pub(super) reasons: Vec<String>,
    /// Number of items whose reasons were left out.
    pub(super) more: u32,
    /// Probes whose evidence would settle it, as `rulebook::probe`.
    pub(super) missing: Vec<String>,
    /// Where in the rulebook something broke.
    pub(super) place: Option<crate::diagnostic::Place>,
}

/// Failing items with one key.
#[derive(Debug)]
pub(super) struct Failure {
    /// The worst severity of the items.
    pub(super) severity: Severity,
    /// The items that labels are made for.
    pub(super) items: Vec<Failed>,
    /// Number of further items.
    pub(super) more: u64,
}

/// One failing item.
#[derive(Debug)]
pub(super) struct Failed {
    /// Index of the clause that failed.
    pub(super) clause: usize,
    /// The names of `each`.
    pub(super) locals: Locals,
    /// What was read.
    pub(super) trace: Trace,
}

/// What one item came to.
enum Decided {
    Verdict(Verdict, Option<Note>),
    Fail(usize),
}

/// A question that a rule asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// Whether it applies.
    When,
    /// Whether the clause with this index holds.
    Clause(usize),
}

/// Somebody who looks on while a rule is judged.
pub(super) trait Watch {
    /// A condition was asked.
    fn asked(&mut self, asked: Asked, answer: &Result<bool, Halt>);
    /// The list of the `depth`th `each` was had, or not.
    fn listed(&mut self, depth: usize, locals: &Locals, list: &Result<Array, Halt>);
    /// An item, or a rule without items, came to a verdict.
    fn decided(&mut self, locals: &Locals, verdict: Verdict, reason: Option<&str>);
}

/// Judges `rule` in `run`.
pub(super) fn judge(run: &Arc<Run>, id: RuleId) -> Judged {
    judged(run, id, None)
}

/// Judges `rule` in `run` while somebody looks on.
pub(super) fn judge_watched(run: &Arc<Run>, id: RuleId, watch: &mut dyn Watch) -> Judged {
    judged(run, id, Some(watch))
}

fn judged(run: &Arc<Run>, id: RuleId, watch: Option<&mut dyn Watch>) -> Judged {
    let rule = run.context.rule(id);
    let frame = run.frame(rule.rulebook);
    let mut judge = Judge {
        ruleset: run.ruleset(),
        rule,
        frame,
        locals: Locals::new(),
        items: BTreeMap::new(),
        notes: BTreeMap::new(),
        failures: IndexMap::new(),
        decided: 0,
        reads: ProbeSet::default(),
        watch,
    };
    judge.start();
    run.context.has_decided(id, judge.decided);
    judge.finish()
}

struct Judge<'r, 'w> {
    ruleset: &'r Ruleset,
    rule: &'r Rule,
    frame: Arc<Frame>,
    locals: Locals,
    items: BTreeMap<Verdict, u32>,
    notes: BTreeMap<Verdict, Note>,
    failures: IndexMap<Option<String>, Failure>,
    /// The clauses that have decided, as bits.
    decided: u64,
    reads: ProbeSet,
    watch: Option<&'w mut dyn Watch>,
}

impl Judge<'_, '_> {
    fn asked(&mut self, asked: Asked, answer: &Result<bool, Halt>) {
        if let Some(watch) = self.watch.as_deref_mut() {
            watch.asked(asked, answer);
        }
    }

    /// What was read since this was last asked.
    fn traced(&mut self) -> Trace {
        let trace = self.frame.take_trace();
        self.reads.extend(&trace.reads);
        trace
    }

    fn start(&mut self) {
        let applies = match &self.rule.when {
            None => Ok(true),
            Some(when) => {
                let answer = self.condition(when);
                self.asked(Asked::When, &answer);
                answer
            }
        };
        match applies {
            Err(stop) => self.stopped(stop),
            Ok(false) => self.count(Verdict::NotApplicable, Some(Note::of(self.does_not_apply()))),
            Ok(true) => {
                let base = self.traced();
                self.walk(0, &base);
                if self.items.is_empty() {
                    self.nothing_to_check();
                }
            }
        }
    }

    /// Why its `when` leaves the rule out, in its own words if they are few.
    fn does_not_apply(&self) -> String {
        let when = self.rule.when.as_ref().map_or("", |when| when.text.trim());
        match when.lines().count() {
            1 => format!("`{when}` is not so"),
            _ => "its `when` is not so".to_owned(),
        }
    }

    /// Goes through the items of the `depth`th `each`, or decides where all of them have a value.
    fn walk(&mut self, depth: usize, base: &Trace) {
        let rule = self.rule;
        let Some((name, source)) = rule.each.get(depth) else {
            return self.item(base);
        };
        let list = self.frame.eval(source, &self.locals).and_then(items_of);
        let mut below = base.clone();
        below.merge(&self.traced());
        if let Some(watch) = self.watch.as_deref_mut() {
            watch.listed(depth, &self.locals, &list);
        }
        match list {
            Err(stop) => self.stopped(stop),
            Ok(list) => {
                for value in list {
                    self.locals.push((name.clone(), value));
                    self.walk(depth + 1, &below);
                    self.locals.pop();
                }
                if depth == 0 && self.items.is_empty() && rule.forbid {
                    self.forbidden_absent(&below);
                }
            }
        }
    }

    /// No item of a `forbid`: a pass, if the evidence was there.
    fn forbidden_absent(&mut self, trace: &Trace) {
        let (verdict, note) = self.guarded(trace, None);
        self.notes.insert(verdict, note.unwrap_or_default());
    }

    fn nothing_to_check(&mut self) {
        if self.notes.is_empty() {
            self.notes.insert(Verdict::NotApplicable, Note::of("nothing to check"));
        }
    }

    fn item(&mut self, base: &Trace) {
        let decided = self.decide();
        let mut trace = base.clone();
        match decided {
            Err(stop) => self.stopped(stop),
            Ok(Decided::Fail(clause)) => self.failed(clause, trace),
            Ok(Decided::Verdict(Verdict::Pass, remark)) => {
                trace.merge(&self.traced());
                let (verdict, note) = self.guarded(&trace, remark);
                self.count(verdict, note);
            }
            Ok(Decided::Verdict(verdict, note)) => self.count(verdict, note),
        }
        self.traced();
    }

    /// The first clause that holds.
    fn decide(&mut self) -> Result<Decided, Halt> {
        let rule = self.rule;
        for (index, clause) in rule.decide.iter().enumerate() {
            let answer = self.condition(&clause.condition);
            self.asked(Asked::Clause(index), &answer);
            if !answer? {
                continue;
            }
            self.decided |= 1 << index.min(63);
            return Ok(match clause.decision {
                Decision::Fail => Decided::Fail(index),
                Decision::Pass => Decided::Verdict(Verdict::Pass, self.remark(Verdict::Pass, clause)?),
                Decision::NotApplicable => {
                    Decided::Verdict(Verdict::NotApplicable, self.remark(Verdict::NotApplicable, clause)?)
                }
                Decision::Unknown => Decided::Verdict(Verdict::Unknown, self.remark(Verdict::Unknown, clause)?),
            });
        }
        Ok(Decided::Verdict(Verdict::Unknown, Some(Note::of("undecided"))))
    }

    /// What a clause says about its verdict; made only while there is room for it.
    fn remark(&self, verdict: Verdict, clause: &Clause) -> Result<Option<Note>, Halt> {
        let full = self
            .notes
            .get(&verdict)
            .is_some_and(|note| note.reasons.len() >= MAX_REASONS);
        match &clause.words.says {
            Some(says) if !full => Ok(Some(Note::of(self.frame.told(says, &self.locals)?))),
            _ => Ok(None),
        }
    }

    fn condition(&self, expr: &Expr) -> Result<bool, Halt> {
        let value = self.frame.eval(expr, &self.locals)?;
        value.as_bool().map_err(|kind| {
            let message = format!("a condition must be true or false, and this is of type {kind}");
            Halt::broken(message).at(&expr.text)
        })
    }

    fn failed(&mut self, clause: usize, mut trace: Trace) {
        let rule = self.rule;
        let key = match rule.key.as_ref().map(|key| self.frame.eval(key, &self.locals)) {
            None => None,
            Some(Ok(key)) => Some(key.to_string()),
            Some(Err(Halt::Unknown(_))) => None,
            Some(Err(stop)) => return self.stopped(stop),
        };
        trace.merge(&self.traced());
        if let Some(note) = self.objection(&trace, Verdict::Fail) {
            return self.count(Verdict::Unknown, Some(note));
        }
        let severity = rule.decide[clause].severity.unwrap_or(rule.severity);
        self.count(Verdict::Fail, None);
        let empty = || Failure {
            severity,
            items: Vec::new(),
            more: 0,
        };
        let failure = self.failures.entry(key).or_insert_with(empty);
        failure.severity = failure.severity.max(severity);
        match failure.items.len() < MAX_LABELLED {
            true => failure.items.push(Failed {
                clause,
                locals: self.locals.clone(),
                trace,
            }),
            false => failure.more += 1,
        }
    }

    fn stopped(&mut self, stop: Halt) {
        match stop {
            Halt::Unknown(Unknown { reason, missing }) => {
                self.count(
                    Verdict::Unknown,
                    Some(Note {
                        missing,
                        ..Note::of(reason)
                    }),
                );
            }
            Halt::Broken(failed) => {
                self.count(
                    Verdict::Error,
                    Some(Note {
                        place: failed.place,
                        ..Note::of(failed.message)
                    }),
                );
            }
        }
    }

    /// A pass as it stands, or unknown where it cannot rest on what was read.
    fn guarded(&self, trace: &Trace, remark: Option<Note>) -> (Verdict, Option<Note>) {
        match self.objection(trace, Verdict::Pass) {
            Some(note) => (Verdict::Unknown, Some(note)),
            None => (Verdict::Pass, remark),
        }
    }

    /// Why a verdict cannot rest on what was read; evidence that was cut off would settle it.
    fn objection(&self, trace: &Trace, verdict: Verdict) -> Option<Note> {
        let reason = trace.objection(verdict)?;
        let cut = trace.cut.iter();
        Some(Note {
            missing: cut.map(|cut| self.ruleset.probe_code(cut.probe)).collect(),
            ..Note::of(reason)
        })
    }

    fn count(&mut self, verdict: Verdict, note: Option<Note>) {
        *self.items.entry(verdict).or_default() += 1;
        if let Some(watch) = self.watch.as_deref_mut() {
            let reason = note.as_ref().and_then(|note| note.reasons.first());
            watch.decided(&self.locals, verdict, reason.map(String::as_str));
        }
        if let Some(note) = note {
            self.notes.entry(verdict).or_default().add(note);
        }
    }

    fn finish(mut self) -> Judged {
        self.traced();
        let Judge {
            rule,
            frame,
            items,
            notes,
            failures,
            reads,
            ..
        } = self;
        let worst = [
            Verdict::Fail,
            Verdict::Error,
            Verdict::Unknown,
            Verdict::Pass,
            Verdict::NotApplicable,
        ];
        let verdict = worst
            .into_iter()
            .find(|v| items.contains_key(v) || notes.contains_key(v));
        let items = if rule.each.is_empty() { BTreeMap::new() } else { items };
        Judged {
            verdict: verdict.unwrap_or(Verdict::NotApplicable),
            items,
            notes,
            failures,
            frame,
            reads,
        }
    }
}

impl Note {
    fn of(reason: impl Into<String>) -> Note {
        Note {
            reasons: vec![reason.into()],
            ..Note::default()
        }
    }

    fn add(&mut self, other: Note) {
        for reason in other.reasons {
            match () {
                () if self.reasons.contains(&reason) => {}
                () if self.reasons.len() < MAX_REASONS => self.reasons.push(reason),
                () => self.more += 1,
            }
        }
        for probe in other.missing {
            if !self.missing.contains(&probe) {
                self.missing.push(probe);
            }
        }
        self.place = self.place.or(other.place);
    }

    /// The reasons in one line.
    pub(super) fn text(&self) -> Option<String> {
        let joined = self.reasons.join("; ");
        match (joined.is_empty(), self.more) {
            (true, _) => None,
            (false, 0) => Some(joined),
            (false, more) => Some(format!("{joined}; and {more} more")),
        }
    }
}

/// What `each` goes through: a list; an absent one is empty.
pub(super) fn items_of(value: Dynamic) -> Result<Array, Halt> {
    if value.is_unit() {
        return Ok(Array::new());
    }
    value
        .into_array()
        .map_err(|kind| Halt::broken(format!("`each` goes through a list, and this is of type {kind}")))
}
