//! Whole reports, as they are printed.

#![allow(clippy::unwrap_used)]

#[path = "common/reports.rs"]
mod reports;

use casebook::report::Style;
use casebook::report::excerpt::cut_text;
use casebook::report::model::*;
use reports::*;

/// A dump as people see it, over several lines
const ROUTES: &str = r#"{
  "version_info": "2026-08-01T10:15:30Z/42",
  "routes": [
    {
      "name": "default",
      "match": { "prefix": "/" },
      "timeout": "15s"
    },
    {
      "name": "reviews:9080",
      "match": { "prefix": "/reviews" },
      "target": "outbound|9080|v3|reviews.default.svc.cluster.local",
      "timeout": "0s"
    }
  ]
}
"#;

/// A dump as machines write it, on one line
const TARGETS: &str = concat!(
    r#"{"version_info":"2026-08-01T10:15:30Z/42","targets":[{"name":"outbound|9080|v1|reviews.default.svc.cluster.local","#,
    r#""type":"EDS","connect_timeout":"10s"},{"name":"outbound|9080|v2|reviews.default.svc.cluster.local","type":"EDS","#,
    r#""connect_timeout":"10s"},{"name":"outbound|15010||control.system.svc.cluster.local","type":"STRICT_DNS"}]}"#
);

const RULEBOOK: &str = "rules:
  drain-too-long:
    title: Draining takes too long
    severity: warning
    expect: server.drain_seconds < inputs.limit
    says: draining takes ${server.drain_seconds} s
";

fn the_cause() -> Finding {
    let (routes, targets) = (document(ROUTES), document(TARGETS));
    let subject = "proxy/default/productpage-v1";
    let at = |doc, path: &[&str], file, says: &str| label(doc, node(doc, path), file, "mesh::dump", Some(says.into()));
    Finding {
        help: Some("The subset `v3` is asked for by a route and defined by no policy. Look at the policies of the host, and whether the control plane has rejected one of them.".into()),
        r#try: vec![
            words("meshctl policies --host reviews.default.svc.cluster.local -o yaml --namespace <namespace>"),
            vec!["sh".into(), "-c".into(), "grep v3 *.yaml".into()],
        ],
        fix: vec![words("meshctl policies apply -f policy.yaml")],
        docs: Some("https://example.org/rules/route-to-unknown-target".into()),
        consequences: 1,
        ..finding(
            "mesh::route-to-unknown-target",
            Severity::Error,
            subject,
            "route `reviews:9080` sends to `outbound|9080|v3|reviews.default.svc.cluster.local`, which this proxy does not have",
            vec![
                at(&routes, &["routes", "1", "target"], "proxies/default/productpage-v1/routes.json", "no target has this name"),
                at(&targets, &["targets"], "proxies/default/productpage-v1/targets.json", "the targets of this proxy"),
            ],
        )
    }
}

fn full_report() -> Report {
    let subject = "proxy/default/productpage-v1";
    let cause = the_cause();
    let routes = document(ROUTES);
    let consequence = Finding {
        explained_by: vec![cause.fingerprint.clone()],
        ..finding(
            "mesh::requests-to-unknown-target",
            Severity::Error,
            subject,
            "503s",
            vec![],
        )
    };
    let timeout = node(&routes, &["routes", "1", "timeout"]);
    let warning = finding(
        "mesh::no-timeout",
        Severity::Warning,
        subject,
        "route `reviews:9080` has no timeout",
        vec![
            label(
                &routes,
                timeout,
                "routes.json",
                "mesh::dump",
                Some("`0s` means: for ever".into()),
            ),
            label(
                &routes,
                node(&routes, &["routes", "1", "name"]),
                "routes.json",
                "mesh::dump",
                None,
            ),
        ],
    );
    let mut verdicts = vec![
        verdict("mesh::route-to-unknown-target", subject, Verdict::Fail),
        verdict("mesh::requests-to-unknown-target", subject, Verdict::Fail),
        verdict("mesh::no-timeout", subject, Verdict::Fail),
        verdict("mesh::drained", subject, Verdict::Pass),
    ];
    for rule in [
        "expired",
        "not-yet-valid",
        "weak-key",
        "wrong-name",
        "no-chain",
        "self-signed",
        "revoked",
    ] {
        let missing = vec!["certs".into()];
        verdicts.push(RuleVerdict {
            missing,
            ..verdict(&format!("mesh::certificate-{rule}"), subject, Verdict::Unknown)
        });
    }
    let reason = Some("redacted: the value of `token` was taken out before it was written".into());
    verdicts.push(RuleVerdict {
        reason,
        ..verdict("mesh::token-too-old", subject, Verdict::Unknown)
    });
    let at = RULEBOOK.find("server.drain").unwrap();
    verdicts.push(RuleVerdict {
        reason: Some("`<` compares like with like, here a string with a number".into()),
        place: Some(RulePlace {
            file: "mesh/rulebook.yaml".into(),
            line: 5,
            column: 13,
            excerpt: Some(cut_text(RULEBOOK, at..at + 35)),
        }),
        ..verdict("mesh::drain-too-long", subject, Verdict::Error)
    });
    let mut report = Report {
        summary: Summary::of(&verdicts),
        findings: vec![cause, warning, consequence],
        verdicts,
        skipped: vec![Skipped {
            rulebook: "vm".into(),
            title: Some("Proxies on virtual machines".into()),
            when: "scope::is_vm(mesh.bootstrap)".into(),
            rules: 31,
        }],
        ..empty_report()
    };
    report.bundle.captured_at_source = TimeSource::Bound;
    report.bundle.items = vec![item(
        "mesh::certs",
        "proxies/default/productpage-v1/certs.json",
        Outcome::Absent,
    )];
    report
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

#[test]
fn at_80_columns() {
    snapshot!("report-80", print(&full_report(), unicode(80)));
}

#[test]
fn at_120_columns() {
    snapshot!("report-120", print(&full_report(), unicode(120)));
}

#[test]
fn in_ascii() {
    let text = print(&full_report(), Style::default());
    assert!(text.is_ascii());
    snapshot!("report-ascii", text);
}

#[test]
fn narrated() {
    snapshot!(
        "report-narrated",
        print(
            &full_report(),
            Style {
                narrated: true,
                ..unicode(80)
            }
        )
    );
}

#[test]
fn a_clean_run_is_one_line() {
    let verdicts = vec![
        verdict("mesh::a", "bundle", Verdict::Pass),
        verdict("mesh::b", "bundle", Verdict::NotApplicable),
    ];
    let report = Report {
        summary: Summary::of(&verdicts),
        verdicts,
        ..empty_report()
    };
    insta::assert_snapshot!(print(&report, unicode(120)), @"customer.tar.gz: no findings, 1 passed, 1 not applicable; captured at 2026-08-01T10:20:00Z (from its manifest)");
}

#[test]
fn a_run_that_checked_nothing_says_so() {
    insta::assert_snapshot!(print(&empty_report(), unicode(120)), @"customer.tar.gz: nothing was checked; captured at 2026-08-01T10:20:00Z (from its manifest)");
}

#[test]
fn colours_and_links_come_only_when_asked_for() {
    let bright = print(
        &full_report(),
        Style {
            color: true,
            links: true,
            ..unicode(80)
        },
    );
    assert!(bright.contains("\u{1b}[31;1merror\u{1b}[0m mesh::route"), "{bright}");
    assert!(bright.contains("\u{1b}]8;;https://example.org/rules/route-to-unknown-target\u{1b}\\"));
    assert!(!print(&full_report(), unicode(80)).contains('\u{1b}'));
}

#[test]
fn the_same_finding_on_many_subjects_is_shown_once() {
    let subjects: Vec<_> = (0..143).map(|n| format!("proxy/default/productpage-{n:03}")).collect();
    let of = |rule: &str, subject: &String| {
        finding(rule, Severity::Error, subject, "the proxy is in state DRAINING", vec![])
    };
    let causes = subjects.iter().map(|subject| of("mesh::proxy-not-live", subject));
    let effects = subjects.iter().map(|subject| Finding {
        explained_by: vec![format!("mesh::proxy-not-live {subject}")],
        ..of("mesh::no-answer", subject)
    });
    let all: Vec<_> = (0..200).map(|n| format!("proxy/default/productpage-{n:03}")).collect();
    let verdicts: Vec<_> = all
        .iter()
        .map(|subject| verdict("mesh::proxy-not-live", subject, Verdict::Fail))
        .collect();
    let report = Report {
        findings: causes.chain(effects).collect(),
        verdicts,
        ..empty_report()
    };
    insta::assert_snapshot!(print(&report, unicode(100)), @r"
    error mesh::proxy-not-live  proxy/default/productpage-000
      the proxy is in state DRAINING
      on 143 of 200 subjects, the others: proxy/default/productpage-001, proxy/default/productpage-002,
      proxy/default/productpage-003, proxy/default/productpage-004, proxy/default/productpage-005 and
      137 more
      explains 143 consequences: mesh::no-answer (proxy/default/productpage-000,
      proxy/default/productpage-001, proxy/default/productpage-002 and 140 more)

    customer.tar.gz: captured at 2026-08-01T10:20:00Z (from its manifest)
    143 findings (143 errors), 143 consequences
    ");
}

#[test]
fn unknowns_are_grouped_by_what_is_missing() {
    let unknown = |rule: &str, subject: &str, missing: &str| RuleVerdict {
        missing: vec![missing.into()],
        reason: Some("the clause decides nothing".into()),
        ..verdict(rule, subject, Verdict::Unknown)
    };
    let verdicts = vec![
        unknown("mesh::a", "proxy/x", "certs"),
        unknown("mesh::a", "proxy/y", "certs"),
        unknown("mesh::b", "proxy/y", "mesh::certs"),
        unknown("mesh::c", "proxy/x", "mesh::log"),
        unknown("mesh::d", "proxy/x", "mesh::config"),
        unknown("mesh::e", "proxy/x", "mesh::unheard_of"),
    ];
    let of = |subject: &str, item: Item| Item {
        subject: subject.into(),
        ..item
    };
    let mut report = Report {
        summary: Summary::of(&verdicts),
        verdicts,
        ..empty_report()
    };
    report.bundle.items = vec![
        of("proxy/x", item("mesh::certs", "x/certs.json", Outcome::Denied)),
        of("proxy/y", item("mesh::certs", "y/certs.json", Outcome::Denied)),
        Item {
            truncated: true,
            duplicate_keys: Some("`name` occurs twice in line 4: the last one counts".into()),
            ..of("bundle", item("mesh::log", "log.txt", Outcome::Ok))
        },
        of("proxy/x", item("mesh::config", "x/config.json", Outcome::Ok)),
    ];
    report.bundle.captured_at_source = TimeSource::Unknown;
    insta::assert_snapshot!(print(&report, unicode(80)), @r"
    unknown: 2 rules for want of mesh::certs (denied), on 2 subjects
      mesh::a, mesh::b
      to get it: GET http://127.0.0.1:15000/mesh::certs
    unknown: mesh::c for want of log.txt (truncated), on proxy/x
      to get it: GET http://127.0.0.1:15000/mesh::log
    unknown: mesh::e for want of mesh::unheard_of, on proxy/x
    unknown: mesh::d, on proxy/x
      the clause decides nothing

    note: log.txt: `name` occurs twice in line 4: the last one counts

    customer.tar.gz: no findings, 6 unknown; capture time unknown
    ");
}

#[test]
fn waived_findings_are_told_in_a_line() {
    let waiver = Waiver {
        owner: "ada".into(),
        reason: "known until the move".into(),
        expires: Some("2027-01-31".into()),
    };
    let waived = Finding {
        waived: Some(waiver),
        ..finding("mesh::a", Severity::Critical, "proxy/x", "old", vec![])
    };
    let effect = Finding {
        explained_by: vec![waived.fingerprint.clone()],
        ..finding("mesh::b", Severity::Error, "proxy/x", "", vec![])
    };
    let verdicts = vec![verdict("mesh::a", "proxy/x", Verdict::Fail)];
    let report = Report {
        findings: vec![waived, effect],
        summary: Summary::of(&verdicts),
        verdicts,
        ..empty_report()
    };
    insta::assert_snapshot!(print(&report, unicode(120)), @r"
    waived: mesh::a (proxy/x): known until the move (ada, until 2027-01-31); explains 1 consequence

    customer.tar.gz: no findings, 1 consequence, 1 waived; captured at 2026-08-01T10:20:00Z (from its manifest)
    ");
}

#[test]
fn a_finding_whose_cause_is_missing_is_shown() {
    let lost = Finding {
        explained_by: vec!["gone".into()],
        ..finding("mesh::a", Severity::Info, "bundle", "lost", vec![])
    };
    let circle = |own: &str, other: &str| Finding {
        fingerprint: own.into(),
        explained_by: vec![other.into()],
        ..finding("mesh::b", Severity::Info, own, "in a circle", vec![])
    };
    let report = Report {
        findings: vec![lost, circle("x", "y"), circle("y", "x")],
        ..empty_report()
    };
    let text = print(&report, unicode(80));
    assert!(text.contains("lost") && text.contains("in a circle"), "{text}");
}

#[test]
fn many_places_and_many_reasons_do_not_flood_the_screen() {
    let doc = document(&format!("[{}]", ["{\n\"name\": \"x\"\n}"; 40].join(",\n\n\n\n\n")));
    let labels = doc
        .children(doc.root())
        .map(|id| label(&doc, id, "a.json", "mesh::a", None))
        .collect();
    let flood = finding("mesh::flood", Severity::Warning, "bundle", "forty of them", labels);
    let verdicts: Vec<_> = (0..40)
        .map(|n| RuleVerdict {
            reason: Some(format!("reason {n}")),
            ..verdict("mesh::a", "bundle", Verdict::Unknown)
        })
        .collect();
    let text = print(
        &Report {
            findings: vec![flood],
            verdicts,
            ..empty_report()
        },
        unicode(80),
    );
    assert!(text.contains("and 35 more"), "{text}");
    assert!(text.lines().count() < 80, "{text}");
}
