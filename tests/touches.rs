//! A live run touches what its plan says, and nothing else: traced by the system.

#![allow(clippy::unwrap_used, clippy::print_stderr)]
#![cfg(target_os = "linux")]

mod common;
#[path = "common/envoy.rs"]
mod envoy;
#[path = "common/servers.rs"]
mod servers;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{casebook, folder};
use serde_json::Value;

/// What a process did, as far as it matters here.
#[derive(Debug, Default)]
struct Touched {
    programs: BTreeSet<String>,
    connections: BTreeSet<String>,
    read: BTreeSet<String>,
    written: BTreeSet<String>,
}

/// Reads a trace: what the first process and its threads did. Programs that it starts do as they please, once they are started.
fn touched(trace: &str) -> Touched {
    let (mut touched, mut children) = (Touched::default(), BTreeSet::new());
    let mut first = true;
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if children.contains(pid) {
            continue;
        }
        let quoted: Vec<&str> = call.split('"').collect();
        let path = quoted.get(1).copied().unwrap_or_default();
        let failed = call.contains(" = -1 ");
        if call.starts_with("execve(") {
            let argument = |at: usize| quoted.get(at).copied().unwrap_or_default().to_owned();
            if !std::mem::take(&mut first) {
                touched.programs.insert(argument(3));
                // On the way through PATH a program is tried in several places.
                if !failed {
                    children.insert(pid.to_owned());
                }
            }
        } else if call.starts_with("connect(") {
            touched.connections.insert(address(call));
        } else if call.starts_with("open") || call.starts_with("creat") {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "creat"]
                .iter()
                .any(|word| call.contains(word));
            let set = if writes {
                &mut touched.written
            } else {
                &mut touched.read
            };
            set.insert(path.to_owned());
        } else if ["rename", "unlink", "mkdir", "rmdir", "link", "symlink", "chmod"]
            .iter()
            .any(|name| call.starts_with(name))
        {
            touched.written.insert(path.to_owned());
        }
    }
    touched
}

/// `host:port` of a call of `connect`, or its kind.
fn address(call: &str) -> String {
    let between = |from: &str, to: &str| {
        let (_, rest) = call.split_once(from)?;
        Some(rest.split_once(to)?.0.to_owned())
    };
    match (between("inet_addr(\"", "\""), between("htons(", ")")) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        _ => call.to_owned(),
    }
}

/// Paths that any program opens on its way: libraries, time zones, what the system says of itself, trusted certificates, names of hosts.
fn is_of_the_system(path: &str) -> bool {
    let places = [
        "/lib",
        "/usr/lib",
        "/proc/",
        "/sys/",
        "/dev/",
        "/usr/share/zoneinfo",
        "/etc/ssl/",
        "/usr/share/ca-certificates",
    ];
    let files = [
        "/etc/ld.so.cache",
        "/etc/ld.so.preload",
        "/etc/localtime",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
    ];
    files.contains(&path) || places.iter().any(|place| path.starts_with(place))
}

const BOOK: &str = r#"
casebook: 1
rulebook: own
title: Own
inputs: { dir: { about: Where., is: text }, port: { about: A port., is: int } }
probes:
  printed: { exec: [cat, "${inputs.dir}/a.txt"], captured: [printed.txt], parse: raw }
  missing: { exec: [no-such-program-here], captured: [missing.txt], parse: raw }
  log: { file: "${inputs.dir}/logs/*.log", captured: [a.log], parse: raw }
  open: { tcp: "127.0.0.1:${inputs.port}", captured: [open.json] }
  unwanted: { file: "${inputs.dir}/unwanted.txt", captured: [unwanted.txt], parse: raw }
rules:
  printed: { title: P, severity: error, expect: printed.contains("x") }
  missing: { title: M, severity: error, expect: missing.contains("x") }
  log: { title: L, severity: error, expect: log.contains("x") }
  open: { title: O, severity: error, expect: open.result == "connected" }
  unwanted: { title: U, severity: error, expect: unwanted.contains("x") }
"#;

#[test]
fn a_live_run_touches_nothing_outside_its_plan() {
    let Some(program) = envoy::installed() else { return };
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("CASEBOOK_REQUIRE_STRACE").is_none(),
            "strace is missing"
        );
        return eprintln!("skipped: strace is not installed");
    }
    let proxy = envoy::Envoy::start(&program, &envoy::healthy());
    proxy.wait_for("/ready", "LIVE");
    let dir = folder(&[
        ("own.yaml", BOOK.as_bytes()),
        ("a.txt", b"x"),
        ("logs/a.log", b"x"),
        ("unwanted.txt", b"x"),
    ]);
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let port = proxy.admin.trim().rsplit(':').next().unwrap().to_owned();
    let (admin, place, port) = (
        format!("admin=http://{}", proxy.admin.trim()),
        format!("dir={}", dir.path().display()),
        format!("port={port}"),
    );
    let own = at("own.yaml");
    let common = [
        "-r",
        "envoy",
        "-r",
        &own,
        "--set",
        &admin,
        "--set",
        &place,
        "--set",
        &port,
        "--allow=exec=**",
        "--allow=file=**",
        "--allow=tcp=**",
        "--rule",
        "envoy::*",
        "--rule",
        "printed",
        "--rule",
        "missing",
        "--rule",
        "log",
        "--rule",
        "open",
    ];
    let plan = casebook().arg("plan").args(common).arg("--json").output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let keep = at("kept");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-s", "400", "-e", "trace=execve,connect,open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,chmod,fchmodat"])
        .args(["-o", &at("trace.txt")])
        .arg(env!("CARGO_BIN_EXE_casebook"))
        .args(["run", "--live", "--keep", &keep])
        .args(common)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", at("tmp"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&traced.stderr);
    assert!(Path::new(&keep).join("casebook.json").exists(), "{stderr}");
    let touched = touched(&fs::read_to_string(at("trace.txt")).unwrap());
    let (mut programs, mut places, mut files) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for way in plan["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item["ways"].as_array().unwrap())
    {
        let target = way["target"].as_str().unwrap().to_owned();
        match way["kind"].as_str().unwrap() {
            "exec" => drop(programs.insert(target)),
            "http" | "tcp" => drop(places.insert(target)),
            "file" => files.push(target),
            other => panic!("{other}"),
        }
    }
    println!(
        "touched: {} programs, {} connections, {} files read, {} written; the plan has {} items",
        touched.programs.len(),
        touched.connections.len(),
        touched.read.len(),
        touched.written.len(),
        plan["items"].as_array().unwrap().len()
    );
    assert_eq!(touched.programs, programs);
    assert_eq!(touched.connections, places);
    let planned = |path: &str| {
        let matches = |file: &String| globset::Glob::new(file).unwrap().compile_matcher().is_match(path);
        // Of a glob the folder is listed.
        files
            .iter()
            .any(|file| matches(file) || Path::new(file).parent() == Some(Path::new(path)))
    };
    let own_files = [own.as_str(), dir.path().to_str().unwrap()];
    let strange: Vec<&String> = touched
        .read
        .iter()
        .filter(|path| {
            !planned(path) && !is_of_the_system(path) && !own_files.contains(&path.as_str()) && !path.starts_with(&keep)
        })
        .collect();
    assert!(strange.is_empty(), "read outside the plan: {strange:#?}");
    let strange: Vec<&String> = touched
        .written
        .iter()
        .filter(|path| !path.starts_with(&keep) && *path != "/dev/null")
        .collect();
    assert!(strange.is_empty(), "written: {strange:#?}");
    println!("0 touched outside the plan");
    assert!(
        touched.read.iter().any(|path| path.ends_with("logs/a.log"))
            && !touched.read.iter().any(|path| path.ends_with("unwanted.txt"))
    );
}
