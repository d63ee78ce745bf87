//! The document tape against `serde_json`, and against hostile texts.

mod thicket;

use casebook::document::json::{Options, parse};
use casebook::document::{Document, Kind, MAX_DEPTH, NodeId, Number, ParseError};
use casebook::path::Path;
use proptest::prelude::*;
use serde_json::Value;
use thicket::thicket;

fn read(text: &str) -> Result<Document, ParseError> {
    parse(text.to_owned(), &Options::default())
}

fn accepted(text: &str) -> Document {
    read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn refused(text: &str) -> ParseError {
    match read(text) {
        Ok(_) => panic!("accepted: {text:?}"),
        Err(error) => error,
    }
}

/// The node as `serde_json` would have it.
fn value(doc: &Document, id: NodeId) -> Value {
    match doc.kind(id) {
        Kind::Null => Value::Null,
        Kind::True | Kind::False => Value::Bool(doc.bool(id).expect("a truth value")),
        Kind::Number => serde_json::from_str(doc.raw(id)).expect("a number"),
        Kind::String => Value::String(doc.str(id).expect("a string").into_owned()),
        Kind::Array => doc.children(id).map(|child| value(doc, child)).collect(),
        Kind::Object => {
            let member = |child| (doc.key(child).expect("a name").to_owned(), value(doc, child));
            Value::Object(doc.children(id).map(member).collect())
        }
    }
}

fn nodes(doc: &Document) -> impl Iterator<Item = NodeId> {
    doc.subtree(doc.root()).map(NodeId::from_index)
}

/// JSON values whose names and strings are awkward, and repeat.
fn json() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            Just("a".to_owned()),
            "[a-c]{1,2}",
            "[ -~]{0,24}",
            "\\PC{0,9}",
            any::<String>()
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// JSON texts, compact and indented.
fn json_text() -> impl Strategy<Value = String> {
    (json(), any::<bool>()).prop_map(|(value, pretty)| {
        if pretty {
            format!("{value:#}")
        } else {
            value.to_string()
        }
    })
}

/// Texts that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        "[\\[\\]{},:\" \\\\0-9eE+.u\\-]",
        Just("\\u".to_owned()),
        Just("\\ud800".to_owned()),
        Just("null".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), scrap);
    (json_text(), prop::collection::vec(edit, 1..4)).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, upto, scrap) in edits {
            let from = at.index(chars.len() + 1);
            let to = (from + upto.index(4)).min(chars.len());
            chars.splice(from..to, scrap.chars());
        }
        chars.into_iter().collect()
    })
}

/// Whether `serde_json` would take it, if numbers beyond `f64` did not stop it.
fn serde_takes(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => true,
        Err(error) => error.to_string().contains("number out of range"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reads_what_serde_json_reads(text in json_text()) {
        let doc = accepted(&text);
        prop_assert_eq!(value(&doc, doc.root()), serde_json::from_str::<Value>(&text).unwrap());
        prop_assert_eq!(doc.text(), text);
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_nearly_json(text in nearly_json()) {
        match read(&text) {
            Ok(doc) => {
                prop_assert!(serde_takes(&text), "accepted {:?}", text);
                if let Ok(expected) = serde_json::from_str::<Value>(&text) {
                    prop_assert_eq!(value(&doc, doc.root()), expected);
                }
            }
            Err(error) => {
                prop_assert!(serde_json::from_str::<Value>(&text).is_err(), "refused {:?}: {}", text, error);
                prop_assert!(error.offset <= text.len() && text.is_char_boundary(error.offset));
                prop_assert_eq!(error.text, text);
            }
        }
    }

    #[test]
    fn spans_are_ordered_and_nested(text in json_text()) {
        let doc = accepted(&text);
        for id in nodes(&doc) {
            let span = doc.span(id);
            prop_assert!(span.start < span.end && span.end as usize <= text.len());
            let mut from = span.start;
            for child in doc.children(id) {
                let inner = doc.span(child);
                prop_assert!(from < inner.start && inner.end < span.end);
                prop_assert_eq!(doc.parent(child), Some(id));
                if let Some(name) = doc.key_span(child) {
                    prop_assert!(from < name.start && name.end < inner.start);
                    let written: String = serde_json::from_str(&text[name.range()]).unwrap();
                    prop_assert_eq!(Some(&*written), doc.key(child));
                    prop_assert!(doc.written_key(child).as_deref() == doc.key(child));
                }
                from = inner.end;
            }
        }
    }

    #[test]
    fn the_text_at_a_span_is_the_value(text in json_text()) {
        let doc = accepted(&text);
        for id in nodes(&doc) {
            let alone = accepted(doc.raw(id));
            prop_assert_eq!(value(&alone, alone.root()), value(&doc, id));
        }
    }

    #[test]
    fn a_normalized_path_selects_its_node(text in json_text()) {
        let doc = accepted(&text);
        for id in nodes(&doc) {
            let path = doc.normalized_path(id);
            let found = Path::parse(&path).unwrap().select(&doc, doc.root());
            prop_assert_eq!(found, vec![id], "{}", path);
        }
    }

    #[test]
    fn positions_count_lines_and_characters(text in "[ab\u{e9}\u{4e16}\u{1f600}\r\n]{0,40}", extra in 0_usize..4) {
        let doc = accepted(&serde_json::to_string(&text).unwrap().replace("\\n", "\"\n,\"").replace("\\r", "x")
            .pipe(|inner| format!("[{inner}]")));
        let text = doc.text();
        let (mut line, mut column) = (1, 1);
        for (at, char) in text.char_indices() {
            let position = doc.position(at as u32);
            prop_assert_eq!((position.line, position.column), (line, column));
            let span = doc.line_span(line).unwrap();
            prop_assert!(span.start as usize <= at && at <= span.end as usize);
            (line, column) = if char == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        prop_assert_eq!(doc.line_span(line + 1 + extra as u32), None);
    }
}

/// Lets a value flow through a function.
trait Pipe: Sized {
    fn pipe<T>(self, with: impl FnOnce(Self) -> T) -> T {
        with(self)
    }
}
impl Pipe for String {}

#[test]
fn a_million_brackets_are_refused_with_a_clear_message() {
    for open in ["[", "{\"a\":"] {
        let error = refused(&open.repeat(1_000_000));
        assert!(
            error.message.contains(&format!("more than {MAX_DEPTH} deep")),
            "{error}"
        );
        assert_eq!(error.offset, open.len() * MAX_DEPTH);
        let deepest = format!(
            "{}1{}",
            open.repeat(MAX_DEPTH),
            if open == "[" { "]" } else { "}" }.repeat(MAX_DEPTH)
        );
        assert_eq!(accepted(&deepest).node_count(), MAX_DEPTH + 1);
    }
}

#[test]
fn a_text_cut_anywhere_is_refused_without_a_panic() {
    let text = r#"{"a": [1, -2.5e+10, "x\ud83d\ude00\n", true, null, {"é": {}}], "b": false}"#;
    accepted(text);
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        let error = refused(&text[..end]);
        assert!(error.offset <= end, "{error}");
    }
}

#[test]
fn refuses_what_json_forbids_and_says_why() {
    for (text, offset, message) in [
        ("", 0, "empty"),
        (" \n", 2, "empty"),
        ("\u{feff}{}", 0, "byte order mark"),
        ("{}\0", 2, "more text"),
        ("\0", 0, "control character U+0000"),
        ("\"a\0\"", 2, "control character U+0000"),
        ("\"a\tb\"", 2, "control character U+0009"),
        ("\"abc", 0, "does not end"),
        (r#""\ud800""#, 1, "surrogate"),
        (r#""\udc00\ud800""#, 1, "surrogate"),
        (r#""\ud800\u0041""#, 1, "surrogate"),
        (r#""\u12g4""#, 1, "four hexadecimal digits"),
        (r#""\x41""#, 1, "escape"),
        ("01", 0, "leading zero"),
        ("-", 1, "digit"),
        ("1.", 2, "decimal point"),
        ("1e", 2, "exponent"),
        ("+1", 0, "found `+`"),
        (".5", 0, "found `.`"),
        ("[1,]", 2, "comma before the end of an array"),
        ("{\"a\":1,}", 6, "comma before the end of an object"),
        ("{a: 1}", 1, "name in double quotes"),
        ("{\"a\" 1}", 5, "expected `:`"),
        ("[1 2]", 3, "expected `,` or `]`"),
        ("{\"a\":1]", 6, "expected `,` or `}`"),
        ("[1", 2, "the end of the text"),
        ("nul", 0, "found `n`"),
        ("NaN", 0, "found `N`"),
        ("1 // one", 2, "more text"),
    ] {
        let error = refused(text);
        assert!(error.message.contains(message), "{text:?}: {error}");
        assert_eq!(error.offset, offset, "{text:?}: {error}");
    }
    let error = refused("{\n  \"é\": é\n}");
    assert_eq!((error.position.line, error.position.column), (2, 8));
}

#[test]
fn numbers_lose_nothing() {
    let number = |text: &'static str| {
        let doc = accepted(text);
        match doc.number(doc.root()).unwrap() {
            Number::Int(int) => format!("int {int}"),
            Number::Float(float) => format!("float {float:?}"),
            Number::Text(text) => format!("text {text}"),
        }
    };
    assert_eq!(number("-9223372036854775808"), "int -9223372036854775808");
    assert_eq!(number("9223372036854775808"), "text 9223372036854775808");
    assert_eq!(number("-0"), "int 0");
    assert_eq!(number("1.0"), "float 1.0");
    assert_eq!(number("1E2"), "float 100.0");
    assert_eq!(number("1e400"), "text 1e400");
    assert_eq!(number("1e-400"), "float 0.0");
}

#[test]
fn duplicates_are_kept_and_the_last_wins() {
    let doc = accepted(r#"{"a": 1, "b": {"a": 2, "c": 3, "c": 4, "c": 5}, "\u0061": 6}"#);
    assert_eq!(doc.raw(doc.get(doc.root(), "a").unwrap()), "6");
    let b = doc.get(doc.root(), "b").unwrap();
    assert_eq!(doc.raw(doc.get(b, "a").unwrap()), "2");
    assert_eq!(doc.raw(doc.get(b, "c").unwrap()), "5");
    let repeated: Vec<_> = doc.duplicates().iter().map(|&id| doc.raw(id)).collect();
    assert_eq!(repeated, ["1", "3", "4"]);
    assert_eq!(doc.len(b), 4);
    assert_eq!(doc.with_key("a").len(), 3);
    assert!(
        accepted(r#"{"a": {"a": {"a": {}}}, "b": [{"a": 1}, {"a": 2}]}"#)
            .duplicates()
            .is_empty()
    );
}

#[test]
fn names_fold_for_look_up_and_stay_as_written_for_people() {
    let text = r#"{"typeUrl": {"some.dottedName": 1}, "IPAddress": 2, "n\u0061meSpace" : 3}"#;
    let doc = parse(text.to_owned(), &Options { snake_case_keys: true }).unwrap();
    let url = doc.get(doc.root(), "type_url").unwrap();
    assert_eq!(doc.get(doc.root(), "typeUrl"), Some(url));
    assert_eq!(doc.key(url), Some("type_url"));
    assert_eq!(doc.written_key(url).as_deref(), Some("typeUrl"));
    assert_eq!(doc.normalized_path(url), "$['typeUrl']");
    assert!(doc.get(url, "some.dottedName").is_some());
    assert!(doc.get(doc.root(), "IPAddress").is_some());
    let space = doc.get(doc.root(), "name_space").unwrap();
    assert_eq!(doc.written_key(space).as_deref(), Some("nameSpace"));
    assert_eq!(doc.slice_of_key(space), r#""n\u0061meSpace""#);
}

/// Test-only shorthand.
trait KeyText {
    fn slice_of_key(&self, id: NodeId) -> &str;
}
impl KeyText for Document {
    fn slice_of_key(&self, id: NodeId) -> &str {
        &self.text()[self.key_span(id).expect("a name").range()]
    }
}

#[test]
fn posting_lists_are_in_document_order() {
    let doc = accepted(r#"[{"a": {"a": 1, "b": 2}}, {"b": 3, "a": [4]}]"#);
    let of = |name| doc.with_key(name).iter().map(|&id| doc.raw(id)).collect::<Vec<_>>();
    assert_eq!(of("a"), [r#"{"a": 1, "b": 2}"#, "1", "[4]"]);
    assert_eq!(of("b"), ["2", "3"]);
    assert!(of("c").is_empty());
}

#[test]
fn positions_far_into_a_long_text() {
    let mut text = String::from("[\"é");
    text.push_str(&"x".repeat(200_000));
    text.push_str("\",\n");
    text.push_str(&"0,\n".repeat(100_000));
    text.push_str("1]");
    let doc = accepted(&text);
    assert_eq!(doc.position(200_007).line, 2);
    let end = doc.position(200_000);
    assert_eq!((end.line, end.column), (1, 200_000));
    let last = doc.position(text.len() as u32 - 1);
    assert_eq!((last.line, last.column), (100_002, 2));
    assert_eq!(&text[doc.line_span(100_002).unwrap().range()], "1]");
    assert_eq!(&text[doc.line_span(50_000).unwrap().range()], "0,");
    assert_eq!(doc.line_span(100_003), None);
    assert_eq!(doc.line_span(0), None);
}

#[test]
fn the_way_up_is_the_way_down() {
    for seed in 0..40 {
        let doc = accepted(&thicket(seed, usize::MAX));
        assert_eq!(doc.parent(doc.root()), None);
        for id in nodes(&doc) {
            for (index, child) in doc.children(id).enumerate() {
                assert_eq!(doc.parent(child), Some(id));
                assert_eq!(doc.index_in(id, child), index);
                if doc.kind(id) == Kind::Array && index.is_multiple_of(50) {
                    assert_eq!(doc.at(id, index), Some(child));
                }
            }
            if id.index().is_multiple_of(61) {
                let path = Path::parse(&doc.normalized_path(id)).expect("a path");
                assert_eq!(path.select(&doc, doc.root()), [id]);
            }
        }
    }
}

#[test]
fn items_far_into_a_long_array() {
    let doc = accepted(&format!(
        "[{}]",
        (0..20_000).map(|n| format!("[{n}]")).collect::<Vec<_>>().join(",")
    ));
    for index in [0, 63, 64, 4095, 4096, 12_345, 19_999] {
        assert_eq!(
            doc.raw(doc.at(doc.root(), index).expect("an item")),
            format!("[{index}]")
        );
    }
    assert_eq!(doc.at(doc.root(), 20_000), None);
    assert_eq!(doc.at(doc.root(), 20_064), None);
}
