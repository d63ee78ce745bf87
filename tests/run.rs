//! `casebook run`, through the binary.

#![allow(clippy::unwrap_used)] // a test that unwraps nothing has failed

mod common;

use common::{codes, folder, report, run, shared, verdict};

const EXAMPLE: &str = "examples/route-to-unknown-cluster";

fn bundle(name: &str) -> Option<String> {
    shared(&format!("evidence/{name}")).map(|path| path.display().to_string())
}

#[test]
fn the_example_fails_first_for_its_cause_and_says_where() {
    let (code, report) = report(&["run", EXAMPLE]);
    assert_eq!(code, 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "envoy::route-to-unknown-cluster");
    assert!(finding["refs"].as_array().unwrap().contains(&"X-53".into()));
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("outbound|9080|v2|reviews"),
        "{finding}"
    );
    let text = std::fs::read_to_string(format!("{EXAMPLE}/config_dump.json")).unwrap();
    for label in finding["labels"].as_array().unwrap() {
        let (start, end) = (
            label["start"].as_u64().unwrap() as usize,
            label["end"].as_u64().unwrap() as usize,
        );
        let line = text[..start].matches('\n').count() + 1;
        assert_eq!(label["line"].as_u64().unwrap() as usize, line);
        assert!(text[start..end].starts_with(&label["text"].as_str().unwrap()[..10]));
    }
    assert!(finding["labels"].as_array().unwrap().len() >= 2);
}

#[test]
fn a_real_bundle_names_the_route_the_cluster_and_where_clusters_were_looked_for() {
    let Some(path) = bundle("istio_route_unknown_cluster") else {
        return;
    };
    let (code, report) = report(&["run", &path]);
    assert_eq!(code, 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "envoy::route-to-unknown-cluster");
    let labels = finding["labels"].as_array().unwrap();
    let paths: Vec<&str> = labels.iter().map(|label| label["path"].as_str().unwrap()).collect();
    assert!(
        paths
            .iter()
            .any(|path| path.contains("route_config") && path.ends_with("['cluster']")),
        "{paths:?}"
    );
    assert!(
        labels
            .iter()
            .any(|label| label["text"].as_str().unwrap().contains("ClustersConfigDump")),
        "{labels:?}"
    );
}

#[test]
fn healthy_bundles_have_no_finding() {
    for name in [
        "istio_healthy",
        "istio_healthy_past_nack",
        "istio_mtls_healthy",
        "csm_healthy",
    ] {
        let Some(path) = bundle(name) else { return };
        let (code, report) = report(&["run", &path]);
        assert_eq!((code, codes(&report)), (0, Vec::new()), "{name}");
    }
}

/// A pass that rests on damaged evidence would be a lie.
fn nothing_passes(report: &serde_json::Value, item: &str) {
    let verdicts = report["verdicts"].as_array().unwrap();
    let passes: Vec<_> = verdicts.iter().filter(|verdict| verdict["verdict"] == "pass").collect();
    assert!(passes.is_empty(), "{passes:?}");
    let reasons: Vec<&str> = verdicts
        .iter()
        .filter_map(|verdict| verdict["reason"].as_str())
        .collect();
    assert!(reasons.iter().any(|reason| reason.contains(item)), "{reasons:?}");
}

#[test]
fn an_empty_folder_passes_nothing() {
    let dir = folder(&[]);
    let (code, report) = report(&["run", dir.path().to_str().unwrap()]);
    assert_eq!(code, 0);
    nothing_passes(&report, "");
    assert_eq!(
        report["summary"]["unknown"],
        report["verdicts"].as_array().unwrap().len()
    );
}

#[test]
fn a_truncated_dump_passes_nothing_and_says_so() {
    let text = std::fs::read(format!("{EXAMPLE}/config_dump.json")).unwrap();
    let dir = folder(&[("config_dump.json", &text[..text.len() / 2])]);
    let (_, report) = report(&["run", dir.path().to_str().unwrap()]);
    nothing_passes(&report, "`config_dump.json` cannot be read as JSON");
}

#[test]
fn html_instead_of_a_dump_passes_nothing_and_says_so() {
    let dir = folder(&[("config_dump.json", b"<html><body>502 Bad Gateway</body></html>")]);
    let (_, report) = report(&["run", dir.path().to_str().unwrap()]);
    nothing_passes(&report, "looks like HTML");
}

#[test]
fn a_strict_run_of_undecided_rules_ends_with_4() {
    let dir = folder(&[]);
    assert_eq!(run(&["run", dir.path().to_str().unwrap(), "--strict"]).code, 4);
}

#[test]
fn a_limit_above_the_gravest_finding_ends_with_0() {
    assert_eq!(
        run(&[
            "run",
            EXAMPLE,
            "--fail-on",
            "critical",
            "--rule",
            "route-to-unknown-cluster"
        ])
        .code,
        0
    );
}

#[test]
fn one_rule_can_be_picked() {
    let (_, report) = report(&["run", EXAMPLE, "--rule", "route-to-*"]);
    assert!(
        report["verdicts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|verdict| verdict["rule"].as_str().unwrap().starts_with("route-to-"))
    );
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_do() {
    for (args, wanted) in [
        (vec!["run", "no/such/folder"], "cannot open the bundle"),
        (
            vec!["run", EXAMPLE, "--set", "warming_grase=1s"],
            "did you mean `warming_grace`?",
        ),
        (
            vec!["run", EXAMPLE, "--set", "warming_grace=soon"],
            "is not a length of time",
        ),
        (
            vec!["run", EXAMPLE, "--rule", "rout-to-unknown-cluster"],
            "did you mean `route-to-unknown-cluster`?",
        ),
        (vec!["run", EXAMPLE, "-r", "no/such/rulebook"], "no/such/rulebook"),
        (vec!["run", EXAMPLE, "--captured-at", "yesterday"], "captured-at"),
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn the_report_is_the_same_whatever_the_folder_and_the_threads() {
    let copy = tempfile::tempdir().unwrap();
    let bundle = copy.path().join("route-to-unknown-cluster");
    std::fs::create_dir(&bundle).unwrap();
    for entry in std::fs::read_dir(EXAMPLE).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), bundle.join(entry.file_name())).unwrap();
    }
    let first = run(&["run", EXAMPLE, "--format", "json"]).stdout;
    let again = common::casebook()
        .args(["run", bundle.to_str().unwrap(), "--format", "json"])
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert_eq!(first, String::from_utf8(again.stdout).unwrap());
}

#[test]
fn a_report_can_be_written_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let ran = run(&["run", EXAMPLE, "--format", "json", "--output", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(report["schema"], "casebook/report/v1");
}

#[test]
fn the_capture_time_is_a_bound_unless_it_is_told() {
    let (_, report_bound) = report(&["run", EXAMPLE]);
    assert_eq!(report_bound["bundle"]["captured_at_source"], "bound");
    let (_, report_told) = report(&["run", EXAMPLE, "--captured-at", "2026-11-22T11:31:06Z"]);
    assert_eq!(report_told["bundle"]["captured_at_source"], "option");
    assert_eq!(report_told["bundle"]["captured_at"], "2026-11-22T11:31:06Z");
}

/// One line of 20 MB with a finding in its middle: quick to show, and short.
#[test]
fn a_finding_in_one_endless_line_stays_short() {
    let seed: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{EXAMPLE}/config_dump.json")).unwrap()).unwrap();
    let mut grown = seed.clone();
    for section in grown["configs"].as_array_mut().unwrap() {
        if let Some(clusters) = section
            .get_mut("dynamic_active_clusters")
            .and_then(|list| list.as_array_mut())
        {
            let first = clusters[0].clone();
            clusters.extend((0..20_000).map(|at| {
                let mut copy = first.clone();
                copy["cluster"]["name"] = format!("copy-{at}").into();
                copy
            }));
        }
    }
    let text = serde_json::to_vec(&grown).unwrap();
    let dir = folder(&[("config_dump.json", &text)]);
    let ran = run(&[
        "run",
        dir.path().to_str().unwrap(),
        "--rule",
        "route-to-unknown-cluster",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.len() < 8_000, "{} bytes:\n{}", ran.stdout.len(), ran.stdout);
}

#[test]
fn what_broke_is_an_error_and_the_other_rules_go_on() {
    let dir = folder(&[(
        "rulebook.yaml",
        br#"
casebook: 1
rulebook: loops
title: Rules that break
probes:
  data: { captured: [data.json], parse: json }
rules:
  endless: { title: Endless, severity: error, expect: "{ let n = 0; loop { n += 1; } data.a == n }" }
  growing: { title: Growing, severity: error, expect: "{ let a = [data.a]; loop { a += a; } true }" }
  doubling: { title: Doubling, severity: error, expect: "{ let a = [data.a]; loop { a = [a, a]; } true }" }
  sorting: { title: Sorting, severity: error, expect: "{ let a = [3, 2, data.a]; a.sort(|x, y| x.nothing > 1); true }" }
  unlike: { title: Unlike, severity: error, expect: 'data.a == "1"' }
  fine: { title: Fine, severity: error, expect: data.a == 1 }
"#,
    )]);
    let evidence = folder(&[("data.json", br#"{"a": 1}"#)]);
    let rulebook = dir.path().to_str().unwrap();
    let (code, report) = report(&["run", evidence.path().to_str().unwrap(), "-r", rulebook]);
    assert_eq!(code, 4);
    for rule in ["endless", "growing", "doubling", "sorting", "unlike"] {
        let (verdict, reason) = verdict(&report, rule);
        assert_eq!(verdict, "error", "{rule}: {reason}");
        let broken = report["verdicts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|v| v["rule"] == rule)
            .unwrap();
        assert!(broken["place"]["line"].as_u64().unwrap() >= 8, "{broken}");
    }
    assert_eq!(verdict(&report, "fine").0, "pass");
}

/// What a person sees.
#[test]
fn the_example_reads_well_at_80_columns() {
    let ran = run(&["run", EXAMPLE, "--rulebook", "envoy", "--width", "80"]);
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings
    };
    settings.bind(|| insta::assert_snapshot!("example-80-columns", ran.stdout));
}

#[test]
fn the_width_is_kept_and_nothing_raw_reaches_a_pipe() {
    for width in ["80", "120"] {
        let ran = run(&["run", EXAMPLE, "--width", width]);
        let columns: usize = width.parse().unwrap();
        // The name of a subject is never broken, so that it can be copied.
        let long: Vec<&str> = ran
            .stdout
            .lines()
            .filter(|line| line.chars().count() > columns && !line.starts_with("  proxy/"))
            .collect();
        assert!(long.is_empty(), "{long:#?}");
        assert!(!ran.stdout.contains('\u{1b}'));
        let ascii = run(&["run", EXAMPLE, "--width", width, "--ascii"]);
        let drawn: Vec<char> = ascii
            .stdout
            .chars()
            .filter(|c| ('\u{2500}'..='\u{257f}').contains(c))
            .collect();
        assert!(drawn.is_empty(), "{drawn:?}");
    }
}

#[test]
fn a_bound_on_items_can_be_set_and_what_breaks_it_is_unknown() {
    let (code, report) = report(&["run", EXAMPLE, "--max-item", "10KB"]);
    assert_eq!(code, 0);
    let (verdict, reason) = verdict(&report, "route-to-unknown-cluster");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("config_dump.json"), "{reason}");
    assert_eq!(run(&["run", EXAMPLE, "--max-item", "lots"]).code, 2);
}

/// Rules over a listing of the packet filter, a log and statistics, none of which is JSON.
const TEXTS: &str = r#"
casebook: 1
rulebook: own
title: Own
probes:
  listing: { captured: [iptables-t-nat-S.txt], parse: { iptables: { table: nat } } }
  log: { captured: [envoy.err.log], parse: { lines: { fields: '^(?<time>\S+)\t(?<level>\w+)\t(?<text>.*)$' } } }
  stats: { captured: [stats.txt], parse: { key-value: {} } }
facts:
  returned: { from: listing, all: "$.nat.ISTIO_INBOUND.rules[?@.target=='RETURN' && @.destination_port]" }
  rejected: { from: log, all: "$[?search(@.text, 'rejected: Invalid duration')]" }
  rejections: { from: stats, one: "$['cluster_manager.cds.update_rejected']" }
rules:
  returned: { title: A port is not redirected, severity: error, forbid: { rule: returned }, key: rule.destination_port, at: rule.destination_port }
  rejected: { title: Configuration was rejected, severity: error, forbid: { row: rejected }, at: row.level }
  rejections: { title: Configuration was rejected, severity: error, expect: int(rejections) == 0, at: rejections }
"#;

#[test]
fn a_listing_a_log_and_statistics_are_labelled_at_their_exact_bytes() {
    let Some(path) = bundle("istio_cds_nack_validation") else {
        return;
    };
    let dir = folder(&[("own.yaml", TEXTS.as_bytes())]);
    let book = dir.path().join("own.yaml");
    let (code, report) = report(&["run", &path, "-r", book.to_str().unwrap()]);
    assert_eq!(code, 1, "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    for (rule, file, words, line) in [
        (
            "returned",
            "iptables-t-nat-S.txt",
            "15008",
            "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN",
        ),
        ("rejected", "envoy.err.log", "warning", "rejected: Invalid duration"),
        ("rejections", "stats.txt", "1", "cluster_manager.cds.update_rejected: 1"),
    ] {
        let mut of_rule = findings.iter().filter(|finding| finding["rule"] == rule);
        let label = &of_rule.next().unwrap()["labels"][0];
        let text = std::fs::read_to_string(std::path::Path::new(&path).join(file)).unwrap();
        let number = |name: &str| usize::try_from(label[name].as_u64().unwrap()).unwrap();
        assert_eq!(label["evidence"], file);
        assert_eq!(&text[number("start")..number("end")], words, "{rule}");
        let labelled = text.lines().nth(number("line") - 1).unwrap();
        assert!(labelled.contains(line), "{rule}: {labelled}");
        let column = labelled.chars().skip(number("column") - 1).collect::<String>();
        assert!(column.starts_with(words), "{rule}: {column}");
    }
}
