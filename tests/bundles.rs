//! Bundles of every kind and layout, and their manifests.

#![allow(clippy::unwrap_used)]

#[path = "common/archives.rs"]
mod archives;

use std::path::Path;

use archives::{folder, gzip, tar, tar_of, zip, zstd};
use casebook::bundle::{Bundle, BundleError, ItemFacts, Limits, Manifest, verify};
use casebook::report::model::Outcome;

const FILES: [(&str, &[u8]); 3] = [
    ("capture/servers/a/config.json", b"{\"a\":1}"),
    ("capture/servers/b/config.json", b"{\"b\":2}"),
    ("capture/top.txt", b""),
];

fn open(path: &Path) -> Bundle {
    Bundle::open(path, &Limits::default()).unwrap()
}

fn from_bytes(bytes: Vec<u8>) -> Bundle {
    Bundle::from_bytes("test", bytes, &Limits::default()).unwrap()
}

fn contents(bundle: &Bundle) -> Vec<(String, String)> {
    let read = |path: &String| (path.clone(), String::from_utf8(bundle.read(path).unwrap()).unwrap());
    bundle.files().iter().map(read).collect()
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// The same files in every kind of archive.
fn all_kinds(files: &[(&str, &[u8])]) -> [(&'static str, Vec<u8>); 4] {
    [
        ("tar", tar(files)),
        ("tar.gz", gzip(&tar(files))),
        ("tar.zst", zstd(&tar(files))),
        ("zip", zip(files)),
    ]
}

#[test]
fn every_kind_of_archive_gives_the_same_items_whatever_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, bytes) in all_kinds(&FILES) {
        for name in [
            format!("b.{kind}"),
            "no-extension".to_owned(),
            "misleading.json".to_owned(),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let expected = [
                ("servers/a/config.json", "{\"a\":1}"),
                ("servers/b/config.json", "{\"b\":2}"),
                ("top.txt", ""),
            ];
            assert_eq!(contents(&open(&path)), owned(&expected), "{}", path.display());
            assert_eq!(open(&path).complete(), None);
        }
    }
    let path = folder(&FILES);
    assert_eq!(open(&path.path().join("capture")).files().len(), 3);
}

#[test]
fn archives_alone_are_opened_below_a_single_top_folder() {
    for (kind, bytes) in all_kinds(&FILES) {
        assert_eq!(from_bytes(bytes).files()[0], "servers/a/config.json", "{kind}");
    }
    let two = [("a/x", &b""[..]), ("b/x", b"")];
    let beside = [("a/x", &b""[..]), ("y", b"")];
    for (kind, bytes) in all_kinds(&two).into_iter().chain(all_kinds(&beside)) {
        assert_eq!(from_bytes(bytes).files()[0], "a/x", "{kind}");
    }
    let dir = folder(&FILES);
    assert_eq!(open(dir.path()).files()[0], "capture/servers/a/config.json");
}

#[test]
fn packed_items_answer_for_their_plain_names() {
    let (gz, zst) = (gzip(b"g"), zstd(b"z"));
    let files: [(&str, &[u8]); 7] = [
        ("g.txt.gz", &gz),
        ("z.txt.zst", &zst),
        ("both.txt", b"plain"),
        ("both.txt.gz", &gz),
        ("not-really.gz", b"plain too"),
        ("really.txt", &gz),
        (".gz", b"a name"),
    ];
    let expected = [
        (".gz", "a name"),
        ("both.txt", "plain"),
        ("both.txt.gz", "g"),
        ("g.txt", "g"),
        ("not-really", "plain too"),
        ("really.txt", "g"),
        ("z.txt", "z"),
    ];
    for (kind, bytes) in all_kinds(&files) {
        assert_eq!(contents(&from_bytes(bytes)), owned(&expected), "{kind}");
    }
    assert_eq!(contents(&open(folder(&files).path())), owned(&expected));
}

#[test]
fn archives_carry_times_and_folders_do_not() {
    for bytes in [tar(&FILES), gzip(&tar(&FILES))] {
        let bundle = from_bytes(bytes);
        let modified = bundle.facts("top.txt").unwrap().modified.unwrap();
        assert_eq!(modified.to_string(), "2023-11-14T22:13:20Z");
    }
    assert_eq!(open(folder(&FILES).path()).facts("capture/top.txt"), None);
    let no_time = zip(&FILES);
    assert_eq!(from_bytes(no_time).facts("top.txt"), None);
}

#[test]
fn a_zip_tells_a_time_only_in_utc() {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut options = zip::write::FileOptions::<zip::write::ExtendedFileOptions>::default();
    let mut field = vec![1];
    field.extend(1_700_000_000_u32.to_le_bytes());
    options.add_extra_field(0x5455, field, false).unwrap();
    writer.start_file("a.txt", options).unwrap();
    writer.write_all(b"x").unwrap();
    let bundle = from_bytes(writer.finish().unwrap().into_inner());
    let modified = bundle.facts("a.txt").unwrap().modified.unwrap();
    assert_eq!(modified.to_string(), "2023-11-14T22:13:20Z");
}

#[test]
fn long_names_and_pax_records_are_understood() {
    let long = format!("{}/x.json", "folder/".repeat(30));
    let mut gnu = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    gnu.append_data(&mut header, &long, &b"1"[..]).unwrap();
    let bundle = from_bytes(gnu.into_inner().unwrap());
    assert_eq!(bundle.files(), [format!("{}x.json", "folder/".repeat(29))]);
    assert_eq!(bundle.read(&bundle.files()[0]).unwrap(), b"1");

    let records = [
        archives::pax("path", "näme.json"),
        archives::pax("mtime", "1700000000.75"),
    ]
    .concat();
    let bundle = from_bytes(tar_of(&[
        archives::member(b"pax", tar::EntryType::XHeader, &records),
        archives::member(b"short", tar::EntryType::Regular, b"2"),
        archives::member(b"other", tar::EntryType::Regular, b"3"),
    ]));
    assert_eq!(contents(&bundle), owned(&[("näme.json", "2"), ("other", "3")]));
    let modified = bundle.facts("näme.json").unwrap().modified.unwrap();
    assert_eq!(modified.to_string(), "2023-11-14T22:13:20.75Z");
}

#[test]
fn large_items_of_a_packed_tar_are_held_packed_and_come_back() {
    let text: Vec<u8> = (0..2_000_000)
        .flat_map(|n: u32| format!("line {n}\n").into_bytes())
        .collect();
    let files = [("a", &text[..]), ("b", &text[..]), ("c", &text[..7])];
    let bundle = from_bytes(zstd(&tar(&files)));
    for (name, bytes) in files {
        assert!(bundle.read(name).unwrap() == bytes, "{name}");
    }
}

#[test]
fn items_can_be_laid_over_any_bundle_and_hidden() {
    let mut bundle = from_bytes(gzip(&tar(&FILES)));
    let facts = ItemFacts {
        outcome: Some(Outcome::Denied),
        http: Some(403),
        ..ItemFacts::default()
    };
    bundle.lay("top.txt", b"new".to_vec(), facts);
    bundle.lay("other.txt", b"more".to_vec(), ItemFacts::default());
    bundle.hide("servers/a/config.json");
    let expected = [
        ("other.txt", "more"),
        ("servers/b/config.json", "{\"b\":2}"),
        ("top.txt", "new"),
    ];
    assert_eq!(contents(&bundle), owned(&expected));
    let facts = bundle.facts("top.txt").unwrap();
    assert_eq!(
        (facts.path.as_str(), facts.http, facts.modified),
        ("top.txt", Some(403), None)
    );
    assert_eq!(bundle.facts("servers/a/config.json"), None);
    assert!(bundle.read("servers/a/config.json").is_err());
}

#[test]
fn the_items_in_a_folder_are_found() {
    let names = ["a", "a-b/x", "a/x", "a/y/z", "a0", "ab/x"];
    let files: Vec<_> = names.map(|name| (name, &b""[..])).into();
    let bundle = from_bytes(tar(&files));
    assert_eq!(bundle.files_in("a"), ["a/x", "a/y/z"]);
    assert_eq!(bundle.files_in("ab"), ["ab/x"]);
    assert_eq!(bundle.files_in("").len(), names.len());
    assert!(bundle.files_in("b").is_empty() && bundle.files_in("zz").is_empty());
}

// Foreign layouts: nothing is known of them here, the names must simply come out as the tools wrote them.

fn names_of(bundle: &Bundle, folder: &str) -> Vec<String> {
    let files = bundle.files_in(folder).iter();
    files.map(|file| file[folder.len() + 1..].to_owned()).collect()
}

#[test]
fn an_istioctl_bug_report_opens_with_its_names() {
    let admin = [
        "certs",
        "clusters",
        "config_dump?include_eds",
        "listeners",
        "memory",
        "server_info",
        "stats/prometheus",
    ];
    let mut names: Vec<String> = Vec::new();
    for pod in ["default/productpage-v1-abc", "default/reviews-v2-def"] {
        names.extend(admin.map(|file| format!("bug-report/proxies/{pod}/{file}")));
        names.push(format!("bug-report/proxies/{pod}/istio-proxy.log"));
    }
    let rest = [
        "istio/istio-system/istiod-1/debug/syncz",
        "istio/istio-system/istiod-1/discovery.log",
        "cluster/k8s-resources",
        "cluster/cluster-context",
        "cni/istio-cni-node-x/cni.log",
        "analyze/allNamespaces/analyze",
        "versions",
        "bug-report.log",
    ];
    names.extend(rest.map(|file| format!("bug-report/{file}")));
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let bundle = from_bytes(gzip(&tar(&files)));
    assert_eq!(bundle.files().len(), names.len());
    assert!(bundle.skipped().is_empty());
    let mut expected: Vec<String> = admin.map(str::to_owned).into();
    expected.push("istio-proxy.log".into());
    expected.sort();
    assert_eq!(names_of(&bundle, "proxies/default/productpage-v1-abc"), expected);
    assert!(
        bundle
            .files()
            .contains(&"istio/istio-system/istiod-1/debug/syncz".to_owned())
    );
    assert!(bundle.files().contains(&"versions".to_owned()));
}

#[test]
fn a_replicated_support_bundle_opens_with_its_names() {
    let files: [(&str, &[u8]); 6] = [
        (
            "support-bundle-2026-01-31T12_00_00/version.yaml",
            b"apiVersion: troubleshoot.sh/v1beta2\n",
        ),
        (
            "support-bundle-2026-01-31T12_00_00/cluster-info/cluster_version.json",
            b"{}",
        ),
        (
            "support-bundle-2026-01-31T12_00_00/cluster-resources/pods/default.json",
            b"{}",
        ),
        (
            "support-bundle-2026-01-31T12_00_00/cluster-resources/pods/logs/default/web-0/istio-proxy.log",
            b"x\n",
        ),
        ("support-bundle-2026-01-31T12_00_00/cluster-resources/nodes.json", b"{}"),
        ("support-bundle-2026-01-31T12_00_00/analysis.json", b"[]"),
    ];
    let bundle = from_bytes(gzip(&tar(&files)));
    let expected = [
        "analysis.json",
        "cluster-info/cluster_version.json",
        "cluster-resources/nodes.json",
        "cluster-resources/pods/default.json",
        "cluster-resources/pods/logs/default/web-0/istio-proxy.log",
        "version.yaml",
    ];
    assert_eq!(bundle.files(), expected);
}

#[test]
fn the_logs_that_a_support_bundle_links_to_are_read() {
    let link = "b/cluster-resources/pods/logs/default/web-0/web.log";
    let bundle = from_bytes(gzip(&tar_of(&[
        archives::member(b"b/web/web-0.log", tar::EntryType::Regular, b"x\n"),
        archives::link(link, tar::EntryType::Symlink, "../../../../../web/web-0.log"),
    ])));
    assert_eq!(
        bundle.files(),
        ["cluster-resources/pods/logs/default/web-0/web.log", "web/web-0.log"]
    );
    assert_eq!(bundle.read(&bundle.files()[0]).unwrap(), b"x\n");
}

#[test]
fn a_kubectl_cluster_info_dump_opens_with_its_names() {
    let files: [(&str, &[u8]); 5] = [
        ("nodes.json", b"{}"),
        ("default/pods.json", b"{}"),
        ("default/events.json", b"{}"),
        (
            "default/web-0/logs.txt",
            b"==== START logs for container web of pod default/web-0 ====\n",
        ),
        ("kube-system/pods.json", b"{}"),
    ];
    let dir = folder(&files);
    let expected = [
        "default/events.json",
        "default/pods.json",
        "default/web-0/logs.txt",
        "kube-system/pods.json",
        "nodes.json",
    ];
    assert_eq!(open(dir.path()).files(), expected);
    assert_eq!(from_bytes(tar(&files)).files(), expected);
}

// Manifests.

const CONFIG: &str = "{\"a\":1}";

fn manifest(items: &str) -> String {
    format!(
        "{{ \"schema\": \"casebook/bundle/v1\", \"name\": \"night of the outage\",\n  \"tool\": {{ \"name\": \"casebook\", \"version\": \"0\" }},\n  \
         \"complete\": true, \"items\": [\n{items}] }}"
    )
}

#[test]
fn a_manifest_tells_how_items_were_gathered() {
    let text = manifest(
        r#"{ "path": "servers/a/config.json", "probe": "web::config", "subject": "server/a", "origin": "GET http://a/config",
             "captured_at": "2026-01-31T12:00:00Z", "outcome": "ok", "http": 200, "truncated": true, "redactions": 2 },
           { "path": "servers/b/config.json", "probe": "web::config", "outcome": "denied", "exit": 1, "stderr": "no" },
           { "path": "servers/c/config.json", "outcome": "not-run" }"#,
    );
    let files: [(&str, &[u8]); 3] = [
        ("casebook.json", text.as_bytes()),
        ("servers/a/config.json", CONFIG.as_bytes()),
        ("extra.txt", b"x"),
    ];
    for bundle in [
        from_bytes(tar(&files)),
        from_bytes(zip(&files)),
        open(folder(&files).path()),
    ] {
        assert_eq!(bundle.short_name(), "night of the outage");
        assert_eq!(bundle.complete(), Some(true));
        let expected = [
            "extra.txt",
            "servers/a/config.json",
            "servers/b/config.json",
            "servers/c/config.json",
        ];
        assert_eq!(bundle.files(), expected);
        let facts = bundle.facts("servers/a/config.json").unwrap();
        assert_eq!(
            (facts.outcome, facts.http, facts.truncated, facts.redactions),
            (Some(Outcome::Ok), Some(200), true, 2)
        );
        assert_eq!(facts.probe.as_deref(), Some("web::config"));
        assert_eq!(facts.captured_at.unwrap().to_string(), "2026-01-31T12:00:00Z");
        let denied = bundle.facts("servers/b/config.json").unwrap();
        assert_eq!(
            (denied.outcome, denied.exit, denied.stderr.as_deref()),
            (Some(Outcome::Denied), Some(1), Some("no"))
        );
        let error = bundle.read("servers/b/config.json").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), "the manifest lists it, but it is not in the bundle");
    }
}

#[test]
fn a_manifest_is_found_below_the_top_folder_of_an_archive() {
    let text = manifest("");
    let bundle = from_bytes(gzip(&tar(&[("b/casebook.json", text.as_bytes()), ("b/x", b"")])));
    assert!(bundle.manifest().is_some());
    assert_eq!(bundle.files(), ["x"]);
}

#[test]
fn a_malformed_manifest_is_an_error_with_its_place() {
    let dir = folder(&[("casebook.json", manifest("{ \"path\": \"../x\" }").as_bytes())]);
    let error = Bundle::open(dir.path(), &Limits::default()).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("the manifest of `"), "{message}");
    assert!(
        message.ends_with("`../x` is not the path of an item: a path with `..` in it (line 4, column 18)"),
        "{message}"
    );
    assert!(error.help().starts_with("correct casebook.json"));
    let newer = manifest("").replace("v1", "v9");
    let error = Bundle::from_bytes("b", tar(&[("casebook.json", newer.as_bytes())]), &Limits::default()).unwrap_err();
    assert!(
        error.to_string().contains("its schema is `casebook/bundle/v9`"),
        "{error}"
    );
}

#[test]
fn a_manifest_made_for_a_folder_agrees_with_it() {
    let dir = folder(&[
        ("a.json", CONFIG.as_bytes()),
        ("sub/empty.txt", b""),
        ("packed.txt.gz", &gzip(b"text")),
    ]);
    let made = Manifest::of(&open(dir.path())).unwrap();
    made.write(dir.path()).unwrap();
    let bundle = open(dir.path());
    assert_eq!(bundle.manifest(), Some(&made));
    let outcomes: Vec<_> = made
        .items
        .iter()
        .map(|item| (item.path.as_str(), item.outcome, item.size))
        .collect();
    let expected = [
        ("a.json", Some(Outcome::Ok), Some(7)),
        ("packed.txt", Some(Outcome::Ok), Some(4)),
        ("sub/empty.txt", Some(Outcome::Empty), Some(0)),
    ];
    assert_eq!(outcomes, expected);
    let verification = verify(&bundle, &|| {}).unwrap();
    assert_eq!((verification.listed, verification.intact), (3, 3));
    assert!(verification.holds() && verification.complete);
    // Made again over the same bundle, it stays.
    assert_eq!(Manifest::of(&bundle).unwrap(), made);
}

#[test]
fn verification_names_what_is_not_as_it_was() {
    let dir = folder(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]);
    let mut made = Manifest::of(&open(dir.path())).unwrap();
    made.items[3].truncated = true;
    made.items.push(ItemFacts {
        path: "e".into(),
        outcome: Some(Outcome::TimedOut),
        ..ItemFacts::default()
    });
    made.complete = false;
    made.write(dir.path()).unwrap();
    std::fs::write(dir.path().join("a"), "x").unwrap();
    std::fs::write(dir.path().join("b"), "longer").unwrap();
    std::fs::remove_file(dir.path().join("c")).unwrap();
    std::fs::write(dir.path().join("new"), "").unwrap();
    let found = verify(&open(dir.path()), &|| {}).unwrap();
    assert_eq!((found.listed, found.intact, found.not_gathered), (5, 1, 1));
    let changed = [("a", "its checksum is another"), ("b", "it has 6 bytes, and had 1")];
    assert_eq!(found.changed, owned(&changed));
    assert_eq!(found.missing, ["c"]);
    assert_eq!(found.unlisted, ["new"]);
    assert_eq!(found.truncated, ["d"]);
    assert!(!found.holds() && !found.complete);
}

#[test]
fn verification_sees_through_packing_and_wants_checksums() {
    let dir = folder(&[("a.txt", b"text"), ("b.txt", b"more")]);
    let mut made = Manifest::of(&open(dir.path())).unwrap();
    made.items[1].sha256 = None;
    made.write(dir.path()).unwrap();
    std::fs::remove_file(dir.path().join("a.txt")).unwrap();
    std::fs::write(dir.path().join("a.txt.gz"), gzip(b"text")).unwrap();
    let found = verify(&open(dir.path()), &|| {}).unwrap();
    assert_eq!(
        (found.intact, found.unchecked.as_slice()),
        (1, &["b.txt".to_owned()][..])
    );
    assert!(found.holds());
}

#[test]
fn a_bundle_without_a_manifest_cannot_be_verified() {
    let error = verify(&Bundle::empty("loose"), &|| {}).unwrap_err();
    assert!(matches!(error, BundleError::NoManifest { .. }));
    assert_eq!(error.to_string(), "`loose` has no manifest to check it against");
}
