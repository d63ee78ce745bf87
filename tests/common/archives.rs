//! Archives for tests, honest and otherwise.

#![allow(dead_code)] // each test binary uses its own part

use std::fs;
use std::io::{Cursor, Write};

use casebook::bundle::{Bundle, BundleError, Limits};
use tar::{EntryType, Header};

/// The time that members carry: 2023-11-14T22:13:20Z.
pub(crate) const TIME: u64 = 1_700_000_000;

/// One member of a tar, of any name and kind, without the end of the archive.
pub(crate) fn member(name: &[u8], kind: EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(bytes.len() as u64);
    header.set_mtime(TIME);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    let mut member = header.as_bytes().to_vec();
    member.extend(bytes);
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// A link in a tar.
pub(crate) fn link(name: &str, kind: EntryType, to: &str) -> Vec<u8> {
    let mut member = member(name.as_bytes(), kind, b"");
    let mut header = Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&member[..512]);
    header.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
    header.set_cksum();
    member[..512].copy_from_slice(header.as_bytes());
    member
}

/// A tar of these members.
pub(crate) fn tar_of(members: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = members.concat();
    tar.extend([0; 1024]);
    tar
}

/// A tar of plain files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<_> = files
        .iter()
        .map(|(name, bytes)| member(name.as_bytes(), EntryType::Regular, bytes))
        .collect();
    tar_of(&members)
}

/// A pax record, which tells its own length.
pub(crate) fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length.to_string().len() + rest.len() != length {
        length = length.to_string().len() + rest.len();
    }
    format!("{length}{rest}").into_bytes()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("in memory")
}

/// A zip of plain files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("in memory");
        zip.write_all(bytes).expect("in memory");
    }
    zip.finish().expect("in memory").into_inner()
}

/// A folder of files, gone at the end of the test.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    dir
}

/// Tight bounds.
pub(crate) const SMALL: Limits = Limits {
    members: 10,
    depth: 4,
    name: 60,
    item: 2000,
    unpacked: 100_000,
    ratio: 500,
    memory: 50_000,
};

/// Opens an archive.
pub(crate) fn open(bytes: Vec<u8>) -> Bundle {
    Bundle::from_bytes("test", bytes, &Limits::default()).expect("a test's own bundle")
}

/// Opens an archive under tight bounds.
pub(crate) fn open_small(bytes: Vec<u8>) -> Bundle {
    Bundle::from_bytes("test", bytes, &SMALL).expect("a test's own bundle")
}

/// Why an archive is not opened.
pub(crate) fn refused(bytes: Vec<u8>, limits: &Limits) -> BundleError {
    Bundle::from_bytes("test", bytes, limits).expect_err("no bundle")
}

/// What was left out, with the reasons.
pub(crate) fn skipped(bundle: &Bundle) -> Vec<(&str, &str)> {
    let skipped = bundle.skipped().iter();
    skipped
        .map(|skipped| (skipped.path.as_str(), skipped.reason.as_str()))
        .collect()
}

/// Why an item cannot be read.
pub(crate) fn error(bundle: &Bundle, path: &str) -> String {
    bundle.read(path).expect_err("no bundle").to_string()
}

/// Opens a folder.
pub(crate) fn open_folder(dir: &tempfile::TempDir) -> Bundle {
    Bundle::open(dir.path(), &Limits::default()).expect("a test's own bundle")
}

/// Makes a named pipe.
#[cfg(unix)]
pub(crate) fn pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .expect("a test's own bundle");
    assert!(made.success());
}
