//! Grows a small proxy dump to any size: the lists of its sections are repeated under changed names.

use serde_json::Value;

const LISTS: [(&str, &str); 4] = [
    ("dynamic_active_clusters", "cluster"),
    ("dynamic_endpoint_configs", "endpoint_config"),
    ("dynamic_listeners", "active_state"),
    ("dynamic_route_configs", "route_config"),
];

/// How the text is laid out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    /// One line.
    Compact,
    /// A line for each member.
    Indented,
}

/// A dump of about `bytes` bytes, grown from `seed`.
pub(crate) fn grow(seed: &Value, bytes: usize, layout: Layout) -> String {
    let base = text(seed, layout).len();
    let lists = lists_size(seed, layout).max(1);
    let copies = bytes.saturating_sub(base - lists.min(base)) / lists;
    let mut grown = seed.clone();
    let sections = grown.get_mut("configs").and_then(Value::as_array_mut);
    for section in sections.into_iter().flatten() {
        for (list, _) in LISTS {
            if let Some(items) = section.get_mut(list).and_then(Value::as_array_mut) {
                *items = (0..copies.max(1))
                    .flat_map(|copy| items.iter().map(move |item| renamed(item, copy)).collect::<Vec<_>>())
                    .collect();
            }
        }
    }
    text(&grown, layout)
}

fn lists_size(seed: &Value, layout: Layout) -> usize {
    let sections = seed.get("configs").and_then(Value::as_array);
    let lists = sections
        .into_iter()
        .flatten()
        .flat_map(|section| LISTS.iter().filter_map(|(list, _)| section.get(*list)));
    // Lists lie three levels deep, which indents every line of theirs further.
    lists
        .map(|list| {
            text(list, layout).len()
                + if layout == Layout::Indented {
                    6 * text(list, layout).lines().count()
                } else {
                    0
                }
        })
        .sum()
}

fn text(value: &Value, layout: Layout) -> String {
    let text = match layout {
        Layout::Compact => serde_json::to_string(value),
        Layout::Indented => serde_json::to_string_pretty(value),
    };
    text.expect("a value can be written")
}

/// The item with another service in its names, references included, so that they still meet.
fn renamed(item: &Value, copy: usize) -> Value {
    if copy == 0 {
        return item.clone();
    }
    match item {
        Value::String(text) if text.contains(".svc.cluster.local") => {
            Value::String(text.replace(".svc.cluster.local", &format!("-{copy}.svc.cluster.local")))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| renamed(item, copy)).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (key.clone(), renamed(value, copy)))
                .collect(),
        ),
        other => other.clone(),
    }
}
