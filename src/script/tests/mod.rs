//! Tests of scripts as a whole, by theme.

mod bounds;
mod names;
mod places;
mod problems;
mod random;
mod redacted;
mod values;

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

    fn lost(mut self, name: &str) -> Self {
        let unknown = Unknown {
            reason: format!("{name} was not captured"),
            missing: vec![format!("shop::{name}")],
        };
        self.values.insert(name.into(), Err(unknown));
        self
    }

    fn json(mut self, name: &str, text: &str) -> Self {
        let document = json::parse(text.into(), &json::Options::default()).unwrap();
        let slot = self.docs.len() as u16;
        let doc = Arc::new(Doc { slot, document });
        let value = to_dynamic(&doc, doc.document.root());
        self.docs.push(doc);
        self.with(name, value)
    }

    fn probe(mut self, name: &str, status: &str, at: Option<&str>, exact: bool) -> Self {
        let probe = Probe {
            status: status.into(),
            exit: Some(1),
            http: None,
            stderr: Some("no such pod".into()),
            ended: false,
            captured: Capture {
                at: at.map(|at| at.parse().unwrap()),
                exact,
            },
        };
        self.probes.insert(name.into(), probe);
        self
    }

    fn lookup(&self, path: &str) -> Result<Dynamic, Unknown> {
        let found = self.values.get(path).cloned();
        found.unwrap_or_else(|| Err(Unknown::new(format!("{path} is nothing"))))
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

/// Facts that most tests are content with.
fn facts() -> Facts {
    Facts::default()
        .json(
            "servers",
            r#"[
  {"name": "a", "port": 80, "labels": {"app": "x"}, "up": true},
  {"name": "b", "labels": null},
  {"name": "c", "port": 7, "tags": ["t1", "t2"]}
]"#,
        )
        .with(
            "names",
            Dynamic::from(Index::new([
                ("a".into(), 1.into()),
                ("b".into(), 2.into()),
                ("b".into(), 3.into()),
            ])),
        )
        .with("shop.items", 5_i64)
        .with("inputs.limit", 7_i64)
        .with("before.shop.items", 3_i64)
        .lost("lost")
        .lost("shop.lost")
        .probe("pods", "ok", Some("2026-11-22T12:00:00Z"), true)
        .probe("shop.logs", "denied", Some("2026-11-22T12:00:00Z"), false)
        .probe("events", "not-run", None, false)
}

/// A rulebook's scripts with modules.
fn scripts(modules: &[(&str, &str)]) -> Scripts {
    let mut scripts = Scripts::new("test", Limits::default());
    let texts: Vec<ModuleText<'_>> = modules.iter().map(|(name, text)| ModuleText { name, text }).collect();
    scripts.add_modules(&texts);
    scripts.check_modules().unwrap();
    scripts
}

fn try_with(scripts: &Scripts, text: &str, facts: Facts, locals: &[(String, Dynamic)]) -> Result<Dynamic, Stop> {
    let names: Vec<&str> = locals.iter().map(|(name, _)| name.as_str()).collect();
    let known = Known {
        locals: &names,
        namespaces: NAMESPACES,
    };
    let script = scripts
        .compile(text, Kind::Block, &known)
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    scripts.eval(&script, locals, &(Arc::new(facts) as Arc<dyn Names>))
}

fn try_eval(text: &str) -> Result<Dynamic, Stop> {
    try_with(&scripts(&[]), text, facts(), &[])
}

fn eval(text: &str) -> Dynamic {
    try_eval(text).unwrap_or_else(|stop| panic!("{text}: {stop:?}"))
}

/// A script's value or why there is none, in one line.
fn line_of(result: Result<Dynamic, Stop>) -> String {
    match result {
        Ok(value) => show(&value),
        Err(Stop::Unknown(unknown)) => format!("unknown: {}", unknown.reason),
        Err(Stop::Failed { message, .. }) => format!("failed: {message}"),
    }
}

/// Checks scripts against what they give.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(line_of(try_eval(text)), *expected, "{text}");
    }
}

#[test]
fn every_example_is_true() {
    for entry in functions() {
        let result = line_of(try_eval(entry.example));
        assert_eq!(result, "true", "{}: {}", entry.signature, entry.example);
        assert!(entry.about.ends_with('.'), "{}", entry.signature);
    }
}

#[test]
fn no_two_functions_share_a_name() {
    let mut names: Vec<&str> = functions().map(|entry| entry.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn scripts_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let scripts = scripts(&[]);
    let script = scripts
        .compile("servers.len()", Kind::Expression, &Known::default())
        .unwrap();
    shared(&scripts);
    let names: Arc<dyn Names> = Arc::new(facts());
    let lengths = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| scripts.eval(&script, &[], &names)))
            .collect();
        threads
            .into_iter()
            .map(|thread| line_of(thread.join().unwrap()))
            .collect::<Vec<_>>()
    });
    assert_eq!(lengths, ["3"; 4]);
}
