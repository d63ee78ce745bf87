//! The parsers of texts on listings of real packet filters, and on every file of the shared evidence.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Read;
use std::path::{Path as File, PathBuf};

use casebook::document::{
    Document, IptablesOptions, JsonLinesOptions, KeyValueOptions, Kind, LinesOptions, NodeId, Number, Parser, Pattern,
    TableOptions, json,
};
use casebook::path::Path;
use serde_json::{Value, json};

use common::shared;

fn value(doc: &Document, id: NodeId) -> Value {
    match doc.kind(id) {
        Kind::Null => Value::Null,
        Kind::True | Kind::False => Value::from(doc.bool(id)),
        Kind::Number => match doc.number(id) {
            Some(Number::Int(int)) => Value::from(int),
            Some(Number::Float(float)) => Value::from(float),
            _ => Value::from(doc.raw(id)),
        },
        Kind::String => Value::from(doc.str(id).unwrap()),
        Kind::Array => doc.children(id).map(|child| value(doc, child)).collect(),
        Kind::Object => {
            let member = |child| (doc.key(child).unwrap().to_owned(), value(doc, child));
            Value::Object(doc.children(id).map(member).collect())
        }
    }
}

fn parsed(parser: &Parser, text: &str, name: &str) -> Document {
    let doc = parser
        .parse(text.to_owned())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    for id in doc.subtree(doc.root()).map(NodeId::from_index) {
        assert!(
            doc.text().get(doc.span(id).range()).is_some(),
            "{name}: a span outside the text"
        );
    }
    doc
}

fn rows(parser: &Parser, text: &str, name: &str) -> Vec<Value> {
    let doc = parsed(parser, text, name);
    doc.children(doc.root()).map(|row| value(&doc, row)).collect()
}

fn select(doc: &Document, path: &str) -> Vec<Value> {
    let path = Path::parse(path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    path.select(doc, doc.root())
        .into_iter()
        .map(|id| value(doc, id))
        .collect()
}

fn table(header: Option<&str>, columns: &[&str]) -> Parser {
    Parser::Table(TableOptions {
        header: header.map(|header| Pattern::new(header).unwrap()),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    })
}

fn lines(record: Option<&str>, fields: &[&str]) -> Parser {
    Parser::Lines(LinesOptions {
        record: record.map(|record| Pattern::new(record).unwrap()),
        fields: fields
            .iter()
            .map(|field| Pattern::with_groups(field).unwrap())
            .collect(),
    })
}

fn iptables(table: &str) -> Parser {
    Parser::Iptables(IptablesOptions {
        table: Some(table.to_owned()),
    })
}

fn solid(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

// Packet filters

fn listing(name: &str) -> Value {
    let file = File::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/iptables")
        .join(name);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let table = name.split('-').next().unwrap();
    let doc = parsed(&iptables(table), &text, name);
    value(&doc, doc.root())
}

/// Takes out of all chains and rules what not every form tells.
fn without(mut table: Value, chain_keys: &[&str], rule_keys: &[&str]) -> Value {
    for chain in table
        .as_object_mut()
        .unwrap()
        .values_mut()
        .map(|chain| chain.as_object_mut().unwrap())
    {
        chain_keys.iter().for_each(|key| drop(chain.remove(*key)));
        for rule in chain["rules"].as_array_mut().unwrap() {
            rule_keys
                .iter()
                .for_each(|key| drop(rule.as_object_mut().unwrap().remove(*key)));
        }
    }
    table
}

const COUNTERS: [&str; 2] = ["packets", "bytes"];
/// What listings word differently from rules as options.
const WORDING: [&str; 5] = ["unknown", "target_options", "log_prefix", "log_level", "set_xmark"];

#[test]
fn all_forms_of_a_listing_agree() {
    let save = listing("save.txt");
    let saved = |table: &str| without(save[table].clone(), &COUNTERS, &COUNTERS);
    let counted = &listing("savec.txt")["nat"];
    assert_eq!(saved("nat"), without(counted.clone(), &COUNTERS, &COUNTERS));
    assert!(
        counted["WEB_OUT"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["packets"] == "0")
    );
    for table in ["nat", "mangle", "filter"] {
        let spec = listing(&format!("{table}-S.txt"))[table].clone();
        assert_eq!(saved(table), spec, "{table}");
        let listed = listing(&format!("{table}-Lnv.txt"))[table].clone();
        let wording: Vec<_> = COUNTERS
            .into_iter()
            .chain(WORDING)
            .chain(["save_mark", "nfmask", "ctmask"])
            .collect();
        let listed = without(listed, &COUNTERS, &wording);
        assert_eq!(without(spec, &[], &wording), listed, "{table}");
    }
    assert_eq!(
        without(listing("nat-Sv.txt")["nat"].clone(), &COUNTERS, &COUNTERS),
        saved("nat")
    );
}

#[test]
fn listings_without_interfaces_say_so() {
    let rules: Vec<_> = WORDING.into_iter().chain(["in_interface", "out_interface"]).collect();
    let spec = without(listing("nat-S.txt")["nat"].clone(), &[], &rules);
    for name in ["nat-Ln.txt", "nat-L.txt", "nat-Lnum.txt"] {
        let listed = listing(name)["nat"].clone();
        for chain in listed.as_object().unwrap().values() {
            assert_eq!(chain["hides"], json!(["in_interface", "out_interface"]), "{name}");
        }
        let mut listed = without(listed, &["hides"], &rules);
        if name != "nat-Ln.txt" {
            // Numbers are names there.
            let rules = listed["WEB_OUT"]["rules"].as_array_mut().unwrap();
            let ports = |rule: &Value| rule["destination_port"].clone();
            assert_eq!(
                (ports(&rules[4]), ports(&rules[13])),
                (json!("http,https,8000:8010"), json!("mysql"))
            );
            assert_eq!(rules[2]["destination"], "!localhost");
            for (at, key, plain) in [
                (2, "destination", "!127.0.0.1/32"),
                (4, "destination_port", "80,443,8000:8010"),
                (5, "source_port", "!53,5353"),
                (6, "destination_port", "53"),
                (13, "destination_port", "3306"),
                (14, "port", "1,2"),
            ] {
                rules[at][key] = json!(plain);
            }
        }
        assert_eq!(spec, listed, "{name}");
    }
}

#[test]
fn references_are_counted_where_they_are_not_listed() {
    for name in ["nat-S.txt", "nat-L.txt", "save.txt"] {
        assert_eq!(listing(name)["nat"]["WEB_REDIRECT"]["references"], 4, "{name}");
    }
}

#[test]
fn listings_of_the_other_family() {
    let spec = without(listing("six-S.txt")["six"].clone(), &[], &[]);
    let keys = ["packets", "bytes", "hides"];
    assert_eq!(spec, without(listing("six-Lnv.txt")["six"].clone(), &keys, &COUNTERS));
    assert_eq!(spec, without(listing("six-Ln.txt")["six"].clone(), &keys, &[]));
}

// The shared evidence

/// Names and texts of the files of a folder; compressed ones without that ending of their names.
fn files(folder: &File) -> Vec<(String, String)> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = fs::read(&file).unwrap();
        let plain = name.strip_suffix(".gz").map(str::to_owned);
        if plain.is_some() {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&*bytes)
                .read_to_end(&mut unpacked)
                .unwrap();
            bytes = unpacked;
        }
        (plain.unwrap_or(name), String::from_utf8(bytes).unwrap())
    };
    entries.into_iter().map(read).collect()
}

fn bundles() -> Vec<(String, Vec<(String, String)>)> {
    let Some(evidence) = shared("evidence") else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(evidence)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 20);
    folders
        .into_iter()
        .map(|folder| {
            (
                folder.file_name().unwrap().to_string_lossy().into_owned(),
                files(&folder),
            )
        })
        .collect()
}

#[test]
fn every_file_of_the_evidence_is_read() {
    for (bundle, files) in bundles() {
        for (name, text) in files.iter().filter(|(_, text)| !text.is_empty()) {
            check(&format!("{bundle}/{name}"), name, text);
        }
        let text = |name: &str| {
            files
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, text)| text.as_str())
        };
        if let (Some(save), Some(spec)) = (text("iptables-save.txt"), text("iptables-t-nat-S.txt")) {
            let nat = |text: &str| {
                let doc = parsed(&iptables("nat"), text, &bundle);
                without(value(&doc, doc.root())["nat"].clone(), &COUNTERS, &COUNTERS)
            };
            assert_eq!(nat(save), nat(spec), "{bundle}");
            let naive = spec.lines().filter(|line| line.starts_with("-A ")).count();
            let doc = parsed(&iptables("nat"), spec, &bundle);
            assert_eq!(select(&doc, "$.nat[*].rules[*]").len(), naive, "{bundle}");
            assert_eq!(select(&doc, "$.nat[*].rules[*].unknown").len(), 0, "{bundle}");
        }
    }
}

fn check(whole: &str, name: &str, text: &str) {
    match name {
        "ps.txt" => check_processes(whole, text),
        "ss.txt" => check_sockets(whole, text),
        "stats.txt" => check_stats(whole, text),
        "stats.prom" => check_metrics(whole, text),
        "clusters.txt" => check_clusters(whole, text),
        "envoy.err.log" => check_log(whole, text),
        "access.log" => check_access_log(whole, text),
        "bootstrap.yaml" => {
            let doc = parsed(&Parser::Yaml, text, whole);
            let [Value::String(id)] = &select(&doc, "$.node.id")[..] else {
                panic!("{whole}: no node id")
            };
            assert!(text.contains(id.as_str()));
        }
        "proxy-status.txt" | "proxy-status-v1.txt" | "proxy-status-default.txt" => check_statuses(whole, text),
        "guest-attributes.txt" => {
            let rows = rows(&table(None, &[]), text, whole);
            assert_eq!(rows.len(), solid(text) - 1, "{whole}");
            assert!(
                rows.iter()
                    .all(|row| row.as_object().unwrap().keys().eq(["KEY", "NAMESPACE", "VALUE"])),
                "{whole}: {rows:?}"
            );
        }
        "iptables-save.txt" | "iptables-t-nat-S.txt" => {
            let doc = parsed(&iptables("nat"), text, whole);
            assert!(!select(&doc, "$.nat.OUTPUT.policy").is_empty(), "{whole}");
        }
        "ready.txt" | "envoy-version.txt" => {
            let doc = parsed(&Parser::Raw, text, whole);
            assert_eq!(doc.str(doc.root()).unwrap(), text);
        }
        "client.txt" | "curl-xds.txt" | "control-plane.log" => {
            assert_eq!(rows(&lines(None, &[]), text, whole).len(), solid(text), "{whole}")
        }
        _ if name.ends_with(".json") => {
            let doc = parsed(&Parser::Json(json::Options::default()), text, whole);
            let yaml = parsed(&Parser::Yaml, text, whole);
            assert_eq!(doc.node_count(), yaml.node_count(), "{whole}: JSON is YAML");
        }
        _ => panic!("{whole}: no parser is known for it"),
    }
}

fn check_processes(whole: &str, text: &str) {
    let rows = rows(&table(None, &[]), text, whole);
    assert_eq!(rows.len(), solid(text) - 1, "{whole}");
    let names: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
    for (row, line) in rows.iter().zip(text.lines().skip(1)) {
        let row = row.as_object().unwrap();
        assert!(
            names.iter().all(|name| row.contains_key(*name)) && row.len() == names.len(),
            "{whole}: {row:?}"
        );
        assert!(
            line.ends_with(row["COMMAND"].as_str().unwrap()) && row["PID"].as_str().unwrap().parse::<u32>().is_ok(),
            "{whole}"
        );
    }
}

fn check_sockets(whole: &str, text: &str) {
    let columns = ["state", "recv_q", "send_q", "local", "peer", "process"];
    let rows = rows(&table(Some("^State"), &columns), text, whole);
    assert_eq!(rows.len(), solid(text) - 1, "{whole}");
    for row in rows {
        assert_eq!(row["state"], "LISTEN", "{whole}");
        let port = row["local"].as_str().unwrap().rsplit(':').next().unwrap();
        assert!(
            port.parse::<u16>().is_ok() && row["peer"].as_str().unwrap().ends_with(":*"),
            "{whole}: {row}"
        );
        assert!(
            row["process"].as_str().unwrap().starts_with("users:(("),
            "{whole}: {row}"
        );
    }
}

fn check_stats(whole: &str, text: &str) {
    let parser = Parser::KeyValue(KeyValueOptions::new(Some(": "), false).unwrap());
    let doc = parsed(&parser, text, whole);
    assert_eq!(doc.len(doc.root()), solid(text), "{whole}");
    for id in doc.children(doc.root()) {
        let key = doc.key_span(id).unwrap();
        assert!(
            doc.text()[key.range().end..doc.span(id).range().start].starts_with(": "),
            "{whole}"
        );
    }
    let live = doc.str(doc.get(doc.root(), "server.live").unwrap()).unwrap();
    assert!(matches!(&*live, "0" | "1"), "{whole}");
}

fn check_metrics(whole: &str, text: &str) {
    let doc = parsed(&Parser::Prometheus, text, whole);
    let samples = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .count();
    assert_eq!(doc.len(doc.root()), samples, "{whole}");
    for row in doc.children(doc.root()) {
        let get = |key| doc.get(row, key);
        assert!(
            get("name").is_some() && get("labels").is_some() && get("type").is_some(),
            "{whole}: {}",
            doc.raw(row)
        );
        assert!(doc.raw(row).ends_with(doc.raw(get("value").unwrap())), "{whole}");
    }
}

fn check_clusters(whole: &str, text: &str) {
    let doc = parsed(
        &Parser::KeyValue(KeyValueOptions::new(Some("::"), true).unwrap()),
        text,
        whole,
    );
    let leaves = doc
        .subtree(doc.root())
        .map(NodeId::from_index)
        .filter(|&id| doc.kind(id) == Kind::String);
    assert_eq!(leaves.count(), solid(text), "{whole}");
    let names: std::collections::BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split_once("::"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(doc.len(doc.root()), names.len(), "{whole}");
    let hosts = text.lines().filter(|line| line.contains("::cx_active::")).count();
    assert_eq!(select(&doc, "$[*][*].cx_active").len(), hosts, "{whole}");
    assert!(doc.duplicates().is_empty(), "{whole}");
}

fn check_log(whole: &str, text: &str) {
    let parser = lines(
        Some(r"^\[?\d{4}-\d\d-\d\d"),
        &[
            r"^\[(?<time>[^\]]+)\]\[\d+\]\[(?<level>\w+)\]\[(?<component>[\w ]+)\] (?:\[[^\]]+\] )?(?<text>(?s:.*))$",
            r"^(?<time>\d{4}-\d\d-\d\dT[\d:.]+Z)\s+(?<level>\w+)\s+(?<component>envoy \w+|\w+)(?:\s+\S+:\d+)?\s+(?<text>(?s:.*?))(?:\s+thread=\d+)?$",
        ],
    );
    let rows = rows(&parser, text, whole);
    let begins = |line: &&str| {
        line.trim_start_matches('[')
            .get(..5)
            .is_some_and(|year| year.starts_with("20") && year.ends_with('-'))
    };
    assert_eq!(rows.len(), text.lines().filter(begins).count(), "{whole}");
    for row in rows {
        assert!(
            row["time"].is_string() && row["level"].is_string() && row["text"].is_string(),
            "{whole}: {row}"
        );
        assert!(!row["text"].as_str().unwrap().contains("thread="), "{whole}: {row}");
    }
}

fn check_access_log(whole: &str, text: &str) {
    let parser = lines(
        None,
        &[r#"^\[(?<time>[^\]]+)\] "(?<method>\S+) (?<path>\S+) (?<protocol>[^"]+)" (?<code>\d+) (?<flags>\S+)"#],
    );
    let rows = rows(&parser, text, whole);
    assert_eq!(rows.len(), solid(text), "{whole}");
    let other = text.lines().filter(|line| line.contains("\"- - -\"")).count();
    let unmatched = rows.iter().filter(|row| row.get("unmatched").is_some()).count();
    assert!(unmatched <= other, "{whole}: {unmatched}");
}

fn check_statuses(whole: &str, text: &str) {
    let rows = rows(&table(None, &[]), text, whole);
    assert_eq!(rows.len(), solid(text) - 1, "{whole}");
    for (row, line) in rows.iter().zip(text.lines().skip(1)) {
        let name = row["NAME"].as_str().unwrap();
        assert!(
            line.starts_with(name)
                && row["CLUSTER"] == "Kubernetes"
                && row["ISTIOD"].as_str().unwrap().starts_with("istiod-"),
            "{whole}"
        );
        assert!(
            line.contains("STALE")
                == (row
                    .get("CDS")
                    .is_some_and(|status| status.as_str().unwrap().starts_with("STALE"))),
            "{whole}: {row}"
        );
    }
}

#[test]
fn tables_of_another_tool_are_read() {
    let Some(folder) = shared("conformance/istioctl") else {
        return;
    };
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let endpoints = text("endpoints/output.txt");
    let found = rows(&table(None, &[]), &endpoints, "endpoints");
    assert_eq!(found.len(), solid(&endpoints) - 1);
    for row in &found {
        let keys: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["CLUSTER", "NAME", "STATUS"], "an empty cell is not there: {row}");
    }
    let routes = text("routes/output.txt");
    let found = rows(&table(None, &[]), &routes, "routes");
    assert_eq!(found.len(), solid(&routes) - 1);
    assert!(
        found
            .iter()
            .all(|row| row.get("VHOST NAME").is_some() && row.get("MATCH").is_some())
    );
    assert!(
        found.iter().any(|row| row.get("VIRTUAL SERVICE").is_some())
            && found.iter().any(|row| row.get("NAME").is_none())
    );
    let all = text("all/summary.txt");
    let listeners = rows(&table(Some("^NAME +ADDRESSES"), &[]), &all, "listeners");
    let all_have = |key: &str| listeners.iter().all(|row| row.get(key).is_some());
    assert!(
        all_have("NAME") && all_have("PORT") && all_have("MATCH") && all_have("DESTINATION"),
        "{listeners:?}"
    );
    assert!(
        !all_have("ADDRESSES")
            && listeners
                .iter()
                .any(|row| row.get("ADDRESSES") == Some(&json!("0.0.0.0")))
    );
    let secrets = rows(&table(Some("^RESOURCE NAME"), &[]), &all, "secrets");
    assert_eq!(
        (&secrets[0]["TYPE"], &secrets[1]["VALID CERT"]),
        (&json!("Cert Chain"), &json!("true"))
    );
    assert_eq!(secrets[1]["RESOURCE NAME"], "secret/ROOTCA");
    let clusters = rows(&table(Some("^NAME +SERVICE FQDN"), &[]), &all, "clusters");
    assert!(
        clusters
            .iter()
            .any(|row| row["DIRECTION"] == "inbound-vip" && row["TYPE"] == "EDS"),
        "{clusters:?}"
    );
}

#[test]
fn access_logs_may_be_json_among_other_lines() {
    let mixed = Parser::JsonLines(JsonLinesOptions {
        snake_case_keys: true,
        mixed: true,
    });
    let doc = parsed(&mixed, "info starting\n{\"responseCode\": 503}\n", "mixed");
    assert_eq!(select(&doc, "$[?@.response_code].response_code"), [json!(503)]);
}
