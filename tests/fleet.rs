//! `casebook run` over many subjects and many bundles, through the binary.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{codes, report, run, shared, verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

const RULEBOOK: &str = r#"
casebook: 1
rulebook: fleet
title: Servers and what they say of themselves
subjects:
  server: { captured: ["servers/{zone}/{host}/"] }
probes:
  data: { per: server, captured: [data.json], parse: json }
facts:
  version: { from: data, one: $.version }
  errors: { from: data, one: $.errors }
  versions: { over: server, let: version }
rules:
  disk-full: { title: The disk is full, severity: error, expect: data.disk < 95, at: data.disk }
  wrong-port:
    title: The server listens on another port
    severity: warning
    expect: data.port == 8080
    at: data.port
    key: data.port
  one-version:
    title: A server runs another version than the first
    severity: warning
    each: { row: versions }
    expect: row.value == versions[0].value
    key: row.subject
    subject: ${row.subject}
    at: row.value
  like-most:
    title: The server runs another version than most
    severity: warning
    expect: versions.filter(|row| row.value == version).len() * 2 > versions.len()
    at: version
  errors-stand-still:
    title: Errors are being counted
    severity: error
    expect: errors - before.errors < 10
    says: ${errors - before.errors} more errors than before
    at: errors
"#;

/// A folder of subjects with the rulebook beside it.
struct Fleet {
    dir: TempDir,
}

impl Fleet {
    /// 200 servers in four zones, each as `data` has it by zone and number.
    fn new(data: impl Fn(&str, usize) -> Value) -> Fleet {
        let fleet = Fleet {
            dir: tempfile::tempdir().unwrap(),
        };
        std::fs::write(fleet.dir.path().join("fleet.yaml"), RULEBOOK).unwrap();
        fleet.capture("bundle", data);
        fleet
    }

    fn capture(&self, name: &str, data: impl Fn(&str, usize) -> Value) {
        for zone in ["z1", "z2", "z3", "z4"] {
            for host in 0..50 {
                write(
                    &self
                        .dir
                        .path()
                        .join(format!("{name}/servers/{zone}/h{host:02}/data.json")),
                    &data(zone, host),
                );
            }
        }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn args<'a>(&'a self, paths: &'a [String]) -> Vec<&'a str> {
        let [rulebook, bundle, ..] = paths else {
            panic!("two paths")
        };
        vec!["run", bundle, "-r", rulebook]
    }

    fn paths(&self) -> [String; 2] {
        [self.path("fleet.yaml"), self.path("bundle")]
    }
}

fn write(path: &Path, value: &Value) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_vec_pretty(value).unwrap()).unwrap();
}

fn good() -> Value {
    json!({ "disk": 40, "port": 8080, "version": "1.2", "errors": 7 })
}

/// A server of which some members differ.
fn but(changes: Value) -> Value {
    let mut data = good();
    for (key, value) in changes.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

/// Subjects of the findings of a rule, sorted.
fn subjects(report: &Value, rule: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut subjects: Vec<String> = findings
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| finding["subject"].as_str().unwrap().to_owned())
        .collect();
    subjects.sort();
    subjects
}

/// How many subjects have which verdict on a rule.
fn tally(report: &Value, rule: &str, verdict: &str) -> usize {
    let verdicts = report["verdicts"].as_array().unwrap().iter();
    verdicts
        .filter(|other| other["rule"] == rule && other["verdict"] == verdict)
        .count()
}

fn broken_three(zone: &str, host: usize) -> Value {
    match (zone, host) {
        ("z1", 7) | ("z3", 20) => but(json!({ "disk": 99 })),
        ("z2", 49) => but(json!({ "port": 9090 })),
        _ => good(),
    }
}

#[test]
fn three_broken_in_two_ways_are_two_groups() {
    let fleet = Fleet::new(broken_three);
    let paths = fleet.paths();
    let picked = ["--rule", "disk-full", "--rule", "wrong-port"];
    let mut args = fleet.args(&paths);
    args.extend(picked);
    let ran = run(&args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("on 2 of 200"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("fleet::disk-full").count(), 1, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("fleet::wrong-port").count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("server/z2/h49"), "{}", ran.stdout);
    assert!(ran.stdout.contains("397 passed"), "{}", ran.stdout);
    let (_, report) = report(&args);
    assert_eq!(subjects(&report, "disk-full"), ["server/z1/h07", "server/z3/h20"]);
    assert_eq!(subjects(&report, "wrong-port"), ["server/z2/h49"]);
    assert_eq!(tally(&report, "disk-full", "pass"), 198);
    let label = &report["findings"][0]["labels"][0];
    assert_eq!(label["evidence"], "servers/z1/h07/data.json");
    assert_eq!(label["text"], "99");
}

#[test]
fn one_unlike_the_rest_is_found_from_the_whole_and_from_the_subject() {
    let fleet = Fleet::new(|zone, host| match (zone, host) {
        ("z4", 3) => but(json!({ "version": "1.1" })),
        _ => good(),
    });
    let paths = fleet.paths();
    let (code, report) = report(&fleet.args(&paths));
    assert_eq!(code, 1);
    assert_eq!(subjects(&report, "one-version"), ["server/z4/h03"]);
    let verdicts = report["verdicts"].as_array().unwrap();
    let whole = verdicts
        .iter()
        .find(|verdict| verdict["rule"] == "one-version")
        .unwrap();
    assert_eq!(whole["subject"], "bundle");
    assert_eq!(whole["items"], json!({ "pass": 199, "fail": 1 }));
    // Each subject sees the values of all, those that were gone through after it too.
    assert_eq!(subjects(&report, "like-most"), ["server/z4/h03"]);
    assert_eq!(tally(&report, "like-most", "pass"), 199);
    for rule in ["one-version", "like-most"] {
        let found = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["rule"] == rule)
            .unwrap();
        assert_eq!(found["labels"][0]["evidence"], "servers/z4/h03/data.json", "{rule}");
        assert_eq!(found["labels"][0]["text"], "\"1.1\"", "{rule}");
    }
}

#[test]
fn a_subject_of_which_nothing_is_known_lets_no_comparison_pass() {
    let fleet = Fleet::new(|_, _| good());
    std::fs::write(fleet.path("bundle/servers/z2/h11/data.json"), "{ \"version\": ").unwrap();
    let paths = fleet.paths();
    let (code, report) = report(&fleet.args(&paths));
    assert_eq!((code, codes(&report)), (0, Vec::new()));
    let (found, reason) = verdict(&report, "one-version");
    assert_eq!(found, "unknown");
    assert!(
        reason.contains("of 200 subjects of kind `server` only 199 are known"),
        "{reason}"
    );
    assert_eq!(tally(&report, "like-most", "unknown"), 200);
    assert_eq!(tally(&report, "disk-full", "pass"), 199);
}

#[test]
fn growth_is_measured_against_the_same_subject_of_an_earlier_capture() {
    let fleet = Fleet::new(|zone, host| match (zone, host) {
        ("z1", 0) => but(json!({ "errors": 70 })),
        _ => good(),
    });
    fleet.capture("earlier", |_, _| good());
    std::fs::remove_file(fleet.path("earlier/servers/z4/h49/data.json")).unwrap();
    let (paths, earlier) = (fleet.paths(), fleet.path("earlier"));
    let mut args = fleet.args(&paths);
    args.extend(["--rule", "errors-stand-still"]);
    let (_, alone) = report(&args);
    assert_eq!(tally(&alone, "errors-stand-still", "unknown"), 200);
    assert!(verdict(&alone, "errors-stand-still").1.contains("--before"));
    args.extend(["--before", &earlier]);
    let (code, report) = report(&args);
    assert_eq!(code, 1);
    assert_eq!(subjects(&report, "errors-stand-still"), ["server/z1/h00"]);
    assert_eq!(report["findings"][0]["message"], "63 more errors than before");
    assert_eq!(tally(&report, "errors-stand-still", "pass"), 198);
    let verdicts = report["verdicts"].as_array().unwrap();
    let lost = verdicts.iter().find(|verdict| verdict["verdict"] == "unknown").unwrap();
    assert_eq!(lost["subject"], "server/z4/h49");
    assert_eq!(lost["reason"], "the earlier capture does not have this subject");
}

/// Forty small bundles, every tenth of which has a finding.
fn forty(dir: &Path) -> Vec<String> {
    let bundle = |number: usize| {
        let bundle = dir.join(format!("bundle-{number:02}"));
        let disk = if number % 10 == 3 { 99 } else { number };
        for host in 0..3 {
            write(
                &bundle.join(format!("servers/z1/h{host}/data.json")),
                &but(json!({ "disk": disk })),
            );
        }
        bundle.display().to_string()
    };
    (0..40).map(bundle).collect()
}

#[test]
fn forty_bundles_in_one_call_give_the_reports_of_forty_calls_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let rulebook = dir.path().join("fleet.yaml");
    std::fs::write(&rulebook, RULEBOOK).unwrap();
    let bundles = forty(dir.path());
    let call = |bundles: &[String]| {
        let mut args = vec!["run", "-r", rulebook.to_str().unwrap(), "--format", "json-lines"];
        args.extend(bundles.iter().map(String::as_str));
        run(&args)
    };
    let together = call(&bundles);
    assert_eq!(together.code, 1, "{}", together.stderr);
    let lines: Vec<&str> = together.stdout.lines().collect();
    assert_eq!(lines.len(), bundles.len());
    for (line, bundle) in lines.into_iter().zip(&bundles) {
        let alone = call(std::slice::from_ref(bundle));
        assert_eq!(line, alone.stdout.trim_end(), "{bundle}");
        assert_eq!(alone.code, i32::from(bundle.ends_with('3')), "{bundle}");
    }
}

#[test]
fn an_unreadable_bundle_keeps_none_of_the_others_from_being_reported() {
    let dir = tempfile::tempdir().unwrap();
    let rulebook = dir.path().join("fleet.yaml");
    std::fs::write(&rulebook, RULEBOOK).unwrap();
    let mut bundles = forty(dir.path());
    let missing = dir.path().join("missing").display().to_string();
    let damaged = dir.path().join("damaged.tar").display().to_string();
    std::fs::write(&damaged, "no archive").unwrap();
    bundles.insert(5, missing.clone());
    bundles.insert(20, damaged.clone());
    let mut args = vec!["run", "-r", rulebook.to_str().unwrap(), "--format", "json-lines"];
    args.extend(bundles.iter().map(String::as_str));
    let ran = run(&args);
    assert_eq!(ran.code, 2);
    let names: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["bundle"]["path"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let wanted: Vec<String> = (0..40).map(|number| format!("bundle-{number:02}")).collect();
    assert_eq!(names, wanted);
    assert!(
        ran.stderr.contains(&missing) && ran.stderr.contains(&damaged),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_report_on_a_fleet_is_the_same_on_one_thread() {
    let fleet = Fleet::new(broken_three);
    let paths = fleet.paths();
    let mut args = fleet.args(&paths);
    args.extend(["--format", "json"]);
    let two = run(&args).stdout;
    let one = common::casebook()
        .args(&args)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert_eq!(two, String::from_utf8(one.stdout).unwrap());
}

const PLACES: &str = r#"
casebook: 1
rulebook: pods
title: Where the proxies of many pods lie
uses: [envoy]
subjects:
  envoy.proxy: { captured: ["proxies/{namespace}/{pod}/"] }
"#;

#[test]
fn a_rulebook_can_say_where_the_subjects_of_another_lie() {
    let (Some(healthy), Some(broken)) = (
        shared("evidence/istio_healthy"),
        shared("evidence/istio_route_unknown_cluster"),
    ) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pods.yaml"), PLACES).unwrap();
    for pod in 0..200 {
        let into = dir
            .path()
            .join(format!("bundle/proxies/{}/pod-{pod:03}", ["default", "shop"][pod % 2]));
        std::fs::create_dir_all(&into).unwrap();
        let from = if [4, 11].contains(&pod) { &broken } else { &healthy };
        for name in ["server_info.json", "config_dump.json", "clusters.json"] {
            std::fs::copy(from.join(name), into.join(name)).unwrap();
        }
        if pod == 17 {
            let file = into.join("server_info.json");
            std::fs::remove_file(&file).unwrap();
            let text = std::fs::read_to_string(healthy.join("server_info.json")).unwrap();
            std::fs::write(&file, text.replace("\"LIVE\"", "\"DRAINING\"")).unwrap();
        }
    }
    let (rulebook, bundle) = (dir.path().join("pods.yaml"), dir.path().join("bundle"));
    let args = ["run", bundle.to_str().unwrap(), "-r", rulebook.to_str().unwrap()];
    let (code, report) = report(&args);
    assert_eq!(code, 1);
    let two = ["proxy/default/pod-004", "proxy/shop/pod-011"];
    assert_eq!(subjects(&report, "route-to-unknown-cluster"), two);
    let findings = report["findings"].as_array().unwrap();
    let mut named: Vec<&str> = findings
        .iter()
        .map(|finding| finding["subject"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, [two[0], two[1], "proxy/shop/pod-017"], "{:?}", codes(&report));
    let ran = run(&args);
    assert!(ran.stdout.contains("on 2 of 200"), "{}", ran.stdout);
}
