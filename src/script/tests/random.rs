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

fn run(text: &str, kind: Kind) {
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
    let known = Known {
        locals: &["host"],
        namespaces: NAMESPACES,
    };
    match scripts.compile(text, kind, &known) {
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
