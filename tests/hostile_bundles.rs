//! Bundles that were made to do harm: names, links, bombs.

#![allow(clippy::unwrap_used)]

#[path = "common/archives.rs"]
mod archives;

use std::fs;

use archives::{
    SMALL, error, folder, gzip, member, open, open_folder, open_small, pipe, refused, skipped, tar, tar_of, zip, zstd,
};
use casebook::bundle::{Bundle, BundleError, Exceeded, Limits};
use tar::EntryType;

// Names

#[test]
fn names_that_climb_out_or_start_at_a_root_are_left_out_and_listed() {
    let names = ["../x", "..\\x", "/etc/passwd", "C:\\x", "\\\\host\\x", "a/../../x"];
    let (climbs, absolute) = ("a path with `..` in it", "an absolute path");
    let members = names.map(|name| member(name.as_bytes(), EntryType::Regular, b"evil"));
    let good = member(b"a/good.txt", EntryType::Regular, b"good");
    let bundle = open(tar_of(&[members.concat(), good]));
    assert_eq!(bundle.files(), ["good.txt"]);
    let expected = [
        ("../x", climbs),
        ("..\\x", climbs),
        ("/etc/passwd", absolute),
        ("C:\\x", absolute),
        ("\\\\host\\x", absolute),
        ("a/../../x", climbs),
    ];
    assert_eq!(skipped(&bundle), expected);
}

#[test]
fn names_in_a_zip_are_read_as_windows_wrote_them() {
    let files: [(&str, &[u8]); 5] = [
        ("b\\servers\\a.json", b"1"),
        ("b\\..\\..\\x", b""),
        ("C:\\x", b""),
        ("\\x", b""),
        ("b/top.txt", b""),
    ];
    let bundle = open(zip(&files));
    assert_eq!(bundle.files(), ["servers/a.json", "top.txt"]);
    let reasons: Vec<_> = skipped(&bundle).iter().map(|(_, reason)| *reason).collect();
    assert_eq!(
        reasons,
        ["an absolute path", "an absolute path", "a path with `..` in it"]
    );
}

#[test]
fn an_overlong_name_is_left_out_and_shown_by_its_beginning() {
    let name = "x".repeat(5000);
    let mut builder = tar::Builder::new(Vec::new());
    for name in [name.as_str(), "y"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_cksum();
        builder.append_data(&mut header, name, &b"1"[..]).unwrap();
    }
    let bundle = open(builder.into_inner().unwrap());
    assert_eq!(bundle.files(), ["y"]);
    assert_eq!(
        skipped(&bundle),
        [(
            format!("{}…", "x".repeat(80)).as_str(),
            "a name of more than 1024 bytes"
        )]
    );
}

#[test]
fn files_that_lie_too_deep_are_left_out() {
    let deep = "d/".repeat(6) + "x";
    let bundle = open_small(tar(&[("a", b""), (&deep, b"")]));
    assert_eq!(bundle.files(), ["a"]);
    assert_eq!(skipped(&bundle), [(deep.as_str(), "more than 4 folders deep")]);
    let dir = folder(&[("a", b""), (&deep, b""), ("d/d/d/d/x", b"")]);
    let bundle = Bundle::open(dir.path(), &SMALL).unwrap();
    assert_eq!(bundle.files(), ["a", "d/d/d/d/x"]);
    assert_eq!(skipped(&bundle), [("d/d/d/d/d", "more than 4 folders deep")]);
}

#[test]
fn control_characters_in_names_are_data_and_shown_escaped() {
    let bundle = open(tar(&[("a\x1b[2Jb", b"1"), ("c\nd", b"2")]));
    assert_eq!(bundle.files(), ["a\x1b[2Jb", "c\nd"]);
    assert_eq!(bundle.read("c\nd").unwrap(), b"2");
    let error = Bundle::from_bytes("x\x1b[2J", Vec::new(), &SMALL).unwrap_err();
    assert_eq!(error.to_string(), "`x\\u{1b}[2J` is empty");
}

#[test]
fn names_that_are_not_utf_8_are_kept_with_their_bytes_written_out() {
    let bundle = open(tar_of(&[
        member(b"caf\xe9.json", EntryType::Regular, b"1"),
        member(b"caf\xea.json", EntryType::Regular, b"2"),
    ]));
    assert_eq!(bundle.files(), ["caf\\xe9.json", "caf\\xea.json"]);
    assert_eq!(bundle.read("caf\\xea.json").unwrap(), b"2");
}

#[cfg(target_os = "linux")]
#[test]
fn names_of_files_that_are_not_utf_8_are_kept_too() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder(&[]);
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.json")), "1").unwrap();
    let bundle = open_folder(&dir);
    assert_eq!(bundle.files(), ["caf\\xe9.json"]);
    assert_eq!(bundle.read("caf\\xe9.json").unwrap(), b"1");
}

#[test]
fn of_members_with_one_name_the_last_counts_and_the_others_are_listed() {
    for bytes in [
        tar(&[("a/x", b"old"), ("a/y", b""), ("./a//x", b"new")]),
        gzip(&tar(&[("a/x", b"old"), ("a/x", b"new")])),
    ] {
        let bundle = open(bytes);
        assert_eq!(bundle.read("x").unwrap(), b"new");
        assert_eq!(skipped(&bundle), [("x", "a later member has the same name")]);
    }
    let link = member(b"x", EntryType::Symlink, b"");
    let bundle = open(tar_of(&[member(b"x", EntryType::Regular, b"file"), link]));
    assert_eq!(error(&bundle, "x"), "a link that leads to no file of the bundle");

    let mut twice = zip(&[("name1", b"old"), ("name2", b"new")]);
    for at in 0..twice.len() - 5 {
        if &twice[at..at + 5] == b"name2" {
            twice[at + 4] = b'1';
        }
    }
    let bundle = open(twice);
    assert_eq!(bundle.read("name1").unwrap(), b"new");
    assert_eq!(
        skipped(&bundle),
        [("", "some members have the same name; the last of each counts")]
    );
}

#[test]
fn names_that_differ_in_case_are_two() {
    let bundle = open(gzip(&tar(&[("A.json", b"1"), ("a.json", b"2")])));
    assert_eq!(bundle.files(), ["A.json", "a.json"]);
    assert_eq!(bundle.read("A.json").unwrap(), b"1");
}

#[test]
fn side_files_of_macos_are_no_evidence() {
    let files: [(&str, &[u8]); 4] = [
        ("b/config.json", b"{}"),
        ("b/._config.json", b"\0"),
        ("__MACOSX/b/._config.json", b"\0"),
        ("._b", b"\0"),
    ];
    let bundle = open(zip(&files));
    assert_eq!(bundle.files(), ["config.json"]);
    assert_eq!(bundle.skipped().len(), 3);
}

// Things that are no files

#[test]
fn empty_links_devices_and_pipes_in_archives_are_never_opened() {
    let kinds = [
        (EntryType::Symlink, "a link that leads to no file of the bundle"),
        (EntryType::Link, "a link that leads to no file of the bundle"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a named pipe"),
        (EntryType::GNUSparse, "a sparse file"),
        (EntryType::new(b'?'), "a member of an unknown kind"),
    ];
    for (kind, reason) in kinds {
        let members = [member(b"x", kind, b""), member(b"y", EntryType::Regular, b"good")];
        for bytes in [tar_of(&members), gzip(&tar_of(&members))] {
            let bundle = open(bytes);
            assert_eq!(skipped(&bundle), [("x", reason)]);
            // It is known by name, so that no other file is taken in its place.
            assert_eq!(bundle.files(), ["x", "y"]);
            assert_eq!(error(&bundle, "x"), reason);
            assert_eq!(bundle.read("y").unwrap(), b"good");
        }
    }
}

#[test]
fn links_that_lead_out_of_an_archive_or_nowhere_are_told_and_not_followed() {
    let out = "a link that leads out of the bundle";
    let nowhere = "a link that leads to no file of the bundle";
    let round = "a link that leads from link to link";
    let cases = [
        (EntryType::Symlink, "/etc/passwd", out),
        (EntryType::Symlink, "../../x", out),
        (EntryType::Symlink, "../y/../../../y", out),
        (EntryType::Symlink, "C:\\x", out),
        (EntryType::Symlink, "missing", nowhere),
        (EntryType::Symlink, "../folder", nowhere),
        (EntryType::Symlink, "link", round),
        (EntryType::Link, "folder/link", round),
        (EntryType::Link, "../y", out),
        (EntryType::Link, "/etc/passwd", out),
    ];
    for (kind, to, reason) in cases {
        let link = archives::link("folder/link", kind, to);
        let members = [link, member(b"y", EntryType::Regular, b"good")];
        for bytes in [tar_of(&members), gzip(&tar_of(&members))] {
            let bundle = open(bytes);
            assert_eq!(error(&bundle, "folder/link"), reason, "{to}");
            assert_eq!(skipped(&bundle), [("folder/link", reason)], "{to}");
        }
    }
}

#[test]
fn links_inside_an_archive_are_other_names_of_its_files() {
    let members = [
        archives::link("top/a/by-link", EntryType::Symlink, "../b/./by-hard-link"),
        archives::link("top/b/by-hard-link", EntryType::Link, "top/c/file.txt.gz"),
        member(b"top/c/file.txt.gz", EntryType::Regular, &gzip(b"text")),
        archives::link("top/packed", EntryType::Symlink, "c/file.txt"),
    ];
    for bytes in [tar_of(&members), gzip(&tar_of(&members))] {
        let bundle = open(bytes);
        assert_eq!(bundle.files(), ["a/by-link", "b/by-hard-link", "c/file.txt", "packed"]);
        for path in bundle.files() {
            assert_eq!(bundle.read(path).unwrap(), b"text", "{path}");
        }
        assert_eq!(skipped(&bundle), []);
    }
}

#[test]
fn a_long_target_of_a_link_comes_from_extensions() {
    let long = format!("{}/file", "folder".repeat(20));
    let file = [
        member(b"././@LongLink", EntryType::GNULongName, long.as_bytes()),
        member(b"cut", EntryType::Regular, b"text"),
    ];
    let gnu = member(b"././@LongLink", EntryType::GNULongLink, format!("{long}\0").as_bytes());
    let pax = member(b"pax", EntryType::XHeader, &archives::pax("linkpath", &long));
    for extension in [gnu, pax] {
        let mut members = file.to_vec();
        members.extend([extension, archives::link("link", EntryType::Symlink, "cut")]);
        assert_eq!(open(tar_of(&members)).read("link").unwrap(), b"text");
    }
}

#[test]
fn a_link_to_a_truncated_file_is_truncated_too() {
    let members = [
        archives::link("link", EntryType::Symlink, "file"),
        member(b"file", EntryType::Regular, &[b'x'; 2000]),
    ];
    let mut bytes = members.concat();
    bytes.truncate(bytes.len() - 1024);
    let bundle = open(bytes);
    assert!(bundle.facts("link").unwrap().truncated);
    assert_eq!(bundle.read("link").unwrap().len(), 1024);
}

#[test]
fn a_link_out_of_a_zip_is_not_followed_and_an_encrypted_member_not_read() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .add_symlink("link", "/etc/passwd", zip::write::SimpleFileOptions::default())
        .unwrap();
    let bundle = open(writer.finish().unwrap().into_inner());
    assert_eq!(error(&bundle, "link"), "a link that leads out of the bundle");

    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .start_file("a/file", zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut writer, b"text").unwrap();
    writer
        .add_symlink("b/link", "../a/file", zip::write::SimpleFileOptions::default())
        .unwrap();
    let bundle = open(writer.finish().unwrap().into_inner());
    assert_eq!(bundle.read("b/link").unwrap(), b"text");

    let mut secret = zip(&[("secret", b"x")]);
    for (magic, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = secret.windows(4).position(|window| window == magic).unwrap();
        secret[at + flags] |= 1;
    }
    assert_eq!(error(&open(secret), "secret"), "encrypted");
}

#[test]
fn sparse_files_of_pax_are_left_out() {
    let records = archives::pax("GNU.sparse.major", "1");
    let members = [
        member(b"pax", EntryType::XHeader, &records),
        member(b"x", EntryType::Regular, b"1\n0\n"),
        member(b"y", EntryType::Regular, b""),
    ];
    let bundle = open(tar_of(&members));
    assert_eq!(skipped(&bundle), [("x", "a sparse file")]);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_count_only_if_they_stay_inside() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret", b"x")]);
    let dir = folder(&[("real.json", b"1"), ("sub/x", b"2")]);
    symlink(outside.path().join("secret"), dir.path().join("link.json")).unwrap();
    symlink(dir.path().join("real.json"), dir.path().join("alias.json")).unwrap();
    symlink(dir.path().join("nothing"), dir.path().join("dangling.json")).unwrap();
    symlink(dir.path().join("sub"), dir.path().join("folder")).unwrap();
    symlink(dir.path(), dir.path().join("loop")).unwrap();
    let bundle = open_folder(&dir);
    assert_eq!(bundle.read("alias.json").unwrap(), b"1");
    assert_eq!(bundle.read("sub/x").unwrap(), b"2");
    assert_eq!(error(&bundle, "link.json"), "a link that leads out of the bundle");
    assert!(error(&bundle, "dangling.json").starts_with("a link that leads nowhere"));
    assert_eq!(error(&bundle, "folder"), "no regular file");
    assert_eq!(error(&bundle, "loop"), "no regular file");
    assert_eq!(bundle.skipped().len(), 4);
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_in_a_folder_are_not_opened() {
    let dir = folder(&[("x", b"1")]);
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    pipe(&dir.path().join("pipe"));
    let bundle = open_folder(&dir);
    assert_eq!(
        skipped(&bundle),
        [("pipe", "no regular file"), ("socket", "no regular file")]
    );
    assert_eq!(error(&bundle, "pipe"), "no regular file");
    let error = Bundle::open(&dir.path().join("pipe"), &SMALL).unwrap_err();
    assert!(error.to_string().ends_with("is neither a folder nor a regular file"));
}

// Bombs

fn exceeded(error: &BundleError) -> Exceeded {
    match error {
        BundleError::TooLarge { exceeded, .. } => *exceeded,
        other => panic!("{other}"),
    }
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused() {
    let files: Vec<_> = (0..9).map(|n| (n.to_string(), vec![0; 1 << 14])).collect();
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    for bytes in [gzip(&tar(&files)), zstd(&tar(&files)), zip(&files)] {
        let error = refused(bytes, &SMALL);
        assert_eq!(exceeded(&error), Exceeded::Unpacked(100_000));
        assert_eq!(
            error.to_string(),
            "`test` is too large: it unpacks to more than 97.6 KiB"
        );
    }
    assert_eq!(
        open_small(tar(&files)).files().len(),
        9,
        "a plain tar unpacks to nothing"
    );
}

#[test]
fn an_archive_that_unpacks_to_many_times_its_size_is_refused() {
    let size = 300 << 20;
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(size);
    header.set_cksum();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::copy(&mut &header.as_bytes()[..], &mut encoder).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), size + 1024), &mut encoder).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let limits = Limits {
        item: 1 << 20,
        ..Limits::default()
    };
    let error = refused(bomb, &limits);
    assert_eq!(exceeded(&error), Exceeded::Ratio(500));
    assert!(error.help().contains("unpack it yourself"));
}

#[test]
fn an_archive_or_folder_of_too_many_members_is_refused() {
    let names: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let links: Vec<_> = names
        .iter()
        .map(|name| member(name.as_bytes(), EntryType::Symlink, b""))
        .collect();
    for bytes in [tar(&files), gzip(&tar(&files)), zip(&files), tar_of(&links)] {
        assert_eq!(exceeded(&refused(bytes, &SMALL)), Exceeded::Members(10));
    }
    let error = Bundle::open(folder(&files).path(), &SMALL).unwrap_err();
    assert_eq!(exceeded(&error), Exceeded::Members(10));
    assert!(error.to_string().ends_with("is too large: it has more than 10 members"));
}

#[test]
fn a_zip_with_an_endless_directory_is_refused_before_it_is_read() {
    let names: Vec<_> = (0..20_000).map(|n| format!("a-name-of-some-length-{n}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(exceeded(&refused(zip(&files), &SMALL)), Exceeded::Members(10));
}

#[test]
fn items_that_take_too_much_memory_are_refused() {
    let mut noise = 1_u32;
    let mut next = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    let bytes: Vec<u8> = (0..60_000).map(|_| next()).collect();
    let limits = Limits { item: 100_000, ..SMALL };
    let error = refused(gzip(&tar(&[("x", &bytes)])), &limits);
    assert_eq!(exceeded(&error), Exceeded::Memory(50_000));
    assert_eq!(
        error.to_string(),
        "`test` is too large: its items take more than 48.8 KiB of memory"
    );
    assert!(error.help().starts_with("uncompress it to a plain .tar"));
}

#[test]
fn an_item_that_is_too_large_is_left_out_and_the_others_are_read() {
    let large = vec![b'x'; 2001];
    let files: [(&str, &[u8]); 3] = [("a", b"1"), ("large", &large), ("z", b"2")];
    for bytes in [tar(&files), gzip(&tar(&files)), zstd(&tar(&files)), zip(&files)] {
        let bundle = open_small(bytes);
        assert_eq!(
            skipped(&bundle),
            [("large", "larger than 1.9 KiB, the bound that `--max-item` sets")]
        );
        assert_eq!(
            error(&bundle, "large"),
            "larger than 1.9 KiB, the bound that `--max-item` sets"
        );
        assert_eq!(
            (bundle.read("a").unwrap(), bundle.read("z").unwrap()),
            (b"1".to_vec(), b"2".to_vec())
        );
    }
    let bundle = Bundle::open(folder(&files).path(), &SMALL).unwrap();
    assert_eq!(
        error(&bundle, "large"),
        "larger than 1.9 KiB, the bound that `--max-item` sets"
    );
}

#[test]
fn a_member_of_a_gigabyte_is_stepped_over() {
    let size = 1 << 30;
    let mut header = tar::Header::new_gnu();
    header.set_path("large.log").unwrap();
    header.set_size(size);
    header.set_cksum();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.tar");
    fs::write(&path, header.as_bytes()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(512 + size).unwrap();
    drop(file);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, &tar(&[("small.txt", b"1")])).unwrap();
    let bundle = Bundle::open(&path, &Limits::default()).unwrap();
    assert_eq!(
        skipped(&bundle),
        [("large.log", "larger than 512 MiB, the bound that `--max-item` sets")]
    );
    assert_eq!(bundle.read("small.txt").unwrap(), b"1");
    assert_eq!(bundle.complete(), None);
}

#[test]
fn compression_is_undone_once() {
    let (inner, nested) = (gzip(b"text"), gzip(&tar(&[("x", b"1")])));
    let bundle = open(tar(&[("twice.txt.gz", &gzip(&inner)), ("nested.tar.gz", &nested)]));
    assert_eq!(bundle.files(), ["nested.tar", "twice.txt"]);
    assert_eq!(bundle.read("twice.txt").unwrap(), inner);
    assert_eq!(bundle.read("nested.tar").unwrap(), tar(&[("x", b"1")]));
    let error = refused(gzip(&gzip(&tar(&[("x", b"1")]))), &SMALL);
    assert_eq!(error.to_string(), "`test` holds no tar, or too little of one");
}

#[test]
fn a_packed_item_that_unfolds_too_far_is_not_read() {
    let bomb = gzip(&vec![0; 1 << 20]);
    let bundle = open_small(tar(&[("x.gz", &bomb)]));
    assert_eq!(
        error(&bundle, "x"),
        "larger than 1.9 KiB, the bound that `--max-item` sets"
    );
}

#[test]
fn endless_names_and_records_stop_the_reading() {
    let mut long = member(b"././@LongLink", EntryType::GNULongName, &[]);
    let mut header = tar::Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 33);
    header.set_cksum();
    let first = member(b"a", EntryType::Regular, b"");
    let error = refused([first.clone(), header.as_bytes().to_vec()].concat(), &Limits::default());
    assert_eq!(
        error.to_string(),
        "the archive `test` is damaged: a name or a record is too long"
    );
    long = long.repeat(20);
    let error = refused(tar_of(&[first, long]), &Limits::default());
    assert_eq!(
        error.to_string(),
        "the archive `test` is damaged: a member has too many extensions"
    );
}

/// Holes make the file: it takes no room on disk, and is never read.
#[test]
fn a_single_line_of_a_gigabyte_is_refused_with_the_bound_and_how_to_raise_it() {
    let dir = archives::folder(&[("config_dump.json", b"{"), ("server_info.json", b"{}")]);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("config_dump.json"))
        .unwrap();
    file.set_len(1 << 30).unwrap();
    let bundle = open_folder(&dir);
    assert_eq!(
        error(&bundle, "config_dump.json"),
        "larger than 512 MiB, the bound that `--max-item` sets"
    );
    assert_eq!(bundle.read("server_info.json").unwrap(), b"{}");
}
