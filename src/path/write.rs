//! Writing a plan back as RFC 9535 text.

use super::Path;
use super::plan::{
    Literal, Logical, Match, NameIndex, Operand, Operator, PatternSource, Plan, Query, Segment, Selector, Start,
};
use std::fmt::{Display, Formatter, Result};

/// The query in one spelling, whatever spelling it was written in; it reads back as an equal query.
impl Display for Path {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str("$")?;
        match self.plan() {
            Ok(plan) => Writer { plan }.segments(&plan.segments, out),
            Err(_) => out.write_str(self.text()),
        }
    }
}

struct Writer<'p> {
    plan: &'p Plan,
}

impl Writer<'_> {
    fn segments(&self, segments: &[Segment], out: &mut Formatter<'_>) -> Result {
        segments.iter().try_for_each(|segment| self.segment(segment, out))
    }

    fn segment(&self, segment: &Segment, out: &mut Formatter<'_>) -> Result {
        if let [Selector::Name(name)] = segment.selectors.as_slice()
            && is_shorthand(self.name(*name))
        {
            let dots = if segment.descend { ".." } else { "." };
            return write!(out, "{dots}{}", self.name(*name));
        }
        out.write_str(if segment.descend { "..[" } else { "[" })?;
        for (index, selector) in segment.selectors.iter().enumerate() {
            out.write_str(if index > 0 { ", " } else { "" })?;
            self.selector(selector, out)?;
        }
        out.write_str("]")
    }

    fn name(&self, name: NameIndex) -> &str {
        self.plan.name(name)
    }

    fn selector(&self, selector: &Selector, out: &mut Formatter<'_>) -> Result {
        match selector {
            Selector::Name(name) => string(self.name(*name), out),
            Selector::Wildcard => out.write_str("*"),
            Selector::Index(index) => write!(out, "{index}"),
            Selector::Slice { start, end, step } => {
                start.map_or(Ok(()), |start| write!(out, "{start}"))?;
                out.write_str(":")?;
                end.map_or(Ok(()), |end| write!(out, "{end}"))?;
                if *step == 1 { Ok(()) } else { write!(out, ":{step}") }
            }
            Selector::Filter(filter) => {
                out.write_str("?")?;
                self.logical(filter, out)
            }
        }
    }

    fn logical(&self, logical: &Logical, out: &mut Formatter<'_>) -> Result {
        match logical {
            Logical::Or(parts) => self.joined(parts, " || ", out),
            Logical::And(parts) => self.joined(parts, " && ", out),
            Logical::Not(inner) => {
                out.write_str("!")?;
                match **inner {
                    Logical::Exists(_) | Logical::Match(_) => self.logical(inner, out),
                    _ => self.parenthesized(inner, out),
                }
            }
            Logical::Exists(query) => self.query(query, out),
            Logical::Compare(operator, left, right) => {
                self.operand(left, out)?;
                out.write_str(match operator {
                    Operator::Equal => " == ",
                    Operator::NotEqual => " != ",
                    Operator::Less => " < ",
                    Operator::LessOrEqual => " <= ",
                    Operator::Greater => " > ",
                    Operator::GreaterOrEqual => " >= ",
                })?;
                self.operand(right, out)
            }
            Logical::Match(call) => self.call(call, out),
        }
    }

    fn joined(&self, parts: &[Logical], sign: &str, out: &mut Formatter<'_>) -> Result {
        for (index, part) in parts.iter().enumerate() {
            out.write_str(if index > 0 { sign } else { "" })?;
            match part {
                Logical::Or(_) | Logical::And(_) => self.parenthesized(part, out)?,
                _ => self.logical(part, out)?,
            }
        }
        Ok(())
    }

    fn parenthesized(&self, logical: &Logical, out: &mut Formatter<'_>) -> Result {
        out.write_str("(")?;
        self.logical(logical, out)?;
        out.write_str(")")
    }

    fn call(&self, call: &Match, out: &mut Formatter<'_>) -> Result {
        out.write_str(if call.whole { "match(" } else { "search(" })?;
        self.operand(&call.text, out)?;
        out.write_str(", ")?;
        match &call.pattern {
            PatternSource::Fixed(pattern) => string(pattern.text(), out)?,
            PatternSource::Found(operand) => self.operand(operand, out)?,
        }
        out.write_str(")")
    }

    fn operand(&self, operand: &Operand, out: &mut Formatter<'_>) -> Result {
        match operand {
            Operand::Literal(literal) => self::literal(literal, out),
            Operand::Query(query) => self.query(query, out),
            Operand::Length(inner) => {
                out.write_str("length(")?;
                self.operand(inner, out)?;
                out.write_str(")")
            }
            Operand::Count(query) => self.call_on(query, "count(", out),
            Operand::Value(query) => self.call_on(query, "value(", out),
        }
    }

    fn call_on(&self, query: &Query, call: &str, out: &mut Formatter<'_>) -> Result {
        out.write_str(call)?;
        self.query(query, out)?;
        out.write_str(")")
    }

    fn query(&self, query: &Query, out: &mut Formatter<'_>) -> Result {
        out.write_str(match query.from {
            Start::Root => "$",
            Start::Current => "@",
        })?;
        self.segments(&query.segments, out)
    }
}

fn literal(literal: &Literal, out: &mut Formatter<'_>) -> Result {
    match literal {
        Literal::Null => out.write_str("null"),
        Literal::Bool(value) => write!(out, "{value}"),
        Literal::Int(value) => write!(out, "{value}"),
        // A literal that overflowed: any other that does.
        Literal::Float(value) if value.is_infinite() => out.write_str(if *value > 0.0 { "1e999" } else { "-1e999" }),
        Literal::Float(value) => write!(out, "{value:?}"),
        Literal::Number(text) => out.write_str(text),
        Literal::String(text) => string(text, out),
    }
}

/// Whether a name may stand after a dot.
fn is_shorthand(name: &str) -> bool {
    let first = |char: char| char.is_ascii_alphabetic() || char == '_' || !char.is_ascii();
    name.starts_with(first) && name.chars().all(|char| first(char) || char.is_ascii_digit())
}

/// A string in single quotes, as in normalized paths.
fn string(text: &str, out: &mut Formatter<'_>) -> Result {
    out.write_str("'")?;
    for char in text.chars() {
        match char {
            '\'' => out.write_str("\\'")?,
            '\\' => out.write_str("\\\\")?,
            control if control < ' ' => write!(out, "\\u{:04x}", control as u32)?,
            other => write!(out, "{other}")?,
        }
    }
    out.write_str("'")
}
