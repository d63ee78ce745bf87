//! The book in `docs/`: what of it is generated is current, and every YAML and command in it works as printed.
//!
//! `CASEBOOK_UPDATE=1 cargo test --test book` writes the generated pages and the output under the commands anew.

#![allow(clippy::unwrap_used)]

mod page;
mod reference;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use page::Page;

/// The folder of the book.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Whether what differs is to be written.
fn update() -> bool {
    std::env::var_os("CASEBOOK_UPDATE").is_some()
}

/// Compares a page with its file, or writes the file.
fn check(path: &Path, current: &str) -> Result<(), String> {
    if update() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, current).unwrap();
    }
    if fs::read_to_string(path).unwrap_or_default() == current {
        return Ok(());
    }
    Err(format!(
        "{} is out of date: run `CASEBOOK_UPDATE=1 cargo test --test book`",
        path.display()
    ))
}

#[test]
fn the_reference_of_functions_is_that_of_the_code() {
    check(&docs().join("reference/functions.md"), &reference::functions()).unwrap();
}

#[test]
fn the_reference_of_the_format_is_that_of_the_types() {
    check(&docs().join("reference/format.md"), &reference::format()).unwrap();
}

#[test]
fn every_shipped_rule_has_its_page() {
    let folder = docs().join("rules");
    let pages = rules::pages();
    if update() {
        let _ = fs::remove_dir_all(&folder);
    }
    for (name, current) in &pages {
        check(&folder.join(name), current).unwrap();
    }
    for written in walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap) {
        let name = written.path().strip_prefix(&folder).unwrap().display().to_string();
        assert!(
            written.file_type().is_dir() || pages.contains_key(&name),
            "there is no such rule: docs/rules/{name}"
        );
    }
}

/// Pages of the book whose blocks are run, sorted.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(docs())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.push(docs().with_file_name("README.md"));
    pages
}

#[test]
fn every_yaml_and_command_of_the_book_works_as_printed() {
    let problems: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = pages()
            .into_iter()
            .map(|path| scope.spawn(move || run(&path)))
            .collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

fn run(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut page = Page::new(&path.file_name().unwrap().to_string_lossy());
    let current = page.run(&text);
    let mut problems = page.problems;
    if update() && current != text {
        fs::write(path, &current).unwrap();
    } else if current != text {
        let differences = text.lines().zip(current.lines()).filter(|(old, new)| old != new);
        let shown = differences
            .take(5)
            .map(|(old, new)| format!("  printed: {old}\n  really:  {new}"));
        let shown: Vec<String> = shown.collect();
        problems.push(format!(
            "{}: a command answers otherwise\n{}",
            path.display(),
            shown.join("\n")
        ));
    }
    problems
}

#[test]
fn links_inside_the_book_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let mut lost = Vec::new();
    for page in pages() {
        for found in link.captures_iter(&fs::read_to_string(&page).unwrap()) {
            let folder = page.parent().unwrap();
            if !found[1].contains(' ') && !folder.join(&found[1]).exists() {
                lost.push(format!("{}: {}", page.display(), &found[1]));
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
