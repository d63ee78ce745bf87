use std::fs;

use super::*;

fn open(path: &Path) -> Result<Bundle, BundleError> {
    Bundle::open(path, &Limits::default())
}

#[test]
fn lists_files_sorted_and_below_folders() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("z.json"), "1").unwrap();
    fs::write(dir.path().join("a/b/c.json"), "2").unwrap();
    let bundle = open(dir.path()).unwrap();
    assert_eq!(bundle.files(), ["a/b/c.json", "z.json"]);
    assert_eq!(bundle.read("a/b/c.json").unwrap(), b"2");
}

#[test]
fn a_missing_path_an_empty_file_and_a_stray_one_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let message = |name: &str| open(&dir.path().join(name)).unwrap_err().to_string();
    assert!(message("none").starts_with("cannot open the bundle `"));
    fs::write(dir.path().join("empty"), "").unwrap();
    assert!(message("empty").ends_with("` is empty"));
    fs::write(dir.path().join("text"), "{}").unwrap();
    assert!(message("text").ends_with("` is neither a folder nor an archive"));
    fs::write(dir.path().join("xz"), b"\xfd7zXZ\0rest").unwrap();
    assert!(message("xz").ends_with("` is packed with xz, which is not read here; unpack it first"));
}

#[test]
fn a_bundle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Bundle>();
}
