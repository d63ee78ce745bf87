//! `casebook plan`: what a live run would do, for which rules; and that it does nothing itself.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::path::Path;

use common::{folder, run};
use serde_json::Value;
use servers::pages;

/// A shop whose servers are found in a list; one probe reads what another gives.
const SHOP: &str = r#"
casebook: 1
rulebook: shop
title: The shop
environment: [SHOP_*]
inputs:
  base: { about: Where the shop is., is: text, default: "http://127.0.0.1:1" }
  zone: { about: Its zone., is: text }
subjects:
  server:
    captured: ["servers/{zone}/{host}/", "."]
    live: { each: { z: zones, s: z.servers }, names: { zone: z.name, host: s.name } }
probes:
  inventory: { exec: [inventory, list, "--zone=${inputs.zone}"], captured: [inventory.json], parse: json }
  front: { http: "${inputs.base}/status", captured: [front.json], parse: json, again: 15s }
  server_info: { per: server, exec: [inventory, show, "${subject.host}", "--in=${subject.zone}"], captured: ["info[.]json"], parse: json }
  server_log: { per: server, file: "/var/log/servers/${subject.host}.log", captured: [server.log], parse: raw }
  by_hand: { captured: [by-hand.txt], parse: raw }
  unused: { exec: [never], parse: raw }
  peer: { http: "http://${front_peer}:80/", parse: json }
  listens: { tcp: "${inputs.base}", timeout: 2s }
facts:
  zones: { from: inventory, all: "$.zones[*]" }
  front_peer: { from: front, one: $.peer }
rules:
  front-up: { title: The front is down, severity: error, expect: front.up && front.up != (), at: front.up }
  server-old: { title: A server is old, severity: warning, expect: server_info.version > 3, says: "see ${server_log}" }
  peer-up: { title: The peer is down, severity: error, expect: peer.up && by_hand != "" }
  open: { title: Nobody listens, severity: error, expect: 'listens.result == "connected"' }
"#;

fn shop() -> tempfile::TempDir {
    folder(&[("shop.yaml", SHOP.as_bytes())])
}

fn plan(book: &Path, more: &[&str]) -> String {
    let book = book.join("shop.yaml");
    let mut args = vec!["plan", "-r", book.to_str().unwrap()];
    args.extend(more);
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

fn json(book: &Path, more: &[&str]) -> Value {
    let mut args = vec!["--json"];
    args.extend(more);
    serde_json::from_str(&plan(book, &args)).unwrap()
}

/// The first way of each item, by its probe.
fn actions(plan: &Value) -> Vec<(String, String, String)> {
    let items = plan["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .map(|item| {
            (
                text(&item["probe"]),
                text(&item["ways"][0]["action"]),
                text(&item["path"]),
            )
        })
        .collect()
}

#[test]
fn a_plan_as_people_read_it() {
    let book = shop();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("plan", plan(book.path(), &[]));
        insta::assert_snapshot!("plan-allowed", plan(book.path(), &["--set", "zone=eu", "--allow", "exec=inventory"]));
    });
}

#[test]
fn only_what_the_chosen_rules_need_is_planned() {
    let book = shop();
    let probes = |rule: &str| {
        let plan = json(book.path(), &["--rule", rule]);
        actions(&plan).into_iter().map(|(probe, ..)| probe).collect::<Vec<_>>()
    };
    assert_eq!(probes("front-up"), ["shop::front"]);
    // The server is found in the inventory; its log is read by the words of the rule alone.
    let of_server = [
        "shop::inventory",
        "shop::server_info",
        "shop::server_info",
        "shop::server_log",
        "shop::server_log",
    ];
    assert_eq!(probes("server-old"), of_server);
    // What its address is read from comes first.
    assert_eq!(probes("peer-up"), ["shop::front", "shop::peer"]);
    let plan = json(book.path(), &["--rule", "peer-up"]);
    assert_eq!(plan["captured_only"], serde_json::json!(["shop::by_hand"]));
    assert_eq!(plan["items"][0]["rules"], serde_json::json!(["shop::peer-up"]));
    assert_eq!(plan["items"][1]["after"], serde_json::json!(["shop::front"]));
}

#[test]
fn what_is_not_known_yet_is_a_hole() {
    let book = shop();
    let plan = json(book.path(), &["--allow", "exec=*", "--set", "base=http://shop:80"]);
    let actions = actions(&plan);
    let of = |probe: &str, nth: usize| {
        let mut found = actions.iter().filter(|(code, ..)| *code == format!("shop::{probe}"));
        let (_, action, path) = found.nth(nth).unwrap();
        (action.as_str(), path.as_str())
    };
    assert_eq!(of("inventory", 0), ("inventory list --zone=<zone>", "inventory.json"));
    assert_eq!(of("front", 0), ("GET http://shop:80/status", "front.json"));
    let info = ("inventory show <host> --in=<zone>", "servers/<zone>/<host>/info.json");
    assert_eq!(of("server_info", 0), info);
    assert_eq!(of("server_info", 1).1, "info.json");
    assert_eq!(of("server_log", 0).0, "read /var/log/servers/<host>.log");
    assert_eq!(of("peer", 0), ("GET http://<front_peer>:80/", "shop.peer.json"));
    let status = |at: usize| plan["items"][at]["ways"][0]["status"].as_str().unwrap();
    let statuses: Vec<_> = actions
        .iter()
        .enumerate()
        .map(|(at, (probe, ..))| (probe.as_str(), status(at)))
        .collect();
    assert_eq!(
        statuses,
        [
            ("shop::inventory", "missing"),
            ("shop::front", "denied"),
            ("shop::listens", "denied"),
            ("shop::peer", "denied"),
            ("shop::server_info", "later"),
            ("shop::server_info", "missing"),
            ("shop::server_log", "denied"),
            ("shop::server_log", "denied"),
        ]
    );
}

#[test]
fn a_plan_does_nothing() {
    let (port, asked) = pages(&[("/status", "{}")]);
    let book = shop();
    plan(
        book.path(),
        &[
            "--set",
            &format!("base=http://127.0.0.1:{port}"),
            "--allow",
            &format!("http=127.0.0.1:{port}"),
        ],
    );
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn shipped_rulebooks_need_no_leave() {
    let ran = run(&["plan", "-r", "envoy", "--json"]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ways: Vec<&Value> = plan["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["ways"][0])
        .collect();
    assert!(
        !ways.is_empty() && ways.iter().all(|way| way["status"] == "ready"),
        "{}",
        ran.stdout
    );
}

/// The statuses of a plan of what a rulebook in a folder would do.
fn statuses(rulebook: &Path) -> std::collections::BTreeSet<String> {
    let ran = run(&[
        "plan",
        "--json",
        "-r",
        rulebook.to_str().unwrap(),
        "--set",
        "instance=i",
    ]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let items = plan["items"].as_array().unwrap().iter();
    let ways = items.flat_map(|item| item["ways"].as_array().unwrap());
    ways.map(|way| way["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_copy_of_a_shipped_rulebook_needs_no_leave_until_it_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["csm", "envoy"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks").join(name);
        for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap) {
            let to = dir.path().join(name).join(entry.path().strip_prefix(&from).unwrap());
            match entry.file_type().is_dir() {
                true => std::fs::create_dir(&to).unwrap(),
                false => drop(std::fs::copy(entry.path(), &to).unwrap()),
            }
        }
    }
    let copy = dir.path().join("csm");
    assert!(!statuses(&copy).contains("denied"), "{:?}", statuses(&copy));
    let main = copy.join("rulebook.yaml");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text + "# mine\n").unwrap();
    assert!(statuses(&copy).contains("denied"));
}

#[test]
fn what_cannot_be_planned_is_a_problem_of_the_rulebook() {
    for (probes, code) in [
        (
            "  a: { exec: [\"${b}\"], parse: raw }\n  b: { exec: [ls], parse: raw }\n",
            "program-from-evidence",
        ),
        (
            "  a: { exec: [ls, \"${b}\"], parse: raw }\n  b: { exec: [ls, \"${a}\"], parse: raw }\n",
            "circular-probe",
        ),
        (
            "  a: { exec: [ls, \"${b}\"], parse: raw }\n  b: { per: s, exec: [ls], parse: raw }\n",
            "mixed-subjects",
        ),
    ] {
        let text = format!(
            "casebook: 1\nrulebook: shop\ntitle: T\nsubjects: {{ s: {{ captured: [.] }} }}\nprobes:\n{probes}rules:\n  r: {{ title: T, severity: error, expect: a != \"\" }}\n"
        );
        let book = folder(&[("shop.yaml", text.as_bytes())]);
        let ran = run(&["plan", "-r", book.path().join("shop.yaml").to_str().unwrap()]);
        assert!(ran.code == 3 && ran.stderr.contains(code), "{code}: {}", ran.stderr);
    }
}

#[test]
fn an_allowance_that_means_nothing_is_told() {
    let ran = run(&["plan", "-r", "envoy", "--allow", "run=ps"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("`run=ps` names nothing that can be allowed"),
        "{}",
        ran.stderr
    );
}
