//! JSONPath against the compliance suite, and what the suite leaves out.

mod thicket;

use casebook::document::json::{self, Options};
use casebook::document::{Document, Kind, NodeId};
use casebook::path::{Path, PathError};
use serde_json::Value;
use thicket::thicket;

fn read(text: &str) -> Document {
    json::parse(text.to_owned(), &Options::default()).expect("JSON")
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn refused(text: &str) -> PathError {
    match Path::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

/// The texts of what a query selects.
fn select(query: &str, document: &str) -> Vec<String> {
    let doc = read(document);
    path(query)
        .select(&doc, doc.root())
        .into_iter()
        .map(|id| doc.raw(id).to_owned())
        .collect()
}

fn suite() -> Vec<Value> {
    let suite: Value = serde_json::from_str(include_str!("data/jsonpath-cts.json")).expect("JSON");
    suite["tests"].as_array().expect("tests").clone()
}

fn is_invalid(test: &Value) -> bool {
    test["invalid_selector"] == Value::Bool(true)
}

fn selector(test: &Value) -> &str {
    test["selector"].as_str().expect("a selector")
}

/// The results that a test allows, or their paths: one, or one of several.
fn allowed(test: &Value, one: &str, several: &str) -> Vec<Value> {
    match test.get(one) {
        Some(result) => vec![result.clone()],
        None => test[several].as_array().expect("results").clone(),
    }
}

#[test]
fn the_compliance_suite() {
    let suite = suite();
    assert_eq!(suite.len(), 703);
    for test in &suite {
        let name = &test["name"];
        if is_invalid(test) {
            assert!(
                Path::parse(selector(test)).is_err(),
                "{name}: accepted {}",
                selector(test)
            );
            continue;
        }
        let doc = read(&test["document"].to_string());
        let found = path(selector(test)).select(&doc, doc.root());
        let values: Value = found
            .iter()
            .map(|&id| serde_json::from_str::<Value>(doc.raw(id)).unwrap())
            .collect();
        let paths: Value = found.iter().map(|&id| doc.normalized_path(id)).collect();
        assert!(
            allowed(test, "result", "results").contains(&values),
            "{name}: {} gives {values}",
            selector(test)
        );
        assert!(
            allowed(test, "result_paths", "results_paths").contains(&paths),
            "{name}: paths {paths}"
        );
    }
}

#[test]
fn every_query_of_the_suite_can_be_written_and_read_back() {
    let extra = [
        "$[?!(@.a && (@.b || !(@.c == 1)))]",
        "$[?@.a == 9223372036854775808]",
        "$[?@.a > -1e999]",
    ];
    let suite = suite();
    for text in suite.iter().filter(|test| !is_invalid(test)).map(selector).chain(extra) {
        let original = path(text);
        let written = original.to_string();
        assert_eq!(path(&written), original, "{text} was written as {written}");
        assert_eq!(path(&written).to_string(), written);
    }
}

#[test]
fn paths_are_written_simply() {
    for (text, written) in [
        ("$['a'][ 'b-c' ]..[ 'd' ]", "$.a['b-c']..d"),
        ("$[ 0 , -1 , * , 1:2 , ::-1 ]", "$[0, -1, *, 1:2, ::-1]"),
        ("$[?(@.a==1&&(@.b))||!(@.c)]", "$[?(@.a == 1 && @.b) || !@.c]"),
        ("$[?count( @..x )>=2]", "$[?count(@..x) >= 2]"),
        ("$[?match(@[\"a\"],\"it's\")]", "$[?match(@.a, 'it\\'s')]"),
    ] {
        assert_eq!(path(text).to_string(), written);
    }
}

#[test]
fn nothing_counts_as_zero() {
    let document = r#"[{"a": 1}, {"missing": []}, 7]"#;
    assert_eq!(select("$[?count(@.missing) == 0]", document), [r#"{"a": 1}"#, "7"]);
    assert_eq!(select("$[?count(@.missing[*]) == 0]", document).len(), 3);
}

#[test]
fn integers_compare_exactly() {
    let document = r#"[9007199254740992, 9007199254740993, 18446744073709551615, 18446744073709551616, 1.0, 0]"#;
    assert_eq!(select("$[?@ == 9007199254740993]", document), ["9007199254740993"]);
    assert_eq!(select("$[?@ > 9007199254740992]", document).len(), 3);
    assert_eq!(
        select("$[?@ == 18446744073709551616]", document),
        ["18446744073709551616"]
    );
    assert_eq!(
        select("$[?18446744073709551615 < @]", document),
        ["18446744073709551616"]
    );
    assert_eq!(select("$[?@ < -18446744073709551615]", document), Vec::<String>::new());
    assert_eq!(select("$[?@ == $[3]]", document), ["18446744073709551616"]);
    assert_eq!(select("$[?@ == 1]", document), ["1.0"]);
    assert_eq!(select("$[?@ == 1e-17]", document), Vec::<String>::new());
    assert!(
        Path::parse("$[9007199254740992]").is_err(),
        "indices stay within the exact range of f64"
    );
}

#[test]
fn of_duplicates_only_the_last_exists() {
    let document = r#"{"a": {"x": 1}, "b": 2, "a": {"x": 3}}"#;
    assert_eq!(select("$.a.x", document), ["3"]);
    assert_eq!(select("$.*", document), ["2", r#"{"x": 3}"#]);
    assert_eq!(select("$..x", document), ["3"]);
    assert_eq!(select("$..*", document), ["2", r#"{"x": 3}"#, "3"]);
    assert_eq!(select("$[?@.x]", document), [r#"{"x": 3}"#]);
    let array = r#"[{"a": 1, "a": 2}, {"a": 2}, {"a": 1}]"#;
    assert_eq!(select("$[?@ == $[1]]", array), [r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#]);
    assert_eq!(select("$[?length(@) == 1]", array).len(), 3);
}

#[test]
fn the_root_is_where_the_query_starts() {
    let doc = read(r#"{"limit": 1, "a": {"limit": 5, "items": [3, 6]}}"#);
    let a = doc.get(doc.root(), "a").unwrap();
    let found = path("$.items[?@ > $.limit]").select(&doc, a);
    assert_eq!(found.iter().map(|&id| doc.raw(id)).collect::<Vec<_>>(), ["6"]);
    assert_eq!(path("$..limit").select(&doc, a).len(), 1);
    assert!(path("$.items").exists(&doc, a) && !path("$.a").exists(&doc, a));
}

#[test]
fn names_below_come_in_the_order_of_their_objects() {
    let shape = |filler: &str| {
        format!(r#"{{"b": {{"a": 1, "c": {{"a": 2}}}}, "a": {{"a": 3}}, "d": [{{"a": 4}}, {filler}], "a2": 5}}"#)
    };
    let few = shape("0");
    assert_eq!(select("$..a", &few), [r#"{"a": 3}"#, "1", "2", "3", "4"]);
    let many = shape(&vec!["0"; 5000].join(","));
    assert_eq!(select("$..a", &many), select("$..a", &few));
    let doc = read(&many);
    doc.with_key("a");
    let b = doc.get(doc.root(), "b").unwrap();
    let found: Vec<&str> = path("$..a").select(&doc, b).into_iter().map(|id| doc.raw(id)).collect();
    assert_eq!(found, ["1", "2"]);
}

#[test]
fn folded_names_are_found_in_both_spellings() {
    let text = r#"{"typeUrl": {"realName": 1}}"#.to_owned();
    let doc = json::parse(text, &Options { snake_case_keys: true }).unwrap();
    for query in [
        "$.type_url.real_name",
        "$.typeUrl.realName",
        "$..real_name",
        "$[?@.realName == 1].real_name",
    ] {
        let found: Vec<NodeId> = path(query).select(&doc, doc.root());
        let paths: Vec<String> = found.iter().map(|&id| doc.normalized_path(id)).collect();
        assert_eq!(paths, ["$['typeUrl']['realName']"], "{query}");
    }
}

#[test]
fn patterns_from_the_document_are_used_too() {
    let document = r#"{"pattern": "a.c", "items": ["abc", "xabc", "a\nc", 1]}"#;
    assert_eq!(select("$.items[?match(@, $.pattern)]", document), [r#""abc""#]);
    assert_eq!(
        select("$.items[?search(@, $.pattern)]", document),
        [r#""abc""#, r#""xabc""#]
    );
    assert_eq!(path("$[?match(@, '(')]").bad_patterns()[0].0, "(");
}

#[test]
fn mistakes_are_explained_where_they_are() {
    for (text, offset, message, help) in [
        ("", 0, "empty", "`$`"),
        ("a.b", 0, "begins with `$`", "`$.a.b`"),
        ("$.a ", 3, "white space after the end", ""),
        ("$. a", 2, "white space after a dot", ""),
        ("$.a b", 4, "`b` cannot follow `a`", "['a b']"),
        ("$.'a'", 2, "needs brackets", "`['a']`"),
        ("$.a-b", 3, "no `-` here", "['a-b']"),
        ("$['a", 2, "does not end", ""),
        ("$['a\n']", 4, "U+000A", "\\u000a"),
        ("$[0", 1, "never closed", ""),
        ("$.a]", 3, "closes nothing", ""),
        ("$[?(@.a]", 7, "does not close", ""),
        ("$[?@.a = 1]", 7, "no `=` here", "`==`"),
        ("$[?@.a and @.b]", 7, "cannot follow", "`&&`"),
        ("$[?in(@.a, $.b)]", 3, "no function `in`", "length, count"),
        ("$[?length (@.a) == 1]", 9, "white space between", ""),
        ("$[?length(@.a)]", 3, "must be compared", ""),
        ("$[?@.a && count(@.*)]", 10, "must be compared", ""),
        ("$[?length(@.*) < 3]", 3, "several nodes", "`value(...)`"),
        ("$[?count(1) == 1]", 3, "must be a path", ""),
        ("$[?count(length(@)) == 1]", 3, "must be a path", ""),
        ("$[?match(@.a, 'b') == true]", 3, "true or false", ""),
        ("$[?length(match(@.a, 'b')) == 1]", 10, "true or false", ""),
        ("$.a.", 4, "expected `*` or a name", ""),
        ("$[?@.a == ]", 10, "expected a number, a string", ""),
        ("$[]", 2, "expected a selector", ""),
        ("$[?true]", 7, "expected a comparison", ""),
    ] {
        let error = refused(text);
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert_eq!(error.offset, Some(offset), "{text}: {error:?}");
        assert!(
            error.help.clone().unwrap_or_default().contains(help),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn hostile_queries_are_refused_or_answered_soon() {
    let deep = |open: &str, close: &str, times| format!("$[?{}@{}]", open.repeat(times), close.repeat(times));
    for text in [
        deep("(", ")", 100_000),
        deep("@[?", "]", 100_000),
        format!("${}", "[".repeat(100_000)),
    ] {
        assert!(refused(&text).message.contains("nested more than"));
    }
    assert!(
        refused(&format!("$[?{}", "length(".repeat(60)))
            .message
            .contains("nested more than")
    );
    assert!(
        refused(&format!("${}", "[*]".repeat(1000)))
            .message
            .contains("branches more than")
    );
    path(&deep("(", ")", 60));
    path(&deep("!(", ")", 60));
    path(&deep("@[?", "]", 60));
    for inner in ["1", "1 == 1", "@.a", "@[*]", "@ ==", "(("] {
        let _ = Path::parse(&format!("$[?{}{inner}{} == 1]", "length(".repeat(6), ")".repeat(6)));
        let _ = Path::parse(&format!("$[?{}{inner}{}]", "count(@[?".repeat(6), "] ) == 1".repeat(6)));
    }
    let long = path(&format!("${}", ".a".repeat(20_000)));
    let doc = read(&format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500)));
    assert!(long.select(&doc, doc.root()).is_empty());
    let searches = path(&deep("@[?", "]", 60));
    let brackets = read(&format!("{}{}", "[".repeat(500), "]".repeat(500)));
    assert_eq!(searches.select(&brackets, brackets.root()).len(), 1);
    let widest = path(&format!("${}", "[*]".repeat(256)));
    assert_eq!(widest.select(&doc, doc.root()).len(), 1);
}

#[test]
fn endless_searches_can_be_bounded() {
    let doc = read(&format!("[{}]", vec!["[[1],[2]]"; 50].join(",")));
    let count = |query: &str, steps| {
        path(query)
            .select_within(&doc, doc.root(), steps)
            .map(|found| found.len())
    };
    assert_eq!(count("$[*]", 50), Some(50));
    assert_eq!(count("$[*]", 49), None);
    assert_eq!(count("$[?@[1]]", 50), Some(50));
    assert_eq!(count("$..*..*..[?$..[?@ == 3]]", 10_000), None);
    assert_eq!(count("$[?!$..[?@ == 3]]", 1000), None);
    assert_eq!(count("$[?!$..[?@ == 3]]", 100_000), Some(50));
    let deep = read(&format!("{}{}", "[".repeat(500), "]".repeat(500)));
    let doubling = path(&format!("${}", "[0, 0]".repeat(100)));
    assert_eq!(doubling.select_within(&deep, deep.root(), 100_000), None);
}

#[test]
fn members_of_large_objects_are_found() {
    let members: Vec<String> = (0..1000)
        .map(|n| format!("\"k{n}\":{{\"k5\":{n},\"k900\":{n}}}"))
        .collect();
    let unique = format!("{{{}}}", members.join(","));
    assert_eq!(select("$.k900.k5", &unique), ["900"]);
    assert_eq!(select("$['k900', 'k5', 'k1000'].k900", &unique), ["900", "5"]);
    let repeated = format!("{{{},\"k5\":{{\"k5\":-1}}}}", members.join(","));
    assert_eq!(select("$.k5.k5", &repeated), ["-1"]);
    assert_eq!(select("$.k999.k5", &repeated), ["999"]);
}

#[test]
fn documents_and_paths_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Document>();
    shared::<Path>();
}

/// The document without members that a later one of the same name hides.
fn without_hidden(doc: &Document, id: NodeId) -> String {
    let children: Vec<String> = doc
        .visible_children(id)
        .map(|child| {
            let value = without_hidden(doc, child);
            doc.key(child).map_or(value.clone(), |key| format!("\"{key}\":{value}"))
        })
        .collect();
    match doc.kind(id) {
        Kind::Array => format!("[{}]", children.join(",")),
        Kind::Object => format!("{{{}}}", children.join(",")),
        _ => doc.raw(id).to_owned(),
    }
}

#[test]
fn searches_agree_with_and_without_the_index_and_hidden_members() {
    for seed in 0..40 {
        let doc = read(&thicket(seed, [2, 40][seed as usize % 2]));
        let indexed = read(doc.text());
        indexed.with_key("k0");
        let clean = read(&without_hidden(&doc, doc.root()));
        assert!(clean.duplicates().is_empty());
        for query in [
            "$..k1",
            "$..k1..k0",
            "$.*",
            "$..*",
            "$..[?@.k0]",
            "$..[?@ == 7]",
            "$..['k1', 'k0'][0]",
            "$..[?@[1]].k1",
        ] {
            let texts = |doc: &Document| -> Vec<String> {
                let found = path(query).select(doc, doc.root());
                found.into_iter().map(|id| without_hidden(doc, id)).collect()
            };
            let walked = texts(&doc);
            assert_eq!(walked, texts(&clean), "{query}");
            assert_eq!(walked, texts(&indexed), "{query}");
        }
    }
}
