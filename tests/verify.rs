//! `casebook verify`, through the binary and the library: what is not as it was captured is named.

mod common;

use std::fs;
use std::path::Path;

use casebook::bundle::{Bundle, Limits, Manifest, verify};
use common::{folder, run};

const FILES: [(&str, &[u8]); 3] = [
    ("status.json", br#"{"state": "LIVE", "uptime": "900s"}"#),
    ("servers/a/log.txt", b"2026-01-01 started\n2026-01-02 ready\n"),
    ("servers/b/log.txt", b"2026-01-01 started\n"),
];

fn captured() -> tempfile::TempDir {
    let dir = folder(&FILES);
    let bundle = Bundle::open(dir.path(), &Limits::default()).expect("a bundle");
    Manifest::of(&bundle)
        .expect("files can be read")
        .write(dir.path())
        .expect("a folder can be written");
    dir
}

fn holds(path: &Path) -> bool {
    let bundle = Bundle::open(path, &Limits::default()).expect("a bundle");
    verify(&bundle, &|| {}).expect("it has a manifest").holds()
}

#[test]
fn a_bundle_as_it_was_captured_holds() {
    let dir = captured();
    let ran = run(&["verify", dir.path().to_str().expect("a path")]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("3 items listed: 3 intact"), "{}", ran.stdout);
}

/// A thousand places to flip a bit, spread by a fixed sequence.
#[test]
fn every_flipped_byte_is_noticed() {
    let dir = captured();
    let mut state: u64 = 1;
    for _ in 0..1000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (name, bytes) = FILES[(state >> 60) as usize % FILES.len()];
        let at = (state >> 33) as usize % bytes.len();
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << ((state >> 20) % 8);
        fs::write(dir.path().join(name), flipped).expect("a file");
        assert!(!holds(dir.path()), "byte {at} of {name}");
        fs::write(dir.path().join(name), bytes).expect("a file");
    }
    assert!(holds(dir.path()));
}

#[test]
fn every_removed_and_every_added_file_is_named() {
    for (name, bytes) in FILES {
        let dir = captured();
        fs::remove_file(dir.path().join(name)).expect("it is there");
        let ran = run(&["verify", dir.path().to_str().expect("a path")]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains(&format!("{name}: missing")), "{}", ran.stdout);
        fs::write(dir.path().join(name), bytes).expect("a file");
        fs::write(dir.path().join("added.txt"), "new").expect("a file");
        let ran = run(&["verify", dir.path().to_str().expect("a path")]);
        assert!(ran.stdout.contains("added.txt: not in the manifest"), "{}", ran.stdout);
    }
}

#[test]
fn a_bundle_without_a_manifest_says_so() {
    let dir = folder(&FILES);
    assert_eq!(run(&["verify", dir.path().to_str().expect("a path")]).code, 2);
}
