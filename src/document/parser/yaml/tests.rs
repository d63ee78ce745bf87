use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{check_example, check_spans, json, read, refusal};
use super::*;
use crate::document::{Kind, Parser};

fn value(text: &str) -> Value {
    json(&read(&Parser::Yaml, text))
}

#[test]
fn example() {
    check_example(include_str!("../yaml.rs"), &Parser::Yaml);
}

#[test]
fn scalars_have_the_types_of_the_core_schema() {
    for (text, expected) in [
        ("null", json!(null)),
        ("~", json!(null)),
        ("TRUE", json!(true)),
        ("False", json!(false)),
        ("12", json!(12)),
        ("-1.5e3", json!(-1500.0)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0017", json!(17)),
        ("+5", json!(5)),
        ("-007", json!(-7)),
        ("000", json!(0)),
        (".5", json!(0.5)),
        ("-5.", json!(-5.0)),
        ("1e400", json!("number 1e400")),
        ("18446744073709551616", json!("number 18446744073709551616")),
        (".inf", json!(".inf")),
        (".NaN", json!(".NaN")),
        ("nan", json!("nan")),
        ("yes", json!("yes")),
        ("1_000", json!("1_000")),
        ("0x-1", json!("0x-1")),
        (
            "0xffffffffffffffffffffffffffffffffff",
            json!("0xffffffffffffffffffffffffffffffffff"),
        ),
        ("1.2.3", json!("1.2.3")),
        ("12:30", json!("12:30")),
        ("2024-01-01", json!("2024-01-01")),
        ("'12'", json!("12")),
        ("\"null\"", json!("null")),
        ("!!str 12", json!("12")),
        ("!!int '12'", json!(12)),
        ("!!float \"0x10\"", json!(16)),
        ("!secret 12", json!("12")),
        ("! 12", json!("12")),
        ("!!binary aGk=", json!("aGk=")),
    ] {
        assert_eq!(value(&format!("[{text}]")), json!([expected]), "{text}");
    }
}

#[test]
fn every_style_of_a_scalar() {
    let text = "a: 'it''s'\nb: \"x\\n\\u00e9\"\nc: one\n  two\nd: >-\n  fold\n  ed\n\ne: |+\n  kept\n\nf: \"plain\"\ng:\nh: ''\n";
    let expected = json!({"a": "it's", "b": "x\né", "c": "one two", "d": "fold ed", "e": "kept\n\n", "f": "plain", "g": null, "h": ""});
    let doc = read(&Parser::Yaml, text);
    assert_eq!(json(&doc), expected);
    let raw: Vec<_> = doc.children(doc.root()).map(|id| doc.raw(id)).collect();
    assert_eq!(
        raw,
        [
            "'it''s'",
            "\"x\\n\\u00e9\"",
            "one\n  two",
            "fold\n  ed",
            "kept",
            "\"plain\"",
            "",
            "''"
        ]
    );
}

#[test]
fn spans_of_collections() {
    let text = "\u{feff}a:\r\n- x: 1\r\n  y: 2\r\n-   - z\r\nb: {c: [1, 2] }\r\n";
    let doc = read(&Parser::Yaml, text);
    let path = |path: &str| {
        doc.raw(crate::path::Path::parse(path).unwrap().select(&doc, doc.root())[0])
            .to_owned()
    };
    assert_eq!(path("$"), text.trim_start_matches('\u{feff}').trim_end());
    assert_eq!(path("$.a"), "- x: 1\r\n  y: 2\r\n-   - z");
    assert_eq!(path("$.a[0]"), "x: 1\r\n  y: 2");
    assert_eq!(path("$.a[1]"), "- z");
    assert_eq!(path("$.b"), "{c: [1, 2] }");
    let y = doc.with_key("y")[0];
    assert_eq!(
        (doc.slice(doc.key_span(y).unwrap()), doc.normalized_path(y)),
        ("y", "$['a'][0]['y']".to_owned())
    );
}

#[test]
fn documents() {
    assert_eq!(value("a: 1\n"), json!({"a": 1}));
    assert_eq!(
        value("---\na: 1\n---\n- b\n...\n---\nc\n"),
        json!([{"a": 1}, ["b"], "c"])
    );
    assert_eq!(value("---\n\n---\na: 1\n---\n# nothing\n"), json!({"a": 1}));
    assert_eq!(value("# nothing\n"), json!(null));
    assert_eq!(value("---\n[[]]\n"), json!([[]]));
    assert_eq!(value("{\"json\": [true, \"\\u0041\"]}"), json!({"json": [true, "A"]}));
    let doc = read(&Parser::Yaml, "a: &x {b: \"\\n\"}\nc: *x\na: 0x1\n");
    assert_eq!(json(&doc), json!({"a": 1, "c": {"b": "\n"}}));
    assert_eq!(doc.duplicates().len(), 1);
}

#[test]
fn keys_are_texts() {
    let doc = read(
        &Parser::Yaml,
        "80: a\n'q': b\nnull: c\n? long\n: d\n<<: {e: f}\n80: g\n: h\n",
    );
    assert_eq!(
        json(&doc),
        json!({"80": "g", "q": "b", "null": "c", "long": "d", "<<": {"e": "f"}, "": "h"})
    );
    assert_eq!(doc.duplicates().len(), 1);
    let words = "line 1, column 3: a list or a mapping is a key here, which only scalars can be";
    assert_eq!(refusal(&Parser::Yaml, "? [a]\n: b\n"), words);
    assert_eq!(value("{a: 1, ? b}"), json!({"a": 1, "b": null}));
}

#[test]
fn aliases_give_what_their_anchors_hold() {
    let text =
        "a: &a {x: [1, 'q', 0x10, null], x: \"\\t\"}\nb: *a\nc: [*a, &s text, *s]\n&k key: 1\nd: *k\n*k : 2\n*s : 3\n";
    let doc = read(&Parser::Yaml, text);
    let expected = json!({"a": {"x": "\t"}, "b": {"x": "\t"}, "c": [{"x": "\t"}, "text", "text"], "key": 2, "d": "key", "text": 3});
    assert_eq!(json(&doc), expected);
    assert_eq!(
        doc.duplicates().len(),
        4,
        "those of a copy are duplicates too, and the key"
    );
    let b = doc.get(doc.root(), "b").unwrap();
    for id in doc.subtree(b).map(NodeId::from_index) {
        assert_eq!(doc.raw(id), "*a");
    }
    let list = doc.children(b).next().unwrap();
    let kinds: Vec<_> = doc.children(list).map(|id| doc.kind(id)).collect();
    assert_eq!(kinds, [Kind::Number, Kind::String, Kind::Number, Kind::Null]);
    assert_eq!(doc.normalized_path(list), "$['b']['x']");
}

#[test]
fn aliases_are_bounded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("a{level}: &a{level} [{inner}]\n");
    }
    assert!(refusal(&Parser::Yaml, &bomb).ends_with("aliases repeat far more than the text has"));
    let long = "x".repeat(10_000);
    let aliases = "*a, ".repeat(20_000);
    let words = refusal(&Parser::Yaml, &format!("a: &a {long}\nb: &b [{aliases}]\n"));
    assert!(words.ends_with("aliases repeat far more than the text has"));
    let deep: String = (1..600)
        .map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1))
        .collect();
    let much = "x".repeat(1_000_000);
    assert!(refusal(&Parser::Yaml, &format!("# {much}\na0: &a0 [x]\n{deep}")).ends_with("nested more than 512 deep"));
    assert_eq!(
        refusal(&Parser::Yaml, "a: &a [*a]\n"),
        "line 1, column 8: an alias to what it stands in"
    );
    assert_eq!(
        refusal(&Parser::Yaml, "a: &a {b: *a}\n"),
        "line 1, column 11: an alias to what it stands in"
    );
    let words = refusal(&Parser::Yaml, "a: *b\n");
    assert!(words.starts_with("line 1, column 4:"), "{words}");
    let words = "line 2, column 1: a list or a mapping is a key here, which only scalars can be";
    assert_eq!(refusal(&Parser::Yaml, "a: &a [b]\n*a : 1\n"), words);
}

#[test]
fn nesting_is_bounded() {
    let flow = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read(&Parser::Yaml, &flow(MAX_DEPTH)).node_count(), MAX_DEPTH);
    refusal(&Parser::Yaml, &flow(MAX_DEPTH + 1));
    let block = |depth: usize| "- ".repeat(depth);
    assert_eq!(read(&Parser::Yaml, &block(MAX_DEPTH)).node_count(), MAX_DEPTH + 1);
    refusal(&Parser::Yaml, &block(MAX_DEPTH + 1));
    let mixed = format!("{}{}", block(MAX_DEPTH - 1), flow(2));
    assert!(refusal(&Parser::Yaml, &mixed).ends_with("nested more than 512 deep"));
    refusal(&Parser::Yaml, &"[".repeat(100_000));
    refusal(&Parser::Yaml, &"{a: ".repeat(100_000));
    refusal(&Parser::Yaml, &"- ".repeat(100_000));
}

#[test]
fn mistakes_are_located() {
    let words = refusal(&Parser::Yaml, "a: 1\nb: [1, 2\nc: 3\n");
    assert!(words.starts_with("line 3"), "{words}");
    let words = refusal(&Parser::Yaml, "é: \"x\n");
    assert!(
        words.starts_with("line 1, column 4") || words.starts_with("line 2"),
        "{words}"
    );
}

#[test]
fn cut_texts_never_panic() {
    let text = "\u{feff}%YAML 1.2\r\n---\r\n&a é: [1, 'x''y', \"\\u00e9\\\"\", {b: c, ? d}]\r\ne: |2-\r\n   x\r\n\r\nf: *a\r\n? g\r\n: - h\r\n  - !!int 3\r\n...\r\n--- >\r\n z\r\n";
    read(&Parser::Yaml, text);
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        if let Ok(doc) = Parser::Yaml.parse(text[..end].to_owned()) {
            check_nested(&doc);
        }
    }
}

/// Checks that nodes lie in those that hold them, in order.
fn check_nested(doc: &Document) {
    check_spans(doc);
    for id in doc.subtree(doc.root()).map(NodeId::from_index) {
        let holder = doc.span(id);
        let mut last = holder.start;
        for child in doc.children(id) {
            let span = doc.span(child);
            assert!(
                last <= span.start && span.end <= holder.end,
                "{span:?} in {holder:?} of {:?}",
                doc.text()
            );
            last = span.end;
        }
    }
}

/// Values that YAML and JSON both know.
fn known() -> impl Strategy<Value = Value> {
    let text = || prop_oneof!["[a-z]{0,3}", "[ -~é\n]{0,12}", "(?s).{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_yaml(value in known(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        // What JSON leaves as it is and YAML does not allow.
        let odd = |char| matches!(char, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}');
        if text.contains(odd) {
            return Ok(());
        }
        if let Ok(doc) = Parser::Yaml.parse(text.clone()) {
            check_nested(&doc);
            prop_assert_eq!(json(&doc), value);
        } else {
            prop_assert!(text.lines().any(|line| line.len() > 200), "{}", text);
        }
    }

    #[test]
    fn nodes_lie_in_their_holders(text in "(?s)([a-b]: |- |[a-b0-1~'\"\\[\\]{},:#|>&*!? é]|&a |\\*a|\r?\n|  |---\n){0,24}") {
        if let Ok(doc) = Parser::Yaml.parse(text) {
            check_nested(&doc);
        }
    }
}
