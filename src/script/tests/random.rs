//! Random scripts: whatever they are, they compile or not, give a value or not, and nothing panics.

use proptest::prelude::*;

use super::*;

const WORDS: &[&str] = &[
    "servers",
    "shop",
    "inputs",
    "before",
    "lost",
    "names",
    "pods",
    "host",
    "x",
    "y",
    "known",
    "outcome",
    "age",
    "captured_at",
    "len",
    "map",
    "filter",
    "push",
    "sort",
    "keys",
    "version",
    "curry",
    "call",
    "this",
    "default",
    "match",
    "type_of",
    "Fn",
    "let",
    "if",
    "else",
    "for",
    "in",
    "while",
    "switch",
    "return",
    "break",
    "fn",
    "const",
    "import",
    "try",
    "catch",
    "throw",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#{",
    "|",
    "||",
    "=>",
    ",",
    ";",
    ":",
    "::",
    ".",
    "?.",
    "?[",
    "??",
    "..",
    "_",
    "!",
    "-",
    "+",
    "*",
    "/",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "=",
    "+=",
    "<<=",
    "()",
    "true",
    "false",
    "1",
    "0",
    "2.5",
    "\"a\"",
    "'c'",
    "`t ${x} u`",
    "`",
    "${",
    "\n",
    "// c\n",
    "m",
    "f",
    "g",
    "name",
    "port",
    "0x",
    "é",
    "\\",
    "\"",
];

fn script() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..24).prop_map(|words| words.join(" "))
}

/// Expressions that compile, mostly.
fn expression() -> impl Strategy<Value = String> {
    let atoms = [
        "servers",
        "servers[0]",
        "servers[1].port",
        "shop.items",
        "lost",
        "names",
        "host",
        "1",
        "2.5",
        "\"a\"",
        "()",
        "true",
        "x",
        "outcome(pods)",
        "duration(\"5m\")",
        "version(\"1.2.3\")",
        "captured_at(shop.logs)",
        "[]",
        "#{}",
        "'c'",
        "0..3",
    ];
    let atom = prop::sample::select(atoms.to_vec()).prop_map(str::to_owned);
    atom.prop_recursive(4, 24, 3, |inner| {
        let operators = vec!["+", "-", "*", "/", "==", "!=", "<", ">=", "&&", "||", "in", "??"];
        let functions = vec!["map", "filter", "find", "some", "all", "order_by", "group_by"];
        let methods = vec![
            "len()",
            "keys()",
            "name",
            "labels?.app",
            "in",
            "unique()",
            "flatten()",
            "to_string()",
            "sum()",
        ];
        prop_oneof![
            (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), prop::sample::select(functions), inner.clone())
                .prop_map(|(a, f, b)| format!("{a}.{f}(|x| {b})")),
            (inner.clone(), prop::sample::select(methods)).prop_map(|(a, member)| format!("{a}.{member}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("#{{ a: {a}, \"b c\": {b} }}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("if {a} {{ {b} }} else {{ {c} }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ let x = {a}; x.map(|y| x == {b}) }}")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("{{ let x = []; for y in {a} {{ x.push({b}); x[0] = y; }} x }}")),
            inner.clone().prop_map(|a| format!("known({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("`<${{{a}}}>`")),
            inner.clone().prop_map(|a| format!("m::g({a}, m::f({a}))")),
            inner.prop_map(|a| format!("switch {a} {{ 1 => 2, \"a\" => 3, _ => 4 }}")),
        ]
    })
}

fn known() -> Known<'static> {
    Known {
        locals: &["host"],
        namespaces: NAMESPACES,
    }
}

fn scripts() -> Scripts {
    let limits = Limits {
        operations: 20_000,
        ..Limits::default()
    };
    let mut scripts = Scripts::new("test", limits);
    let module = ModuleText {
        name: "m",
        text: "fn f(x) { x }\nfn g(x, y) { [x, y] }",
    };
    scripts.add_modules(&[module]);
    scripts
}

fn run(text: &str, kind: Kind) {
    let scripts = scripts();
    match scripts.compile(text, kind, &known()) {
        Ok(script) => {
            let names: Arc<dyn Names> = Arc::new(facts());
            let locals = [("host".to_owned(), Dynamic::from("h"))];
            let _ = scripts.render(&script, &locals, &names);
        }
        Err(problems) => {
            for problem in problems {
                assert!(text.get(problem.start..problem.end).is_some(), "{text}: {problem:?}");
            }
        }
    }
}

/// Expressions most of which are plain.
fn plain_expression() -> impl Strategy<Value = String> {
    let atoms = [
        "servers",
        "shop.items",
        "lost",
        "names",
        "host",
        "host.name",
        "rows",
        "1",
        "-2",
        "2.5",
        "\"a\"",
        "\"h\"",
        "()",
        "true",
        "false",
        "version(\"1.2.3\")",
        "duration(\"5m\")",
    ];
    let atom = prop::sample::select(atoms.to_vec()).prop_map(str::to_owned);
    atom.prop_recursive(3, 16, 2, |inner| {
        let operators = vec![
            "+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ];
        let methods = vec![
            "len()",
            "keys()",
            "name",
            "port",
            "labels",
            "app",
            "unique()",
            "to_string()",
            "contains(\"a\")",
            "starts_with(\"a\")",
            "len().to_string()",
            "labels.app.len()",
            "split(\",\").len()",
        ];
        prop_oneof![
            4 => (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            4 => (inner.clone(), prop::sample::select(methods)).prop_map(|(a, member)| format!("{a}.{member}")),
            1 => inner.clone().prop_map(|a| format!("!{a}")),
            1 => inner.prop_map(|a| format!("{a}[0]")),
        ]
    })
}

/// A plain expression has the value that Rhai has of it, with its place; where Rhai has none, neither has it.
fn both_ways(text: &str) -> Option<bool> {
    let scripts = scripts();
    let script = scripts.compile(text, Kind::Expression, &known()).ok()?;
    let Ok(Body::Code(code)) = script.body(&scripts) else {
        return None;
    };
    let plain = code.plain.as_ref()?;
    let facts = Arc::new(facts());
    let row = facts
        .values
        .get("servers")
        .and_then(|servers| servers.as_ref().ok()?.as_array_ref().ok()?.first().cloned());
    for host in [
        Dynamic::from("h"),
        row.unwrap_or_default(),
        Dynamic::UNIT,
        Dynamic::from("a".repeat(1 << 21)),
    ] {
        let names: Arc<dyn Names> = Arc::clone(&facts) as Arc<dyn Names>;
        let _session = session::enter(Some(names), &scripts.limits);
        let locals = [("host".to_owned(), host)];
        let by_rhai = scripts.run_by_rhai(code, &locals);
        match (plain.eval(&locals), by_rhai) {
            (Some(value), Ok(other)) => {
                assert_eq!(
                    (show(&value), value.type_name()),
                    (show(&other), other.type_name()),
                    "{text}"
                );
                assert_eq!(value.tag(), other.tag(), "{text}");
            }
            (None, _) => {}
            (Some(value), Err(stop)) => panic!("{text}: {} instead of {stop:?}", show(&value)),
        }
    }
    Some(true)
}

#[test]
fn what_rules_ask_of_each_item_is_plain() {
    for text in [
        "host.name != \"\"",
        "host.port == () || host.name.ends_with(\"s\")",
        "!(host.name in names) && host.labels.app == true",
        "servers.len() > 0",
    ] {
        assert_eq!(both_ways(text), Some(true), "{text}");
    }
    for text in [
        "host?.name",
        "host[0]",
        "names.some(|name| name == host)",
        "m::f(host)",
        "`${host}`",
        "[host]",
    ] {
        assert_eq!(both_ways(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_words_do_not_panic(text in script()) {
        run(&text, Kind::Block);
        run(&text, Kind::Expression);
        run(&text, Kind::Template);
    }

    #[test]
    fn random_expressions_do_not_panic(text in expression()) {
        run(&text, Kind::Block);
        run(&format!("a ${{{text}}} b"), Kind::Template);
    }

    #[test]
    fn plain_expressions_have_the_values_of_rhai(text in plain_expression()) {
        both_ways(&text);
    }

    #[test]
    fn random_modules_do_not_panic(text in script()) {
        let text = format!("fn f(x) {{ {text} }}");
        let mut scripts = Scripts::new("test", Limits::default());
        scripts.add_modules(&[ModuleText { name: "m", text: &text }]);
        let _ = scripts.check_modules();
    }

    #[test]
    fn random_characters_do_not_panic(text in ".{0,40}") {
        run(&text, Kind::Block);
        run(&text, Kind::Template);
    }
}
