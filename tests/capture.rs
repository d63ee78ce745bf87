//! `casebook capture`: what each kind of probe gives, what goes wrong with it, and what becomes of the bundle.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Ran, folder, run};
use serde_json::Value;
use servers::{answer, closed_port, pages, server};

/// A rulebook with one probe of each given id, and a rule that needs them all.
fn rulebook(probes: &[(&str, &str)]) -> tempfile::TempDir {
    let listed: String = probes
        .iter()
        .map(|(id, probe)| format!("  {id}: {{ {probe} }}\n"))
        .collect();
    let known: Vec<String> = probes.iter().map(|(id, _)| format!("known({id})")).collect();
    let text = format!(
        "casebook: 1\nrulebook: r\ntitle: T\ninputs:\n  at: {{ about: Where., is: text, default: none }}\n  unset: {{ about: U., is: text }}\n\
         probes:\n{listed}rules:\n  all: {{ title: T, severity: error, expect: '{}' }}\n",
        known.join(" && ")
    );
    folder(&[("r.yaml", text.as_bytes())])
}

/// Captures with all that probes of these tests do allowed.
fn capture(rulebook: &Path, out: &Path, more: &[&str]) -> Ran {
    let book = rulebook.join("r.yaml");
    let mut args = vec!["capture", "-r", book.to_str().unwrap(), "-o", out.to_str().unwrap()];
    args.extend(["--allow", "exec=**,http=**,tcp=**,dns=**,tls=**", "--allow", "file=/**"]);
    args.extend(more);
    run(&args)
}

/// The manifest's items by the last part of their probe's code.
fn items(bundle: &Path) -> std::collections::BTreeMap<String, Value> {
    let manifest: Value = serde_json::from_slice(&fs::read(bundle.join("casebook.json")).unwrap()).unwrap();
    let items = manifest["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["probe"].as_str().unwrap().replace("r::", ""), item.clone()))
        .collect()
}

/// Captures one probe; its item and its bytes.
fn one(probe: &str, more: &[&str]) -> (Value, Option<String>) {
    let (book, out) = (rulebook(&[("it", probe)]), tempfile::tempdir().unwrap());
    let bundle = out.path().join("b");
    let ran = capture(book.path(), &bundle, more);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let item = items(&bundle).remove("it").unwrap();
    let bytes = fs::read_to_string(bundle.join(item["path"].as_str().unwrap())).ok();
    (item, bytes)
}

fn get(port: u16, path: &str) -> String {
    format!("http: 'http://127.0.0.1:{port}{path}', parse: raw")
}

/// A command of the test's own, run by the shell: the probe itself knows no shell.
fn sh(script: &str) -> String {
    format!("exec: [sh, -c, '{script}'], parse: raw")
}

fn outcome(item: &Value) -> (&str, &str) {
    (
        item["outcome"].as_str().unwrap(),
        item["reason"].as_str().unwrap_or_default(),
    )
}

#[test]
fn a_page_is_kept_as_it_came() {
    let (port, asked) = pages(&[("/status?full", "{\"up\":true}")]);
    let (item, bytes) = one(
        &format!("http: {{ get: 'http://127.0.0.1:{port}/status?full', headers: {{ X-Who: me }} }}, parse: json"),
        &[],
    );
    assert_eq!((outcome(&item), bytes.unwrap().as_str()), (("ok", ""), "{\"up\":true}"));
    assert_eq!(item["http"], 200);
    assert_eq!(item["path"], "r.it.json");
    assert_eq!(
        item["origin"],
        format!("GET http://127.0.0.1:{port}/status?full (with X-Who)")
    );
    let asked = asked.lock().unwrap();
    let [head] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(
        head.starts_with("GET /status?full HTTP/1.1\r\n") && head.to_lowercase().contains("x-who: me"),
        "{head}"
    );
}

#[test]
fn what_a_server_refuses_is_told_by_its_status() {
    for (status, expected) in [
        ("401 Unauthorized", "denied"),
        ("403 Forbidden", "denied"),
        ("404 Not Found", "absent"),
        ("500 Internal Server Error", "failed"),
        ("503 Service Unavailable", "failed"),
    ] {
        let port = server(move |_, stream| answer(stream, status, "", b"\n  because\nmore"));
        let (item, bytes) = one(&get(port, "/"), &[]);
        assert_eq!(outcome(&item), (expected, format!("HTTP {status}: because").as_str()));
        assert_eq!((item["http"].to_string().as_str(), bytes), (&status[..3], None));
    }
}

#[test]
fn servers_that_do_not_answer_are_told_apart() {
    let (item, _) = one(&get(closed_port(), "/"), &[]);
    assert_eq!(outcome(&item), ("unreachable", "connection refused"));
    let (item, _) = one("http: 'http://no-such-host.invalid/', parse: raw", &[]);
    assert_eq!(outcome(&item), ("unreachable", "the name of the host does not resolve"));
    let silent = server(|_, _| std::thread::sleep(Duration::from_secs(60)));
    let (item, _) = one(&get(silent, "/"), &["--probe-time", "300ms"]);
    assert_eq!(outcome(&item).0, "timed-out");
    let stalled = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
        std::thread::sleep(Duration::from_secs(60));
    });
    let (item, bytes) = one(&get(stalled, "/"), &["--probe-time", "300ms"]);
    assert_eq!((outcome(&item).0, bytes), ("timed-out", None));
}

#[test]
fn an_answer_that_breaks_off_is_no_evidence() {
    let cut = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    });
    let (item, bytes) = one(&get(cut, "/"), &[]);
    assert_eq!((outcome(&item).0, bytes), ("failed", None));
    assert!(outcome(&item).1.starts_with("after 9 bytes of the answer: "), "{item}");
    let chunked = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe");
    });
    let (item, bytes) = one(&get(chunked, "/"), &[]);
    assert_eq!((outcome(&item).0, bytes), ("failed", None));
}

#[test]
fn an_endless_answer_is_cut_at_the_limit() {
    let endless = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let (item, bytes) = one(&format!("{}, limit: 100KB", get(endless, "/")), &[]);
    let why = "more than 100000 bytes, of which a part was kept (--probe-limit)";
    assert_eq!((outcome(&item), bytes.unwrap().len()), (("ok", why), 100_000));
    assert_eq!(item["truncated"], true);
}

#[test]
fn redirects_stay_within_what_is_allowed() {
    let (elsewhere, asked) = pages(&[("/there", "elsewhere")]);
    let port = server(move |head, stream| match head.split(' ').nth(1) {
        Some("/near") => answer(stream, "302 Found", "Location: /page\r\n", b""),
        Some("/far") => answer(
            stream,
            "302 Found",
            &format!("Location: http://127.0.0.1:{elsewhere}/there\r\n"),
            b"",
        ),
        Some("/round") => answer(stream, "302 Found", "Location: /round\r\n", b""),
        _ => answer(stream, "200 OK", "", b"page"),
    });
    assert_eq!(one(&get(port, "/near"), &[]).1.unwrap(), "page");
    assert_eq!(
        outcome(&one(&get(port, "/round"), &[]).0),
        ("failed", "more than 5 redirects")
    );
    let book = rulebook(&[("it", &get(port, "/far"))]);
    let book = book.path().join("r.yaml");
    let far = |allow: &str, out: &str| {
        let out = tempfile::tempdir().unwrap().path().join(out);
        run(&[
            "capture",
            "-r",
            book.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
            "--allow",
            allow,
        ]);
        let item = items(&out).remove("it").unwrap();
        fs::remove_dir_all(out).unwrap();
        item
    };
    let item = far(&format!("http=127.0.0.1:{port}"), "a");
    assert_eq!(outcome(&item).0, "denied");
    assert!(
        outcome(&item).1.contains("outside the plan") && asked.lock().unwrap().is_empty(),
        "{item}"
    );
    assert_eq!(
        outcome(&far(&format!("http=127.0.0.1:{port},127.0.0.1:{elsewhere}"), "b")).0,
        "ok"
    );
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_asked_like_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = servers::head(&mut stream);
            answer(
                &mut stream,
                "200 OK",
                "",
                head.lines().next().unwrap_or_default().as_bytes(),
            );
        }
    });
    let socket = path.to_str().unwrap().replace('/', "%2F");
    let (item, bytes) = one(&format!("http: 'http+unix://{socket}/status', parse: raw"), &[]);
    assert_eq!(
        (outcome(&item), bytes.unwrap().as_str()),
        (("ok", ""), "GET /status HTTP/1.1")
    );
    let (item, _) = one("http: 'http+unix://%2Fno%2Fsuch.sock/', parse: raw", &[]);
    assert_eq!(outcome(&item), ("unreachable", "there is no such socket"));
}

#[test]
fn a_command_has_no_shell_no_input_and_few_variables() {
    let (item, bytes) = one("exec: [echo, '$HOME', '*', 'a b;c'], parse: raw", &[]);
    assert_eq!((outcome(&item).0, bytes.unwrap().as_str()), ("ok", "$HOME * a b;c\n"));
    assert_eq!(item["exit"], 0);
    let (_, bytes) = one("exec: [cat], parse: raw", &[]);
    assert_eq!(bytes.unwrap(), "");
    let book = rulebook(&[("it", "exec: [env], parse: raw")]);
    let env = |more: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let (book, out) = (book.path().join("r.yaml"), dir.path().join("b"));
        let mut command = common::casebook();
        command.args([
            "capture",
            "--allow",
            "exec=env",
            "-r",
            book.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
        ]);
        command
            .args(more)
            .env("APP_MODE", "fast")
            .env("OTHER", "x")
            .env("LANG", "de_DE");
        assert!(command.output().unwrap().status.success());
        fs::read_to_string(out.join("r.it.txt")).unwrap()
    };
    let (plain, more) = (env(&[]), env(&["--env", "APP_*"]));
    assert!(
        plain.contains("LANG=C\n")
            && plain.contains("PATH=")
            && !plain.contains("OTHER")
            && !plain.contains("APP_MODE")
    );
    assert!(more.contains("APP_MODE=fast") && !more.contains("OTHER"));
}

#[test]
fn a_command_that_fails_tells_how() {
    let (item, bytes) = one(&sh("echo lost; echo \"not allowed\" >&2; exit 3"), &[]);
    assert_eq!((outcome(&item), bytes), (("failed", "exit code 3: not allowed"), None));
    assert_eq!(
        (item["exit"].as_i64(), item["stderr"].as_str()),
        (Some(3), Some("not allowed\n"))
    );
    let (item, _) = one(&sh("echo only this >&2"), &[]);
    assert_eq!(outcome(&item), ("empty", "only this"));
    let (item, _) = one(&sh("kill -9 $$"), &[]);
    assert_eq!(outcome(&item).0, "failed");
    let (item, _) = one("exec: [no-such-program-anywhere], parse: raw", &[]);
    assert_eq!(
        outcome(&item),
        ("not-run", "there is no program `no-such-program-anywhere` here")
    );
    let dir = folder(&[("plain", b"no program")]);
    let (item, _) = one(&format!("exec: ['{}/plain'], parse: raw", dir.path().display()), &[]);
    assert_eq!(outcome(&item).0, "denied");
}

#[test]
fn a_command_that_hangs_is_stopped_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let script = format!("(sleep 2; touch {}) & sleep 60", mark.display());
    let started = Instant::now();
    let (item, _) = one(&sh(&script), &["--probe-time", "300ms"]);
    assert_eq!(outcome(&item), ("timed-out", "it did not end in time and was stopped"));
    std::thread::sleep(Duration::from_secs(3).saturating_sub(started.elapsed()));
    assert!(!mark.exists(), "a child of the command has lived on");
}

#[test]
fn a_command_whose_children_hold_its_output_open_is_not_waited_for() {
    let (item, bytes) = one(&sh("sleep 60 & echo done"), &[]);
    assert_eq!((outcome(&item).0, bytes), ("failed", None));
}

#[test]
fn endless_output_is_cut_and_endless_errors_are_listened_to() {
    let (item, bytes) = one(&format!("{}, limit: 10KB", sh("yes")), &[]);
    assert_eq!(
        (outcome(&item).0, bytes.unwrap().len(), &item["truncated"]),
        ("ok", 10_000, &Value::Bool(true))
    );
    let (item, bytes) = one(
        &sh("i=0; while [ $i -lt 20000 ]; do echo eeeeeeeeee >&2; i=$((i+1)); done; echo out"),
        &[],
    );
    assert_eq!((outcome(&item).0, bytes.unwrap().as_str()), ("ok", "out\n"));
    let kept = item["stderr"].as_str().unwrap();
    assert!((64 << 10..66 << 10).contains(&kept.len()), "{}", kept.len());
    assert!(kept.contains("\n[154464 bytes left out]\n"), "{kept}");
}

#[test]
fn all_that_a_failed_command_complains_of_is_evidence() {
    let complaints: String = (0..500).map(|number| format!("complaint {number}\\n")).collect();
    for (end, outcome, exit) in [
        ("exit 7", "failed", Some(7)),
        ("sleep 60", "timed-out", None),
        ("kill -9 $$", "failed", None),
    ] {
        let (item, bytes) = one(
            &sh(&format!("printf \"{complaints}\" >&2; {end}")),
            &["--probe-time", "2s"],
        );
        assert_eq!(
            (item["outcome"].as_str().unwrap(), item["exit"].as_i64()),
            (outcome, exit)
        );
        let kept = item["stderr"].as_str().unwrap();
        assert!(
            kept.starts_with("complaint 0\n") && kept.ends_with("complaint 499\n"),
            "{kept}"
        );
        assert_eq!((kept.lines().count(), bytes), (500, None));
    }
    // A rule can ask for it.
    let book = "casebook: 1\nrulebook: r\ntitle: T\nprobes:\n  it: { exec: [sh, -c, 'echo first >&2; echo second >&2; exit 7'], captured: [it.txt], parse: raw }\n\
                rules:\n  second: { title: S, severity: error, expect: '!outcome(it).stderr.contains(\"second\") || outcome(it).exit != 7', at: it }\n";
    let dir = folder(&[("r.yaml", book.as_bytes())]);
    let book = dir.path().join("r.yaml");
    let (code, report) = common::report(&["run", "--live", "--allow=exec=sh", "-r", book.to_str().unwrap()]);
    assert_eq!(
        (code, common::codes(&report)),
        (1, vec!["r::second".to_owned()]),
        "{report:#}"
    );
}

#[test]
fn values_become_whole_arguments_and_never_options() {
    let (_, bytes) = one(
        "exec: [printf, '[%s]', 'at=${inputs.at}', '${inputs.at}'], parse: raw",
        &["--set", "at=a b;$(id)"],
    );
    assert_eq!(bytes.unwrap(), "[at=a b;$(id)][a b;$(id)]");
    let (item, _) = one("exec: [ls, '${inputs.at}'], parse: raw", &["--set", "at=--help"]);
    assert_eq!(
        outcome(&item),
        (
            "not-run",
            "the value `--help` begins with `-` and would be taken for an option"
        )
    );
    let (item, _) = one("exec: [ls, '${inputs.unset}'], parse: raw", &[]);
    assert_eq!(
        outcome(&item),
        ("not-run", "the input `unset` is not set (--set unset=...)")
    );
}

#[test]
fn files_are_found_by_globs_and_large_ones_are_kept_by_their_end() {
    let dir = folder(&[
        ("logs/b.log", b"second\n"),
        ("logs/a.log", b"first\n"),
        ("big", b"line one\nline two\nline three\n"),
    ]);
    let at = dir.path().display();
    assert_eq!(
        one(&format!("file: '{at}/logs/*.log', parse: raw"), &[]).1.unwrap(),
        "first\n"
    );
    assert_eq!(
        one(&format!("file: '{at}/**/b.log', parse: raw"), &[]).1.unwrap(),
        "second\n"
    );
    assert_eq!(
        outcome(&one(&format!("file: '{at}/*.log', parse: raw"), &[]).0),
        ("absent", "no file goes by this name")
    );
    assert_eq!(
        outcome(&one(&format!("file: '{at}/none', parse: raw"), &[]).0).0,
        "absent"
    );
    let (item, bytes) = one(&format!("file: '{at}/big', parse: raw, limit: 23B"), &[]);
    assert_eq!(
        (bytes.unwrap().as_str(), &item["truncated"]),
        ("line two\nline three\n", &Value::Bool(true))
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(at.join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    std::os::unix::fs::symlink("/dev/zero", at.join("zero")).unwrap();
    std::os::unix::fs::symlink("/etc/hosts", at.join("hosts")).unwrap();
    for (name, expected) in [
        ("pipe", "not-run"),
        ("zero", "not-run"),
        ("hosts", "ok"),
        ("", "not-run"),
    ] {
        let (item, _) = one(&format!("file: '{}/{name}', parse: raw", at.display()), &[]);
        assert_eq!(outcome(&item).0, expected, "{name}");
    }
}

#[test]
fn nothing_is_written_over() {
    let book = rulebook(&[("it", "exec: [echo], parse: raw")]);
    let full = folder(&[("a", b"a")]);
    let ran = capture(book.path(), full.path(), &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let archive = full.path().join("a.tar.gz");
    fs::write(&archive, "x").unwrap();
    assert_eq!(capture(book.path(), &archive, &[]).code, 2);
    assert_eq!(fs::read(&archive).unwrap(), b"x");
}

#[test]
fn an_archive_holds_what_a_folder_holds() {
    let book = rulebook(&[
        ("it", "exec: [echo, one], parse: raw"),
        ("not", "exec: [no-such-program-anywhere], parse: raw"),
    ]);
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.tar.zst", "b.tar.gz", "b.tar", "b.zip", "b"] {
        let path = dir.path().join(name);
        assert_eq!(capture(book.path(), &path, &[]).code, 0);
        let ran = run(&["verify", path.to_str().unwrap()]);
        assert_eq!(
            ran.stdout, "2 items listed: 1 intact, 1 not gathered, 0 changed, 0 missing, 0 unchecked; 0 not listed\n",
            "{name}"
        );
        assert_eq!(ran.code, 0);
    }
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 5, "{left:?}");
}
