//! Bundles that were cut, damaged or changed, and bytes of any kind.

#![allow(clippy::unwrap_used)]

#[path = "common/archives.rs"]
mod archives;

use std::fs;

use archives::{SMALL, error, folder, gzip, member, open, open_folder, pipe, refused, skipped, tar, tar_of, zip, zstd};
use casebook::bundle::{Bundle, BundleError, Limits};
use proptest::prelude::*;
use tar::EntryType;

const WHOLE: [(&str, &[u8]); 4] = [
    ("b/a.txt", b"first"),
    ("b/empty", b""),
    ("b/c.txt", &[b'c'; 700]),
    ("b/d.txt", b"last"),
];

/// What can be told of an archive that was cut: no item has other bytes than it had, and where one has less, that is told.
fn check_cut(bytes: &[u8], kind: &str) {
    let Ok(bundle) = Bundle::from_bytes("test", bytes.to_vec(), &Limits::default()) else {
        return;
    };
    let strip = |name: &'static str| name.strip_prefix("b/").unwrap();
    if bundle.complete() != Some(false) {
        let mut all: Vec<_> = WHOLE.iter().map(|(name, _)| strip(name)).collect();
        all.sort_unstable();
        assert_eq!(bundle.files(), all, "{kind}, {} bytes", bytes.len());
    }
    for path in bundle.files() {
        let (_, whole) = WHOLE.iter().find(|(name, _)| strip(name) == path).unwrap();
        let truncated = bundle.facts(path).is_some_and(|facts| facts.truncated);
        match bundle.read(path) {
            Ok(read) if truncated => assert!(whole.starts_with(&read) && read.len() < whole.len()),
            Ok(read) => assert_eq!(&read, whole, "{kind}, {path}, {} bytes", bytes.len()),
            Err(error) => assert!(truncated, "{kind}, {path}: {error}"),
        }
    }
}

#[test]
fn an_archive_cut_at_any_byte_gives_what_is_whole_and_tells_that_it_is_not_all() {
    for (kind, bytes) in [
        ("tar", tar(&WHOLE)),
        ("gz", gzip(&tar(&WHOLE))),
        ("zst", zstd(&tar(&WHOLE))),
        ("zip", zip(&WHOLE)),
    ] {
        for length in 0..=bytes.len() {
            check_cut(&bytes[..length], kind);
        }
        assert_eq!(open(bytes).files().len(), 4);
    }
}

#[test]
fn a_tar_cut_in_the_middle_keeps_the_members_before_and_marks_the_one_it_was_cut_in() {
    let whole = tar(&WHOLE);
    // Headers at 0, 1024, 1536 and 3072.
    let bundle = open(whole[..2348].to_vec());
    assert_eq!(bundle.complete(), Some(false));
    assert_eq!(bundle.files(), ["a.txt", "c.txt", "empty"]);
    assert!(bundle.facts("c.txt").unwrap().truncated);
    assert_eq!(bundle.read("c.txt").unwrap(), [b'c'; 300]);
    assert!(!bundle.facts("a.txt").unwrap().truncated);
    let at_its_start = open(whole[..2048].to_vec());
    assert_eq!(error(&at_its_start, "c.txt"), "the archive is cut off before it");
    assert!(at_its_start.facts("c.txt").unwrap().truncated);
    // Without the end mark nobody can tell that nothing more came.
    assert_eq!(open(whole[..4096].to_vec()).complete(), Some(false));
    assert_eq!(open(whole[..4608].to_vec()).complete(), None);
}

#[test]
fn an_archive_of_bytes_that_changed_is_refused() {
    let mut bytes = gzip(&tar(&WHOLE));
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    let error = refused(bytes, &SMALL);
    assert!(matches!(error, BundleError::Damaged { .. }), "{error}");
    assert!(error.help().starts_with("fetch it again"));
    let mut bytes = tar(&WHOLE);
    bytes[1024 + 5] ^= 1;
    let error = refused(bytes, &SMALL);
    assert_eq!(
        error.to_string(),
        "the archive `test` is damaged: a header does not agree with its checksum"
    );
}

#[test]
fn a_damaged_member_of_a_zip_cannot_be_read_and_the_others_can() {
    let mut bytes = zip(&[("a", b"first"), ("b", b"second")]);
    let at = bytes.windows(5).position(|window| window == b"first").unwrap_or(31);
    bytes[at] ^= 0x40;
    let bundle = open(bytes);
    assert!(bundle.read("a").is_err());
    assert_eq!(bundle.read("b").unwrap(), b"second");
}

#[test]
fn what_follows_the_end_of_an_archive_is_told() {
    let two = [tar(&[("a", b"1")]), tar(&[("b", b"2")])].concat();
    for bytes in [two.clone(), gzip(&two)] {
        let bundle = open(bytes);
        assert_eq!(bundle.files(), ["a"]);
        assert_eq!(
            skipped(&bundle),
            [("", "something follows the end of the archive; it is not read")]
        );
    }
}

#[test]
fn empty_files_are_items_and_not_taken_for_cut_ones() {
    let files: [(&str, &[u8]); 1] = [("empty", b"")];
    for bytes in [tar(&files), gzip(&tar(&files)), zip(&files)] {
        let bundle = open(bytes);
        assert_eq!(bundle.read("empty").unwrap(), b"");
        assert!(!bundle.facts("empty").is_some_and(|facts| facts.truncated));
    }
    assert_eq!(open_folder(&folder(&files)).read("empty").unwrap(), b"");
}

#[test]
fn archives_without_members_are_empty_bundles() {
    for bytes in [vec![0; 10_240], tar(&[]), gzip(&tar(&[])), zip(&[])] {
        assert!(open(bytes).files().is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_told_when_it_is_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[("x", b"1"), ("y", b"2")]);
    fs::set_permissions(dir.path().join("x"), fs::Permissions::from_mode(0o000)).unwrap();
    let bundle = open_folder(&dir);
    assert_eq!(bundle.read("y").unwrap(), b"2");
    // The superuser may read everything.
    if fs::read(dir.path().join("x")).is_err() {
        assert_eq!(
            bundle.read("x").unwrap_err().kind(),
            std::io::ErrorKind::PermissionDenied
        );
    }
}

#[cfg(unix)]
#[test]
fn a_folder_may_change_while_it_is_open() {
    let outside = folder(&[("secret", b"x")]);
    let dir = folder(&[
        ("gone", b""),
        ("folder", b""),
        ("link", b""),
        ("pipe", b""),
        ("grown", b""),
        ("other", b"old"),
    ]);
    let bundle = Bundle::open(dir.path(), &SMALL).unwrap();
    for name in ["gone", "folder", "link", "pipe"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    fs::create_dir(dir.path().join("folder")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("link")).unwrap();
    pipe(&dir.path().join("pipe"));
    fs::write(dir.path().join("grown"), vec![b'x'; 3000]).unwrap();
    fs::write(dir.path().join("other"), "new").unwrap();
    assert_eq!(bundle.read("gone").unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(error(&bundle, "folder"), "no regular file");
    assert_eq!(error(&bundle, "link"), "a link that leads out of the bundle");
    assert_eq!(error(&bundle, "pipe"), "no regular file");
    assert_eq!(
        error(&bundle, "grown"),
        "larger than 1.9 KiB, the bound that `--max-item` sets"
    );
    assert_eq!(bundle.read("other").unwrap(), b"new");
}

#[test]
fn an_archive_that_shrinks_while_it_is_open_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("b.tar", tar(&WHOLE)), ("b.zip", zip(&WHOLE))] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let bundle = Bundle::open(&path, &Limits::default()).unwrap();
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(10)
            .unwrap();
        assert!(bundle.read("d.txt").is_err());
    }
}

// Anything at all

fn read_all(bytes: Vec<u8>) {
    if let Ok(bundle) = Bundle::from_bytes("test", bytes, &SMALL) {
        for path in bundle.files() {
            if let Ok(bytes) = bundle.read(path) {
                assert!(bytes.len() as u64 <= SMALL.item);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), start in 0_usize..6) {
        let starts: [&[u8]; 6] = [b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06", &[0; 512]];
        read_all([starts[start], &bytes].concat());
    }

    #[test]
    fn no_tar_in_any_packing_panics(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let tar = [tar(&WHOLE[..1])[..1024].to_vec(), bytes].concat();
        read_all(gzip(&tar));
        read_all(zstd(&tar));
        read_all(tar);
    }

    #[test]
    fn no_changed_archive_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut pax = tar_of(&[
            member(b"pax", EntryType::XHeader, &archives::pax("path", "long/name")),
            member(b"x", EntryType::Regular, b"1"),
            member(b"l", EntryType::GNULongName, b"another\0"),
            member(b"y", EntryType::Regular, b"2"),
        ]);
        pax.truncate(5000);
        for archive in [pax.clone(), gzip(&pax), zstd(&pax), zip(&WHOLE)] {
            let mut archive = archive;
            for (at, byte) in &changes {
                let at = at.index(archive.len());
                archive[at] = *byte;
            }
            read_all(archive);
        }
    }

    #[test]
    fn no_changed_header_with_a_right_checksum_panics(changes in prop::collection::vec((0_usize..512, any::<u8>()), 1..6)) {
        let mut header = tar(&WHOLE[..1])[..512].to_vec();
        for (at, byte) in &changes {
            header[*at] = *byte;
        }
        let sum: u32 = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let rest = tar(&WHOLE);
        read_all([header.clone(), rest.clone()].concat());
        read_all(gzip(&[header, rest].concat()));
    }

    #[test]
    fn no_manifest_panics(text in "\\PC{0,200}") {
        read_all(tar(&[("casebook.json", text.as_bytes()), ("x", b"")]));
    }
}
