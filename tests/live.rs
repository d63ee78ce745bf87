//! `casebook run --live`: a capture, then the same evaluation as of any bundle.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{codes, folder, report, run, verdict};
use serde_json::Value;
use servers::{answer, pages, server};

const SHOP: &str = r#"
casebook: 1
rulebook: shop
title: The shop
inputs:
  base: { about: Where the shop is., is: text, default: "http://127.0.0.1:1" }
subjects:
  server:
    captured: ["servers/{zone}/{host}/"]
    live: { each: { s: servers }, names: { zone: s.zone, host: s.host } }
    group: ${subject.zone}
probes:
  inventory: { http: "${inputs.base}/servers", captured: [inventory.json], parse: json }
  info: { per: server, http: "${inputs.base}/info/${subject.host}", captured: [info.json], parse: json }
  load: { per: server, exec: [echo, '{"host":"${subject.host}","role":"${role}"}'], captured: [load.json], parse: json }
facts:
  servers: { from: inventory, all: "$[*]" }
  role: { from: info, one: $.role }
  state: { from: info, one: $.state }
rules:
  server-down: { title: A server is down, severity: error, expect: state == "LIVE", at: state, says: "`${subject.host}` is ${state}" }
  role-known: { title: No role, severity: warning, expect: 'load.role == role' }
  many: { title: Few servers, severity: info, expect: servers.len() > 1 }
"#;

const PAGES: &[(&str, &str)] = &[
    (
        "/servers",
        r#"[{"zone":"eu","host":"a"},{"zone":"eu","host":"b c"},{"zone":"us","host":"d"}]"#,
    ),
    ("/info/a", r#"{"state":"LIVE","role":"web"}"#),
    ("/info/b%20c", r#"{"state":"DOWN","role":"db"}"#),
];

struct Shop {
    _book: tempfile::TempDir,
    dir: tempfile::TempDir,
    book: String,
    base: String,
    allow: String,
}

fn shop() -> Shop {
    let (port, _) = pages(PAGES);
    let book = folder(&[("shop.yaml", SHOP.as_bytes())]);
    Shop {
        book: book.path().join("shop.yaml").display().to_string(),
        _book: book,
        dir: tempfile::tempdir().unwrap(),
        base: format!("base=http://127.0.0.1:{port}"),
        allow: format!("exec=echo,http=127.0.0.1:{port}"),
    }
}

impl Shop {
    fn live(&self) -> Vec<&str> {
        vec![
            "run",
            "--live",
            "-r",
            &self.book,
            "--set",
            &self.base,
            "--allow",
            &self.allow,
        ]
    }
}

#[test]
fn subjects_are_found_in_evidence_and_words_read_more_of_it() {
    let shop = shop();
    let (code, report) = report(&shop.live());
    assert_eq!(code, 1);
    assert_eq!(codes(&report), ["shop::server-down"]);
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["subject"], &finding["message"]),
        (&"server/eu/b c".into(), &"`b c` is DOWN".into())
    );
    let verdicts = report["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["rule"] == "role-known");
    let verdicts: Vec<_> = verdicts
        .map(|verdict| {
            (
                verdict["subject"].as_str().unwrap(),
                verdict["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ("server/eu/a", "pass"),
            ("server/eu/b c", "pass"),
            ("server/us/d", "unknown")
        ]
    );
    let d = report["bundle"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["path"] == "servers/us/d/load.json")
        .unwrap();
    assert_eq!(d["outcome"], "not-run");
    assert!(d["detail"].as_str().unwrap().contains("HTTP 404"), "{d}");
}

#[test]
fn a_replayed_bundle_gives_the_same_report_byte_for_byte() {
    let shop = shop();
    for (format, threads) in [("json", "1"), ("json", "2"), ("terminal", "2")] {
        for name in ["b", "b.tar.zst"] {
            let kept = shop.dir.path().join(format!("{format}{threads}{name}"));
            let kept = kept.to_str().unwrap();
            let mut live = shop.live();
            live.extend(["--keep", kept, "--format", format]);
            let ran = |args: &[&str]| {
                let output = common::casebook()
                    .args(args)
                    .env("RAYON_NUM_THREADS", threads)
                    .output()
                    .unwrap();
                (output.status.code(), String::from_utf8(output.stdout).unwrap())
            };
            let (live, replayed) = (ran(&live), ran(&["run", kept, "-r", &shop.book, "--format", format]));
            assert_eq!(live, replayed);
            assert_eq!(live.0, Some(1));
        }
    }
}

#[test]
fn without_keep_nothing_is_left_behind() {
    let shop = shop();
    let before = fs::read_dir(shop.dir.path()).unwrap().count();
    let output = common::casebook()
        .args(shop.live())
        .current_dir(shop.dir.path())
        .env("TMPDIR", shop.dir.path())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(fs::read_dir(shop.dir.path()).unwrap().count(), before);
}

#[test]
fn what_is_not_allowed_is_denied_and_decides_nothing() {
    let shop = shop();
    let mut args = shop.live();
    args.truncate(6);
    let (code, report) = report(&args);
    assert_eq!(code, 0);
    let (verdict, reason) = verdict(&report, "many");
    assert_eq!(verdict, "unknown");
    assert!(
        reason.contains("denied") && reason.contains("--allow http=127.0.0.1:"),
        "{reason}"
    );
}

/// A counter that grows with every request.
#[test]
fn what_is_taken_again_is_compared_with_the_first() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let port = server(move |_, stream| {
        let now = count.fetch_add(5, std::sync::atomic::Ordering::SeqCst);
        answer(stream, "200 OK", "", format!("{{\"errors\":{now}}}").as_bytes());
    });
    let book = folder(&[(
        "r.yaml",
        format!(
            "casebook: 1\nrulebook: r\ntitle: T\nprobes:\n  stats: {{ http: 'http://127.0.0.1:{port}/', captured: [stats.json], parse: json, again: 300ms }}\n\
             facts:\n  errors: {{ from: stats, one: $.errors }}\n\
             rules:\n  grows: {{ title: Errors grow, severity: error, expect: errors == before.errors, at: errors, says: 'from ${{before.errors}} to ${{errors}}' }}\n"
        )
        .as_bytes(),
    )]);
    let (dir, book) = (tempfile::tempdir().unwrap(), book.path().join("r.yaml"));
    for name in ["b", "b.tar.gz"] {
        let kept = dir.path().join(name);
        let args = [
            "run",
            "--live",
            "-r",
            book.to_str().unwrap(),
            "--allow",
            "http=127.0.0.1:*",
            "--keep",
            kept.to_str().unwrap(),
        ];
        let (_, live) = report(&args);
        let message = live["findings"][0]["message"].as_str().unwrap();
        assert!(["from 0 to 5", "from 10 to 15"].contains(&message), "{message}");
        let (_, replayed) = report(&["run", kept.to_str().unwrap(), "-r", book.to_str().unwrap()]);
        assert_eq!(live, replayed);
        assert_eq!(run(&["verify", kept.to_str().unwrap()]).code, 0);
    }
}

#[test]
fn a_way_that_another_rulebook_adds_is_tried_first() {
    let base = "casebook: 1\nrulebook: base\ntitle: T\nprobes:\n  it: { exec: [echo, own], captured: [it.txt], parse: raw }\n\
                rules:\n  own: { title: T, severity: error, expect: '\"own\" in it', at: it }\n";
    let more = |way: &str| {
        format!(
            "casebook: 1\nrulebook: more\ntitle: T\nuses: [base]\nprobes:\n  base.it: {{ exec: {way} }}\n\
             rules:\n  added: {{ title: T, severity: error, expect: '\"added\" in base.it', at: base.it }}\n"
        )
    };
    for (way, expected) in [
        ("[echo, added]", "base::own"),
        ("[no-such-program-anywhere]", "more::added"),
        ("['false']", "more::added"),
    ] {
        let book = folder(&[("base.yaml", base.as_bytes()), ("more.yaml", more(way).as_bytes())]);
        let args = [
            "run",
            "--live",
            "-r",
            &book.path().join("more.yaml").display().to_string(),
            "--allow",
            "exec=**",
        ];
        let (_, report) = report(&args);
        assert_eq!(codes(&report), [expected], "{way}");
    }
}

#[cfg(unix)]
fn interrupted(args: &[&str], dir: &Path) -> (i32, String) {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("casebook"));
    let child = command
        .args(args)
        .current_dir(dir)
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !dir.join("begun").exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[cfg(unix)]
#[test]
fn what_was_gathered_before_an_interruption_is_kept() {
    let text = "casebook: 1\nrulebook: r\ntitle: T\nprobes:\n  a: { exec: [echo, one], captured: [a.txt], parse: raw }\n\
                \x20 b: { exec: [sh, -c, 'touch begun; sleep 60; touch late'], captured: [b.txt], parse: raw }\n\
                \x20 c: { exec: [echo, '${b}'], captured: [c.txt], parse: raw }\n\
                rules:\n  r: { title: T, severity: error, expect: '[known(a), known(b), known(c)].all(|it| it)' }\n";
    for bundle in ["b", "b.tar.zst"] {
        let dir = folder(&[("r.yaml", text.as_bytes())]);
        let started = Instant::now();
        let args = ["capture", "-r", "r.yaml", "-o", bundle, "--allow", "exec=**"];
        let (code, stderr) = interrupted(&args, dir.path());
        assert!(started.elapsed() < Duration::from_secs(40));
        assert_eq!(code, 130, "{stderr}");
        assert!(stderr.contains("interrupted: 1 of 3 items gathered"), "{stderr}");
        let at = dir.path().join(bundle);
        let ran = run(&["verify", at.to_str().unwrap()]);
        assert!(
            ran.stdout.contains("the capture did not come to its end")
                && ran.stdout.contains("1 intact, 2 not gathered"),
            "{}",
            ran.stdout
        );
        let (_, report) = report(&[
            "run",
            at.to_str().unwrap(),
            "-r",
            dir.path().join("r.yaml").to_str().unwrap(),
        ]);
        assert_eq!(report["bundle"]["complete"], false);
        let outcomes: Vec<&Value> = report["bundle"]["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["outcome"])
            .collect();
        assert_eq!(outcomes, ["ok", "not-run", "not-run"]);
        assert!(!dir.path().join("late").exists());
    }
}

#[test]
fn the_time_for_all_probes_together_is_kept() {
    let text = "casebook: 1\nrulebook: r\ntitle: T\nprobes:\n  a: { exec: [echo, one], captured: [a.txt], parse: raw }\n\
                \x20 b: { exec: [sleep, '60'], captured: [b.txt], parse: raw }\n\
                \x20 c: { exec: [echo, '${b}'], captured: [c.txt], parse: raw, again: 30s }\n\
                rules:\n  r: { title: T, severity: error, expect: '[known(a), known(b), known(c)].all(|it| it)' }\n";
    let book = folder(&[("r.yaml", text.as_bytes())]);
    let book = book.path().join("r.yaml");
    let started = Instant::now();
    let args = [
        "run",
        "--live",
        "-r",
        book.to_str().unwrap(),
        "--allow",
        "exec=**",
        "--total-time",
        "1s",
    ];
    let (_, report) = report(&args);
    assert!(started.elapsed() < Duration::from_secs(40));
    let items: Vec<_> = report["bundle"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(items, ["ok", "timed-out", "not-run"]);
    assert_eq!(report["bundle"]["complete"], false);
}

/// Programs of the tests' own that print the environment they see, in place of those of the cloud.
#[cfg(unix)]
#[test]
fn the_tools_that_a_shipped_rulebook_calls_see_what_they_are_set_up_with() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[
        ("bin/gcloud", b"#!/bin/sh\nexec env\n"),
        ("bin/kubectl", b"#!/bin/sh\nexec env\n"),
    ]);
    for tool in ["bin/gcloud", "bin/kubectl"] {
        fs::set_permissions(dir.path().join(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let seen = [
        ("HOME", "/home/anna"),
        ("CLOUDSDK_CONFIG", "/home/anna/gcloud"),
        ("CLOUDSDK_CORE_PROJECT", "shop"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/anna/key.json"),
        ("USE_GKE_GCLOUD_AUTH_PLUGIN", "True"),
        ("KUBECONFIG", "/home/anna/kube"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("no_proxy", "localhost"),
    ];
    let path = format!(
        "{}:{}",
        dir.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let bundle = dir.path().join("b");
    let output = common::casebook()
        .args([
            "capture",
            "-r",
            "csm",
            "--set",
            "instance=i",
            "--set",
            "zone=z",
            "--set",
            "project=p",
            "-o",
        ])
        .arg(&bundle)
        .args(["--rule", "agent-silent", "--rule", "injector-misconfigured"])
        .env("PATH", &path)
        .envs(seen)
        .env("APP_MODE", "fast")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let manifest: Value = serde_json::from_slice(&fs::read(bundle.join("casebook.json")).unwrap()).unwrap();
    for tool in ["gcloud ", "kubectl "] {
        let items = manifest["items"].as_array().unwrap().iter();
        let mut items = items.filter(|item| item["origin"].as_str().is_some_and(|origin| origin.starts_with(tool)));
        let item = items
            .find(|item| item["outcome"] == "ok")
            .unwrap_or_else(|| panic!("{tool}: {manifest:#}"));
        let text = fs::read_to_string(bundle.join(item["path"].as_str().unwrap())).unwrap();
        for (name, value) in seen {
            assert!(text.contains(&format!("{name}={value}\n")), "{tool}: {name}: {text}");
        }
        assert!(
            text.contains(&format!("PATH={path}\n")) && !text.contains("APP_MODE"),
            "{text}"
        );
    }
}
