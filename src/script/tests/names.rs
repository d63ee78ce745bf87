//! Free names: what is read, when it is touched, what wins.

use super::*;

fn reads(text: &str, kind: Kind) -> Vec<String> {
    let known = Known {
        locals: &["host"],
        namespaces: NAMESPACES,
    };
    let script = scripts(&[])
        .compile(text, kind, &known)
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let shown = script.reads.iter().map(|read| {
        let path = match &read.namespace {
            Some(namespace) => format!("{namespace}.{}", read.name),
            None => read.name.clone(),
        };
        assert!(
            text[read.start..read.end].starts_with(path.split('.').next().unwrap()),
            "{text}: {read:?}"
        );
        assert!(text[read.start..read.end].ends_with(&read.name), "{text}: {read:?}");
        if read.probe { format!("{path}!") } else { path }
    });
    shown.collect()
}

#[test]
fn free_names_are_found() {
    for (text, expected) in [
        ("servers", vec!["servers"]),
        ("shop.items + inputs.limit", vec!["shop.items", "inputs.limit"]),
        ("shop?.items", vec!["shop.items"]),
        ("before.shop.items.x[0].y", vec!["before.shop.items"]),
        ("before.servers[0].name", vec!["before.servers"]),
        ("servers.shop.items", vec!["servers"]),
        ("host.name == a", vec!["a"]),
        (
            "servers.filter(|s| s.name in names && s.port == host)",
            vec!["servers", "names"],
        ),
        (
            "a.filter(|x| b.some(|y| c.some(|z| x == y && z == d)))",
            vec!["a", "b", "c", "d"],
        ),
        ("a.some(|x| x in b) || c.some(|x| x in b)", vec!["a", "b", "c", "b"]),
        (
            "if a { b } else { switch c { 1 => d, _ => e } }",
            vec!["a", "b", "c", "d", "e"],
        ),
        ("[a, #{ b: c }, `${d} ${e}`]", vec!["a", "c", "d", "e"]),
        ("outcome(pods).status", vec!["pods!"]),
        (
            "age(a, shop.logs) > b && captured_at(c) < known(d.e)",
            vec!["a", "shop.logs!", "b", "c!", "d"],
        ),
        ("x.age == age", vec!["x", "age"]),
    ] {
        assert_eq!(reads(text, Kind::Expression), expected, "{text}");
    }
}

#[test]
fn locals_are_not_read() {
    for (text, expected) in [
        ("let a = b; a", vec!["b"]),
        ("a; let a = 1; a", vec!["a"]),
        ("{ let a = 1; a } a", vec!["a"]),
        ("for a in b { a } a", vec!["b", "a"]),
        ("let a = 1; b.map(|c| a + c)", vec!["b"]),
        ("let inputs = #{ x: 1 }; inputs.x", vec![]),
        ("b.map(|inputs| inputs.x)", vec!["b"]),
        (
            "{ let x = 1; a.filter(|c| c == x); } b.filter(|c| c == x)",
            vec!["a", "b", "x"],
        ),
    ] {
        assert_eq!(reads(text, Kind::Block), expected, "{text}");
    }
}

#[test]
fn templates_know_where_they_read() {
    assert_eq!(
        reads("é ${servers.len()} of `${shop.items}` ${host}", Kind::Template),
        ["servers", "shop.items"]
    );
}

#[test]
fn names_are_touched_late_and_locals_win() {
    check(&[
        ("shop.items + inputs.limit - before.shop.items", "9"),
        ("false && lost", "false"),
        ("[].filter(|s| s == lost)", "[]"),
        ("servers.filter(|s| known(lost)).len()", "0"),
        ("servers.filter(|s| lost == s)", "unknown: lost was not captured"),
        ("let lost = 1; lost", "1"),
        ("let names = [\"c\"]; servers.filter(|s| s.name in names).len()", "1"),
        (
            "servers.filter(|s| s.name in names).len() + servers.filter(|s| s.name in names).len()",
            "4",
        ),
        (
            "{ let x = \"a\"; servers.filter(|c| c.name == x) } servers.filter(|c| c.name == x)",
            "unknown: x is nothing",
        ),
        ("let f = |s| s.name in names; servers.filter(f).len()", "2"),
        ("shop.lost", "unknown: shop.lost was not captured"),
        ("`${lost}`", "unknown: lost was not captured"),
        ("lost ?? 1", "unknown: lost was not captured"),
        ("[1, lost]", "unknown: lost was not captured"),
        ("#{ a: lost }", "unknown: lost was not captured"),
        ("let a = 1; a = lost; a", "unknown: lost was not captured"),
    ]);
}

#[test]
fn an_unknown_names_what_would_settle_it() {
    let Err(Stop::Unknown(unknown)) = try_eval("servers.map(|s| lost)") else {
        panic!("it is unknown");
    };
    assert_eq!(unknown.missing, ["shop::lost"]);
}

#[test]
fn knowledge_can_be_asked_for() {
    check(&[
        ("known(lost)", "false"),
        ("known(servers[1].port)", "true"),
        ("known(servers[1].port.x)", "false"),
        ("known(servers[1].port < 1)", "false"),
        ("known(unknown(\"why\"))", "false"),
        (
            "known(1 < \"a\")",
            "failed: the number 1 cannot be compared with the text \"a\"",
        ),
        ("unknown(\"the log is cut\")", "unknown: the log is cut"),
        ("if known(lost) { lost } else { 5 }", "5"),
        ("known(shop.lost) == false", "true"),
    ]);
}

#[test]
fn outcomes_do_not_raise() {
    check(&[
        (
            "outcome(shop.logs)",
            r#"{"ended": false, "exit": 1, "http": (), "status": "denied", "stderr": "no such pod"}"#,
        ),
        ("\"no such\" in outcome(pods).stderr", "true"),
        ("outcome(servers)", "failed: `servers` is not a probe"),
        ("outcome(1 + 1)", "failed: `outcome` takes the name of a probe"),
        ("let p = 1; outcome(p)", "failed: `outcome` takes the name of a probe"),
    ]);
}

#[test]
fn what_is_gone_through_can_be_used_within() {
    check(&[
        ("let a = [1, 2]; a.map(|x| a.len() + x)", "[3, 4]"),
        (
            "let a = [1, 2]; a.map(|x| a.map(|y| a.len() * x * y))",
            "[[2, 4], [4, 8]]",
        ),
        ("let s = servers[2]; s.tags.filter(|t| t != s.name).len()", "2"),
        (
            "let f = |s| s.tags.filter(|t| t != s.name).len(); f.call(servers[2])",
            "2",
        ),
        ("let o = #{ a: [1] }; o.a[0] + [1].map(|x| o.a[0])[0]", "2"),
        (
            "let a = [2, 1]; a.sort(|x, y| a.len())",
            "failed: a variable is used within the function that goes through it; give it a second name with `let`",
        ),
    ]);
    let locals = [("host".to_owned(), eval("servers[2]"))];
    let text = "host.tags.filter(|t| t != host.name).len()";
    assert_eq!(line_of(try_with(&scripts(&[]), text, facts(), &locals)), "2");
}

#[test]
fn modules_see_their_arguments() {
    let scripts = scripts(&[
        (
            "routes",
            "fn targets(r) { let out = []; for t in parts::of(r.name) { out.push(#{ name: t, at: r.name }); } out }\nfn twice(n) { inner(n) + inner(n) }\nfn inner(n) { n }",
        ),
        (
            "parts",
            "const SEPARATOR = \",\";\nfn of(text) { text.split(global::SEPARATOR) }\nfn some_name(list, wanted) { list.some(|x| x.name == wanted) }\nfn is_set(x) { known(x.a.b) && x.a != () }",
        ),
    ]);
    for (text, expected) in [
        ("routes::targets(#{ name: \"a,b\" }).map(|t| t.name)", "[\"a\", \"b\"]"),
        ("routes::twice(2)", "4"),
        ("parts::some_name(servers, \"b\")", "true"),
        ("parts::is_set(#{ a: #{ b: 1 } })", "true"),
        ("servers.map(|s| routes::twice(s.name))", "[\"aa\", \"bb\", \"cc\"]"),
        ("routes::twice(lost)", "unknown: lost was not captured"),
    ] {
        assert_eq!(line_of(try_with(&scripts, text, facts(), &[])), expected, "{text}");
    }
}

#[test]
fn modules_of_used_rulebooks_bring_their_own() {
    let shop = {
        let mut shop = Scripts::new("shop", Limits::default());
        let modules = [
            ModuleText {
                name: "parts",
                text: "fn of(text) { text.split(\"-\") }",
            },
            ModuleText {
                name: "routes",
                text: "fn first(text) { parts::of(text)[0] }",
            },
        ];
        shop.add_modules(&modules);
        Arc::new(shop)
    };
    let mut middle = Scripts::new("middle", Limits::default());
    middle.use_modules("shop", &shop);
    let relay = ModuleText {
        name: "relay",
        text: "fn pass(text) { shop::routes::first(text) + \"!\" }",
    };
    middle.add_modules(&[relay]);
    let mut outer = Scripts::new("outer", Limits::default());
    outer.use_modules("middle", &Arc::new(middle));
    let parts = ModuleText {
        name: "parts",
        text: "fn of(text) { [\"mine\"] }",
    };
    outer.add_modules(&[parts]);
    let text = "middle::relay::pass(\"a-b\") + parts::of(\"a-b\")[0]";
    assert_eq!(line_of(try_with(&outer, text, facts(), &[])), "a!mine");
}
