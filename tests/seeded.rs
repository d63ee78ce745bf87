//! Mistakes made in copies of a shipped rulebook: `casebook lint` finds each with its code at its line and column.
//!
//! `cargo test --test seeded -- --nocapture` prints the table.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::fs;
use std::path::Path;

use common::run;
use rayon::prelude::*;

const MISTAKES: &str = include_str!("seeded/mistakes.txt");

/// Fewest mistakes that the list must have.
const FEWEST: usize = 60;

/// A mistake: where it is made, and what must be found.
struct Mistake {
    title: &'static str,
    file: &'static str,
    /// Lines, and what takes their place.
    edits: Vec<(String, String)>,
    code: &'static str,
    /// Whether the cases lie beside the rulebook.
    with_cases: bool,
}

/// What `lint` said of a mistake.
struct Outcome {
    exit: i32,
    wanted: String,
    /// Codes with their places, as `file:line:column`.
    found: Vec<(String, Vec<String>)>,
    stderr: String,
}

fn mistake(entry: &'static str) -> Mistake {
    let mut lines = entry.lines();
    let (title, file) = (lines.next().unwrap(), lines.next().unwrap());
    let (mut edits, mut code, mut with_cases): (Vec<(String, String)>, _, _) = (Vec::new(), "", false);
    let mut before = ' ';
    for line in lines.filter(|line| !line.is_empty()) {
        let (mark, text) = line.split_at(1);
        match mark {
            "-" => {
                if before != '-' {
                    edits.push(Default::default());
                }
                edits.last_mut().unwrap().0 += &format!("{text}\n");
            }
            "+" => edits.last_mut().unwrap().1 += &format!("{text}\n"),
            "!" => {
                with_cases = text.starts_with('!');
                code = text.trim_start_matches('!').trim();
            }
            _ => panic!("{title}: {line}"),
        }
        before = mark.chars().next().unwrap();
    }
    Mistake {
        title,
        file,
        edits,
        code,
        with_cases,
    }
}

/// The text with the mistake in it, and the line and column of the mark.
fn made(mistake: &Mistake, text: &str) -> (String, String) {
    let mut text = format!("\n{text}");
    for (old, new) in &mistake.edits {
        let old = format!("\n{old}");
        assert_eq!(
            text.matches(&old).count(),
            1,
            "{}: these lines must be in {} once:{old}",
            mistake.title,
            mistake.file
        );
        text = text.replace(&old, &format!("\n{new}"));
    }
    let text = &text[1..];
    let before = &text[..text.find('⟦').unwrap_or_else(|| panic!("{}: no mark", mistake.title))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    (text.replace('⟦', ""), format!("{line}:{column}"))
}

fn copy(from: &Path, to: &Path, with_cases: bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        } else if with_cases || name != "cases" {
            copy(&path, &to.join(name), with_cases);
        }
    }
}

fn tried(mistake: &Mistake) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("envoy");
    copy(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rulebooks/envoy")),
        &folder,
        mistake.with_cases,
    );
    let path = folder.join(mistake.file);
    let (text, place) = made(mistake, &fs::read_to_string(&path).unwrap());
    fs::write(&path, text).unwrap();
    let ran = run(&["lint", folder.to_str().unwrap(), "--width", "200"]);
    Outcome {
        exit: ran.code,
        wanted: format!("{}:{place}", mistake.file),
        found: found(&ran.stdout, &folder),
        stderr: ran.stderr,
    }
}

/// Each code stands alone on a line; the places below it are its own, and those of what belongs to it.
fn found(printed: &str, folder: &Path) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in printed.lines() {
        let place = ["╭─[", "├─["]
            .iter()
            .find_map(|mark| line.split_once(mark)?.1.split_once(']'));
        if !line.is_empty() && line.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            found.push((line.to_owned(), Vec::new()));
        } else if let (Some((place, _)), Some((_, places))) = (place, found.last_mut()) {
            let place = place.strip_prefix(folder.to_str().unwrap()).unwrap_or(place);
            places.push(place.trim_start_matches('/').to_owned());
        }
    }
    found
}

#[test]
fn every_mistake_is_found_at_its_line_and_column() {
    let mistakes: Vec<Mistake> = MISTAKES.split("\n=== ").skip(1).map(mistake).collect();
    assert!(mistakes.len() >= FEWEST);
    let outcomes: Vec<Outcome> = mistakes.par_iter().map(tried).collect();
    println!("{:<58} {:<20} {:<26} got", "mistake", "code", "expected");
    let mut wrong = Vec::new();
    for (mistake, outcome) in mistakes.iter().zip(&outcomes) {
        let got: Vec<String> = outcome
            .found
            .iter()
            .map(|(code, places)| format!("{code} {}", places.join(" and ")))
            .collect();
        let row = format!(
            "{:<58} {:<20} {:<26} {}",
            mistake.title,
            mistake.code,
            outcome.wanted,
            got.join(", ")
        );
        println!("{row}");
        let hit = outcome
            .found
            .iter()
            .any(|(code, places)| code == mistake.code && places.contains(&outcome.wanted));
        // A mistake is one problem, and perhaps one that follows from it.
        let ended = matches!(outcome.exit, 0 | 3) && outcome.stderr.is_empty();
        if !hit || !ended || outcome.found.len() > 2 {
            wrong.push(format!("{row} (exit {}) {}", outcome.exit, outcome.stderr));
        }
    }
    println!(
        "{} of {} mistakes found at their place",
        mistakes.len() - wrong.len(),
        mistakes.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
