//! `casebook lint`: what is wrong in names, paths, patterns and scripts is found at its line and column, all at once.
//!
//! Each entry of `tests/lint/problems.txt` is a rulebook body in which `⟦` stands before the place that must be blamed; below it stand the code
//! and a part of what must be said.

mod common;

use common::{folder, run};

const BASE: &str = "\
casebook: 1
rulebook: shop
title: The shop
inputs:
  grace: { about: How long., is: duration, default: 60s }
subjects:
  server: { captured: [\"servers/{host}/\"] }
probes:
  status: { per: server, captured: [status.json], parse: json }
  sites: { captured: [sites.json], parse: json }
";

struct Entry {
    title: String,
    text: String,
    wanted: Vec<(usize, usize)>,
    said: Vec<String>,
}

fn entries() -> Vec<Entry> {
    let all = include_str!("lint/problems.txt");
    all.split("\n=== ").skip(1).map(entry).collect()
}

fn entry(text: &str) -> Entry {
    let (title, rest) = text.split_once('\n').expect("a title");
    let (body, said) = rest.split_once("\n--- ").expect("what must be said");
    let marked = if body.starts_with("casebook:") {
        body.to_owned()
    } else {
        format!("{BASE}{body}\n")
    };
    let (mut wanted, mut clean) = (Vec::new(), String::new());
    for (line, text) in marked.lines().enumerate() {
        let mut column = 1;
        for c in text.chars() {
            if c == '⟦' {
                wanted.push((line + 1, column));
            } else {
                clean.push(c);
                column += 1;
            }
        }
        clean.push('\n');
    }
    let said = said
        .lines()
        .map(|line| line.trim_start_matches("--- ").to_owned())
        .collect();
    Entry {
        title: title.to_owned(),
        text: clean,
        wanted,
        said,
    }
}

#[test]
fn every_mistake_is_found_at_its_place() {
    let mut wrong = Vec::new();
    for Entry {
        title,
        text,
        wanted,
        said,
    } in entries()
    {
        let dir = folder(&[("rulebook.yaml", text.as_bytes())]);
        let ran = run(&["lint", dir.path().to_str().expect("a path"), "--width", "200"]);
        let places = wanted
            .iter()
            .map(|(line, column)| format!("rulebook.yaml:{line}:{column}]"));
        let missing: Vec<String> = places
            .chain(said)
            .filter(|part| !ran.stdout.contains(part.as_str()))
            .collect();
        if ran.code != 3 || !missing.is_empty() {
            wrong.push(format!(
                "{title}: exit {}, missing {missing:?} in\n{}{}",
                ran.code, ran.stdout, ran.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let dir = folder(&[
        (
            "rulebook.yaml",
            b"casebook: 1\nrulebook: a\ntitle: A\nprobes:\n  p: { captured: [p], parse: jsn }\n".as_slice(),
        ),
        (
            "more.yaml",
            b"casebook: 1\nrules:\n  r: { title: R, severity: grave, expect: p.a == }\n",
        ),
        ("lib/m.rhai", b"fn f(x) { x.y( }\n"),
    ]);
    let ran = run(&["lint", dir.path().to_str().expect("a path")]);
    assert_eq!(ran.code, 3);
    for part in ["rulebook.yaml:5:", "more.yaml:3:", "m.rhai:1:"] {
        assert!(ran.stdout.contains(part), "{part} in\n{}", ran.stdout);
    }
}
