//! Loading of rulebooks: what is read, and what is said of broken ones.

use std::fs;
use std::path::Path;

use casebook::diagnostic::{Problem, Style, render};
use casebook::rulebook::load::{LoadError, Loaded, LoadedRulebook, Origin};
use casebook::rulebook::spec::{EvidenceSpec, FactKind, ScalarKind, Value};

const PROBLEMS: &str = include_str!("rulebook/problems.txt");
const EXCERPT: &str = include_str!("rulebook/excerpt.yaml");

const STYLE: Style = Style {
    color: false,
    unicode: true,
    width: 100,
};

/// What a line of carets says: line, column, code, part of the words.
type Mark = (u32, u32, String, String);

fn load(files: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().expect("a directory for the files");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file is written");
    }
    let mut loaded = Loaded::default();
    let path = match files {
        [(name, _)] => directory.path().join(name),
        _ => directory.path().to_owned(),
    };
    loaded.add_path(&path).expect("the files are readable");
    loaded
}

/// The snippet without its lines of carets, and what they say.
fn unmarked(snippet: &str) -> (String, Vec<Mark>) {
    let head = if snippet.contains("casebook:") || snippet.contains("casebok:") {
        ""
    } else {
        "casebook: 1\nrulebook: demo\ntitle: Demo\n"
    };
    let (mut text, mut marks) = (head.to_owned(), Vec::new());
    for line in snippet.lines() {
        let carets = line.trim_start();
        if carets.starts_with('^') {
            let column = u32::try_from(line.len() - carets.len() + 1).expect("a short line");
            let words = carets.trim_start_matches('^').trim();
            let (code, part) = words.split_once(": ").unwrap_or((words, ""));
            let above = u32::try_from(text.lines().count()).expect("few lines");
            marks.push((above, column, code.to_owned(), part.to_owned()));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    marks.sort();
    (text, marks)
}

/// The problems in the form of the snippets, for whoever has to compare them.
fn marked(text: &str, problems: &[(u32, u32, &Problem)]) -> String {
    let mut shown = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        shown.push_str(&format!("{line}\n"));
        for (_, column, problem) in problems.iter().filter(|(line, ..)| *line == number) {
            let length = problem.place.range().len().min(line.len()).max(1);
            let (indent, carets) = (" ".repeat(*column as usize - 1), "^".repeat(length));
            let help = problem.help.as_deref().unwrap_or_default();
            shown.push_str(&format!(
                "{indent}{carets} {}: {} | {help}\n",
                problem.code, problem.message
            ));
        }
    }
    shown
}

#[test]
fn problems_are_found_where_they_are() {
    let snippets: Vec<&str> = PROBLEMS.split("\n=== ").skip(1).collect();
    assert!(snippets.len() >= 40, "{} snippets", snippets.len());
    let mut wrong = String::new();
    for snippet in snippets {
        let (title, snippet) = snippet.split_once('\n').expect("a title");
        let (text, marks) = unmarked(snippet);
        let loaded = load(&[("demo.yaml", &text)]);
        let position = |problem: &Problem| loaded.sources.position(problem.place);
        let mut found: Vec<_> = loaded
            .problems
            .iter()
            .map(|p| (position(p).0, position(p).1, p))
            .collect();
        found.sort_by(|a, b| (a.0, a.1, a.2.code, &a.2.message).cmp(&(b.0, b.1, b.2.code, &b.2.message)));
        let matches = |mark: &Mark, (line, column, problem): &(u32, u32, &Problem)| {
            let words = format!("{}\n{}", problem.message, problem.help.as_deref().unwrap_or_default());
            (mark.0, mark.1, mark.2.as_str()) == (*line, *column, problem.code) && words.contains(&mark.3)
        };
        let mut open: Vec<_> = found.clone();
        let all_there = marks.iter().all(|mark| {
            let at = open.iter().position(|problem| matches(mark, problem));
            at.map(|at| open.remove(at)).is_some()
        });
        if !all_there || !open.is_empty() {
            wrong.push_str(&format!("=== {title}\n{}\n", marked(&text, &found)));
        }
        // Whatever is found must be printable.
        assert!(!render(&loaded.problems, &loaded.sources, &STYLE).is_empty(), "{title}");
    }
    assert!(wrong.is_empty(), "problems are not as marked; they are:\n{wrong}");
}

#[test]
fn every_construct_is_read() {
    let loaded = load(&[("fleet.yaml", EXCERPT)]);
    assert!(
        loaded.problems.is_empty(),
        "{}",
        render(&loaded.problems, &loaded.sources, &STYLE)
    );
    let ids: Vec<&str> = loaded
        .rulebooks
        .iter()
        .map(|rulebook| rulebook.spec.rulebook.value.as_str())
        .collect();
    assert_eq!(ids, ["fleet", "second"]);
    let spec = &loaded.rulebooks[0].spec;
    assert_eq!(
        spec.about.as_ref().map(|about| about.value.as_str()),
        Some("What one server says, and what the registry says of it.")
    );
    assert_eq!((spec.probes.len(), spec.facts.len(), spec.rules.len()), (12, 11, 3));
    let FactKind::From(reported) = &spec.facts["reported"].kind else {
        panic!("no extraction")
    };
    assert!(reported.first && matches!(&reported.default, Some(Value::Scalar(null)) if null.kind == ScalarKind::Null));
    let rule = &spec.rules["too-old"];
    assert_eq!(
        (
            rule.r#try.len(),
            rule.fix.len(),
            rule.explains.len(),
            rule.explained_by.len()
        ),
        (1, 2, 3, 1)
    );
    assert!(rule.explains["requests-fail"].is_none() && rule.explains["not-reached"].is_some());
    let columns: Vec<&str> = spec.views["servers"]
        .columns
        .keys()
        .map(|key| key.value.as_str())
        .collect();
    assert_eq!(columns, ["SERVER NAME", "PORT", "TYPE"]);
}

#[test]
fn the_rulebooks_tried_on_paper_are_read() {
    let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/design/paper");
    if !paper.is_dir() {
        println!("skipped: there is no {}", paper.display());
        return;
    }
    let mut loaded = Loaded::default();
    loaded.add_path(&paper).expect("readable");
    assert!(
        loaded.problems.is_empty(),
        "{}",
        render(&loaded.problems, &loaded.sources, &STYLE)
    );
    let modules = |rulebook: &LoadedRulebook| {
        rulebook
            .modules
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    let read: Vec<_> = loaded
        .rulebooks
        .iter()
        .map(|r| (r.spec.rulebook.value.clone(), r.spec.rules.len(), modules(r)))
        .collect();
    assert_eq!(read.len(), 3);
    assert!(
        read.iter().all(|(_, rules, modules)| *rules > 0 && !modules.is_empty()),
        "{read:?}"
    );
}

#[test]
fn shipped_rulebooks_have_no_problems() {
    let mut loaded = Loaded::default();
    for id in casebook::rulebook::load::embedded() {
        loaded.add_embedded(id).expect("shipped");
        let rulebook = loaded.find(id).expect("its directory has its name");
        let names = rulebook.files.iter().map(|file| &loaded.sources.get(*file).name);
        assert!(
            names
                .clone()
                .any(|name| *name == format!("rulebooks/{id}/rulebook.yaml"))
        );
    }
    assert!(
        loaded.problems.is_empty(),
        "{}",
        render(&loaded.problems, &loaded.sources, &STYLE)
    );
}

const MAIN: &str = "casebook: 1\nrulebook: demo\ntitle: Demo\nfacts: { a: { let: '1' } }\n";

#[test]
fn a_directory_is_one_rulebook() {
    let more = "casebook: 1\nfacts: { b: { let: '2' } }\n---\ncasebook: 1\nrules:\n  r: { title: R, severity: info, expect: true }\n";
    let files = [
        ("rulebook.yaml", MAIN),
        ("more.yaml", more),
        ("lib/names.rhai", "fn f() { 1 }"),
        ("cases/one.yaml", "not: read"),
        (".hidden.yaml", "not: read"),
        ("notes.md", "not read"),
    ];
    let loaded = load(&files);
    assert!(
        loaded.problems.is_empty(),
        "{}",
        render(&loaded.problems, &loaded.sources, &STYLE)
    );
    let [rulebook] = loaded.rulebooks.as_slice() else {
        panic!("one rulebook")
    };
    let facts: Vec<&str> = rulebook.spec.facts.keys().map(|id| id.value.as_str()).collect();
    assert_eq!(facts, ["a", "b"]);
    assert_eq!(rulebook.spec.rules.len(), 1);
    assert_eq!(
        (rulebook.modules.len(), rulebook.files.len(), rulebook.cases.len()),
        (1, 3, 1)
    );
    assert_eq!(loaded.sources.get(rulebook.modules[0].1).text, "fn f() { 1 }");

    // The digest is over what decides, and nothing else.
    let digest = |files: &[(&str, &str)]| load(files).rulebooks[0].digest.clone();
    assert_eq!(rulebook.digest.len(), 64);
    assert_eq!(digest(&files[..3]), rulebook.digest);
    assert_ne!(digest(&files[..2]), rulebook.digest);
    assert_ne!(
        digest(&[files[0], files[1], ("lib/names.rhai", "fn f() { 2 }")]),
        rulebook.digest
    );
    assert_ne!(
        digest(&[files[0], files[1], ("lib/other.rhai", "fn f() { 1 }")]),
        rulebook.digest
    );
}

#[test]
fn the_same_id_in_two_files_is_a_problem_that_points_at_both() {
    let loaded = load(&[
        ("rulebook.yaml", MAIN),
        ("more.yaml", "casebook: 1\nfacts: { a: { let: '2' } }\n"),
    ]);
    let [problem] = loaded.problems.iter().collect::<Vec<_>>()[..] else {
        panic!("{:?}", loaded.problems)
    };
    let name = |place| {
        loaded
            .sources
            .get(place)
            .name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        (problem.code, name(problem.place.file).as_str()),
        ("duplicate-key", "more.yaml")
    );
    assert_eq!(name(problem.related[0].0.file), "rulebook.yaml");
    let shown = render(&loaded.problems, &loaded.sources, &STYLE);
    assert!(
        shown.contains("more.yaml:2:10") && shown.contains("rulebook.yaml:4:10"),
        "{shown}"
    );
}

#[test]
fn keys_of_the_head_belong_into_the_main_file() {
    let loaded = load(&[
        ("rulebook.yaml", MAIN),
        ("more.yaml", "casebook: 1\nrulebook: other\nuses: [base]\n"),
    ]);
    let codes: Vec<&str> = loaded.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["unknown-key", "unknown-key"]);
    let loaded = load(&[
        ("rulebook.yaml", &format!("{MAIN}---\n{MAIN}")),
        ("lib/my-module.rhai", ""),
    ]);
    let codes: Vec<&str> = loaded.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["bad-name", "second-document"], "file by file");
}

#[test]
fn one_broken_file_does_not_hide_the_problems_of_others() {
    let files = [
        ("rulebook.yaml", MAIN),
        ("a.yaml", "facts: [\n"),
        (
            "b.yaml",
            "casebook: 1\nfacts: { c: { let: 1, first: true }, D: { let: 1 } }\n",
        ),
        ("c.yaml", "# nothing\n"),
    ];
    let mut loaded = load(&files);
    loaded.problems.sort();
    let codes: Vec<&str> = loaded.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["yaml-syntax", "misplaced-key", "bad-name", "empty-file"]);
    assert_eq!(loaded.rulebooks.len(), 1);
}

#[test]
fn what_cannot_be_read_is_remembered_by_name() {
    let loaded = load(&[(
        "demo.yaml",
        &format!("{MAIN}rules: {{ r: {{ title: R, severity: bad, expect: true }} }}\n"),
    )]);
    let rulebook = &loaded.rulebooks[0];
    assert!(rulebook.spec.rules.is_empty());
    assert_eq!(
        rulebook
            .broken
            .iter()
            .map(|name| name.value.as_str())
            .collect::<Vec<_>>(),
        ["r"]
    );
}

#[test]
fn bytes_that_are_no_text() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("demo.yaml");
    let problem = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        let mut loaded = Loaded::default();
        loaded.add_path(&path).expect("readable");
        render(&loaded.problems, &loaded.sources, &STYLE)
    };
    let latin = problem(b"casebook: 1\ntitle: caf\xe9\n");
    assert!(
        latin.contains("byte 22 of this file is no UTF-8") && latin.contains("demo.yaml:2:11"),
        "{latin}"
    );
    let marked = problem(b"\xef\xbb\xbfcasebook: 1\r\nrulebook: demo\r\ntitle: |\r\n  D\r\n");
    assert!(marked.is_empty(), "{marked}");
    let long = problem(&vec![b'#'; 4_000_001]);
    assert!(long.contains("more than 4000000 bytes"), "{long}");
    let deep = problem(format!("a: {}{}", "[".repeat(100), "]".repeat(100)).as_bytes());
    assert!(deep.contains("too-deep") && deep.contains("demo.yaml:1:67"), "{deep}");
    let wide = problem(format!("casebook: 1\nrulebook: demo\ntitle: {{ {} ", "x".repeat(200_000)).as_bytes());
    assert!(wide.contains("yaml-syntax") && wide.len() < 4000, "{wide}");
}

#[test]
fn what_is_no_rulebook_at_all_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut loaded = Loaded::default();
    assert!(matches!(
        loaded.add_path(directory.path()),
        Err(LoadError::NoRulebook { .. })
    ));
    assert!(matches!(
        loaded.add_path(&directory.path().join("absent")),
        Err(LoadError::Unreadable { .. })
    ));
    assert!(matches!(
        loaded.add_embedded("absent"),
        Err(LoadError::NotShipped { .. })
    ));
    assert!(loaded.problems.is_empty() && loaded.rulebooks.is_empty());
}

#[test]
fn rulebooks_beside_and_below() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["one/rulebook.yaml", "two/rulebook.yaml", "three.yaml"] {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(
            path,
            MAIN.replace("demo", name.split(['/', '.']).next().unwrap_or_default()),
        )
        .expect("written");
    }
    let mut loaded = Loaded::default();
    loaded.add_path(directory.path()).expect("readable");
    let ids: Vec<&str> = loaded
        .rulebooks
        .iter()
        .map(|rulebook| rulebook.spec.rulebook.value.as_str())
        .collect();
    assert_eq!(ids, ["one", "two"]);
    let origin = &loaded.find("one").expect("loaded").origin;
    assert_eq!(*origin, Origin::Directory(directory.path().join("one")));
    assert!(origin.beside("two").is_some_and(|path| path.ends_with("two")));
    assert!(origin.beside("three").is_some_and(|path| path.ends_with("three.yaml")));
    assert_eq!(origin.beside("four"), None);
    // The file that makes a directory a rulebook stands for it.
    loaded
        .add_path(&directory.path().join("two/rulebook.yaml"))
        .expect("readable");
    assert_eq!(
        loaded.rulebooks[2].origin,
        Origin::Directory(directory.path().join("two"))
    );
}

#[test]
fn cases_are_read_on_demand() {
    let text = r#"
casebook: 1
cases:
  all-in-a-folder:
    evidence: evidence/good
    pass: [too-old, "unknown-*"]
    only: true
  by-probe:
    title: One item each way
    bundle: ../bundle.tar.gz
    evidence:
      server_info: |
        {"state": "LIVE"}
      base.server: { file: server.json, captured-at: 2024-01-01T00:00:00Z }
      log: { outcome: absent }
      status: { text: "", outcome: failed, exit: 1, stderr: no such file }
      pods:
        - { text: "[]", subject: client/a }
        - { text: "[]", subject: client/b, truncated: true }
    before: evidence/earlier
    captured-at: 2024-01-02T00:00:00Z
    set: { limit: 5m, base.admin: null, addresses: [a, b] }
    fail:
      too-old: { says: is older, at: 1.23, subject: server/a, severity: critical }
      requests-fail:
        - { key: a }
        - { key: b }
      unknown-server:
    unknown: [not-reached]
    not-applicable: other
    error: broken
"#;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cases.yaml");
    fs::write(&path, text).expect("written");
    let mut loaded = Loaded::default();
    let cases = loaded.cases(&path).expect("readable").expect("decoded").cases;
    assert!(
        loaded.problems.is_empty(),
        "{}",
        render(&loaded.problems, &loaded.sources, &STYLE)
    );
    assert!(
        matches!(&cases["all-in-a-folder"].evidence, Some(EvidenceSpec::Path(path)) if path.value == "evidence/good")
    );
    let case = &cases["by-probe"];
    let Some(EvidenceSpec::Items { items, .. }) = &case.evidence else {
        panic!("no items")
    };
    assert_eq!(items["pods"].len(), 2);
    assert_eq!(
        items["server_info"][0].text.as_ref().map(|text| text.value.as_str()),
        Some("{\"state\": \"LIVE\"}\n")
    );
    assert_eq!(
        (case.fail.len(), case.unknown.len(), case.not_applicable.len()),
        (3, 1, 1)
    );
    assert_eq!(case.fail["requests-fail"].as_ref().map(|all| all.len()), Some(2));
}

#[test]
fn broken_cases() {
    let text = "casebook: 1\ncases:\n  A: { pass: a }\n  b: { evidence: x, bundle: y }\n  c: { evidence: { a: { text: t, file: f }, b: {} }, only: 1 }\n";
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cases.yaml");
    fs::write(&path, text).expect("written");
    let mut loaded = Loaded::default();
    loaded.cases(&path).expect("readable");
    loaded.problems.sort();
    let found: Vec<_> = loaded
        .problems
        .iter()
        .map(|p| (p.code, loaded.sources.position(p.place)))
        .collect();
    let expected = [
        ("bad-name", (3, 3)),
        ("missing-key", (3, 3)),
        ("missing-key", (4, 3)),
        ("conflicting-keys", (4, 18)),
        ("conflicting-keys", (5, 40)),
        ("missing-key", (5, 45)),
        ("wrong-type", (5, 60)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn several_problems_as_they_are_printed() {
    let text = "casebook: 1
rulebook: demo
title: Demo
inputs:
  limit: { is: duratoin, default: 5m }
facts:
  state: { from: server, one: $.state }
  names: { index: rows, by: name, capture: '(.*)' }
  state: { from: other, one: $.state }
rules:
  too-old:
    title: Too old
    severty: error
    decide:
      - fail: !known(state)
      - pass: true
";
    let loaded = load(&[("demo.yaml", text)]);
    let shown = render(&loaded.problems, &loaded.sources, &STYLE);
    // The directory is another each time.
    let shown: Vec<String> = shown
        .lines()
        .map(|line| match (line.find('['), line.find("demo.yaml:")) {
            (Some(open), Some(name)) => format!("{}{}", &line[..=open], &line[name..]),
            _ => line.trim_end().to_owned(),
        })
        .collect();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("rulebook-problems", shown.join("\n"));
    });
}

proptest::proptest! {
    #[test]
    fn damaged_rulebooks_are_reported_and_do_no_harm(
        cuts in proptest::collection::vec((0usize..6000, 0usize..40, "[\\PC\n\t\x00-\x1f]{0,4}"), 1..4),
    ) {
        let mut text = EXCERPT.to_owned();
        for (start, length, put) in cuts {
            let near = |at: usize| (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (near(start), near(start + length));
            text.replace_range(start..end, &put);
        }
        let loaded = load(&[("fleet.yaml", &text)]);
        let shown = render(&loaded.problems, &loaded.sources, &STYLE);
        proptest::prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{:?}", shown);
        for problem in loaded.problems.iter() {
            let file = &loaded.sources.get(problem.place.file).text;
            proptest::prop_assert!(file.get(problem.place.range()).is_some(), "{:?}", problem);
        }
    }
}
