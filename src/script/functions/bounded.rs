//! Quantities of which perhaps only a bound is known.

use crate::script::compare::Comparison;
use crate::script::problem::{Error, not_known};

/// How a quantity's value is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It is the quantity.
    Exact,
    /// The quantity is this or more.
    AtLeast,
    /// The quantity is this or less.
    AtMost,
}

impl Bound {
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Exact => Self::Exact,
            Self::AtLeast => Self::AtMost,
            Self::AtMost => Self::AtLeast,
        }
    }

    /// The bound of a sum.
    pub(super) fn plus(self, other: Self) -> Result<Self, Error> {
        match (self, other) {
            (bound, Self::Exact) | (Self::Exact, bound) => Ok(bound),
            (bound, same) if bound == same => Ok(bound),
            _ => Err(undecided()),
        }
    }
}

/// A quantity, exact or bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<T> {
    /// The quantity or its bound.
    pub value: T,
    /// Which of the two it is.
    pub bound: Bound,
}

impl<T: Copy + Ord> Bounded<T> {
    /// A quantity that is exactly known.
    pub fn exact(value: T) -> Self {
        Self {
            value,
            bound: Bound::Exact,
        }
    }

    /// Whether the comparison holds, if what is known decides it.
    pub(in crate::script) fn compare(&self, comparison: Comparison, other: &Self) -> Result<bool, Error> {
        let least = self.least().zip(other.most()).map(|(left, right)| left.cmp(&right));
        let most = self.most().zip(other.least()).map(|(left, right)| left.cmp(&right));
        let (holds_if, fails_if) = match comparison {
            Comparison::Less | Comparison::LessOrEqual => (most, least),
            Comparison::Greater | Comparison::GreaterOrEqual => (least, most),
        };
        if holds_if.is_some_and(|order| comparison.holds(order)) {
            Ok(true)
        } else if fails_if.is_some_and(|order| !comparison.holds(order)) {
            Ok(false)
        } else {
            Err(undecided())
        }
    }

    /// Whether the two are equal, if what is known decides it.
    pub(in crate::script) fn equal(&self, other: &Self) -> Result<bool, Error> {
        if self.bound == Bound::Exact && other.bound == Bound::Exact {
            return Ok(self.value == other.value);
        }
        let below = self.compare(Comparison::Less, other);
        let above = self.compare(Comparison::Greater, other);
        match (below, above) {
            (Ok(true), _) | (_, Ok(true)) => Ok(false),
            _ => Err(undecided()),
        }
    }

    fn least(&self) -> Option<T> {
        (self.bound != Bound::AtMost).then_some(self.value)
    }

    fn most(&self) -> Option<T> {
        (self.bound != Bound::AtLeast).then_some(self.value)
    }
}

fn undecided() -> Error {
    not_known("the time of capture is known only by a bound, which does not decide this; `--captured-at` gives it")
}
