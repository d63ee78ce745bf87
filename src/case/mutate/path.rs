//! Changes of a JSONPath: a name that is none, a step that lets everything through.

use std::ops::Range;

use super::Change;
use super::edit::Edit;

/// A step of a path, with its bytes.
struct Step<'t> {
    text: &'t str,
    range: Range<usize>,
}

/// The changes of a path. A filter, an index or a slice is widened; a name is broken. That any one of the names is broken means the same, so
/// only the last is; of a union each member is left out in turn.
pub(super) fn of_path(text: &str) -> Vec<Edit> {
    let steps = steps(text);
    let mut edits: Vec<Edit> = steps.iter().filter_map(widened).collect();
    edits.extend(steps.iter().rev().find_map(broken));
    edits.extend(steps.iter().flat_map(narrowed));
    edits
}

/// The steps of a path, those within filters not taken apart.
fn steps(text: &str) -> Vec<Step<'_>> {
    let mut found = Vec::new();
    let mut at = text.find('$').map_or(text.len(), |root| root + 1);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let length = step(rest);
        found.push(Step {
            text: rest.get(..length).unwrap_or(rest),
            range: at..at + length,
        });
        at += length.max(1);
    }
    found
}

/// The length of the first step.
fn step(text: &str) -> usize {
    let dots = text.len() - text.trim_start_matches('.').len();
    let rest = text.get(dots..).unwrap_or_default();
    if rest.starts_with('[') {
        return dots + bracket(rest);
    }
    dots + rest.find(['.', '[']).unwrap_or(rest.len())
}

/// The length of a bracket with all that is in it.
fn bracket(text: &str) -> usize {
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            (None, _) => {}
        }
    }
    text.len()
}

/// The step that lets everything through, for one that chooses by a filter or by position.
fn widened(step: &Step<'_>) -> Option<Edit> {
    let mut chosen = selectors(step).into_iter().filter_map(|range| step.text.get(range));
    let chooses = |selector: &str| {
        selector.starts_with(['?', '-', ':']) || selector.starts_with(|char: char| char.is_ascii_digit())
    };
    chosen.any(chooses).then(|| Edit {
        change: Change::WidenPath,
        range: step.range.clone(),
        with: if step.text.starts_with("..") { "..[*]" } else { "[*]" }.to_owned(),
    })
}

/// The step with a name that nothing has.
fn broken(step: &Step<'_>) -> Option<Edit> {
    let text = step.text.trim_end();
    let name = text.trim_start_matches('.');
    let with = match name {
        "" | "*" => return None,
        name if name.starts_with('[') => {
            let [only] = <[Range<usize>; 1]>::try_from(selectors(step)).ok()?;
            let quoted = step.text.get(only)?;
            let quote = quoted.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
            let inside = quoted.strip_suffix(quote)?;
            format!("[{inside}_{quote}]")
        }
        _ => format!("{text}_"),
    };
    Some(Edit {
        change: Change::BreakPath,
        range: step.range.clone(),
        with,
    })
}

/// The step without one of several selectors, for each of them.
fn narrowed(step: &Step<'_>) -> Vec<Edit> {
    let all = selectors(step);
    if all.len() < 2 {
        return Vec::new();
    }
    let dots = step.text.len() - step.text.trim_start_matches('.').len();
    let without = |left_out: usize| {
        let kept = all.iter().enumerate().filter(|(at, _)| *at != left_out);
        let kept: Vec<&str> = kept.filter_map(|(_, range)| step.text.get(range.clone())).collect();
        Edit {
            change: Change::DropPath,
            range: step.range.clone(),
            with: format!("{}[{}]", ".".repeat(dots), kept.join(", ")),
        }
    };
    (0..all.len()).map(without).collect()
}

/// The selectors of a step in brackets, as bytes of it.
fn selectors(step: &Step<'_>) -> Vec<Range<usize>> {
    let Some(open) = step.text.find('[') else {
        return Vec::new();
    };
    let end = step.text.trim_end().len().saturating_sub(1);
    let (mut found, mut start) = (Vec::new(), open + 1);
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    for (at, char) in step.text.char_indices().skip_while(|(at, _)| *at <= open) {
        match (quote, char) {
            _ if at >= end => break,
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                found.push(start..at);
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    found.push(start..end.max(start));
    let trimmed = |range: Range<usize>| {
        let text = step.text.get(range.clone()).unwrap_or_default();
        let start = range.start + text.len() - text.trim_start().len();
        start..start + text.trim().len()
    };
    found.into_iter().map(trimmed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Vec<String> {
        of_path(text).iter().map(|edit| edit.apply(text)).collect()
    }

    #[test]
    fn positions_are_widened_and_the_last_name_broken() {
        assert_eq!(changed("$.a[0].b"), ["$.a[*].b", "$.a[0].b_"]);
        assert_eq!(changed("$..a[*]"), ["$..a_[*]"]);
        assert_eq!(changed("$.a..[1:]"), ["$.a..[*]", "$.a_..[1:]"]);
        assert_eq!(changed("$"), [""; 0]);
    }

    #[test]
    fn filters_are_widened_whole() {
        assert_eq!(
            changed("$.a[?search(@['b'], '[.]x]') || @.c == 1]['d']"),
            ["$.a[*]['d']", "$.a[?search(@['b'], '[.]x]') || @.c == 1]['d_']",]
        );
    }

    #[test]
    fn members_of_a_union_are_left_out_one_by_one() {
        assert_eq!(
            changed("$['a', 'b,c'].d"),
            ["$['a', 'b,c'].d_", "$['b,c'].d", "$['a'].d"]
        );
    }
}
