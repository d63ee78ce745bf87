//! Running a plan over a document.

use super::compare::{Value, equal, less};
use super::pattern::Pattern;
use super::plan::{
    Literal, Logical, Match, NameIndex, Operand, Operator, PatternSource, Plan, Query, Segment, Selector, Start,
};
use crate::document::{Document, Kind, Name, NodeId, Number};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow::{self, Break, Continue};

/// Patterns read from documents that one run keeps compiled.
const KEPT_PATTERNS: usize = 64;
/// A subtree of fewer nodes is walked, unless the document has its index already.
const WORTH_AN_INDEX: usize = 4096;

/// All nodes that the plan selects; none if that takes more steps than allowed.
pub(super) fn select(plan: &Plan, doc: &Document, root: NodeId, max_steps: u64) -> Option<Vec<NodeId>> {
    let mut found = Vec::new();
    let run = Run::new(plan, doc, root, max_steps);
    let _ = run.walk(&plan.segments, root, &mut |id| {
        found.push(id);
        Continue(())
    });
    (!run.exhausted.get()).then_some(found)
}

/// Whether the plan selects a node.
pub(super) fn exists(plan: &Plan, doc: &Document, root: NodeId) -> bool {
    Run::new(plan, doc, root, u64::MAX)
        .walk(&plan.segments, root, &mut |_| Break(()))
        .is_break()
}

/// One run of a plan.
struct Run<'r> {
    doc: &'r Document,
    root: NodeId,
    /// The plan's names in this document; none for those that no member has.
    names: Vec<Option<Name>>,
    patterns: RefCell<FxHashMap<(String, bool), Pattern>>,
    /// Steps that may still be taken, and whether one was missing.
    steps: Cell<u64>,
    exhausted: Cell<bool>,
}

/// What is done with each node found; `Break` ends the search.
type Visit<'v> = &'v mut dyn FnMut(NodeId) -> ControlFlow<()>;

impl<'r> Run<'r> {
    fn new(plan: &'r Plan, doc: &'r Document, root: NodeId, max_steps: u64) -> Self {
        let names = plan.names.iter().map(|name| doc.name(name)).collect();
        Self {
            doc,
            root,
            names,
            patterns: RefCell::default(),
            steps: Cell::new(max_steps),
            exhausted: Cell::new(false),
        }
    }

    /// Counts a node looked at. When there are no steps left, every search ends, and what was found does not count.
    fn spend(&self) -> ControlFlow<()> {
        match self.steps.get().checked_sub(1) {
            Some(left) => {
                self.steps.set(left);
                Continue(())
            }
            None => {
                self.exhausted.set(true);
                Break(())
            }
        }
    }

    /// Visits these nodes, a step each.
    fn each(&self, mut nodes: impl Iterator<Item = NodeId>, visit: Visit<'_>) -> ControlFlow<()> {
        nodes.try_for_each(|id| {
            self.spend()?;
            visit(id)
        })
    }

    /// Visits what the segments select from a node, in the RFC's order.
    fn walk(&self, segments: &[Segment], from: NodeId, visit: Visit<'_>) -> ControlFlow<()> {
        let mut from = from;
        let mut rest = segments;
        while let Some((segment, after)) = rest.split_first() {
            rest = after;
            if segment.is_singular() {
                let Some(child) = self.child(segment, from) else {
                    return Continue(());
                };
                from = child;
            } else if rest.is_empty() {
                return self.step(segment, from, visit);
            } else {
                return self.step(segment, from, &mut |id| self.walk(rest, id, visit));
            }
        }
        visit(from)
    }

    /// What a singular segment selects.
    fn child(&self, segment: &Segment, from: NodeId) -> Option<NodeId> {
        match segment.selectors.as_slice() {
            [Selector::Name(name)] => self.member(from, *name),
            [Selector::Index(index)] => self.item(from, *index),
            _ => None,
        }
    }

    fn step(&self, segment: &Segment, from: NodeId, visit: Visit<'_>) -> ControlFlow<()> {
        if !segment.descend {
            return self.select_from(segment, from, visit);
        }
        if let [Selector::Name(name)] = segment.selectors.as_slice()
            && (self.doc.has_index() || self.doc.subtree(from).len() >= WORTH_AN_INDEX)
        {
            return self.descend_by_name(*name, from, visit);
        }
        self.each(
            self.doc.visible_subtree(from),
            &mut |id| match self.doc.is_container(id) {
                true => self.select_from(segment, id, visit),
                false => Continue(()),
            },
        )
    }

    /// `..name`: the members with this name below a node, ordered by the objects that hold them.
    fn descend_by_name(&self, name: NameIndex, from: NodeId, visit: Visit<'_>) -> ControlFlow<()> {
        match self.name(name) {
            Some(name) => self.each(self.doc.members_below(from, name).iter().copied(), visit),
            None => Continue(()),
        }
    }

    fn select_from(&self, segment: &Segment, from: NodeId, visit: Visit<'_>) -> ControlFlow<()> {
        segment.selectors.iter().try_for_each(|selector| match selector {
            Selector::Name(name) => self.each(self.member(from, *name).into_iter(), visit),
            Selector::Index(index) => self.each(self.item(from, *index).into_iter(), visit),
            Selector::Wildcard => self.each(self.doc.visible_children(from), visit),
            Selector::Slice { start, end, step } => self.slice(from, (*start, *end, *step), visit),
            Selector::Filter(filter) => self.each(self.doc.visible_children(from), &mut |child| {
                if self.holds(filter, child) {
                    visit(child)
                } else {
                    Continue(())
                }
            }),
        })
    }

    fn name(&self, name: NameIndex) -> Option<Name> {
        self.names.get(name.0).copied().flatten()
    }

    fn member(&self, object: NodeId, name: NameIndex) -> Option<NodeId> {
        self.doc.member(object, self.name(name)?)
    }

    fn item(&self, array: NodeId, index: i64) -> Option<NodeId> {
        if self.doc.kind(array) != Kind::Array {
            return None;
        }
        let index = if index < 0 {
            index + self.doc.len(array) as i64
        } else {
            index
        };
        self.doc.at(array, usize::try_from(index).ok()?)
    }

    /// RFC 9535, 2.3.4.2.2.
    fn slice(
        &self,
        array: NodeId,
        (start, end, step): (Option<i64>, Option<i64>, i64),
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        if self.doc.kind(array) != Kind::Array || step == 0 {
            return Continue(());
        }
        let items: Vec<NodeId> = self.doc.children(array).collect();
        let len = items.len() as i64;
        let normal = |index: i64| if index < 0 { len + index } else { index };
        let (mut at, until) = if step > 0 {
            (
                normal(start.unwrap_or(0)).clamp(0, len),
                normal(end.unwrap_or(len)).clamp(0, len),
            )
        } else {
            (
                normal(start.unwrap_or(len - 1)).clamp(-1, len - 1),
                normal(end.unwrap_or(-len - 1)).clamp(-1, len - 1),
            )
        };
        let picked = std::iter::from_fn(|| {
            let inside = if step > 0 { at < until } else { at > until };
            let item = items.get(usize::try_from(at).ok().filter(|_| inside)?).copied();
            at = at.saturating_add(step);
            item
        });
        self.each(picked, visit)
    }

    fn holds(&self, logical: &Logical, current: NodeId) -> bool {
        match logical {
            Logical::Or(parts) => parts.iter().any(|part| self.holds(part, current)),
            Logical::And(parts) => parts.iter().all(|part| self.holds(part, current)),
            Logical::Not(inner) => !self.holds(inner, current),
            Logical::Exists(query) => self.visit_query(query, current, &mut |_| Break(())).is_break(),
            Logical::Compare(Operator::Equal, Operand::Query(query), Operand::Literal(Literal::String(text))) => self
                .singular(query, current)
                .is_some_and(|id| self.doc.is_str(id, text)),
            Logical::Compare(operator, left, right) => {
                let (left, right) = (self.operand(left, current), self.operand(right, current));
                match operator {
                    Operator::Equal => equal(self.doc, &left, &right),
                    Operator::NotEqual => !equal(self.doc, &left, &right),
                    Operator::Less => less(&left, &right),
                    Operator::Greater => less(&right, &left),
                    Operator::LessOrEqual => less(&left, &right) || equal(self.doc, &left, &right),
                    Operator::GreaterOrEqual => less(&right, &left) || equal(self.doc, &left, &right),
                }
            }
            Logical::Match(call) => self.matches(call, current),
        }
    }

    fn visit_query(&self, query: &Query, current: NodeId, visit: Visit<'_>) -> ControlFlow<()> {
        self.walk(&query.segments, self.start(query, current), visit)
    }

    fn start(&self, query: &Query, current: NodeId) -> NodeId {
        match query.from {
            Start::Root => self.root,
            Start::Current => current,
        }
    }

    /// The one node that a singular query can find.
    fn singular(&self, query: &Query, current: NodeId) -> Option<NodeId> {
        let mut segments = query.segments.iter();
        segments.try_fold(self.start(query, current), |at, one| self.child(one, at))
    }

    fn operand(&self, operand: &'r Operand, current: NodeId) -> Value<'r> {
        match operand {
            Operand::Literal(literal) => literal_value(literal),
            Operand::Query(query) => {
                let found = self.singular(query, current);
                found.map_or(Value::Nothing, |id| Value::of(self.doc, id))
            }
            Operand::Value(query) => self.only(query, current),
            Operand::Length(inner) => self.length(self.operand(inner, current)),
            Operand::Count(query) => {
                let mut count = 0;
                let _ = self.visit_query(query, current, &mut |_| {
                    count += 1;
                    Continue(())
                });
                Value::Number(Number::Int(count))
            }
        }
    }

    /// The value of the only node that a query selects.
    fn only(&self, query: &Query, current: NodeId) -> Value<'r> {
        let mut first = None;
        let more = self.visit_query(query, current, &mut |id| match first.replace(id) {
            None => Continue(()),
            Some(_) => Break(()),
        });
        match first {
            Some(id) if more.is_continue() => Value::of(self.doc, id),
            _ => Value::Nothing,
        }
    }

    fn length(&self, value: Value<'_>) -> Value<'r> {
        let length = match value {
            Value::String(text) => text.chars().count(),
            Value::Node(id) => self.doc.visible_children(id).count(),
            _ => return Value::Nothing,
        };
        Value::Number(Number::Int(length as i64))
    }

    fn matches(&self, call: &'r Match, current: NodeId) -> bool {
        let Value::String(text) = self.operand(&call.text, current) else {
            return false;
        };
        match &call.pattern {
            PatternSource::Fixed(pattern) => pattern.matches(&text),
            PatternSource::Found(operand) => match self.operand(operand, current) {
                Value::String(pattern) => self.matches_found(&text, pattern, call.whole),
                _ => false,
            },
        }
    }

    fn matches_found(&self, text: &str, pattern: Cow<'_, str>, whole: bool) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        if patterns.len() >= KEPT_PATTERNS {
            patterns.clear();
        }
        let key = (pattern.into_owned(), whole);
        let compiled = patterns
            .entry(key)
            .or_insert_with_key(|(pattern, whole)| Pattern::new(pattern, *whole));
        compiled.matches(text)
    }
}

fn literal_value(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Number(Number::Int(*value)),
        Literal::Float(value) => Value::Number(Number::Float(*value)),
        Literal::Number(text) => Value::Number(Number::Text(text)),
        Literal::String(text) => Value::String(Cow::Borrowed(text)),
    }
}
