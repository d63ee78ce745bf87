//! Operators, members, functions.

use super::*;

#[test]
fn unlike_kinds_do_not_compare() {
    check(&[
        (
            r#"1 < "a""#,
            r#"failed: the number 1 cannot be compared with the text "a""#,
        ),
        (
            r#""0" < 7"#,
            r#"failed: the text "0" cannot be compared with the number 7"#,
        ),
        (
            r#""0" == 0"#,
            r#"failed: the text "0" cannot be compared with the number 0"#,
        ),
        (
            r#"false != "true""#,
            r#"failed: the truth value false cannot be compared with the text "true""#,
        ),
        ("[1] == 1", "failed: a list of 1 cannot be compared with the number 1"),
        ("[1] < [2]", "failed: a list of 1 and a list of 1 have no order"),
        (
            "servers[0] == servers",
            r#"failed: the object {"name": "a", "port": 80, "labels": {"ap... cannot be compared with a list of 3"#,
        ),
        (
            r#"version("1.2.3") < "1.2.4""#,
            r#"failed: the version 1.2.3 cannot be compared with the text "1.2.4""#,
        ),
        (
            r#"duration("5s") > 3"#,
            "failed: the duration 5s cannot be compared with the number 3",
        ),
    ]);
}

#[test]
fn absent_operands_are_unknown() {
    check(&[
        ("() < 5", "unknown: `()` is absent; it was compared with the number 5"),
        (
            "servers[1].port < 5",
            "unknown: `servers[1].port` is absent; it was compared with the number 5",
        ),
        (
            "5 >= servers[1].port",
            "unknown: `servers[1].port` is absent; it was compared with the number 5",
        ),
        (
            "servers[1].port == 80",
            "unknown: `servers[1].port` is absent; it was compared with the number 80",
        ),
        (
            r#"servers[1].labels != "x""#,
            r#"unknown: `servers[1].labels` is absent; it was compared with the text "x""#,
        ),
        (
            "let x = (); x == servers[1].port",
            "unknown: `x` is absent; it was compared with an absent value",
        ),
        (
            "servers[1].port + 1",
            "unknown: `servers[1].port` is absent; `+` was applied to it",
        ),
        (
            r#""port " + servers[1].port"#,
            "unknown: `servers[1].port` is absent; `+` was applied to it",
        ),
        (
            "!servers[1].up",
            "unknown: `servers[1].up` is absent; `!` was applied to it",
        ),
        (
            "-servers[1].up",
            "unknown: `servers[1].up` is absent; `-` was applied to it",
        ),
    ]);
}

#[test]
fn absent_values_are_unknown_elsewhere() {
    check(&[
        (
            "servers[1].port in [1]",
            "unknown: `servers[1].port` is absent; it was looked for",
        ),
        (
            "1 in servers[1].port",
            "unknown: `servers[1].port` is absent; something was looked for in it",
        ),
        (
            "if servers[1].up { 1 }",
            "unknown: an absent value was used where true or false is needed",
        ),
        (
            "servers[1].up && true",
            "unknown: an absent value was used where true or false is needed",
        ),
        (
            "false || servers[1].up",
            "unknown: an absent value was used where true or false is needed",
        ),
        (
            "while servers[1].up {}",
            "unknown: an absent value was used where true or false is needed",
        ),
        (
            "for x in servers[1].tags { x; }",
            "unknown: an absent list was gone through",
        ),
        (
            r#"servers[1].host.starts_with("x")"#,
            "unknown: `starts_with` was given an absent value",
        ),
        ("int(servers[1].port)", "unknown: `int` was given an absent value"),
        (
            "servers.filter(|s| s.up).len()",
            "unknown: `filter` was given an absent value",
        ),
        (
            "servers.map(|s| s.port).sum()",
            "unknown: a value is absent; `+` was applied to it",
        ),
    ]);
}

#[test]
fn absence_can_be_asked_for() {
    check(&[
        ("servers[1].port == ()", "true"),
        ("() != servers[1].port", "false"),
        ("servers[0].port == ()", "false"),
        ("servers[1].labels == ()", "true"),
        ("servers[1].up == true", "false"),
        ("servers[1].up != true", "true"),
        ("true == servers[0].up", "true"),
        (
            r#"servers[0].name == true"#,
            r#"failed: the text "a" cannot be compared with the truth value true"#,
        ),
        (
            "servers[1].up == false",
            "unknown: `servers[1].up` is absent; it was compared with the truth value false",
        ),
        ("servers.filter(|s| s.port == ()).len()", "1"),
        ("servers[1].port ?? 8080", "8080"),
        ("servers[1].labels?.app", ""),
        ("servers[0].labels?.app", "x"),
        ("servers[1].tags?[0]", ""),
        ("servers[1].port in [(), 1]", "true"),
    ]);
}

#[test]
fn numbers_compare_and_compute() {
    check(&[
        ("1 == 1.0 && 1 < 1.5 && 2.5 > 2", "true"),
        ("7 / 2", "3"),
        ("7 / 2.0", "3.5"),
        ("7 % 4 + 2 ** 3", "11"),
        ("1 / 0", "failed: 1 / 0 has no result in 64 bits"),
        (
            "9223372036854775807 + 1",
            "failed: 9223372036854775807 + 1 has no result in 64 bits",
        ),
        ("let a = 1; a += 2; a *= 3; a -= 1; a", "8"),
        (
            "1 + true",
            "failed: `+` cannot be applied to the number 1 and the truth value true",
        ),
        (
            "abs(-9223372036854775807 - 1)",
            "failed: `abs` has no result in 64 bits",
        ),
        (r#"int("x1")"#, "unknown: `x1` is not an integer"),
        (r#"float("nan")"#, "unknown: `nan` is not a number"),
        ("percent(1, 0)", "unknown: a percentage of nothing"),
    ]);
}

#[test]
fn big_numbers_keep_their_value() {
    let facts = || {
        Facts::default().json(
            "n",
            r#"{"big": 18446744073709551615, "bigger": 18446744073709551616, "low": -9223372036854775809}"#,
        )
    };
    let scripts = scripts(&[]);
    for (text, expected) in [
        ("n.big", "18446744073709551615"),
        ("n.big < n.bigger && n.low < n.big && n.big == n.big", "true"),
        ("n.big > 5 && 5 < n.big && n.low < -5 && n.big > 1.5", "true"),
        ("n.big == 18446744073709551615.0", "true"),
        (
            "n.big + 1",
            "failed: `+` cannot be applied to the number 18446744073709551615 and the number 1",
        ),
    ] {
        assert_eq!(line_of(try_with(&scripts, text, facts(), &[])), expected, "{text}");
    }
}

#[test]
fn texts_add_and_compare() {
    check(&[
        (r#""a" + 1 + true + 'c'"#, "a1truec"),
        (r#"1 + "a""#, "1a"),
        (
            r#""a" + servers[0]"#,
            r#"failed: `+` cannot be applied to the text "a" and the object {"name": "a", "port": 80, "labels": {"ap..."#,
        ),
        (r#""b" > "a" && "é" != "e" && "abc"[0] == "a""#, "true"),
        (r#""b" in "abc" && !("x" in "abc")"#, "true"),
        (r#"5 in "abc""#, r#"failed: the number 5 cannot be in the text "abc""#),
        (
            r#"matches("a", "(")"#,
            "failed: `(` is not a regular expression: regex parse error:\n    (\n    ^\nerror: unclosed group",
        ),
    ]);
}

#[test]
fn membership_asks_for_the_same() {
    check(&[
        ("1 in [1.0]", "true"),
        (r#"5 in ["a", ()]"#, "false"),
        ("servers[0] in servers", "true"),
        (r#""port" in servers[0] && !("port" in servers[1])"#, "true"),
        (r#""x" in #{ x: 1 }"#, "true"),
        (r#""a" in names && !("z" in names)"#, "true"),
        ("3 in 1..5 && !(5 in 1..5) && 5 in 1..=5", "true"),
        ("servers[0].name in names", "true"),
        ("[1, 2].contains(2)", "true"),
    ]);
}

#[test]
fn objects_are_equal_by_what_they_hold() {
    let facts = || {
        Facts::default()
            .json("a", r#"{"x": [1, {"y": null}], "z": "t"}"#)
            .json("b", r#"{"z": "\u0074", "x": [1.0, {"y": null}]}"#)
            .json("c", r#"{"x": [1, {"y": 1}], "z": "t"}"#)
    };
    let scripts = scripts(&[]);
    for (text, expected) in [
        ("a == a", "true"),
        ("a == b", "false"),
        ("a.z == b.z && a.x[1] == b.x[1]", "true"),
        ("a != c", "true"),
        (r#"a.x[1] == #{ y: () } && #{ z: "t", x: a.x } == a"#, "true"),
        ("a.x == c.x", "false"),
    ] {
        assert_eq!(line_of(try_with(&scripts, text, facts(), &[])), expected, "{text}");
    }
}

#[test]
fn members_of_what_has_none() {
    check(&[
        (
            "servers[1].port.number",
            "unknown: `servers[1].port` is absent, so it has no `number`",
        ),
        (
            "servers.map(|s| s.meta.name)",
            "unknown: `s.meta` is absent, so it has no `name`",
        ),
        (
            r#"servers[1]["port"]["number"]"#,
            "unknown: `servers[1][\"port\"]` is absent, so it has no `number`",
        ),
        ("servers.port", "failed: a list has no member `port`"),
        (r#""abc".port"#, "failed: a text has no member `port`"),
        ("(5).port", "failed: an integer has no member `port`"),
        ("servers[7]", "failed: item 7 of a list of 3"),
        ("[][0]", "failed: item 0 of an empty list"),
        (r#"version("1.2.3").build"#, "failed: a version has no `build`"),
    ]);
}

#[test]
fn objects_and_indices_are_looked_up() {
    check(&[
        (r#"servers[0]["name"] + servers[0].name"#, "aa"),
        ("servers[2].tags[-1]", "t2"),
        (r#"servers[0].keys().join(",")"#, "name,port,labels,up"),
        ("servers[2].values().len()", "3"),
        ("servers[0].len() + names.len()", "7"),
        (r#"names["a"] + names["b"]"#, "3"),
        (r#"names["z"]"#, ""),
        (r#"names.rows("b")"#, "[2, 3]"),
        ("names.keys()", r#"["a", "b"]"#),
        (r#"merge(servers[1], #{ port: 1 }).port"#, "1"),
        (
            "let o = #{ a: 1 }; o.b = 2; o[\"c\"] = 3; o",
            r#"{"a": 1, "b": 2, "c": 3}"#,
        ),
        (r#"#{ match: 1, "b c": servers.len(), }"#, r#"{"b c": 3, "match": 1}"#),
    ]);
}

#[test]
fn reserved_words_are_names() {
    check(&[
        ("let default = 4; let match = 1; default + match", "5"),
        ("#{ default: 1, match: 2 }.default", "1"),
        ("let o = #{ \"in\": 1, \"if\": 2 }; o.in + o.if + o[\"in\"]", "4"),
        ("servers[0].default", ""),
        ("let print = 3; print", "3"),
    ]);
}

#[test]
fn switch_and_loops_work() {
    check(&[
        (r#"switch servers[0].name { "a" => 1, _ => 2 }"#, "1"),
        (
            "switch servers[0].port { 80 => \"http\", 443 => \"https\", _ => \"?\" }",
            "http",
        ),
        (
            "let n = 0; for s in servers { if s.port == () { continue; } n += s.port; } n",
            "87",
        ),
        ("let n = 0; for i in 0..4 { n += i; } n", "6"),
        ("let out = []; for (s, i) in servers { out.push(i); } out", "[0, 1, 2]"),
        ("if servers.len() > 2 { return 7; } 8", "7"),
        ("let s = \"\"; for s2 in [\"a\", \"b\"] { s += s2; } s", "ab"),
    ]);
}

#[test]
fn errors_come_through_list_functions() {
    for function in [
        "map", "filter", "find", "some", "all", "order_by", "group_by", "count_by",
    ] {
        let text = format!("servers.{function}(|s| s.name < 1)");
        let result = line_of(try_eval(&text));
        assert_eq!(
            result, r#"failed: the text "a" cannot be compared with the number 1"#,
            "{text}"
        );
        let text = format!("servers.{function}(|s| lost)");
        assert_eq!(line_of(try_eval(&text)), "unknown: lost was not captured", "{text}");
    }
    check(&[
        (
            "servers.reduce(|n, s| n + s, 0)",
            r#"failed: `+` cannot be applied to the number 0 and the object {"name": "a", "port": 80, "labels": {"ap..."#,
        ),
        ("[2, 1].sort(|a, b| lost)", "unknown: lost was not captured"),
        (
            r#"[2, "a"].sort()"#,
            r#"failed: the number 2 cannot be compared with the text "a""#,
        ),
        (
            "[2, ()].order()",
            "unknown: a value is absent; it was compared with the number 2",
        ),
        (
            "[1, 2].order(|a, b| \"x\")",
            r#"failed: `order` takes a function that gives a number, not the text "x""#,
        ),
        (
            "[1, 2].filter(|a| 1)",
            "failed: `filter` takes a function that says true or false, not the number 1",
        ),
        (
            "[1, 2].map(|a, b| a)",
            "failed: the function given to `map` must take 1 argument(s)",
        ),
        ("[1, 2].map(5)", "failed: `map` takes a function, not the number 5"),
    ]);
}

#[test]
fn sorting_is_stable_and_survives_contradictions() {
    check(&[
        (
            r#"["b1", "a1", "b2", "a2"].order_by(|t| t.sub_string(0, 1))"#,
            r#"["a1", "a2", "b1", "b2"]"#,
        ),
        ("let a = [3, 1, 2]; a.sort(|a, b| a < b); a", "[1, 2, 3]"),
        (
            "let a = []; for i in 0..100 { a.push(i); } a.order(|x, y| 1).len()",
            "100",
        ),
        ("[].order()", "[]"),
    ]);
}

#[test]
fn lists_differ_by_key() {
    check(&[
        (
            r#"differ([#{ n: "a", v: 1 }, #{ n: "b", v: 1 }], [#{ n: "b", v: 2 }, #{ n: "c", v: 1 }], "n").map(|d| d.key + " " + d.change)"#,
            r#"["a removed", "b changed", "c added"]"#,
        ),
        ("differ(servers, servers, \"name\")", "[]"),
        (
            "differ([1], [], \"n\")",
            "failed: `differ` takes objects, not the number 1",
        ),
    ]);
}

#[test]
fn times_and_bounds() {
    check(&[
        ("age(timestamp(\"2026-11-22T11:50:00Z\"), pods)", "10m"),
        ("age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs)", "at least 10m"),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) >= duration(\"10m\")",
            "true",
        ),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) < duration(\"10m\")",
            "false",
        ),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) > duration(\"10m\")",
            "unknown: the time of capture is known only by a bound, which does not decide this; `--captured-at` gives it",
        ),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) == duration(\"10m\")",
            "unknown: the time of capture is known only by a bound, which does not decide this; `--captured-at` gives it",
        ),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) == duration(\"9m\")",
            "false",
        ),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) + duration(\"1m\")",
            "at least 11m",
        ),
        (
            "-age(timestamp(\"2026-11-22T11:50:00Z\"), shop.logs) < duration(\"0s\")",
            "true",
        ),
        ("captured_at(shop.logs)", "2026-11-22T12:00:00Z or later"),
        ("captured_at(pods) - captured_at(pods)", "0s"),
        (
            "age(timestamp(\"2026-11-22T11:50:00Z\"), events)",
            "unknown: the time of capture is not known; `--captured-at` gives it",
        ),
        (
            "timestamp(\"2026-11-22T11:50:00Z\") + duration(\"10m\") == captured_at(pods)",
            "true",
        ),
        ("duration(\"5m\") - duration(\"30s\")", "4m 30s"),
        ("duration(\"10s\") * 1.5", "15s"),
        ("timestamp(\"noon\")", "unknown: `noon` is not a time"),
        ("duration(\"long\")", "unknown: `long` is not a duration"),
        ("version(\"1.2\")", "unknown: `1.2` is not a version"),
    ]);
}

#[test]
fn addresses() {
    check(&[
        (
            "cidr_contains(\"::/0\", \"::1\") && !cidr_contains(\"0.0.0.0/0\", \"::1\")",
            "true",
        ),
        ("cidr_contains(\"10.0.0.1\", \"10.0.0.1\")", "true"),
        (
            "cidr_contains(\"10.0.0.0/33\", \"10.0.0.1\")",
            "unknown: `10.0.0.0/33` is not a network",
        ),
        ("ip(\"host\")", "unknown: `host` is not an IP address"),
        ("ip(\"10.0.0.1\") == ip(\"10.0.0.1\")", "true"),
    ]);
}

#[test]
fn templates_fill_in_values() {
    let scripts = scripts(&[]);
    let names: Arc<dyn Names> = Arc::new(facts());
    let known = Known {
        locals: &["s"],
        namespaces: NAMESPACES,
    };
    let locals = [("s".to_owned(), Dynamic::from("x"))];
    for (text, expected) in [
        ("plain", "plain"),
        ("", ""),
        ("`${s}` of ${servers.len()}: ${servers[0].port}", "`x` of 3: 80"),
        ("${servers[1].port ?? \"none\"}|${servers[1].port}|", "none||"),
        ("${`${s}${1 + 1}`} ${1.0} ${1.5}", "x2 1 1.5"),
        ("${let t = s; t + t}", "xx"),
        ("${duration(\"90s\")} ${[1, \"a\", ()]}", "1m 30s [1, \"a\", ()]"),
    ] {
        let script = scripts.compile(text, Kind::Template, &known).unwrap();
        assert_eq!(scripts.render(&script, &locals, &names).unwrap(), expected, "{text}");
    }
}
