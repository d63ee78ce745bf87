//! Integers beyond 64 bits: kept as written, compared by value.

use std::cmp::Ordering;
use std::fmt;

/// A number that neither `i64` nor `f64` can hold, as the evidence wrote it.
#[derive(Debug, Clone)]
pub struct BigNumber(Box<str>);

impl BigNumber {
    /// Keeps the text of a number.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The nearest floating-point number.
    pub fn to_f64(&self) -> f64 {
        let infinity = if self.is_negative() {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        self.0.parse().unwrap_or(infinity)
    }

    /// Compares by value: integers exactly, anything else as floating-point numbers.
    pub fn order(&self, other: &Self) -> Ordering {
        let (Some(left), Some(right)) = (self.digits(), other.digits()) else {
            return self.to_f64().total_cmp(&other.to_f64());
        };
        let magnitude = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        match (self.is_negative(), other.is_negative()) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    /// Compares with a number that fits 64 bits.
    pub fn order_int(&self, other: i64) -> Ordering {
        match self.digits() {
            Some(_) if self.is_negative() => Ordering::Less,
            Some(_) => Ordering::Greater,
            None => self.to_f64().total_cmp(&(other as f64)),
        }
    }

    fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// The digits without sign and leading zeros, if this is an integer.
    fn digits(&self) -> Option<&str> {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.trim_start_matches('0'))
    }
}

impl fmt::Display for BigNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
