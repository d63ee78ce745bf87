//! Tests of scripts as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::Dynamic;

use super::*;
use crate::document::json;

/// Names for tests: facts, members and probes by their path.
#[derive(Default)]
struct Facts {
    values: BTreeMap<String, Result<Dynamic, Unknown>>,
    probes: BTreeMap<String, Probe>,
    docs: Vec<Arc<Doc>>,
}

impl Facts {
    fn with(mut self, name: &str, value: impl Into<Dynamic>) -> Self {
        self.values.insert(name.into(), Ok(value.into()));
        self
    }

    fn without(mut self, name: &str, reason: &str) -> Self {
        self.values.insert(name.into(), Err(Unknown::new(reason)));
        self
    }

    fn json(mut self, name: &str, text: &str) -> Self {
        let document = json::parse(text.into(), &json::Options::default()).unwrap();
        let doc = Arc::new(Doc {
            slot: self.docs.len() as u16,
            document,
        });
        let value = to_dynamic(&doc, doc.document.root());
        self.docs.push(doc);
        self.with(name, value)
    }

    fn lookup(&self, path: &str) -> Result<Dynamic, Unknown> {
        self.values
            .get(path)
            .cloned()
            .unwrap_or_else(|| Err(Unknown::new(format!("{path} is nothing"))))
    }
}

impl Names for Facts {
    fn value(&self, name: &str) -> Result<Dynamic, Refusal> {
        self.lookup(name).map_err(Refusal::from)
    }

    fn member(&self, namespace: &str, name: &str) -> Result<Dynamic, Refusal> {
        self.lookup(&format!("{namespace}.{name}")).map_err(Refusal::from)
    }

    fn handle(&self, namespace: Option<&str>, name: &str) -> Option<Probe> {
        let path = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}.{name}"));
        self.probes.get(&path).cloned()
    }

    fn doc(&self, slot: u16) -> Option<Arc<Doc>> {
        self.docs.get(usize::from(slot)).cloned()
    }
}

const NAMESPACES: &[&str] = &["inputs", "before", "shop", "before.shop"];

fn try_eval(text: &str, facts: Facts, locals: &[(String, Dynamic)]) -> Result<Dynamic, Stop> {
    let mut scripts = Scripts::new("test", Limits::default());
    let names: Vec<&str> = locals.iter().map(|(name, _)| name.as_str()).collect();
    let known = Known {
        locals: &names,
        namespaces: NAMESPACES,
    };
    let script = scripts
        .compile(text, Kind::Block, &known)
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let names: Arc<dyn Names> = Arc::new(facts);
    scripts.eval(&script, locals, &names)
}

fn eval(text: &str, facts: Facts) -> Dynamic {
    try_eval(text, facts, &[]).unwrap_or_else(|stop| panic!("{text}: {stop:?}"))
}

fn shown(text: &str, facts: Facts) -> String {
    match try_eval(text, facts, &[]) {
        Ok(value) => show(&value),
        Err(Stop::Unknown(unknown)) => format!("unknown: {}", unknown.reason),
        Err(Stop::Failed { message, at, .. }) => format!("failed at {at:?}: {message}"),
    }
}

#[test]
fn experiment() {
    let facts = || {
        Facts::default()
            .json(
                "servers",
                r#"[{"name":"a","port":80},{"name":"b"},{"name":"c","labels":{"x":1}}]"#,
            )
            .with(
                "names",
                Dynamic::from(Index::new([("a".into(), 1.into()), ("b".into(), 2.into())])),
            )
            .with("shop.items", 5_i64)
            .with("inputs.limit", 7_i64)
            .with("before.shop.items", 3_i64)
            .without("lost", "not captured")
    };
    for text in [
        "servers.len()",
        "servers.filter(|s| s.name in names).len()",
        "servers.filter(|s| s.name in names).len() + servers.filter(|s| s.name in names).len()",
        "let names = [\"c\"]; servers.filter(|s| s.name in names).len()",
        "servers[0].port",
        "servers[1].port",
        "servers[1].port < 5",
        "servers[1].port.x",
        "servers[1].port?.x",
        "servers[2].labels?.x",
        "shop.items + inputs.limit - before.shop.items",
        "known(lost)",
        "known(servers)",
        "servers.filter(|s| known(lost)).len()",
        "servers.filter(|s| lost == s).len()",
        "[].filter(|s| lost == s).len()",
        "lost",
        "1 < \"a\"",
        "() < 5",
        "\"0\" < 7",
        "servers[0] == \"x\"",
        "servers[0] == servers[0]",
        "[1,2,3].sort(|a,b| a < \"x\")",
        "1 + 2.5",
        "\"a\" + 1",
        "\"a\" + ()",
        "`x ${servers[0].name} ${1+1}`",
        "version(\"1.2.3\").major",
        "servers[0].default",
        "#{ match: 1 }.match",
        "let default = 4; default + 1",
        "if servers[1].port { 1 }",
        "servers[1].port && true",
        "starts_with(5, \"x\")",
        "servers[1].port.starts_with(\"x\")",
        "servers.map(|s| s.nme.x)",
        "servers.foo",
        "\"abc\".foo",
        "servers[7]",
        "duration(\"5m\") - duration(\"30s\")",
        "-duration(\"5m\") < duration(\"0s\")",
        "!5",
        "!lost",
        "switch servers[0].name { \"a\" => 1, _ => 2 }",
    ] {
        println!("{text:70} => {}", shown(text, facts()));
    }
    let _ = eval("1", facts());
}

#[test]
fn every_example_is_true() {
    for function in functions() {
        assert_eq!(
            shown(function.example, Facts::default()),
            "true",
            "{}",
            function.signature()
        );
        assert!(function.about.ends_with('.'), "{}", function.signature());
    }
}

#[test]
fn experiment2() {
    let facts = || {
        Facts::default()
            .json("servers", r#"[{"name":"a","port":80},{"name":"b"},{"name":"c","labels":{"x":1}}]"#)
            .without("lost", "not captured")
    };
    for text in [
        "servers[1].port == ()",
        "() != servers[1].port",
        "servers[0].port == ()",
        "servers[1].port == true",
        "servers[1].port != true",
        "servers[0].port == true",
        "servers[1].port == 80",
        "let x = (); servers[1].port == x",
        "loop { }",
        "let a = [1]; loop { a = [a, a]; }",
        "let a = [1]; loop { a += a; }",
        "let a = [1]; loop { a.push(a); }",
        "let a = [1, 2]; loop { a[0] = a; a[1] = a; }",
        "let a = #{}; loop { a.x = a; a.y = a; }",
        "let a = #{}; loop { a = #{ x: a, \"y z\": a }; }",
        "let a = []; loop { a.push(1); }",
        "let s = \"x\"; loop { s = `${s}${s}`; }",
        "let s = \"x\"; loop { s += s; }",
        "let s = \"x\"; loop { s = s + s; }",
        "let s = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; loop { s = s.replaced(\"x\", s); }",
        "let a = [1, 2]; loop { a = a.map(|x| a); }",
        "let a = [1, 2]; loop { a = [a.filter(|x| true), a.filter(|x| true)]; }",
        "let a = [1, 2]; loop { a = [a[0], a]; }",
        "let a = [1,2,3,4,5,6,7,8,9,10]; a = a.map(|x| a); a = a.map(|x| a); a = a.map(|x| a); a = a.map(|x| a);  a.len()",
        "[1,2,3].filter(|x| { loop {} })",
        "let n = 0; for x in 0..1000000000 { n += 1; } n",
        "let a = []; for i in 0..100000 { a.push(i); } a.len()",
        "let a = []; for i in 0..100000 { a += [i]; } a.len()",
        "let a = #{}; a.x = 5; a[\"y\"] = 6; a",
        "let a = [[1]]; a[0][0] = 7; a[0] += [8]; a",
        "#{ a: 1, \"b c\": 2, match: servers.len(), }",
    ] {
        let start = std::time::Instant::now();
        println!("{text:70} => {} {:?}", shown(text, facts()), start.elapsed());
    }
}
