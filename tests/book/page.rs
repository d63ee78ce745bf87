//! A page of the book: its files are written into a folder that holds nothing but `examples/`, its commands run there, in the order of the page.
//!
//! The first line of a block says what it is, out of the reader's sight:
//! - `yaml file=NAME` (or any language): the file of that name;
//! - `yaml from=PATH`: lines of a file of this project, which must be there, whatever their indentation;
//! - `console`: commands after `$ `, and what they print, both streams together;
//! - any other language than YAML: words for the reader alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A page, while it is run.
pub(crate) struct Page {
    name: String,
    folder: TempDir,
    /// What does not hold.
    pub(crate) problems: Vec<String>,
}

impl Page {
    pub(crate) fn new(name: &str) -> Page {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(project().join("examples"), folder.path().join("examples")).unwrap();
        Page {
            name: name.to_owned(),
            folder,
            problems: Vec::new(),
        }
    }

    /// Runs a page; gives it with the output of its commands as it is now.
    pub(crate) fn run(&mut self, text: &str) -> String {
        let mut current = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            current += &format!("{line}\n");
            let Some(info) = line.strip_prefix("```") else { continue };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            current += &self.block(info, &block);
            current += "```\n";
        }
        current
    }

    fn block(&mut self, info: &str, block: &[&str]) -> String {
        let text: String = block.iter().map(|line| format!("{line}\n")).collect();
        let (language, what) = info.split_once(' ').unwrap_or((info, ""));
        if language == "console" {
            return self.commands(block);
        } else if let Some(name) = what.strip_prefix("file=") {
            let path = self.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &text).unwrap();
        } else if let Some(name) = what.strip_prefix("from=") {
            let whole = fs::read_to_string(project().join(name)).unwrap_or_default();
            if !unindented(&whole).contains(unindented(&text).trim_end()) {
                self.problem(format!("these lines are not in {name}:\n{text}"));
            }
        } else if language == "yaml" {
            self.problem(format!("a YAML block says neither `file=` nor `from=`:\n{text}"));
        }
        text
    }

    fn commands(&mut self, block: &[&str]) -> String {
        let mut current = String::new();
        for command in block.iter().filter(|line| line.starts_with("$ ")) {
            current += &format!("{command}\n{}", self.command(&command[2..]));
        }
        if block.first().is_some_and(|line| !line.starts_with("$ ")) {
            self.problem(format!("a console block does not begin with a command: {block:?}"));
        }
        current
    }

    /// What a command prints.
    fn command(&self, command: &str) -> String {
        let casebook = Path::new(env!("CARGO_BIN_EXE_casebook"));
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", casebook.parent().unwrap().display()))
            .env("PROJECT", project())
            .env("NO_COLOR", "1")
            .env_remove("CASEBOOK_UPDATE")
            .output()
            .unwrap();
        let mut text = without_times(&String::from_utf8_lossy(&output.stdout));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(format!("docs/{}: {problem}", self.name));
    }
}

/// An output without the times that commands took, which are never the same.
fn without_times(text: &str) -> String {
    let time = regex::Regex::new(r"\d+\.\d s, \d+\.\d times").unwrap();
    time.replace_all(text, "… s, … times").into_owned()
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A text whose lines begin without blanks.
fn unindented(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_start())).collect()
}
