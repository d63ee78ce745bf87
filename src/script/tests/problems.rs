//! What is wrong with scripts, and where.

use super::*;

/// The problems of a text, each with the piece of the text that it blames.
fn problems(text: &str, kind: Kind) -> Vec<String> {
    let known = Known {
        locals: &["host"],
        namespaces: NAMESPACES,
    };
    let modules = [("routes", "fn targets(route) { [] }")];
    let found = scripts(&modules).compile(text, kind, &known).err().unwrap_or_default();
    let shown = found.iter().map(|problem| {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("{}: {}{help}", &text[problem.start..problem.end], problem.message)
    });
    shown.collect()
}

#[test]
fn problems_are_found_and_placed() {
    for (text, expected) in [
        ("a +", vec![": Script is incomplete"]),
        ("a b", vec!["b: Expecting ';' to terminate this statement"]),
        ("\"abc", vec!["\": Open string is not terminated"]),
        (
            "lenn(a)",
            vec!["lenn: there is no function `lenn` (did you mean `len`?)"],
        ),
        (
            "a.lenn()",
            vec!["lenn: there is no function `lenn` (did you mean `len`?)"],
        ),
        (
            "a.map(|x| vers(x))",
            vec!["vers: there is no function `vers` (did you mean `version`?)"],
        ),
        ("version()", vec!["version: `version` takes 1 argument(s), not 0"]),
        ("host.push()", vec!["push: `push` takes 1 argument(s), not 0"]),
        ("age(a)", vec!["age: `age` takes 2 argument(s), not 1"]),
        (
            "route::targets(a)",
            vec!["route: there is no module `route` (did you mean `routes`?)"],
        ),
        (
            "routes::target(a)",
            vec!["target: there is no function `routes::target` (did you mean `targets`?)"],
        ),
        (
            "routes::targets()",
            vec!["targets: `routes::targets` takes 1 argument(s), not 0"],
        ),
        (
            "nope(1) + zero(2)",
            vec!["nope: there is no function `nope`", "zero: there is no function `zero`"],
        ),
        ("eval(\"1\")", vec!["eval: `eval` is not available in rulebooks"]),
        ("print(1)", vec!["print: `print` is not available in rulebooks"]),
        ("a.debug()", vec!["debug: `debug` is not available in rulebooks"]),
        ("curry(a, b)", vec!["curry: there is no function `currying`"]),
        ("sleep(1)", vec!["sleep: `sleep` is not available in rulebooks"]),
        (
            "servers = 1",
            vec!["servers: `servers` comes from evidence and cannot be changed (change a copy: `let copy = ...`)"],
        ),
        (
            "servers[0] += 1",
            vec!["servers: `servers` comes from evidence and cannot be changed (change a copy: `let copy = ...`)"],
        ),
        (
            "servers.push(1)",
            vec!["servers: `servers` comes from evidence and cannot be changed (change a copy: `let copy = ...`)"],
        ),
        (
            "shop.items.pop()",
            vec!["shop: `shop` comes from evidence and cannot be changed (change a copy: `let copy = ...`)"],
        ),
        (
            "shop",
            vec!["shop: `shop` stands for nothing by itself (write `name.member`)"],
        ),
        (
            "before.shop",
            vec!["before: `before.shop` stands for nothing by itself (write `name.member`)"],
        ),
        (
            "try { a } catch { b }",
            vec!["try: there is no `try` (`known(x)` asks whether something is known)"],
        ),
        (
            "import \"x\" as y;",
            vec!["import: modules are not imported (modules of `lib/` are at hand: `module::function(x)`)"],
        ),
        (
            "fn f() { 1 } f()",
            vec![
                "f: there is no function `f`",
                "{: the function `f` cannot be defined here (functions stand in modules, in `lib/`)",
            ],
        ),
        ("", vec![": an expression is missing"]),
    ] {
        assert_eq!(problems(text, Kind::Block), expected, "{text}");
    }
}

#[test]
fn an_expression_is_one() {
    for (text, expected) in [
        ("let a = 1", vec!["let: an expression is wanted here, not a statement"]),
        ("a; b", vec!["b: one expression is wanted here, not several statements"]),
        ("// nothing", vec!["// nothing: an expression is missing"]),
        ("if a { let b = 1; b } else { c }", vec![]),
        ("{ let a = 1; a }", vec![]),
        ("a.b", vec![]),
    ] {
        assert_eq!(problems(text, Kind::Expression), expected, "{text}");
    }
}

#[test]
fn templates_are_blamed_where_they_are_wrong() {
    for (text, expected) in [
        ("a ${b", vec!["${: nothing closes this `${`"]),
        ("é ${} b", vec![": an expression is missing"]),
        (
            "é ${a +} ${nope(1)}",
            vec![": Script is incomplete", "nope: there is no function `nope`"],
        ),
        ("x\ny ${\n  nope(1)}", vec!["nope: there is no function `nope`"]),
    ] {
        assert_eq!(problems(text, Kind::Template), expected, "{text}");
    }
}

fn place(scripts: &mut Scripts, text: &str) -> (String, Option<usize>, Option<ModulePlace>) {
    match try_with(scripts, text, facts(), &[]) {
        Err(Stop::Failed { message, at, in_module }) => (message, at, in_module),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn failures_are_placed() {
    let mut scripts = scripts(&[(
        "deep",
        "fn outer(x) {\n  inner(x)\n}\nfn inner(x) {\n  no(x) || x < \"é\"\n}\nfn no(x) { false }\nfn each(list, f) { list.map(f) }",
    )]);
    for (text, piece) in [
        ("1 +\n  (2 < \"a\")", "<"),
        ("servers.filter(|s| s.name < 1)", "<"),
        ("servers.map(|s| servers.map(|t| t.name + servers))", "+"),
        ("servers.nope", "nope"),
        ("\"é\" + servers[9].x", "9"),
        ("deep::each(servers, |s| s.name < 1)", "<"),
    ] {
        let (message, at, in_module) = place(&mut scripts, text);
        assert_eq!(at, text.find(piece), "{text}: {message}");
        assert_eq!(in_module, None, "{text}");
    }
    let (message, at, in_module) = place(&mut scripts, "1 + deep::outer(5)");
    assert_eq!(message, "the number 5 cannot be compared with the text \"é\"");
    assert_eq!(at, Some(10));
    let module = &scripts.texts["test::deep"];
    let expected = ModulePlace {
        module: "test::deep".into(),
        at: module.find('<').unwrap(),
    };
    assert_eq!(in_module, Some(expected));
}

#[test]
fn failures_in_templates_are_placed_in_the_template() {
    let scripts = scripts(&[]);
    let text = "é ${servers.len()} ${1 < \"a\"}";
    let script = scripts.compile(text, Kind::Template, &Known::default()).unwrap();
    let names: Arc<dyn Names> = Arc::new(facts());
    let Err(Stop::Failed { at, .. }) = scripts.render(&script, &[], &names) else {
        panic!("it fails");
    };
    assert_eq!(at, text.find('<'));
}

fn module_problems(modules: &[(&str, &str)]) -> Vec<String> {
    let texts: Vec<ModuleText<'_>> = modules.iter().map(|(name, text)| ModuleText { name, text }).collect();
    let mut scripts = Scripts::new("test", Limits::default());
    scripts.add_modules(&texts);
    let found = scripts.check_modules().err().unwrap_or_default();
    let shown = found.iter().map(|found| {
        let text = modules.iter().find(|(name, _)| *name == found.module).unwrap().1;
        let problem = &found.problem;
        format!(
            "{} {}: {}",
            found.module,
            &text[problem.start..problem.end],
            problem.message
        )
    });
    shown.collect()
}

#[test]
fn modules_are_checked() {
    for (modules, expected) in [
        (
            vec![("a", "fn f(x) { x + y }")],
            vec!["a y: nothing is called `y` here"],
        ),
        (
            vec![("a", "fn f(x) { x.map(|z| z + y) }")],
            vec!["a y: nothing is called `y` here"],
        ),
        (vec![("a", "fn f(x) { g(x) }")], vec!["a g: there is no function `g`"]),
        (vec![("a", "fn f(x) { x.map(g) }\nfn g(x) { x }")], vec![]),
        (
            vec![("a", "fn f(x) {")],
            vec!["a : Expecting '}' to terminate this block"],
        ),
        (
            vec![("a", "let x = 1; fn f() { 1 }")],
            vec!["a let: a module has nothing but functions and constants"],
        ),
        (vec![("a", "fn f(x) { b::g(x) }"), ("b", "fn g(x) { x }")], vec![]),
        (
            vec![("a", "fn f(x) { b::h(x) }"), ("b", "fn g(x) { x }")],
            vec!["a h: there is no function `b::h`"],
        ),
        (
            vec![("a", "fn f(x) { b::g(x) }"), ("b", "private fn g(x) { [x] }")],
            vec!["a g: there is no function `b::g`"],
        ),
        (
            vec![("a", "fn f(x) { b::g([x]) }"), ("b", "fn g(x) {")],
            vec!["b : Expecting '}' to terminate this block"],
        ),
        (vec![("a", "fn f(x) { [g(x)] }")], vec!["a g: there is no function `g`"]),
        (vec![("a", "fn f(x) { c::h(x) }")], vec!["a c: there is no module `c`"]),
        (
            vec![("a", "fn f(x) { b::g(x) }"), ("b", "fn g(x) { a::f(x) }")],
            vec![
                "a fn: this module calls itself by name, or another that calls it",
                "b fn: this module calls itself by name, or another that calls it",
            ],
        ),
        (
            vec![("a", "fn f(x) { import \"b\" as c; x }")],
            vec!["a import: modules are not imported"],
        ),
        (vec![("a", "const X = 1 + ;")], vec!["a ;: Unexpected ';'"]),
    ] {
        assert_eq!(module_problems(&modules), expected, "{modules:?}");
    }
}
