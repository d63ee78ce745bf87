//! `casebook query`, through the binary.

#![allow(clippy::unwrap_used)]

#[path = "common/archives.rs"]
mod archives;
mod common;

use archives::{gzip, tar, zip, zstd};
use common::{Ran, folder, run, shared};
use serde_json::Value;
use tempfile::TempDir;

const EXAMPLE: &str = "examples/route-to-unknown-cluster";

const RULEBOOK: &str = r#"
casebook: 1
rulebook: fleet
title: Servers and what they say of themselves
subjects:
  server: { captured: ["servers/{zone}/{host}/"] }
probes:
  data: { per: server, captured: [data.json], parse: json }
  log: { per: server, captured: [log.txt], parse: { lines: { fields: ['^(?<level>\w+) (?<text>.*)$'] } } }
  inventory: { captured: [inventory.json], parse: json }
  notes: { per: server, captured: [notes.md, notes.txt], parse: raw }
facts:
  port: { from: data, one: $.port }
  ports: { over: server, let: port }
rules:
  ports: { title: Another port, severity: error, expect: port == 80 }
"#;

const FILES: [(&str, &[u8]); 7] = [
    ("inventory.json", b"{\n  \"hosts\": [\"a\", \"b\"]\n}\n"),
    ("servers/n/a/data.json", b"{ \"port\": 80, \"name\": \"a\" }"),
    ("servers/n/a/log.txt", b"info up\nerror gone\n"),
    (
        "servers/n/b/data.json",
        b"{\n  \"port\": 81,\n  \"name\": \"b\\u001b[31m\"\n}",
    ),
    ("servers/s/c/data.json", b"{ \"name\": \"c\" }"),
    ("servers/s/d/data.json", b"{ \"port\": "),
    ("stray/list.txt", b"first\nsecond\n"),
];

/// A rulebook and a bundle.
struct Fixture {
    rulebook: TempDir,
    bundle: TempDir,
}

fn fixture() -> Fixture {
    Fixture {
        rulebook: folder(&[("rulebook.yaml", RULEBOOK.as_bytes())]),
        bundle: folder(&FILES),
    }
}

impl Fixture {
    fn query(&self, args: &[&str]) -> Ran {
        self.query_in(self.bundle.path().to_str().unwrap(), args)
    }

    fn query_in(&self, bundle: &str, args: &[&str]) -> Ran {
        let mut all = vec!["query", bundle];
        all.extend(args);
        all.extend(["-r", self.rulebook.path().to_str().unwrap()]);
        run(&all)
    }

    fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        let ran = self.query(&all);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
    }
}

#[test]
fn a_path_finds_places_in_the_example() {
    let ran = run(&["query", EXAMPLE, "$.state", "--probe", "server_info"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("server_info.json:"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(": \"LIVE\"\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 match in 1 of 1 item\n");
    let ran = run(&[
        "query",
        EXAMPLE,
        "$.configs[*]['@type']",
        "--probe",
        "envoy::config_dump",
        "--json",
    ]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = std::fs::read_to_string(format!("{EXAMPLE}/config_dump.json")).unwrap();
    assert!(found.as_array().unwrap().len() > 2);
    for found in found.as_array().unwrap() {
        let at = |key: &str| usize::try_from(found[key].as_u64().unwrap()).unwrap();
        let written: Value = serde_json::from_str(&text[at("start")..at("end")]).unwrap();
        assert_eq!(written, found["value"]);
        assert_eq!(text[..at("start")].matches('\n').count() + 1, at("line"));
        assert_eq!(found["probe"], "envoy::config_dump");
        assert_eq!(found["evidence"], "config_dump.json");
        assert!(found["path"].as_str().unwrap().ends_with("['@type']"));
        assert!(found["subject"].as_str().unwrap().starts_with("proxy"));
    }
}

#[test]
fn a_path_goes_over_all_items_that_probes_bind() {
    let ran = fixture().query(&["$..port"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "servers/n/a/data.json:1:11: 80\nservers/n/b/data.json:2:11: 81\n"
    );
    assert!(
        ran.stderr
            .contains("not searched: `servers/s/d/data.json` cannot be read as JSON"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.ends_with("2 matches in 2 of 6 items\n"), "{}", ran.stderr);
}

#[test]
fn nothing_found_ends_with_1() {
    let ran = fixture().query(&["$..nothing", "--probe", "inventory"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (1, "", "0 matches in 0 of 1 item\n")
    );
}

#[test]
fn a_bound_file_is_read_by_its_parser_and_another_by_a_guess() {
    let fixture = fixture();
    let ran = fixture.query(&["$[?@.level=='error'].text", "--file", "*/log.txt"]);
    assert_eq!(ran.stdout, "servers/n/a/log.txt:2:7: gone\n");
    let ran = fixture.query(&["$[1]", "--file", "stray/*"]);
    assert_eq!(ran.stdout, "stray/list.txt:2:1: second\n");
    let found = fixture.json(&["$[1]", "--file", "stray/*"]);
    assert_eq!(found[0]["probe"], Value::Null);
    assert_eq!(found[0]["value"], "second");
}

#[test]
fn subjects_can_be_narrowed() {
    let ran = fixture().query(&["$.port", "--subject", "server/n/b"]);
    assert_eq!(ran.stdout, "servers/n/b/data.json:2:11: 81\n");
    let ran = fixture().query(&["port", "--subject", "*/a"]);
    assert_eq!(ran.stdout, "server/n/a: 80\n  servers/n/a/data.json:1:11\n");
}

#[test]
fn controls_in_evidence_are_not_obeyed_and_long_values_are_cut() {
    let raw = b"one\x1b[2Jtwo\n".repeat(100);
    let bundle = folder(&[("servers/n/a/notes.txt", &raw)]);
    let ran = fixture().query_in(bundle.path().to_str().unwrap(), &["$", "--probe", "notes"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains('\u{1b}'));
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(ran.stdout.trim_end().ends_with('…'), "{}", ran.stdout);
    let ran = fixture().query(&["$.name", "--subject", "server/n/b"]);
    assert_eq!(ran.stdout, "servers/n/b/data.json:3:11: \"b\\u001b[31m\"\n");
    let ran = fixture().query(&["data.name", "--subject", "server/n/b"]);
    assert!(ran.stdout.starts_with("server/n/b: b\\u{1b}[31m\n"), "{}", ran.stdout);
}

#[test]
fn a_script_is_asked_of_every_subject() {
    let fixture = fixture();
    let ran = fixture.query(&["port + 1"]);
    assert_eq!(ran.code, 0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..2], ["server/n/a: 81", "server/n/b: 82"]);
    assert!(
        lines[2].starts_with("server/s/c: unknown: nothing in `servers/s/c/data.json` matches `$.port`"),
        "{lines:?}"
    );
    assert!(lines[3].starts_with("server/s/d: unknown: "), "{lines:?}");
    assert_eq!(ran.stderr, "known of 2 of 4 subjects (`server`)\n");
    let asked = fixture.json(&["port"]);
    assert_eq!(asked[1]["value"], 81);
    assert_eq!(asked[1]["places"][0]["path"], "$['port']");
    assert_eq!(asked[1]["places"][0]["probe"], "fleet::data");
    assert_eq!(asked[3]["value"], Value::Null);
    assert!(asked[3]["unknown"].as_str().unwrap().contains("data.json"));
}

#[test]
fn a_script_of_the_whole_sees_the_values_over_subjects() {
    let ran = fixture().query(&["ports.map(|row| row.value)"]);
    assert_eq!(
        (ran.code, ran.stdout.lines().next()),
        (0, Some("bundle: [80, 81]")),
        "{}",
        ran.stderr
    );
    // The same beside a fact of one subject: every subject is compared with all of them.
    let ran = fixture().query(&["ports.filter(|row| row.value == port).len()", "--subject", "server/n/*"]);
    assert_eq!(ran.stdout, "server/n/a: 1\nserver/n/b: 1\n");
    let ran = fixture().query(&["inventory.hosts"]);
    assert_eq!(ran.stdout, "bundle: [\"a\", \"b\"]\n  inventory.json:2:12\n");
}

#[test]
fn only_unknowns_end_with_1() {
    let ran = fixture().query(&["port", "--subject", "server/s/*"]);
    assert_eq!(ran.code, 1);
    let empty = folder(&[]);
    let ran = fixture().query_in(empty.path().to_str().unwrap(), &["port"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (1, "the bundle holds no such `server`\n")
    );
    let ran = fixture().query_in(empty.path().to_str().unwrap(), &["inventory.hosts"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("no `inventory.json` in the bundle"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_wrong_question_ends_with_2_and_says_why() {
    let fixture = fixture();
    for (args, wanted) in [
        (vec!["$.a["], "is no JSONPath"),
        (vec!["$[?match(@.a, '(')]"], "is no regular expression"),
        (vec!["$.a", "--probe", "dat"], "did you mean `data`?"),
        (vec!["$.a", "--file", "["], "is no glob"),
        (vec!["$.a", "--subject", "["], "is no glob"),
        (vec!["port", "--probe", "data"], "go with a JSONPath"),
        (vec!["port", "--in", "flet"], "did you mean `fleet`?"),
        (vec!["prot"], "did you mean `port`?"),
        (vec!["port +"], "query:1:"),
        (vec!["inputs.zone"], "there is no input `zone`"),
        (vec!["port < \"x\""], "query:1:"),
    ] {
        let ran = fixture.query(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(wanted), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(fixture.query_in("no/such/bundle", &["port"]).code, 2);
}

#[test]
fn a_path_that_costs_too_much_is_given_up_and_that_is_said() {
    let text = format!("[{}]", vec!["[1,2,3]"; 3000].join(","));
    let bundle = folder(&[("inventory.json", text.as_bytes())]);
    let ran = fixture().query_in(bundle.path().to_str().unwrap(), &["$..[?count($..*) > 100000]"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.starts_with("gave up: the path looks at more than"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_question_it_says_what_there_is() {
    let fixture = fixture();
    let ran = fixture.query(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for wanted in [
        ": 7 files, 4 subjects\n",
        "\nbundle\n  fleet::inventory: inventory.json (ok)\n",
        "\nserver/n/a in servers/n/a/\n  fleet::data: servers/n/a/data.json (ok)\n  fleet::log: servers/n/a/log.txt (ok)\n",
        "  fleet::log: nothing (absent): no `log.txt` in `servers/n/b`\n",
        "  fleet::data: servers/s/d/data.json (unparsable): `servers/s/d/data.json` cannot be read as JSON",
        "\nProbes that bound to nothing\n  fleet::notes (one per server): looks for notes.md, notes.txt\n",
        "\nFiles that no probe binds\n  stray/list.txt\n",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}\n{}", ran.stdout);
    }
    let listing = fixture.json(&[]);
    assert_eq!(listing["unbound"], serde_json::json!(["stray/list.txt"]));
    assert_eq!(listing["idle"][0]["probe"], "fleet::notes");
    assert_eq!(listing["subjects"][4]["items"][0]["outcome"], "unparsable");
    let empty = folder(&[("x", b"")]);
    assert_eq!(fixture.query_in(empty.path().to_str().unwrap(), &[]).code, 1);
}

#[cfg(unix)]
#[test]
fn what_was_left_out_is_listed_with_the_reason() {
    let fixture = fixture();
    std::os::unix::fs::symlink("/etc", fixture.bundle.path().join("out\u{1b}side")).unwrap();
    let ran = fixture.query(&[]);
    assert!(ran.stdout.contains("\nLeft out\n  out\\u{1b}side: "), "{}", ran.stdout);
}

#[test]
fn every_kind_of_bundle_gives_the_same_answers() {
    let fixture = fixture();
    let inside: Vec<(String, &[u8])> = FILES
        .iter()
        .map(|(path, bytes)| (format!("bundle/{path}"), *bytes))
        .collect();
    let inside: Vec<(&str, &[u8])> = inside.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    let packed = folder(&[
        ("b.tar", &tar(&inside)),
        ("b.tar.gz", &gzip(&tar(&inside))),
        ("b.tar.zst", &zstd(&tar(&inside))),
        ("b.zip", &zip(&inside)),
    ]);
    for question in [
        vec!["$..port"],
        vec!["port"],
        vec!["ports"],
        vec!["$[0]", "--file", "*.txt"],
        vec![],
    ] {
        let listed = question.is_empty();
        let answer = |ran: Ran| {
            // The name of the bundle stands in the first line of a listing.
            let stdout = ran
                .stdout
                .lines()
                .skip(usize::from(listed))
                .map(str::to_owned)
                .collect::<Vec<_>>();
            (ran.code, stdout, ran.stderr)
        };
        let of_folder = answer(fixture.query(&question));
        assert_eq!(of_folder.0, 0);
        for name in ["b.tar", "b.tar.gz", "b.tar.zst", "b.zip"] {
            let path = packed.path().join(name);
            let of_archive = answer(fixture.query_in(path.to_str().unwrap(), &question));
            assert_eq!(of_folder, of_archive, "{name}: {question:?}");
        }
    }
}

#[test]
fn real_evidence_answers() {
    let Some(path) = shared("evidence/istio_healthy") else {
        return;
    };
    let path = path.to_str().unwrap();
    let ran = run(&["query", path, "state", "--in", "envoy"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(": LIVE\n  server_info.json:"), "{}", ran.stdout);
    let ran = run(&["query", path]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("envoy::config_dump: config_dump.json (ok)"),
        "{}",
        ran.stdout
    );
}
