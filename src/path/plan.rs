//! What a query is compiled to.

use super::pattern::Pattern;

/// A compiled query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) segments: Vec<Segment>,
    /// All member names of the query; a document numbers them once for each run.
    pub(super) names: Vec<String>,
}

/// Where a name stands in [`Plan::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameIndex(pub(super) usize);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// `..`: the selectors apply to the node and to all below it.
    pub(super) descend: bool,
    pub(super) selectors: Vec<Selector>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selector {
    Name(NameIndex),
    Wildcard,
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Filter(Logical),
}

/// A query within a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) from: Start,
    pub(super) segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// `$`
    Root,
    /// `@`
    Current,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Logical {
    Or(Vec<Logical>),
    And(Vec<Logical>),
    Not(Box<Logical>),
    Exists(Query),
    Compare(Operator, Operand, Operand),
    Match(Box<Match>),
}

/// `match(text, pattern)` or `search(text, pattern)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) text: Operand,
    pub(super) pattern: PatternSource,
    /// `match`: the whole text; `search`: any part of it.
    pub(super) whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum PatternSource {
    Fixed(Pattern),
    /// Read from the document, compiled while the query runs.
    Found(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What gives at most one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Literal(Literal),
    /// A singular query.
    Query(Query),
    Length(Box<Operand>),
    Count(Query),
    Value(Query),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// The text of a number that neither holds.
    Number(String),
    String(String),
}

impl Segment {
    /// Whether it selects at most one node of one.
    pub(super) fn is_singular(&self) -> bool {
        !self.descend && matches!(self.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
    }
}

impl Query {
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(Segment::is_singular)
    }
}

impl Plan {
    pub(super) fn name(&self, name: NameIndex) -> &str {
        self.names.get(name.0).map_or("", String::as_str)
    }

    /// Fixed patterns that match nothing because they cannot be read, with the reason.
    pub(super) fn bad_patterns(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        segments_patterns(&self.segments, &mut |pattern| {
            if let Some(reason) = pattern.problem() {
                found.push((pattern.text().to_owned(), reason.to_owned()));
            }
        });
        found
    }
}

fn segments_patterns(segments: &[Segment], see: &mut dyn FnMut(&Pattern)) {
    for selector in segments.iter().flat_map(|segment| &segment.selectors) {
        if let Selector::Filter(filter) = selector {
            logical_patterns(filter, see);
        }
    }
}

fn logical_patterns(logical: &Logical, see: &mut dyn FnMut(&Pattern)) {
    match logical {
        Logical::Or(parts) | Logical::And(parts) => parts.iter().for_each(|part| logical_patterns(part, see)),
        Logical::Not(inner) => logical_patterns(inner, see),
        Logical::Exists(query) => segments_patterns(&query.segments, see),
        Logical::Compare(_, left, right) => {
            operand_patterns(left, see);
            operand_patterns(right, see);
        }
        Logical::Match(call) => {
            operand_patterns(&call.text, see);
            match &call.pattern {
                PatternSource::Fixed(pattern) => see(pattern),
                PatternSource::Found(operand) => operand_patterns(operand, see),
            }
        }
    }
}

fn operand_patterns(operand: &Operand, see: &mut dyn FnMut(&Pattern)) {
    match operand {
        Operand::Literal(_) => {}
        Operand::Length(inner) => operand_patterns(inner, see),
        Operand::Query(query) | Operand::Count(query) | Operand::Value(query) => {
            segments_patterns(&query.segments, see)
        }
    }
}
