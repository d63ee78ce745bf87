//! What scripts may spend.

use super::*;

/// Evaluates within tight limits, so that tests are quick.
fn bounded(text: &str) -> String {
    let limits = Limits {
        operations: 200_000,
        ..Limits::default()
    };
    let mut scripts = Scripts::new("test", limits);
    let modules = [ModuleText {
        name: "deep",
        text: "fn down(n) { if n == 0 { 0 } else { 1 + down(n - 1) } }\nfn double(list) { double([list, list]) }\nfn grow(text) { grow(`${text}${text}`) }\nfn forever() { forever() }\nfn spiral(n) { [n].map(|x| { if true { switch x { _ => [x].filter(|y| spiral(x + y + 1)) } } }) }",
    }];
    scripts.add_modules(&modules);
    scripts.check_modules().unwrap();
    line_of(try_with(&scripts, text, facts(), &[]))
}

#[test]
fn endless_scripts_end() {
    for text in [
        "loop { }",
        "let n = 0; while true { n += 1; }",
        "for i in 0..1000000000000 { }",
        "[1, 2, 3].filter(|x| { loop { } })",
        "let a = []; for i in 0..1000 { a.push(i); } a.map(|x| servers.len()).len() + servers.map(|s| { loop { } }).len()",
        "let a = []; for i in 0..300 { a.push(i); } let b = a; a.map(|x| b.map(|y| b.map(|z| x + y + z)))",
        "[2, 1].sort(|a, b| { loop { } })",
    ] {
        assert_eq!(
            bounded(text),
            "failed: the script used more than 200000 operations",
            "{text}"
        );
    }
}

#[test]
fn what_scripts_make_is_bounded() {
    for text in [
        "let a = []; loop { a.push(1); }",
        "let a = [1]; loop { a += a; }",
        "let a = [1]; loop { a = a + a; }",
        "let a = [1]; loop { a.append(a); }",
        "let a = [1, 2]; loop { a[0] = [a, 1]; a[1] = 2; a = a.flatten(); a = a + a; }",
        "let a = [1, 2]; loop { let b = a; a = a.map(|x| b).flatten(); }",
        "let a = [1]; loop { a = [a.filter(|x| true), a.filter(|x| true)].flatten(); }",
        "let a = #{}; let n = 0; loop { a[`k${n}`] = n; n += 1; }",
        "let a = [1]; loop { a.insert(0, 1); }",
    ] {
        assert_eq!(
            bounded(text),
            "failed: the script used more than 200000 operations",
            "{text}"
        );
    }
}

#[test]
fn doubling_is_bounded() {
    for text in [
        "let a = [1]; loop { a = [a, a]; }",
        "let a = [1, 2]; loop { a[0] = a; a[1] = a; }",
        "let a = #{}; loop { a.x = a; a.y = a; }",
        "let a = #{}; loop { a = #{ x: a, \"y z\": a }; }",
        "let a = [1]; loop { a.push(a); }",
        "let a = [1]; loop { a = [a, a[0]]; }",
        "deep::double([1])",
    ] {
        let result = bounded(text);
        assert!(
            result == "failed: the script used more than 200000 operations"
                || result == "failed: the script made a value more than 128 levels deep",
            "{text}: {result}"
        );
    }
}

#[test]
fn depth_is_bounded() {
    assert_eq!(
        bounded("let a = []; loop { a = [a]; }"),
        "failed: the script made a value more than 128 levels deep"
    );
    assert_eq!(
        line_of(try_eval("let a = #{}; loop { a = #{ a: a }; }")),
        "failed: the script made a value more than 128 levels deep"
    );
    assert_eq!(bounded("deep::down(30)"), "30");
    assert_eq!(
        bounded("deep::forever()"),
        "failed: the script's functions call each other too deep"
    );
    assert_eq!(
        bounded("deep::spiral(1)"),
        "failed: the script's functions call each other too deep"
    );
    let nested = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    let problems = scripts(&[])
        .compile(&nested, Kind::Block, &Known::default())
        .unwrap_err();
    assert_eq!(problems[0].message, "Expression exceeds maximum complexity");
}

#[test]
fn strings_are_bounded() {
    for text in [
        "let s = \"x\"; loop { s = `${s}${s}`; }",
        "let s = \"x\"; loop { s += s; }",
        "let s = \"x\"; loop { s = s + s; }",
        "let s = \"xxxxxxxx\"; loop { s = s.replaced(\"x\", s); }",
        "let s = [\"x\", \"x\"]; loop { s = [s.join(\"y\"), s.join(\"y\")]; }",
        "deep::grow(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\")",
        "let o = #{ s: \"x\" }; loop { o.s = `${o.s}${o.s}`; }",
    ] {
        let result = bounded(text);
        assert!(
            result == "failed: the script made a string of more than 1048576 bytes"
                || result == "failed: the script used more than 200000 operations",
            "{text}: {result}"
        );
    }
}

#[test]
fn pushing_is_not_quadratic() {
    let text = "let a = []; for i in 0..20000 { a.push(i); } for i in 0..20000 { a += [i]; } a.len()";
    let start = std::time::Instant::now();
    assert_eq!(line_of(try_eval(text)), "40000");
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn the_clock_ends_what_nothing_else_does() {
    let limits = Limits {
        operations: u64::MAX,
        time: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let scripts = Scripts::new("test", limits);
    assert_eq!(
        line_of(try_with(&scripts, "loop { }", facts(), &[])),
        "failed: the script ran for more than 0.05 s"
    );
}

#[test]
fn evaluations_within_evaluations_have_their_own_limits() {
    struct Nested(Arc<Scripts>, Script);
    impl Names for Nested {
        fn value(&self, _: &str) -> Result<Dynamic, Refusal> {
            let none: Arc<dyn Names> = Arc::new(Facts::default());
            self.0
                .eval(&self.1, &[], &none)
                .map_err(|stop| Unknown::new(stop.to_string()).into())
        }
        fn member(&self, _: &str, name: &str) -> Result<Dynamic, Refusal> {
            self.value(name)
        }
        fn handle(&self, _: Option<&str>, _: &str) -> Option<Probe> {
            None
        }
    }
    let limits = Limits {
        operations: 10_000,
        ..Limits::default()
    };
    let scripts = Scripts::new("test", limits);
    let inner = scripts
        .compile(
            "let n = 0; for i in 0..1000 { n += 1; } n",
            Kind::Block,
            &Known::default(),
        )
        .unwrap();
    let outer = scripts
        .compile(
            "let n = 0; for i in 0..10 { n += fact; } n",
            Kind::Block,
            &Known::default(),
        )
        .unwrap();
    let scripts = Arc::new(scripts);
    let names: Arc<dyn Names> = Arc::new(Nested(Arc::clone(&scripts), inner));
    assert_eq!(line_of(scripts.eval(&outer, &[], &names)), "10000");
}
#[test]
fn long_expressions_are_not_deep() {
    let sum = vec!["1"; 50].join(" + ");
    assert_eq!(bounded(&sum), "50");
    let either = vec!["1 == 2"; 50].join(" || ");
    assert_eq!(bounded(&either), "false");
    let chain = format!("#{{ a: 1 }}{}", "?.a".repeat(20));
    assert_eq!(
        bounded(&format!("let x = {chain}; 1")),
        "failed: an integer has no member `a`"
    );
}

#[test]
fn calls_of_deep_expressions_fit_the_stack() {
    let nested = |open: &str, close: &str, times: usize| {
        let text = format!("fn f(x) {{ {}f(x){} }}", open.repeat(times), close.repeat(times));
        let scripts = scripts(&[("m", &text)]);
        line_of(try_with(&scripts, "m::f(1)", facts(), &[]))
    };
    let expected = "failed: the script's functions call each other too deep";
    assert_eq!(nested("[", "]", 18), expected);
    assert_eq!(nested("[1].map(|x| ", ")", 7), expected);
    assert_eq!(nested("if true { ", " }", 12), expected);
}
