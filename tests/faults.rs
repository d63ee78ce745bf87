//! What goes wrong while evidence is gathered decides nothing: each kind of probe under each fault, as a table.
//!
//! To `tcp`, `dns` and `tls` a refusal is an answer, on which the rule decides. What JSON is no more when it is cut, lines of text still are: the
//! faults that leave bytes are tried with both, with text that looks well and with text that looks wrong.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use assert_cmd::Command;
use common::{casebook, folder};
use serde_json::Value;
use servers::{answer, closed_port, server};

/// The faults, as the table has them.
const FAULTS: [&str; 17] = [
    "refused",
    "timed out",
    "hangs after the first byte",
    "403",
    "404",
    "500",
    "cut mid-body",
    "10 GB body",
    "10 GB of text, well so far",
    "10 GB of text, wrong so far",
    "wrong content",
    "binary missing",
    "exits non-zero",
    "prints to stderr only",
    "killed",
    "permission denied",
    "name does not resolve",
];

/// What a cell of the table came to.
struct Cell {
    kind: &'static str,
    fault: &'static str,
    verdict: String,
    reason: String,
    /// What a terminal shows.
    text: String,
}

/// Whether what comes is text that goes on for ever.
fn is_text(fault: &str) -> bool {
    fault.starts_with("10 GB of text")
}

/// A line of such a text.
fn line(fault: &str) -> &'static str {
    if fault.contains("wrong") {
        "state DOWN"
    } else {
        "state LIVE"
    }
}

/// Runs one probe live, and the rule that reads what it gives.
fn cell(kind: &'static str, fault: &'static str, probe: &str) -> Cell {
    let rule = match kind {
        "tcp" | "dns" | "tls" => {
            "decide: [{ pass: 'p.result in [\"connected\", \"resolved\", \"shaken\"]' }, { fail: true, at: p.result }]"
        }
        _ if is_text(fault) => "decide: [{ fail: 'p.some(|row| row.text.contains(\"DOWN\"))', at: p }, { pass: true }]",
        _ => "decide: [{ pass: p.state == \"LIVE\" }, { fail: p.state == \"DOWN\", at: p.state }, { fail: true }]",
    };
    let parse = match kind {
        "tcp" | "dns" | "tls" => "",
        _ if is_text(fault) => "parse: { lines: { fields: '^(?<text>.*)$' } }, ",
        _ => "parse: json, ",
    };
    let book = format!(
        "casebook: 1\nrulebook: r\ntitle: R\nprobes: {{ p: {{ {probe}, {parse}captured: [p.json], timeout: 400ms, limit: 1MB }} }}\n\
         rules: {{ state: {{ title: State, severity: error, {rule} }} }}\n"
    );
    let dir = folder(&[("r.yaml", book.as_bytes())]);
    let book = dir.path().join("r.yaml");
    let run = |format: &str| {
        let all = ["exec", "http", "file", "tcp", "dns", "tls"].map(|kind| format!("--allow={kind}=**"));
        let output = asking(kind, fault, dir.path())
            .args(["run", "--live", "--format", format])
            .args(&all)
            .arg("-r")
            .arg(&book)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (String::from_utf8(output.stdout).unwrap(), told)
    };
    let (json, told) = run("json");
    let json: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{kind}, {fault}: {error}: {told}"));
    let (verdict, reason) = common::verdict(&json, "state");
    let reason = if reason.is_empty() {
        json["findings"][0]["labels"][0]["text"].to_string()
    } else {
        reason
    };
    Cell {
        kind,
        fault,
        verdict,
        reason,
        text: run("terminal").0,
    }
}

/// The program; as somebody else, where permissions are tried: to the superuser nothing is denied.
fn asking(kind: &str, fault: &str, dir: &Path) -> Command {
    let superuser = rustix::process::geteuid().is_root();
    if !(superuser && (kind, fault) == ("file", "permission denied")) {
        return casebook();
    }
    // The nobody of most systems; the program may lie where only the superuser looks.
    let (program, nobody) = (dir.join("casebook"), 65534);
    fs::copy(env!("CARGO_BIN_EXE_casebook"), &program).unwrap();
    for path in [dir, &program, &dir.join("r.yaml")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = std::process::Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .uid(nobody)
        .gid(nobody);
    Command::from_std(command)
}

fn http(port: u16) -> String {
    format!("http: 'http://127.0.0.1:{port}/'")
}

fn sh(script: &str) -> String {
    format!("exec: [sh, -c, '{script}']")
}

fn status(status: &'static str) -> String {
    http(server(move |_, stream| {
        answer(stream, status, "", br#"{"state":"LIVE"}"#)
    }))
}

/// A server that writes this and then does not go on.
fn stuck(written: &'static [u8]) -> u16 {
    server(move |_, stream| {
        let _ = stream.write_all(written);
        sleep(Duration::from_secs(5));
    })
}

fn over_http(fault: &'static str) -> Option<String> {
    Some(match fault {
        "refused" => http(closed_port()),
        "timed out" => http(stuck(b"")),
        "hangs after the first byte" => http(stuck(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{")),
        "403" => status("403 Forbidden"),
        "404" => status("404 Not Found"),
        "500" => status("500 Internal Server Error"),
        "cut mid-body" => http(server(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"state\":\"LIVE\"}");
        })),
        "10 GB body" => http(server(|_, stream| {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{\"state\":\"LIVE\",\"x\":\"");
            let chunk = [b'x'; 1 << 16];
            while stream.write_all(&chunk).is_ok() {}
        })),
        _ if is_text(fault) => http(server(move |_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
            let lines = format!("{}\n", line(fault)).repeat(1000);
            while stream.write_all(lines.as_bytes()).is_ok() {}
        })),
        "wrong content" => http(server(|_, stream| {
            answer(stream, "200 OK", "", b"<html>Sign in</html>")
        })),
        "name does not resolve" => "http: 'http://no-such-host.invalid/'".to_owned(),
        _ => return None,
    })
}

fn over_exec(fault: &'static str, dir: &Path) -> Option<String> {
    Some(match fault {
        "timed out" => "exec: [sleep, '60']".to_owned(),
        "hangs after the first byte" => sh("printf {; sleep 60"),
        "cut mid-body" => sh(r#"printf "{\"state\":\"LI""#),
        "10 GB body" => sh(r#"printf "{\"state\":\"LIVE\",\"x\":\""; yes"#),
        _ if is_text(fault) => format!("exec: ['yes', '{}']", line(fault)),
        "wrong content" => sh("echo Usage: this is no JSON"),
        "binary missing" => "exec: [no-such-program-here]".to_owned(),
        "exits non-zero" => sh(r#"echo "{\"state\":\"LIVE\"}"; exit 3"#),
        "prints to stderr only" => sh("echo no such server >&2"),
        "killed" => sh(r#"echo "{\"state\":\"LIVE\"}"; kill -9 $$"#),
        "permission denied" => {
            let path = dir.join("not-executable");
            fs::write(&path, "#!/bin/sh\n").unwrap();
            format!("exec: ['{}']", path.display())
        }
        _ => return None,
    })
}

fn over_file(fault: &'static str, dir: &Path) -> Option<String> {
    let path = dir.join(fault.replace(' ', "-"));
    match fault {
        // Nobody writes into it.
        "hangs after the first byte" => drop(std::process::Command::new("mkfifo").arg(&path).status().unwrap()),
        // A file that is not there is what 404 is to a server.
        "404" => {}
        "cut mid-body" => fs::write(&path, r#"{"state":"LI"#).unwrap(),
        "10 GB body" => File::create(&path).unwrap().set_len(10_000_000_000).unwrap(),
        _ if is_text(fault) => {
            let mut file = File::create(&path).unwrap();
            file.set_len(10_000_000_000).unwrap();
            // Of a file the end is kept.
            file.seek(SeekFrom::End(0)).unwrap();
            writeln!(file, "\n{}", line(fault)).unwrap();
        }
        "wrong content" => fs::write(&path, "state LIVE").unwrap(),
        "permission denied" => {
            fs::write(&path, r#"{"state":"LIVE"}"#).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        _ => return None,
    }
    Some(format!("file: '{}'", path.display()))
}

/// A port whose server takes no more connections: whoever asks waits.
fn crowded_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = std::iter::repeat_with(|| TcpStream::connect_timeout(&address, Duration::from_millis(200)));
    // Kept, as the listener is, until the test's process ends.
    std::mem::forget((
        waiting.take(5000).take_while(Result::is_ok).collect::<Vec<_>>(),
        listener,
    ));
    address.port()
}

/// A port that takes questions and never answers.
fn mute_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::mem::forget(socket);
    port
}

/// A server that speaks first, and no TLS.
fn blunt_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            answer(&mut stream, "200 OK", "", b"no TLS");
        }
    });
    port
}

fn over_tcp(fault: &'static str) -> Option<String> {
    Some(match fault {
        "refused" => format!("tcp: '127.0.0.1:{}'", closed_port()),
        "timed out" => format!("tcp: '127.0.0.1:{}'", crowded_port()),
        "name does not resolve" => "tcp: 'no-such-host.invalid:80'".to_owned(),
        _ => return None,
    })
}

fn over_tls(fault: &'static str) -> Option<String> {
    Some(match fault {
        "refused" => format!("tls: '127.0.0.1:{}'", closed_port()),
        "timed out" => format!("tls: '127.0.0.1:{}'", stuck(b"")),
        "hangs after the first byte" => format!("tls: '127.0.0.1:{}'", stuck(b"\x16")),
        "wrong content" => format!("tls: '127.0.0.1:{}'", blunt_port()),
        "name does not resolve" => "tls: 'no-such-host.invalid:443'".to_owned(),
        _ => return None,
    })
}

fn over_dns(fault: &'static str) -> Option<String> {
    Some(match fault {
        "refused" => format!("dns: {{ name: shop.invalid, server: '127.0.0.1:{}' }}", closed_port()),
        "timed out" => format!("dns: {{ name: shop.invalid, server: '127.0.0.1:{}' }}", mute_port()),
        "name does not resolve" => "dns: no-such-host.invalid".to_owned(),
        _ => return None,
    })
}

#[test]
fn no_fault_of_the_gathering_decides_a_rule() {
    let dir = tempfile::tempdir().unwrap();
    let kinds = ["http", "exec", "file", "tcp", "dns", "tls"];
    let (mut cells, mut table) = (Vec::new(), String::new());
    for fault in FAULTS {
        for kind in kinds {
            let probe = match kind {
                "http" => over_http(fault),
                "exec" => over_exec(fault, dir.path()),
                "file" => over_file(fault, dir.path()),
                "tcp" => over_tcp(fault),
                "dns" => over_dns(fault),
                _ => over_tls(fault),
            };
            let line = match probe {
                None => format!("{fault:28} {kind:5} -\n"),
                Some(probe) => {
                    let cell = cell(kind, fault, &probe);
                    let line = format!("{fault:28} {kind:5} {:8} {}\n", cell.verdict, cell.reason);
                    cells.push(cell);
                    line
                }
            };
            table.push_str(&line);
        }
    }
    println!("{table}");
    let answers = |cell: &&Cell| ["tcp", "dns", "tls"].contains(&cell.kind);
    for cell in cells.iter().filter(|cell| !answers(cell)) {
        let name = format!("{}, {}", cell.kind, cell.fault);
        assert_eq!(cell.verdict, "unknown", "{name}: {}", cell.reason);
        assert!(!cell.reason.is_empty(), "{name} has no cause");
        // What to do: how the evidence is had.
        let ways = [
            "GET http",
            "exec",
            "sh -c",
            "sleep",
            "yes ",
            "no-such-program-here",
            "not-executable",
            "file",
            "read ",
        ];
        assert!(ways.iter().any(|way| cell.text.contains(way)), "{name}: {}", cell.text);
    }
    for cell in cells.iter().filter(answers) {
        let name = format!("{}, {}", cell.kind, cell.fault);
        assert_eq!(cell.verdict, "fail", "{name}: a refusal is an answer: {}", cell.reason);
        let word = match (cell.kind, cell.fault) {
            // Nobody refuses on behalf of a port that takes messages: they do not arrive.
            ("dns", "refused") => "unreachable",
            (_, "refused") => "refused",
            ("dns", "name does not resolve") => "no-such-name",
            (_, "name does not resolve") => "unresolved",
            (_, "wrong content") => "no-handshake",
            _ => "timed-out",
        };
        assert_eq!(cell.reason, format!("\"\\\"{word}\\\"\""), "{name}");
    }
    assert!(cells.len() >= 41, "{} cells", cells.len());
}

/// The newest part of a log suffices, where its fact says so: then it decides.
#[test]
fn what_was_cut_decides_where_the_newest_part_suffices() {
    for (state, expected) in [("LIVE", "pass"), ("DOWN", "fail")] {
        let log = format!("{}state {state}\n", "an old line\n".repeat(2000));
        let dir = folder(&[("a.log", log.as_bytes())]);
        let book = format!(
            "casebook: 1\nrulebook: r\ntitle: R\n\
             probes: {{ log: {{ file: '{}/a.log', captured: [a.log], parse: {{ lines: {{ fields: '^state (?<state>.*)$' }} }}, limit: 1KB }} }}\n\
             facts:\n  states: {{ from: log, all: '$[?@.state]', partial: ok }}\n  all_states: {{ from: log, all: '$[?@.state]' }}\n\
             rules:\n  newest: {{ title: N, severity: error, forbid: {{ s: 'states.filter(|s| s.state == \"DOWN\")' }}, at: s }}\n\
             \x20 whole: {{ title: W, severity: error, forbid: {{ s: 'all_states.filter(|s| s.state == \"DOWN\")' }}, at: s }}\n",
            dir.path().display()
        );
        fs::write(dir.path().join("r.yaml"), book).unwrap();
        let book = dir.path().join("r.yaml");
        let (_, report) = common::report(&["run", "--live", "--allow=file=/**", "-r", book.to_str().unwrap()]);
        assert_eq!(common::verdict(&report, "newest").0, expected, "{report:#}");
        let (verdict, reason) = common::verdict(&report, "whole");
        assert_eq!(verdict, "unknown");
        let seems = if state == "DOWN" {
            "something looks wrong"
        } else {
            "nothing wrong"
        };
        assert!(
            reason.starts_with(seems) && reason.ends_with("but `a.log` is cut off"),
            "{reason}"
        );
    }
}
