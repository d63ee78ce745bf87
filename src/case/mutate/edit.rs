//! Changes of a text: of a script, of a JSONPath, of a threshold.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::script::{Duration, Version};

use super::Change;
use super::words::{Sort, Word, words};

/// A change of a part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// What sort of change it is.
    pub(super) change: Change,
    /// The bytes that are changed.
    pub(super) range: Range<usize>,
    /// What stands there instead.
    pub(super) with: String,
}

impl Edit {
    /// The text with the change in it.
    pub(super) fn apply(&self, text: &str) -> String {
        let before = text.get(..self.range.start).unwrap_or_default();
        let after = text.get(self.range.end..).unwrap_or_default();
        format!("{before}{}{after}", self.with)
    }

    /// What is changed, in words.
    pub(super) fn told(&self, text: &str) -> String {
        let old = text.get(self.range.clone()).unwrap_or_default();
        match self.with.is_empty() {
            true => format!("`{old}` is left out"),
            false => format!("`{old}` becomes `{}`", self.with),
        }
    }
}

/// The changes of a script; `whole` where it is a condition that can be negated as a whole.
pub(super) fn of_script(text: &str, whole: bool) -> Vec<Edit> {
    let script = Script {
        text,
        words: words(text),
    };
    let mut edits = Vec::new();
    let negates = whole && !matches!(text.trim(), "true" | "false");
    if negates {
        edits.push(Edit {
            change: Change::Negate,
            range: 0..text.len(),
            with: format!("!({})", text.trim_end()),
        });
    }
    let simple = negates && script.is_one_comparison();
    for at in 0..script.words.len() {
        edits.extend(script.comparison(at, !simple));
        edits.extend(script.threshold(at));
    }
    edits.extend(script.conditions());
    edits
}

struct Script<'t> {
    text: &'t str,
    words: Vec<Word>,
}

impl Script<'_> {
    fn written(&self, at: usize) -> &str {
        let word = self.words.get(at).map(|word| word.range.clone());
        word.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    fn is(&self, at: usize, sort: Sort) -> bool {
        self.words.get(at).is_some_and(|word| word.sort == sort)
    }

    fn is_one_comparison(&self) -> bool {
        let signs = (0..self.words.len()).filter(|at| !self.is(*at, Sort::Text));
        let signs: Vec<&str> = signs.map(|at| self.written(at)).collect();
        let compares = |sign: &&&str| opposite(sign).is_some() || **sign == "in";
        signs.iter().filter(compares).count() == 1 && !signs.iter().any(|sign| ["&&", "||", "{"].contains(sign))
    }

    fn edit(&self, change: Change, at: usize, with: impl Into<String>) -> Edit {
        Edit {
            change,
            range: self.words[at].range.clone(),
            with: with.into(),
        }
    }

    /// Another comparison: at the boundary, and, where `opposites`, the opposite.
    fn comparison(&self, at: usize, opposites: bool) -> Vec<Edit> {
        let sign = self.written(at);
        let mut others = Vec::new();
        if self.is(at, Sort::Sign) {
            others.extend(at_boundary(sign));
            others.extend(opposite(sign).filter(|_| opposites));
        } else if opposites && self.is(at, Sort::Name) && sign == "in" && !self.is_loop(at) {
            others.push("!in");
        }
        others
            .into_iter()
            .map(|other| self.edit(Change::SwapComparison, at, other))
            .collect()
    }

    /// Whether the `in` at this word belongs to a `for`.
    fn is_loop(&self, at: usize) -> bool {
        let before = (at.saturating_sub(5)..at).rev();
        let names = before.take_while(|at| !matches!(self.written(*at), ";" | "{" | "}"));
        names.into_iter().any(|at| self.written(at) == "for")
    }

    /// A number, length of time or version that is a little more or a little less. An index into a list is no threshold.
    fn threshold(&self, at: usize) -> Vec<Edit> {
        let text = self.written(at);
        let before = at.checked_sub(1).map_or("", |before| self.written(before));
        let open = if before == "-" {
            at.saturating_sub(2)
        } else {
            at.saturating_sub(1)
        };
        let shifted = match () {
            () if self.is(at, Sort::Number) => {
                let of = open.checked_sub(1).filter(|_| self.written(open) == "[");
                let index = of.is_some_and(|of| self.is(of, Sort::Name) || [")", "]"].contains(&self.written(of)));
                if index && self.written(at + 1) == "]" {
                    Vec::new()
                } else {
                    number(text)
                }
            }
            () if self.is(at, Sort::Text) && before == "(" && at >= 2 => {
                let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
                let shifted = match self.written(at - 2) {
                    "duration" => duration(inside),
                    "version" => version(inside),
                    _ => Vec::new(),
                };
                shifted.into_iter().map(|inside| format!("\"{inside}\"")).collect()
            }
            () => Vec::new(),
        };
        shifted
            .into_iter()
            .map(|other| self.edit(Change::ShiftThreshold, at, other))
            .collect()
    }

    /// The operands of `&&` and `||`, each left out in turn.
    fn conditions(&self) -> Vec<Edit> {
        let mut seen = BTreeSet::new();
        let mut edits = Vec::new();
        for at in 0..self.words.len() {
            let with = match self.written(at) {
                "&&" => "true",
                "||" => "false",
                _ => continue,
            };
            if !self.is(at, Sort::Sign) {
                continue;
            }
            for (first, last) in [self.before(at), self.after(at)].into_iter().flatten() {
                let range = self.words[first].range.start..self.words[last].range.end;
                if self.text.get(range.clone()) != Some(with) && seen.insert((range.start, range.end)) {
                    let change = Change::DropCondition;
                    let with = with.to_owned();
                    edits.push(Edit { change, range, with });
                }
            }
        }
        edits
    }

    /// The words of the operand before an operator.
    fn before(&self, operator: usize) -> Option<(usize, usize)> {
        let (mut first, mut depth) = (operator, 0usize);
        while let Some(at) = first.checked_sub(1) {
            match self.written(at) {
                _ if self.is(at, Sort::Text) => {}
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "?[" | "{" | "#{" if depth == 0 => break,
                "(" | "[" | "?[" | "{" | "#{" => depth -= 1,
                _ if depth == 0 && self.bounds(at, operator) => break,
                _ => {}
            }
            first = at;
        }
        (first < operator).then(|| (first, operator - 1))
    }

    /// The words of the operand after an operator.
    fn after(&self, operator: usize) -> Option<(usize, usize)> {
        let (mut last, mut depth) = (operator, 0usize);
        while last + 1 < self.words.len() {
            let at = last + 1;
            match self.written(at) {
                _ if self.is(at, Sort::Text) => {}
                // The block of an `if`.
                "{" if depth == 0 => break,
                "(" | "[" | "?[" | "{" | "#{" => depth += 1,
                ")" | "]" | "}" if depth == 0 => break,
                ")" | "]" | "}" => depth -= 1,
                _ if depth == 0 && self.bounds(at, operator) => break,
                _ => {}
            }
            last = at;
        }
        (last > operator).then_some((operator + 1, last))
    }

    /// Whether a word is no part of an operand of `operator`.
    fn bounds(&self, at: usize, operator: usize) -> bool {
        match self.written(at) {
            "&&" => self.written(operator) == "&&",
            "||" | "," | ";" | "=>" | "=" | ":" | "if" | "else" | "return" | "while" => true,
            _ => self.is(at, Sort::Parameters),
        }
    }
}

fn at_boundary(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "<" => "<=",
        "<=" => "<",
        ">" => ">=",
        ">=" => ">",
        _ => return None,
    })
}

fn opposite(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        ">=" => "<",
        "==" => "!=",
        "!=" => "==",
        _ => return None,
    })
}

/// A number a little more and a little less: by one, or by a tenth where it has a fraction.
pub(super) fn number(text: &str) -> Vec<String> {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => [whole.checked_add(1), whole.checked_sub(1)]
            .into_iter()
            .flatten()
            .map(|other| other.to_string())
            .collect(),
        (_, Ok(number)) => vec![decimal(number * 1.1), decimal(number * 0.9)],
        _ => Vec::new(),
    }
}

/// A length of time a tenth longer and a tenth shorter.
pub(super) fn duration(text: &str) -> Vec<String> {
    // Whole units and then the next smaller, as `1h30m`.
    let digit = |char: char| char.is_ascii_digit() || char == '.';
    let scaled = |factor: f64| {
        let (mut scaled, mut rest) = (String::new(), text);
        while !rest.is_empty() {
            let (number, tail) = rest.split_at(rest.find(|char| !digit(char)).unwrap_or(rest.len()));
            let (unit, tail) = tail.split_at(tail.find(digit).unwrap_or(tail.len()));
            match number.parse::<f64>() {
                Ok(number) => scaled.push_str(&decimal(number * factor)),
                Err(_) => scaled.push_str(number),
            }
            scaled.push_str(unit);
            rest = tail;
        }
        scaled
    };
    let other = |factor| Some(scaled(factor)).filter(|other| Duration::parse(other).is_some() && other != text);
    [1.1, 0.9].into_iter().filter_map(other).collect()
}

/// The version after and the version before.
pub(super) fn version(text: &str) -> Vec<String> {
    let mut parts: Vec<u64> = match text.split('.').map(str::parse).collect() {
        Ok(parts) => parts,
        Err(_) => return Vec::new(),
    };
    let joined = |parts: &[u64]| parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    let mut others = Vec::new();
    if let Some(last) = parts.last_mut() {
        *last += 1;
        others.push(joined(&parts));
    }
    if let Some(last) = parts.last_mut() {
        *last -= 1;
    }
    // Before 1.24.0 comes 1.23.0, for nobody knows the last of 1.23.
    if let Some(at) = parts.iter().rposition(|part| *part > 0) {
        parts[at] -= 1;
        others.push(joined(&parts));
    }
    others.retain(|other| Version::parse(other).is_some());
    others
}

/// A number with at most six decimals, without trailing zeros.
fn decimal(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, whole: bool) -> Vec<String> {
        of_script(text, whole).iter().map(|edit| edit.apply(text)).collect()
    }

    #[test]
    fn one_comparison_is_negated_once() {
        assert_eq!(changed("a < 5", true), ["!(a < 5)", "a <= 5", "a < 6", "a < 4"]);
        assert_eq!(changed("a in b", true), ["!(a in b)"]);
        assert_eq!(changed("true", true), [""; 0]);
        assert_eq!(changed("a == b", false), ["a != b"]);
    }

    #[test]
    fn conditions_are_left_out_one_by_one() {
        assert_eq!(
            changed("a && (b || !c) && d.some(|x| x.y && z)", true),
            [
                "!(a && (b || !c) && d.some(|x| x.y && z))",
                "true && (b || !c) && d.some(|x| x.y && z)",
                "a && true && d.some(|x| x.y && z)",
                "a && (false || !c) && d.some(|x| x.y && z)",
                "a && (b || false) && d.some(|x| x.y && z)",
                "a && (b || !c) && true",
                "a && (b || !c) && d.some(|x| true && z)",
                "a && (b || !c) && d.some(|x| x.y && true)",
            ]
        );
        assert_eq!(
            changed("if a && b { c } else { d || e && f }", false),
            [
                "if true && b { c } else { d || e && f }",
                "if a && true { c } else { d || e && f }",
                "if a && b { c } else { false || e && f }",
                "if a && b { c } else { d || false }",
                "if a && b { c } else { d || true && f }",
                "if a && b { c } else { d || e && true }",
            ]
        );
        let strings = "a == \"x && y\"";
        assert_eq!(changed(strings, false), ["a != \"x && y\""]);
    }

    #[test]
    fn thresholds_are_shifted() {
        assert_eq!(
            changed("age(t, p) >= duration(\"1h30m\")", false),
            [
                "age(t, p) > duration(\"1h30m\")",
                "age(t, p) < duration(\"1h30m\")",
                "age(t, p) >= duration(\"1.1h33m\")",
                "age(t, p) >= duration(\"0.9h27m\")",
            ]
        );
        assert_eq!(version("1.24.0"), ["1.24.1", "1.23.0"]);
        assert_eq!(version("2.0.0"), ["2.0.1", "1.0.0"]);
        assert_eq!(number("0.5"), ["0.55", "0.45"]);
        assert_eq!(
            changed("a[0] + a[-1] + [1] + b", false),
            ["a[0] + a[-1] + [2] + b", "a[0] + a[-1] + [0] + b"]
        );
        assert_eq!(changed("for x in xs { }", false), [""; 0]);
    }
}
